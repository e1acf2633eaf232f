/*
 * pushcore writes the requests and reads the answers (L1), libcurl carries them: for programs that have an HTTP client already.
 *
 *   curl AuthKey.p8 KEY_ID TEAM_ID TOPIC tokens.txt [HOST:PORT CA.pem]
 *
 * Compile with -lcurl. The minimal build of libpushcore is enough.
 */
#include "common.h"

#include <curl/curl.h>
#include <time.h>

#define AT_ONCE 100

struct push {
  CURL *easy;
  struct curl_slist *headers;
  pushcore_message *message;
  pushcore_request *request;
  pushcore_response *response;
  char *body;
  size_t body_len;
  size_t index;
};

static pushcore_error *error;

/* One pair of clocks for the whole program, because the age of a token is measured by the first. */
static pushcore_now now(void) {
  struct timespec monotonic, real;
  pushcore_now made;
  clock_gettime(CLOCK_MONOTONIC, &monotonic);
  clock_gettime(CLOCK_REALTIME, &real);
  made.monotonic_ms = (uint64_t)monotonic.tv_sec * 1000 + (uint64_t)monotonic.tv_nsec / 1000000;
  made.unix_ms = (uint64_t)real.tv_sec * 1000 + (uint64_t)real.tv_nsec / 1000000;
  return made;
}

static size_t keep_body(char *data, size_t size, size_t n, void *user) {
  struct push *push = (struct push *)user;
  size_t len = size * n;
  char *grown = (char *)realloc(push->body, push->body_len + len);
  if (!grown) return 0;
  memcpy(grown + push->body_len, data, len);
  push->body = grown;
  push->body_len += len;
  return len;
}

/* The request of pushcore as a transfer of libcurl. */
static void begin(CURLM *multi, struct push *push, const pushcore_service *service, const char *ca) {
  size_t i;
  pushcore_view name, value, body;
  char url[2048], line[4096];
  must(pushcore_service_request(service, push->message, now(), &push->request, &error), error, "request");
  push->easy = curl_easy_init();
  snprintf(url, sizeof url, "%.*s", (int)pushcore_request_url(push->request).len, (const char *)pushcore_request_url(push->request).data);
  for (i = 0; i < pushcore_request_header_count(push->request); i++) {
    pushcore_request_header_at(push->request, i, &name, &value);
    snprintf(line, sizeof line, "%.*s: %.*s", (int)name.len, (const char *)name.data, (int)value.len, (const char *)value.data);
    push->headers = curl_slist_append(push->headers, line);
  }
  body = pushcore_request_body(push->request);
  curl_easy_setopt(push->easy, CURLOPT_URL, url);
  curl_easy_setopt(push->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  curl_easy_setopt(push->easy, CURLOPT_PIPEWAIT, 1L);
  curl_easy_setopt(push->easy, CURLOPT_HTTPHEADER, push->headers);
  curl_easy_setopt(push->easy, CURLOPT_POSTFIELDSIZE, (long)body.len);
  curl_easy_setopt(push->easy, CURLOPT_POSTFIELDS, (const char *)body.data);
  curl_easy_setopt(push->easy, CURLOPT_WRITEFUNCTION, keep_body);
  curl_easy_setopt(push->easy, CURLOPT_WRITEDATA, push);
  curl_easy_setopt(push->easy, CURLOPT_PRIVATE, push);
  if (ca) curl_easy_setopt(push->easy, CURLOPT_CAINFO, ca);
  curl_multi_add_handle(multi, push->easy);
}

/* What the answer means. */
static uint32_t end(CURLM *multi, struct push *push, const pushcore_service *service, CURLcode code) {
  long status = 0;
  uint32_t kind = 0;
  pushcore_outcome *outcome = NULL;
  pushcore_view body;
  curl_easy_getinfo(push->easy, CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_OK) {
    body.data = (const uint8_t *)push->body;
    body.len = push->body_len;
    must(pushcore_response_new((uint16_t)status, body, &push->response, &error), error, "response");
    must(pushcore_service_outcome(service, push->message, push->response, now(), &outcome, &error), error, "outcome");
    kind = pushcore_outcome_kind(outcome);
  } else {
    fprintf(stderr, "push %lu: %s\n", (unsigned long)push->index, curl_easy_strerror(code));
  }
  pushcore_outcome_free(outcome);
  pushcore_response_free(push->response);
  pushcore_request_free(push->request);
  pushcore_message_free(push->message);
  curl_multi_remove_handle(multi, push->easy);
  curl_easy_cleanup(push->easy);
  curl_slist_free_all(push->headers);
  free(push->body);
  free(push);
  return kind;
}

int main(int argc, char **argv) {
  pushcore_service *service;
  pushcore_template *message;
  pushcore_view *tokens;
  size_t count, next = 0, ended = 0, accepted = 0, gone = 0, flying = 0;
  CURLM *multi;

  if (argc != 6 && argc != 8) {
    fprintf(stderr, "usage: curl AuthKey.p8 KEY_ID TEAM_ID TOPIC tokens.txt [HOST:PORT CA.pem]\n");
    return 2;
  }
  service = apns(argv[1], argv[2], argv[3], argc == 8 ? argv[6] : NULL);
  message = greeting(argv[4]);
  tokens = lines_of(read_file(argv[5]), &count);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 1L);
  while (ended < count) {
    int running = 0, left = 0;
    CURLMsg *news;
    while (next < count && flying < AT_ONCE) {
      struct push *push = (struct push *)calloc(1, sizeof *push);
      pushcore_target *target = NULL;
      if (!push) return 1;
      push->index = next;
      must(pushcore_target_parse(PUSHCORE_SERVICE_APNS, tokens[next++], NULL, &target, &error), error, "token");
      must(pushcore_template_to(message, target, &push->message, &error), error, "message");
      pushcore_target_free(target);
      begin(multi, push, service, argc == 8 ? argv[7] : NULL);
      flying++;
    }
    curl_multi_perform(multi, &running);
    curl_multi_poll(multi, NULL, 0, 1000, NULL);
    while ((news = curl_multi_info_read(multi, &left)) != NULL) {
      struct push *push = NULL;
      uint32_t kind;
      if (news->msg != CURLMSG_DONE) continue;
      curl_easy_getinfo(news->easy_handle, CURLINFO_PRIVATE, (char **)&push);
      kind = end(multi, push, service, news->data.result);
      accepted += kind == PUSHCORE_OUTCOME_ACCEPTED;
      gone += kind == PUSHCORE_OUTCOME_TOKEN_GONE;
      ended++;
      flying--;
    }
  }
  fprintf(stderr, "%lu accepted, %lu gone, of %lu\n", (unsigned long)accepted, (unsigned long)gone, (unsigned long)ended);
  curl_multi_cleanup(multi);
  curl_global_cleanup();
  pushcore_template_free(message);
  pushcore_service_free(service);
  return accepted + gone == count ? 0 : 1;
}
