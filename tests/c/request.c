/*
 * Builds an APNs request from C and prints it: method, authority, path, headers, body.
 * Compiles as C99 and as C++17. Usage: request KEY.p8
 * Prints the request, then a line for each misuse that has to fail, then "ok".
 */
#include <pushcore.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pushcore_view text(const char *s) {
  pushcore_view v;
  v.data = (const uint8_t *)s;
  v.len = strlen(s);
  return v;
}

static void show(const char *name, pushcore_view v) { printf("%s: %.*s\n", name, (int)v.len, (const char *)v.data); }

static int failures = 0;

/* Expects `status`, and an error object that says the same. */
static void expect(const char *what, pushcore_status got, pushcore_status status, pushcore_error **error) {
  pushcore_view message = pushcore_error_message(*error);
  printf("%s -> %d %.*s\n", what, (int)got, (int)message.len, (const char *)message.data);
  if (got != status || pushcore_error_code(*error) != status || message.len == 0) {
    printf("FAILED: expected %d\n", (int)status);
    failures++;
  }
  pushcore_error_free(*error);
  *error = NULL;
}

static const char TOKEN[] = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";

int main(int argc, char **argv) {
  static uint8_t key[16384];
  FILE *file;
  size_t n, i;
  pushcore_view p8, name, value;
  pushcore_apns_credentials *credentials = NULL;
  pushcore_apns_message *message = NULL;
  pushcore_request *request = NULL;
  pushcore_error *error = NULL;
  pushcore_apns_message_options options;
  pushcore_now now;
  pushcore_status status;

  if (argc != 2 || (file = fopen(argv[1], "rb")) == NULL) return 2;
  n = fread(key, 1, sizeof key, file);
  fclose(file);
  p8.data = key;
  p8.len = n;

  if (pushcore_abi_version() != PUSHCORE_ABI_VERSION) return 3;
  show("version", pushcore_version());

  status = pushcore_apns_credentials_new(p8, text("ABC123DEFG"), text("DEF123GHIJ"), &credentials, &error);
  if (status != PUSHCORE_OK) {
    show("error", pushcore_error_message(error));
    return 4;
  }
  memset(&options, 0, sizeof options);
  options.struct_size = (uint32_t)sizeof options;
  options.push_type = text("alert");
  options.device_token = text(TOKEN);
  options.topic = text("com.example.app");
  options.payload = text("{\"aps\":{\"alert\":{\"title\":\"Hello\",\"body\":\"from C\"},\"sound\":\"default\"}}");
  options.collapse_id = text("greeting");
  status = pushcore_apns_message_new(&options, &message, &error);
  if (status != PUSHCORE_OK) {
    show("error", pushcore_error_message(error));
    return 5;
  }
  now.monotonic_ms = 0;
  now.unix_ms = 1795000000000u;
  status = pushcore_apns_request(message, credentials, true, now, &request, &error);
  if (status != PUSHCORE_OK) {
    show("error", pushcore_error_message(error));
    return 6;
  }
  show("method", pushcore_request_method(request));
  show("authority", pushcore_request_authority(request));
  show("path", pushcore_request_path(request));
  for (i = 0; i < pushcore_request_header_count(request); i++) {
    if (pushcore_request_header_at(request, i, &name, &value) != PUSHCORE_OK) return 7;
    printf("header %.*s: %.*s\n", (int)name.len, (const char *)name.data, (int)value.len, (const char *)value.data);
  }
  show("body", pushcore_request_body(request));
  if (pushcore_request_header_at(request, 1000, &name, &value) != 800) failures++;
  pushcore_request_free(request);
  pushcore_apns_message_free(message);

  error = NULL;
  /* What has to fail, with the number that every language uses. */
  message = NULL;
  options.device_token = text("not hex");
  expect("token that is not hex", pushcore_apns_message_new(&options, &message, &error), 200, &error);
  options.device_token = text(TOKEN);
  options.struct_size = 4;
  expect("struct_size too small", pushcore_apns_message_new(&options, &message, &error), 800, &error);
  options.struct_size = (uint32_t)sizeof options;
  options.payload = text("{\"aps\":");
  expect("payload not json", pushcore_apns_message_new(&options, &message, &error), 203, &error);
  options.payload = text("{\"aps\":{}}");
  options.payload.data = NULL;
  expect("null data", pushcore_apns_message_new(&options, &message, &error), PUSHCORE_NULL_ARGUMENT, &error);
  options.payload = text("{\"aps\":{}}");
  options.payload.len = SIZE_MAX;
  expect("impossible length", pushcore_apns_message_new(&options, &message, &error), PUSHCORE_INVALID_LENGTH, &error);
  expect("null options", pushcore_apns_message_new(NULL, &message, &error), PUSHCORE_NULL_ARGUMENT, &error);
  expect("null message", pushcore_apns_request(NULL, credentials, false, now, &request, &error),
         PUSHCORE_NULL_ARGUMENT, &error);
  p8 = text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  {
    pushcore_apns_credentials *none = NULL;
    expect("broken key", pushcore_apns_credentials_new(p8, text("ABC123DEFG"), text("DEF123GHIJ"), &none, &error), 100,
           &error);
    if (none != NULL) failures++;
  }
  if (pushcore_apns_message_new(NULL, NULL, NULL) != PUSHCORE_NULL_ARGUMENT) failures++;
  if (message != NULL) failures++;
  pushcore_error_free(NULL);
  pushcore_request_free(NULL);
  pushcore_apns_message_free(NULL);
  pushcore_apns_credentials_free(credentials);
  if (failures) return 1;
  puts("ok");
  return 0;
}
