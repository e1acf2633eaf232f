/*
 * pushcore: speaks every push service correctly.
 *
 * Generated from ffi/src by cbindgen; `make header` writes it, a test compares it.
 *
 * The rules:
 *  - Handles are opaque: made by `..._new`, given back by `..._free` (NULL is fine there).
 *  - A function returns a pushcore_status: PUSHCORE_OK (0) or the number of an error kind, the same
 *    in every language. Outputs are the last arguments and are written only on PUSHCORE_OK.
 *  - Text and bytes go as (data, len) views; nothing is NUL-terminated. A view that a handle hands
 *    out is valid until the next call on that handle that is not const, or its free.
 *  - `error` may be NULL. When it is not, it receives an object on failure, to be freed.
 *  - Option structs begin with struct_size: set it to sizeof; zero in every other field is its default.
 *  - A handle may move between threads but must not be used by two at once. Credentials are
 *    immutable and may be shared.
 *  - After PUSHCORE_PANIC (a bug of ours) the only legal call on the handle is its free.
 */

#ifndef PUSHCORE_H
#define PUSHCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#define PUSHCORE_VERSION "0.1.0"
/* Raised when something that existed changes; additions do not raise it. */
#define PUSHCORE_ABI_VERSION 1

/* A pushcore_status that is not the number of an error kind. */
#define PUSHCORE_OK 0
#define PUSHCORE_NULL_ARGUMENT 810
#define PUSHCORE_INVALID_LENGTH 811
#define PUSHCORE_PANIC 901


/*
 A signing key with its id and its team's. Immutable; may be shared between threads.
 */
typedef struct pushcore_apns_credentials pushcore_apns_credentials;

/*
 One push to one device.
 */
typedef struct pushcore_apns_message pushcore_apns_message;

/*
 Why a call failed.
 */
typedef struct pushcore_error pushcore_error;

/*
 One HTTPS request, complete.
 */
typedef struct pushcore_request pushcore_request;

/*
 Bytes that somebody else owns.
 */
typedef struct pushcore_view {
  /*
   The first byte; may be NULL when `len` is 0.
   */
  const uint8_t *data;
  /*
   The number of bytes.
   */
  size_t len;
} pushcore_view;

/*
 PUSHCORE_OK, the number of an error kind, or one of the PUSHCORE_ numbers of the ABI itself.
 */
typedef int32_t pushcore_status;

/*
 The fields of a push. Zero (an empty view) leaves an optional field out.
 */
typedef struct pushcore_apns_message_options {
  /*
   sizeof(pushcore_apns_message_options).
   */
  uint32_t struct_size;
  /*
   1, 5 or 10; 0 is the push type's own default.
   */
  uint32_t priority;
  /*
   "alert", "background", "voip" ... (required).
   */
  struct pushcore_view push_type;
  /*
   The device token in hex (required).
   */
  struct pushcore_view device_token;
  /*
   The topic with the push type's suffix (required).
   */
  struct pushcore_view topic;
  /*
   The payload, a JSON object (required).
   */
  struct pushcore_view payload;
  /*
   A UUID in canonical form.
   */
  struct pushcore_view apns_id;
  /*
   At most 64 bytes.
   */
  struct pushcore_view collapse_id;
} pushcore_apns_message_options;

/*
 The time on the caller's clocks.
 */
typedef struct pushcore_now {
  /*
   Milliseconds since an epoch of the caller's choice; never goes backwards.
   */
  uint64_t monotonic_ms;
  /*
   Milliseconds since 1970-01-01 UTC.
   */
  uint64_t unix_ms;
} pushcore_now;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 The version of the library, e.g. "0.1.0".
 */
struct pushcore_view pushcore_version(void);

/*
 The version of the ABI that the library was built with; compare it with PUSHCORE_ABI_VERSION.
 */
uint32_t pushcore_abi_version(void);

/*
 Reads a `.p8` file's content. Key id and team id have 10 characters.

 # Safety
 The views are readable; `out` is writable; `error` is NULL or writable.
 */
pushcore_status pushcore_apns_credentials_new(struct pushcore_view p8,
                                              struct pushcore_view key_id,
                                              struct pushcore_view team_id,
                                              struct pushcore_apns_credentials **out,
                                              struct pushcore_error **error);

/*
 Gives the credentials back.

 # Safety
 `credentials` is NULL or live; it is dead afterwards.
 */
void pushcore_apns_credentials_free(struct pushcore_apns_credentials *credentials);

/*
 Builds a message. Everything that APNs would refuse is refused here, with Apple's own reason.

 # Safety
 `options` is readable for its `struct_size`, its views are readable; `out` is writable; `error` is
 NULL or writable.
 */
pushcore_status pushcore_apns_message_new(const struct pushcore_apns_message_options *options,
                                          struct pushcore_apns_message **out,
                                          struct pushcore_error **error);

/*
 Gives the message back.

 # Safety
 `message` is NULL or live; it is dead afterwards.
 */
void pushcore_apns_message_free(struct pushcore_apns_message *message);

/*
 The HTTP/2 request that sends the message to APNs, for any HTTP client: production, or Apple's
 sandbox when `sandbox` is true.

 # Safety
 The handles are live; `out` is writable; `error` is NULL or writable.
 */
pushcore_status pushcore_apns_request(const struct pushcore_apns_message *message,
                                      const struct pushcore_apns_credentials *credentials,
                                      bool sandbox,
                                      struct pushcore_now now,
                                      struct pushcore_request **out,
                                      struct pushcore_error **error);

/*
 The status that the failed call returned; PUSHCORE_NULL_ARGUMENT for NULL.

 # Safety
 `error` is NULL or a live error object.
 */
pushcore_status pushcore_error_code(const struct pushcore_error *error);

/*
 Returns what to fix, in one lower-case line; empty for NULL. Holds no secret and no device token.

 # Safety
 `error` is NULL or a live error object.
 */
struct pushcore_view pushcore_error_message(const struct pushcore_error *error);

/*
 Gives the object back.

 # Safety
 `error` is NULL or a live error object; it is dead afterwards.
 */
void pushcore_error_free(struct pushcore_error *error);

/*
 "POST", "GET" ...; empty for NULL.

 # Safety
 `request` is NULL or a live request.
 */
struct pushcore_view pushcore_request_method(const struct pushcore_request *request);

/*
 Host, with the port unless it is 443; empty for NULL.

 # Safety
 `request` is NULL or a live request.
 */
struct pushcore_view pushcore_request_authority(const struct pushcore_request *request);

/*
 Path and query, percent-encoded; empty for NULL.

 # Safety
 `request` is NULL or a live request.
 */
struct pushcore_view pushcore_request_path(const struct pushcore_request *request);

/*
 The body; empty for NULL.

 # Safety
 `request` is NULL or a live request.
 */
struct pushcore_view pushcore_request_body(const struct pushcore_request *request);

/*
 The number of headers; 0 for NULL.

 # Safety
 `request` is NULL or a live request.
 */
size_t pushcore_request_header_count(const struct pushcore_request *request);

/*
 A header by its position, 0 to count - 1. Misuse (800) when there is none at `index`.

 # Safety
 `request` is NULL or a live request; `name` and `value` are NULL or writable.
 */
pushcore_status pushcore_request_header_at(const struct pushcore_request *request,
                                           size_t index,
                                           struct pushcore_view *name,
                                           struct pushcore_view *value);

/*
 Gives the request back.

 # Safety
 `request` is NULL or a live request; it is dead afterwards.
 */
void pushcore_request_free(struct pushcore_request *request);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PUSHCORE_H */
