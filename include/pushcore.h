/*
 * pushcore: speaks every push service correctly.
 *
 * Generated from ffi/src by cbindgen; `make header` writes it, a test compares it.
 *
 * The rules:
 *  - Handles are opaque: made by `..._new` and its like, given back by `..._free` (NULL is fine there).
 *    A handle that was freed, or one of another type, is refused with PUSHCORE_ERROR_MISUSE.
 *  - A function returns a pushcore_status: PUSHCORE_OK (0), the number of an error kind
 *    (PUSHCORE_ERROR_...), the same in every language, or one of PUSHCORE_NULL_ARGUMENT,
 *    PUSHCORE_INVALID_LENGTH and PUSHCORE_PANIC. Outputs are the last arguments and are written only on
 *    PUSHCORE_OK.
 *  - Text and bytes go as (data, len) views; nothing is NUL-terminated. A view that a handle hands
 *    out is valid until the handle is freed, or until the next call that changes it (session,
 *    connection, response, dialect_job).
 *  - `error` may be NULL. When it is not, it receives an object on failure, to be freed.
 *  - Structs begin with struct_size: set it to sizeof and the rest to zero. A number for which zero is a
 *    value counts only when its bit is in `set`. Older and newer sizes both work: a field that this
 *    library does not know has to be zero.
 *  - Threads: a handle whose functions take it as `const` may be used by many threads at once; any
 *    other by one at a time, and by two at once is PUSHCORE_ERROR_MISUSE for one of them. Freeing a
 *    handle that another thread is in is safe: the last one out drops it.
 *  - After PUSHCORE_PANIC (a bug of ours) the handles that were in use can only be freed.
 */

#ifndef PUSHCORE_H
#define PUSHCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PUSHCORE_VERSION "0.1.0"
#define PUSHCORE_VERSION_MAJOR 0
#define PUSHCORE_VERSION_MINOR 1
#define PUSHCORE_VERSION_PATCH 0
/* Raised when something that existed changes; additions do not raise it. */
#define PUSHCORE_ABI_VERSION 1

/* The library comes in three builds. The whole one has everything. The minimal one has no clients, sessions, connections and
 * dialects: compile with PUSHCORE_MINIMAL. The receiver has the keys of Web Push subscriptions and decrypts: compile with PUSHCORE_RECEIVER. */
#ifndef PUSHCORE_RECEIVER
#define PUSHCORE_L1
#ifndef PUSHCORE_MINIMAL
#define PUSHCORE_NET
#define PUSHCORE_DIALECTS
#endif
#endif

/* A pushcore_status that is not the number of an error kind. */
#define PUSHCORE_OK 0
#define PUSHCORE_NULL_ARGUMENT 810
#define PUSHCORE_INVALID_LENGTH 811
#define PUSHCORE_PANIC 901

/* The kinds of errors, as docs/errors.md describes them. A number is never used again. */
#define PUSHCORE_ERROR_INVALID_KEY 100
#define PUSHCORE_ERROR_WRONG_KEY_TYPE 101
#define PUSHCORE_ERROR_WRONG_CURVE 102
#define PUSHCORE_ERROR_ENCRYPTED_KEY 103
#define PUSHCORE_ERROR_KEY_MISMATCH 104
#define PUSHCORE_ERROR_INVALID_CREDENTIAL 105
#define PUSHCORE_ERROR_WRONG_PASSWORD 106
#define PUSHCORE_ERROR_TOKEN_ENDPOINT_NOT_ALLOWED 107
#define PUSHCORE_ERROR_TOKEN_REFUSED 108
#define PUSHCORE_ERROR_TOKEN_ANSWER_INVALID 109
#define PUSHCORE_ERROR_TOKEN_NEEDED 110
#define PUSHCORE_ERROR_CREDENTIALS_REFUSED 111
#define PUSHCORE_ERROR_MIX_UP_SUSPECTED 112
#define PUSHCORE_ERROR_INVALID_TOKEN 200
#define PUSHCORE_ERROR_INVALID_TOPIC 201
#define PUSHCORE_ERROR_INVALID_HEADER 202
#define PUSHCORE_ERROR_INVALID_PAYLOAD 203
#define PUSHCORE_ERROR_PAYLOAD_TOO_LARGE 204
#define PUSHCORE_ERROR_PAYLOAD_EMPTY 205
#define PUSHCORE_ERROR_INVALID_UTF8 206
#define PUSHCORE_ERROR_INVALID_TARGET 207
#define PUSHCORE_ERROR_RESERVED_KEY 208
#define PUSHCORE_ERROR_INVALID_VALUE 209
#define PUSHCORE_ERROR_INVALID_SUBSCRIPTION 210
#define PUSHCORE_ERROR_ENDPOINT_NOT_ALLOWED 211
#define PUSHCORE_ERROR_CONFLICT 212
#define PUSHCORE_ERROR_INVALID_CONDITION 213
#define PUSHCORE_ERROR_MISSING_FIELD 214
#define PUSHCORE_ERROR_INVALID_CIPHERTEXT 215
#define PUSHCORE_ERROR_DECRYPTION_FAILED 216
#define PUSHCORE_ERROR_SUBSCRIPTION_REMOVED 217
#define PUSHCORE_ERROR_DUPLICATE_DEVICE 218
#define PUSHCORE_ERROR_CERTIFICATE_EXPIRED 300
#define PUSHCORE_ERROR_CERTIFICATE_NOT_YET_VALID 301
#define PUSHCORE_ERROR_CERTIFICATE_WRONG_NAME 302
#define PUSHCORE_ERROR_CERTIFICATE_UNKNOWN_ISSUER 303
#define PUSHCORE_ERROR_CERTIFICATE_INVALID 304
#define PUSHCORE_ERROR_NO_APPLICATION_PROTOCOL 305
#define PUSHCORE_ERROR_TLS_INCOMPATIBLE 306
#define PUSHCORE_ERROR_TLS_ALERT 307
#define PUSHCORE_ERROR_TLS_PROTOCOL 308
#define PUSHCORE_ERROR_CONNECT_REFUSED 400
#define PUSHCORE_ERROR_CONNECT_TIMEOUT 401
#define PUSHCORE_ERROR_NAME_NOT_RESOLVED 402
#define PUSHCORE_ERROR_ADDRESS_NOT_ALLOWED 403
#define PUSHCORE_ERROR_CONNECTION_LOST 404
#define PUSHCORE_ERROR_HTTP2_PROTOCOL 405
#define PUSHCORE_ERROR_HTTP1_PROTOCOL 406
#define PUSHCORE_ERROR_LIMIT_EXCEEDED 407
#define PUSHCORE_ERROR_GO_AWAY 408
#define PUSHCORE_ERROR_STREAM_RESET 409
#define PUSHCORE_ERROR_PROXY_REFUSED 410
#define PUSHCORE_ERROR_PEER_SILENT 411
#define PUSHCORE_ERROR_PAUSED 412
#define PUSHCORE_ERROR_OUT_OF_DESCRIPTORS 413
#define PUSHCORE_ERROR_NOT_SENT 500
#define PUSHCORE_ERROR_UNKNOWN 501
#define PUSHCORE_ERROR_EXPIRED 502
#define PUSHCORE_ERROR_CANCELLED 503
#define PUSHCORE_ERROR_MISUSE 800
#define PUSHCORE_ERROR_QUEUE_FULL 801
#define PUSHCORE_ERROR_CLOSED 802
#define PUSHCORE_ERROR_INTERNAL 900


#if defined(PUSHCORE_L1)
/*
 `ttl_s` is set.
 */
#define PUSHCORE_ADM_SET_TTL 1
#endif

#if defined(PUSHCORE_L1)
/*
 The device is woken for the message at once.
 */
#define PUSHCORE_ADM_HIGH_PRIORITY 1
#endif

#if defined(PUSHCORE_L1)
/*
 The message carries the MD5 of its data, which the app can check.
 */
#define PUSHCORE_ADM_WITH_MD5 2
#endif

#if defined(PUSHCORE_L1)
/*
 Makes a group of registrations.
 */
#define PUSHCORE_ADM_GROUP_CREATE 1
#endif

#if defined(PUSHCORE_L1)
/*
 Lets registrations join a group.
 */
#define PUSHCORE_ADM_GROUP_ADD 2
#endif

#if defined(PUSHCORE_L1)
/*
 Lets registrations leave a group.
 */
#define PUSHCORE_ADM_GROUP_REMOVE 3
#endif

#if defined(PUSHCORE_L1)
/*
 `expiration_s` is set; 0 there means one attempt, nothing stored.
 */
#define PUSHCORE_APNS_SET_EXPIRATION 1
#endif

#if defined(PUSHCORE_L1)
/*
 `badge` is set; 0 there takes the badge away.
 */
#define PUSHCORE_APNS_SET_BADGE 2
#endif

#if defined(PUSHCORE_L1)
/*
 `registered_ms` is set.
 */
#define PUSHCORE_APNS_SET_REGISTERED 4
#endif

#if defined(PUSHCORE_L1)
/*
 The app is woken in the background (`content-available`).
 */
#define PUSHCORE_APNS_CONTENT_AVAILABLE 1
#endif

#if defined(PUSHCORE_L1)
/*
 An extension of the app may change the notification (`mutable-content`).
 */
#define PUSHCORE_APNS_MUTABLE_CONTENT 2
#endif

#if defined(PUSHCORE_L1)
/*
 The credentials are a `.p8` signing key: `key`, `key_id`, `team_id`.
 */
#define PUSHCORE_APNS_SIGNING_KEY 1
#endif

#if defined(PUSHCORE_L1)
/*
 The credentials are a client certificate in PEM: `certificate`, and `key` unless `certificate` holds the key, too.
 */
#define PUSHCORE_APNS_CERTIFICATE 2
#endif

#if defined(PUSHCORE_L1)
/*
 The credentials are a client certificate in a PKCS#12 file: `certificate`, `password`.
 */
#define PUSHCORE_APNS_PKCS12 3
#endif

#if defined(PUSHCORE_L1)
/*
 The credentials are provider tokens that pushcore_service_supply_token hands in: `key_id`, `team_id`.
 */
#define PUSHCORE_APNS_PROVIDER_TOKENS 4
#endif

#if defined(PUSHCORE_L1)
/*
 Apple's production environment.
 */
#define PUSHCORE_APNS_PRODUCTION 0
#endif

#if defined(PUSHCORE_L1)
/*
 Apple's development environment, which Apple calls its sandbox.
 */
#define PUSHCORE_APNS_SANDBOX 1
#endif

#if defined(PUSHCORE_L1)
/*
 Creates a channel for Live Activities.
 */
#define PUSHCORE_APNS_CHANNEL_CREATE 1
#endif

#if defined(PUSHCORE_L1)
/*
 Asks for the policy of a channel.
 */
#define PUSHCORE_APNS_CHANNEL_READ 2
#endif

#if defined(PUSHCORE_L1)
/*
 Deletes a channel, for good.
 */
#define PUSHCORE_APNS_CHANNEL_DELETE 3
#endif

#if defined(PUSHCORE_L1)
/*
 Lists all channels.
 */
#define PUSHCORE_APNS_CHANNEL_LIST 4
#endif

#if defined(PUSHCORE_L1)
/*
 A channel that stores nothing.
 */
#define PUSHCORE_APNS_NO_STORAGE 0
#endif

#if defined(PUSHCORE_L1)
/*
 A channel that stores the most recent broadcast.
 */
#define PUSHCORE_APNS_MOST_RECENT 1
#endif

#if defined(PUSHCORE_L1)
/*
 A notification that Baidu's Android SDK draws: `title`, `description`, or `content` in Baidu's words.
 */
#define PUSHCORE_BAIDU_ANDROID 1
#endif

#if defined(PUSHCORE_L1)
/*
 A message that the Android app alone reads: `content`, a JSON object.
 */
#define PUSHCORE_BAIDU_ANDROID_RAW 2
#endif

#if defined(PUSHCORE_L1)
/*
 A payload for Apple's devices: `content`, a JSON object with `aps`.
 */
#define PUSHCORE_BAIDU_IOS 3
#endif

#if defined(PUSHCORE_L1)
/*
 `ttl_s` is set.
 */
#define PUSHCORE_BAIDU_SET_TTL 1
#endif

#if defined(PUSHCORE_L1)
/*
 `send_at_s` is set.
 */
#define PUSHCORE_BAIDU_SET_SEND_AT 2
#endif

#if defined(PUSHCORE_L1)
/*
 The app is a development build (Apple's devices).
 */
#define PUSHCORE_BAIDU_DEVELOPMENT 1
#endif

#if defined(PUSHCORE_L1)
/*
 The app is a production build (Apple's devices).
 */
#define PUSHCORE_BAIDU_PRODUCTION 2
#endif

#if defined(PUSHCORE_L1)
/*
 Asks whether messages have been sent, and how many devices they reached: `items` are their ids.
 */
#define PUSHCORE_BAIDU_MESSAGE_STATUS 1
#endif

#if defined(PUSHCORE_L1)
/*
 Asks for the messages that timers have sent; `name` is a timer's id, or empty for all.
 */
#define PUSHCORE_BAIDU_TIMER_RECORDS 2
#endif

#if defined(PUSHCORE_L1)
/*
 Asks for the messages that were sent under a topic id, which is `name`.
 */
#define PUSHCORE_BAIDU_TOPIC_RECORDS 3
#endif

#if defined(PUSHCORE_L1)
/*
 Asks how many devices the app has.
 */
#define PUSHCORE_BAIDU_DEVICE_STATISTICS 4
#endif

#if defined(PUSHCORE_L1)
/*
 Asks how many messages of a topic id arrived; `name` is the topic id.
 */
#define PUSHCORE_BAIDU_TOPIC_STATISTICS 5
#endif

#if defined(PUSHCORE_L1)
/*
 Lists the topic ids in use.
 */
#define PUSHCORE_BAIDU_TOPICS 6
#endif

#if defined(PUSHCORE_L1)
/*
 Lists the app's tags, or the one that is `name`.
 */
#define PUSHCORE_BAIDU_TAGS 7
#endif

#if defined(PUSHCORE_L1)
/*
 Makes a tag, which is `name`.
 */
#define PUSHCORE_BAIDU_CREATE_TAG 8
#endif

#if defined(PUSHCORE_L1)
/*
 Deletes a tag, which is `name`.
 */
#define PUSHCORE_BAIDU_DELETE_TAG 9
#endif

#if defined(PUSHCORE_L1)
/*
 Gives devices a tag: `name`, and `items` are channel ids.
 */
#define PUSHCORE_BAIDU_TAG_DEVICES 10
#endif

#if defined(PUSHCORE_L1)
/*
 Takes a tag from devices: `name`, and `items` are channel ids.
 */
#define PUSHCORE_BAIDU_UNTAG_DEVICES 11
#endif

#if defined(PUSHCORE_L1)
/*
 Asks how many devices have a tag, which is `name`.
 */
#define PUSHCORE_BAIDU_DEVICES_WITH_TAG 12
#endif

#if defined(PUSHCORE_L1)
/*
 Lists the timers that wait, or the one that is `name`.
 */
#define PUSHCORE_BAIDU_TIMERS 13
#endif

#if defined(PUSHCORE_L1)
/*
 Takes back a message whose time has not come; `name` is the timer's id.
 */
#define PUSHCORE_BAIDU_CANCEL_TIMER 14
#endif

#if defined(PUSHCORE_L1)
/*
 `since_s` and `until_s` are set.
 */
#define PUSHCORE_BAIDU_SET_BETWEEN 1
#endif

#if defined(PUSHCORE_L1)
/*
 The call is about Android's devices; the default.
 */
#define PUSHCORE_BAIDU_DEVICES_ANDROID 3
#endif

#if defined(PUSHCORE_L1)
/*
 The call is about Apple's devices.
 */
#define PUSHCORE_BAIDU_DEVICES_IOS 4
#endif

#if defined(PUSHCORE_L1)
/*
 A text: the id of a channel, its policy, a receipt.
 */
#define PUSHCORE_ANSWER_TEXT 1
#endif

#if defined(PUSHCORE_L1)
/*
 Texts: the ids of channels.
 */
#define PUSHCORE_ANSWER_TEXTS 2
#endif

#if defined(PUSHCORE_L1)
/*
 A group: pushcore_answer_succeeded counts the members that it worked for, the items are the registration ids of the others.
 */
#define PUSHCORE_ANSWER_GROUP 3
#endif

#if defined(PUSHCORE_L1)
/*
 JSON in the service's own words (Baidu): the text.
 */
#define PUSHCORE_ANSWER_JSON 4
#endif

#if defined(PUSHCORE_L1)
/*
 A page of subscriptions: the items are topics, the text is the token of the next page.
 */
#define PUSHCORE_ANSWER_PAGE 5
#endif

#if defined(PUSHCORE_L1)
/*
 A result for each token, in their order: the items are the service's words, and their kinds are PUSHCORE_OUTCOME_ constants.
 */
#define PUSHCORE_ANSWER_BATCH 6
#endif

#if defined(PUSHCORE_L1)
/*
 An outcome: done without more to say, or refused.
 */
#define PUSHCORE_ANSWER_OUTCOME 7
#endif

#if defined(PUSHCORE_NET)
/*
 HTTP/2 or nothing.
 */
#define PUSHCORE_PROTOCOLS_HTTP2 1
#endif

#if defined(PUSHCORE_NET)
/*
 HTTP/2 or HTTP/1.1, as the server chooses.
 */
#define PUSHCORE_PROTOCOLS_HTTP2_OR_HTTP1 2
#endif

#if defined(PUSHCORE_NET)
/*
 HTTP/1.1 only.
 */
#define PUSHCORE_PROTOCOLS_HTTP1 3
#endif

#if defined(PUSHCORE_NET)
/*
 Nothing happened.
 */
#define PUSHCORE_CONNECTION_NOTHING 0
#endif

#if defined(PUSHCORE_NET)
/*
 Requests can be sent.
 */
#define PUSHCORE_CONNECTION_READY 1
#endif

#if defined(PUSHCORE_NET)
/*
 The final response to `request`: `response`, to be freed.
 */
#define PUSHCORE_CONNECTION_RESPONSE 2
#endif

#if defined(PUSHCORE_NET)
/*
 No response to `request` will come: `failure`, to be freed. `number` is 1 when the service may have acted on it, and 0 when it
 certainly has not.
 */
#define PUSHCORE_CONNECTION_FAILED 3
#endif

#if defined(PUSHCORE_NET)
/*
 The server changed its settings: `number` is MAX_CONCURRENT_STREAMS.
 */
#define PUSHCORE_CONNECTION_SETTINGS 4
#endif

#if defined(PUSHCORE_NET)
/*
 The server sent GOAWAY: `number` is its error code. Requests that it may still answer go on.
 */
#define PUSHCORE_CONNECTION_DRAINING 5
#endif

#if defined(PUSHCORE_NET)
/*
 A PING was answered: `number` is the round trip in milliseconds.
 */
#define PUSHCORE_CONNECTION_ROUND_TRIP 6
#endif

#if defined(PUSHCORE_NET)
/*
 The end: `failure`, to be freed, or NULL for an orderly one.
 */
#define PUSHCORE_CONNECTION_CLOSED 7
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 A question to the host's store, or a change to it: pushcore_dialect_job_answer.
 */
