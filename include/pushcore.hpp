/*
 * pushcore for C++17: move-only owners over pushcore.h, which says everything about the functions themselves.
 *
 *  - A function that can fail returns Result<T>: test it, or call value(), which throws pushcore::Error. Without exceptions
 *    (-fno-exceptions) value() of a failure aborts.
 *  - Option structs are C's own: `auto options = pushcore::options<pushcore_apns_service_options>();` sets struct_size.
 *  - get() gives the C handle, for functions that have no wrapper here; adopt(T*) takes one over.
 *  - Threads: as pushcore.h says. A const member function may be called by many threads at once.
 */
#ifndef PUSHCORE_HPP
#define PUSHCORE_HPP

#include <pushcore.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>
#if defined(__has_include) && __cplusplus >= 202002L
#if __has_include(<span>)
#include <span>
#define PUSHCORE_HAS_SPAN 1
#endif
#endif

namespace pushcore {

/* Text or bytes as C takes them. The text has to outlive the call. */
inline pushcore_view view(std::string_view text) noexcept {
  pushcore_view made;
  made.data = reinterpret_cast<const uint8_t *>(text.data());
  made.len = text.size();
  return made;
}

inline std::string_view text(pushcore_view bytes) noexcept {
  return bytes.len == 0 ? std::string_view() : std::string_view(reinterpret_cast<const char *>(bytes.data), bytes.len);
}

/* An option struct with its size set and everything else zero. */
template <class T>
inline T options() noexcept {
  T made;
  std::memset(static_cast<void *>(&made), 0, sizeof made);
  made.struct_size = static_cast<uint32_t>(sizeof made);
  return made;
}

/* Why a call failed. */
class Error : public std::runtime_error {
 public:
  Error(pushcore_status status, const std::string &message) : std::runtime_error(message), status_(status) {}

  /* Takes over an error object; NULL is fine. */
  static Error take(pushcore_status status, pushcore_error *object) {
    Error made(status, std::string(text(object ? pushcore_error_message(object) : pushcore_status_name(status))));
    uint32_t code = 0;
    uint8_t alert = 0;
    if (object && pushcore_error_http2_code(object, &code)) made.http2_code_ = code;
    if (object && pushcore_error_tls_alert(object, &alert)) made.tls_alert_ = alert;
    pushcore_error_free(object);
    return made;
  }

  pushcore_status status() const noexcept { return status_; }
  /* The name in every language, e.g. "NotSent". */
  std::string_view name() const noexcept { return text(pushcore_status_name(status_)); }
  std::optional<uint32_t> http2_code() const noexcept { return http2_code_; }
  std::optional<uint8_t> tls_alert() const noexcept { return tls_alert_; }

 private:
  pushcore_status status_;
  std::optional<uint32_t> http2_code_;
  std::optional<uint8_t> tls_alert_;
};

/* A value, or the error that says why there is none: std::expected for C++17. */
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  const Error &error() const { return std::get<1>(state_); }
  T &value() & {
    check();
    return *std::get_if<0>(&state_);
  }
  const T &value() const & {
    check();
    return *std::get_if<0>(&state_);
  }
  T value() && {
    check();
    return std::move(*std::get_if<0>(&state_));
  }
  T &operator*() & { return value(); }
  T *operator->() { return &value(); }

 private:
  void check() const {
    if (has_value()) return;
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS) || defined(_CPPUNWIND)
    throw error();
#else
    std::abort();
#endif
  }
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}
  bool has_value() const noexcept { return !error_; }
  explicit operator bool() const noexcept { return has_value(); }
  const Error &error() const { return *error_; }
  void value() const {
    if (has_value()) return;
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS) || defined(_CPPUNWIND)
    throw *error_;
#else
    std::abort();
#endif
  }

 private:
  std::optional<Error> error_;
};

/* The only owner of a C handle. */
template <class T, void (*Free)(T *)>
class Handle {
 public:
  Handle() = default;
  static Handle adopt(T *handle) noexcept {
    Handle made;
    made.owned_.reset(handle);
    return made;
  }
  T *get() const noexcept { return owned_.get(); }
  T *release() noexcept { return owned_.release(); }
  explicit operator bool() const noexcept { return owned_ != nullptr; }

 private:
  struct Deleter {
    void operator()(T *handle) const noexcept { Free(handle); }
  };
  std::unique_ptr<T, Deleter> owned_;
};

