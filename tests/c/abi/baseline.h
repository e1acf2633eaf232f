#ifndef PUSHCORE_H
#define PUSHCORE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#define PUSHCORE_VERSION "0.1.0"
#define PUSHCORE_VERSION_MAJOR 0
#define PUSHCORE_VERSION_MINOR 1
#define PUSHCORE_VERSION_PATCH 0
#define PUSHCORE_ABI_VERSION 1
#ifndef PUSHCORE_RECEIVER
#define PUSHCORE_L1
#ifndef PUSHCORE_MINIMAL
#define PUSHCORE_NET
#define PUSHCORE_DIALECTS
#endif
#endif
#define PUSHCORE_OK 0
#define PUSHCORE_NULL_ARGUMENT 810
#define PUSHCORE_INVALID_LENGTH 811
#define PUSHCORE_PANIC 901
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
#define PUSHCORE_ADM_SET_TTL 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_ADM_HIGH_PRIORITY 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_ADM_WITH_MD5 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_ADM_GROUP_CREATE 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_ADM_GROUP_ADD 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_ADM_GROUP_REMOVE 3
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_APNS_SET_EXPIRATION 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_APNS_SET_BADGE 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_APNS_SET_REGISTERED 4
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_APNS_CONTENT_AVAILABLE 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_APNS_MUTABLE_CONTENT 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_APNS_SIGNING_KEY 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_APNS_CERTIFICATE 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_APNS_PKCS12 3
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_APNS_PROVIDER_TOKENS 4
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_APNS_PRODUCTION 0
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_APNS_SANDBOX 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_APNS_CHANNEL_CREATE 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_APNS_CHANNEL_READ 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_APNS_CHANNEL_DELETE 3
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_APNS_CHANNEL_LIST 4
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_APNS_NO_STORAGE 0
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_APNS_MOST_RECENT 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_ANDROID 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_ANDROID_RAW 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_IOS 3
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_SET_TTL 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_SET_SEND_AT 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_DEVELOPMENT 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_PRODUCTION 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_MESSAGE_STATUS 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_TIMER_RECORDS 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_TOPIC_RECORDS 3
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_DEVICE_STATISTICS 4
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_TOPIC_STATISTICS 5
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_TOPICS 6
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_TAGS 7
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_CREATE_TAG 8
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_DELETE_TAG 9
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_TAG_DEVICES 10
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_UNTAG_DEVICES 11
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_DEVICES_WITH_TAG 12
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_TIMERS 13
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_CANCEL_TIMER 14
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_SET_BETWEEN 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_DEVICES_ANDROID 3
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_BAIDU_DEVICES_IOS 4
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_ANSWER_TEXT 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_ANSWER_TEXTS 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_ANSWER_GROUP 3
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_ANSWER_JSON 4
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_ANSWER_PAGE 5
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_ANSWER_BATCH 6
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_ANSWER_OUTCOME 7
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_PROTOCOLS_HTTP2 1
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_PROTOCOLS_HTTP2_OR_HTTP1 2
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_PROTOCOLS_HTTP1 3
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_CONNECTION_NOTHING 0
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_CONNECTION_READY 1
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_CONNECTION_RESPONSE 2
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_CONNECTION_FAILED 3
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_CONNECTION_SETTINGS 4
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_CONNECTION_DRAINING 5
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_CONNECTION_ROUND_TRIP 6
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_CONNECTION_CLOSED 7
#endif
#if defined(PUSHCORE_DIALECTS)
#define PUSHCORE_STEP_ASK 1
#endif
#if defined(PUSHCORE_DIALECTS)
#define PUSHCORE_STEP_SEND 2
#endif
#if defined(PUSHCORE_DIALECTS)
#define PUSHCORE_STEP_BROADCAST 3
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_EVENT_HAS_LINK 1
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_EVENT_HAS_CODE 2
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_EVENT_HAS_AFTER 4
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_FCM_SERVICE_ACCOUNT 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_FCM_FILE 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_FCM_METADATA_SERVER 3
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_FCM_ACCESS_TOKENS 4
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_FCM_SET_TTL 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_FCM_VALIDATE_ONLY 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_FCM_HIGH_PRIORITY 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_FCM_TOPIC_SUBSCRIBE 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_FCM_TOPIC_UNSUBSCRIBE 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_FCM_TOPIC_LIST 3
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_FCM_TOPIC_SUBSCRIBE_MANY 4
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_FCM_TOPIC_UNSUBSCRIBE_MANY 5
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_HTTP2_SET_MAX_IN_FLIGHT 1
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_HTTP2_SET_MAX_HEADER_LIST 2
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_HTTP2_SET_MAX_RESPONSE_BODY 4
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_HTTP2_SET_HEADER_TABLE_SIZE 8
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_HTTP2_SET_ENCODER_TABLE_SIZE 16
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_HTTP2_SET_INITIAL_WINDOW 32
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_HTTP2_SET_CONNECTION_WINDOW 64
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_HTTP2_SET_SETTINGS_TIMEOUT 128
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_HTTP2_SET_PING_AFTER 256
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_HTTP2_SET_PING_TIMEOUT 512
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_HUB_SET_QUEUE 1
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_HUB_SET_PATIENCE 2
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_HUB_SET_REMEMBERED 4
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_HUB_SET_TOTAL_DEADLINE 8
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_KEY_PKCS8_PEM 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_KEY_PKCS8_DER 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_KEY_SEC1_PEM 3
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_KEY_SEC1_DER 4
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_KEY_JWK 5
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_KEY_BASE64 6
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_KEY_PUBLIC_PEM 7
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_KEY_PUBLIC_DER 8
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_KEY_PUBLIC_POINT 9
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_SERVICE_APNS 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_SERVICE_FCM 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_SERVICE_WEB_PUSH 3
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_SERVICE_ADM 4
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_SERVICE_BAIDU 5
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_OUTCOME_ACCEPTED 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_OUTCOME_TOKEN_GONE 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_OUTCOME_TOKEN_MISMATCH 3
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_OUTCOME_RETRY_LATER 4
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_OUTCOME_FIX_CREDENTIALS 5
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_OUTCOME_REJECTED 6
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_SCOPE_MESSAGE 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_SCOPE_DEVICE 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_SCOPE_TOPIC 3
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_SCOPE_PROJECT 4
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_SCOPE_CONNECTION 5
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_SUSPECT_ENVIRONMENT 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_SUSPECT_TOPIC 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_SUSPECT_SENDER 4
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_SUSPECT_KEY 8
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_SUSPECT_PAYLOAD 16
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_CONNECTION_IS_READY 1
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_CONNECTION_IS_RETIRED 2
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_CONNECTION_IS_SURPLUS 4
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_WAITS_FOR_PAUSE 1
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_WAITS_FOR_ROOM 2
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_WAITS_FOR_BACK_OFF 3
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_WAITS_FOR_CONNECTION 4
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_WAITS_FOR_STREAM 5
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_AT_LEAST_ONCE 1
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_COMPACT_HEADERS 2
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_WITHOUT_BUNDLED_ROOTS 4
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_PROXY_OF_ENVIRONMENT 8
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_RESOLVE_BLOCKING 16
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_CLEARTEXT 32
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_SET_MAX_QUEUED 1
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_SET_MAX_CONNECTIONS 2
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_SET_MAX_HOSTS 4
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_SET_MAX_REQUEUES 8
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_SET_DEADLINE 16
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_SET_RESPONSE_TIMEOUT 32
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_SET_CONNECT_TIMEOUT 64
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_SET_FIRST_BACKOFF 128
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_SET_LONGEST_BACKOFF 256
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_SET_IDLE_TIMEOUT 512
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_SET_PROBE_AFTER 1024
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_SET_QUEUE_WAIT 2048
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_SET_RATE 4096
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_SET_CALL_RATE 8192
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_SET_SEED 16384
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_NETWORK_SET_GATHER 32768
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_SEND_SET_DEADLINE 1
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_SEND_SUSPECT 1
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_SEND_BULK 2
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_SEND_STOP_ON_SUSPICION 4
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_SEND_INTERACTIVE 8
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_SEND_AFTER_OTHERS 16
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_PLATFORM_ANDROID 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_PLATFORM_APPLE 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_PLATFORM_WEB 3
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_LOSS_DROPPED 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_LOSS_CHANGED 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_LOSS_SHORTENED 3
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_FEEDBACK_KEEP 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_FEEDBACK_DELETE 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_FEEDBACK_REPLACE 3
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_FEEDBACK_WAIT 4
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_FEEDBACK_CHECK_CONFIGURATION 5
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_HAS_SINCE 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_HAS_AFTER 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_HAS_TTL 4
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_HAS_CLOCK_SKEW 8
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_REASON_IS_KNOWN 16
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_REFRESHABLE 32
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_RECONNECT 64
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_HAS_REPLACEMENT 128
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_POLICY_ANY_PUBLIC_HOST 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_AUTHORIZATION_READY 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_AUTHORIZATION_FETCH 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_AUTHORIZATION_WAIT 3
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_ACTION_NONE 0
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_ACTION_CONNECT 1
#endif
#if defined(PUSHCORE_NET)
#define PUSHCORE_ACTION_CLOSE 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_WEB_PUSH_ANY_SUBJECT 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_WEB_PUSH_SET_TTL 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_WEB_PUSH_SET_PAYLOAD 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_WEB_PUSH_URGENCY_VERY_LOW 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_WEB_PUSH_URGENCY_LOW 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_WEB_PUSH_URGENCY_NORMAL 3
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_WEB_PUSH_URGENCY_HIGH 4
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_WEB_PUSH_WITHDRAW 1
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_WEB_PUSH_RECEIPTS 2
#endif
#if defined(PUSHCORE_L1)
#define PUSHCORE_WEB_PUSH_SET_WAIT 1
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_answer pushcore_answer;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_apns_credentials pushcore_apns_credentials;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_batch pushcore_batch;
#endif
typedef struct pushcore_bytes pushcore_bytes;
#if defined(PUSHCORE_L1)
typedef struct pushcore_call pushcore_call;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_client pushcore_client;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_connection pushcore_connection;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_deliveries pushcore_deliveries;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_device pushcore_device;
#endif
#if defined(PUSHCORE_DIALECTS)
typedef struct pushcore_dialect pushcore_dialect;
#endif
#if defined(PUSHCORE_DIALECTS)
typedef struct pushcore_dialect_job pushcore_dialect_job;
#endif
#if defined(PUSHCORE_DIALECTS)
typedef struct pushcore_dialect_reply pushcore_dialect_reply;
#endif
#if defined(PUSHCORE_DIALECTS)
typedef struct pushcore_dialect_selection pushcore_dialect_selection;
#endif
#if defined(PUSHCORE_DIALECTS)
typedef struct pushcore_dialect_step pushcore_dialect_step;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_endpoint_policy pushcore_endpoint_policy;
#endif
typedef struct pushcore_error pushcore_error;
#if defined(PUSHCORE_NET)
typedef struct pushcore_event pushcore_event;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_feedback pushcore_feedback;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_hub pushcore_hub;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_hub_batch pushcore_hub_batch;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_message pushcore_message;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_notification pushcore_notification;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_outcome pushcore_outcome;
#endif
typedef struct pushcore_receiver_keys pushcore_receiver_keys;
#if defined(PUSHCORE_L1)
typedef struct pushcore_rendered pushcore_rendered;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_report pushcore_report;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_request pushcore_request;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_response pushcore_response;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_service pushcore_service;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_session pushcore_session;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_signing_key pushcore_signing_key;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_target pushcore_target;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_template pushcore_template;
#endif
typedef struct pushcore_view {
  const uint8_t *data;
  size_t len;
} pushcore_view;
typedef int32_t pushcore_status;
#if defined(PUSHCORE_L1)
typedef struct pushcore_adm_service_options {
  uint32_t struct_size;
  uint32_t reserved;
  struct pushcore_view client_id;
  struct pushcore_view client_secret;
  struct pushcore_view token_host;
  struct pushcore_view host;
} pushcore_adm_service_options;
#endif
typedef struct pushcore_pair {
  struct pushcore_view name;
  struct pushcore_view value;
} pushcore_pair;
#if defined(PUSHCORE_L1)
typedef struct pushcore_adm_message_options {
  uint32_t struct_size;
  uint32_t set;
  uint32_t flags;
  uint32_t ttl_s;
  struct pushcore_view target;
  const struct pushcore_pair *data;
  size_t data_count;
  struct pushcore_view notification;
  struct pushcore_view consolidation_key;
} pushcore_adm_message_options;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_adm_call_options {
  uint32_t struct_size;
  uint32_t kind;
  struct pushcore_view group;
  const struct pushcore_view *members;
  size_t member_count;
} pushcore_adm_call_options;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_apns_message_options {
  uint32_t struct_size;
  uint32_t priority;
  struct pushcore_view push_type;
  struct pushcore_view device_token;
  struct pushcore_view topic;
  struct pushcore_view payload;
  struct pushcore_view apns_id;
  struct pushcore_view collapse_id;
  uint32_t set;
  uint32_t flags;
  uint64_t expiration_s;
  uint64_t registered_ms;
  uint32_t badge;
  uint32_t reserved;
  struct pushcore_view title;
  struct pushcore_view subtitle;
  struct pushcore_view body;
  struct pushcore_view sound;
  struct pushcore_view thread_id;
  struct pushcore_view category;
} pushcore_apns_message_options;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_message pushcore_apns_message;
#endif
typedef struct pushcore_now {
  uint64_t monotonic_ms;
  uint64_t unix_ms;
} pushcore_now;
#if defined(PUSHCORE_L1)
typedef struct pushcore_apns_service_options {
  uint32_t struct_size;
  uint32_t credentials;
  uint32_t environment;
  uint32_t reserved;
  struct pushcore_view key;
  struct pushcore_view key_id;
  struct pushcore_view team_id;
  struct pushcore_view certificate;
  struct pushcore_view password;
  const struct pushcore_view *topics;
  size_t topic_count;
  struct pushcore_view host;
  struct pushcore_view management_host;
  struct pushcore_view broadcast_host;
} pushcore_apns_service_options;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_apns_call_options {
  uint32_t struct_size;
  uint32_t kind;
  uint32_t storage;
  uint32_t reserved;
  struct pushcore_view bundle;
  struct pushcore_view channel;
  struct pushcore_view request_id;
} pushcore_apns_call_options;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_baidu_service_options {
  uint32_t struct_size;
  uint32_t reserved;
  struct pushcore_view api_key;
  struct pushcore_view secret_key;
  struct pushcore_view host;
} pushcore_baidu_service_options;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_baidu_message_options {
  uint32_t struct_size;
  uint32_t kind;
  uint32_t set;
  uint32_t deploy;
  uint64_t ttl_s;
  uint64_t send_at_s;
  struct pushcore_view target;
  struct pushcore_view title;
  struct pushcore_view description;
  struct pushcore_view content;
  struct pushcore_view topic_id;
} pushcore_baidu_message_options;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_baidu_call_options {
  uint32_t struct_size;
  uint32_t kind;
  uint32_t set;
  uint32_t devices;
  uint32_t start;
  uint32_t limit;
  uint64_t since_s;
  uint64_t until_s;
  struct pushcore_view name;
  const struct pushcore_view *items;
  size_t item_count;
} pushcore_baidu_call_options;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_send_options {
  uint32_t struct_size;
  uint32_t set;
  uint32_t flags;
  uint32_t reserved;
  uint64_t deadline_ms;
} pushcore_send_options;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_result {
  uint64_t user_data;
  uint64_t ticket;
  pushcore_status status;
  uint32_t outcome;
  uint32_t http_status;
  uint32_t scope;
  uint32_t flags;
  uint32_t suspects;
  uint64_t since_ms;
  uint64_t after_ms;
  uint64_t reserved[2];
} pushcore_result;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_progress {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t taken;
  uint64_t in_flight;
  uint64_t ended;
  uint64_t accepted;
  uint64_t token_gone;
  uint64_t token_mismatch;
  uint64_t retry_later;
  uint64_t fix_credentials;
  uint64_t rejected;
  uint64_t not_sent;
  uint64_t unknown;
  uint64_t elapsed_ms;
} pushcore_progress;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_http2_options {
  uint32_t struct_size;
  uint32_t set;
  uint32_t max_in_flight;
  uint32_t max_header_list;
  uint64_t max_response_body;
  uint32_t header_table_size;
  uint32_t encoder_table_size;
  uint32_t initial_window;
  uint32_t connection_window;
  uint64_t settings_timeout_ms;
  uint64_t ping_after_ms;
  uint64_t ping_timeout_ms;
} pushcore_http2_options;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_network_options {
  uint32_t struct_size;
  uint32_t set;
  uint32_t flags;
  uint32_t max_requeues;
  struct pushcore_view ca;
  struct pushcore_view certificate;
  struct pushcore_view certificate_key;
  struct pushcore_view proxy;
  struct pushcore_view no_proxy;
  uint64_t max_queued;
  uint64_t max_connections;
  uint64_t max_hosts;
  uint64_t deadline_ms;
  uint64_t response_timeout_ms;
  uint64_t connect_timeout_ms;
  uint64_t first_backoff_ms;
  uint64_t longest_backoff_ms;
  uint64_t idle_timeout_ms;
  uint64_t probe_after_ms;
  uint64_t queue_wait_before_dial_ms;
  uint64_t seed;
  uint64_t gather_us;
  uint32_t rate;
  uint32_t call_rate;
  const struct pushcore_http2_options *http2;
} pushcore_network_options;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_stats {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t submitted;
  uint64_t queued;
  uint64_t open;
  uint64_t held;
  uint64_t accepted;
  uint64_t token_gone;
  uint64_t token_mismatch;
  uint64_t retry_later;
  uint64_t fix_credentials;
  uint64_t rejected;
  uint64_t answered;
  uint64_t not_sent;
  uint64_t unknown;
  uint64_t expired;
  uint64_t cancelled;
  uint64_t requeued;
  uint64_t header_bytes_sent;
  uint64_t header_bytes_received;
} pushcore_stats;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_connection_event {
  uint32_t kind;
  uint32_t reserved;
  uint64_t request;
  uint64_t number;
  struct pushcore_response *response;
  struct pushcore_error *failure;
} pushcore_connection_event;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_event_parts {
  uint32_t struct_size;
  uint32_t flags;
  struct pushcore_view name;
  struct pushcore_view text;
  uint64_t link;
  uint64_t after_ms;
  uint32_t code;
  uint32_t reserved;
} pushcore_event_parts;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_fcm_service_options {
  uint32_t struct_size;
  uint32_t credentials;
  struct pushcore_view file;
  struct pushcore_view project;
  struct pushcore_view token_host;
  struct pushcore_view host;
} pushcore_fcm_service_options;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_fcm_message_options {
  uint32_t struct_size;
  uint32_t set;
  uint32_t flags;
  uint32_t ttl_s;
  struct pushcore_view target;
  struct pushcore_view title;
  struct pushcore_view body;
  struct pushcore_view image;
  const struct pushcore_pair *data;
  size_t data_count;
  struct pushcore_view collapse_key;
} pushcore_fcm_message_options;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_fcm_call_options {
  uint32_t struct_size;
  uint32_t kind;
  uint32_t page_size;
  uint32_t reserved;
  const struct pushcore_view *registrations;
  size_t registration_count;
  struct pushcore_view topic;
  struct pushcore_view page_token;
} pushcore_fcm_call_options;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_hub_client {
  uint32_t struct_size;
  uint32_t environment;
  uint32_t platform;
  uint32_t reserved;
  const struct pushcore_service *service;
  const struct pushcore_network_options *network;
  struct pushcore_view app;
} pushcore_hub_client;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_hub_options {
  uint32_t struct_size;
  uint32_t set;
  const struct pushcore_hub_client *const *clients;
  size_t client_count;
  struct pushcore_view retries;
  uint64_t queue;
  uint64_t patience_ms;
  uint64_t remembered;
  uint64_t total_deadline_ms;
} pushcore_hub_options;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_delivery {
  uint32_t struct_size;
  uint32_t feedback;
  uint32_t attempts;
  uint32_t reserved;
  struct pushcore_result result;
} pushcore_delivery;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_hub_result {
  struct pushcore_result result;
  uint32_t feedback;
  uint32_t attempts;
  uint64_t reserved[2];
} pushcore_hub_result;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_connection_report {
  uint32_t struct_size;
  uint32_t flags;
  uint64_t link;
  struct pushcore_view authority;
  uint64_t in_flight;
  uint64_t streams;
  uint64_t window;
  uint64_t widest_window;
  uint64_t round_trip_us;
} pushcore_connection_report;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_host_report {
  uint32_t struct_size;
  uint32_t waits_for;
  struct pushcore_view authority;
  uint64_t waiting;
  uint64_t in_flight;
  uint64_t connections;
} pushcore_host_report;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_loss {
  uint32_t struct_size;
  uint32_t kind;
  uint32_t platform;
  uint32_t reserved;
  struct pushcore_view field;
  struct pushcore_view reason;
} pushcore_loss;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_feedback_parts {
  uint32_t struct_size;
  uint32_t action;
  uint32_t scope;
  uint32_t suspects;
  uint64_t until_ms;
  int64_t clock_skew_s;
  struct pushcore_view replacement;
  struct pushcore_view cause;
} pushcore_feedback_parts;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_outcome_parts {
  uint32_t struct_size;
  uint32_t kind;
  uint32_t http_status;
  uint32_t flags;
  uint32_t scope;
  uint32_t suspects;
  uint64_t since_ms;
  uint64_t after_ms;
  uint64_t ttl_ms;
  int64_t clock_skew_s;
  struct pushcore_view reason;
  struct pushcore_view body;
  struct pushcore_view id;
  struct pushcore_view unique_id;
  struct pushcore_view replacement;
  struct pushcore_view location;
  struct pushcore_view receipt;
} pushcore_outcome_parts;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_endpoint_policy_options {
  uint32_t struct_size;
  uint32_t flags;
  const struct pushcore_view *hosts;
  size_t host_count;
  const uint16_t *ports;
  size_t port_count;
  const struct pushcore_view *trusted;
  size_t trusted_count;
} pushcore_endpoint_policy_options;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_authorization {
  uint32_t struct_size;
  uint32_t state;
  uint64_t until_ms;
} pushcore_authorization;
#endif
#if defined(PUSHCORE_NET)
typedef struct pushcore_action {
  uint32_t kind;
  uint16_t port;
  uint16_t direct;
  uint64_t link;
  struct pushcore_view host;
  struct pushcore_view final_bytes;
} pushcore_action;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_web_push_service_options {
  uint32_t struct_size;
  uint32_t flags;
  struct pushcore_view key;
  struct pushcore_view subject;
  const struct pushcore_endpoint_policy *endpoints;
} pushcore_web_push_service_options;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_web_push_message_options {
  uint32_t struct_size;
  uint32_t set;
  uint32_t urgency;
  uint32_t ttl_s;
  struct pushcore_view subscription;
  struct pushcore_view payload;
  struct pushcore_view topic;
  const struct pushcore_endpoint_policy *endpoints;
} pushcore_web_push_message_options;
#endif
#if defined(PUSHCORE_L1)
typedef struct pushcore_web_push_call_options {
  uint32_t struct_size;
  uint32_t kind;
  uint32_t set;
  uint32_t wait_s;
  struct pushcore_view url;
  const struct pushcore_target *target;
} pushcore_web_push_call_options;
#endif
#ifdef __cplusplus
extern "C" {
#endif // __cplusplus
struct pushcore_view pushcore_version(void);
uint32_t pushcore_abi_version(void);
size_t pushcore_live_handles(void);
#if defined(PUSHCORE_L1)
pushcore_status pushcore_adm_service_new(const struct pushcore_adm_service_options *options,
                                         struct pushcore_service **out,
                                         struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_adm_message_new(const struct pushcore_adm_message_options *options,
                                         struct pushcore_message **out,
                                         struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_adm_call_new(const struct pushcore_adm_call_options *options,
                                      struct pushcore_call **out,
                                      struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_apns_credentials_new(struct pushcore_view p8,
                                              struct pushcore_view key_id,
                                              struct pushcore_view team_id,
                                              struct pushcore_apns_credentials **out,
                                              struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
void pushcore_apns_credentials_free(struct pushcore_apns_credentials *credentials);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_apns_message_new(const struct pushcore_apns_message_options *options,
                                          pushcore_apns_message **out,
                                          struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
void pushcore_apns_message_free(pushcore_apns_message *message);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_apns_request(const pushcore_apns_message *message,
                                      const struct pushcore_apns_credentials *credentials,
                                      bool sandbox,
                                      struct pushcore_now now,
                                      struct pushcore_request **out,
                                      struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_apns_service_new(const struct pushcore_apns_service_options *options,
                                          struct pushcore_service **out,
                                          struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_apns_call_new(const struct pushcore_apns_call_options *options,
                                       struct pushcore_call **out,
                                       struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_baidu_service_new(const struct pushcore_baidu_service_options *options,
                                           struct pushcore_service **out,
                                           struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_baidu_message_new(const struct pushcore_baidu_message_options *options,
                                           struct pushcore_message **out,
                                           struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_baidu_call_new(const struct pushcore_baidu_call_options *options,
                                        struct pushcore_call **out,
                                        struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_batch_new(const struct pushcore_client *client,
                                   size_t expected,
                                   struct pushcore_batch **out,
                                   struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
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
pushcore_status pushcore_batch_submit_messages(struct pushcore_batch *batch,
                                               const struct pushcore_message *const *messages,
                                               const uint64_t *user_data,
                                               size_t count,
                                               const struct pushcore_send_options *options,
                                               size_t *taken,
                                               struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_batch_wait(struct pushcore_batch *batch,
                                    uint64_t timeout_ms,
                                    struct pushcore_result *results,
                                    size_t capacity,
                                    size_t *count,
                                    struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_batch_outcome(struct pushcore_batch *batch,
                                       size_t index,
                                       struct pushcore_outcome **out,
                                       struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_batch_error(struct pushcore_batch *batch,
                                     size_t index,
                                     struct pushcore_error **out,
                                     struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_batch_tickets(struct pushcore_batch *batch,
                                       uint64_t *tickets,
                                       size_t capacity,
                                       size_t *count,
                                       struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_batch_cancel(struct pushcore_batch *batch,
                                      uint64_t ticket,
                                      bool *cancelled,
                                      struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_batch_withdraw(struct pushcore_batch *batch,
                                        size_t *count,
                                        struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_batch_finish(struct pushcore_batch *batch,
                                      struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_batch_is_stopped(struct pushcore_batch *batch,
                                          bool *stopped,
                                          struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_batch_progress(struct pushcore_batch *batch,
                                        struct pushcore_progress *progress,
                                        struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
void pushcore_batch_free(struct pushcore_batch *batch);
#endif
struct pushcore_view pushcore_bytes_view(const struct pushcore_bytes *bytes);
void pushcore_bytes_free(struct pushcore_bytes *bytes);
#if defined(PUSHCORE_L1)
struct pushcore_view pushcore_call_name(const struct pushcore_call *call);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_call_request(const struct pushcore_call *call,
                                      const struct pushcore_service *service,
                                      struct pushcore_now now,
                                      struct pushcore_request **out,
                                      struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_call_read(const struct pushcore_call *call,
                                   const struct pushcore_response *response,
                                   struct pushcore_now now,
                                   struct pushcore_answer **out,
                                   struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
void pushcore_call_free(struct pushcore_call *call);
#endif
#if defined(PUSHCORE_L1)
uint32_t pushcore_answer_kind(const struct pushcore_answer *answer);
#endif
#if defined(PUSHCORE_L1)
struct pushcore_view pushcore_answer_text(const struct pushcore_answer *answer);
#endif
#if defined(PUSHCORE_L1)
uint64_t pushcore_answer_succeeded(const struct pushcore_answer *answer);
#endif
#if defined(PUSHCORE_L1)
size_t pushcore_answer_item_count(const struct pushcore_answer *answer);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_answer_item_at(const struct pushcore_answer *answer,
                                        size_t index,
                                        struct pushcore_view *text,
                                        uint32_t *outcome);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_answer_outcome(const struct pushcore_answer *answer,
                                        struct pushcore_outcome **out,
                                        struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
void pushcore_answer_free(struct pushcore_answer *answer);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_clock_now(struct pushcore_now *out);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_client_new(const struct pushcore_service *service,
                                    const struct pushcore_network_options *options,
                                    struct pushcore_client **out,
                                    struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_client_send(const struct pushcore_client *client,
                                     const struct pushcore_message *message,
                                     const struct pushcore_send_options *options,
                                     struct pushcore_result *result,
                                     struct pushcore_outcome **outcome,
                                     struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_client_call(const struct pushcore_client *client,
                                     const struct pushcore_call *call,
                                     struct pushcore_answer **out,
                                     struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_client_exchange(const struct pushcore_client *client,
                                         const struct pushcore_request *request,
                                         struct pushcore_response **out,
                                         struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_client_authorize(const struct pushcore_client *client,
                                          uint64_t timeout_ms,
                                          bool *ready,
                                          struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_client_stats(const struct pushcore_client *client,
                                      struct pushcore_stats *stats,
                                      struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_client_poll_event(const struct pushcore_client *client,
                                           struct pushcore_event **out,
                                           struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
bool pushcore_client_is_mix_up_suspected(const struct pushcore_client *client);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_client_close(const struct pushcore_client *client,
                                      uint64_t timeout_ms,
                                      bool *closed,
                                      struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
void pushcore_client_free(struct pushcore_client *client);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_connection_new(struct pushcore_view authority,
                                        uint32_t protocols,
                                        const struct pushcore_network_options *options,
                                        struct pushcore_now now,
                                        struct pushcore_connection **out,
                                        struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_connection_send(struct pushcore_connection *connection,
                                         const struct pushcore_request *request,
                                         struct pushcore_now now,
                                         uint64_t *number,
                                         struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_connection_cancel(struct pushcore_connection *connection,
                                           uint64_t number,
                                           struct pushcore_now now,
                                           bool *cancelled,
                                           struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_connection_receive(struct pushcore_connection *connection,
                                            struct pushcore_view bytes,
                                            struct pushcore_now now,
                                            struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_connection_receive_eof(struct pushcore_connection *connection,
                                                struct pushcore_now now,
                                                struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_connection_handle_timeout(struct pushcore_connection *connection,
                                                   struct pushcore_now now,
                                                   struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_connection_deadline(struct pushcore_connection *connection,
                                             uint64_t *monotonic_ms,
                                             struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_connection_transmit(struct pushcore_connection *connection,
                                             struct pushcore_view *bytes,
                                             struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_connection_transmitted(struct pushcore_connection *connection,
                                                size_t count,
                                                struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_connection_poll_event(struct pushcore_connection *connection,
                                               struct pushcore_connection_event *out,
                                               struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_connection_capacity(struct pushcore_connection *connection,
                                             size_t *capacity,
                                             struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_connection_ping(struct pushcore_connection *connection,
                                         struct pushcore_now now,
                                         bool *sent,
                                         struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_connection_close(struct pushcore_connection *connection,
                                          struct pushcore_now now,
                                          struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_connection_is_closed(struct pushcore_connection *connection,
                                              bool *closed,
                                              struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
void pushcore_connection_free(struct pushcore_connection *connection);
#endif
#if defined(PUSHCORE_DIALECTS)
struct pushcore_view pushcore_dialect_system_at(size_t index);
#endif
#if defined(PUSHCORE_DIALECTS)
pushcore_status pushcore_dialect_new(struct pushcore_view system,
                                     struct pushcore_view options,
                                     struct pushcore_dialect **out,
                                     struct pushcore_error **error);
#endif
#if defined(PUSHCORE_DIALECTS)
struct pushcore_view pushcore_dialect_system(const struct pushcore_dialect *dialect);
#endif
#if defined(PUSHCORE_DIALECTS)
size_t pushcore_dialect_route_count(const struct pushcore_dialect *dialect);
#endif
#if defined(PUSHCORE_DIALECTS)
pushcore_status pushcore_dialect_route_at(const struct pushcore_dialect *dialect,
                                          size_t index,
                                          struct pushcore_view *method,
                                          struct pushcore_view *path,
                                          struct pushcore_view *operation);
#endif
#if defined(PUSHCORE_DIALECTS)
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
void pushcore_dialect_free(struct pushcore_dialect *dialect);
#endif
#if defined(PUSHCORE_DIALECTS)
pushcore_status pushcore_dialect_job_from_json(struct pushcore_view json,
                                               struct pushcore_dialect_job **out,
                                               struct pushcore_error **error);
#endif
#if defined(PUSHCORE_DIALECTS)
pushcore_status pushcore_dialect_job_to_json(const struct pushcore_dialect_job *job,
                                             struct pushcore_bytes **out,
                                             struct pushcore_error **error);
#endif
#if defined(PUSHCORE_DIALECTS)
struct pushcore_view pushcore_dialect_job_system(const struct pushcore_dialect_job *job);
#endif
#if defined(PUSHCORE_DIALECTS)
struct pushcore_view pushcore_dialect_job_operation(const struct pushcore_dialect_job *job);
#endif
#if defined(PUSHCORE_DIALECTS)
uint64_t pushcore_dialect_job_began_ms(const struct pushcore_dialect_job *job);
#endif
#if defined(PUSHCORE_DIALECTS)
size_t pushcore_dialect_job_step_count(const struct pushcore_dialect_job *job);
#endif
#if defined(PUSHCORE_DIALECTS)
pushcore_status pushcore_dialect_job_step_at(const struct pushcore_dialect_job *job,
                                             size_t index,
                                             struct pushcore_dialect_step **out,
                                             struct pushcore_error **error);
#endif
#if defined(PUSHCORE_DIALECTS)
pushcore_status pushcore_dialect_job_answer(struct pushcore_dialect_job *job,
                                            uint32_t id,
                                            struct pushcore_view json,
                                            struct pushcore_error **error);
#endif
#if defined(PUSHCORE_DIALECTS)
pushcore_status pushcore_dialect_job_sent(struct pushcore_dialect_job *job,
                                          uint32_t id,
                                          const struct pushcore_outcome *outcome,
                                          const struct pushcore_error *failure,
                                          struct pushcore_error **error);
#endif
#if defined(PUSHCORE_DIALECTS)
pushcore_status pushcore_dialect_job_unknown(struct pushcore_dialect_job *job,
                                             uint32_t id,
                                             struct pushcore_error **error);
#endif
#if defined(PUSHCORE_DIALECTS)
pushcore_status pushcore_dialect_job_reply(const struct pushcore_dialect_job *job,
                                           struct pushcore_dialect_reply **out,
                                           struct pushcore_error **error);
#endif
#if defined(PUSHCORE_DIALECTS)
size_t pushcore_dialect_job_warning_count(const struct pushcore_dialect_job *job);
#endif
#if defined(PUSHCORE_DIALECTS)
struct pushcore_view pushcore_dialect_job_warning_at(const struct pushcore_dialect_job *job,
                                                     size_t index);
#endif
#if defined(PUSHCORE_DIALECTS)
void pushcore_dialect_job_free(struct pushcore_dialect_job *job);
#endif
#if defined(PUSHCORE_DIALECTS)
pushcore_status pushcore_dialect_step_from_json(struct pushcore_view json,
                                                struct pushcore_dialect_step **out,
                                                struct pushcore_error **error);
#endif
#if defined(PUSHCORE_DIALECTS)
pushcore_status pushcore_dialect_step_to_json(const struct pushcore_dialect_step *step,
                                              struct pushcore_bytes **out,
                                              struct pushcore_error **error);
#endif
#if defined(PUSHCORE_DIALECTS)
uint32_t pushcore_dialect_step_id(const struct pushcore_dialect_step *step);
#endif
#if defined(PUSHCORE_DIALECTS)
uint32_t pushcore_dialect_step_kind(const struct pushcore_dialect_step *step);
#endif
#if defined(PUSHCORE_DIALECTS)
pushcore_status pushcore_dialect_step_message(const struct pushcore_dialect_step *step,
                                              struct pushcore_message **out,
                                              struct pushcore_error **error);
#endif
#if defined(PUSHCORE_DIALECTS)
pushcore_status pushcore_dialect_step_message_to(const struct pushcore_dialect_step *step,
                                                 const struct pushcore_target *target,
                                                 struct pushcore_message **out,
                                                 struct pushcore_error **error);
#endif
#if defined(PUSHCORE_DIALECTS)
void pushcore_dialect_step_free(struct pushcore_dialect_step *step);
#endif
#if defined(PUSHCORE_DIALECTS)
uint16_t pushcore_dialect_reply_status(const struct pushcore_dialect_reply *reply);
#endif
#if defined(PUSHCORE_DIALECTS)
struct pushcore_view pushcore_dialect_reply_body(const struct pushcore_dialect_reply *reply);
#endif
#if defined(PUSHCORE_DIALECTS)
size_t pushcore_dialect_reply_header_count(const struct pushcore_dialect_reply *reply);
#endif
#if defined(PUSHCORE_DIALECTS)
pushcore_status pushcore_dialect_reply_header_at(const struct pushcore_dialect_reply *reply,
                                                 size_t index,
                                                 struct pushcore_view *name,
                                                 struct pushcore_view *value);
#endif
#if defined(PUSHCORE_DIALECTS)
size_t pushcore_dialect_reply_remember_count(const struct pushcore_dialect_reply *reply);
#endif
#if defined(PUSHCORE_DIALECTS)
struct pushcore_view pushcore_dialect_reply_remember_at(const struct pushcore_dialect_reply *reply,
                                                        size_t index);
#endif
#if defined(PUSHCORE_DIALECTS)
uint64_t pushcore_dialect_reply_remember_s(const struct pushcore_dialect_reply *reply);
#endif
#if defined(PUSHCORE_DIALECTS)
pushcore_status pushcore_dialect_reply_to_json(const struct pushcore_dialect_reply *reply,
                                               struct pushcore_bytes **out,
                                               struct pushcore_error **error);
#endif
#if defined(PUSHCORE_DIALECTS)
void pushcore_dialect_reply_free(struct pushcore_dialect_reply *reply);
#endif
#if defined(PUSHCORE_DIALECTS)
pushcore_status pushcore_dialect_selection_new(struct pushcore_view filter,
                                               struct pushcore_dialect_selection **out,
                                               struct pushcore_error **error);
#endif
#if defined(PUSHCORE_DIALECTS)
bool pushcore_dialect_selection_selects(const struct pushcore_dialect_selection *selection,
                                        struct pushcore_view uid,
                                        const struct pushcore_view *tags,
                                        size_t count);
#endif
#if defined(PUSHCORE_DIALECTS)
void pushcore_dialect_selection_free(struct pushcore_dialect_selection *selection);
#endif
#if defined(PUSHCORE_DIALECTS)
pushcore_status pushcore_dialect_token_digest(struct pushcore_view key,
                                              struct pushcore_bytes **out,
                                              struct pushcore_error **error);
#endif
#if defined(PUSHCORE_DIALECTS)
pushcore_status pushcore_dialect_pushpad_signature(struct pushcore_view token,
                                                   struct pushcore_view uid,
                                                   struct pushcore_bytes **out,
                                                   struct pushcore_error **error);
#endif
struct pushcore_view pushcore_status_name(pushcore_status status);
pushcore_status pushcore_error_code(const struct pushcore_error *error);
struct pushcore_view pushcore_error_name(const struct pushcore_error *error);
struct pushcore_view pushcore_error_message(const struct pushcore_error *error);
pushcore_status pushcore_error_cause(const struct pushcore_error *error,
                                     struct pushcore_error **out);
bool pushcore_error_http2_code(const struct pushcore_error *error,
                               uint32_t *code);
bool pushcore_error_tls_alert(const struct pushcore_error *error,
                              uint8_t *alert);
void pushcore_error_free(struct pushcore_error *error);
#if defined(PUSHCORE_NET)
pushcore_status pushcore_event_parts_of(const struct pushcore_event *event,
                                        struct pushcore_event_parts *parts,
                                        struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
void pushcore_event_free(struct pushcore_event *event);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_fcm_service_new(const struct pushcore_fcm_service_options *options,
                                         struct pushcore_service **out,
                                         struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_fcm_message_new(const struct pushcore_fcm_message_options *options,
                                         struct pushcore_message **out,
                                         struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_fcm_call_new(const struct pushcore_fcm_call_options *options,
                                      struct pushcore_call **out,
                                      struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
struct pushcore_view pushcore_request_method(const struct pushcore_request *request);
#endif
#if defined(PUSHCORE_L1)
struct pushcore_view pushcore_request_authority(const struct pushcore_request *request);
#endif
#if defined(PUSHCORE_L1)
struct pushcore_view pushcore_request_path(const struct pushcore_request *request);
#endif
#if defined(PUSHCORE_L1)
struct pushcore_view pushcore_request_url(const struct pushcore_request *request);
#endif
#if defined(PUSHCORE_L1)
struct pushcore_view pushcore_request_body(const struct pushcore_request *request);
#endif
#if defined(PUSHCORE_L1)
size_t pushcore_request_header_count(const struct pushcore_request *request);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_request_header_at(const struct pushcore_request *request,
                                           size_t index,
                                           struct pushcore_view *name,
                                           struct pushcore_view *value);
#endif
#if defined(PUSHCORE_L1)
void pushcore_request_free(struct pushcore_request *request);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_response_new(uint16_t status,
                                      struct pushcore_view body,
                                      struct pushcore_response **out,
                                      struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_response_add_header(struct pushcore_response *response,
                                             struct pushcore_view name,
                                             struct pushcore_view value,
                                             struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
uint16_t pushcore_response_status(const struct pushcore_response *response);
#endif
#if defined(PUSHCORE_L1)
struct pushcore_view pushcore_response_body(const struct pushcore_response *response);
#endif
#if defined(PUSHCORE_L1)
bool pushcore_response_is_truncated(const struct pushcore_response *response);
#endif
#if defined(PUSHCORE_L1)
size_t pushcore_response_header_count(const struct pushcore_response *response);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_response_header_at(const struct pushcore_response *response,
                                            size_t index,
                                            struct pushcore_view *name,
                                            struct pushcore_view *value);
#endif
#if defined(PUSHCORE_L1)
void pushcore_response_free(struct pushcore_response *response);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_hub_new(const struct pushcore_hub_options *options,
                                 struct pushcore_hub **out,
                                 struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_hub_notify(const struct pushcore_hub *hub,
                                    const struct pushcore_notification *notification,
                                    const struct pushcore_device *const *devices,
                                    size_t count,
                                    const struct pushcore_send_options *options,
                                    struct pushcore_deliveries **out,
                                    struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_hub_close(const struct pushcore_hub *hub,
                                   uint64_t timeout_ms,
                                   bool *closed,
                                   struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
void pushcore_hub_free(struct pushcore_hub *hub);
#endif
#if defined(PUSHCORE_NET)
size_t pushcore_deliveries_count(const struct pushcore_deliveries *deliveries);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_deliveries_at(const struct pushcore_deliveries *deliveries,
                                       size_t index,
                                       struct pushcore_delivery *delivery,
                                       struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_deliveries_outcome(const struct pushcore_deliveries *deliveries,
                                            size_t index,
                                            struct pushcore_outcome **out,
                                            struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_deliveries_feedback(const struct pushcore_deliveries *deliveries,
                                             size_t index,
                                             struct pushcore_feedback **out,
                                             struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
void pushcore_deliveries_free(struct pushcore_deliveries *deliveries);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_hub_batch_new(const struct pushcore_hub *hub,
                                       const struct pushcore_notification *notification,
                                       const struct pushcore_send_options *options,
                                       struct pushcore_hub_batch **out,
                                       struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_hub_batch_submit(struct pushcore_hub_batch *batch,
                                          const struct pushcore_device *const *devices,
                                          const uint64_t *user_data,
                                          size_t count,
                                          size_t *taken,
                                          struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_hub_batch_wait(struct pushcore_hub_batch *batch,
                                        uint64_t timeout_ms,
                                        struct pushcore_hub_result *results,
                                        size_t capacity,
                                        size_t *count,
                                        struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_hub_batch_outcome(struct pushcore_hub_batch *batch,
                                           size_t index,
                                           struct pushcore_outcome **out,
                                           struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_hub_batch_feedback(struct pushcore_hub_batch *batch,
                                            size_t index,
                                            struct pushcore_feedback **out,
                                            struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_hub_batch_finish(struct pushcore_hub_batch *batch,
                                          struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_hub_batch_cancel(struct pushcore_hub_batch *batch,
                                          struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_hub_batch_is_idle(struct pushcore_hub_batch *batch,
                                           bool *idle,
                                           struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_hub_batch_progress(struct pushcore_hub_batch *batch,
                                            struct pushcore_progress *progress,
                                            struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
void pushcore_hub_batch_free(struct pushcore_hub_batch *batch);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_signing_key_generate(struct pushcore_signing_key **out,
                                              struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_signing_key_read(struct pushcore_view key,
                                          struct pushcore_signing_key **out,
                                          struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_signing_key_private(const struct pushcore_signing_key *key,
                                             uint32_t form,
                                             struct pushcore_bytes **out,
                                             struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_signing_key_public(const struct pushcore_signing_key *key,
                                            uint32_t form,
                                            struct pushcore_bytes **out,
                                            struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
void pushcore_signing_key_free(struct pushcore_signing_key *key);
#endif
#if defined(PUSHCORE_L1)
struct pushcore_view pushcore_service_name(uint32_t service);
#endif
#if defined(PUSHCORE_L1)
struct pushcore_view pushcore_outcome_name(uint32_t outcome);
#endif
#if defined(PUSHCORE_L1)
struct pushcore_view pushcore_scope_name(uint32_t scope);
#endif
#if defined(PUSHCORE_L1)
struct pushcore_view pushcore_suspect_name(uint32_t suspect);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_message_from_json(uint32_t service,
                                           struct pushcore_view json,
                                           const struct pushcore_endpoint_policy *endpoints,
                                           struct pushcore_message **out,
                                           struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_message_to_json(const struct pushcore_message *message,
                                         struct pushcore_bytes **out,
                                         struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
uint32_t pushcore_message_service(const struct pushcore_message *message);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_message_to(const struct pushcore_message *message,
                                    const struct pushcore_target *target,
                                    struct pushcore_message **out,
                                    struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_message_template(const struct pushcore_message *message,
                                          struct pushcore_template **out,
                                          struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_message_payload(const struct pushcore_message *message,
                                         struct pushcore_bytes **out,
                                         struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_message_outcome(const struct pushcore_message *message,
                                         const struct pushcore_response *response,
                                         struct pushcore_now now,
                                         struct pushcore_outcome **out,
                                         struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
void pushcore_message_free(struct pushcore_message *message);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_template_from_json(uint32_t service,
                                            struct pushcore_view json,
                                            struct pushcore_template **out,
                                            struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_template_to_json(const struct pushcore_template *template_,
                                          struct pushcore_bytes **out,
                                          struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
uint32_t pushcore_template_service(const struct pushcore_template *template_);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_template_to(const struct pushcore_template *template_,
                                     const struct pushcore_target *target,
                                     struct pushcore_message **out,
                                     struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
void pushcore_template_free(struct pushcore_template *template_);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_target_parse(uint32_t service,
                                      struct pushcore_view text,
                                      const struct pushcore_endpoint_policy *endpoints,
                                      struct pushcore_target **out,
                                      struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_target_to_text(const struct pushcore_target *target,
                                        struct pushcore_bytes **out,
                                        struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
uint32_t pushcore_target_service(const struct pushcore_target *target);
#endif
#if defined(PUSHCORE_L1)
void pushcore_target_free(struct pushcore_target *target);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_client_metrics(const struct pushcore_client *client,
                                        const struct pushcore_pair *labels,
                                        size_t label_count,
                                        struct pushcore_bytes **out,
                                        struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_metrics(struct pushcore_session *session,
                                         const struct pushcore_pair *labels,
                                         size_t label_count,
                                         struct pushcore_bytes **out,
                                         struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_hub_metrics(const struct pushcore_hub *hub,
                                     struct pushcore_bytes **out,
                                     struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_client_report(const struct pushcore_client *client,
                                       struct pushcore_report **out,
                                       struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_report(struct pushcore_session *session,
                                        struct pushcore_report **out,
                                        struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
size_t pushcore_report_connection_count(const struct pushcore_report *report);
#endif
#if defined(PUSHCORE_NET)
size_t pushcore_report_host_count(const struct pushcore_report *report);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_report_connection_at(const struct pushcore_report *report,
                                              size_t index,
                                              struct pushcore_connection_report *connection,
                                              struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_report_host_at(const struct pushcore_report *report,
                                        size_t index,
                                        struct pushcore_host_report *host,
                                        struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
void pushcore_report_free(struct pushcore_report *report);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_notification_from_json(struct pushcore_view json,
                                                struct pushcore_notification **out,
                                                struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_notification_to_json(const struct pushcore_notification *notification,
                                              struct pushcore_bytes **out,
                                              struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_notification_render(const struct pushcore_notification *notification,
                                             const struct pushcore_device *device,
                                             struct pushcore_now now,
                                             struct pushcore_rendered **out,
                                             struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
void pushcore_notification_free(struct pushcore_notification *notification);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_rendered_to(const struct pushcore_rendered *rendered,
                                     const struct pushcore_device *device,
                                     struct pushcore_now now,
                                     struct pushcore_message **out,
                                     struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_rendered_template(const struct pushcore_rendered *rendered,
                                           struct pushcore_template **out,
                                           struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
size_t pushcore_rendered_loss_count(const struct pushcore_rendered *rendered);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_rendered_loss_at(const struct pushcore_rendered *rendered,
                                          size_t index,
                                          struct pushcore_loss *loss,
                                          struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
void pushcore_rendered_free(struct pushcore_rendered *rendered);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_device_from_json(struct pushcore_view json,
                                          const struct pushcore_endpoint_policy *endpoints,
                                          struct pushcore_device **out,
                                          struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_device_to_json(const struct pushcore_device *device,
                                        struct pushcore_bytes **out,
                                        struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
uint32_t pushcore_device_service(const struct pushcore_device *device);
#endif
#if defined(PUSHCORE_L1)
struct pushcore_view pushcore_device_key(const struct pushcore_device *device);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_device_with_token(const struct pushcore_device *device,
                                           struct pushcore_view token,
                                           struct pushcore_now now,
                                           struct pushcore_device **out,
                                           struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
void pushcore_device_free(struct pushcore_device *device);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_feedback_of(const struct pushcore_outcome *outcome,
                                     const struct pushcore_error *failure,
                                     const struct pushcore_device *device,
                                     struct pushcore_now now,
                                     struct pushcore_feedback **out,
                                     struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_feedback_parts_of(const struct pushcore_feedback *feedback,
                                           struct pushcore_feedback_parts *parts,
                                           struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
void pushcore_feedback_free(struct pushcore_feedback *feedback);
#endif
#if defined(PUSHCORE_L1)
uint32_t pushcore_outcome_kind(const struct pushcore_outcome *outcome);
#endif
#if defined(PUSHCORE_L1)
struct pushcore_view pushcore_outcome_advice(const struct pushcore_outcome *outcome);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_outcome_parts_of(const struct pushcore_outcome *outcome,
                                          struct pushcore_outcome_parts *parts,
                                          struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_outcome_detail(const struct pushcore_outcome *outcome,
                                        struct pushcore_bytes **out,
                                        struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
bool pushcore_outcome_applies_to(const struct pushcore_outcome *outcome,
                                 uint64_t registered_ms);
#endif
#if defined(PUSHCORE_L1)
void pushcore_outcome_free(struct pushcore_outcome *outcome);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_endpoint_policy_new(const struct pushcore_endpoint_policy_options *options,
                                             struct pushcore_endpoint_policy **out,
                                             struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
void pushcore_endpoint_policy_free(struct pushcore_endpoint_policy *policy);
#endif
pushcore_status pushcore_receiver_keys_generate(struct pushcore_receiver_keys **out,
                                                struct pushcore_error **error);
pushcore_status pushcore_receiver_keys_import(struct pushcore_view private_key,
                                              struct pushcore_view auth,
                                              struct pushcore_receiver_keys **out,
                                              struct pushcore_error **error);
pushcore_status pushcore_receiver_keys_export(const struct pushcore_receiver_keys *keys,
                                              struct pushcore_bytes **out,
                                              struct pushcore_error **error);
pushcore_status pushcore_receiver_keys_p256dh(const struct pushcore_receiver_keys *keys,
                                              struct pushcore_bytes **out,
                                              struct pushcore_error **error);
pushcore_status pushcore_receiver_keys_auth(const struct pushcore_receiver_keys *keys,
                                            struct pushcore_bytes **out,
                                            struct pushcore_error **error);
pushcore_status pushcore_receiver_keys_subscription(const struct pushcore_receiver_keys *keys,
                                                    struct pushcore_view endpoint,
                                                    struct pushcore_bytes **out,
                                                    struct pushcore_error **error);
pushcore_status pushcore_receiver_keys_decrypt(const struct pushcore_receiver_keys *keys,
                                               struct pushcore_view body,
                                               struct pushcore_bytes **out,
                                               struct pushcore_error **error);
pushcore_status pushcore_receiver_keys_decrypt_aesgcm(const struct pushcore_receiver_keys *keys,
                                                      struct pushcore_view body,
                                                      struct pushcore_view crypto_key,
                                                      struct pushcore_view encryption,
                                                      struct pushcore_bytes **out,
                                                      struct pushcore_error **error);
void pushcore_receiver_keys_free(struct pushcore_receiver_keys *keys);
#if defined(PUSHCORE_L1)
uint32_t pushcore_service_kind(const struct pushcore_service *service);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_service_request(const struct pushcore_service *service,
                                         const struct pushcore_message *message,
                                         struct pushcore_now now,
                                         struct pushcore_request **out,
                                         struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_service_outcome(const struct pushcore_service *service,
                                         const struct pushcore_message *message,
                                         const struct pushcore_response *response,
                                         struct pushcore_now now,
                                         struct pushcore_outcome **out,
                                         struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_service_authorization(const struct pushcore_service *service,
                                               struct pushcore_now now,
                                               struct pushcore_authorization *state,
                                               struct pushcore_request **request,
                                               struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_service_accept_token(const struct pushcore_service *service,
                                              const struct pushcore_response *response,
                                              struct pushcore_now now,
                                              bool *done,
                                              struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_service_token_failed(const struct pushcore_service *service,
                                              struct pushcore_now now,
                                              struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_service_supply_token(const struct pushcore_service *service,
                                              struct pushcore_view token,
                                              uint64_t lifetime_ms,
                                              struct pushcore_now now,
                                              bool *taken,
                                              struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
void pushcore_service_free(struct pushcore_service *service);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_new(const struct pushcore_service *service,
                                     const struct pushcore_network_options *options,
                                     struct pushcore_now now,
                                     struct pushcore_session **out,
                                     struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_submit(struct pushcore_session *session,
                                        const struct pushcore_message *message,
                                        uint64_t user_data,
                                        const struct pushcore_send_options *options,
                                        struct pushcore_now now,
                                        uint64_t *ticket,
                                        struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
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
pushcore_status pushcore_session_tickets(struct pushcore_session *session,
                                         uint64_t *tickets,
                                         size_t capacity,
                                         size_t *count,
                                         struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_call(struct pushcore_session *session,
                                      const struct pushcore_call *call,
                                      const struct pushcore_send_options *options,
                                      struct pushcore_now now,
                                      bool *taken,
                                      uint64_t *ticket,
                                      struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_exchange(struct pushcore_session *session,
                                          const struct pushcore_request *request,
                                          const struct pushcore_send_options *options,
                                          struct pushcore_now now,
                                          uint64_t *ticket,
                                          struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_flush(struct pushcore_session *session,
                                       struct pushcore_now now,
                                       struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_cancel(struct pushcore_session *session,
                                        uint64_t ticket,
                                        struct pushcore_now now,
                                        bool *cancelled,
                                        struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_release_held(struct pushcore_session *session,
                                              struct pushcore_now now,
                                              struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_poll_action(struct pushcore_session *session,
                                             struct pushcore_action *out,
                                             struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_allow_address(struct pushcore_session *session,
                                               struct pushcore_view host,
                                               uint16_t port,
                                               struct pushcore_view address,
                                               struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_connected(struct pushcore_session *session,
                                           uint64_t link,
                                           struct pushcore_now now,
                                           struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_connect_failed(struct pushcore_session *session,
                                                uint64_t link,
                                                pushcore_status status,
                                                struct pushcore_view text,
                                                struct pushcore_now now,
                                                struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_receive(struct pushcore_session *session,
                                         uint64_t link,
                                         struct pushcore_view bytes,
                                         struct pushcore_now now,
                                         struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_receive_eof(struct pushcore_session *session,
                                             uint64_t link,
                                             struct pushcore_now now,
                                             struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_transmit(struct pushcore_session *session,
                                          uint64_t link,
                                          struct pushcore_view *bytes,
                                          struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_transmitted(struct pushcore_session *session,
                                             uint64_t link,
                                             size_t count,
                                             struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_deadline(struct pushcore_session *session,
                                          uint64_t *monotonic_ms,
                                          struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_handle_timeout(struct pushcore_session *session,
                                                struct pushcore_now now,
                                                struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_results(struct pushcore_session *session,
                                         struct pushcore_result *results,
                                         size_t capacity,
                                         size_t *count,
                                         struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_outcome(struct pushcore_session *session,
                                         size_t index,
                                         struct pushcore_outcome **out,
                                         struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_error(struct pushcore_session *session,
                                       size_t index,
                                       struct pushcore_error **out,
                                       struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_poll_response(struct pushcore_session *session,
                                               uint64_t *ticket,
                                               struct pushcore_response **response,
                                               struct pushcore_error **failure,
                                               struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_poll_event(struct pushcore_session *session,
                                            struct pushcore_event **out,
                                            struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_capacity(struct pushcore_session *session,
                                          bool bulk,
                                          size_t *capacity,
                                          struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_stats(struct pushcore_session *session,
                                       struct pushcore_stats *stats,
                                       struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_is_mix_up_suspected(struct pushcore_session *session,
                                                     bool *suspected,
                                                     struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_close(struct pushcore_session *session,
                                       struct pushcore_now now,
                                       struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_abandon(struct pushcore_session *session,
                                         struct pushcore_now now,
                                         struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
pushcore_status pushcore_session_is_closed(struct pushcore_session *session,
                                           bool *closed,
                                           struct pushcore_error **error);
#endif
#if defined(PUSHCORE_NET)
void pushcore_session_free(struct pushcore_session *session);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_web_push_service_new(const struct pushcore_web_push_service_options *options,
                                              struct pushcore_service **out,
                                              struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_web_push_message_new(const struct pushcore_web_push_message_options *options,
                                              struct pushcore_message **out,
                                              struct pushcore_error **error);
#endif
#if defined(PUSHCORE_L1)
pushcore_status pushcore_web_push_call_new(const struct pushcore_web_push_call_options *options,
                                           struct pushcore_call **out,
                                           struct pushcore_error **error);
#endif
#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus
#endif
