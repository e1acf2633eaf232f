/*
 * Plays one case of the drivers' suite (tests/drivers) with the blocking client. drivers.py talks to the peer, which judges; here is only how this
 * client is told to do a step.
 *
 * On standard input, one a line: `service NAME`, `host HOST:PORT`, `key FILE`, `account FILE`, `ca FILE`, `proxy URL`, `size BYTES`, `option NAME NUMBER`
 * (times in milliseconds), `step NAME COUNT FETCH PAUSE_MS REST`, `go`. On standard output: `until REST`, which is answered by a line when it has
 * come to pass; `end NUMBER OUTCOME CAUSE`, `taken COUNT`, `done`.
 */
#include "check.h"

#include <pthread.h>
#include <time.h>

#define MOST 512
#define LONGEST 4096

static char kind[32], host[256], key[LONGEST], account[LONGEST], ca[LONGEST], proxy[LONGEST];
static size_t size;
static pushcore_network_options network;
static pushcore_http2_options http2;
static pushcore_client *client;
static pushcore_endpoint_policy *policy;
static pushcore_template *campaign;
static size_t following;
static pthread_mutex_t printing = PTHREAD_MUTEX_INITIALIZER;

static void pause_ms(unsigned long ms) {
  struct timespec time;
  time.tv_sec = (time_t)(ms / 1000);
  time.tv_nsec = (long)(ms % 1000) * 1000000;
  nanosleep(&time, NULL);
}

static void token_of(size_t number, char *out) { snprintf(out, 65, "%064zx", number); }

/* Prints an end with the deepest cause; `failure` is freed. */
static void ended(size_t number, pushcore_view name, pushcore_error *failure) {
  pushcore_error *cause = NULL, *deeper = NULL;
  pushcore_view why = pushcore_error_name(NULL);
  if (failure && pushcore_error_cause(failure, &cause) == PUSHCORE_OK && cause) {
    while (pushcore_error_cause(cause, &deeper) == PUSHCORE_OK && deeper) {
      pushcore_error_free(cause);
      cause = deeper;
      deeper = NULL;
    }
    why = pushcore_error_name(cause);
  }
  pthread_mutex_lock(&printing);
  printf("end %zu %.*s %.*s\n", number, (int)name.len, (const char *)name.data, (int)why.len, why.len ? (const char *)why.data : "");
  pthread_mutex_unlock(&printing);
  pushcore_error_free(cause);
  pushcore_error_free(failure);
}

static void option(const char *name, uint64_t n) {
#define NETWORK(option, bit, place) \
  if (strcmp(name, option) == 0) { \
    network.set |= bit; \
    network.place = n; \
    return; \
  }
#define HTTP2(option, bit, place) \
  if (strcmp(name, option) == 0) { \
    network.http2 = &http2; \
    http2.set |= bit; \
    http2.place = n; \
    return; \
  }
  NETWORK("max_connections", PUSHCORE_NETWORK_SET_MAX_CONNECTIONS, max_connections)
  NETWORK("max_queued", PUSHCORE_NETWORK_SET_MAX_QUEUED, max_queued)
  if (strcmp(name, "max_requeues") == 0) {
    network.set |= PUSHCORE_NETWORK_SET_MAX_REQUEUES;
    network.max_requeues = (uint32_t)n;
    return;
  }
  NETWORK("first_backoff", PUSHCORE_NETWORK_SET_FIRST_BACKOFF, first_backoff_ms)
  NETWORK("connect_timeout", PUSHCORE_NETWORK_SET_CONNECT_TIMEOUT, connect_timeout_ms)
  NETWORK("response_timeout", PUSHCORE_NETWORK_SET_RESPONSE_TIMEOUT, response_timeout_ms)
  NETWORK("deadline", PUSHCORE_NETWORK_SET_DEADLINE, deadline_ms)
  NETWORK("seed", PUSHCORE_NETWORK_SET_SEED, seed)
  HTTP2("ping_after", PUSHCORE_HTTP2_SET_PING_AFTER, ping_after_ms)
  HTTP2("ping_timeout", PUSHCORE_HTTP2_SET_PING_TIMEOUT, ping_timeout_ms)
  HTTP2("settings_timeout", PUSHCORE_HTTP2_SET_SETTINGS_TIMEOUT, settings_timeout_ms)
  if (strcmp(name, "max_in_flight") == 0) {
    network.http2 = &http2;
    http2.set |= PUSHCORE_HTTP2_SET_MAX_IN_FLIGHT;
    http2.max_in_flight = (uint32_t)n;
    return;
  }
  die(__FILE__, __LINE__, name);
}

