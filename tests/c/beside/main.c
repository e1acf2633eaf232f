/* Two static libraries that are both written in Rust, in one program. */
#include "../check.h"

int other_count(void);

int main(void) {
  pushcore_error *error = NULL;
  pushcore_receiver_keys *keys = NULL;
  CHECK(other_count() == 1);
  OK(pushcore_receiver_keys_generate(&keys, &error));
  FAILS(PUSHCORE_ERROR_INVALID_KEY, pushcore_receiver_keys_import(text("x"), text("y"), &keys, &error));
  pushcore_receiver_keys_free(keys);
  CHECK(other_count() == 2);
  puts("ok");
  return 0;
}
