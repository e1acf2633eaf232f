/*
 * Sends one message to many devices and says what became of each, with bounded memory.
 *
 *   bulk AuthKey.p8 KEY_ID TEAM_ID TOPIC tokens.txt [HOST:PORT CA.pem]
 *
 * Tokens are one a line. The last two are for a sandbox: without them it sends to Apple's production. Dead tokens go to standard output, one
 * a line, to be deleted; the summary goes to standard error.
 */
#include "common.h"

#define MOST 512

int main(int argc, char **argv) {
  pushcore_error *error = NULL;
  pushcore_client *client = NULL;
  pushcore_batch *batch = NULL;
  pushcore_network_options network;
  pushcore_progress progress;
  static pushcore_result results[MOST];
  pushcore_service *service;
  pushcore_template *message;
  pushcore_view *tokens;
  size_t count, taken = 0, now_taken, ended = 0, got, i;
  bool closed = false;

  if (argc != 6 && argc != 8) {
    fprintf(stderr, "usage: bulk AuthKey.p8 KEY_ID TEAM_ID TOPIC tokens.txt [HOST:PORT CA.pem]\n");
    return 2;
  }
  service = apns(argv[1], argv[2], argv[3], argc == 8 ? argv[6] : NULL);
  message = greeting(argv[4]);
  tokens = lines_of(read_file(argv[5]), &count);
  memset(&network, 0, sizeof network);
  network.struct_size = (uint32_t)sizeof network;
  if (argc == 8) network.ca = read_file(argv[7]);
  must(pushcore_client_new(service, &network, &client, &error), error, "client");
  must(pushcore_batch_new(client, count, &batch, &error), error, "batch");

  while (ended < count) {
    if (taken < count) {
      /* As many as there is room for; without numbers of ours, user_data is the index of the token. */
      must(pushcore_batch_submit(batch, message, tokens + taken, NULL, count - taken, NULL, &now_taken, &error), error, "submit");
      taken += now_taken;
      if (taken == count) must(pushcore_batch_finish(batch, &error), error, "finish");
    }
    must(pushcore_batch_wait(batch, 1000, results, MOST, &got, &error), error, "wait");
    for (i = 0; i < got; i++) {
      const pushcore_result *result = &results[i];
      pushcore_view token = tokens[result->user_data];
      if (result->status != PUSHCORE_OK) {
        pushcore_view name = pushcore_status_name(result->status);
        fprintf(stderr, "token %llu: %.*s\n", (unsigned long long)result->user_data, (int)name.len, (const char *)name.data);
      } else if (result->outcome == PUSHCORE_OUTCOME_TOKEN_GONE) {
        printf("%.*s\n", (int)token.len, (const char *)token.data);
      } else if (result->outcome != PUSHCORE_OUTCOME_ACCEPTED) {
        /* The texts exist only when they are asked for. */
        pushcore_outcome *outcome = NULL;
        must(pushcore_batch_outcome(batch, i, &outcome, &error), error, "outcome");
        fprintf(stderr, "token %llu: %.*s\n", (unsigned long long)result->user_data, (int)pushcore_outcome_advice(outcome).len,
                (const char *)pushcore_outcome_advice(outcome).data);
        pushcore_outcome_free(outcome);
      }
    }
    ended += got;
  }
  memset(&progress, 0, sizeof progress);
  progress.struct_size = (uint32_t)sizeof progress;
  must(pushcore_batch_progress(batch, &progress, &error), error, "progress");
  fprintf(stderr, "%llu accepted, %llu gone, %llu mismatched, %llu later, %llu rejected, %llu not sent, %llu unknown, of %llu in %llu ms\n",
          (unsigned long long)progress.accepted, (unsigned long long)progress.token_gone, (unsigned long long)progress.token_mismatch,
          (unsigned long long)progress.retry_later, (unsigned long long)(progress.rejected + progress.fix_credentials),
          (unsigned long long)progress.not_sent, (unsigned long long)progress.unknown, (unsigned long long)progress.taken,
          (unsigned long long)progress.elapsed_ms);
  pushcore_batch_free(batch);
  must(pushcore_client_close(client, 5000, &closed, &error), error, "close");
  pushcore_client_free(client);
  pushcore_template_free(message);
  pushcore_service_free(service);
  return progress.ended == count ? 0 : 1;
}