static pushcore_service *service(void) {
  pushcore_service *made = NULL;
  pushcore_error *error = NULL;
  if (strcmp(kind, "apns") == 0) {
    pushcore_apns_service_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = (uint32_t)sizeof options;
    options.credentials = PUSHCORE_APNS_SIGNING_KEY;
    options.environment = PUSHCORE_APNS_SANDBOX;
    options.key = read_file(key);
    options.key_id = text("ABC123DEFG");
    options.team_id = text("DEF123GHIJ");
    options.host = text(host);
    OK(pushcore_apns_service_new(&options, &made, &error));
    free_file(options.key);
  } else if (strcmp(kind, "web_push") == 0) {
    pushcore_web_push_service_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = (uint32_t)sizeof options;
    options.key = read_file(key);
    options.subject = text("mailto:ops@example.org");
    options.endpoints = policy;
    OK(pushcore_web_push_service_new(&options, &made, &error));
    free_file(options.key);
  } else {
    pushcore_fcm_service_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = (uint32_t)sizeof options;
    options.credentials = PUSHCORE_FCM_SERVICE_ACCOUNT;
    options.file = read_file(account);
    options.token_host = text(host);
    options.host = text(host);
    OK(pushcore_fcm_service_new(&options, &made, &error));
    free_file(options.file);
  }
  return made;
}

static void open_client(void) {
  pushcore_error *error = NULL;
  pushcore_endpoint_policy_options rules;
  pushcore_service *made;
  memset(&rules, 0, sizeof rules);
  rules.struct_size = (uint32_t)sizeof rules;
  rules.flags = PUSHCORE_POLICY_ANY_PUBLIC_HOST;
  OK(pushcore_endpoint_policy_new(&rules, &policy, &error));
  made = service();
  network.flags |= PUSHCORE_NETWORK_WITHOUT_BUNDLED_ROOTS;
  network.ca = read_file(ca);
  if (*proxy) network.proxy = text(proxy);
  OK(pushcore_client_new(made, &network, &client, &error));
  free_file(network.ca);
  pushcore_service_free(made);
  if (strcmp(kind, "apns") == 0) {
    char *json = (char *)malloc(size + 256);
    int n;
    if (!json) exit(1);
    n = snprintf(json, 256, "{\"push_type\":\"alert\",\"topic\":\"org.example.app\",\"payload\":{\"aps\":{\"alert\":\"");
    memset(json + n, 'x', size);
    snprintf(json + n + size, 64, "\"}}}");
    OK(pushcore_template_from_json(PUSHCORE_SERVICE_APNS, text(json), &campaign, &error));
    free(json);
  }
}

static pushcore_message *message(size_t number) {
  pushcore_error *error = NULL;
  pushcore_message *made = NULL;
  char token[65];
  token_of(number, token);
  if (strcmp(kind, "web_push") == 0) {
    pushcore_web_push_message_options options;
    char subscription[256];
    memset(&options, 0, sizeof options);
    options.struct_size = (uint32_t)sizeof options;
    snprintf(subscription, sizeof subscription, "{\"endpoint\":\"https://push.example.org/p/%s\"}", token);
    options.subscription = text(subscription);
    options.endpoints = policy;
    OK(pushcore_web_push_message_new(&options, &made, &error));
  } else {
    pushcore_target *target = NULL;
    OK(pushcore_target_parse(PUSHCORE_SERVICE_APNS, text(token), NULL, &target, &error));
    OK(pushcore_template_to(campaign, target, &made, &error));
    pushcore_target_free(target);
  }
  return made;
}

static void *one(void *argument) {
  size_t number = (size_t)argument;
  pushcore_error *error = NULL;
  pushcore_message *made = message(number);
  pushcore_result result;
  pushcore_status status = pushcore_client_send(client, made, NULL, &result, NULL, &error);
  if (status == PUSHCORE_OK) ended(number, pushcore_outcome_name(result.outcome), NULL);
  else ended(number, pushcore_status_name(status), error);
  pushcore_message_free(made);
  return NULL;
}

static void call(size_t number) {
  pushcore_error *error = NULL;
  pushcore_call *made = NULL;
  pushcore_answer *answer = NULL;
  pushcore_fcm_call_options options;
  pushcore_view registration;
  pushcore_status status;
  char token[65];
  token_of(number, token);
  registration = text(token);
  memset(&options, 0, sizeof options);
  options.struct_size = (uint32_t)sizeof options;
  options.kind = PUSHCORE_FCM_TOPIC_SUBSCRIBE;
  options.registrations = &registration;
  options.registration_count = 1;
  options.topic = text("news");
  OK(pushcore_fcm_call_new(&options, &made, &error));
  status = pushcore_client_call(client, made, &answer, &error);
  if (status == PUSHCORE_OK) {
    pushcore_outcome *outcome = NULL;
    OK(pushcore_answer_outcome(answer, &outcome, &error));
    ended(number, pushcore_outcome_name(pushcore_outcome_kind(outcome)), NULL);
    pushcore_outcome_free(outcome);
  } else ended(number, pushcore_status_name(status), error);
  pushcore_answer_free(answer);
  pushcore_call_free(made);
}