#define PUSHCORE_STEP_ASK 1
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 One message to one target: pushcore_dialect_job_sent.
 */
#define PUSHCORE_STEP_SEND 2
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 One message to everyone whom a filter selects: pushcore_dialect_job_answer.
 */
#define PUSHCORE_STEP_BROADCAST 3
#endif

#if defined(PUSHCORE_NET)
/*
 `link` is there.
 */
#define PUSHCORE_EVENT_HAS_LINK 1
#endif

#if defined(PUSHCORE_NET)
/*
 `code` is there.
 */
#define PUSHCORE_EVENT_HAS_CODE 2
#endif

#if defined(PUSHCORE_NET)
/*
 `after_ms` is there.
 */
#define PUSHCORE_EVENT_HAS_AFTER 4
#endif

#if defined(PUSHCORE_L1)
/*
 The credentials are the key file of a service account.
 */
#define PUSHCORE_FCM_SERVICE_ACCOUNT 1
#endif

#if defined(PUSHCORE_L1)
/*
 The credentials are any credential file of Google's, as GOOGLE_APPLICATION_CREDENTIALS names them.
 */
#define PUSHCORE_FCM_FILE 2
#endif

#if defined(PUSHCORE_L1)
/*
 The tokens come from the metadata server of Google's cloud: `project` is required.
 */
#define PUSHCORE_FCM_METADATA_SERVER 3
#endif

#if defined(PUSHCORE_L1)
/*
 The tokens are handed in by pushcore_service_supply_token: `project` is required.
 */
#define PUSHCORE_FCM_ACCESS_TOKENS 4
#endif

#if defined(PUSHCORE_L1)
/*
 `ttl_s` is set; 0 there means now or never.
 */
#define PUSHCORE_FCM_SET_TTL 1
#endif

#if defined(PUSHCORE_L1)
/*
 The service checks the message and sends nothing.
 */
#define PUSHCORE_FCM_VALIDATE_ONLY 1
#endif

#if defined(PUSHCORE_L1)
/*
 Android is woken for the message at once.
 */
#define PUSHCORE_FCM_HIGH_PRIORITY 2
#endif

#if defined(PUSHCORE_L1)
/*
 Subscribes a registration token or installation id to a topic.
 */
#define PUSHCORE_FCM_TOPIC_SUBSCRIBE 1
#endif

#if defined(PUSHCORE_L1)
/*
 Ends a subscription.
 */
#define PUSHCORE_FCM_TOPIC_UNSUBSCRIBE 2
#endif

#if defined(PUSHCORE_L1)
/*
 Asks for a page of one token's subscriptions.
 */
#define PUSHCORE_FCM_TOPIC_LIST 3
#endif

#if defined(PUSHCORE_L1)
/*
 Subscribes up to 1,000 registration tokens with one request.
 */
#define PUSHCORE_FCM_TOPIC_SUBSCRIBE_MANY 4
#endif

#if defined(PUSHCORE_L1)
/*
 Ends the subscriptions of up to 1,000 registration tokens with one request.
 */
#define PUSHCORE_FCM_TOPIC_UNSUBSCRIBE_MANY 5
#endif

#if defined(PUSHCORE_NET)
/*
 `max_in_flight` is set.
 */
#define PUSHCORE_HTTP2_SET_MAX_IN_FLIGHT 1
#endif

#if defined(PUSHCORE_NET)
/*
 `max_header_list` is set.
 */
#define PUSHCORE_HTTP2_SET_MAX_HEADER_LIST 2
#endif

#if defined(PUSHCORE_NET)
/*
 `max_response_body` is set.
 */
#define PUSHCORE_HTTP2_SET_MAX_RESPONSE_BODY 4
#endif

#if defined(PUSHCORE_NET)
/*
 `header_table_size` is set.
 */
#define PUSHCORE_HTTP2_SET_HEADER_TABLE_SIZE 8
#endif

#if defined(PUSHCORE_NET)
/*
 `encoder_table_size` is set.
 */
#define PUSHCORE_HTTP2_SET_ENCODER_TABLE_SIZE 16
#endif

#if defined(PUSHCORE_NET)
/*
 `initial_window` is set.
 */
#define PUSHCORE_HTTP2_SET_INITIAL_WINDOW 32
#endif

#if defined(PUSHCORE_NET)
/*
 `connection_window` is set.
 */
#define PUSHCORE_HTTP2_SET_CONNECTION_WINDOW 64
#endif

#if defined(PUSHCORE_NET)
/*
 `settings_timeout_ms` is set.
 */
#define PUSHCORE_HTTP2_SET_SETTINGS_TIMEOUT 128
#endif

#if defined(PUSHCORE_NET)
/*
 `ping_after_ms` is set; UINT64_MAX there sends no PING.
 */
#define PUSHCORE_HTTP2_SET_PING_AFTER 256
#endif

#if defined(PUSHCORE_NET)
/*
 `ping_timeout_ms` is set.
 */
#define PUSHCORE_HTTP2_SET_PING_TIMEOUT 512
#endif

#if defined(PUSHCORE_NET)
/*
 `queue` is set.
 */
#define PUSHCORE_HUB_SET_QUEUE 1
#endif

#if defined(PUSHCORE_NET)
/*
 `patience_ms` is set; UINT64_MAX there waits for every service.
 */
#define PUSHCORE_HUB_SET_PATIENCE 2
#endif

#if defined(PUSHCORE_NET)
/*
 `remembered` is set; 0 there remembers none.
 */
#define PUSHCORE_HUB_SET_REMEMBERED 4
#endif

#if defined(PUSHCORE_NET)
/*
 `total_deadline_ms` is set.
 */
#define PUSHCORE_HUB_SET_TOTAL_DEADLINE 8
#endif

#if defined(PUSHCORE_L1)
/*
 PKCS#8 in PEM, as Apple's `.p8` files are.
 */
#define PUSHCORE_KEY_PKCS8_PEM 1
#endif

#if defined(PUSHCORE_L1)
/*
 PKCS#8 in DER.
 */
#define PUSHCORE_KEY_PKCS8_DER 2
#endif

#if defined(PUSHCORE_L1)
/*
 SEC 1 in PEM, as OpenSSL's `ec` command writes keys.
 */
#define PUSHCORE_KEY_SEC1_PEM 3
#endif

#if defined(PUSHCORE_L1)
/*
 SEC 1 in DER.
 */
#define PUSHCORE_KEY_SEC1_DER 4
#endif

#if defined(PUSHCORE_L1)
/*
 A JSON Web Key.
 */
#define PUSHCORE_KEY_JWK 5
#endif

#if defined(PUSHCORE_L1)
/*
 The bare number in base64url without padding, as VAPID tools write keys; of a public key the uncompressed point, as browsers take
 `applicationServerKey`.
 */
#define PUSHCORE_KEY_BASE64 6
#endif

#if defined(PUSHCORE_L1)
/*
 A public key in PEM (SubjectPublicKeyInfo). For pushcore_signing_key_public only.
 */
#define PUSHCORE_KEY_PUBLIC_PEM 7
#endif

#if defined(PUSHCORE_L1)
/*
 A public key in DER (SubjectPublicKeyInfo). For pushcore_signing_key_public only.
 */
#define PUSHCORE_KEY_PUBLIC_DER 8
#endif

#if defined(PUSHCORE_L1)
/*
 A public key as the 65 bytes of its uncompressed point. For pushcore_signing_key_public only.
 */
#define PUSHCORE_KEY_PUBLIC_POINT 9
#endif

#if defined(PUSHCORE_L1)
/*
 Apple Push Notification service.
 */
#define PUSHCORE_SERVICE_APNS 1
#endif

#if defined(PUSHCORE_L1)
/*
 Firebase Cloud Messaging.
 */
#define PUSHCORE_SERVICE_FCM 2
#endif

#if defined(PUSHCORE_L1)
/*
 Web Push.
 */
#define PUSHCORE_SERVICE_WEB_PUSH 3
#endif

#if defined(PUSHCORE_L1)
/*
 Amazon Device Messaging.
 */
#define PUSHCORE_SERVICE_ADM 4
#endif

#if defined(PUSHCORE_L1)
/*
 Baidu Cloud Push.
 */
#define PUSHCORE_SERVICE_BAIDU 5
#endif

#if defined(PUSHCORE_L1)
/*
 The service took the message: nobody says that it was shown.
 */
#define PUSHCORE_OUTCOME_ACCEPTED 1
#endif

#if defined(PUSHCORE_L1)
/*
 The token or subscription is dead: delete or replace it.
 */
#define PUSHCORE_OUTCOME_TOKEN_GONE 2
#endif

#if defined(PUSHCORE_L1)
/*
 The token is blamed, but something else could explain the answer: keep it, and check the suspects.
 */
#define PUSHCORE_OUTCOME_TOKEN_MISMATCH 3
#endif

#if defined(PUSHCORE_L1)
/*
 Not now: send again later.
 */
#define PUSHCORE_OUTCOME_RETRY_LATER 4
#endif

#if defined(PUSHCORE_L1)
/*
 The credentials are at fault.
 */
#define PUSHCORE_OUTCOME_FIX_CREDENTIALS 5
#endif

#if defined(PUSHCORE_L1)
/*
 This message can never be accepted as it is.
 */
#define PUSHCORE_OUTCOME_REJECTED 6
#endif

#if defined(PUSHCORE_L1)
/*
 This message alone has to wait.
 */
#define PUSHCORE_SCOPE_MESSAGE 1
#endif

#if defined(PUSHCORE_L1)
/*
 Every message to this device has to wait.
 */
#define PUSHCORE_SCOPE_DEVICE 2
#endif

#if defined(PUSHCORE_L1)
/*
 Every message to this topic has to wait.
 */
#define PUSHCORE_SCOPE_TOPIC 3
#endif

#if defined(PUSHCORE_L1)
/*
 Every message of this project, app or key has to wait.
 */
#define PUSHCORE_SCOPE_PROJECT 4
#endif

#if defined(PUSHCORE_L1)
/*
 Nothing but this connection has to wait.
 */
#define PUSHCORE_SCOPE_CONNECTION 5
#endif

#if defined(PUSHCORE_L1)
/*
 The environment, production or development, could be at fault.
 */
#define PUSHCORE_SUSPECT_ENVIRONMENT 1
#endif

#if defined(PUSHCORE_L1)
/*
 The topic, which is the app's bundle id, could be at fault.
 */
#define PUSHCORE_SUSPECT_TOPIC 2
#endif

#if defined(PUSHCORE_L1)
/*
 The sender, which is the project of the credentials, could be at fault.
 */
#define PUSHCORE_SUSPECT_SENDER 4
#endif

#if defined(PUSHCORE_L1)
/*
 The VAPID key could be at fault.
 */
#define PUSHCORE_SUSPECT_KEY 8
#endif

#if defined(PUSHCORE_L1)
/*
 The payload could be at fault.
 */
#define PUSHCORE_SUSPECT_PAYLOAD 16
#endif

#if defined(PUSHCORE_NET)
/*
 Requests can be sent; without the flag the connection is being made.
 */
#define PUSHCORE_CONNECTION_IS_READY 1
#endif

#if defined(PUSHCORE_NET)
/*
 No new request goes out: the connection ends when the requests in flight have ended.
 */
#define PUSHCORE_CONNECTION_IS_RETIRED 2
#endif

#if defined(PUSHCORE_NET)
/*
 The connection is one beside others, which is let go when it has nothing to do for a minute.
 */
#define PUSHCORE_CONNECTION_IS_SURPLUS 4
#endif

#if defined(PUSHCORE_NET)
/*
 The messages wait for the end of a pause that the service has asked for.
 */
#define PUSHCORE_WAITS_FOR_PAUSE 1
#endif

#if defined(PUSHCORE_NET)
/*
 The messages wait for room for a connection: there are as many as `max_hosts` or the system's limit on descriptors allows.
 */
#define PUSHCORE_WAITS_FOR_ROOM 2
#endif

#if defined(PUSHCORE_NET)
/*
 The messages wait for the end of a back-off after connections that failed.
 */
#define PUSHCORE_WAITS_FOR_BACK_OFF 3
#endif

#if defined(PUSHCORE_NET)
/*
 The messages wait for a connection that is being made.
 */
#define PUSHCORE_WAITS_FOR_CONNECTION 4
#endif

#if defined(PUSHCORE_NET)
/*
 The messages wait for a stream, for room in the flow-control window, a rate limit, an access token, or the first answer about a new key.
 */
#define PUSHCORE_WAITS_FOR_STREAM 5
#endif

#if defined(PUSHCORE_NET)
/*
 A message that was written and got no answer is sent again with the same identifiers: a device may see it twice.
 */
#define PUSHCORE_NETWORK_AT_LEAST_ONCE 1
#endif

#if defined(PUSHCORE_NET)
/*
 The text that differs in every request is compressed, too: fewer octets, more work.
 */
#define PUSHCORE_NETWORK_COMPACT_HEADERS 2
#endif

#if defined(PUSHCORE_NET)
/*
 The bundled roots are not trusted: `ca` alone is.
 */
#define PUSHCORE_NETWORK_WITHOUT_BUNDLED_ROOTS 4
#endif

#if defined(PUSHCORE_NET)
/*
 The proxy is the one that HTTPS_PROXY or ALL_PROXY name, with the exceptions of NO_PROXY; for clients.
 */
#define PUSHCORE_NETWORK_PROXY_OF_ENVIRONMENT 8
#endif

#if defined(PUSHCORE_NET)
/*
 Names are looked up in the thread that drives the client, which starts no thread then; for clients.
 */
#define PUSHCORE_NETWORK_RESOLVE_BLOCKING 16
#endif

#if defined(PUSHCORE_NET)
/*
 Connections are not encrypted: for tests, and for a proxy on the same machine that adds TLS.
 */
#define PUSHCORE_NETWORK_CLEARTEXT 32
#endif

#if defined(PUSHCORE_NET)
/*
 `max_queued` is set.
 */
#define PUSHCORE_NETWORK_SET_MAX_QUEUED 1
#endif

#if defined(PUSHCORE_NET)
/*
 `max_connections` is set.
 */
#define PUSHCORE_NETWORK_SET_MAX_CONNECTIONS 2
#endif

#if defined(PUSHCORE_NET)
/*
 `max_hosts` is set.
 */
#define PUSHCORE_NETWORK_SET_MAX_HOSTS 4
#endif

#if defined(PUSHCORE_NET)
/*
 `max_requeues` is set.
 */
#define PUSHCORE_NETWORK_SET_MAX_REQUEUES 8
#endif

#if defined(PUSHCORE_NET)
/*
 `deadline_ms` is set.
 */
#define PUSHCORE_NETWORK_SET_DEADLINE 16
#endif

#if defined(PUSHCORE_NET)
/*
 `response_timeout_ms` is set.
 */
#define PUSHCORE_NETWORK_SET_RESPONSE_TIMEOUT 32
#endif

#if defined(PUSHCORE_NET)
/*
 `connect_timeout_ms` is set.
 */
#define PUSHCORE_NETWORK_SET_CONNECT_TIMEOUT 64
#endif

#if defined(PUSHCORE_NET)
/*
 `first_backoff_ms` is set.
 */
#define PUSHCORE_NETWORK_SET_FIRST_BACKOFF 128
#endif

#if defined(PUSHCORE_NET)
/*
 `longest_backoff_ms` is set.
 */
#define PUSHCORE_NETWORK_SET_LONGEST_BACKOFF 256
#endif

#if defined(PUSHCORE_NET)
/*
 `idle_timeout_ms` is set; UINT64_MAX there keeps connections.
 */
#define PUSHCORE_NETWORK_SET_IDLE_TIMEOUT 512
#endif

#if defined(PUSHCORE_NET)
/*
 `probe_after_ms` is set; UINT64_MAX there trusts connections for ever.
 */
#define PUSHCORE_NETWORK_SET_PROBE_AFTER 1024
#endif

#if defined(PUSHCORE_NET)
/*
 `queue_wait_before_dial_ms` is set.
 */
#define PUSHCORE_NETWORK_SET_QUEUE_WAIT 2048
#endif

#if defined(PUSHCORE_NET)
/*
 `rate` is set.
 */
#define PUSHCORE_NETWORK_SET_RATE 4096
#endif

#if defined(PUSHCORE_NET)
/*
 `call_rate` is set.
 */
#define PUSHCORE_NETWORK_SET_CALL_RATE 8192
#endif

#if defined(PUSHCORE_NET)
/*
 `seed` is set.
 */
#define PUSHCORE_NETWORK_SET_SEED 16384
#endif

#if defined(PUSHCORE_NET)
/*
 `gather_us` is set; 0 there fetches answers as they come.
 */
#define PUSHCORE_NETWORK_SET_GATHER 32768
#endif

#if defined(PUSHCORE_NET)
/*
 `deadline_ms` is set.
 */
#define PUSHCORE_SEND_SET_DEADLINE 1
#endif

#if defined(PUSHCORE_NET)
/*
 The token has never been seen good (an import, a guess): the message goes over connections of its own.
 */
#define PUSHCORE_SEND_SUSPECT 1
#endif

#if defined(PUSHCORE_NET)
/*
 The message is one of many: a doubtful answer may be held back until others make it certain. Batches say so by themselves.
 */
#define PUSHCORE_SEND_BULK 2
#endif

#if defined(PUSHCORE_NET)
/*
 Ends messages as not sent when many answers in a row blame the tokens, so that the configuration is probably wrong.
 */
#define PUSHCORE_SEND_STOP_ON_SUSPICION 4
#endif

#if defined(PUSHCORE_NET)
/*
 The message leaves before those of a bulk send, although it is one of many.
 */
#define PUSHCORE_SEND_INTERACTIVE 8
#endif

#if defined(PUSHCORE_NET)
/*
 The message leaves after those that somebody waits for, although it is alone.
 */
#define PUSHCORE_SEND_AFTER_OTHERS 16
#endif

#if defined(PUSHCORE_L1)
/*
 Android.
 */
#define PUSHCORE_PLATFORM_ANDROID 1
#endif

#if defined(PUSHCORE_L1)
/*
 Apple's systems.
 */
#define PUSHCORE_PLATFORM_APPLE 2
#endif

#if defined(PUSHCORE_L1)
/*
 A browser.
 */
#define PUSHCORE_PLATFORM_WEB 3
#endif

#if defined(PUSHCORE_L1)
/*
 The field is not in the message.
 */
#define PUSHCORE_LOSS_DROPPED 1
#endif

#if defined(PUSHCORE_L1)
/*
 The message says something similar.
 */
#define PUSHCORE_LOSS_CHANGED 2
#endif

#if defined(PUSHCORE_L1)
/*
 A text is cut to fit the service's limit.
 */
#define PUSHCORE_LOSS_SHORTENED 3
#endif

#if defined(PUSHCORE_L1)
/*
 Nothing is wrong with the device.
 */
#define PUSHCORE_FEEDBACK_KEEP 1
#endif

#if defined(PUSHCORE_L1)
/*
 The token is dead: delete the device.
 */
#define PUSHCORE_FEEDBACK_DELETE 2
#endif

#if defined(PUSHCORE_L1)
/*
 The service names another token: store `replacement`.
 */
