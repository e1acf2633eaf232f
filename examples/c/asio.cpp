/*
 * The same as bulk.c on Asio: a session (L3) whose sockets, timer and name lookups belong to an io_context.
 *
 *   asio AuthKey.p8 KEY_ID TEAM_ID TOPIC tokens.txt [HOST:PORT CA.pem]
 *
 * With -DPUSHCORE_BOOST it is Boost.Asio, otherwise Asio without Boost: both have the same interface. C++17.
 */
#ifdef PUSHCORE_BOOST
#include <boost/asio.hpp>
namespace asio = boost::asio;
using failure = boost::system::error_code;
#else
#include <asio.hpp>
using failure = asio::error_code;
#endif

#include "common.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <unordered_map>

namespace {

pushcore_error *error = nullptr;

pushcore_now now() {
  pushcore_now made;
  pushcore_clock_now(&made);
  return made;
}

class Sender {
 public:
  Sender(asio::io_context &context, pushcore_session *session, pushcore_template *message, const pushcore_view *tokens, size_t count)
      : context_(context), resolver_(context), timer_(context), session_(session), message_(message), tokens_(tokens), count_(count) {}

  /* Does what the session wants done; called after every input. */
  void turn() {
    size_t submitted, got;
    do {
      submitted = 0;
      if (taken_ < count_) {
        must(pushcore_session_submit_targets(session_, message_, tokens_ + taken_, nullptr, count_ - taken_, nullptr, now(), &submitted, &error),
             error, "submit");
        taken_ += submitted;
      }
      act();
      must(pushcore_session_results(session_, results_.data(), results_.size(), &got, &error), error, "results");
      ended_ += got;
      for (size_t i = 0; i < got; i++) {
        const pushcore_view token = tokens_[results_[i].user_data];
        if (results_[i].outcome == PUSHCORE_OUTCOME_TOKEN_GONE) std::printf("%.*s\n", int(token.len), reinterpret_cast<const char *>(token.data));
      }
      /* What has ended makes room for more. */
    } while (got || submitted);
    if (ended_ == count_ && !closing_) {
      closing_ = true;
      must(pushcore_session_close(session_, now(), &error), error, "close");
      act();
    }
    arm();
  }

  bool is_complete() const { return ended_ == count_; }

 private:
  struct Link {
    explicit Link(asio::io_context &context) : socket(context) {}
    asio::ip::tcp::socket socket;
    std::string host;
    std::uint16_t port = 0;
    bool connected = false, waiting = false;
    std::array<std::uint8_t, 65536> input;
  };
  using Shared = std::shared_ptr<Link>;

  void failed(std::uint64_t id, pushcore_status status, const std::string &why) {
    links_.erase(id);
    must(pushcore_session_connect_failed(session_, id, status, text(why.c_str()), now(), &error), error, "connect_failed");
    turn();
  }

  /* The link of a handler that comes late may be gone. */
  bool is_gone(std::uint64_t id, const Shared &link) const {
    auto found = links_.find(id);
    return found == links_.end() || found->second != link;
  }

  void dial(const pushcore_action &action) {
    auto link = std::make_shared<Link>(context_);
    const std::uint64_t id = action.link;
    link->host.assign(reinterpret_cast<const char *>(action.host.data), action.host.len);
    link->port = action.port;
    links_[id] = link;
    resolver_.async_resolve(link->host, std::to_string(action.port), [this, id, link](failure why, const auto &found) {
      if (is_gone(id, link)) return;
      if (why) return failed(id, PUSHCORE_ERROR_NAME_NOT_RESOLVED, why.message());
      /* The first address that the policy allows is taken; a client tries them all. */
      for (const auto &entry : found) {
        const std::string shown = entry.endpoint().address().to_string();
        if (pushcore_session_allow_address(session_, text(link->host.c_str()), link->port, text(shown.c_str()), nullptr) != PUSHCORE_OK) continue;
        link->socket.async_connect(entry.endpoint(), [this, id, link](failure refused) {
          if (is_gone(id, link)) return;
          if (refused) return failed(id, PUSHCORE_ERROR_CONNECT_REFUSED, refused.message());
          failure ignored;
          link->socket.set_option(asio::ip::tcp::no_delay(true), ignored);
          link->socket.non_blocking(true, ignored);
          link->connected = true;
          must(pushcore_session_connected(session_, id, now(), &error), error, "connected");
          read(id, link);
          turn();
        });
        return;
      }
      failed(id, PUSHCORE_ERROR_CONNECT_REFUSED, "no address took the connection");
    });
  }