static void until(const char *rest) {
  char line[64];
  pthread_mutex_lock(&printing);
  printf("until %s", rest);
  fflush(stdout);
  pthread_mutex_unlock(&printing);
  CHECK(fgets(line, sizeof line, stdin) != NULL);
}

/* Sends messages in bulk and prints the ends of the first `most`; then does nothing for `pause` ms, and prints the rest. `leave` frees the batch
 * before that. */
static void bulk(size_t count, size_t most, unsigned long pause, int leave) {
  static pushcore_result results[MOST];
  pushcore_error *error = NULL;
  pushcore_batch *batch = NULL;
  size_t first = following - count, got, i, now_taken, taken = 0, all = 0;
  char(*texts)[65] = (char(*)[65])malloc(count * sizeof *texts);
  pushcore_view *tokens = (pushcore_view *)malloc(count * sizeof *tokens);
  uint64_t *numbers = (uint64_t *)malloc(count * sizeof *numbers);
  char *seen = (char *)calloc(count, 1);
  if (!texts || !tokens || !numbers || !seen) exit(1);
  for (i = 0; i < count; i++) {
    token_of(first + i, texts[i]);
    tokens[i] = text(texts[i]);
    numbers[i] = first + i;
  }
  OK(pushcore_batch_new(client, count, &batch, &error));
  while (all < count) {
    if (taken < count) {
      if (campaign) {
        OK(pushcore_batch_submit(batch, campaign, tokens + taken, numbers + taken, count - taken, NULL, &now_taken, &error));
      } else {
        pushcore_message *made[64];
        size_t n = count - taken < 64 ? count - taken : 64;
        for (i = 0; i < n; i++) made[i] = message(first + taken + i);
        OK(pushcore_batch_submit_messages(batch, (const pushcore_message *const *)made, numbers + taken, n, NULL, &now_taken, &error));
        for (i = 0; i < n; i++) pushcore_message_free(made[i]);
      }
      taken += now_taken;
      if (taken == count) OK(pushcore_batch_finish(batch, &error));
    }
    OK(pushcore_batch_wait(batch, 1000, results, all < most && most - all < MOST ? most - all : MOST, &got, &error));
    for (i = 0; i < got; i++) {
      seen[results[i].user_data - first] = 1;
      if (results[i].status == PUSHCORE_OK) ended(results[i].user_data, pushcore_outcome_name(results[i].outcome), NULL);
      else {
        pushcore_error *failure = NULL;
        OK(pushcore_batch_error(batch, i, &failure, &error));
        ended(results[i].user_data, pushcore_status_name(results[i].status), failure);
      }
    }
    all += got;
    if (all == most && leave) break;
    if (all == most && pause) {
      pause_ms(pause);
      printf("taken %zu\n", taken);
      pause = 0;
    }
  }
  pushcore_batch_free(batch);
  for (i = 0; leave && i < count; i++)
    if (!seen[i]) printf("end %zu left \n", first + i);
  free(seen);
  free(numbers);
  free(tokens);
  free(texts);
}

static int has_come;

static void *wait_for(void *rest) {
  until((const char *)rest);
  pthread_mutex_lock(&printing);
  has_come = 1;
  pthread_mutex_unlock(&printing);
  return NULL;
}

static size_t fetch_ends(pushcore_batch *batch, uint64_t timeout_ms) {
  static pushcore_result results[MOST];
  pushcore_error *error = NULL, *failure = NULL;
  size_t got, i;
  OK(pushcore_batch_wait(batch, timeout_ms, results, MOST, &got, &error));
  for (i = 0; i < got; i++) {
    failure = NULL;
    if (results[i].status != PUSHCORE_OK) OK(pushcore_batch_error(batch, i, &failure, &error));
    ended(results[i].user_data, results[i].status == PUSHCORE_OK ? pushcore_outcome_name(results[i].outcome) : pushcore_status_name(results[i].status), failure);
  }
  return got;
}