#define PUSHCORE_FEEDBACK_REPLACE 3
#endif

#if defined(PUSHCORE_L1)
/*
 Send nothing more to `scope` until `until_ms`.
 */
#define PUSHCORE_FEEDBACK_WAIT 4
#endif

#if defined(PUSHCORE_L1)
/*
 The configuration may be why it failed, as `cause` says: keep the device.
 */
#define PUSHCORE_FEEDBACK_CHECK_CONFIGURATION 5
#endif

#if defined(PUSHCORE_L1)
/*
 `since_ms` is there.
 */
#define PUSHCORE_HAS_SINCE 1
#endif

#if defined(PUSHCORE_L1)
/*
 `after_ms` is there.
 */
#define PUSHCORE_HAS_AFTER 2
#endif

#if defined(PUSHCORE_L1)
/*
 `ttl_ms` is there.
 */
#define PUSHCORE_HAS_TTL 4
#endif

#if defined(PUSHCORE_L1)
/*
 `clock_skew_s` is there: set this machine's clock.
 */
#define PUSHCORE_HAS_CLOCK_SKEW 8
#endif

#if defined(PUSHCORE_L1)
/*
 The service's reason is one that this version knows.
 */
#define PUSHCORE_REASON_IS_KNOWN 16
#endif

#if defined(PUSHCORE_L1)
/*
 A new access or provider token made from the same key may help.
 */
#define PUSHCORE_REFRESHABLE 32
#endif

#if defined(PUSHCORE_L1)
/*
 The connection is spoiled: use another one.
 */
#define PUSHCORE_RECONNECT 64
#endif

#if defined(PUSHCORE_L1)
/*
 There is a replacement token: store it.
 */
#define PUSHCORE_HAS_REPLACEMENT 128
#endif

#if defined(PUSHCORE_L1)
/*
 Every host with a public address is accepted.
 */
#define PUSHCORE_POLICY_ANY_PUBLIC_HOST 1
#endif

#if defined(PUSHCORE_L1)
/*
 Requests can be made.
 */
#define PUSHCORE_AUTHORIZATION_READY 1
#endif

#if defined(PUSHCORE_L1)
/*
 An access token has to be fetched first: send the request.
 */
#define PUSHCORE_AUTHORIZATION_FETCH 2
#endif

#if defined(PUSHCORE_L1)
/*
 There is no access token and nothing to send: ask again at `until_ms`, or hand one in.
 */
#define PUSHCORE_AUTHORIZATION_WAIT 3
#endif

#if defined(PUSHCORE_NET)
/*
 There is nothing to do.
 */
#define PUSHCORE_ACTION_NONE 0
#endif

#if defined(PUSHCORE_NET)
/*
 Resolve the host, ask pushcore_session_allow_address about each address, connect, then call pushcore_session_connected or
 pushcore_session_connect_failed.
 */
#define PUSHCORE_ACTION_CONNECT 1
#endif

#if defined(PUSHCORE_NET)
/*
 Write `final_bytes` as far as that goes without waiting, then close the socket. There is nothing to report back.
 */
#define PUSHCORE_ACTION_CLOSE 2
#endif

#if defined(PUSHCORE_L1)
/*
 `subject` may be anything, and not only a mailto: or https: URL.
 */
#define PUSHCORE_WEB_PUSH_ANY_SUBJECT 1
#endif

#if defined(PUSHCORE_L1)
/*
 `ttl_s` is set; 0 there means now or never.
 */
#define PUSHCORE_WEB_PUSH_SET_TTL 1
#endif

#if defined(PUSHCORE_L1)
/*
 `payload` is set: an empty one is a message of no bytes, and none wakes the device up.
 */
#define PUSHCORE_WEB_PUSH_SET_PAYLOAD 2
#endif

#if defined(PUSHCORE_L1)
/*
 Wakes the device on power and Wi-Fi only.
 */
#define PUSHCORE_WEB_PUSH_URGENCY_VERY_LOW 1
#endif

#if defined(PUSHCORE_L1)
/*
 Wakes the device on power or Wi-Fi.
 */
#define PUSHCORE_WEB_PUSH_URGENCY_LOW 2
#endif

#if defined(PUSHCORE_L1)
/*
 Wakes the device on neither power nor Wi-Fi.
 */
#define PUSHCORE_WEB_PUSH_URGENCY_NORMAL 3
#endif

#if defined(PUSHCORE_L1)
/*
 Wakes the device with a low battery, too.
 */
#define PUSHCORE_WEB_PUSH_URGENCY_HIGH 4
#endif

#if defined(PUSHCORE_L1)
/*
 Takes back a message that the device has not got yet: `url` is the `location` of its outcome.
 */
#define PUSHCORE_WEB_PUSH_WITHDRAW 1
#endif

#if defined(PUSHCORE_L1)
/*
 Asks for receipts: `url` is the `receipt` of the message's outcome.
 */
#define PUSHCORE_WEB_PUSH_RECEIPTS 2
#endif

#if defined(PUSHCORE_L1)
/*
 `wait_s` is set.
 */
#define PUSHCORE_WEB_PUSH_SET_WAIT 1
#endif

#if defined(PUSHCORE_L1)
/*
 The meaning of the answer to a call. Immutable; may be shared between threads.
 */
typedef struct pushcore_answer pushcore_answer;
#endif

#if defined(PUSHCORE_L1)
/*
 A signing key with its id and its team's. Immutable; may be shared between threads. pushcore_apns_service_new needs none.
 */
typedef struct pushcore_apns_credentials pushcore_apns_credentials;
#endif

#if defined(PUSHCORE_NET)
/*
 Many messages of one caller. Used by one thread at a time; different batches of one client may be used by different threads.
 */
typedef struct pushcore_batch pushcore_batch;
#endif

/*
 Text or bytes that a function made: a document, an exported key, a decrypted payload. Overwritten with zeroes when it is freed.
 */
typedef struct pushcore_bytes pushcore_bytes;

#if defined(PUSHCORE_L1)
/*
 A request to a service that is not a message: channels, topics, groups, reports, withdrawals. Immutable; may be shared between threads.
 */
typedef struct pushcore_call pushcore_call;
#endif

#if defined(PUSHCORE_NET)
/*
 A client of one service, over as many connections as the load asks for. Share it between threads.
 */
typedef struct pushcore_client pushcore_client;
#endif

#if defined(PUSHCORE_NET)
/*
 A connection. It opens no socket and reads no clock. Used by one thread at a time.
 */
typedef struct pushcore_connection pushcore_connection;
#endif

#if defined(PUSHCORE_NET)
/*
 The ends of one notification to many devices, in the order of the devices. Immutable; may be shared between threads.
 */
typedef struct pushcore_deliveries pushcore_deliveries;
#endif

#if defined(PUSHCORE_L1)
/*
 A device of one app: service, environment, token or subscription. Immutable; may be shared between threads.
 */
typedef struct pushcore_device pushcore_device;
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 A push system whose requests are understood, with options: jobs are begun from it. Immutable; may be shared between threads.
 */
typedef struct pushcore_dialect pushcore_dialect;
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 One request on its way through a dialect: steps that wait for answers, then a reply.
 */
typedef struct pushcore_dialect_job pushcore_dialect_job;
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 The answer to the client. Immutable; may be shared between threads.
 */
typedef struct pushcore_dialect_reply pushcore_dialect_reply;
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 The subscriptions that the filter of a Pushpad step means. Immutable; may be shared between threads.
 */
typedef struct pushcore_dialect_selection pushcore_dialect_selection;
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 One thing that a job waits for. Immutable; may be shared between threads.
 */
typedef struct pushcore_dialect_step pushcore_dialect_step;
#endif

#if defined(PUSHCORE_L1)
/*
 The endpoints of subscriptions that are accepted: without one, those of the public push services. Immutable; may be shared between
 threads.
 */
typedef struct pushcore_endpoint_policy pushcore_endpoint_policy;
#endif

/*
 Why a call failed. Immutable; may be shared between threads.
 */
typedef struct pushcore_error pushcore_error;

#if defined(PUSHCORE_NET)
/*
 Something worth a line in a log or a tick of a counter. Immutable; may be shared between threads.
 */
typedef struct pushcore_event pushcore_event;
#endif

#if defined(PUSHCORE_L1)
/*
 What a result means for the caller's table of devices. Immutable; may be shared between threads.
 */
typedef struct pushcore_feedback pushcore_feedback;
#endif

#if defined(PUSHCORE_NET)
/*
 A client for each app that is configured. Share it between threads.
 */
typedef struct pushcore_hub pushcore_hub;
#endif

#if defined(PUSHCORE_NET)
/*
 One notification to many devices of a hub. Used by one thread at a time; different batches of one hub may be used by different threads.
 */
typedef struct pushcore_hub_batch pushcore_hub_batch;
#endif

#if defined(PUSHCORE_L1)
/*
 One checked message to one target. Immutable; may be shared between threads.
 */
typedef struct pushcore_message pushcore_message;
#endif

#if defined(PUSHCORE_L1)
/*
 One notification for the devices of every service. Immutable; may be shared between threads.
 */
typedef struct pushcore_notification pushcore_notification;
#endif

#if defined(PUSHCORE_L1)
/*
 The meaning of an answer. Immutable; may be shared between threads.
 */
typedef struct pushcore_outcome pushcore_outcome;
#endif

/*
 The key pair and the secret of one Web Push subscription. Immutable; may be shared between threads.
 */
typedef struct pushcore_receiver_keys pushcore_receiver_keys;

#if defined(PUSHCORE_L1)
/*
 A notification as the message to all devices of one app, encoded once, and what the service cannot show of it. Immutable; may be shared
 between threads.
 */
typedef struct pushcore_rendered pushcore_rendered;
#endif

#if defined(PUSHCORE_NET)
/*
 The connections and hosts of a client or a session at one moment. Immutable; may be shared between threads.
 */
typedef struct pushcore_report pushcore_report;
#endif

#if defined(PUSHCORE_L1)
/*
 One HTTPS request, complete. Immutable; may be shared between threads.
 */
typedef struct pushcore_request pushcore_request;
#endif

#if defined(PUSHCORE_L1)
/*
 The answer to a request.
 */
typedef struct pushcore_response pushcore_response;
#endif

#if defined(PUSHCORE_L1)
/*
 A push service with its credentials and hosts. May be shared between threads; what is made from it shares its tokens.
 */
typedef struct pushcore_service pushcore_service;
#endif

#if defined(PUSHCORE_NET)
/*
 A session of one service. It opens no socket and reads no clock. Used by one thread at a time.
 */
typedef struct pushcore_session pushcore_session;
#endif

#if defined(PUSHCORE_L1)
/*
 A P-256 key that signs: of a VAPID sender, or Apple's. Immutable; may be shared between threads.
 */
typedef struct pushcore_signing_key pushcore_signing_key;
#endif

#if defined(PUSHCORE_L1)
/*
 A device, or all that a topic, group, tag or condition names. Immutable; may be shared between threads.
 */
typedef struct pushcore_target pushcore_target;
#endif

#if defined(PUSHCORE_L1)
/*
 A checked message without a target, encoded once. Immutable; may be shared between threads.
 */
typedef struct pushcore_template pushcore_template;
#endif

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
 PUSHCORE_OK, the number of an error kind (PUSHCORE_ERROR_...), or one of the numbers of the ABI itself.
 */
typedef int32_t pushcore_status;

#if defined(PUSHCORE_L1)
/*
 An ADM service. An empty view leaves an optional text out.
 */
typedef struct pushcore_adm_service_options {
  /*
   sizeof(pushcore_adm_service_options).
   */
  uint32_t struct_size;
  /*
   Zero: takes the place of padding.
   */
  uint32_t reserved;
  /*
   The client id of the security profile (required).
   */
  struct pushcore_view client_id;
  /*
   The client secret of the security profile (required).
   */
  struct pushcore_view client_secret;
  /*
   `host:port` in place of Amazon's token endpoint, for a sandbox.
   */
  struct pushcore_view token_host;
  /*
   `host:port` in place of Amazon's host, for a sandbox.
   */
  struct pushcore_view host;
} pushcore_adm_service_options;
#endif

/*
 A name and its text.
 */
typedef struct pushcore_pair {
  /*
   The name.
   */
  struct pushcore_view name;
  /*
   The text.
   */
  struct pushcore_view value;
} pushcore_pair;

#if defined(PUSHCORE_L1)
/*
 The everyday fields of an ADM message. An empty view leaves a text out; a number counts when its bit is in `set`.
 */
typedef struct pushcore_adm_message_options {
  /*
   sizeof(pushcore_adm_message_options).
   */
  uint32_t struct_size;
  /*
   PUSHCORE_ADM_SET_TTL.
   */
  uint32_t set;
  /*
   PUSHCORE_ADM_HIGH_PRIORITY and PUSHCORE_ADM_WITH_MD5.
   */
  uint32_t flags;
  /*
   How long Amazon keeps the message, in seconds.
   */
  uint32_t ttl_s;
  /*
   A registration id, {"topic":"..."} or {"group":"..."} (required).
   */
  struct pushcore_view target;
  /*
   The data that the app gets.
   */
  const struct pushcore_pair *data;
  /*
   The number of `data`.
   */
  size_t data_count;
  /*
   A notification as Amazon documents it, a JSON object.
   */
  struct pushcore_view notification;
  /*
   Messages with one key replace each other while the device is away.
   */
  struct pushcore_view consolidation_key;
} pushcore_adm_message_options;
#endif

#if defined(PUSHCORE_L1)
/*
 A call about a group.
 */
typedef struct pushcore_adm_call_options {
  /*
   sizeof(pushcore_adm_call_options).
   */
  uint32_t struct_size;
  /*
   A PUSHCORE_ADM_GROUP_ constant.
   */
  uint32_t kind;
  /*
   The group's name (required).
   */
  struct pushcore_view group;
  /*
   Registration ids (at least one).
   */
  const struct pushcore_view *members;
  /*
   The number of `members`.
   */
  size_t member_count;
} pushcore_adm_call_options;
#endif

#if defined(PUSHCORE_L1)
/*
 The fields of a push. An empty view leaves a text out; a number counts when its bit is in `set`.
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
   The payload, a JSON object. Required, unless one of the fields from `title` on makes it.
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
  /*
   PUSHCORE_APNS_SET_ bits.
   */
  uint32_t set;
  /*
   PUSHCORE_APNS_CONTENT_AVAILABLE and PUSHCORE_APNS_MUTABLE_CONTENT.
   */
  uint32_t flags;
  /*
   Until when APNs keeps the push, in seconds since 1970.
   */
  uint64_t expiration_s;
  /*
   When the device's token was registered, in milliseconds since 1970: an older refusal is about another registration.
   */
  uint64_t registered_ms;
  /*
   The number on the app's icon.
   */
  uint32_t badge;
  /*
   Zero: takes the place of padding.
   */
  uint32_t reserved;
  /*
   The title of the alert.
   */
  struct pushcore_view title;
  /*
   The second line of the alert.
   */
  struct pushcore_view subtitle;
  /*
   The text of the alert.
   */
  struct pushcore_view body;
  /*
   "default", or a file in the app's bundle.
   */
  struct pushcore_view sound;
  /*
   The id by which notifications are grouped.
   */
  struct pushcore_view thread_id;
  /*
   The category, which names the actions.
   */
  struct pushcore_view category;
} pushcore_apns_message_options;
#endif

#if defined(PUSHCORE_L1)
/*
 A message to one device.
 */
typedef struct pushcore_message pushcore_apns_message;
#endif

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

#if defined(PUSHCORE_L1)
/*
 An APNs service. An empty view leaves an optional text out.
 */
typedef struct pushcore_apns_service_options {
  /*
   sizeof(pushcore_apns_service_options).
   */
  uint32_t struct_size;
  /*
   What the credentials are: PUSHCORE_APNS_SIGNING_KEY and so on (required).
   */
  uint32_t credentials;
  /*
   PUSHCORE_APNS_PRODUCTION or PUSHCORE_APNS_SANDBOX.
   */
  uint32_t environment;
  /*
   Zero: takes the place of padding.
   */
  uint32_t reserved;
  /*
   The signing key (the content of a `.p8` file), or the key of a certificate.
   */
  struct pushcore_view key;
  /*
   10 characters.
   */
  struct pushcore_view key_id;
  /*
   10 characters.
   */
  struct pushcore_view team_id;
  /*
   The client certificate: PEM or PKCS#12.
   */
  struct pushcore_view certificate;
  /*
   The password of the PKCS#12 file.
   */
  struct pushcore_view password;
  /*
   The bundle ids that the signing key is restricted to; none for a key of the whole team.
   */
  const struct pushcore_view *topics;
  /*
   The number of `topics`.
   */
  size_t topic_count;
  /*
   `host:port` in place of Apple's host, for a sandbox or a relay; channels are managed there, too.
   */
  struct pushcore_view host;
  /*
   `host:port` in place of the host that channels are managed at.
   */
  struct pushcore_view management_host;
  /*
   `host:port` in place of the host that broadcasts go to.
   */
  struct pushcore_view broadcast_host;
} pushcore_apns_service_options;
#endif

#if defined(PUSHCORE_L1)
/*
 A call about an app's channels.
 */
typedef struct pushcore_apns_call_options {
  /*
   sizeof(pushcore_apns_call_options).
   */
  uint32_t struct_size;
  /*
   A PUSHCORE_APNS_CHANNEL_ constant.
   */
  uint32_t kind;
  /*
   PUSHCORE_APNS_NO_STORAGE or PUSHCORE_APNS_MOST_RECENT, for a channel that is created.
   */
  uint32_t storage;
  /*
   Zero: takes the place of padding.
   */
  uint32_t reserved;
  /*
   The bundle id of the app (required).
   */
  struct pushcore_view bundle;
  /*
   The channel's id, to read and to delete.
   */
  struct pushcore_view channel;
  /*
   A UUID that APNs repeats as `apns-request-id`.
   */
  struct pushcore_view request_id;
} pushcore_apns_call_options;
#endif

#if defined(PUSHCORE_L1)
/*
 A Baidu service. An empty view leaves an optional text out.
 */
typedef struct pushcore_baidu_service_options {
  /*
   sizeof(pushcore_baidu_service_options).
   */
  uint32_t struct_size;
  /*
   Zero: takes the place of padding.
   */
  uint32_t reserved;
  /*
   The API key (required).
   */
  struct pushcore_view api_key;
  /*
   The secret key (required).
   */
  struct pushcore_view secret_key;
  /*
   `host:port` in place of Baidu's host, for a sandbox.
   */
  struct pushcore_view host;
} pushcore_baidu_service_options;
#endif

#if defined(PUSHCORE_L1)
/*
 The everyday fields of a Baidu message. An empty view leaves a text out; a number counts when its bit is in `set`.
 */
