/*
 * Web Push in an app: makes the keys of a subscription, or decrypts what arrived.
 *
 *   receiver new KEYS ENDPOINT          writes the keys to KEYS, prints the subscription for the app's server
 *   receiver decrypt KEYS < body        prints what a push in the encoding aes128gcm says
 *
 * The minimal build of libpushcore is enough.
 */
#include "common.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static pushcore_error *error;

static int make(const char *path, const char *endpoint) {
  pushcore_receiver_keys *keys = NULL;
  pushcore_bytes *private_key = NULL, *auth = NULL, *subscription = NULL;
  pushcore_view v;
  FILE *file;
  int fd;
  must(pushcore_receiver_keys_generate(&keys, &error), error, "keys");
  must(pushcore_receiver_keys_export(keys, &private_key, &error), error, "export");
  must(pushcore_receiver_keys_auth(keys, &auth, &error), error, "auth");
  must(pushcore_receiver_keys_subscription(keys, text(endpoint), &subscription, &error), error, "subscription");
  /* For nobody else to read: this file decrypts. */
  fd = open(path, O_WRONLY | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
  if (fd < 0 || !(file = fdopen(fd, "w"))) {
    perror(path);
    return 1;
  }
  v = pushcore_bytes_view(private_key);
  fprintf(file, "%.*s\n", (int)v.len, (const char *)v.data);
  v = pushcore_bytes_view(auth);
  fprintf(file, "%.*s\n", (int)v.len, (const char *)v.data);
  if (fclose(file) != 0) return 1;
  v = pushcore_bytes_view(subscription);
  printf("%.*s\n", (int)v.len, (const char *)v.data);
  pushcore_bytes_free(subscription);
  pushcore_bytes_free(auth);
  pushcore_bytes_free(private_key);
  pushcore_receiver_keys_free(keys);
  return 0;
}

static int decrypt(const char *path) {
  pushcore_receiver_keys *keys = NULL;
  pushcore_bytes *plain = NULL;
  static uint8_t body[8192];
  pushcore_view *lines, v;
  size_t count;
  lines = lines_of(read_file(path), &count);
  if (count != 2) {
    fprintf(stderr, "%s: not two lines\n", path);
    return 1;
  }
  must(pushcore_receiver_keys_import(lines[0], lines[1], &keys, &error), error, path);
  v.data = body;
  v.len = fread(body, 1, sizeof body, stdin);
  must(pushcore_receiver_keys_decrypt(keys, v, &plain, &error), error, "decrypt");
  v = pushcore_bytes_view(plain);
  fwrite(v.data, 1, v.len, stdout);
  pushcore_bytes_free(plain);
  pushcore_receiver_keys_free(keys);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 4 && strcmp(argv[1], "new") == 0) return make(argv[2], argv[3]);
  if (argc == 3 && strcmp(argv[1], "decrypt") == 0) return decrypt(argv[2]);
  fprintf(stderr, "usage: receiver new KEYS ENDPOINT | receiver decrypt KEYS < body\n");
  return 2;
}
