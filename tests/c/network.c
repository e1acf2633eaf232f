/*
 * Clients, batches, sessions and connections against the sandbox (with_sandbox.py --tokens 300 --gone 3 network).
 */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <pthread.h>

static pushcore_error *error = NULL;
static pushcore_view ca;

static pushcore_now now_is(void) {
  pushcore_now now;
  CHECK(pushcore_clock_now(&now) == PUSHCORE_OK);
  return now;
}

static pushcore_network_options network(void) {
  pushcore_network_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = (uint32_t)sizeof options;
  options.ca = ca;
  return options;
}

static pushcore_service *apns_service(void) {
  pushcore_service *service = NULL;
  pushcore_apns_service_options options;
  pushcore_view key = read_file(sandbox("SANDBOX_APNS_P8_FILE"));
  memset(&options, 0, sizeof options);
  options.struct_size = (uint32_t)sizeof options;
  options.credentials = PUSHCORE_APNS_SIGNING_KEY;
  options.key = key;
  options.key_id = text(sandbox("SANDBOX_APNS_KEY_ID"));
  options.team_id = text(sandbox("SANDBOX_APNS_TEAM_ID"));
  options.host = text(sandbox("SANDBOX_APNS_AUTHORITY"));
  options.management_host = text(sandbox("SANDBOX_APNS_MANAGEMENT"));
  OK(pushcore_apns_service_new(&options, &service, &error));
  free_file(key);
  return service;
}

static pushcore_message *apns_message(const char *token) {
  pushcore_message *message = NULL;
  pushcore_apns_message_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = (uint32_t)sizeof options;
  options.push_type = text("alert");
  options.device_token = text(token);
  options.topic = text(sandbox("SANDBOX_APNS_TOPIC"));
  options.title = text("Hello");
  OK(pushcore_apns_message_new(&options, &message, &error));
  return message;
}

static pushcore_client *client_of(const pushcore_service *service) {
  pushcore_client *client = NULL;
  pushcore_network_options options = network();
  OK(pushcore_client_new(service, &options, &client, &error));
  return client;
}

/* One message to a service: what it comes to. */
static uint32_t sent(const pushcore_client *client, const pushcore_message *message) {
  pushcore_result result;
  pushcore_outcome *outcome = NULL;
  OK(pushcore_client_send(client, message, NULL, &result, &outcome, &error));
  CHECK(result.status == PUSHCORE_OK && result.outcome == pushcore_outcome_kind(outcome));
  pushcore_outcome_free(outcome);
  return result.outcome;
}

static void singles(void) {
  pushcore_service *service = apns_service();
  pushcore_client *client = client_of(service);
  pushcore_message *message = apns_message(sandbox("SANDBOX_APNS_TOKENS_VALID"));
  pushcore_message *gone = apns_message(sandbox("SANDBOX_APNS_TOKENS_UNREGISTERED"));
  pushcore_send_options options;
  pushcore_stats stats;
  pushcore_outcome *outcome = NULL;
  pushcore_outcome_parts parts;
  pushcore_event *event = NULL;
  pushcore_event_parts event_parts;
  bool closed = false, ready = false;
  int connected = 0;
  pushcore_service_free(service); /* the client goes on */
  CHECK(sent(client, message) == PUSHCORE_OUTCOME_ACCEPTED);
  CHECK(sent(client, gone) == PUSHCORE_OUTCOME_TOKEN_GONE);
  memset(&options, 0, sizeof options);
  options.struct_size = (uint32_t)sizeof options;
  options.set = PUSHCORE_SEND_SET_DEADLINE;
  options.deadline_ms = 20000;
  options.flags = PUSHCORE_SEND_SUSPECT;
  OK(pushcore_client_send(client, message, &options, NULL, &outcome, &error));
  memset(&parts, 0, sizeof parts);
  parts.struct_size = (uint32_t)sizeof parts;
  OK(pushcore_outcome_parts_of(outcome, &parts, &error));
  CHECK(parts.id.len == 36 && parts.http_status == 200);
  pushcore_outcome_free(outcome);
  options.deadline_ms = 0;
  FAILS(PUSHCORE_ERROR_EXPIRED, pushcore_client_send(client, message, &options, NULL, NULL, &error));
  options.flags = 1024;
  FAILS(PUSHCORE_ERROR_MISUSE, pushcore_client_send(client, message, &options, NULL, NULL, &error));
  memset(&stats, 0, sizeof stats);
  stats.struct_size = (uint32_t)sizeof stats;
  OK(pushcore_client_stats(client, &stats, &error));
  CHECK(stats.accepted == 2 && stats.token_gone == 1 && stats.header_bytes_sent > 0);
  CHECK(!pushcore_client_is_mix_up_suspected(client));
  OK(pushcore_client_authorize(client, 1000, &ready, &error));
  CHECK(ready);
  for (;;) {
    OK(pushcore_client_poll_event(client, &event, &error));
    if (!event) break;
    memset(&event_parts, 0, sizeof event_parts);
    event_parts.struct_size = (uint32_t)sizeof event_parts;
    OK(pushcore_event_parts_of(event, &event_parts, &error));
    CHECK(event_parts.name.len > 0 && event_parts.text.len > 0);
    connected += is(event_parts.name, "connected");
    pushcore_event_free(event);
  }
  CHECK(connected >= 1);
  OK(pushcore_client_close(client, 10000, &closed, &error));
  CHECK(closed);
  FAILS(PUSHCORE_ERROR_CLOSED, pushcore_client_send(client, message, NULL, NULL, NULL, &error));
  pushcore_client_free(client);
  pushcore_message_free(message);
  pushcore_message_free(gone);
}

/* Every line of the file of tokens, as views into one block. */
static size_t lines_of(pushcore_view file, pushcore_view *lines, size_t most) {
  size_t count = 0, begin = 0, i;
  for (i = 0; i < file.len && count < most; i++) {
    if (file.data[i] != '\n') continue;
    lines[count].data = file.data + begin;
    lines[count].len = i - begin;
    count++;
    begin = i + 1;
  }
  return count;
}

static pushcore_template *template_of(const char *topic) {
  pushcore_template *made = NULL;
  char json[512];
  snprintf(json, sizeof json, "{\"push_type\":\"alert\",\"topic\":\"%s\",\"payload\":{\"aps\":{\"alert\":\"Hello\"}}}", topic);
  OK(pushcore_template_from_json(PUSHCORE_SERVICE_APNS, text(json), &made, &error));
  return made;
}