typedef struct pushcore_baidu_message_options {
  /*
   sizeof(pushcore_baidu_message_options).
   */
  uint32_t struct_size;
  /*
   PUSHCORE_BAIDU_ANDROID, PUSHCORE_BAIDU_ANDROID_RAW or PUSHCORE_BAIDU_IOS (required).
   */
  uint32_t kind;
  /*
   PUSHCORE_BAIDU_SET_ bits.
   */
  uint32_t set;
  /*
   PUSHCORE_BAIDU_DEVELOPMENT or PUSHCORE_BAIDU_PRODUCTION; 0 says nothing.
   */
  uint32_t deploy;
  /*
   How long Baidu keeps the message, in seconds.
   */
  uint64_t ttl_s;
  /*
   When the message is sent, in seconds since 1970.
   */
  uint64_t send_at_s;
  /*
   A channel id, or an object: {"devices":[...]}, {"tag":"..."}, {"all":true} (required).
   */
  struct pushcore_view target;
  /*
   The title of the notification.
   */
  struct pushcore_view title;
  /*
   The text of the notification.
   */
  struct pushcore_view description;
  /*
   The message as Baidu documents it, a JSON object.
   */
  struct pushcore_view content;
  /*
   The topic under which statistics are kept.
   */
  struct pushcore_view topic_id;
} pushcore_baidu_message_options;
#endif

#if defined(PUSHCORE_L1)
/*
 A call about messages, tags, timers or topics.
 */
typedef struct pushcore_baidu_call_options {
  /*
   sizeof(pushcore_baidu_call_options).
   */
  uint32_t struct_size;
  /*
   A PUSHCORE_BAIDU_ constant from PUSHCORE_BAIDU_MESSAGE_STATUS to PUSHCORE_BAIDU_CANCEL_TIMER.
   */
  uint32_t kind;
  /*
   PUSHCORE_BAIDU_SET_BETWEEN.
   */
  uint32_t set;
  /*
   PUSHCORE_BAIDU_DEVICES_ANDROID or PUSHCORE_BAIDU_DEVICES_IOS; 0 says nothing.
   */
  uint32_t devices;
  /*
   The first entry of a list, from 0.
   */
  uint32_t start;
  /*
   The most entries of a list, 1 to 100, of topics 1 to 20; 0 is the service's choice.
   */
  uint32_t limit;
  /*
   The begin of a time range, in seconds since 1970.
   */
  uint64_t since_s;
  /*
   The end of a time range, in seconds since 1970.
   */
  uint64_t until_s;
  /*
   A tag, a timer's id or a topic id, as the constants say.
   */
  struct pushcore_view name;
  /*
   Message ids or channel ids, as the constants say.
   */
  const struct pushcore_view *items;
  /*
   The number of `items`.
   */
  size_t item_count;
} pushcore_baidu_call_options;
#endif

#if defined(PUSHCORE_NET)
/*
 The options of one message, or of many. All of it may be zero.
 */
typedef struct pushcore_send_options {
  /*
   sizeof(pushcore_send_options).
   */
  uint32_t struct_size;
  /*
   PUSHCORE_SEND_SET_DEADLINE.
   */
  uint32_t set;
  /*
   PUSHCORE_SEND_ flags.
   */
  uint32_t flags;
  /*
   Zero: takes the place of padding.
   */
  uint32_t reserved;
  /*
   From submission to the end at the latest, in milliseconds; by default that of the client or session.
   */
  uint64_t deadline_ms;
} pushcore_send_options;
#endif

#if defined(PUSHCORE_NET)
/*
 The end of one message. Texts and bodies come through a handle, when they are asked for.
 */
typedef struct pushcore_result {
  /*
   The number that the caller gave the message.
   */
  uint64_t user_data;
  /*
   The ticket; 0 where the message was refused before it got one, and UINT64_MAX for pushcore_client_send.
   */
  uint64_t ticket;
  /*
   PUSHCORE_OK when the service answered, and otherwise the number of the error kind: PUSHCORE_ERROR_NOT_SENT and so on.
   */
  pushcore_status status;
  /*
   A PUSHCORE_OUTCOME_ constant; 0 without an answer.
   */
  uint32_t outcome;
  /*
   The HTTP status; 0 without an answer.
   */
  uint32_t http_status;
  /*
   A PUSHCORE_SCOPE_ constant: what has to wait; 0 where nothing has to.
   */
  uint32_t scope;
  /*
   PUSHCORE_HAS_ and other flags of outcomes.
   */
  uint32_t flags;
  /*
   PUSHCORE_SUSPECT_ bits.
   */
  uint32_t suspects;
  /*
   Since when the token is dead, in milliseconds since 1970.
   */
  uint64_t since_ms;
  /*
   How long to wait at least, in milliseconds.
   */
  uint64_t after_ms;
  /*
   Zero: room for what comes.
   */
  uint64_t reserved[2];
} pushcore_result;
#endif

#if defined(PUSHCORE_NET)
/*
 How far a batch is.
 */
typedef struct pushcore_progress {
  /*
   sizeof(pushcore_progress), set by the caller.
   */
  uint32_t struct_size;
  /*
   Zero: takes the place of padding.
   */
  uint32_t reserved;
  /*
   Messages taken.
   */
  uint64_t taken;
  /*
   Taken, and not ended yet.
   */
  uint64_t in_flight;
  /*
   Ended, in whatever way; those that pushcore_batch_wait has not handed over are among them.
   */
  uint64_t ended;
  /*
   Ended: taken by the service.
   */
  uint64_t accepted;
  /*
   Ended: the token is dead.
   */
  uint64_t token_gone;
  /*
   Ended: the token is blamed, and may be good.
   */
  uint64_t token_mismatch;
  /*
   Ended: not now.
   */
  uint64_t retry_later;
  /*
   Ended: the credentials are at fault.
   */
  uint64_t fix_credentials;
  /*
   Ended: can never be accepted.
   */
  uint64_t rejected;
  /*
   Ended: certainly not processed, cancelled, or expired in the queue.
   */
  uint64_t not_sent;
  /*
   Ended: written, no answer.
   */
  uint64_t unknown;
  /*
   Since the batch began, in milliseconds.
   */
  uint64_t elapsed_ms;
} pushcore_progress;
#endif

#if defined(PUSHCORE_NET)
/*
 The settings of HTTP/2 connections. A number counts when its bit is in `set`, and is the default otherwise. All of it may be zero.
 */
typedef struct pushcore_http2_options {
  /*
   sizeof(pushcore_http2_options).
   */
  uint32_t struct_size;
  /*
   PUSHCORE_HTTP2_SET_ bits.
   */
  uint32_t set;
  /*
   The most requests in flight on one connection, whatever the server allows; default 1,000.
   */
  uint32_t max_in_flight;
  /*
   The largest list of response headers in octets, counted as RFC 9113 section 6.5.2 does; default 16,384.
   */
  uint32_t max_header_list;
  /*
   The largest response body in octets, a longer one is cut; default 65,536.
   */
  uint64_t max_response_body;
  /*
   SETTINGS_HEADER_TABLE_SIZE, the octets of their headers that servers may have remembered; default 4,096.
   */
  uint32_t header_table_size;
  /*
   The largest table that requests are compressed with, in octets; default 4,096.
   */
  uint32_t encoder_table_size;
  /*
   SETTINGS_INITIAL_WINDOW_SIZE, response octets on a stream; default 131,072.
   */
  uint32_t initial_window;
  /*
   Response octets on the whole connection; default 1,048,576.
   */
  uint32_t connection_window;
  /*
   How long a server may take for its SETTINGS, and to acknowledge ours, in milliseconds; default 10,000.
   */
  uint64_t settings_timeout_ms;
  /*
   The silence after which a connection with requests in flight is asked by PING, in milliseconds; by default the service's own habit.
   */
  uint64_t ping_after_ms;
  /*
   How long the answer to a PING may take, in milliseconds; default 10,000.
   */
  uint64_t ping_timeout_ms;
} pushcore_http2_options;
#endif

#if defined(PUSHCORE_NET)
/*
 How a client or a session behaves. An empty view leaves a text out; a number counts when its bit is in `set`, and is the default
 otherwise. All of it may be zero.
 */
typedef struct pushcore_network_options {
  /*
   sizeof(pushcore_network_options).
   */
  uint32_t struct_size;
  /*
   PUSHCORE_NETWORK_SET_ bits.
   */
  uint32_t set;
  /*
   PUSHCORE_NETWORK_ flags.
   */
  uint32_t flags;
  /*
   How often one message goes back to the queue before it ends as not sent; default 3.
   */
  uint32_t max_requeues;
  /*
   Trust anchors beside the bundled ones, in PEM.
   */
  struct pushcore_view ca;
  /*
   A client certificate in PEM. That of an APNs service is presented by itself.
   */
  struct pushcore_view certificate;
  /*
   The certificate's key in PEM; empty when `certificate` holds it.
   */
  struct pushcore_view certificate_key;
  /*
   A proxy: `http://[user:password@]host:port` or `socks5://...`; for clients.
   */
  struct pushcore_view proxy;
  /*
   The hosts that are reached without the proxy, as NO_PROXY is written.
   */
  struct pushcore_view no_proxy;
  /*
   How many messages may wait for a stream; default 2,000.
   */
  uint64_t max_queued;
  /*
   How many connections to one host at most; default 8.
   */
  uint64_t max_connections;
  /*
   How many hosts may be in use at a time; default 256.
   */
  uint64_t max_hosts;
  /*
   From submission to the end at the latest; default 60,000.
   */
  uint64_t deadline_ms;
  /*
   From the opening of the stream to the answer at the latest; default 30,000.
   */
  uint64_t response_timeout_ms;
  /*
   Dialling, TLS and SETTINGS together; default 10,000.
   */
  uint64_t connect_timeout_ms;
  /*
   The first wait after a failed connection; default 1,000.
   */
  uint64_t first_backoff_ms;
  /*
   The longest wait between connections; default 60,000.
   */
  uint64_t longest_backoff_ms;
  /*
   A connection with nothing to do is closed after this long; by default the service's own habit.
   */
  uint64_t idle_timeout_ms;
  /*
   A connection that was silent for this long is asked before it is trusted; by default the service's own habit.
   */
  uint64_t probe_after_ms;
  /*
   How long the oldest message may wait before another connection is opened; default 100.
   */
  uint64_t queue_wait_before_dial_ms;
  /*
   The seed of the jitter of back-off; by default random.
   */
  uint64_t seed;
  /*
   How long answers to a bulk send may gather at most, in microseconds; default 1,000; for clients.
   */
  uint64_t gather_us;
  /*
   Messages a second at most; by default no limit.
   */
  uint32_t rate;
  /*
   Calls a second at most; by default the service's own limit.
   */
  uint32_t call_rate;
  /*
   The settings of HTTP/2 connections; NULL for the defaults.
   */
  const struct pushcore_http2_options *http2;
} pushcore_network_options;
#endif

#if defined(PUSHCORE_NET)
/*
 How many messages are where. `submitted` is the sum of `queued`, `open`, `held` and everything that has ended.
 */
typedef struct pushcore_stats {
  /*
   sizeof(pushcore_stats), set by the caller.
   */
  uint32_t struct_size;
  /*
   Zero: takes the place of padding.
   */
  uint32_t reserved;
  /*
   Messages taken.
   */
  uint64_t submitted;
  /*
   Waiting for a stream.
   */
  uint64_t queued;
  /*
   On a stream, no answer yet.
   */
  uint64_t open;
  /*
   Answered by a doubtful refusal that waits for other answers.
   */
  uint64_t held;
  /*
   Ended: taken by the service.
   */
  uint64_t accepted;
  /*
   Ended: the token is dead.
   */
  uint64_t token_gone;
  /*
   Ended: the token is blamed, and may be good.
   */
  uint64_t token_mismatch;
  /*
   Ended: not now.
   */
  uint64_t retry_later;
  /*
   Ended: the credentials are at fault.
   */
  uint64_t fix_credentials;
  /*
   Ended: can never be accepted.
   */
  uint64_t rejected;
  /*
   Ended: a call that was answered, whatever the answer.
   */
  uint64_t answered;
  /*
   Ended: certainly not processed.
   */
  uint64_t not_sent;
  /*
   Ended: written, no answer.
   */
  uint64_t unknown;
  /*
   Ended: the deadline passed before it was written.
   */
  uint64_t expired;
  /*
   Ended: cancelled by the caller.
   */
  uint64_t cancelled;
  /*
   Times a message went back to the queue.
   */
  uint64_t requeued;
  /*
   The bytes of header blocks that were sent (HTTP/2).
   */
  uint64_t header_bytes_sent;
  /*
   The bytes of header blocks that were received (HTTP/2).
   */
  uint64_t header_bytes_received;
} pushcore_stats;
#endif

#if defined(PUSHCORE_NET)
/*
 An event of a connection.
 */
typedef struct pushcore_connection_event {
  /*
   A PUSHCORE_CONNECTION_ constant.
   */
  uint32_t kind;
  /*
   Zero: takes the place of padding.
   */
  uint32_t reserved;
  /*
   The request's number.
   */
  uint64_t request;
  /*
   As the constants say.
   */
  uint64_t number;
  /*
   As the constants say; otherwise NULL.
   */
  struct pushcore_response *response;
  /*
   As the constants say; otherwise NULL.
   */
  struct pushcore_error *failure;
} pushcore_connection_event;
#endif

#if defined(PUSHCORE_NET)
/*
 Everything that an event says.
 */
typedef struct pushcore_event_parts {
  /*
   sizeof(pushcore_event_parts), set by the caller.
   */
  uint32_t struct_size;
  /*
   PUSHCORE_EVENT_HAS_ bits.
   */
  uint32_t flags;
  /*
   The event's name in every language, e.g. "go_away". The text is static.
   */
  struct pushcore_view name;
  /*
   The event in words.
   */
  struct pushcore_view text;
  /*
   The connection that the event is about.
   */
  uint64_t link;
  /*
   How long something has to wait, or how far a clock is off, in milliseconds.
   */
  uint64_t after_ms;
  /*
   The number of an error kind, the error code of a GOAWAY, or the number of streams.
   */
  uint32_t code;
  /*
   Zero: takes the place of padding.
   */
  uint32_t reserved;
} pushcore_event_parts;
#endif

#if defined(PUSHCORE_L1)
/*
 An FCM service. An empty view leaves an optional text out.
 */
typedef struct pushcore_fcm_service_options {
  /*
   sizeof(pushcore_fcm_service_options).
   */
  uint32_t struct_size;
  /*
   What the credentials are: PUSHCORE_FCM_SERVICE_ACCOUNT and so on (required).
   */
  uint32_t credentials;
  /*
   The content of the credential file.
   */
  struct pushcore_view file;
  /*
   The project's id, in place of the file's.
   */
  struct pushcore_view project;
  /*
   `host:port` in place of Google's token endpoint, for a sandbox.
   */
  struct pushcore_view token_host;
  /*
   `host:port` in place of Google's hosts, for a sandbox.
   */
  struct pushcore_view host;
} pushcore_fcm_service_options;
#endif

#if defined(PUSHCORE_L1)
/*
 The everyday fields of an FCM message. An empty view leaves a text out; a number counts when its bit is in `set`. Everything else:
 pushcore_message_from_json.
 */
typedef struct pushcore_fcm_message_options {
  /*
   sizeof(pushcore_fcm_message_options).
   */
  uint32_t struct_size;
  /*
   PUSHCORE_FCM_SET_ bits.
   */
  uint32_t set;
  /*
   PUSHCORE_FCM_VALIDATE_ONLY and PUSHCORE_FCM_HIGH_PRIORITY.
   */
  uint32_t flags;
  /*
   For how long Android's devices get the message when they are away, in seconds.
   */
  uint32_t ttl_s;
  /*
   A registration token, or an object: {"topic":"news"}, {"fid":"..."}, {"condition":"..."} (required).
   */
  struct pushcore_view target;
  /*
   The title of the notification.
   */
  struct pushcore_view title;
  /*
   The text of the notification.
   */
  struct pushcore_view body;
  /*
   The URL of the notification's image.
   */
  struct pushcore_view image;
  /*
   The data that the app gets.
   */
  const struct pushcore_pair *data;
  /*
   The number of `data`.
   */
  size_t data_count;
  /*
   Messages with one key replace each other while an Android device is away.
   */
  struct pushcore_view collapse_key;
} pushcore_fcm_message_options;
#endif

#if defined(PUSHCORE_L1)
/*
 A call about topic subscriptions.
 */
typedef struct pushcore_fcm_call_options {
  /*
   sizeof(pushcore_fcm_call_options).
   */
  uint32_t struct_size;
  /*
   A PUSHCORE_FCM_TOPIC_ constant.
   */
  uint32_t kind;
  /*
   The number of subscriptions on a page, 1 to 2,000; 0 is the service's choice.
   */
  uint32_t page_size;
  /*
   Zero: takes the place of padding.
   */
  uint32_t reserved;
  /*
   Registration tokens or installation ids: one, or many where `kind` says so.
   */
  const struct pushcore_view *registrations;
  /*
   The number of `registrations`.
   */
  size_t registration_count;
  /*
   The topic, except for a list.
   */
  struct pushcore_view topic;
  /*
   The token of the next page, out of the page before.
   */
  struct pushcore_view page_token;
} pushcore_fcm_call_options;
#endif

#if defined(PUSHCORE_NET)
/*
 One client of a hub.
 */
typedef struct pushcore_hub_client {
  /*
   sizeof(pushcore_hub_client).
   */
  uint32_t struct_size;
  /*
   For APNs PUSHCORE_APNS_PRODUCTION or PUSHCORE_APNS_SANDBOX; 0 for other services.
   */
  uint32_t environment;
  /*
   The only platform that the client serves, a PUSHCORE_PLATFORM_ constant; 0 for all.
   */
  uint32_t platform;
  /*
   Zero: takes the place of padding.
   */
  uint32_t reserved;
  /*
   The service (required).
   */
  const struct pushcore_service *service;
  /*
   How the client behaves; NULL for the defaults.
   */
  const struct pushcore_network_options *network;
  /*
   The app that the client serves; empty for all apps of the service that no other client serves by name.
   */
  struct pushcore_view app;
} pushcore_hub_client;
#endif

#if defined(PUSHCORE_NET)
/*
 The options of a hub.
 */
typedef struct pushcore_hub_options {
  /*
   sizeof(pushcore_hub_options).
   */
  uint32_t struct_size;
  /*
   PUSHCORE_HUB_SET_ bits.
   */
  uint32_t set;
  /*
   The clients, each by a pointer (at least one).
   */
  const struct pushcore_hub_client *const *clients;
  /*
   The number of `clients`.
   */
  size_t client_count;
  /*
   When a message is sent again, in the form of docs/notification.md; empty for the standard.
   */
  struct pushcore_view retries;
  /*
   How many messages of one service wait in the hub; default 5,000.
   */
  uint64_t queue;
  /*
   The time in which a service has to clear its queue, in milliseconds; default 300,000.
   */
  uint64_t patience_ms;
  /*
   The number of devices that are remembered, to notice a token that comes twice; default 917,504.
   */
  uint64_t remembered;
  /*
   The time from the moment at which a device is taken to its end at the latest, in milliseconds, all attempts together; by default no
   limit.
   */
  uint64_t total_deadline_ms;
} pushcore_hub_options;
#endif

#if defined(PUSHCORE_NET)
/*
 The end of one notification to one device.
 */
