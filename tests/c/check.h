/* What the C tests have in common. */
#ifndef CHECK_H
#define CHECK_H

#include <pushcore.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline pushcore_view text(const char *s) {
  pushcore_view v;
  v.data = (const uint8_t *)s;
  v.len = s ? strlen(s) : 0;
  return v;
}

static inline int is(pushcore_view v, const char *s) { return v.len == strlen(s) && (v.len == 0 || memcmp(v.data, s, v.len) == 0); }

static inline int holds(pushcore_view v, const char *s) {
  size_t n = strlen(s), i;
  for (i = 0; i + n <= v.len; i++)
    if (memcmp(v.data + i, s, n) == 0) return 1;
  return 0;
}

static inline void die(const char *file, int line, const char *what) {
  fprintf(stderr, "FAILED %s:%d: %s\n", file, line, what);
  exit(1);
}

static inline void die_of(const char *file, int line, const char *what, pushcore_status status, pushcore_error *error) {
  pushcore_view m = pushcore_error_message(error), n = pushcore_status_name(status);
  fprintf(stderr, "%d %.*s: %.*s\n", (int)status, (int)n.len, (const char *)n.data, (int)m.len, (const char *)m.data);
  die(file, line, what);
}

#define CHECK(condition) \
  do { \
    if (!(condition)) die(__FILE__, __LINE__, #condition); \
  } while (0)

/* A call that has to work; `error` is declared where it is used. */
#define OK(call) \
  do { \
    pushcore_status status_ = (call); \
    if (status_ != PUSHCORE_OK) die_of(__FILE__, __LINE__, #call, status_, error); \
  } while (0)

/* A call that has to fail with this status and an error object that says the same. */
#define FAILS(expected, call) \
  do { \
    pushcore_status status_ = (call); \
    if (status_ != (expected)) die_of(__FILE__, __LINE__, #call, status_, error); \
    CHECK(pushcore_error_code(error) == (expected)); \
    CHECK(pushcore_error_message(error).len > 0); \
    pushcore_error_free(error); \
    error = NULL; \
  } while (0)

static inline pushcore_view read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  uint8_t *data = (uint8_t *)malloc(65536);
  pushcore_view v;
  if (!file || !data) die(__FILE__, __LINE__, path);
  v.len = fread(data, 1, 65536, file);
  v.data = data;
  fclose(file);
  return v;
}

static inline void free_file(pushcore_view v) { free((void *)(size_t)v.data); }

/* A member of the sandbox's ready line, as with_sandbox.py puts it into the environment. */
static inline const char *sandbox(const char *name) {
  const char *value = getenv(name);
  if (!value) die(__FILE__, __LINE__, name);
  return value;
}

#endif