static void batches(void) {
  static pushcore_view targets[400];
  static uint64_t numbers[400];
  static int seen[400];
  pushcore_view file = read_file(sandbox("SANDBOX_TOKENS"));
  size_t count = lines_of(file, targets, 300), taken = 0, begin = 0, got, i, bad;
  pushcore_service *service = apns_service();
  pushcore_client *client = client_of(service);
  pushcore_template *made = template_of(sandbox("SANDBOX_APNS_TOPIC"));
  pushcore_batch *batch = NULL;
  pushcore_result results[64];
  pushcore_progress progress;
  pushcore_message *single;
  const pushcore_message *singles_[2];
  uint64_t accepted = 0, gone = 0, refused = 0, tickets[2];
  bool stopped = true, cancelled = true;
  CHECK(count == 300);
  bad = count;
  targets[count++] = text("no token at all"); /* ends as a result, and does not hold up the others */
  targets[count].data = NULL;
  targets[count++].len = 5;
  for (i = 0; i < count; i++) numbers[i] = UINT64_C(0xfeed000000000000) + i;
  OK(pushcore_batch_new(client, count, &batch, &error));
  pushcore_client_free(client); /* the batch goes on */
  while (begin < count || accepted + gone + refused < count) {
    if (begin < count) {
      OK(pushcore_batch_submit(batch, made, targets + begin, numbers + begin, count - begin, NULL, &taken, &error));
      begin += taken;
      if (begin == count) OK(pushcore_batch_finish(batch, &error));
    }
    OK(pushcore_batch_wait(batch, 1000, results, 64, &got, &error));
    for (i = 0; i < got; i++) {
      size_t index = (size_t)(results[i].user_data - UINT64_C(0xfeed000000000000));
      CHECK(index < count && !seen[index]);
      seen[index] = 1;
      if (results[i].status != PUSHCORE_OK) {
        pushcore_error *why = NULL;
        pushcore_outcome *none = NULL;
        OK(pushcore_batch_error(batch, i, &why, &error));
        CHECK(index >= bad && pushcore_error_code(why) == results[i].status && results[i].ticket == 0);
        CHECK(results[i].status == (index == bad ? PUSHCORE_ERROR_INVALID_TOKEN : PUSHCORE_ERROR_MISUSE));
        FAILS(results[i].status, pushcore_batch_outcome(batch, i, &none, &error));
        pushcore_error_free(why);
        refused++;
      } else if (results[i].outcome == PUSHCORE_OUTCOME_TOKEN_GONE) {
        pushcore_outcome *outcome = NULL;
        OK(pushcore_batch_outcome(batch, i, &outcome, &error));
        CHECK(index < 3 && results[i].http_status == 410 && (results[i].flags & PUSHCORE_HAS_SINCE));
        CHECK(pushcore_outcome_kind(outcome) == PUSHCORE_OUTCOME_TOKEN_GONE);
        pushcore_outcome_free(outcome);
        FAILS(PUSHCORE_ERROR_MISUSE, pushcore_batch_error(batch, i, &error, &error));
        gone++;
      } else {
        CHECK(results[i].outcome == PUSHCORE_OUTCOME_ACCEPTED && index >= 3);
        accepted++;
      }
    }
    {
      pushcore_outcome *none = NULL;
      FAILS(PUSHCORE_ERROR_MISUSE, pushcore_batch_outcome(batch, got, &none, &error));
    }
  }
  CHECK(accepted == 297 && gone == 3 && refused == 2);
  memset(&progress, 0, sizeof progress);
  progress.struct_size = (uint32_t)sizeof progress;
  OK(pushcore_batch_progress(batch, &progress, &error));
  CHECK(progress.taken == 302 && progress.ended == 302 && progress.in_flight == 0 && progress.not_sent == 2 && progress.accepted == 297);
  OK(pushcore_batch_is_stopped(batch, &stopped, &error));
  CHECK(!stopped);
  /* Nothing under way: at once, whatever the time-out. */
  OK(pushcore_batch_wait(batch, UINT64_MAX, results, 64, &got, &error));
  CHECK(got == 0);
  OK(pushcore_batch_wait(batch, 0, NULL, 0, &got, &error));
  FAILS(PUSHCORE_NULL_ARGUMENT, pushcore_batch_wait(batch, 0, NULL, 64, &got, &error));
  FAILS(PUSHCORE_INVALID_LENGTH, pushcore_batch_wait(batch, 0, results, SIZE_MAX, &got, &error));
  FAILS(PUSHCORE_INVALID_LENGTH, pushcore_batch_submit(batch, made, targets, NULL, SIZE_MAX, NULL, &taken, &error));
  /* Messages by themselves, counted by the batch. */
  single = apns_message(sandbox("SANDBOX_APNS_TOKENS_VALID"));
  singles_[0] = single;
  singles_[1] = NULL;
  OK(pushcore_batch_submit_messages(batch, singles_, NULL, 2, NULL, &taken, &error));
  CHECK(taken == 2);
  pushcore_message_free(single);
  for (refused = 0, accepted = 0; refused + accepted < 2;) {
    OK(pushcore_batch_wait(batch, 1000, results, 64, &got, &error));
    for (i = 0; i < got; i++) {
      CHECK(results[i].user_data == (results[i].status == PUSHCORE_OK ? 302u : 303u));
      if (results[i].status == PUSHCORE_OK) accepted++;
      else refused++;
    }
  }
  OK(pushcore_batch_cancel(batch, 12345, &cancelled, &error));
  CHECK(!cancelled);
  /* Tickets are those of the last submission: one for a message, 0 for what was refused. */
  OK(pushcore_batch_tickets(batch, tickets, 2, &got, &error));
  CHECK(got == 2 && tickets[0] != 0 && tickets[1] == 0);
  tickets[1] = 77;
  OK(pushcore_batch_tickets(batch, tickets, 1, &got, &error));
  CHECK(got == 2 && tickets[1] == 77);
  OK(pushcore_batch_tickets(batch, NULL, 0, &got, &error));
  FAILS(PUSHCORE_NULL_ARGUMENT, pushcore_batch_tickets(batch, NULL, 1, &got, &error));
  FAILS(PUSHCORE_INVALID_LENGTH, pushcore_batch_tickets(batch, tickets, SIZE_MAX, &got, &error));
  OK(pushcore_batch_submit(batch, made, targets, NULL, 1, NULL, &taken, &error));
  OK(pushcore_batch_tickets(batch, tickets, 2, &got, &error));
  CHECK(taken == 1 && got == 1);
  OK(pushcore_batch_cancel(batch, tickets[0], &cancelled, &error));
  CHECK(cancelled);
  do OK(pushcore_batch_wait(batch, 1000, results, 64, &got, &error));
  while (!got);
  CHECK(got == 1 && results[0].status == PUSHCORE_ERROR_CANCELLED && results[0].ticket == tickets[0]);
  OK(pushcore_batch_withdraw(batch, &got, &error));
  CHECK(got == 0);
  pushcore_batch_free(batch);
  pushcore_template_free(made);
  pushcore_service_free(service);
  free_file(file);
}