typedef struct pushcore_delivery {
  /*
   sizeof(pushcore_delivery), set by the caller.
   */
  uint32_t struct_size;
  /*
   A PUSHCORE_FEEDBACK_ constant: what to do with the device.
   */
  uint32_t feedback;
  /*
   How often the message was tried.
   */
  uint32_t attempts;
  /*
   Zero: takes the place of padding.
   */
  uint32_t reserved;
  /*
   The result of the last attempt; `user_data` is the index of the device.
   */
  struct pushcore_result result;
} pushcore_delivery;
#endif

#if defined(PUSHCORE_NET)
/*
 The end of one notification to one device of a batch. Its size never changes.
 */
typedef struct pushcore_hub_result {
  /*
   The result of the last attempt; `user_data` is the caller's number of the device.
   */
  struct pushcore_result result;
  /*
   A PUSHCORE_FEEDBACK_ constant: what to do with the device.
   */
  uint32_t feedback;
  /*
   How often the message was tried.
   */
  uint32_t attempts;
  /*
   Zero: room for what comes.
   */
  uint64_t reserved[2];
} pushcore_hub_result;
#endif

#if defined(PUSHCORE_NET)
/*
 A connection of a client or a session.
 */
typedef struct pushcore_connection_report {
  /*
   sizeof(pushcore_connection_report), set by the caller.
   */
  uint32_t struct_size;
  /*
   PUSHCORE_CONNECTION_IS_ flags.
   */
  uint32_t flags;
  /*
   The number of the connection.
   */
  uint64_t link;
  /*
   The `host:port` that the connection goes to. Lives as long as the report.
   */
  struct pushcore_view authority;
  /*
   Requests without an answer.
   */
  uint64_t in_flight;
  /*
   The requests that may be in flight at a time: the server's stream limit, or less after the server asked for calm.
   */
  uint64_t streams;
  /*
   The octets of request bodies that the server's flow control allows now; UINT64_MAX on HTTP/1.1 and before the connection is ready.
   */
  uint64_t window;
  /*
   The widest window that the server has granted so far, in octets; UINT64_MAX as for `window`.
   */
  uint64_t widest_window;
  /*
   The time from a request to its answer, smoothed, in microseconds; UINT64_MAX before the first answer.
   */
  uint64_t round_trip_us;
} pushcore_connection_report;
#endif

#if defined(PUSHCORE_NET)
/*
 A host that messages wait for, or that is connected.
 */
typedef struct pushcore_host_report {
  /*
   sizeof(pushcore_host_report), set by the caller.
   */
  uint32_t struct_size;
  /*
   A PUSHCORE_WAITS_FOR_ constant; 0 where no message waits.
   */
  uint32_t waits_for;
  /*
   The `host:port`. Lives as long as the report.
   */
  struct pushcore_view authority;
  /*
   Messages that wait for a stream.
   */
  uint64_t waiting;
  /*
   Requests without an answer.
   */
  uint64_t in_flight;
  /*
   The connections, whatever their state.
   */
  uint64_t connections;
} pushcore_host_report;
#endif

#if defined(PUSHCORE_L1)
/*
 A part of a notification that a service does not take as it is.
 */
typedef struct pushcore_loss {
  /*
   sizeof(pushcore_loss), set by the caller.
   */
  uint32_t struct_size;
  /*
   A PUSHCORE_LOSS_ constant.
   */
  uint32_t kind;
  /*
   The PUSHCORE_PLATFORM_ that loses the field; 0 when every device of the app does.
   */
  uint32_t platform;
  /*
   Zero: takes the place of padding.
   */
  uint32_t reserved;
  /*
   The field of the notification, by its name in JSON. The text is static.
   */
  struct pushcore_view field;
  /*
   The reason, for a person. The text is static.
   */
  struct pushcore_view reason;
} pushcore_loss;
#endif

#if defined(PUSHCORE_L1)
/*
 Everything that a feedback says. A field that its action does not have is 0 or empty.
 */
typedef struct pushcore_feedback_parts {
  /*
   sizeof(pushcore_feedback_parts), set by the caller.
   */
  uint32_t struct_size;
  /*
   A PUSHCORE_FEEDBACK_ constant.
   */
  uint32_t action;
  /*
   A PUSHCORE_SCOPE_ constant: the messages that have to wait.
   */
  uint32_t scope;
  /*
   PUSHCORE_SUSPECT_ bits: the settings to check.
   */
  uint32_t suspects;
  /*
   The earliest time of the next message, in milliseconds since 1970; 0 where nothing names a time.
   */
  uint64_t until_ms;
  /*
   The error of this machine's clock in seconds.
   */
  int64_t clock_skew_s;
  /*
   The new token.
   */
  struct pushcore_view replacement;
  /*
   "suspects", "credentials", "clock", "device" or "connection". The text is static.
   */
  struct pushcore_view cause;
} pushcore_feedback_parts;
#endif

#if defined(PUSHCORE_L1)
/*
 Everything that an outcome says. A field that its kind does not have is 0 or empty.
 */
typedef struct pushcore_outcome_parts {
  /*
   sizeof(pushcore_outcome_parts), set by the caller.
   */
  uint32_t struct_size;
  /*
   A PUSHCORE_OUTCOME_ constant.
   */
  uint32_t kind;
  /*
   The HTTP status; 0 where there was none.
   */
  uint32_t http_status;
  /*
   PUSHCORE_HAS_ and other flags.
   */
  uint32_t flags;
  /*
   A PUSHCORE_SCOPE_ constant: what has to wait; 0 where nothing has to.
   */
  uint32_t scope;
  /*
   PUSHCORE_SUSPECT_ bits.
   */
  uint32_t suspects;
  /*
   Since when the token is dead, in milliseconds since 1970.
   */
  uint64_t since_ms;
  /*
   How long to wait at least, in milliseconds.
   */
  uint64_t after_ms;
  /*
   For how long the service keeps the message, in milliseconds.
   */
  uint64_t ttl_ms;
  /*
   How far the service's clock is ahead of ours, in seconds.
   */
  int64_t clock_skew_s;
  /*
   The service's own word.
   */
  struct pushcore_view reason;
  /*
   The body as received.
   */
  struct pushcore_view body;
  /*
   The service's id of the message.
   */
  struct pushcore_view id;
  /*
   Apple's id in the development environment, for its Console.
   */
  struct pushcore_view unique_id;
  /*
   The token that takes the place of the one that was sent to.
   */
  struct pushcore_view replacement;
  /*
   The URL by which the message can be taken back (Web Push).
   */
  struct pushcore_view location;
  /*
   The URL that receipts come from (Web Push).
   */
  struct pushcore_view receipt;
} pushcore_outcome_parts;
#endif

#if defined(PUSHCORE_L1)
/*
 What is accepted beside the public push services.
 */
typedef struct pushcore_endpoint_policy_options {
  /*
   sizeof(pushcore_endpoint_policy_options).
   */
  uint32_t struct_size;
  /*
   PUSHCORE_POLICY_ constants.
   */
  uint32_t flags;
  /*
   Hosts with public addresses, and their subdomains.
   */
  const struct pushcore_view *hosts;
  /*
   The number of `hosts`.
   */
  size_t host_count;
  /*
   Ports beside 443.
   */
  const uint16_t *ports;
  /*
   The number of `ports`.
   */
  size_t port_count;
  /*
   Hosts, as `host:port`, that are accepted whatever their address: a server of one's own, or the sandbox.
   */
  const struct pushcore_view *trusted;
  /*
   The number of `trusted`.
   */
  size_t trusted_count;
} pushcore_endpoint_policy_options;
#endif

#if defined(PUSHCORE_L1)
/*
 Whether requests can be authorized now.
 */
typedef struct pushcore_authorization {
  /*
   sizeof(pushcore_authorization), set by the caller.
   */
  uint32_t struct_size;
  /*
   A PUSHCORE_AUTHORIZATION_ constant.
   */
  uint32_t state;
  /*
   When to ask again, on the monotonic clock; UINT64_MAX where the caller brings the tokens, 0 where nothing waits.
   */
  uint64_t until_ms;
} pushcore_authorization;
#endif

#if defined(PUSHCORE_NET)
/*
 A task for the owner of the sockets.
 */
typedef struct pushcore_action {
  /*
   A PUSHCORE_ACTION_ constant.
   */
  uint32_t kind;
  /*
   The port to connect to.
   */
  uint16_t port;
  /*
   1 where the connection is made without a proxy: to the machine's metadata server.
   */
  uint16_t direct;
  /*
   The connection.
   */
  uint64_t link;
  /*
   The host to connect to, until the next pushcore_session_poll_action.
   */
  struct pushcore_view host;
  /*
   The bytes that were left to write, until the next pushcore_session_poll_action.
   */
  struct pushcore_view final_bytes;
} pushcore_action;
#endif

#if defined(PUSHCORE_L1)
/*
 A Web Push service.
 */
typedef struct pushcore_web_push_service_options {
  /*
   sizeof(pushcore_web_push_service_options).
   */
  uint32_t struct_size;
  /*
   PUSHCORE_WEB_PUSH_ANY_SUBJECT.
   */
  uint32_t flags;
  /*
   The VAPID key in any form that pushcore_signing_key_read takes (required).
   */
  struct pushcore_view key;
  /*
   Where the push service reaches the sender: a mailto: or https: URL (required).
   */
  struct pushcore_view subject;
  /*
   The endpoints that are accepted; NULL for those of the public push services.
   */
  const struct pushcore_endpoint_policy *endpoints;
} pushcore_web_push_service_options;
#endif

#if defined(PUSHCORE_L1)
/*
 The fields of a Web Push message. An empty view leaves a text out; a number counts when its bit is in `set`.
 */
typedef struct pushcore_web_push_message_options {
  /*
   sizeof(pushcore_web_push_message_options).
   */
  uint32_t struct_size;
  /*
   PUSHCORE_WEB_PUSH_SET_ bits.
   */
  uint32_t set;
  /*
   A PUSHCORE_WEB_PUSH_URGENCY_ constant; 0 says nothing.
   */
  uint32_t urgency;
  /*
   How long the service keeps the message, in seconds; 28 days without its bit.
   */
  uint32_t ttl_s;
  /*
   The subscription as the browser gives it, a JSON object (required).
   */
  struct pushcore_view subscription;
  /*
   The bytes that the device gets, encrypted: at most 3993. Without its bit in `set` an empty view is no payload.
   */
  struct pushcore_view payload;
  /*
   Replaces an undelivered message of the same topic: at most 32 letters, digits, - and _.
   */
  struct pushcore_view topic;
  /*
   The endpoints that are accepted; NULL for those of the public push services.
   */
  const struct pushcore_endpoint_policy *endpoints;
} pushcore_web_push_message_options;
#endif

#if defined(PUSHCORE_L1)
/*
 A call about a message that was sent.
 */
typedef struct pushcore_web_push_call_options {
  /*
   sizeof(pushcore_web_push_call_options).
   */
  uint32_t struct_size;
  /*
   PUSHCORE_WEB_PUSH_WITHDRAW or PUSHCORE_WEB_PUSH_RECEIPTS.
   */
  uint32_t kind;
  /*
   PUSHCORE_WEB_PUSH_SET_WAIT.
   */
  uint32_t set;
  /*
   How long the service may wait for a receipt before it answers, in seconds.
   */
  uint32_t wait_s;
  /*
   The URL out of the outcome (required).
   */
  struct pushcore_view url;
  /*
   The subscription that the message was sent to (required).
   */
  const struct pushcore_target *target;
} pushcore_web_push_call_options;
#endif

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 The version of the library, e.g. "0.1.0". The text is static.
 */
struct pushcore_view pushcore_version(void);

/*
 The version of the ABI that the library was built with; compare it with PUSHCORE_ABI_VERSION.
 */
uint32_t pushcore_abi_version(void);

/*
 Returns the number of handles that have been given out and not freed: 0 at the end of a program that frees everything. Tools that look
 for leaks do not see a handle that was forgotten, because the library still knows it.
 */
size_t pushcore_live_handles(void);

#if defined(PUSHCORE_L1)
/*
 Makes an ADM service.
 */