/* Calls a C function whose last arguments are an output and an error: `made<Message>(pushcore_message_from_json, ...)`. */
template <class Owner, class Raw, class Function, class... Arguments>
inline Result<Owner> made_of(Function function, Arguments... arguments) {
  Raw *out = nullptr;
  pushcore_error *error = nullptr;
  const pushcore_status status = function(arguments..., &out, &error);
  if (status != PUSHCORE_OK) return Error::take(status, error);
  return Owner(Handle<Raw, Owner::free>::adopt(out));
}

template <class Function, class... Arguments>
inline Result<void> done(Function function, Arguments... arguments) {
  pushcore_error *error = nullptr;
  const pushcore_status status = function(arguments..., &error);
  if (status != PUSHCORE_OK) return Error::take(status, error);
  return {};
}

/* What every owner has. */
#define PUSHCORE_OWNER(Class, raw)                                                      \
 public:                                                                                \
  static constexpr auto free = raw##_free;                                              \
  Class() = default;                                                                    \
  explicit Class(Handle<raw, raw##_free> handle) noexcept : handle_(std::move(handle)) {} \
  static Class adopt(raw *handle) noexcept { return Class(Handle<raw, raw##_free>::adopt(handle)); } \
  raw *get() const noexcept { return handle_.get(); }                                   \
  explicit operator bool() const noexcept { return static_cast<bool>(handle_); }        \
                                                                                        \
 private:                                                                               \
  Handle<raw, raw##_free> handle_;                                                      \
                                                                                        \
 public:

class Bytes {
  PUSHCORE_OWNER(Bytes, pushcore_bytes)
  std::string_view view() const noexcept { return text(pushcore_bytes_view(get())); }
  std::string string() const { return std::string(view()); }
};

class ReceiverKeys {
  PUSHCORE_OWNER(ReceiverKeys, pushcore_receiver_keys)
  static Result<ReceiverKeys> generate() { return made_of<ReceiverKeys, pushcore_receiver_keys>(pushcore_receiver_keys_generate); }
  static Result<ReceiverKeys> import_keys(std::string_view private_key, std::string_view auth) {
    return made_of<ReceiverKeys, pushcore_receiver_keys>(pushcore_receiver_keys_import, pushcore::view(private_key), pushcore::view(auth));
  }
  Result<Bytes> export_key() const { return made_of<Bytes, pushcore_bytes>(pushcore_receiver_keys_export, constant()); }
  Result<Bytes> auth() const { return made_of<Bytes, pushcore_bytes>(pushcore_receiver_keys_auth, constant()); }
  Result<Bytes> p256dh() const { return made_of<Bytes, pushcore_bytes>(pushcore_receiver_keys_p256dh, constant()); }
  Result<Bytes> subscription(std::string_view endpoint) const {
    return made_of<Bytes, pushcore_bytes>(pushcore_receiver_keys_subscription, constant(), pushcore::view(endpoint));
  }
  Result<Bytes> decrypt(std::string_view body) const {
    return made_of<Bytes, pushcore_bytes>(pushcore_receiver_keys_decrypt, constant(), pushcore::view(body));
  }
  Result<Bytes> decrypt_aesgcm(std::string_view body, std::string_view crypto_key, std::string_view encryption) const {
    return made_of<Bytes, pushcore_bytes>(pushcore_receiver_keys_decrypt_aesgcm, constant(), pushcore::view(body), pushcore::view(crypto_key),
                                          pushcore::view(encryption));
  }

 private:
  const pushcore_receiver_keys *constant() const noexcept { return get(); }
};

#ifdef PUSHCORE_L1

class EndpointPolicy {
  PUSHCORE_OWNER(EndpointPolicy, pushcore_endpoint_policy)
  static Result<EndpointPolicy> make(const pushcore_endpoint_policy_options &options) {
    return made_of<EndpointPolicy, pushcore_endpoint_policy>(pushcore_endpoint_policy_new, &options);
  }
};

class SigningKey {
  PUSHCORE_OWNER(SigningKey, pushcore_signing_key)
  static Result<SigningKey> generate() { return made_of<SigningKey, pushcore_signing_key>(pushcore_signing_key_generate); }
  static Result<SigningKey> read(std::string_view key) {
    return made_of<SigningKey, pushcore_signing_key>(pushcore_signing_key_read, pushcore::view(key));
  }
  Result<Bytes> private_key(uint32_t form) const {
    return made_of<Bytes, pushcore_bytes>(pushcore_signing_key_private, static_cast<const pushcore_signing_key *>(get()), form);
  }
  Result<Bytes> public_key(uint32_t form) const {
    return made_of<Bytes, pushcore_bytes>(pushcore_signing_key_public, static_cast<const pushcore_signing_key *>(get()), form);
  }
};

class Target {
  PUSHCORE_OWNER(Target, pushcore_target)
  static Result<Target> parse(uint32_t service, std::string_view text, const EndpointPolicy &endpoints = {}) {
    return made_of<Target, pushcore_target>(pushcore_target_parse, service, pushcore::view(text),
                                            static_cast<const pushcore_endpoint_policy *>(endpoints.get()));
  }
};

class Message;

class Template {
  PUSHCORE_OWNER(Template, pushcore_template)
  static Result<Template> from_json(uint32_t service, std::string_view json) {
    return made_of<Template, pushcore_template>(pushcore_template_from_json, service, pushcore::view(json));
  }
  Result<Bytes> to_json() const {
    return made_of<Bytes, pushcore_bytes>(pushcore_template_to_json, static_cast<const pushcore_template *>(get()));
  }
  inline Result<Message> to(const Target &target) const;
};

class Message {
  PUSHCORE_OWNER(Message, pushcore_message)
  static Result<Message> from_json(uint32_t service, std::string_view json, const EndpointPolicy &endpoints = {}) {
    return made_of<Message, pushcore_message>(pushcore_message_from_json, service, pushcore::view(json),
                                              static_cast<const pushcore_endpoint_policy *>(endpoints.get()));
  }
  static Result<Message> make(const pushcore_apns_message_options &options) {
    return made_of<Message, pushcore_message>(pushcore_apns_message_new, &options);
  }
  static Result<Message> make(const pushcore_fcm_message_options &options) {
    return made_of<Message, pushcore_message>(pushcore_fcm_message_new, &options);
  }
  static Result<Message> make(const pushcore_web_push_message_options &options) {
    return made_of<Message, pushcore_message>(pushcore_web_push_message_new, &options);
  }
  static Result<Message> make(const pushcore_adm_message_options &options) {
    return made_of<Message, pushcore_message>(pushcore_adm_message_new, &options);
  }
  static Result<Message> make(const pushcore_baidu_message_options &options) {
    return made_of<Message, pushcore_message>(pushcore_baidu_message_new, &options);
  }
  Result<Message> to(const Target &target) const {
    return made_of<Message, pushcore_message>(pushcore_message_to, constant(), static_cast<const pushcore_target *>(target.get()));
  }
  Result<Template> as_template() const { return made_of<Template, pushcore_template>(pushcore_message_template, constant()); }
  Result<Bytes> to_json() const { return made_of<Bytes, pushcore_bytes>(pushcore_message_to_json, constant()); }
  Result<Bytes> payload() const { return made_of<Bytes, pushcore_bytes>(pushcore_message_payload, constant()); }

 private:
  const pushcore_message *constant() const noexcept { return get(); }
};

inline Result<Message> Template::to(const Target &target) const {
  return made_of<Message, pushcore_message>(pushcore_template_to, static_cast<const pushcore_template *>(get()),
                                            static_cast<const pushcore_target *>(target.get()));
}

class Request {
  PUSHCORE_OWNER(Request, pushcore_request)
  std::string_view method() const noexcept { return text(pushcore_request_method(get())); }
  std::string_view url() const noexcept { return text(pushcore_request_url(get())); }
  std::string_view body() const noexcept { return text(pushcore_request_body(get())); }
  std::vector<std::pair<std::string_view, std::string_view>> headers() const {
    std::vector<std::pair<std::string_view, std::string_view>> all;
    pushcore_view name, value;
    for (size_t index = 0; pushcore_request_header_at(get(), index, &name, &value) == PUSHCORE_OK; ++index)
      all.emplace_back(text(name), text(value));
    return all;
  }
};

class Response {
  PUSHCORE_OWNER(Response, pushcore_response)
  static Result<Response> make(uint16_t status, std::string_view body) {
    return made_of<Response, pushcore_response>(pushcore_response_new, status, pushcore::view(body));
  }
  Result<void> add_header(std::string_view name, std::string_view value) {
    return done(pushcore_response_add_header, get(), pushcore::view(name), pushcore::view(value));
  }
  uint16_t status() const noexcept { return pushcore_response_status(get()); }
  std::string_view body() const noexcept { return text(pushcore_response_body(get())); }
};

class Outcome {
  PUSHCORE_OWNER(Outcome, pushcore_outcome)
  uint32_t kind() const noexcept { return pushcore_outcome_kind(get()); }
  bool is_accepted() const noexcept { return kind() == PUSHCORE_OUTCOME_ACCEPTED; }
  std::string_view name() const noexcept { return text(pushcore_outcome_name(kind())); }
  std::string_view advice() const noexcept { return text(pushcore_outcome_advice(get())); }
  /* The views live as long as the outcome. */
  pushcore_outcome_parts parts() const noexcept {
    auto all = options<pushcore_outcome_parts>();
    if (pushcore_outcome_parts_of(get(), &all, nullptr) != PUSHCORE_OK) all.kind = 0;
    return all;
  }
};

class Service {
  PUSHCORE_OWNER(Service, pushcore_service)
  static Result<Service> make(const pushcore_apns_service_options &options) {
    return made_of<Service, pushcore_service>(pushcore_apns_service_new, &options);
  }
  static Result<Service> make(const pushcore_fcm_service_options &options) {
    return made_of<Service, pushcore_service>(pushcore_fcm_service_new, &options);
  }
  static Result<Service> make(const pushcore_web_push_service_options &options) {
    return made_of<Service, pushcore_service>(pushcore_web_push_service_new, &options);
  }
  static Result<Service> make(const pushcore_adm_service_options &options) {
    return made_of<Service, pushcore_service>(pushcore_adm_service_new, &options);
  }
  static Result<Service> make(const pushcore_baidu_service_options &options) {
    return made_of<Service, pushcore_service>(pushcore_baidu_service_new, &options);
  }
  uint32_t kind() const noexcept { return pushcore_service_kind(get()); }
  Result<Request> request(const Message &message, pushcore_now now) const {
    return made_of<Request, pushcore_request>(pushcore_service_request, constant(), static_cast<const pushcore_message *>(message.get()), now);
  }
  Result<Outcome> outcome(const Message &message, const Response &response, pushcore_now now) const {
    return made_of<Outcome, pushcore_outcome>(pushcore_service_outcome, constant(), static_cast<const pushcore_message *>(message.get()),
                                              static_cast<const pushcore_response *>(response.get()), now);
  }

 private:
  const pushcore_service *constant() const noexcept { return get(); }
};

class Answer {
  PUSHCORE_OWNER(Answer, pushcore_answer)
  uint32_t kind() const noexcept { return pushcore_answer_kind(get()); }
  std::string_view text() const noexcept { return pushcore::text(pushcore_answer_text(get())); }
  std::vector<std::pair<std::string_view, uint32_t>> items() const {
    std::vector<std::pair<std::string_view, uint32_t>> all;
    pushcore_view word;
    uint32_t outcome = 0;
    for (size_t index = 0; pushcore_answer_item_at(get(), index, &word, &outcome) == PUSHCORE_OK; ++index)
      all.emplace_back(pushcore::text(word), outcome);
    return all;
  }
  Result<Outcome> outcome() const {
    return made_of<Outcome, pushcore_outcome>(pushcore_answer_outcome, static_cast<const pushcore_answer *>(get()));
  }
};

class Call {
  PUSHCORE_OWNER(Call, pushcore_call)
  static Result<Call> make(const pushcore_apns_call_options &options) { return made_of<Call, pushcore_call>(pushcore_apns_call_new, &options); }
  static Result<Call> make(const pushcore_fcm_call_options &options) { return made_of<Call, pushcore_call>(pushcore_fcm_call_new, &options); }
  static Result<Call> make(const pushcore_web_push_call_options &options) {
    return made_of<Call, pushcore_call>(pushcore_web_push_call_new, &options);
  }
  static Result<Call> make(const pushcore_adm_call_options &options) { return made_of<Call, pushcore_call>(pushcore_adm_call_new, &options); }
  static Result<Call> make(const pushcore_baidu_call_options &options) {
    return made_of<Call, pushcore_call>(pushcore_baidu_call_new, &options);
  }
  Result<Request> request(const Service &service, pushcore_now now) const {
    return made_of<Request, pushcore_request>(pushcore_call_request, static_cast<const pushcore_call *>(get()),
                                              static_cast<const pushcore_service *>(service.get()), now);
  }
  Result<Answer> read(const Response &response, pushcore_now now) const {
    return made_of<Answer, pushcore_answer>(pushcore_call_read, static_cast<const pushcore_call *>(get()),
                                            static_cast<const pushcore_response *>(response.get()), now);
  }
};

#endif /* PUSHCORE_L1 */

#ifdef PUSHCORE_NET

inline pushcore_now now() noexcept {
  pushcore_now made = {0, 0};
  pushcore_clock_now(&made);
  return made;
}

class Event {
  PUSHCORE_OWNER(Event, pushcore_event)
  /* The views live as long as the event. */
  pushcore_event_parts parts() const noexcept {
    auto all = options<pushcore_event_parts>();
    pushcore_event_parts_of(get(), &all, nullptr);
    return all;
  }
};

/* Share it between threads. */
class Client {
  PUSHCORE_OWNER(Client, pushcore_client)
  static Result<Client> make(const Service &service, const pushcore_network_options &options) {
    return made_of<Client, pushcore_client>(pushcore_client_new, static_cast<const pushcore_service *>(service.get()), &options);
  }
  static Result<Client> make(const Service &service) { return make(service, options<pushcore_network_options>()); }

  Result<Outcome> send(const Message &message) const { return send(message, options<pushcore_send_options>()); }
  Result<Outcome> send(const Message &message, const pushcore_send_options &options) const {
    return made_of<Outcome, pushcore_outcome>(pushcore_client_send, constant(), static_cast<const pushcore_message *>(message.get()), &options,
                                              static_cast<pushcore_result *>(nullptr));
  }
  Result<Answer> call(const Call &call) const {
    return made_of<Answer, pushcore_answer>(pushcore_client_call, constant(), static_cast<const pushcore_call *>(call.get()));
  }
  Result<Response> exchange(const Request &request) const {
    return made_of<Response, pushcore_response>(pushcore_client_exchange, constant(), static_cast<const pushcore_request *>(request.get()));
  }
  /* Empty when nothing happened. */
  Event poll_event() const noexcept {
    pushcore_event *event = nullptr;
    pushcore_client_poll_event(get(), &event, nullptr);
    return Event::adopt(event);
  }
  pushcore_stats stats() const noexcept {
    auto all = options<pushcore_stats>();
    pushcore_client_stats(get(), &all, nullptr);
    return all;
  }
  /* Whether everything has ended in time. */
  Result<bool> close(std::chrono::milliseconds longest) const {
    bool closed = false;
    pushcore_error *error = nullptr;
    const pushcore_status status = pushcore_client_close(get(), static_cast<uint64_t>(longest.count()), &closed, &error);
    if (status != PUSHCORE_OK) return Error::take(status, error);
    return closed;
  }

 private:
  const pushcore_client *constant() const noexcept { return get(); }
};

/* Many messages, by one thread at a time. */
class Batch {
  PUSHCORE_OWNER(Batch, pushcore_batch)
  static Result<Batch> make(const Client &client, size_t expected = 0) {
    return made_of<Batch, pushcore_batch>(pushcore_batch_new, static_cast<const pushcore_client *>(client.get()), expected);
  }

  /* How many of `count` were taken: offer the rest after a wait. `user_data` may be NULL. */
  Result<size_t> submit(const Template &message, const pushcore_view *targets, const uint64_t *user_data, size_t count,
                        const pushcore_send_options &options = pushcore::options<pushcore_send_options>()) {
    size_t taken = 0;
    pushcore_error *error = nullptr;
    const pushcore_status status = pushcore_batch_submit(get(), message.get(), targets, user_data, count, &options, &taken, &error);
    if (status != PUSHCORE_OK) return Error::take(status, error);
    return taken;
  }
#ifdef PUSHCORE_HAS_SPAN
  Result<size_t> submit(const Template &message, std::span<const pushcore_view> targets,
                        const pushcore_send_options &options = pushcore::options<pushcore_send_options>()) {
    return submit(message, targets.data(), nullptr, targets.size(), options);
  }
#endif

  /* What has ended, at most `most`; empty after the time-out, and at once when nothing is under way. */
  Result<std::vector<pushcore_result>> wait(std::chrono::milliseconds longest, size_t most = 256) {
    std::vector<pushcore_result> ended(most);
    size_t count = 0;
    pushcore_error *error = nullptr;
    const pushcore_status status =
        pushcore_batch_wait(get(), static_cast<uint64_t>(longest.count()), ended.data(), ended.size(), &count, &error);
    if (status != PUSHCORE_OK) return Error::take(status, error);
    ended.resize(count);
    return ended;
  }
  /* The outcome of a message by its position in the last wait; its own error when it had none. */
  Result<Outcome> outcome(size_t index) { return made_of<Outcome, pushcore_outcome>(pushcore_batch_outcome, get(), index); }
  Result<void> finish() { return done(pushcore_batch_finish, get()); }
  pushcore_progress progress() noexcept {
    auto all = options<pushcore_progress>();
    pushcore_batch_progress(get(), &all, nullptr);
    return all;
  }
};

/* One message of a Sending that has ended. Valid until the iterator moves on. */
class Ended {
 public:
  Ended(Batch &batch, const pushcore_result &result, size_t index) : batch_(&batch), result_(&result), index_(index) {}
  const pushcore_result &operator*() const noexcept { return *result_; }
  const pushcore_result *operator->() const noexcept { return result_; }
  bool is_accepted() const noexcept { return result_->status == PUSHCORE_OK && result_->outcome == PUSHCORE_OUTCOME_ACCEPTED; }
  /* The index of the target in the list, or the number that the caller gave. */
  uint64_t user_data() const noexcept { return result_->user_data; }
  Result<Outcome> outcome() const { return batch_->outcome(index_); }

 private:
  Batch *batch_;
  const pushcore_result *result_;
  size_t index_;
};

/* A template on its way to a list of targets, as a range: `for (const auto &ended : pushcore::Sending(client, message, targets))`. Throws
 * Error (or aborts without exceptions) when the client itself fails; a message that fails is an Ended like any other. */
class Sending {
 public:
  Sending(const Client &client, const Template &message, std::vector<std::string> targets)
      : message_(&message), texts_(std::move(targets)), batch_(Batch::make(client, texts_.size()).value()) {
    views_.reserve(texts_.size());
    for (const auto &text : texts_) views_.push_back(view(text));
  }
  Sending(const Sending &) = delete;
  Sending &operator=(const Sending &) = delete;

  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Ended;
    using difference_type = std::ptrdiff_t;
    using pointer = const Ended *;
    using reference = Ended;

    iterator() = default;
    explicit iterator(Sending *sending) : sending_(sending) {
      if (sending_ && !sending_->advance()) sending_ = nullptr;
    }
    Ended operator*() const { return Ended(sending_->batch_, sending_->landed_[sending_->at_], sending_->at_); }
    iterator &operator++() {
      if (!sending_->advance()) sending_ = nullptr;
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator &one, const iterator &other) noexcept { return one.sending_ == other.sending_; }
    friend bool operator!=(const iterator &one, const iterator &other) noexcept { return !(one == other); }

   private:
    Sending *sending_ = nullptr;
  };

  iterator begin() { return iterator(this); }
  iterator end() noexcept { return iterator(); }
  Batch &batch() noexcept { return batch_; }

 private:
  /* To the next message that has ended; false after the last. */
  bool advance() {
    if (started_ && at_ + 1 < landed_.size()) {
      ++at_;
      return true;
    }
    started_ = true;
    ended_ += landed_.size();
    landed_.clear();
    at_ = 0;
    while (landed_.empty()) {
      if (taken_ < views_.size()) {
        taken_ += batch_.submit(*message_, views_.data() + taken_, nullptr, views_.size() - taken_).value();
        if (taken_ == views_.size()) batch_.finish().value();
      }
      if (ended_ == views_.size()) return false;
      landed_ = batch_.wait(std::chrono::seconds(1)).value();
    }
    return true;
  }

  const Template *message_;
  std::vector<std::string> texts_;
  std::vector<pushcore_view> views_;
  Batch batch_;
  std::vector<pushcore_result> landed_;
  size_t taken_ = 0, ended_ = 0, at_ = 0;
  bool started_ = false;
};

class Session {
  PUSHCORE_OWNER(Session, pushcore_session)
  static Result<Session> make(const Service &service, const pushcore_network_options &options, pushcore_now now) {
    return made_of<Session, pushcore_session>(pushcore_session_new, static_cast<const pushcore_service *>(service.get()), &options, now);
  }
};

class Connection {
  PUSHCORE_OWNER(Connection, pushcore_connection)
  static Result<Connection> make(std::string_view authority, uint32_t protocols, const pushcore_network_options &options, pushcore_now now) {
    return made_of<Connection, pushcore_connection>(pushcore_connection_new, pushcore::view(authority), protocols, &options, now);
  }
};

#endif /* PUSHCORE_NET */

#undef PUSHCORE_OWNER

}  // namespace pushcore

#endif /* PUSHCORE_HPP */