/* A single send of the blocking client cannot be left: what can be cancelled is a message of a batch. */
static void together_cancelled(size_t count, const char *rest) {
  pushcore_error *error = NULL;
  pushcore_batch *batch = NULL;
  pthread_t waiting;
  uint64_t tickets[64];
  size_t i, now_taken, got, all = 0;
  int come = 0;
  bool cancelled = false;
  CHECK(count <= 64);
  OK(pushcore_batch_new(client, count, &batch, &error));
  for (i = 0; i < count; i++) {
    const pushcore_message *made = message(following - count + i);
    uint64_t number = following - count + i;
    OK(pushcore_batch_submit_messages(batch, &made, &number, 1, NULL, &now_taken, &error));
    CHECK(now_taken == 1);
    OK(pushcore_batch_tickets(batch, &tickets[i], 1, &got, &error));
    CHECK(got == 1);
    pushcore_message_free((pushcore_message *)(size_t)made);
  }
  CHECK(pthread_create(&waiting, NULL, wait_for, (void *)(size_t)rest) == 0);
  while (!come) {
    all += fetch_ends(batch, 10);
    pthread_mutex_lock(&printing);
    come = has_come;
    pthread_mutex_unlock(&printing);
  }
  CHECK(pthread_join(waiting, NULL) == 0);
  /* Those that wait first: the end of one in flight would make room for them. */
  for (i = count; i-- > 0;) {
    OK(pushcore_batch_cancel(batch, tickets[i], &cancelled, &error));
    CHECK(cancelled);
  }
  while (all < count) all += fetch_ends(batch, 1000);
  pushcore_batch_free(batch);
}

static void together(size_t count, const char *rest) {
  pthread_t *threads = (pthread_t *)malloc(count * sizeof *threads);
  pushcore_error *error = NULL;
  size_t i;
  bool closed = false;
  if (!threads) exit(1);
  for (i = 0; i < count; i++) CHECK(pthread_create(&threads[i], NULL, one, (void *)(following - count + i)) == 0);
  if (*rest != '\n') {
    until(rest);
    OK(pushcore_client_close(client, 60000, &closed, &error));
    CHECK(closed);
  }
  for (i = 0; i < count; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  free(threads);
}

static void step(const char *what, size_t count, size_t fetch, unsigned long pause, const char *rest) {
  size_t i;
  following += count;
  if (strcmp(what, "bulk") == 0) bulk(count, count, 0, 0);
  else if (strcmp(what, "one_by_one") == 0)
    for (i = following - count; i < following; i++) one((void *)i);
  else if (strcmp(what, "together") == 0 || strcmp(what, "together_closed") == 0) together(count, rest);
  else if (strcmp(what, "together_cancelled") == 0) together_cancelled(count, rest);
  else if (strcmp(what, "bulk_left") == 0) bulk(count, fetch, 0, 1);
  else if (strcmp(what, "unfetched") == 0) bulk(count, fetch, pause, 0);
  else if (strcmp(what, "call") == 0)
    for (i = following - count; i < following; i++) call(i);
  else if (strcmp(what, "until") == 0) until(rest);
  else if (strcmp(what, "pause") == 0) pause_ms(pause);
  else die(__FILE__, __LINE__, what);
}

int main(void) {
  static char lines[64][LONGEST];
  pushcore_error *error = NULL;
  size_t count = 0, i;
  bool closed = false;
  network.struct_size = (uint32_t)sizeof network;
  http2.struct_size = (uint32_t)sizeof http2;
  while (fgets(lines[count], LONGEST, stdin) && strcmp(lines[count], "go\n") != 0) {
    char name[64], value[LONGEST];
    unsigned long long n;
    if (sscanf(lines[count], "option %63s %llu", name, &n) == 2) option(name, n);
    else if (sscanf(lines[count], "size %llu", &n) == 1) size = (size_t)n;
    else if (strncmp(lines[count], "step ", 5) == 0) CHECK(++count < 64);
    else if (sscanf(lines[count], "%63s %4095s", name, value) == 2) {
      char *place = strcmp(name, "key") == 0 ? key : strcmp(name, "account") == 0 ? account : strcmp(name, "ca") == 0 ? ca : proxy;
      if (strcmp(name, "service") == 0) snprintf(kind, sizeof kind, "%.31s", value);
      else if (strcmp(name, "host") == 0) snprintf(host, sizeof host, "%.255s", value);
      else snprintf(place, LONGEST, "%s", value);
    } else die(__FILE__, __LINE__, lines[count]);
  }
  open_client();
  for (i = 0; i < count; i++) {
    char what[64];
    size_t n, fetch;
    unsigned long pause;
    int rest = 0;
    CHECK(sscanf(lines[i], "step %63s %zu %zu %lu%n", what, &n, &fetch, &pause, &rest) == 4);
    step(what, n, fetch, pause, lines[i] + rest + (lines[i][rest] == ' '));
  }
  OK(pushcore_client_close(client, 60000, &closed, &error));
  printf("done\n");
  pushcore_client_free(client);
  pushcore_template_free(campaign);
  pushcore_endpoint_policy_free(policy);
  return pushcore_live_handles() == 0 ? 0 : 1;
}