pushcore_status pushcore_adm_service_new(const struct pushcore_adm_service_options *options,
                                         struct pushcore_service **out,
                                         struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Builds a message out of the everyday fields.
 */
pushcore_status pushcore_adm_message_new(const struct pushcore_adm_message_options *options,
                                         struct pushcore_message **out,
                                         struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Makes a call about a group.
 */
pushcore_status pushcore_adm_call_new(const struct pushcore_adm_call_options *options,
                                      struct pushcore_call **out,
                                      struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Reads a `.p8` file's content. Key id and team id have 10 characters.
 */
pushcore_status pushcore_apns_credentials_new(struct pushcore_view p8,
                                              struct pushcore_view key_id,
                                              struct pushcore_view team_id,
                                              struct pushcore_apns_credentials **out,
                                              struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Gives the credentials back.
 */
void pushcore_apns_credentials_free(struct pushcore_apns_credentials *credentials);
#endif

#if defined(PUSHCORE_L1)
/*
 Builds a message out of the everyday fields. Everything that APNs would refuse is refused here, with Apple's own reason.
 */
pushcore_status pushcore_apns_message_new(const struct pushcore_apns_message_options *options,
                                          pushcore_apns_message **out,
                                          struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Gives the message back.
 */
void pushcore_apns_message_free(pushcore_apns_message *message);
#endif

#if defined(PUSHCORE_L1)
/*
 The HTTP/2 request that sends the message to APNs, for any HTTP client: production, or Apple's
 sandbox when `sandbox` is true. pushcore_service_request does the same for every service.
 */
pushcore_status pushcore_apns_request(const pushcore_apns_message *message,
                                      const struct pushcore_apns_credentials *credentials,
                                      bool sandbox,
                                      struct pushcore_now now,
                                      struct pushcore_request **out,
                                      struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Makes an APNs service.
 */
pushcore_status pushcore_apns_service_new(const struct pushcore_apns_service_options *options,
                                          struct pushcore_service **out,
                                          struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Makes a call about an app's channels.
 */
pushcore_status pushcore_apns_call_new(const struct pushcore_apns_call_options *options,
                                       struct pushcore_call **out,
                                       struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Makes a Baidu service.
 */
pushcore_status pushcore_baidu_service_new(const struct pushcore_baidu_service_options *options,
                                           struct pushcore_service **out,
                                           struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Builds a message out of the everyday fields.
 */
pushcore_status pushcore_baidu_message_new(const struct pushcore_baidu_message_options *options,
                                           struct pushcore_message **out,
                                           struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Makes a call about messages, tags, timers or topics.
 */
pushcore_status pushcore_baidu_call_new(const struct pushcore_baidu_call_options *options,
                                        struct pushcore_call **out,
                                        struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Begins a batch of `expected` messages; 0 where their number is not known. It keeps the client alive; freeing it cancels what has not
 ended.
 */
pushcore_status pushcore_batch_new(const struct pushcore_client *client,
                                   size_t expected,
                                   struct pushcore_batch **out,
                                   struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Submits the message of `template` to `count` targets, one after the other, until there are no more or the queue is full. `targets`
 are texts that pushcore_target_parse reads. `user_data` holds a number for each message that comes back with its end; where it is
 NULL, the messages of the batch are counted from 0. `taken` gets how many were taken: after pushcore_batch_wait offer the rest. A
 target that cannot be sent to is taken, and its end says why. `options` may be NULL.
 */
pushcore_status pushcore_batch_submit(struct pushcore_batch *batch,
                                      const struct pushcore_template *template_,
                                      const struct pushcore_view *targets,
                                      const uint64_t *user_data,
                                      size_t count,
                                      const struct pushcore_send_options *options,
                                      size_t *taken,
                                      struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 pushcore_batch_submit for messages that have nothing in common. They may be freed afterwards.
 */
pushcore_status pushcore_batch_submit_messages(struct pushcore_batch *batch,
                                               const struct pushcore_message *const *messages,
                                               const uint64_t *user_data,
                                               size_t count,
                                               const struct pushcore_send_options *options,
                                               size_t *taken,
                                               struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Moves bytes until something has ended or `timeout_ms` is over (a signal may end the wait early), and hands over at most `capacity`
 ends. With nothing under way it returns at once, with `count` 0.
 */
pushcore_status pushcore_batch_wait(struct pushcore_batch *batch,
                                    uint64_t timeout_ms,
                                    struct pushcore_result *results,
                                    size_t capacity,
                                    size_t *count,
                                    struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Gives the outcome of a message that the last pushcore_batch_wait handed over, by its position there. When the message had no answer,
 the failure is the message's own error.
 */
pushcore_status pushcore_batch_outcome(struct pushcore_batch *batch,
                                       size_t index,
                                       struct pushcore_outcome **out,
                                       struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Gives the error of a message without an answer that the last pushcore_batch_wait handed over, by its position there.
 */
pushcore_status pushcore_batch_error(struct pushcore_batch *batch,
                                     size_t index,
                                     struct pushcore_error **out,
                                     struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Writes the tickets of the messages that the last pushcore_batch_submit or pushcore_batch_submit_messages took, in their order, for
 pushcore_batch_cancel: at most `capacity`, and `count` gets how many there are. The ticket of a message that was refused is 0.
 */
pushcore_status pushcore_batch_tickets(struct pushcore_batch *batch,
                                       uint64_t *tickets,
                                       size_t capacity,
                                       size_t *count,
                                       struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Cancels one message by its ticket. Its end, PUSHCORE_ERROR_CANCELLED, comes like any other. `cancelled` gets false when it has ended
 already; it may be NULL.
 */
pushcore_status pushcore_batch_cancel(struct pushcore_batch *batch,
                                      uint64_t ticket,
                                      bool *cancelled,
                                      struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Cancels every message of which the service cannot have seen a byte; the others go on to their own ends. `count` gets how many, and
 may be NULL.
 */
pushcore_status pushcore_batch_withdraw(struct pushcore_batch *batch,
                                        size_t *count,
                                        struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Says that no message follows: doubtful answers are held back no longer than for those that are under way.
 */
pushcore_status pushcore_batch_finish(struct pushcore_batch *batch,
                                      struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Tells whether the batch takes no further message, because many answers blame the tokens and PUSHCORE_SEND_STOP_ON_SUSPICION is set.
 */
pushcore_status pushcore_batch_is_stopped(struct pushcore_batch *batch,
                                          bool *stopped,
                                          struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Counts how far the batch is, up to `struct_size`.
 */
pushcore_status pushcore_batch_progress(struct pushcore_batch *batch,
                                        struct pushcore_progress *progress,
                                        struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Cancels what has not ended, and gives the batch back.
 */
void pushcore_batch_free(struct pushcore_batch *batch);
#endif

/*
 Returns the bytes; empty for NULL. Not NUL-terminated.
 */
struct pushcore_view pushcore_bytes_view(const struct pushcore_bytes *bytes);

/*
 Overwrites the bytes and gives them back.
 */
void pushcore_bytes_free(struct pushcore_bytes *bytes);

#if defined(PUSHCORE_L1)
/*
 Returns the name of the call's kind, for logs; empty for NULL. The text is static.
 */
struct pushcore_view pushcore_call_name(const struct pushcore_call *call);
#endif

#if defined(PUSHCORE_L1)
/*
 The request that makes the call, for any HTTP client. PUSHCORE_ERROR_TOKEN_NEEDED when an access token has to be fetched first.
 */
pushcore_status pushcore_call_request(const struct pushcore_call *call,
                                      const struct pushcore_service *service,
                                      struct pushcore_now now,
                                      struct pushcore_request **out,
                                      struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Reads the answer to the call. A refusal is an answer.
 */
pushcore_status pushcore_call_read(const struct pushcore_call *call,
                                   const struct pushcore_response *response,
                                   struct pushcore_now now,
                                   struct pushcore_answer **out,
                                   struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Gives the call back.
 */
void pushcore_call_free(struct pushcore_call *call);
#endif

#if defined(PUSHCORE_L1)
/*
 Returns the PUSHCORE_ANSWER_ constant; 0 for NULL.
 */
uint32_t pushcore_answer_kind(const struct pushcore_answer *answer);
#endif

#if defined(PUSHCORE_L1)
/*
 Returns the text of the answer, as PUSHCORE_ANSWER_ constants say; empty where it has none.
 */
struct pushcore_view pushcore_answer_text(const struct pushcore_answer *answer);
#endif

#if defined(PUSHCORE_L1)
/*
 Returns the number of members that a group call worked for; 0 for other answers.
 */
uint64_t pushcore_answer_succeeded(const struct pushcore_answer *answer);
#endif

#if defined(PUSHCORE_L1)
/*
 Returns the number of items; 0 where the answer has none.
 */
size_t pushcore_answer_item_count(const struct pushcore_answer *answer);
#endif

#if defined(PUSHCORE_L1)
/*
 An item by its position: its text, and for PUSHCORE_ANSWER_BATCH its PUSHCORE_OUTCOME_ constant. PUSHCORE_ERROR_MISUSE when there is
 none at `index`.
 */
pushcore_status pushcore_answer_item_at(const struct pushcore_answer *answer,
                                        size_t index,
                                        struct pushcore_view *text,
                                        uint32_t *outcome);
#endif

#if defined(PUSHCORE_L1)
/*
 Gives the outcome of an answer that is one. PUSHCORE_ERROR_MISUSE for other answers.
 */
pushcore_status pushcore_answer_outcome(const struct pushcore_answer *answer,
                                        struct pushcore_outcome **out,
                                        struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Gives the answer back.
 */
void pushcore_answer_free(struct pushcore_answer *answer);
#endif

#if defined(PUSHCORE_NET)
/*
 Reads both clocks as clients do, for functions that take a pushcore_now. Whoever shares a service between a client and other uses takes
 the time from here, because the age of a token is measured by the monotonic clock.
 */
pushcore_status pushcore_clock_now(struct pushcore_now *out);
#endif

#if defined(PUSHCORE_NET)
/*
 Opens a client; `options` may be NULL. No connection is made before the first message.
 */
pushcore_status pushcore_client_new(const struct pushcore_service *service,
                                    const struct pushcore_network_options *options,
                                    struct pushcore_client **out,
                                    struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Sends one message and waits for its end, at most for the deadline. `result` and `outcome` may each be NULL. A message that ends
 without an answer is a failure: PUSHCORE_ERROR_NOT_SENT, PUSHCORE_ERROR_UNKNOWN and so on. `options` may be NULL.
 */
pushcore_status pushcore_client_send(const struct pushcore_client *client,
                                     const struct pushcore_message *message,
                                     const struct pushcore_send_options *options,
                                     struct pushcore_result *result,
                                     struct pushcore_outcome **outcome,
                                     struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Makes a call and waits for its answer, at most for the deadline of the client. Access tokens are fetched by itself.
 */
pushcore_status pushcore_client_call(const struct pushcore_client *client,
                                     const struct pushcore_call *call,
                                     struct pushcore_answer **out,
                                     struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Sends a request to one of the service's hosts and waits for the answer, whatever it is. The service's authorization is added where
 the request has none.
 */
pushcore_status pushcore_client_exchange(const struct pushcore_client *client,
                                         const struct pushcore_request *request,
                                         struct pushcore_response **out,
                                         struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Waits at most `timeout_ms` for an authorization, and has an access token fetched where one is needed. `ready` gets whether there is
 one now.
 */
pushcore_status pushcore_client_authorize(const struct pushcore_client *client,
                                          uint64_t timeout_ms,
                                          bool *ready,
                                          struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Counts how many messages of this client are where, up to `struct_size`. In the child of a fork every count is 0.
 */
pushcore_status pushcore_client_stats(const struct pushcore_client *client,
                                      struct pushcore_stats *stats,
                                      struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Gives the next thing that happened, for logs and metrics; NULL when there is none. Never waits.
 */
pushcore_status pushcore_client_poll_event(const struct pushcore_client *client,
                                           struct pushcore_event **out,
                                           struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Returns whether many answers in a row blame the tokens, so that the configuration is probably wrong.
 */
bool pushcore_client_is_mix_up_suspected(const struct pushcore_client *client);
#endif

#if defined(PUSHCORE_NET)
/*
 Takes no more messages, and waits at most `timeout_ms` until those taken have ended and the connections are closed. `closed` gets
 whether that is so.
 */
pushcore_status pushcore_client_close(const struct pushcore_client *client,
                                      uint64_t timeout_ms,
                                      bool *closed,
                                      struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Gives the client back. Batches that were begun keep it alive; without any its connections are closed at once.
 */
void pushcore_client_free(struct pushcore_client *client);
#endif

#if defined(PUSHCORE_NET)
/*
 Opens a connection to `authority` (`host:port`); `protocols` is a PUSHCORE_PROTOCOLS_ constant. Of `options`, which may be NULL, TLS,
 `connect_timeout_ms` and `http2` count here.
 */
pushcore_status pushcore_connection_new(struct pushcore_view authority,
                                        uint32_t protocols,
                                        const struct pushcore_network_options *options,
                                        struct pushcore_now now,
                                        struct pushcore_connection **out,
                                        struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Sends a request. `number` comes back with its end. PUSHCORE_ERROR_QUEUE_FULL when no stream can be opened now,
 PUSHCORE_ERROR_CLOSED when the connection is draining or closed.
 */
pushcore_status pushcore_connection_send(struct pushcore_connection *connection,
                                         const struct pushcore_request *request,
                                         struct pushcore_now now,
                                         uint64_t *number,
                                         struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Resets the stream of a request. `cancelled` gets false when it has ended already; it may be NULL.
 */
pushcore_status pushcore_connection_cancel(struct pushcore_connection *connection,
                                           uint64_t number,
                                           struct pushcore_now now,
                                           bool *cancelled,
                                           struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Takes bytes from the socket.
 */
pushcore_status pushcore_connection_receive(struct pushcore_connection *connection,
                                            struct pushcore_view bytes,
                                            struct pushcore_now now,
                                            struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 The socket has come to its end, or failed.
 */
pushcore_status pushcore_connection_receive_eof(struct pushcore_connection *connection,
                                                struct pushcore_now now,
                                                struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Time has passed. Calling it too often does no harm.
 */
pushcore_status pushcore_connection_handle_timeout(struct pushcore_connection *connection,
                                                   struct pushcore_now now,
                                                   struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Tells when pushcore_connection_handle_timeout has to be called, on the monotonic clock in milliseconds, rounded up; UINT64_MAX is never.
 */
pushcore_status pushcore_connection_deadline(struct pushcore_connection *connection,
                                             uint64_t *monotonic_ms,
                                             struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Shows the bytes that are to be written to the socket now, until the next call.
 */
pushcore_status pushcore_connection_transmit(struct pushcore_connection *connection,
                                             struct pushcore_view *bytes,
                                             struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 The first `count` bytes of what pushcore_connection_transmit showed have been written.
 */
pushcore_status pushcore_connection_transmitted(struct pushcore_connection *connection,
                                                size_t count,
                                                struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Gives the next event: PUSHCORE_CONNECTION_NOTHING when there is none.
 */
pushcore_status pushcore_connection_poll_event(struct pushcore_connection *connection,
                                               struct pushcore_connection_event *out,
                                               struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Tells how many requests can be sent now.
 */
pushcore_status pushcore_connection_capacity(struct pushcore_connection *connection,
                                             size_t *capacity,
                                             struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Sends a PING. `sent` gets false over HTTP/1.1 and while one is under way; it may be NULL.
 */
pushcore_status pushcore_connection_ping(struct pushcore_connection *connection,
                                         struct pushcore_now now,
                                         bool *sent,
                                         struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Takes no more requests; closes the connection when those under way have ended.
 */
pushcore_status pushcore_connection_close(struct pushcore_connection *connection,
                                          struct pushcore_now now,
                                          struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Tells whether the connection is over: when nothing is left to write either, close the socket.
 */
pushcore_status pushcore_connection_is_closed(struct pushcore_connection *connection,
                                              bool *closed,
                                              struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Gives the connection back. Its socket is the owner's to close.
 */
void pushcore_connection_free(struct pushcore_connection *connection);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Returns the name of the system at a position, from 0 on, e.g. "pinpoint"; empty past the last one. The text is static.
 */
struct pushcore_view pushcore_dialect_system_at(size_t index);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Makes the dialect of a system. `options` is one JSON object as docs/dialects.md lists them, or empty.
 */
pushcore_status pushcore_dialect_new(struct pushcore_view system,
                                     struct pushcore_view options,
                                     struct pushcore_dialect **out,
                                     struct pushcore_error **error);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Returns the name of the system; empty for NULL. The text is static.
 */
struct pushcore_view pushcore_dialect_system(const struct pushcore_dialect *dialect);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Returns the number of requests that are understood; 0 for NULL.
 */
size_t pushcore_dialect_route_count(const struct pushcore_dialect *dialect);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Writes method, path and operation of a request that is understood, by its position, 0 to count - 1; `{name}` in a path stands for one
 segment. PUSHCORE_ERROR_MISUSE when there is none at `index`. The texts are static.
 */
pushcore_status pushcore_dialect_route_at(const struct pushcore_dialect *dialect,
                                          size_t index,
                                          struct pushcore_view *method,
                                          struct pushcore_view *path,
                                          struct pushcore_view *operation);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Begins the job of a request that came in. `target` is the raw target, path and query as they stood on the wire; `headers` are all headers in
 their order, in any bytes; `body` is the whole body, without chunks. PUSHCORE_ERROR_INVALID_VALUE for a target that no HTTP server lets through.
 */
pushcore_status pushcore_dialect_begin(const struct pushcore_dialect *dialect,
                                       struct pushcore_view method,
                                       struct pushcore_view target,
                                       const struct pushcore_pair *headers,
                                       size_t count,
                                       struct pushcore_view body,
                                       struct pushcore_now now,
                                       struct pushcore_dialect_job **out,
                                       struct pushcore_error **error);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Gives the dialect back.
 */
void pushcore_dialect_free(struct pushcore_dialect *dialect);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Reads a job back that pushcore_dialect_job_to_json wrote. What it waited for it waits for again, under the same numbers.
 */
pushcore_status pushcore_dialect_job_from_json(struct pushcore_view json,
                                               struct pushcore_dialect_job **out,
                                               struct pushcore_error **error);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Writes the whole job as JSON, without a secret in it. PUSHCORE_ERROR_MISUSE for a request that brings credentials: its client has to
 repeat it.
 */
pushcore_status pushcore_dialect_job_to_json(const struct pushcore_dialect_job *job,
                                             struct pushcore_bytes **out,
                                             struct pushcore_error **error);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Returns the name of the system; empty for NULL. The text is static.
 */
struct pushcore_view pushcore_dialect_job_system(const struct pushcore_dialect_job *job);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Returns the operation of the routing table; empty where no route takes the request. The text is static.
 */
struct pushcore_view pushcore_dialect_job_operation(const struct pushcore_dialect_job *job);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Returns when the job began, in milliseconds since 1970; 0 for NULL.
 */
uint64_t pushcore_dialect_job_began_ms(const struct pushcore_dialect_job *job);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Returns the number of steps that wait for an answer; 0 once there is a reply. All of them can be worked on at the same time; the next ones come
 when all are answered.
 */
size_t pushcore_dialect_job_step_count(const struct pushcore_dialect_job *job);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Gives a copy of the step at a position, 0 to count - 1, to be freed. PUSHCORE_ERROR_MISUSE when there is none at `index`.
 */
pushcore_status pushcore_dialect_job_step_at(const struct pushcore_dialect_job *job,
                                             size_t index,
                                             struct pushcore_dialect_step **out,
                                             struct pushcore_error **error);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Takes the answer to a step as JSON, in the form that docs/dialects.md says. After a refused answer the step waits on.
 */
pushcore_status pushcore_dialect_job_answer(struct pushcore_dialect_job *job,
                                            uint32_t id,
                                            struct pushcore_view json,
                                            struct pushcore_error **error);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Takes the result of a message: `outcome`, or `failure` for a message without an answer. Exactly one of the two is not NULL.
 */
pushcore_status pushcore_dialect_job_sent(struct pushcore_dialect_job *job,
                                          uint32_t id,
                                          const struct pushcore_outcome *outcome,
                                          const struct pushcore_error *failure,
                                          struct pushcore_error **error);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Takes note that nobody knows what became of a step that sends: the process that worked on it ended. Nothing is sent again by itself.
 */
pushcore_status pushcore_dialect_job_unknown(struct pushcore_dialect_job *job,
                                             uint32_t id,
                                             struct pushcore_error **error);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Gives the answer to the client, to be freed; NULL while steps wait.
 */
pushcore_status pushcore_dialect_job_reply(const struct pushcore_dialect_job *job,
                                           struct pushcore_dialect_reply **out,
                                           struct pushcore_error **error);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Returns how many warnings there are of what the translation lost or changed, as far as it is known now; 0 for NULL.
 */
size_t pushcore_dialect_job_warning_count(const struct pushcore_dialect_job *job);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Returns a warning by its position, 0 to count - 1; empty when there is none at `index`. Valid until the job is freed or changed.
 */
struct pushcore_view pushcore_dialect_job_warning_at(const struct pushcore_dialect_job *job,
                                                     size_t index);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Gives the job back.
 */
void pushcore_dialect_job_free(struct pushcore_dialect_job *job);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Reads a step that pushcore_dialect_step_to_json wrote, in another process. Its answer goes to the job, wherever that is.
 */
pushcore_status pushcore_dialect_step_from_json(struct pushcore_view json,
                                                struct pushcore_dialect_step **out,
                                                struct pushcore_error **error);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Writes the step as JSON: `{"id": 1, "step": "ask", "ask": "secret", ...}`. It may hold addresses and tokens.
 */
pushcore_status pushcore_dialect_step_to_json(const struct pushcore_dialect_step *step,
                                              struct pushcore_bytes **out,
                                              struct pushcore_error **error);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Returns the number by which the answer goes in; 0 for NULL.
 */
uint32_t pushcore_dialect_step_id(const struct pushcore_dialect_step *step);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Returns a PUSHCORE_STEP_ constant; 0 for NULL.
 */
uint32_t pushcore_dialect_step_kind(const struct pushcore_dialect_step *step);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Gives the message to send, complete with its target. PUSHCORE_ERROR_MISUSE for a step that is no PUSHCORE_STEP_SEND.
 */
pushcore_status pushcore_dialect_step_message(const struct pushcore_dialect_step *step,
                                              struct pushcore_message **out,
                                              struct pushcore_error **error);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Gives the message of a broadcast to one of its targets. PUSHCORE_ERROR_MISUSE for a step that is no PUSHCORE_STEP_BROADCAST.
 */
pushcore_status pushcore_dialect_step_message_to(const struct pushcore_dialect_step *step,
                                                 const struct pushcore_target *target,
                                                 struct pushcore_message **out,
                                                 struct pushcore_error **error);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Gives the step back.
 */
void pushcore_dialect_step_free(struct pushcore_dialect_step *step);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Returns the HTTP status; 0 for NULL.
 */
uint16_t pushcore_dialect_reply_status(const struct pushcore_dialect_reply *reply);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Returns the body; empty for NULL. The host adds content-length.
 */
struct pushcore_view pushcore_dialect_reply_body(const struct pushcore_dialect_reply *reply);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Returns the number of headers; 0 for NULL.
 */
size_t pushcore_dialect_reply_header_count(const struct pushcore_dialect_reply *reply);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Writes a header by its position, 0 to count - 1. PUSHCORE_ERROR_MISUSE when there is none at `index`.
 */
pushcore_status pushcore_dialect_reply_header_at(const struct pushcore_dialect_reply *reply,
                                                 size_t index,
                                                 struct pushcore_view *name,
                                                 struct pushcore_view *value);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Returns the number of idempotency keys; 0 where nothing is to be remembered. The host stores the reply under each of them before the
 client gets it.
 */
size_t pushcore_dialect_reply_remember_count(const struct pushcore_dialect_reply *reply);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Returns an idempotency key by its position, 0 to count - 1; empty when there is none at `index`.
 */
struct pushcore_view pushcore_dialect_reply_remember_at(const struct pushcore_dialect_reply *reply,
                                                        size_t index);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Returns the time for which the reply is remembered, in seconds; 0 where nothing is to be remembered.
 */
uint64_t pushcore_dialect_reply_remember_s(const struct pushcore_dialect_reply *reply);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Writes the reply as JSON: `{"reply": ...}` with it answers a claim later.
 */
pushcore_status pushcore_dialect_reply_to_json(const struct pushcore_dialect_reply *reply,
                                               struct pushcore_bytes **out,
                                               struct pushcore_error **error);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Gives the reply back.
 */
void pushcore_dialect_reply_free(struct pushcore_dialect_reply *reply);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Reads the filter of a Pushpad step, one JSON object with the members `uids` and `tags`.
 */
pushcore_status pushcore_dialect_selection_new(struct pushcore_view filter,
                                               struct pushcore_dialect_selection **out,
                                               struct pushcore_error **error);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Returns whether a subscription with this uid and these tags is selected. `uid` is empty for a subscription of nobody in particular. False for
 NULL and for text that is not UTF-8.
 */
bool pushcore_dialect_selection_selects(const struct pushcore_dialect_selection *selection,
                                        struct pushcore_view uid,
                                        const struct pushcore_view *tags,
                                        size_t count);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Gives the selection back.
 */
void pushcore_dialect_selection_free(struct pushcore_dialect_selection *selection);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Writes the SHA-256 of an API key or bearer token, as a job asks for it and a store keeps it: 64 lower-case hex digits.
 */
pushcore_status pushcore_dialect_token_digest(struct pushcore_view key,
                                              struct pushcore_bytes **out,
                                              struct pushcore_error **error);
#endif

#if defined(PUSHCORE_DIALECTS)
/*
 Writes the signature with which a page proves a user's id to Pushpad's part in the browser.
 */
pushcore_status pushcore_dialect_pushpad_signature(struct pushcore_view token,
                                                   struct pushcore_view uid,
                                                   struct pushcore_bytes **out,
                                                   struct pushcore_error **error);
#endif

/*
 Returns the name of a status, the same in every language, e.g. "NotSent"; empty for a number that is none. The text is
 static.
 */
struct pushcore_view pushcore_status_name(pushcore_status status);

/*
 The status that the failed call returned; PUSHCORE_NULL_ARGUMENT for NULL.
 */
pushcore_status pushcore_error_code(const struct pushcore_error *error);

/*
 Returns the name of the error's kind, the same in every language, e.g. "NotSent"; empty for NULL. The text is static.
 */
struct pushcore_view pushcore_error_name(const struct pushcore_error *error);

/*
 Returns what to fix, in one lower-case line with the causes; empty for NULL. Holds no secret and no device token.
 */
struct pushcore_view pushcore_error_message(const struct pushcore_error *error);

/*
 Gives the error underneath, to be freed; NULL where there is none.
 */
pushcore_status pushcore_error_cause(const struct pushcore_error *error,
                                     struct pushcore_error **out);

/*
 Returns whether the server named an HTTP/2 error code (RFC 9113 section 7) for the failure, and writes the code.
 */
bool pushcore_error_http2_code(const struct pushcore_error *error,
                               uint32_t *code);

/*
 Returns whether the server ended the connection with a TLS alert (RFC 8446 section 6), and writes its number.
 */
bool pushcore_error_tls_alert(const struct pushcore_error *error,
                              uint8_t *alert);

/*
 Gives the object back.
 */
void pushcore_error_free(struct pushcore_error *error);

#if defined(PUSHCORE_NET)
/*
 Fills in everything that the event says, up to `struct_size`. The views live as long as the event.
 */
pushcore_status pushcore_event_parts_of(const struct pushcore_event *event,
                                        struct pushcore_event_parts *parts,
                                        struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Gives the event back.
 */
void pushcore_event_free(struct pushcore_event *event);
#endif

#if defined(PUSHCORE_L1)
/*
 Makes an FCM service.
 */
pushcore_status pushcore_fcm_service_new(const struct pushcore_fcm_service_options *options,
                                         struct pushcore_service **out,
                                         struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Builds a message out of the everyday fields. Everything that FCM would refuse is refused here, with the path of the field.
 */
pushcore_status pushcore_fcm_message_new(const struct pushcore_fcm_message_options *options,
                                         struct pushcore_message **out,
                                         struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Makes a call about topic subscriptions.
 */
pushcore_status pushcore_fcm_call_new(const struct pushcore_fcm_call_options *options,
                                      struct pushcore_call **out,
                                      struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 "POST", "GET" ...; empty for NULL.
 */
struct pushcore_view pushcore_request_method(const struct pushcore_request *request);
#endif

#if defined(PUSHCORE_L1)
/*
 Host, with the port unless it is 443; empty for NULL.
 */
struct pushcore_view pushcore_request_authority(const struct pushcore_request *request);
#endif

#if defined(PUSHCORE_L1)
/*
 Path and query, percent-encoded; empty for NULL.
 */
struct pushcore_view pushcore_request_path(const struct pushcore_request *request);
#endif

#if defined(PUSHCORE_L1)
/*
 Returns the whole URL, for HTTP clients that want one; empty for NULL.
 */
struct pushcore_view pushcore_request_url(const struct pushcore_request *request);
#endif

#if defined(PUSHCORE_L1)
/*
 The body; empty for NULL.
 */
struct pushcore_view pushcore_request_body(const struct pushcore_request *request);
#endif

#if defined(PUSHCORE_L1)
/*
 The number of headers; 0 for NULL.
 */
size_t pushcore_request_header_count(const struct pushcore_request *request);
#endif

#if defined(PUSHCORE_L1)
/*
 A header by its position, 0 to count - 1. PUSHCORE_ERROR_MISUSE when there is none at `index`.
 */
pushcore_status pushcore_request_header_at(const struct pushcore_request *request,
                                           size_t index,
                                           struct pushcore_view *name,
                                           struct pushcore_view *value);
#endif

#if defined(PUSHCORE_L1)
/*
 Gives the request back.
 */
void pushcore_request_free(struct pushcore_request *request);
#endif

#if defined(PUSHCORE_L1)
/*
 Makes a response out of what another HTTP client received. Add its headers, then hand it in.
 */
pushcore_status pushcore_response_new(uint16_t status,
                                      struct pushcore_view body,
                                      struct pushcore_response **out,
                                      struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Adds a header as received. Bytes of the value that are not UTF-8 are replaced. Not while another thread reads the response.
 */
pushcore_status pushcore_response_add_header(struct pushcore_response *response,
                                             struct pushcore_view name,
                                             struct pushcore_view value,
                                             struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 The HTTP status; 0 for NULL.
 */
uint16_t pushcore_response_status(const struct pushcore_response *response);
#endif

#if defined(PUSHCORE_L1)
/*
 The body; empty for NULL.
 */
struct pushcore_view pushcore_response_body(const struct pushcore_response *response);
#endif

#if defined(PUSHCORE_L1)
/*
 Returns whether the body is incomplete: longer than the limit of its connection, or shorter than its length said.
 */
bool pushcore_response_is_truncated(const struct pushcore_response *response);
#endif

#if defined(PUSHCORE_L1)
/*
 The number of headers; 0 for NULL.
 */
size_t pushcore_response_header_count(const struct pushcore_response *response);
#endif

#if defined(PUSHCORE_L1)
/*
 A header by its position, 0 to count - 1, its name in lower case. PUSHCORE_ERROR_MISUSE when there is none at `index`.
 */
pushcore_status pushcore_response_header_at(const struct pushcore_response *response,
                                            size_t index,
                                            struct pushcore_view *name,
                                            struct pushcore_view *value);
#endif

#if defined(PUSHCORE_L1)
/*
 Gives the response back.
 */
void pushcore_response_free(struct pushcore_response *response);
#endif

#if defined(PUSHCORE_NET)
/*
 Makes a hub. No client is opened before its first message.
 */
pushcore_status pushcore_hub_new(const struct pushcore_hub_options *options,
                                 struct pushcore_hub **out,
                                 struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Sends a notification to `count` devices, waits until each of them has its end, and gives the ends. A larger list goes in parts: the
 connections stay open. `options` may be NULL.
 */
pushcore_status pushcore_hub_notify(const struct pushcore_hub *hub,
                                    const struct pushcore_notification *notification,
                                    const struct pushcore_device *const *devices,
                                    size_t count,
                                    const struct pushcore_send_options *options,
                                    struct pushcore_deliveries **out,
                                    struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Takes no more messages, and waits at most `timeout_ms` until those taken have ended and the connections are closed. `closed` gets
 whether that is so; it may be NULL.
 */
pushcore_status pushcore_hub_close(const struct pushcore_hub *hub,
                                   uint64_t timeout_ms,
                                   bool *closed,
                                   struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Gives the hub back; its connections are closed at once.
 */
void pushcore_hub_free(struct pushcore_hub *hub);
#endif

#if defined(PUSHCORE_NET)
/*
 Returns the number of ends, which is the number of devices; 0 for NULL.
 */
size_t pushcore_deliveries_count(const struct pushcore_deliveries *deliveries);
#endif

#if defined(PUSHCORE_NET)
/*
 Fills in the end of a device by its index, up to `struct_size`.
 */
pushcore_status pushcore_deliveries_at(const struct pushcore_deliveries *deliveries,
                                       size_t index,
                                       struct pushcore_delivery *delivery,
                                       struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Gives the outcome of a device by its index. When the message had no answer, the failure is the message's own error.
 */
pushcore_status pushcore_deliveries_outcome(const struct pushcore_deliveries *deliveries,
                                            size_t index,
                                            struct pushcore_outcome **out,
                                            struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Gives what the end of a device by its index means for the caller's table of devices.
 */
pushcore_status pushcore_deliveries_feedback(const struct pushcore_deliveries *deliveries,
                                             size_t index,
                                             struct pushcore_feedback **out,
                                             struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Gives the ends back.
 */
void pushcore_deliveries_free(struct pushcore_deliveries *deliveries);
#endif

#if defined(PUSHCORE_NET)
/*
 Begins to send a notification in steps. The hub stays alive as long as the batch; freeing the batch cancels what has not ended.
 `options` may be NULL.
 */
pushcore_status pushcore_hub_batch_new(const struct pushcore_hub *hub,
                                       const struct pushcore_notification *notification,
                                       const struct pushcore_send_options *options,
                                       struct pushcore_hub_batch **out,
                                       struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Submits devices, one after the other, until there are no more or a service has no room. `user_data` holds a number for each device that
 comes back with its end; where it is NULL, the devices of the batch are counted from 0. `taken` gets how many were taken: after
 pushcore_hub_batch_wait offer the rest. A device that nothing can be sent to is taken, and its end says why. The handles may be freed
 afterwards.
 */
pushcore_status pushcore_hub_batch_submit(struct pushcore_hub_batch *batch,
                                          const struct pushcore_device *const *devices,
                                          const uint64_t *user_data,
                                          size_t count,
                                          size_t *taken,
                                          struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Moves bytes until something has ended or `timeout_ms` is over, and hands over at most `capacity` ends. With nothing under way it returns
 at once, with `count` 0.
 */
pushcore_status pushcore_hub_batch_wait(struct pushcore_hub_batch *batch,
                                        uint64_t timeout_ms,
                                        struct pushcore_hub_result *results,
                                        size_t capacity,
                                        size_t *count,
                                        struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Gives the outcome of a device that the last pushcore_hub_batch_wait handed over, by its position there. When the message had no answer,
 the failure is the message's own error.
 */
pushcore_status pushcore_hub_batch_outcome(struct pushcore_hub_batch *batch,
                                           size_t index,
                                           struct pushcore_outcome **out,
                                           struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Gives what the end of a device that the last pushcore_hub_batch_wait handed over means for the caller's table of devices.
 */
pushcore_status pushcore_hub_batch_feedback(struct pushcore_hub_batch *batch,
                                            size_t index,
                                            struct pushcore_feedback **out,
                                            struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Says that no device follows: doubtful answers are held back no longer than for those that are under way.
 */
pushcore_status pushcore_hub_batch_finish(struct pushcore_hub_batch *batch,
                                          struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Cancels what has not ended. Each device that was taken still gets its end; what was written already may be shown.
 */
pushcore_status pushcore_hub_batch_cancel(struct pushcore_hub_batch *batch,
                                          struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Tells whether every device that was taken has its end. Ends may still have to be fetched.
 */
pushcore_status pushcore_hub_batch_is_idle(struct pushcore_hub_batch *batch,
                                           bool *idle,
                                           struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Counts how far the batch is, over all services, up to `struct_size`. Devices without a client are counted as ended alone.
 */
pushcore_status pushcore_hub_batch_progress(struct pushcore_hub_batch *batch,
                                            struct pushcore_progress *progress,
                                            struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Cancels what has not ended, and gives the batch back.
 */
void pushcore_hub_batch_free(struct pushcore_hub_batch *batch);
#endif

#if defined(PUSHCORE_L1)
/*
 Makes a new key.
 */
pushcore_status pushcore_signing_key_generate(struct pushcore_signing_key **out,
                                              struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Reads a key in any of the forms that PUSHCORE_KEY_ constants name; wrong kinds of key each have their own error.
 */
pushcore_status pushcore_signing_key_read(struct pushcore_view key,
                                          struct pushcore_signing_key **out,
                                          struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Writes the private key in one of the first six forms.
 */
pushcore_status pushcore_signing_key_private(const struct pushcore_signing_key *key,
                                             uint32_t form,
                                             struct pushcore_bytes **out,
                                             struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Writes the public key as PUSHCORE_KEY_BASE64, PUSHCORE_KEY_JWK, or in one of the PUSHCORE_KEY_PUBLIC_ forms.
 */
pushcore_status pushcore_signing_key_public(const struct pushcore_signing_key *key,
                                            uint32_t form,
                                            struct pushcore_bytes **out,
                                            struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Gives the key back.
 */
void pushcore_signing_key_free(struct pushcore_signing_key *key);
#endif

#if defined(PUSHCORE_L1)
/*
 Returns the name of a service in every language, e.g. "web_push"; empty for a number that is none. The text is static.
 */
struct pushcore_view pushcore_service_name(uint32_t service);
#endif

#if defined(PUSHCORE_L1)
/*
 Returns the name of a PUSHCORE_OUTCOME_ number in every language, e.g. "token_gone"; empty for a number that is none. The text is
 static.
 */
struct pushcore_view pushcore_outcome_name(uint32_t outcome);
#endif

#if defined(PUSHCORE_L1)
/*
 Returns the name of a PUSHCORE_SCOPE_ number in every language, e.g. "device"; empty for a number that is none. The text is static.
 */
struct pushcore_view pushcore_scope_name(uint32_t scope);
#endif

#if defined(PUSHCORE_L1)
/*
 Returns the name of one PUSHCORE_SUSPECT_ bit in every language, e.g. "topic"; empty for a number that is none. The text is static.
 */
struct pushcore_view pushcore_suspect_name(uint32_t suspect);
#endif

#if defined(PUSHCORE_L1)
/*
 Reads a message to `service` (a PUSHCORE_SERVICE_ constant) in the form of docs/messages.md. `endpoints` is for Web Push and may be
 NULL.
 */
pushcore_status pushcore_message_from_json(uint32_t service,
                                           struct pushcore_view json,
                                           const struct pushcore_endpoint_policy *endpoints,
                                           struct pushcore_message **out,
                                           struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Writes the message as JSON, which pushcore_message_from_json reads. It holds the target: for the caller's own storage, not for logs.
 */
pushcore_status pushcore_message_to_json(const struct pushcore_message *message,
                                         struct pushcore_bytes **out,
                                         struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Returns the PUSHCORE_SERVICE_ constant of the service that the message is for; 0 for NULL.
 */
uint32_t pushcore_message_service(const struct pushcore_message *message);
#endif

#if defined(PUSHCORE_L1)
/*
 Makes the same message to another target. Payload and headers are shared, nothing is encoded again.
 */
pushcore_status pushcore_message_to(const struct pushcore_message *message,
                                    const struct pushcore_target *target,
                                    struct pushcore_message **out,
                                    struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Makes the message without its target.
 */
pushcore_status pushcore_message_template(const struct pushcore_message *message,
                                          struct pushcore_template **out,
                                          struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Writes the payload: the body of the request (ADM, APNs, FCM), `msg` (Baidu), or what is encrypted (Web Push).
 */
pushcore_status pushcore_message_payload(const struct pushcore_message *message,
                                         struct pushcore_bytes **out,
                                         struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Reads the answer to the message without any credentials; see pushcore_service_outcome.
 */
pushcore_status pushcore_message_outcome(const struct pushcore_message *message,
                                         const struct pushcore_response *response,
                                         struct pushcore_now now,
                                         struct pushcore_outcome **out,
                                         struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Gives the message back.
 */
void pushcore_message_free(struct pushcore_message *message);
#endif

#if defined(PUSHCORE_L1)
/*
 Reads a message without a target in the form of docs/messages.md.
 */
pushcore_status pushcore_template_from_json(uint32_t service,
                                            struct pushcore_view json,
                                            struct pushcore_template **out,
                                            struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Writes the template as JSON, which pushcore_template_from_json reads.
 */
pushcore_status pushcore_template_to_json(const struct pushcore_template *template_,
                                          struct pushcore_bytes **out,
                                          struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Returns the PUSHCORE_SERVICE_ constant of the service that the template is for; 0 for NULL.
 */
uint32_t pushcore_template_service(const struct pushcore_template *template_);
#endif

#if defined(PUSHCORE_L1)
/*
 Makes the message to a target. Nothing is encoded again.
 */
pushcore_status pushcore_template_to(const struct pushcore_template *template_,
                                     const struct pushcore_target *target,
                                     struct pushcore_message **out,
                                     struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Gives the template back.
 */
void pushcore_template_free(struct pushcore_template *template_);
#endif

#if defined(PUSHCORE_L1)
/*
 Reads a target's text: the token of a device, an object such as {"topic":"news"}, or for Web Push the subscription. `endpoints` is for
 Web Push and may be NULL.
 */
pushcore_status pushcore_target_parse(uint32_t service,
                                      struct pushcore_view text,
                                      const struct pushcore_endpoint_policy *endpoints,
                                      struct pushcore_target **out,
                                      struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Writes the text that pushcore_target_parse reads: for the caller's own storage, not for logs.
 */
pushcore_status pushcore_target_to_text(const struct pushcore_target *target,
                                        struct pushcore_bytes **out,
                                        struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Returns the PUSHCORE_SERVICE_ constant of the service that the target is of; 0 for NULL.
 */
uint32_t pushcore_target_service(const struct pushcore_target *target);
#endif

#if defined(PUSHCORE_L1)
/*
 Gives the target back.
 */
void pushcore_target_free(struct pushcore_target *target);
#endif

#if defined(PUSHCORE_NET)
/*
 Writes the counts and latencies of a client as text in the format OpenMetrics, for a scraper: each sample has the `label_count` labels.
 */
pushcore_status pushcore_client_metrics(const struct pushcore_client *client,
                                        const struct pushcore_pair *labels,
                                        size_t label_count,
                                        struct pushcore_bytes **out,
                                        struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Writes the counts and latencies of a session, as pushcore_client_metrics does.
 */
pushcore_status pushcore_session_metrics(struct pushcore_session *session,
                                         const struct pushcore_pair *labels,
                                         size_t label_count,
                                         struct pushcore_bytes **out,
                                         struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Writes the counts and latencies of every client that the hub has opened, as text in the format OpenMetrics, with the labels `app` and
 `environment`.
 */
pushcore_status pushcore_hub_metrics(const struct pushcore_hub *hub,
                                     struct pushcore_bytes **out,
                                     struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Tells the connections and hosts of a client at this moment. Empty in the child of a fork.
 */
pushcore_status pushcore_client_report(const struct pushcore_client *client,
                                       struct pushcore_report **out,
                                       struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Tells the connections and hosts of a session at this moment.
 */
pushcore_status pushcore_session_report(struct pushcore_session *session,
                                        struct pushcore_report **out,
                                        struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Returns the number of connections; 0 for NULL.
 */
size_t pushcore_report_connection_count(const struct pushcore_report *report);
#endif

#if defined(PUSHCORE_NET)
/*
 Returns the number of hosts; 0 for NULL.
 */
size_t pushcore_report_host_count(const struct pushcore_report *report);
#endif

#if defined(PUSHCORE_NET)
/*
 Fills in a connection by its index, up to `struct_size`.
 */
pushcore_status pushcore_report_connection_at(const struct pushcore_report *report,
                                              size_t index,
                                              struct pushcore_connection_report *connection,
                                              struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Fills in a host by its index, up to `struct_size`.
 */
pushcore_status pushcore_report_host_at(const struct pushcore_report *report,
                                        size_t index,
                                        struct pushcore_host_report *host,
                                        struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Gives the report back.
 */
void pushcore_report_free(struct pushcore_report *report);
#endif

#if defined(PUSHCORE_L1)
/*
 Reads a notification in the form of docs/notification.md.
 */
pushcore_status pushcore_notification_from_json(struct pushcore_view json,
                                                struct pushcore_notification **out,
                                                struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Writes the notification as JSON, which pushcore_notification_from_json reads.
 */
pushcore_status pushcore_notification_to_json(const struct pushcore_notification *notification,
                                              struct pushcore_bytes **out,
                                              struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Makes the message to all devices of the app that `device` is of.
 */
pushcore_status pushcore_notification_render(const struct pushcore_notification *notification,
                                             const struct pushcore_device *device,
                                             struct pushcore_now now,
                                             struct pushcore_rendered **out,
                                             struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Gives the notification back.
 */
void pushcore_notification_free(struct pushcore_notification *notification);
#endif

#if defined(PUSHCORE_L1)
/*
 Makes the message to one device of the app.
 */
pushcore_status pushcore_rendered_to(const struct pushcore_rendered *rendered,
                                     const struct pushcore_device *device,
                                     struct pushcore_now now,
                                     struct pushcore_message **out,
                                     struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Gives the template of the message, for pushcore_batch_submit.
 */
pushcore_status pushcore_rendered_template(const struct pushcore_rendered *rendered,
                                           struct pushcore_template **out,
                                           struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Returns the number of parts that the service cannot show as they are; 0 for NULL.
 */
size_t pushcore_rendered_loss_count(const struct pushcore_rendered *rendered);
#endif

#if defined(PUSHCORE_L1)
/*
 Fills in a loss by its position, 0 to count - 1. PUSHCORE_ERROR_MISUSE when there is none at `index`.
 */
pushcore_status pushcore_rendered_loss_at(const struct pushcore_rendered *rendered,
                                          size_t index,
                                          struct pushcore_loss *loss,
                                          struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Gives the rendered notification back.
 */
void pushcore_rendered_free(struct pushcore_rendered *rendered);
#endif

#if defined(PUSHCORE_L1)
/*
 Reads a device in the form of docs/notification.md. `endpoints` is for Web Push and may be NULL.
 */
pushcore_status pushcore_device_from_json(struct pushcore_view json,
                                          const struct pushcore_endpoint_policy *endpoints,
                                          struct pushcore_device **out,
                                          struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Writes the device as JSON, with its token: for the caller's own storage, not for logs.
 */
pushcore_status pushcore_device_to_json(const struct pushcore_device *device,
                                        struct pushcore_bytes **out,
                                        struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Returns the PUSHCORE_SERVICE_ constant of the device's service; 0 for NULL.
 */
uint32_t pushcore_device_service(const struct pushcore_device *device);
#endif

#if defined(PUSHCORE_L1)
/*
 Returns the caller's own key of the device; empty where there is none.
 */
struct pushcore_view pushcore_device_key(const struct pushcore_device *device);
#endif

#if defined(PUSHCORE_L1)
/*
 Makes the same device with another token, registered at `now`.
 */
pushcore_status pushcore_device_with_token(const struct pushcore_device *device,
                                           struct pushcore_view token,
                                           struct pushcore_now now,
                                           struct pushcore_device **out,
                                           struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Gives the device back.
 */
void pushcore_device_free(struct pushcore_device *device);
#endif

#if defined(PUSHCORE_L1)
/*
 Tells what the result of a message means for its device: the result is `outcome`, or `failure` for a message without an answer. Exactly
 one of the two is not NULL.
 */
pushcore_status pushcore_feedback_of(const struct pushcore_outcome *outcome,
                                     const struct pushcore_error *failure,
                                     const struct pushcore_device *device,
                                     struct pushcore_now now,
                                     struct pushcore_feedback **out,
                                     struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Fills in everything that the feedback says, up to `struct_size`. The views live as long as the feedback.
 */
pushcore_status pushcore_feedback_parts_of(const struct pushcore_feedback *feedback,
                                           struct pushcore_feedback_parts *parts,
                                           struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Gives the feedback back.
 */
void pushcore_feedback_free(struct pushcore_feedback *feedback);
#endif

#if defined(PUSHCORE_L1)
/*
 Returns the PUSHCORE_OUTCOME_ constant; 0 for NULL.
 */
uint32_t pushcore_outcome_kind(const struct pushcore_outcome *outcome);
#endif

#if defined(PUSHCORE_L1)
/*
 Returns the action to take, in a few words for a person; empty for NULL. The text is static.
 */
struct pushcore_view pushcore_outcome_advice(const struct pushcore_outcome *outcome);
#endif

#if defined(PUSHCORE_L1)
/*
 Fills in everything that the outcome says, up to `struct_size`. The views live as long as the outcome.
 */
pushcore_status pushcore_outcome_parts_of(const struct pushcore_outcome *outcome,
                                          struct pushcore_outcome_parts *parts,
                                          struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Writes the service's own explanation in its body, where it has one beside the reason; empty where it has none.
 */
pushcore_status pushcore_outcome_detail(const struct pushcore_outcome *outcome,
                                        struct pushcore_bytes **out,
                                        struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Returns whether the answer, if it says that a token is gone, is about a token that was registered at `registered_ms`: false when the
 device registered again since.
 */
bool pushcore_outcome_applies_to(const struct pushcore_outcome *outcome,
                                 uint64_t registered_ms);
#endif

#if defined(PUSHCORE_L1)
/*
 Gives the outcome back.
 */
void pushcore_outcome_free(struct pushcore_outcome *outcome);
#endif

#if defined(PUSHCORE_L1)
/*
 Makes a policy; `options` may be NULL for the default.
 */
pushcore_status pushcore_endpoint_policy_new(const struct pushcore_endpoint_policy_options *options,
                                             struct pushcore_endpoint_policy **out,
                                             struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Gives the policy back.
 */
void pushcore_endpoint_policy_free(struct pushcore_endpoint_policy *policy);
#endif

/*
 Makes the keys of a new subscription.
 */
pushcore_status pushcore_receiver_keys_generate(struct pushcore_receiver_keys **out,
                                                struct pushcore_error **error);

/*
 Reads a private key in any form, and `auth` in base64url.
 */
pushcore_status pushcore_receiver_keys_import(struct pushcore_view private_key,
                                              struct pushcore_view auth,
                                              struct pushcore_receiver_keys **out,
                                              struct pushcore_error **error);

/*
 Writes the private key, to be stored and imported again.
 */
pushcore_status pushcore_receiver_keys_export(const struct pushcore_receiver_keys *keys,
                                              struct pushcore_bytes **out,
                                              struct pushcore_error **error);

/*
 Writes the public key, `p256dh` of the subscription, in base64url.
 */
pushcore_status pushcore_receiver_keys_p256dh(const struct pushcore_receiver_keys *keys,
                                              struct pushcore_bytes **out,
                                              struct pushcore_error **error);

/*
 Writes the secret `auth` of the subscription in base64url.
 */
pushcore_status pushcore_receiver_keys_auth(const struct pushcore_receiver_keys *keys,
                                            struct pushcore_bytes **out,
                                            struct pushcore_error **error);

/*
 Writes the subscription that the app gives to its server: a JSON object of the endpoint and the keys.
 */
pushcore_status pushcore_receiver_keys_subscription(const struct pushcore_receiver_keys *keys,
                                                    struct pushcore_view endpoint,
                                                    struct pushcore_bytes **out,
                                                    struct pushcore_error **error);

/*
 Decrypts what arrived in the encoding `aes128gcm`.
 */
pushcore_status pushcore_receiver_keys_decrypt(const struct pushcore_receiver_keys *keys,
                                               struct pushcore_view body,
                                               struct pushcore_bytes **out,
                                               struct pushcore_error **error);

/*
 Decrypts what arrived in the legacy encoding `aesgcm`, with the two headers that came with it.
 */
pushcore_status pushcore_receiver_keys_decrypt_aesgcm(const struct pushcore_receiver_keys *keys,
                                                      struct pushcore_view body,
                                                      struct pushcore_view crypto_key,
                                                      struct pushcore_view encryption,
                                                      struct pushcore_bytes **out,
                                                      struct pushcore_error **error);

/*
 Gives the keys back.
 */
void pushcore_receiver_keys_free(struct pushcore_receiver_keys *keys);

#if defined(PUSHCORE_L1)
/*
 Returns the PUSHCORE_SERVICE_ constant; 0 for NULL.
 */
uint32_t pushcore_service_kind(const struct pushcore_service *service);
#endif

#if defined(PUSHCORE_L1)
/*
 The request that sends the message, complete with its authorization, for any HTTP client. PUSHCORE_ERROR_TOKEN_NEEDED when an access
 token has to be fetched first: see pushcore_service_authorization.
 */
pushcore_status pushcore_service_request(const struct pushcore_service *service,
                                         const struct pushcore_message *message,
                                         struct pushcore_now now,
                                         struct pushcore_request **out,
                                         struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Reads the answer to the message. Never fails for anything that a server can send.
 */
pushcore_status pushcore_service_outcome(const struct pushcore_service *service,
                                         const struct pushcore_message *message,
                                         const struct pushcore_response *response,
                                         struct pushcore_now now,
                                         struct pushcore_outcome **out,
                                         struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Tells whether requests can be authorized now. `request` gets the request of an access token that has to be sent (or, when the state is
 ready, may be sent meanwhile), and NULL where there is none. Only one of all callers that share the credentials is given it, and ends
 it with pushcore_service_accept_token or pushcore_service_token_failed.
 */
pushcore_status pushcore_service_authorization(const struct pushcore_service *service,
                                               struct pushcore_now now,
                                               struct pushcore_authorization *state,
                                               struct pushcore_request **request,
                                               struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Takes the token endpoint's answer. `done` gets false when it was one step of several: ask pushcore_service_authorization again.
 */
pushcore_status pushcore_service_accept_token(const struct pushcore_service *service,
                                              const struct pushcore_response *response,
                                              struct pushcore_now now,
                                              bool *done,
                                              struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Takes note that the token request got no answer.
 */
pushcore_status pushcore_service_token_failed(const struct pushcore_service *service,
                                              struct pushcore_now now,
                                              struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Hands in a token that the caller has: an access token of FCM or ADM with its lifetime, or a provider token of APNs, which knows its own
 age (`lifetime_ms` is 0 then). `taken` gets false when APNs's is older than the one there is.
 */
pushcore_status pushcore_service_supply_token(const struct pushcore_service *service,
                                              struct pushcore_view token,
                                              uint64_t lifetime_ms,
                                              struct pushcore_now now,
                                              bool *taken,
                                              struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Gives the service back. Clients and sessions that were made from it go on.
 */
void pushcore_service_free(struct pushcore_service *service);
#endif

#if defined(PUSHCORE_NET)
/*
 Opens a session; `options` may be NULL. Proxies are the owner's: what is only of use to a client is refused.
 */
pushcore_status pushcore_session_new(const struct pushcore_service *service,
                                     const struct pushcore_network_options *options,
                                     struct pushcore_now now,
                                     struct pushcore_session **out,
                                     struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Takes a message; it leaves at the next pushcore_session_flush at the earliest. `user_data` comes back with its end. `options` and
 `ticket` may be NULL. PUSHCORE_ERROR_QUEUE_FULL when there is no room.
 */
pushcore_status pushcore_session_submit(struct pushcore_session *session,
                                        const struct pushcore_message *message,
                                        uint64_t user_data,
                                        const struct pushcore_send_options *options,
                                        struct pushcore_now now,
                                        uint64_t *ticket,
                                        struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Takes the message of `template` to `count` targets, one after the other, until there are no more or the queue is full, as
 pushcore_batch_submit does, and flushes.
 */
pushcore_status pushcore_session_submit_targets(struct pushcore_session *session,
                                                const struct pushcore_template *template_,
                                                const struct pushcore_view *targets,
                                                const uint64_t *user_data,
                                                size_t count,
                                                const struct pushcore_send_options *options,
                                                struct pushcore_now now,
                                                size_t *taken,
                                                struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Writes the tickets of the messages that the last pushcore_session_submit_targets took, in their order, for pushcore_session_cancel: at
 most `capacity`, and `count` gets how many there are. The ticket of a message that was refused is 0.
 */
pushcore_status pushcore_session_tickets(struct pushcore_session *session,
                                         uint64_t *tickets,
                                         size_t capacity,
                                         size_t *count,
                                         struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Takes a call. `ticket` comes back from pushcore_session_poll_response. `taken` gets false, and nothing else happens, while the access
 token that the call needs is being fetched: ask again.
 */
pushcore_status pushcore_session_call(struct pushcore_session *session,
                                      const struct pushcore_call *call,
                                      const struct pushcore_send_options *options,
                                      struct pushcore_now now,
                                      bool *taken,
                                      uint64_t *ticket,
                                      struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Takes a request to one of the service's hosts. `ticket` comes back from pushcore_session_poll_response.
 */
pushcore_status pushcore_session_exchange(struct pushcore_session *session,
                                          const struct pushcore_request *request,
                                          const struct pushcore_send_options *options,
                                          struct pushcore_now now,
                                          uint64_t *ticket,
                                          struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Puts the messages that were submitted on streams. Call it once after many submissions: then they leave in one write.
 */
pushcore_status pushcore_session_flush(struct pushcore_session *session,
                                       struct pushcore_now now,
                                       struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Ends a message as cancelled. `cancelled` gets false when it has ended already; it may be NULL.
 */
pushcore_status pushcore_session_cancel(struct pushcore_session *session,
                                        uint64_t ticket,
                                        struct pushcore_now now,
                                        bool *cancelled,
                                        struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Ends the messages whose doubtful answers are held back (PUSHCORE_SEND_BULK): call it when the last message of many was answered.
 */
pushcore_status pushcore_session_release_held(struct pushcore_session *session,
                                              struct pushcore_now now,
                                              struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Gives the next thing to do: PUSHCORE_ACTION_NONE when there is none.
 */
pushcore_status pushcore_session_poll_action(struct pushcore_session *session,
                                             struct pushcore_action *out,
                                             struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Says whether the owner may connect to an address, as text, for a host: the endpoint policy's last word after name resolution.
 PUSHCORE_ERROR_ADDRESS_NOT_ALLOWED when not.
 */
pushcore_status pushcore_session_allow_address(struct pushcore_session *session,
                                               struct pushcore_view host,
                                               uint16_t port,
                                               struct pushcore_view address,
                                               struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 The socket of `link` is connected.
 */
pushcore_status pushcore_session_connected(struct pushcore_session *session,
                                           uint64_t link,
                                           struct pushcore_now now,
                                           struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 The socket of `link` could not be connected: `status` is a PUSHCORE_ERROR_ number such as PUSHCORE_ERROR_CONNECT_REFUSED, `text` says
 why.
 */
pushcore_status pushcore_session_connect_failed(struct pushcore_session *session,
                                                uint64_t link,
                                                pushcore_status status,
                                                struct pushcore_view text,
                                                struct pushcore_now now,
                                                struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Takes bytes from the socket of `link`.
 */
pushcore_status pushcore_session_receive(struct pushcore_session *session,
                                         uint64_t link,
                                         struct pushcore_view bytes,
                                         struct pushcore_now now,
                                         struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 The socket of `link` has come to its end, or failed.
 */
pushcore_status pushcore_session_receive_eof(struct pushcore_session *session,
                                             uint64_t link,
                                             struct pushcore_now now,
                                             struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Shows the bytes that are to be written to the socket of `link` now, until the next call.
 */
pushcore_status pushcore_session_transmit(struct pushcore_session *session,
                                          uint64_t link,
                                          struct pushcore_view *bytes,
                                          struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 The first `count` bytes of what pushcore_session_transmit showed have been written.
 */
pushcore_status pushcore_session_transmitted(struct pushcore_session *session,
                                             uint64_t link,
                                             size_t count,
                                             struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Tells when pushcore_session_handle_timeout has to be called, on the monotonic clock in milliseconds, rounded up; UINT64_MAX is never.
 */
pushcore_status pushcore_session_deadline(struct pushcore_session *session,
                                          uint64_t *monotonic_ms,
                                          struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Time has passed. Calling it too often does no harm.
 */
pushcore_status pushcore_session_handle_timeout(struct pushcore_session *session,
                                                struct pushcore_now now,
                                                struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Hands over at most `capacity` messages that have ended. Never waits.
 */
pushcore_status pushcore_session_results(struct pushcore_session *session,
                                         struct pushcore_result *results,
                                         size_t capacity,
                                         size_t *count,
                                         struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Gives the outcome of a message that the last pushcore_session_results handed over, by its position there. When the message had no
 answer, the failure is the message's own error.
 */
pushcore_status pushcore_session_outcome(struct pushcore_session *session,
                                         size_t index,
                                         struct pushcore_outcome **out,
                                         struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Gives the error of a message without an answer that the last pushcore_session_results handed over, by its position there.
 */
pushcore_status pushcore_session_error(struct pushcore_session *session,
                                       size_t index,
                                       struct pushcore_error **out,
                                       struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Gives the next call or exchange that has ended: its ticket, and its response, or its failure in `failure`. Both are NULL when none has.
 */
pushcore_status pushcore_session_poll_response(struct pushcore_session *session,
                                               uint64_t *ticket,
                                               struct pushcore_response **response,
                                               struct pushcore_error **failure,
                                               struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Gives the next thing that happened, for logs and metrics; NULL when there is none.
 */
pushcore_status pushcore_session_poll_event(struct pushcore_session *session,
                                            struct pushcore_event **out,
                                            struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Tells how many more messages the session takes now; with `bulk`, how many more of a bulk send: none while a pause that the service has
 asked for lasts.
 */
pushcore_status pushcore_session_capacity(struct pushcore_session *session,
                                          bool bulk,
                                          size_t *capacity,
                                          struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Counts how many messages are where, up to `struct_size`.
 */
pushcore_status pushcore_session_stats(struct pushcore_session *session,
                                       struct pushcore_stats *stats,
                                       struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Tells whether many answers in a row blame the tokens, so that the configuration is probably wrong.
 */
pushcore_status pushcore_session_is_mix_up_suspected(struct pushcore_session *session,
                                                     bool *suspected,
                                                     struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Takes no more messages; those taken go on to their end, then the connections are closed.
 */
pushcore_status pushcore_session_close(struct pushcore_session *session,
                                       struct pushcore_now now,
                                       struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Ends every message now: not sent where nothing was written, unknown otherwise. The results can still be fetched.
 */
pushcore_status pushcore_session_abandon(struct pushcore_session *session,
                                         struct pushcore_now now,
                                         struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Tells whether every message has ended and every connection is gone, after pushcore_session_close.
 */
pushcore_status pushcore_session_is_closed(struct pushcore_session *session,
                                           bool *closed,
                                           struct pushcore_error **error);
#endif

#if defined(PUSHCORE_NET)
/*
 Gives the session back. Its sockets are the owner's to close.
 */
void pushcore_session_free(struct pushcore_session *session);
#endif

#if defined(PUSHCORE_L1)
/*
 Makes a Web Push service.
 */
pushcore_status pushcore_web_push_service_new(const struct pushcore_web_push_service_options *options,
                                              struct pushcore_service **out,
                                              struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Builds a message. Everything that a push service would refuse is refused here.
 */
pushcore_status pushcore_web_push_message_new(const struct pushcore_web_push_message_options *options,
                                              struct pushcore_message **out,
                                              struct pushcore_error **error);
#endif

#if defined(PUSHCORE_L1)
/*
 Makes a call about a message that was sent.
 */
pushcore_status pushcore_web_push_call_new(const struct pushcore_web_push_call_options *options,
                                           struct pushcore_call **out,
                                           struct pushcore_error **error);
#endif

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PUSHCORE_H */
