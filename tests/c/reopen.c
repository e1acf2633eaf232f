/* dlopen, a call and dlclose, a hundred times. Usage: reopen LIBRARY KEY.p8 */
#include "check.h"

#include <dlfcn.h>

typedef pushcore_status (*read_key)(pushcore_view, pushcore_signing_key **, pushcore_error **);
typedef void (*free_key)(pushcore_signing_key *);
typedef void (*free_error)(pushcore_error *);

int main(int argc, char **argv) {
  pushcore_view key;
  int i;
  if (argc != 3) return 2;
  key = read_file(argv[2]);
  for (i = 0; i < 100; i++) {
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    pushcore_signing_key *made = NULL;
    pushcore_error *error = NULL;
    read_key read_;
    free_key free_;
    free_error free_error_;
    if (!library) die(__FILE__, __LINE__, dlerror());
    /* ISO C has no conversion from an object pointer to a function pointer; POSIX demands that this one works. */
    *(void **)&read_ = dlsym(library, "pushcore_signing_key_read");
    *(void **)&free_ = dlsym(library, "pushcore_signing_key_free");
    *(void **)&free_error_ = dlsym(library, "pushcore_error_free");
    if (!read_ || !free_ || !free_error_) die(__FILE__, __LINE__, "dlsym");
    if (read_(key, &made, &error) != PUSHCORE_OK) die(__FILE__, __LINE__, "the key does not read");
    free_(made);
    if (read_(text("x"), &made, &error) != PUSHCORE_ERROR_INVALID_KEY) die(__FILE__, __LINE__, "nonsense reads");
    free_error_(error);
    dlclose(library);
  }
  free_file(key);
  puts("ok");
  return 0;
}