static void other_services(void) {
  pushcore_service *service = NULL;
  pushcore_message *message = NULL;
  pushcore_client *client;
  pushcore_call *call = NULL;
  pushcore_answer *said = NULL;
  {
    pushcore_fcm_service_options options;
    pushcore_fcm_message_options m;
    pushcore_fcm_call_options c;
    pushcore_view token = text(sandbox("SANDBOX_FCM_TOKENS_VALID"));
    pushcore_view file = read_file(sandbox("SANDBOX_FCM_SERVICE_ACCOUNT_FILE"));
    memset(&options, 0, sizeof options);
    options.struct_size = (uint32_t)sizeof options;
    options.credentials = PUSHCORE_FCM_SERVICE_ACCOUNT;
    options.file = file;
    options.host = options.token_host = text(sandbox("SANDBOX_FCM_AUTHORITY"));
    OK(pushcore_fcm_service_new(&options, &service, &error));
    free_file(file);
    client = client_of(service);
    memset(&m, 0, sizeof m);
    m.struct_size = (uint32_t)sizeof m;
    m.target = token;
    m.body = text("Hello");
    OK(pushcore_fcm_message_new(&m, &message, &error));
    CHECK(sent(client, message) == PUSHCORE_OUTCOME_ACCEPTED);
    memset(&c, 0, sizeof c);
    c.struct_size = (uint32_t)sizeof c;
    c.kind = PUSHCORE_FCM_TOPIC_SUBSCRIBE;
    c.topic = text("news");
    c.registrations = &token;
    c.registration_count = 1;
    OK(pushcore_fcm_call_new(&c, &call, &error));
    OK(pushcore_client_call(client, call, &said, &error));
    CHECK(pushcore_answer_kind(said) == PUSHCORE_ANSWER_OUTCOME);
    pushcore_answer_free(said);
    pushcore_call_free(call);
    pushcore_message_free(message);
    pushcore_client_free(client);
    pushcore_service_free(service);
  }
  {
    pushcore_web_push_service_options options;
    pushcore_web_push_message_options m;
    pushcore_endpoint_policy_options p;
    pushcore_endpoint_policy *policy = NULL;
    pushcore_view trusted = text(sandbox("SANDBOX_WEBPUSH_AUTHORITY"));
    memset(&p, 0, sizeof p);
    p.struct_size = (uint32_t)sizeof p;
    p.trusted = &trusted;
    p.trusted_count = 1;
    OK(pushcore_endpoint_policy_new(&p, &policy, &error));
    memset(&options, 0, sizeof options);
    options.struct_size = (uint32_t)sizeof options;
    options.key = text(sandbox("SANDBOX_WEBPUSH_VAPID_PRIVATE_KEY"));
    options.subject = text(sandbox("SANDBOX_WEBPUSH_VAPID_SUBJECT"));
    options.endpoints = policy;
    OK(pushcore_web_push_service_new(&options, &service, &error));
    client = client_of(service);
    memset(&m, 0, sizeof m);
    m.struct_size = (uint32_t)sizeof m;
    m.subscription = text(sandbox("SANDBOX_WEBPUSH_SUBSCRIPTIONS_ACTIVE"));
    m.payload = text("Hello");
    m.endpoints = policy;
    OK(pushcore_web_push_message_new(&m, &message, &error));
    CHECK(sent(client, message) == PUSHCORE_OUTCOME_ACCEPTED);
    pushcore_message_free(message);
    m.subscription = text(sandbox("SANDBOX_WEBPUSH_SUBSCRIPTIONS_EXPIRED"));
    OK(pushcore_web_push_message_new(&m, &message, &error));
    CHECK(sent(client, message) == PUSHCORE_OUTCOME_TOKEN_GONE);
    pushcore_message_free(message);
    {
      /* The batch reads subscriptions under the policy of the service. */
      pushcore_template *made = NULL;
      pushcore_batch *batch = NULL;
      pushcore_result result;
      pushcore_view target = text(sandbox("SANDBOX_WEBPUSH_SUBSCRIPTIONS_ACTIVE"));
      size_t taken, got = 0;
      OK(pushcore_template_from_json(PUSHCORE_SERVICE_WEB_PUSH, text("{\"payload\":\"Hello\"}"), &made, &error));
      OK(pushcore_batch_new(client, 1, &batch, &error));
      OK(pushcore_batch_submit(batch, made, &target, NULL, 1, NULL, &taken, &error));
      CHECK(taken == 1);
      while (got == 0) OK(pushcore_batch_wait(batch, 1000, &result, 1, &got, &error));
      CHECK(result.outcome == PUSHCORE_OUTCOME_ACCEPTED);
      pushcore_batch_free(batch);
      pushcore_template_free(made);
    }
    pushcore_client_free(client);
    pushcore_service_free(service);
    pushcore_endpoint_policy_free(policy);
  }
  {
    pushcore_adm_service_options options;
    pushcore_adm_message_options m;
    pushcore_pair data;
    memset(&options, 0, sizeof options);
    options.struct_size = (uint32_t)sizeof options;
    options.client_id = text(sandbox("SANDBOX_ADM_CLIENT_ID"));
    options.client_secret = text(sandbox("SANDBOX_ADM_CLIENT_SECRET"));
    options.host = options.token_host = text(sandbox("SANDBOX_ADM_AUTHORITY"));
    OK(pushcore_adm_service_new(&options, &service, &error));
    client = client_of(service);
    memset(&m, 0, sizeof m);
    m.struct_size = (uint32_t)sizeof m;
    m.target = text(sandbox("SANDBOX_ADM_REGISTRATIONS_VALID"));
    data.name = text("k");
    data.value = text("v");
    m.data = &data;
    m.data_count = 1;
    OK(pushcore_adm_message_new(&m, &message, &error));
    CHECK(sent(client, message) == PUSHCORE_OUTCOME_ACCEPTED);
    pushcore_message_free(message);
    pushcore_client_free(client);
    pushcore_service_free(service);
  }
  {
    pushcore_baidu_service_options options;
    pushcore_baidu_message_options m;
    pushcore_baidu_call_options c;
    memset(&options, 0, sizeof options);
    options.struct_size = (uint32_t)sizeof options;
    options.api_key = text(sandbox("SANDBOX_BAIDU_API_KEY"));
    options.secret_key = text(sandbox("SANDBOX_BAIDU_SECRET_KEY"));
    options.host = text(sandbox("SANDBOX_BAIDU_AUTHORITY"));
    OK(pushcore_baidu_service_new(&options, &service, &error));
    client = client_of(service);
    memset(&m, 0, sizeof m);
    m.struct_size = (uint32_t)sizeof m;
    m.kind = PUSHCORE_BAIDU_ANDROID;
    m.target = text(sandbox("SANDBOX_BAIDU_CHANNELS_VALID"));
    m.description = text("Hello");
    OK(pushcore_baidu_message_new(&m, &message, &error));
    CHECK(sent(client, message) == PUSHCORE_OUTCOME_ACCEPTED);
    memset(&c, 0, sizeof c);
    c.struct_size = (uint32_t)sizeof c;
    c.kind = PUSHCORE_BAIDU_CREATE_TAG;
    c.name = text("friends");
    OK(pushcore_baidu_call_new(&c, &call, &error));
    OK(pushcore_client_call(client, call, &said, &error));
    CHECK(pushcore_answer_kind(said) == PUSHCORE_ANSWER_JSON);
    pushcore_answer_free(said);
    pushcore_call_free(call);
    pushcore_message_free(message);
    pushcore_client_free(client);
    pushcore_service_free(service);
  }
}

/* host:port as a connected socket. */
static int dial(const char *authority) {
  char host[256];
  const char *port = strrchr(authority, ':');
  struct addrinfo hints, *found = NULL, *one;
  int fd = -1;
  CHECK(port && (size_t)(port - authority) < sizeof host);
  memcpy(host, authority, (size_t)(port - authority));
  host[port - authority] = 0;
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  CHECK(getaddrinfo(host, port + 1, &hints, &found) == 0);
  for (one = found; one; one = one->ai_next) {
    fd = socket(one->ai_family, one->ai_socktype, 0);
    if (fd >= 0 && connect(fd, one->ai_addr, one->ai_addrlen) == 0) break;
    if (fd >= 0) close(fd);
    fd = -1;
  }
  freeaddrinfo(found);
  CHECK(fd >= 0);
  return fd;
}

/* L1 over L2: a token that is fetched, then a message, over connections that this program owns. */
static pushcore_response *over(const char *authority, uint32_t protocols, const pushcore_request *request) {
  pushcore_network_options options = network();
  pushcore_connection *connection = NULL;
  pushcore_connection_event event;
  pushcore_response *response = NULL;
  pushcore_view out;
  uint64_t number = 0, deadline;
  uint8_t buffer[16384];
  size_t room = 7;
  bool closed = false, flag;
  int fd = dial(authority), ended = 0;
  OK(pushcore_connection_new(text(authority), protocols, &options, now_is(), &connection, &error));
  OK(pushcore_connection_capacity(connection, &room, &error));
  CHECK(room == 0);
  FAILS(PUSHCORE_ERROR_QUEUE_FULL, pushcore_connection_send(connection, request, now_is(), &number, &error));
  FAILS(PUSHCORE_ERROR_MISUSE, pushcore_connection_transmitted(connection, SIZE_MAX, &error));
  while (!ended) {
    struct pollfd waiting;
    pushcore_now now = now_is();
    ssize_t n;
    OK(pushcore_connection_transmit(connection, &out, &error));
    if (out.len) {
      n = send(fd, out.data, out.len, MSG_NOSIGNAL);
      CHECK(n > 0);
      OK(pushcore_connection_transmitted(connection, (size_t)n, &error));
      continue;
    }
    for (;;) {
      OK(pushcore_connection_poll_event(connection, &event, &error));
      if (event.kind == PUSHCORE_CONNECTION_NOTHING) break;
      if (event.kind == PUSHCORE_CONNECTION_READY) {
        OK(pushcore_connection_send(connection, request, now, &number, &error));
      } else if (event.kind == PUSHCORE_CONNECTION_RESPONSE) {
        CHECK(event.request == number);
        response = event.response;
        OK(pushcore_connection_cancel(connection, number, now, &flag, &error));
        CHECK(!flag);
        OK(pushcore_connection_ping(connection, now, &flag, &error));
        OK(pushcore_connection_close(connection, now, &error));
      } else if (event.kind == PUSHCORE_CONNECTION_CLOSED || event.kind == PUSHCORE_CONNECTION_FAILED) {
        if (event.failure) {
          pushcore_view m = pushcore_error_message(event.failure);
          fprintf(stderr, "%.*s\n", (int)m.len, (const char *)m.data);
          die(__FILE__, __LINE__, "the connection failed");
        }
        ended = 1;
      }
    }
    OK(pushcore_connection_is_closed(connection, &closed, &error));
    OK(pushcore_connection_transmit(connection, &out, &error));
    if (out.len) continue;
    if (ended || closed) break;
    OK(pushcore_connection_deadline(connection, &deadline, &error));
    waiting.fd = fd;
    waiting.events = POLLIN;
    if (poll(&waiting, 1, deadline == UINT64_MAX ? 5000 : (int)(deadline > now.monotonic_ms ? deadline - now.monotonic_ms : 0)) == 0)
      OK(pushcore_connection_handle_timeout(connection, now_is(), &error));
    if (waiting.revents) {
      n = recv(fd, buffer, sizeof buffer, 0);
      out.data = buffer;
      out.len = n > 0 ? (size_t)n : 0;
      if (n > 0) OK(pushcore_connection_receive(connection, out, now_is(), &error));
      else OK(pushcore_connection_receive_eof(connection, now_is(), &error));
    }
  }
  CHECK(response != NULL);
  pushcore_connection_free(connection);
  close(fd);
  return response;
}