  void read(std::uint64_t id, const Shared &link) {
    link->socket.async_read_some(asio::buffer(link->input), [this, id, link](failure why, size_t n) {
      if (is_gone(id, link)) return;
      if (why) {
        links_.erase(id);
        must(pushcore_session_receive_eof(session_, id, now(), &error), error, "eof");
      } else {
        const pushcore_view in = {link->input.data(), n};
        must(pushcore_session_receive(session_, id, in, now(), &error), error, "receive");
        read(id, link);
      }
      turn();
    });
  }

  /* Writes what the session wants to write, as far as the socket takes it; then waits until it takes more. */
  void write(std::uint64_t id, const Shared &link) {
    while (link->connected && !link->waiting) {
      pushcore_view out;
      failure why;
      must(pushcore_session_transmit(session_, id, &out, &error), error, "transmit");
      if (!out.len) return;
      const size_t n = link->socket.write_some(asio::buffer(out.data, out.len), why);
      if (why == asio::error::would_block || why == asio::error::try_again) {
        link->waiting = true;
        link->socket.async_wait(asio::ip::tcp::socket::wait_write, [this, id, link](failure) {
          link->waiting = false;
          if (!is_gone(id, link)) write(id, link);
        });
        return;
      }
      if (why) return; /* broken: reading says so */
      must(pushcore_session_transmitted(session_, id, n, &error), error, "transmitted");
    }
  }

  void act() {
    pushcore_action action;
    for (;;) {
      must(pushcore_session_poll_action(session_, &action, &error), error, "action");
      if (action.kind == PUSHCORE_ACTION_NONE) break;
      if (action.kind == PUSHCORE_ACTION_CONNECT) {
        dial(action);
        continue;
      }
      auto found = links_.find(action.link);
      if (found == links_.end()) continue;
      failure ignored;
      if (action.final_bytes.len && found->second->connected)
        found->second->socket.write_some(asio::buffer(action.final_bytes.data, action.final_bytes.len), ignored);
      found->second->socket.close(ignored);
      links_.erase(found);
    }
    for (const auto &[id, link] : links_) write(id, link);
  }

  void arm() {
    bool closed = false;
    std::uint64_t deadline;
    timer_.cancel();
    must(pushcore_session_is_closed(session_, &closed, &error), error, "is_closed");
    must(pushcore_session_deadline(session_, &deadline, &error), error, "deadline");
    if (closed || deadline == UINT64_MAX) return;
    const std::uint64_t at = now().monotonic_ms;
    timer_.expires_after(std::chrono::milliseconds(deadline <= at ? 0 : std::min<std::uint64_t>(deadline - at, 60000)));
    timer_.async_wait([this](failure cancelled) {
      if (cancelled) return;
      must(pushcore_session_handle_timeout(session_, now(), &error), error, "timeout");
      turn();
    });
  }

  asio::io_context &context_;
  asio::ip::tcp::resolver resolver_;
  asio::steady_timer timer_;
  pushcore_session *session_;
  pushcore_template *message_;
  const pushcore_view *tokens_;
  size_t count_, taken_ = 0, ended_ = 0;
  bool closing_ = false;
  std::unordered_map<std::uint64_t, Shared> links_;
  std::array<pushcore_result, 256> results_;
};

}  // namespace

int main(int argc, char **argv) {
  if (argc != 6 && argc != 8) {
    std::fprintf(stderr, "usage: asio AuthKey.p8 KEY_ID TEAM_ID TOPIC tokens.txt [HOST:PORT CA.pem]\n");
    return 2;
  }
  pushcore_service *service = apns(argv[1], argv[2], argv[3], argc == 8 ? argv[6] : nullptr);
  pushcore_template *message = greeting(argv[4]);
  size_t count;
  const pushcore_view *tokens = lines_of(read_file(argv[5]), &count);
  pushcore_network_options network = {};
  network.struct_size = sizeof network;
  if (argc == 8) network.ca = read_file(argv[7]);
  pushcore_session *session = nullptr;
  must(pushcore_session_new(service, &network, now(), &session, &error), error, "session");
  asio::io_context context;
  Sender sender(context, session, message, tokens, count);
  sender.turn();
  context.run();
  pushcore_stats stats = {};
  stats.struct_size = sizeof stats;
  must(pushcore_session_stats(session, &stats, &error), error, "stats");
  std::fprintf(stderr, "%llu accepted, %llu gone, of %llu\n", static_cast<unsigned long long>(stats.accepted),
               static_cast<unsigned long long>(stats.token_gone), static_cast<unsigned long long>(stats.submitted));
  pushcore_session_free(session);
  pushcore_template_free(message);
  pushcore_service_free(service);
  return sender.is_complete() ? 0 : 1;
}
