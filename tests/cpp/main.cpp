// pushcore.hpp against the sandbox: with_sandbox.py --tokens 300 --gone 3 main
#include <pushcore.hpp>

#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>
#include <type_traits>

static void check(bool condition, const char *what, int line) {
  if (condition) return;
  std::fprintf(stderr, "FAILED line %d: %s\n", line, what);
  std::exit(1);
}
#define CHECK(condition) check((condition), #condition, __LINE__)

static std::string environment(const char *name) {
  const char *value = std::getenv(name);
  CHECK(value != nullptr);
  return value;
}

static std::string read(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

static_assert(!std::is_copy_constructible_v<pushcore::Client>);
static_assert(std::is_nothrow_move_constructible_v<pushcore::Client>);
static_assert(!std::is_copy_constructible_v<pushcore::Message>);

static void receiver() {
  auto keys = pushcore::ReceiverKeys::generate().value();
  auto endpoint = std::string("https://updates.push.services.mozilla.com/wpush/v2/abc");
  auto subscription = keys.subscription(endpoint).value();
  auto vapid = pushcore::SigningKey::generate().value().private_key(PUSHCORE_KEY_PKCS8_PEM).value();
  auto service_options = pushcore::options<pushcore_web_push_service_options>();
  service_options.key = pushcore::view(vapid.view());
  service_options.subject = pushcore::view("mailto:ops@example.com");
  auto service = pushcore::Service::make(service_options).value();
  auto options = pushcore::options<pushcore_web_push_message_options>();
  options.subscription = pushcore::view(subscription.view());
  options.payload = pushcore::view("hello");
  auto message = pushcore::Message::make(options).value();
  auto request = service.request(message, pushcore::now()).value();
  CHECK(request.method() == "POST" && request.url() == endpoint && request.headers().size() > 3);
  CHECK(keys.decrypt(request.body()).value().view() == "hello");
  auto response = pushcore::Response::make(410, "").value();
  CHECK(service.outcome(message, response, pushcore::now()).value().kind() == PUSHCORE_OUTCOME_TOKEN_GONE);
  auto moved = std::move(message);
  CHECK(!message && moved); // NOLINT: what was moved from is empty on purpose
}

static void errors() {
  auto read = pushcore::SigningKey::read("nonsense");
  CHECK(!read && read.error().status() == PUSHCORE_ERROR_INVALID_KEY && read.error().name() == "InvalidKey");
  bool thrown = false;
  try {
    (void)pushcore::Template::from_json(PUSHCORE_SERVICE_FCM, "{").value();
  } catch (const pushcore::Error &error) {
    thrown = error.status() == PUSHCORE_ERROR_INVALID_PAYLOAD && *error.what() != 0;
  }
  CHECK(thrown);
}

static void sandbox() {
  auto ca = read(environment("SANDBOX_CA_FILE"));
  auto key = read(environment("SANDBOX_APNS_P8_FILE"));
  auto key_id = environment("SANDBOX_APNS_KEY_ID"), team_id = environment("SANDBOX_APNS_TEAM_ID");
  auto host = environment("SANDBOX_APNS_AUTHORITY"), topic = environment("SANDBOX_APNS_TOPIC");
  auto token = environment("SANDBOX_APNS_TOKENS_VALID");
  auto options = pushcore::options<pushcore_apns_service_options>();
  options.credentials = PUSHCORE_APNS_SIGNING_KEY;
  options.key = pushcore::view(key);
  options.key_id = pushcore::view(key_id);
  options.team_id = pushcore::view(team_id);
  options.host = pushcore::view(host);
  auto network = pushcore::options<pushcore_network_options>();
  network.ca = pushcore::view(ca);
  auto client = pushcore::Client::make(pushcore::Service::make(options).value(), network).value();

  auto message_options = pushcore::options<pushcore_apns_message_options>();
  message_options.push_type = pushcore::view("alert");
  message_options.device_token = pushcore::view(token);
  message_options.topic = pushcore::view(topic);
  message_options.title = pushcore::view("Hello");
  auto message = pushcore::Message::make(message_options).value();
  auto outcome = client.send(message).value();
  CHECK(outcome.is_accepted() && outcome.name() == "accepted" && outcome.parts().http_status == 200);

  std::vector<std::string> targets;
  std::istringstream lines(read(environment("SANDBOX_TOKENS")));
  for (std::string line; std::getline(lines, line);) targets.push_back(line);
  targets.push_back("no token");
  auto campaign = message.as_template().value();
  size_t accepted = 0, gone = 0, refused = 0;
  std::set<uint64_t> seen;
  for (const auto &ended : pushcore::Sending(client, campaign, targets)) {
    CHECK(seen.insert(ended.user_data()).second);
    if (ended.is_accepted()) {
      ++accepted;
    } else if (ended->status == PUSHCORE_OK) {
      CHECK(ended.outcome().value().kind() == PUSHCORE_OUTCOME_TOKEN_GONE);
      ++gone;
    } else {
      CHECK(ended.user_data() == 300 && ended.outcome().error().status() == PUSHCORE_ERROR_INVALID_TOKEN);
      ++refused;
    }
  }
  CHECK(accepted == 297 && gone == 3 && refused == 1 && seen.size() == 301);
  {
    // Left early: what has not ended is cancelled.
    auto sending = std::make_unique<pushcore::Sending>(client, campaign, std::vector<std::string>(50, token));
    auto first = sending->begin();
    CHECK(first != sending->end());
  }
#ifdef PUSHCORE_HAS_SPAN
  {
    auto batch = pushcore::Batch::make(client, 1).value();
    const pushcore_view one[] = {pushcore::view(token)};
    CHECK(batch.submit(campaign, std::span<const pushcore_view>(one)).value() == 1);
    while (batch.wait(std::chrono::seconds(1)).value().empty()) {
    }
    CHECK(batch.progress().accepted == 1);
  }
#endif
  CHECK(static_cast<bool>(client.poll_event()) && client.stats().accepted >= 298);
  CHECK(client.close(std::chrono::seconds(10)).value());
  CHECK(client.send(message).error().status() == PUSHCORE_ERROR_CLOSED);
}

int main() {
  receiver();
  errors();
  sandbox();
  CHECK(pushcore_live_handles() == 0);
  std::puts("ok");
}