static void connections(void) {
  pushcore_adm_service_options options;
  pushcore_service *service = NULL;
  pushcore_authorization authorization;
  pushcore_request *request = NULL;
  pushcore_response *response;
  pushcore_message *message = NULL;
  pushcore_outcome *outcome = NULL;
  char json[512];
  bool done = false;
  const char *authority = sandbox("SANDBOX_ADM_AUTHORITY");
  memset(&options, 0, sizeof options);
  options.struct_size = (uint32_t)sizeof options;
  options.client_id = text(sandbox("SANDBOX_ADM_CLIENT_ID"));
  options.client_secret = text(sandbox("SANDBOX_ADM_CLIENT_SECRET"));
  options.host = options.token_host = text(authority);
  OK(pushcore_adm_service_new(&options, &service, &error));
  memset(&authorization, 0, sizeof authorization);
  authorization.struct_size = (uint32_t)sizeof authorization;
  OK(pushcore_service_authorization(service, now_is(), &authorization, &request, &error));
  CHECK(request != NULL);
  response = over(authority, PUSHCORE_PROTOCOLS_HTTP1, request);
  OK(pushcore_service_accept_token(service, response, now_is(), &done, &error));
  CHECK(done);
  pushcore_response_free(response);
  pushcore_request_free(request);
  snprintf(json, sizeof json, "{\"registration_id\":\"%s\",\"data\":{\"k\":\"v\"}}", sandbox("SANDBOX_ADM_REGISTRATIONS_VALID"));
  OK(pushcore_message_from_json(PUSHCORE_SERVICE_ADM, text(json), NULL, &message, &error));
  OK(pushcore_service_request(service, message, now_is(), &request, &error));
  response = over(authority, PUSHCORE_PROTOCOLS_HTTP2_OR_HTTP1, request);
  OK(pushcore_service_outcome(service, message, response, now_is(), &outcome, &error));
  CHECK(pushcore_outcome_kind(outcome) == PUSHCORE_OUTCOME_ACCEPTED);
  pushcore_outcome_free(outcome);
  pushcore_response_free(response);
  pushcore_request_free(request);
  pushcore_message_free(message);
  pushcore_service_free(service);
  {
    /* APNs speaks HTTP/2 or nothing. */
    pushcore_client *client;
    service = apns_service();
    message = apns_message(sandbox("SANDBOX_APNS_TOKENS_VALID_2"));
    OK(pushcore_service_request(service, message, now_is(), &request, &error));
    response = over(sandbox("SANDBOX_APNS_AUTHORITY"), PUSHCORE_PROTOCOLS_HTTP2, request);
    CHECK(pushcore_response_status(response) == 200);
    pushcore_response_free(response);
    client = client_of(service);
    OK(pushcore_client_exchange(client, request, &response, &error));
    CHECK(pushcore_response_status(response) == 200);
    pushcore_response_free(response);
    pushcore_client_free(client);
    pushcore_request_free(request);
    pushcore_message_free(message);
    pushcore_service_free(service);
  }
}

/* Settings of HTTP/2, counts and reports. */
static void watched(void) {
  pushcore_service *service = apns_service();
  pushcore_client *client = NULL;
  pushcore_network_options options = network();
  pushcore_http2_options http2;
  pushcore_message *message = apns_message(sandbox("SANDBOX_APNS_TOKENS_VALID_3"));
  pushcore_report *report = NULL;
  pushcore_connection_report connection;
  pushcore_host_report host;
  pushcore_pair label;
  pushcore_bytes *scraped = NULL;
  pushcore_result result;
  memset(&http2, 0, sizeof http2);
  options.http2 = &http2;
  FAILS(PUSHCORE_ERROR_MISUSE, pushcore_client_new(service, &options, &client, &error)); /* no struct_size */
  http2.struct_size = (uint32_t)sizeof http2;
  http2.max_in_flight = 7; /* a value without its bit was forgotten */
  FAILS(PUSHCORE_ERROR_MISUSE, pushcore_client_new(service, &options, &client, &error));
  http2.set = 1024;
  FAILS(PUSHCORE_ERROR_MISUSE, pushcore_client_new(service, &options, &client, &error));
  http2.set = PUSHCORE_HTTP2_SET_MAX_IN_FLIGHT | PUSHCORE_HTTP2_SET_PING_AFTER | PUSHCORE_HTTP2_SET_MAX_HEADER_LIST |
              PUSHCORE_HTTP2_SET_MAX_RESPONSE_BODY | PUSHCORE_HTTP2_SET_HEADER_TABLE_SIZE | PUSHCORE_HTTP2_SET_ENCODER_TABLE_SIZE |
              PUSHCORE_HTTP2_SET_INITIAL_WINDOW | PUSHCORE_HTTP2_SET_CONNECTION_WINDOW | PUSHCORE_HTTP2_SET_SETTINGS_TIMEOUT;
  http2.ping_after_ms = UINT64_MAX;
  http2.max_header_list = 8192;
  http2.max_response_body = UINT64_MAX;
  http2.header_table_size = 0;
  http2.encoder_table_size = 1024;
  http2.initial_window = 70000;
  http2.connection_window = 80000;
  http2.settings_timeout_ms = 5000;
  OK(pushcore_client_new(service, &options, &client, &error));
  OK(pushcore_client_report(client, &report, &error));
  CHECK(pushcore_report_connection_count(report) == 0 && pushcore_report_host_count(report) == 0);
  pushcore_report_free(report);
  OK(pushcore_client_send(client, message, NULL, &result, NULL, &error));
  CHECK(result.outcome == PUSHCORE_OUTCOME_ACCEPTED);
  OK(pushcore_client_report(client, &report, &error));
  CHECK(pushcore_report_connection_count(report) == 1 && pushcore_report_host_count(report) == 1);
  memset(&connection, 0, sizeof connection);
  connection.struct_size = (uint32_t)sizeof connection;
  OK(pushcore_report_connection_at(report, 0, &connection, &error));
  CHECK(connection.flags == PUSHCORE_CONNECTION_IS_READY && is(connection.authority, sandbox("SANDBOX_APNS_AUTHORITY")));
  /* The sandbox allows more streams than the 7 that were asked for. */
  CHECK(connection.in_flight == 0 && connection.streams == 7 && connection.window != UINT64_MAX && connection.round_trip_us != UINT64_MAX);
  memset(&host, 0, sizeof host);
  host.struct_size = (uint32_t)sizeof host;
  OK(pushcore_report_host_at(report, 0, &host, &error));
  CHECK(host.waits_for == 0 && host.waiting == 0 && host.in_flight == 0 && host.connections == 1);
  CHECK(is(host.authority, sandbox("SANDBOX_APNS_AUTHORITY")));
  FAILS(PUSHCORE_ERROR_MISUSE, pushcore_report_connection_at(report, 1, &connection, &error));
  FAILS(PUSHCORE_ERROR_MISUSE, pushcore_report_host_at(report, SIZE_MAX, &host, &error));
  pushcore_report_free(report);
  label.name = text("app");
  label.value = text("com.example.app");
  OK(pushcore_client_metrics(client, &label, 1, &scraped, &error));
  CHECK(holds(pushcore_bytes_view(scraped), "pushcore_messages_total{service=\"apns\",app=\"com.example.app\",outcome=\"accepted\"} 1\n"));
  pushcore_bytes_free(scraped);
  label.name = text("le"); /* the text has this label of its own */
  FAILS(PUSHCORE_ERROR_INVALID_VALUE, pushcore_client_metrics(client, &label, 1, &scraped, &error));
  FAILS(PUSHCORE_NULL_ARGUMENT, pushcore_client_metrics(client, NULL, 1, &scraped, &error));
  pushcore_client_free(client);
  pushcore_message_free(message);
  pushcore_service_free(service);
}

