/* What the examples have in common: views, files, one line for each failure. */
#ifndef COMMON_H
#define COMMON_H

#include <pushcore.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline pushcore_view text(const char *s) {
  pushcore_view v;
  v.data = (const uint8_t *)s;
  v.len = strlen(s);
  return v;
}

/* Ends the program when a call has failed. */
static inline void must(pushcore_status status, pushcore_error *error, const char *what) {
  pushcore_view name, message;
  if (status == PUSHCORE_OK) return;
  name = pushcore_status_name(status);
  message = pushcore_error_message(error);
  fprintf(stderr, "%s: %.*s: %.*s\n", what, (int)name.len, (const char *)name.data, (int)message.len, (const char *)message.data);
  exit(1);
}

/* A whole file, which is never freed: the lines of a file of tokens stay where they are. */
static inline pushcore_view read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  size_t room = 1 << 16, n;
  uint8_t *data = (uint8_t *)malloc(room);
  pushcore_view v;
  v.len = 0;
  if (!file || !data) {
    perror(path);
    exit(1);
  }
  while ((n = fread(data + v.len, 1, room - v.len, file)) > 0) {
    v.len += n;
    if (v.len == room && !(data = (uint8_t *)realloc(data, room *= 2))) exit(1);
  }
  fclose(file);
  v.data = data;
  return v;
}

/* The lines of a file as views into it. */
static inline pushcore_view *lines_of(pushcore_view file, size_t *count) {
  size_t begin = 0, i, all = 0;
  pushcore_view *lines;
  for (i = 0; i < file.len; i++) all += file.data[i] == '\n';
  lines = (pushcore_view *)malloc((all + 1) * sizeof *lines);
  if (!lines) exit(1);
  *count = 0;
  for (i = 0; i < file.len; i++) {
    if (file.data[i] != '\n') continue;
    lines[*count].data = file.data + begin;
    lines[*count].len = i - begin;
    *count += 1;
    begin = i + 1;
  }
  return lines;
}

/* The APNs service that the first arguments describe: KEY.p8 KEY_ID TEAM_ID; `host` is NULL for Apple's production. */
static inline pushcore_service *apns(const char *key, const char *key_id, const char *team_id, const char *host) {
  pushcore_service *service = NULL;
  pushcore_error *error = NULL;
  pushcore_apns_service_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = (uint32_t)sizeof options;
  options.credentials = PUSHCORE_APNS_SIGNING_KEY;
  options.key = read_file(key);
  options.key_id = text(key_id);
  options.team_id = text(team_id);
  if (host) options.host = text(host);
  must(pushcore_apns_service_new(&options, &service, &error), error, key);
  return service;
}

/* A greeting to every device of an app. */
static inline pushcore_template *greeting(const char *topic) {
  pushcore_template *made = NULL;
  pushcore_error *error = NULL;
  char json[512];
  snprintf(json, sizeof json, "{\"push_type\":\"alert\",\"topic\":\"%s\",\"payload\":{\"aps\":{\"alert\":{\"title\":\"Hello\",\"body\":\"from C\"}}}}", topic);
  must(pushcore_template_from_json(PUSHCORE_SERVICE_APNS, text(json), &made, &error), error, "template");
  return made;
}

#endif