/* A session whose sockets this program owns. */
static void sessions(void) {
  pushcore_service *service = apns_service();
  pushcore_session *session = NULL;
  pushcore_network_options options = network();
  pushcore_message *message = apns_message(sandbox("SANDBOX_APNS_TOKENS_VALID_3"));
  pushcore_template *made = template_of(sandbox("SANDBOX_APNS_TOPIC"));
  pushcore_view targets[3], out;
  pushcore_result results[4];
  pushcore_action action;
  pushcore_stats stats;
  pushcore_apns_call_options call_options;
  pushcore_call *call = NULL;
  pushcore_request *request = NULL;
  pushcore_event *event = NULL;
  struct { uint64_t link; int fd; } sockets[8];
  size_t open = 0, taken, got = 0, ended = 0, answered = 0, i, j, capacity = 0;
  uint64_t ticket = 0, call_ticket = 0, exchange_ticket = 0, deadline, tickets[3];
  size_t count = 0;
  uint8_t buffer[16384];
  bool flag = false, closed = false;
  int closing = 0;

  options.proxy = text("http://127.0.0.1:1");
  FAILS(PUSHCORE_ERROR_MISUSE, pushcore_session_new(service, &options, now_is(), &session, &error));
  options.proxy = text("");
  OK(pushcore_session_new(service, &options, now_is(), &session, &error));
  OK(pushcore_session_capacity(session, false, &capacity, &error));
  CHECK(capacity == 2000);
  OK(pushcore_session_capacity(session, true, &capacity, &error));
  OK(pushcore_session_submit(session, message, 7, NULL, now_is(), &ticket, &error));
  OK(pushcore_session_submit(session, message, 8, NULL, now_is(), &ticket, &error));
  OK(pushcore_session_cancel(session, ticket, now_is(), &flag, &error));
  CHECK(flag);
  targets[0] = text(sandbox("SANDBOX_APNS_TOKENS_VALID"));
  targets[1] = text("xyz");
  targets[2] = text(sandbox("SANDBOX_APNS_TOKENS_UNREGISTERED"));
  OK(pushcore_session_submit_targets(session, made, targets, NULL, 3, NULL, now_is(), &taken, &error));
  CHECK(taken == 3);
  OK(pushcore_session_tickets(session, tickets, 3, &count, &error));
  CHECK(count == 3 && tickets[0] != 0 && tickets[1] == 0 && tickets[2] != 0 && tickets[2] != tickets[0]);
  memset(&call_options, 0, sizeof call_options);
  call_options.struct_size = (uint32_t)sizeof call_options;
  call_options.kind = PUSHCORE_APNS_CHANNEL_LIST;
  call_options.bundle = text(sandbox("SANDBOX_APNS_TOPIC"));
  OK(pushcore_apns_call_new(&call_options, &call, &error));
  OK(pushcore_session_call(session, call, NULL, now_is(), &flag, &call_ticket, &error));
  CHECK(flag);
  OK(pushcore_service_request(service, message, now_is(), &request, &error));
  OK(pushcore_session_exchange(session, request, NULL, now_is(), &exchange_ticket, &error));
  OK(pushcore_session_flush(session, now_is(), &error));
  FAILS(PUSHCORE_ERROR_INVALID_VALUE,
        pushcore_session_connect_failed(session, 1, 12345, text("x"), now_is(), &error));
  FAILS(PUSHCORE_ERROR_INVALID_VALUE,
        pushcore_session_allow_address(session, text("localhost"), 443, text("nonsense"), &error));
  while (!closed) {
    struct pollfd waiting[8];
    pushcore_now now;
    int timeout;
    for (;;) {
      OK(pushcore_session_poll_action(session, &action, &error));
      if (action.kind == PUSHCORE_ACTION_NONE) break;
      if (action.kind == PUSHCORE_ACTION_CONNECT) {
        char authority[300];
        OK(pushcore_session_allow_address(session, action.host, action.port, text("127.0.0.1"), &error));
        snprintf(authority, sizeof authority, "%.*s:%u", (int)action.host.len, (const char *)action.host.data, (unsigned)action.port);
        CHECK(open < 8 && action.direct == 0);
        sockets[open].fd = dial(authority);
        sockets[open++].link = action.link;
        OK(pushcore_session_connected(session, action.link, now_is(), &error));
      } else {
        for (i = 0; i < open && sockets[i].link != action.link; i++) {}
        CHECK(i < open);
        if (action.final_bytes.len) (void)!send(sockets[i].fd, action.final_bytes.data, action.final_bytes.len, MSG_NOSIGNAL);
        close(sockets[i].fd);
        sockets[i] = sockets[--open];
      }
    }
    for (i = 0; i < open; i++) {
      for (;;) {
        ssize_t n;
        OK(pushcore_session_transmit(session, sockets[i].link, &out, &error));
        if (!out.len) break;
        n = send(sockets[i].fd, out.data, out.len, MSG_NOSIGNAL);
        CHECK(n > 0);
        OK(pushcore_session_transmitted(session, sockets[i].link, (size_t)n, &error));
      }
    }
    OK(pushcore_session_results(session, results, 4, &got, &error));
    for (i = 0; i < got; i++) {
      pushcore_outcome *outcome = NULL;
      pushcore_error *why = NULL;
      switch (results[i].user_data) {
        case 7: /* and the first of the three targets is number 2, after two messages */
        case 2:
          CHECK(results[i].outcome == PUSHCORE_OUTCOME_ACCEPTED);
          OK(pushcore_session_outcome(session, i, &outcome, &error));
          pushcore_outcome_free(outcome);
          break;
        case 8:
          CHECK(results[i].status == PUSHCORE_ERROR_CANCELLED && results[i].ticket == ticket);
          break;
        case 3:
          CHECK(results[i].status == PUSHCORE_ERROR_INVALID_TOKEN);
          OK(pushcore_session_error(session, i, &why, &error));
          pushcore_error_free(why);
          break;
        default:
          CHECK(results[i].user_data == 4 && results[i].outcome == PUSHCORE_OUTCOME_TOKEN_GONE);
      }
      ended++;
    }
    for (;;) {
      pushcore_response *response = NULL;
      pushcore_error *failure = NULL;
      pushcore_answer *said = NULL;
      uint64_t of = 0;
      OK(pushcore_session_poll_response(session, &of, &response, &failure, &error));
      if (!response && !failure) break;
      CHECK(response && pushcore_response_status(response) == 200);
      if (of == call_ticket) {
        OK(pushcore_call_read(call, response, now_is(), &said, &error));
        CHECK(pushcore_answer_kind(said) == PUSHCORE_ANSWER_TEXTS);
        pushcore_answer_free(said);
      } else {
        CHECK(of == exchange_ticket);
      }
      pushcore_response_free(response);
      answered++;
    }
    if (ended == 5 && answered == 2 && !closing) {
      OK(pushcore_session_release_held(session, now_is(), &error));
      {
        pushcore_bytes *scraped = NULL;
        pushcore_report *report = NULL;
        OK(pushcore_session_metrics(session, NULL, 0, &scraped, &error));
        CHECK(holds(pushcore_bytes_view(scraped), "# EOF\n"));
        pushcore_bytes_free(scraped);
        OK(pushcore_session_report(session, &report, &error));
        CHECK(pushcore_report_connection_count(report) == open && pushcore_report_host_count(report) > 0);
        pushcore_report_free(report);
      }
      OK(pushcore_session_close(session, now_is(), &error));
      closing = 1;
      continue;
    }
    OK(pushcore_session_is_closed(session, &closed, &error));
    now = now_is();
    OK(pushcore_session_deadline(session, &deadline, &error));
    timeout = deadline == UINT64_MAX ? 5000 : deadline > now.monotonic_ms ? (int)(deadline - now.monotonic_ms) : 0;
    for (i = 0; i < open; i++) {
      waiting[i].fd = sockets[i].fd;
      waiting[i].events = POLLIN;
      waiting[i].revents = 0;
    }
    if (open == 0 && closed) break;
    poll(waiting, (nfds_t)open, timeout > 5000 ? 5000 : timeout);
    j = open;
    for (i = 0; i < j; i++) {
      if (waiting[i].revents) {
        ssize_t n = recv(waiting[i].fd, buffer, sizeof buffer, 0);
        out.data = buffer;
        out.len = n > 0 ? (size_t)n : 0;
        if (n > 0) OK(pushcore_session_receive(session, sockets[i].link, out, now_is(), &error));
        else OK(pushcore_session_receive_eof(session, sockets[i].link, now_is(), &error));
      }
    }
    OK(pushcore_session_handle_timeout(session, now_is(), &error));
  }
  memset(&stats, 0, sizeof stats);
  stats.struct_size = (uint32_t)sizeof stats;
  OK(pushcore_session_stats(session, &stats, &error));
  CHECK(stats.accepted == 2 && stats.token_gone == 1 && stats.cancelled == 1 && stats.answered == 2 && stats.submitted == 6);
  OK(pushcore_session_is_mix_up_suspected(session, &flag, &error));
  CHECK(!flag);
  OK(pushcore_session_poll_event(session, &event, &error));
  CHECK(event != NULL);
  pushcore_event_free(event);
  OK(pushcore_session_abandon(session, now_is(), &error));
  pushcore_session_free(session);
  pushcore_request_free(request);
  pushcore_call_free(call);
  pushcore_template_free(made);
  pushcore_message_free(message);
  pushcore_service_free(service);
}

/* A client in the child of a fork says so, and leaves the parent's connection alone. */
static void forked(void) {
  pushcore_service *service = apns_service();
  pushcore_client *client = client_of(service);
  pushcore_message *message = apns_message(sandbox("SANDBOX_APNS_TOKENS_VALID"));
  pushcore_batch *batch = NULL;
  pid_t child;
  int status = 0;
  CHECK(sent(client, message) == PUSHCORE_OUTCOME_ACCEPTED);
  OK(pushcore_batch_new(client, 0, &batch, &error));
  child = fork();
  if (child == 0) {
    pushcore_batch *other = NULL;
    pushcore_result result;
    size_t got;
    bool flag;
    if (pushcore_client_send(client, message, NULL, NULL, NULL, &error) != PUSHCORE_ERROR_MISUSE) _exit(1);
    if (!holds(pushcore_error_message(error), "fork")) _exit(2);
    if (pushcore_batch_new(client, 0, &other, NULL) != PUSHCORE_ERROR_MISUSE) _exit(3);
    if (pushcore_batch_wait(batch, 0, &result, 1, &got, NULL) != PUSHCORE_OK || got != 0) _exit(4);
    if (pushcore_client_close(client, 0, &flag, NULL) != PUSHCORE_ERROR_MISUSE) _exit(5);
    pushcore_batch_free(batch);
    pushcore_client_free(client);
    _exit(0);
  }
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK(sent(client, message) == PUSHCORE_OUTCOME_ACCEPTED);
  pushcore_batch_free(batch);
  pushcore_client_free(client);
  pushcore_message_free(message);
  pushcore_service_free(service);
}

/* A server that hangs up: SIGPIPE keeps its default, which would end this program. */
static void hung_up(void) {
  pushcore_service *service = NULL;
  pushcore_adm_service_options options;
  pushcore_network_options plain = network();
  pushcore_client *client = NULL;
  pushcore_message *message = NULL;
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  char authority[64];
  int listener = socket(AF_INET, SOCK_STREAM, 0), i;
  pid_t child;
  signal(SIGPIPE, SIG_DFL);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 8) == 0);
  CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
  child = fork();
  if (child == 0) {
    for (;;) {
      int fd = accept(listener, NULL, NULL);
      struct linger now = {1, 0};
      setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
      close(fd);
    }
  }
  snprintf(authority, sizeof authority, "127.0.0.1:%d", (int)ntohs(address.sin_port));
  memset(&options, 0, sizeof options);
  options.struct_size = (uint32_t)sizeof options;
  options.client_id = text("amzn1.application-oa2-client.1");
  options.client_secret = text("client-secret");
  options.host = options.token_host = text(authority);
  OK(pushcore_adm_service_new(&options, &service, &error));
  plain.ca = text("");
  plain.flags = PUSHCORE_NETWORK_RESOLVE_BLOCKING;
  plain.set = PUSHCORE_NETWORK_SET_DEADLINE | PUSHCORE_NETWORK_SET_FIRST_BACKOFF | PUSHCORE_NETWORK_SET_LONGEST_BACKOFF;
  plain.deadline_ms = 300;
  plain.first_backoff_ms = 10;
  plain.longest_backoff_ms = 20;
  OK(pushcore_client_new(service, &plain, &client, &error));
  OK(pushcore_message_from_json(PUSHCORE_SERVICE_ADM, text("{\"registration_id\":\"amzn1.adm-registration.v3.abc\",\"data\":{\"k\":\"v\"}}"), NULL,
                                &message, &error));
  for (i = 0; i < 3; i++) {
    pushcore_status status = pushcore_client_send(client, message, NULL, NULL, NULL, &error);
    CHECK(status == PUSHCORE_ERROR_NOT_SENT || status == PUSHCORE_ERROR_EXPIRED);
    {
      /* The whole chain of causes can be walked. */
      pushcore_error *cause = NULL, *next;
      CHECK(pushcore_error_cause(error, &cause) == PUSHCORE_OK);
      while (cause) {
        CHECK(pushcore_error_code(cause) > 0 && pushcore_error_name(cause).len > 0);
        CHECK(pushcore_error_cause(cause, &next) == PUSHCORE_OK);
        pushcore_error_free(cause);
        cause = next;
      }
    }
    pushcore_error_free(error);
    error = NULL;
  }
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  close(listener);
  pushcore_client_free(client);
  pushcore_message_free(message);
  pushcore_service_free(service);
}

static const pushcore_client *shared_client;

static void *many(void *argument) {
  pushcore_message *message = apns_message(sandbox("SANDBOX_APNS_TOKENS_VALID"));
  pushcore_error *own = NULL;
  int i;
  (void)argument;
  for (i = 0; i < 20; i++) {
    pushcore_result result;
    if (pushcore_client_send(shared_client, message, NULL, &result, NULL, &own) != PUSHCORE_OK) return (void *)1;
    if (result.outcome != PUSHCORE_OUTCOME_ACCEPTED) return (void *)2;
  }
  pushcore_message_free(message);
  return NULL;
}

/* One client, many threads; and a client that does not trust the server. */
static void threads(void) {
  pushcore_service *service = apns_service();
  pushcore_client *client = client_of(service), *doubting = NULL;
  pushcore_network_options options = network();
  pushcore_message *message = apns_message(sandbox("SANDBOX_APNS_TOKENS_VALID"));
  pthread_t all[4];
  int i;
  shared_client = client;
  for (i = 0; i < 4; i++) CHECK(pthread_create(&all[i], NULL, many, NULL) == 0);
  for (i = 0; i < 4; i++) {
    void *failed = (void *)1;
    CHECK(pthread_join(all[i], &failed) == 0 && failed == NULL);
  }
  pushcore_client_free(client);
  options.ca = text("");
  options.set = PUSHCORE_NETWORK_SET_DEADLINE;
  options.deadline_ms = 500;
  OK(pushcore_client_new(service, &options, &doubting, &error));
  {
    pushcore_status status = pushcore_client_send(doubting, message, NULL, NULL, NULL, &error);
    pushcore_error *cause = NULL;
    CHECK(status == PUSHCORE_ERROR_NOT_SENT || status == PUSHCORE_ERROR_EXPIRED);
    CHECK(pushcore_error_cause(error, &cause) == PUSHCORE_OK && cause != NULL);
    CHECK(pushcore_error_code(cause) == PUSHCORE_ERROR_CERTIFICATE_UNKNOWN_ISSUER);
    pushcore_error_free(cause);
    pushcore_error_free(error);
    error = NULL;
  }
  options.seed = 7;
  FAILS(PUSHCORE_ERROR_MISUSE, pushcore_client_new(service, &options, &client, &error));
  options.seed = 0;
  options.deadline_ms = 0;
  FAILS(PUSHCORE_ERROR_INVALID_VALUE, pushcore_client_new(service, &options, &client, &error));
  options.deadline_ms = 500;
  options.ca = text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n");
  CHECK(pushcore_client_new(service, &options, &client, NULL) != PUSHCORE_OK);
  pushcore_client_free(doubting);
  pushcore_message_free(message);
  pushcore_service_free(service);
}

static pushcore_device *device_of(const char *service, const char *app, const char *token) {
  pushcore_device *device = NULL;
  char json[2048];
  if (strcmp(service, "web_push") == 0) snprintf(json, sizeof json, "{\"service\":\"web_push\",\"subscription\":%s,\"key\":\"browser\"}", token);
  else snprintf(json, sizeof json, "{\"service\":\"%s\"%s%s%s,\"token\":\"%s\"}", service, app ? ",\"app\":\"" : "", app ? app : "", app ? "\"" : "", token);
  {
    pushcore_endpoint_policy_options p;
    pushcore_endpoint_policy *policy = NULL;
    pushcore_view trusted = text(sandbox("SANDBOX_WEBPUSH_AUTHORITY"));
    memset(&p, 0, sizeof p);
    p.struct_size = (uint32_t)sizeof p;
    p.trusted = &trusted;
    p.trusted_count = 1;
    OK(pushcore_endpoint_policy_new(&p, &policy, &error));
    OK(pushcore_device_from_json(text(json), policy, &device, &error));
    pushcore_endpoint_policy_free(policy);
  }
  return device;
}

/* One notification to a mixed list of devices. */
/* The same list as in hubs(), in steps. */
static void hub_steps(const pushcore_hub *hub, const pushcore_notification *notification, const pushcore_device *const *list) {
  static const uint32_t wanted[4] = {PUSHCORE_FEEDBACK_KEEP, PUSHCORE_FEEDBACK_DELETE, PUSHCORE_FEEDBACK_KEEP, PUSHCORE_FEEDBACK_CHECK_CONFIGURATION};
  const uint64_t numbers[4] = {100, 101, 102, 103};
  const pushcore_device *broken[2];
  pushcore_hub_batch *batch = NULL;
  pushcore_hub_result results[3];
  pushcore_progress progress;
  pushcore_outcome *outcome = NULL;
  pushcore_feedback *feedback = NULL;
  pushcore_feedback_parts parts;
  size_t taken = 0, begin = 0, got, i, ended = 0;
  bool idle = false;
  int seen[4] = {0, 0, 0, 0};
  OK(pushcore_hub_batch_new(hub, notification, NULL, &batch, &error));
  OK(pushcore_hub_batch_wait(batch, UINT64_MAX, results, 3, &got, &error)); /* nothing under way: at once */
  CHECK(got == 0);
  broken[0] = list[0];
  broken[1] = NULL;
  FAILS(PUSHCORE_NULL_ARGUMENT, pushcore_hub_batch_submit(batch, broken, NULL, 2, &taken, &error)); /* nothing is taken */
  while (ended < 4) {
    if (begin < 4) {
      OK(pushcore_hub_batch_submit(batch, list + begin, numbers + begin, 4 - begin, &taken, &error));
      begin += taken;
      if (begin == 4) OK(pushcore_hub_batch_finish(batch, &error));
    }
    OK(pushcore_hub_batch_wait(batch, 1000, results, 3, &got, &error));
    for (i = 0; i < got; i++) {
      size_t index = (size_t)(results[i].result.user_data - 100);
      CHECK(index < 4 && !seen[index]++);
      CHECK(results[i].feedback == wanted[index] && results[i].attempts == (index < 3 ? 1u : 0u));
      OK(pushcore_hub_batch_feedback(batch, i, &feedback, &error));
      memset(&parts, 0, sizeof parts);
      parts.struct_size = (uint32_t)sizeof parts;
      OK(pushcore_feedback_parts_of(feedback, &parts, &error));
      CHECK(parts.action == wanted[index]);
      pushcore_feedback_free(feedback);
      if (index == 3) {
        FAILS(results[i].result.status, pushcore_hub_batch_outcome(batch, i, &outcome, &error));
        continue;
      }
      CHECK(results[i].result.status == PUSHCORE_OK);
      OK(pushcore_hub_batch_outcome(batch, i, &outcome, &error));
      CHECK(pushcore_outcome_kind(outcome) == results[i].result.outcome);
      pushcore_outcome_free(outcome);
    }
    ended += got;
  }
  FAILS(PUSHCORE_ERROR_MISUSE, pushcore_hub_batch_outcome(batch, got, &outcome, &error));
  OK(pushcore_hub_batch_is_idle(batch, &idle, &error));
  CHECK(idle);
  memset(&progress, 0, sizeof progress);
  progress.struct_size = (uint32_t)sizeof progress;
  OK(pushcore_hub_batch_progress(batch, &progress, &error));
  CHECK(progress.taken == 3 && progress.accepted == 2 && progress.token_gone == 1 && progress.in_flight == 0 && progress.ended == 3);
  FAILS(PUSHCORE_ERROR_CLOSED, pushcore_hub_batch_submit(batch, list, NULL, 1, &taken, &error));
  pushcore_hub_batch_free(batch);
  /* What is cancelled has an end, too. */
  OK(pushcore_hub_batch_new(hub, notification, NULL, &batch, &error));
  OK(pushcore_hub_batch_submit(batch, list, NULL, 2, &taken, &error));
  CHECK(taken == 2);
  OK(pushcore_hub_batch_cancel(batch, &error));
  for (ended = 0; ended < 2; ended += got) {
    OK(pushcore_hub_batch_wait(batch, 1000, results, 3, &got, &error));
    for (i = 0; i < got; i++) CHECK(results[i].result.user_data < 2 && results[i].result.status == PUSHCORE_ERROR_CANCELLED);
  }
  pushcore_hub_batch_free(batch);
}

static void hubs(void) {
  pushcore_network_options options = network();
  pushcore_hub_client clients[2];
  const pushcore_hub_client *both[2];
  pushcore_hub_options hub_options;
  pushcore_hub *hub = NULL;
  pushcore_notification *notification = NULL;
  pushcore_device *devices[4];
  const pushcore_device *list[4];
  pushcore_deliveries *ends = NULL;
  pushcore_delivery end;
  pushcore_outcome *outcome = NULL;
  pushcore_feedback *feedback = NULL;
  pushcore_feedback_parts parts;
  pushcore_device *changed = NULL;
  pushcore_bytes *bytes = NULL;
  bool closed = false;
  int i;
  memset(clients, 0, sizeof clients);
  clients[0].struct_size = clients[1].struct_size = (uint32_t)sizeof clients[0];
  clients[0].network = clients[1].network = &options;
  clients[0].service = apns_service();
  clients[0].app = text(sandbox("SANDBOX_APNS_TOPIC"));
  {
    pushcore_web_push_service_options o;
    pushcore_endpoint_policy_options p;
    pushcore_endpoint_policy *policy = NULL;
    pushcore_service *service = NULL;
    pushcore_view trusted = text(sandbox("SANDBOX_WEBPUSH_AUTHORITY"));
    memset(&p, 0, sizeof p);
    p.struct_size = (uint32_t)sizeof p;
    p.trusted = &trusted;
    p.trusted_count = 1;
    OK(pushcore_endpoint_policy_new(&p, &policy, &error));
    memset(&o, 0, sizeof o);
    o.struct_size = (uint32_t)sizeof o;
    o.key = text(sandbox("SANDBOX_WEBPUSH_VAPID_PRIVATE_KEY"));
    o.subject = text(sandbox("SANDBOX_WEBPUSH_VAPID_SUBJECT"));
    o.endpoints = policy;
    OK(pushcore_web_push_service_new(&o, &service, &error));
    pushcore_endpoint_policy_free(policy);
    clients[1].service = service;
  }
  both[0] = &clients[0];
  both[1] = &clients[1];
  memset(&hub_options, 0, sizeof hub_options);
  hub_options.struct_size = (uint32_t)sizeof hub_options;
  hub_options.clients = both;
  FAILS(PUSHCORE_ERROR_MISSING_FIELD, pushcore_hub_new(&hub_options, &hub, &error));
  hub_options.client_count = 2;
  hub_options.set = PUSHCORE_HUB_SET_QUEUE | PUSHCORE_HUB_SET_PATIENCE;
  hub_options.queue = 100;
  hub_options.patience_ms = UINT64_MAX;
  OK(pushcore_hub_new(&hub_options, &hub, &error));
  OK(pushcore_notification_from_json(text("{\"title\":\"Hello\",\"body\":\"everyone\",\"sound\":\"default\"}"), &notification, &error));
  OK(pushcore_notification_to_json(notification, &bytes, &error));
  CHECK(holds(pushcore_bytes_view(bytes), "everyone"));
  pushcore_bytes_free(bytes);
  devices[0] = device_of("apns", sandbox("SANDBOX_APNS_TOPIC"), sandbox("SANDBOX_APNS_TOKENS_VALID"));
  devices[1] = device_of("apns", sandbox("SANDBOX_APNS_TOPIC"), sandbox("SANDBOX_APNS_TOKENS_UNREGISTERED"));
  devices[2] = device_of("web_push", NULL, sandbox("SANDBOX_WEBPUSH_SUBSCRIPTIONS_ACTIVE"));
  devices[3] = device_of("fcm", NULL, "d:APA91b"); /* no client serves it */
  for (i = 0; i < 4; i++) list[i] = devices[i];
  CHECK(is(pushcore_device_key(devices[2]), "browser") && pushcore_device_service(devices[3]) == PUSHCORE_SERVICE_FCM);
  OK(pushcore_device_to_json(devices[3], &bytes, &error));
  CHECK(holds(pushcore_bytes_view(bytes), "APA91b"));
  pushcore_bytes_free(bytes);
  OK(pushcore_hub_notify(hub, notification, list, 4, NULL, &ends, &error));
  CHECK(pushcore_deliveries_count(ends) == 4);
  for (i = 0; i < 4; i++) {
    static const uint32_t wanted[4] = {PUSHCORE_FEEDBACK_KEEP, PUSHCORE_FEEDBACK_DELETE, PUSHCORE_FEEDBACK_KEEP, PUSHCORE_FEEDBACK_CHECK_CONFIGURATION};
    memset(&end, 0, sizeof end);
    end.struct_size = (uint32_t)sizeof end;
    OK(pushcore_deliveries_at(ends, (size_t)i, &end, &error));
    CHECK(end.feedback == wanted[i] && end.result.user_data == (uint64_t)i && end.attempts == (i < 3 ? 1u : 0u));
    OK(pushcore_deliveries_feedback(ends, (size_t)i, &feedback, &error));
    memset(&parts, 0, sizeof parts);
    parts.struct_size = (uint32_t)sizeof parts;
    OK(pushcore_feedback_parts_of(feedback, &parts, &error));
    CHECK(parts.action == wanted[i]);
    pushcore_feedback_free(feedback);
    if (i == 3) {
      pushcore_status status = pushcore_deliveries_outcome(ends, 3, &outcome, &error);
      CHECK(status == end.result.status && status != PUSHCORE_OK);
      OK(pushcore_feedback_of(NULL, error, devices[3], now_is(), &feedback, NULL));
      pushcore_feedback_free(feedback);
      pushcore_error_free(error);
      error = NULL;
      continue;
    }
    OK(pushcore_deliveries_outcome(ends, (size_t)i, &outcome, &error));
    OK(pushcore_feedback_of(outcome, NULL, devices[i], now_is(), &feedback, &error));
    OK(pushcore_feedback_parts_of(feedback, &parts, &error));
    CHECK(parts.action == wanted[i]);
    pushcore_feedback_free(feedback);
    pushcore_outcome_free(outcome);
  }
  FAILS(PUSHCORE_ERROR_MISUSE, pushcore_deliveries_at(ends, 4, &end, &error));
  pushcore_deliveries_free(ends);
  hub_steps(hub, notification, list);
  OK(pushcore_device_with_token(devices[0], text(sandbox("SANDBOX_APNS_TOKENS_VALID_2")), now_is(), &changed, &error));
  {
    /* One device alone, by hand: what the service cannot show is told. */
    pushcore_rendered *rendered = NULL;
    pushcore_message *message = NULL;
    pushcore_template *template_ = NULL;
    pushcore_loss loss;
    OK(pushcore_notification_render(notification, devices[2], now_is(), &rendered, &error));
    CHECK(pushcore_rendered_loss_count(rendered) >= 1); /* browsers take no sound */
    memset(&loss, 0, sizeof loss);
    loss.struct_size = (uint32_t)sizeof loss;
    OK(pushcore_rendered_loss_at(rendered, 0, &loss, &error));
    CHECK(is(loss.field, "sound") && loss.kind == PUSHCORE_LOSS_DROPPED && loss.reason.len > 0);
    OK(pushcore_rendered_to(rendered, devices[2], now_is(), &message, &error));
    OK(pushcore_rendered_template(rendered, &template_, &error));
    CHECK(pushcore_template_service(template_) == PUSHCORE_SERVICE_WEB_PUSH);
    pushcore_template_free(template_);
    pushcore_message_free(message);
    pushcore_rendered_free(rendered);
  }
  {
    pushcore_bytes *scraped = NULL;
    OK(pushcore_hub_metrics(hub, &scraped, &error));
    CHECK(holds(pushcore_bytes_view(scraped), "environment=\"") && holds(pushcore_bytes_view(scraped), "# EOF\n"));
    pushcore_bytes_free(scraped);
  }
  OK(pushcore_hub_close(hub, 10000, &closed, &error));
  CHECK(closed);
  pushcore_hub_free(hub);
  pushcore_device_free(changed);
  for (i = 0; i < 4; i++) pushcore_device_free(devices[i]);
  pushcore_notification_free(notification);
  pushcore_service_free((pushcore_service *)(size_t)clients[0].service);
  pushcore_service_free((pushcore_service *)(size_t)clients[1].service);
}

/* A client certificate stands in for a key. */
static void certificates(void) {
  pushcore_apns_service_options options;
  pushcore_service *service = NULL;
  pushcore_view certificate = read_file(sandbox("SANDBOX_APNS_CERTIFICATES_UNIVERSAL_CERTIFICATE_FILE"));
  pushcore_view key = read_file(sandbox("SANDBOX_APNS_CERTIFICATES_UNIVERSAL_KEY_FILE"));
  pushcore_message *message = apns_message(sandbox("SANDBOX_APNS_TOKENS_VALID"));
  pushcore_client *client;
  memset(&options, 0, sizeof options);
  options.struct_size = (uint32_t)sizeof options;
  options.credentials = PUSHCORE_APNS_CERTIFICATE;
  options.certificate = certificate;
  options.key = key;
  options.host = text(sandbox("SANDBOX_APNS_AUTHORITY"));
  OK(pushcore_apns_service_new(&options, &service, &error));
  client = client_of(service);
  CHECK(sent(client, message) == PUSHCORE_OUTCOME_ACCEPTED);
  pushcore_client_free(client);
  options.credentials = PUSHCORE_APNS_PKCS12;
  CHECK(pushcore_apns_service_new(&options, &service, NULL) != PUSHCORE_OK);
  pushcore_message_free(message);
  pushcore_service_free(service);
  free_file(certificate);
  free_file(key);
}

int main(void) {
  ca = read_file(sandbox("SANDBOX_CA_FILE"));
  hung_up(); /* first, because its child must not hold the sandbox's sockets */
  singles();
  batches();
  other_services();
  connections();
  watched();
  sessions();
  hubs();
  certificates();
  threads();
  forked();
  free_file(ca);
  CHECK(pushcore_live_handles() == 0);
  puts("ok");
  return 0;
}
