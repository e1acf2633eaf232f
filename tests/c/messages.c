/*
 * All five services without a connection (L1): services, messages, templates, targets, requests, outcomes, calls, tokens, keys, receiver.
 * Usage: messages KEY.p8 (a P-256 key, made by the caller)
 */
#include "check.h"

static pushcore_error *error = NULL;
static const char SUBSCRIPTION[] =
    "{\"endpoint\":\"https://updates.push.services.mozilla.com/wpush/v2/abc\",\"expirationTime\":null,\"keys\":{"
    "\"p256dh\":\"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4\","
    "\"auth\":\"BTBZMqHH6r4Tts7J_aSIgg\"}}";
static const char TOKEN[] = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";

static pushcore_now now_of(uint64_t seconds) {
  pushcore_now now;
  now.monotonic_ms = seconds * 1000;
  now.unix_ms = (UINT64_C(1795000000) + seconds) * 1000;
  return now;
}

static int header_is(const pushcore_request *request, const char *name, const char *value) {
  size_t i;
  pushcore_view n, v;
  for (i = 0; i < pushcore_request_header_count(request); i++) {
    CHECK(pushcore_request_header_at(request, i, &n, &v) == PUSHCORE_OK);
    if (is(n, name)) return value == NULL || is(v, value);
  }
  return 0;
}

static pushcore_service *apns_service(pushcore_view key) {
  pushcore_service *service = NULL;
  pushcore_apns_service_options options;
  pushcore_view topics[1];
  memset(&options, 0, sizeof options);
  options.struct_size = (uint32_t)sizeof options;
  options.credentials = PUSHCORE_APNS_SIGNING_KEY;
  options.environment = PUSHCORE_APNS_SANDBOX;
  options.key = key;
  options.key_id = text("ABC123DEFG");
  options.team_id = text("DEF123GHIJ");
  topics[0] = text("com.example.app");
  options.topics = topics;
  options.topic_count = 1;
  OK(pushcore_apns_service_new(&options, &service, &error));
  options.credentials = 77;
  FAILS(PUSHCORE_ERROR_INVALID_VALUE, pushcore_apns_service_new(&options, &service, &error));
  return service;
}

static pushcore_response *answer(uint16_t status, const char *body, const char *name, const char *value) {
  pushcore_response *response = NULL;
  OK(pushcore_response_new(status, text(body), &response, &error));
  if (name) OK(pushcore_response_add_header(response, text(name), text(value), &error));
  return response;
}

static void apns(pushcore_view key) {
  pushcore_service *service = apns_service(key);
  pushcore_apns_message_options options;
  pushcore_message *message = NULL, *again = NULL;
  pushcore_template *template_ = NULL, *read = NULL;
  pushcore_target *target = NULL;
  pushcore_request *request = NULL;
  pushcore_response *response;
  pushcore_outcome *outcome = NULL;
  pushcore_outcome_parts parts;
  pushcore_bytes *bytes = NULL;

  CHECK(pushcore_service_kind(service) == PUSHCORE_SERVICE_APNS);
  CHECK(is(pushcore_service_name(PUSHCORE_SERVICE_WEB_PUSH), "web_push"));
  CHECK(pushcore_service_name(99).len == 0);
  memset(&options, 0, sizeof options);
  options.struct_size = (uint32_t)sizeof options;
  options.push_type = text("alert");
  options.device_token = text(TOKEN);
  options.topic = text("com.example.app");
  options.title = text("Hello");
  options.body = text("from C");
  options.sound = text("default");
  options.set = PUSHCORE_APNS_SET_EXPIRATION | PUSHCORE_APNS_SET_BADGE | PUSHCORE_APNS_SET_REGISTERED;
  options.registered_ms = UINT64_C(1700000000000);
  options.flags = PUSHCORE_APNS_MUTABLE_CONTENT;
  OK(pushcore_apns_message_new(&options, &message, &error));
  OK(pushcore_message_payload(message, &bytes, &error));
  CHECK(is(pushcore_bytes_view(bytes),
           "{\"aps\":{\"alert\":{\"title\":\"Hello\",\"body\":\"from C\"},\"sound\":\"default\",\"badge\":0,\"mutable-content\":1}}"));
  pushcore_bytes_free(bytes);
  OK(pushcore_service_request(service, message, now_of(0), &request, &error));
  CHECK(header_is(request, "apns-expiration", "0"));
  CHECK(header_is(request, "apns-topic", "com.example.app"));
  CHECK(header_is(request, "authorization", NULL));
  CHECK(is(pushcore_request_authority(request), "api.sandbox.push.apple.com"));
  CHECK(holds(pushcore_request_url(request), "https://api.sandbox.push.apple.com/3/device/00fc"));
  CHECK(is(pushcore_request_method(request), "POST"));
  pushcore_request_free(request);

  /* A zero that is a value, and a value that nobody asked for. */
  options.set = PUSHCORE_APNS_SET_BADGE;
  options.badge = 7;
  options.registered_ms = 5;
  FAILS(PUSHCORE_ERROR_MISUSE, pushcore_apns_message_new(&options, &again, &error));
  options.registered_ms = 0;
  options.set = 1024;
  FAILS(PUSHCORE_ERROR_MISUSE, pushcore_apns_message_new(&options, &again, &error));
  options.set = PUSHCORE_APNS_SET_BADGE;
  options.payload = text("{\"aps\":{}}");
  FAILS(PUSHCORE_ERROR_CONFLICT, pushcore_apns_message_new(&options, &again, &error));

  /* 410 before the registration of the token is about another one. */
  response = answer(410, "{\"reason\":\"Unregistered\",\"timestamp\":1600000000000}", "apns-id", "123e4567-e89b-12d3-a456-4266554400a0");
  CHECK(pushcore_response_status(response) == 410);
  CHECK(pushcore_response_header_count(response) == 1);
  CHECK(!pushcore_response_is_truncated(response));
  CHECK(holds(pushcore_response_body(response), "Unregistered"));
  {
    pushcore_view n, v;
    CHECK(pushcore_response_header_at(response, 0, &n, &v) == PUSHCORE_OK && is(n, "apns-id"));
    CHECK(pushcore_response_header_at(response, 1, &n, &v) == PUSHCORE_ERROR_MISUSE);
  }
  OK(pushcore_service_outcome(service, message, response, now_of(1), &outcome, &error));
  CHECK(pushcore_outcome_kind(outcome) != PUSHCORE_OUTCOME_TOKEN_GONE);
  pushcore_outcome_free(outcome);
  pushcore_response_free(response);
  response = answer(410, "{\"reason\":\"Unregistered\",\"timestamp\":1790000000000}", NULL, NULL);
  OK(pushcore_message_outcome(message, response, now_of(1), &outcome, &error));
  memset(&parts, 0, sizeof parts);
  parts.struct_size = (uint32_t)sizeof parts;
  OK(pushcore_outcome_parts_of(outcome, &parts, &error));
  CHECK(parts.kind == PUSHCORE_OUTCOME_TOKEN_GONE && parts.http_status == 410);
  CHECK(parts.flags == (PUSHCORE_HAS_SINCE | PUSHCORE_REASON_IS_KNOWN) && parts.since_ms == UINT64_C(1790000000000));
  CHECK(is(parts.reason, "Unregistered"));
  CHECK(pushcore_outcome_applies_to(outcome, UINT64_C(1780000000000)));
  CHECK(!pushcore_outcome_applies_to(outcome, UINT64_C(1790000000000)));
  CHECK(pushcore_outcome_advice(outcome).len > 0);
  CHECK(is(pushcore_outcome_name(parts.kind), "token_gone"));
  OK(pushcore_outcome_detail(outcome, &bytes, &error));
  pushcore_bytes_free(bytes);
  pushcore_outcome_free(outcome);
  pushcore_response_free(response);

  /* To another target, by template and back, through JSON. */
  OK(pushcore_message_template(message, &template_, &error));
  CHECK(pushcore_template_service(template_) == PUSHCORE_SERVICE_APNS);
  OK(pushcore_template_to_json(template_, &bytes, &error));
  OK(pushcore_template_from_json(PUSHCORE_SERVICE_APNS, pushcore_bytes_view(bytes), &read, &error));
  pushcore_bytes_free(bytes);
  OK(pushcore_target_parse(PUSHCORE_SERVICE_APNS, text("abababababababababababababababababababababababababababababababab"), NULL, &target, &error));
  CHECK(pushcore_target_service(target) == PUSHCORE_SERVICE_APNS);
  OK(pushcore_target_to_text(target, &bytes, &error));
  CHECK(holds(pushcore_bytes_view(bytes), "abab"));
  pushcore_bytes_free(bytes);
  OK(pushcore_template_to(read, target, &again, &error));
  CHECK(pushcore_message_service(again) == PUSHCORE_SERVICE_APNS);
  pushcore_message_free(again);
  OK(pushcore_message_to(message, target, &again, &error));
  OK(pushcore_message_to_json(again, &bytes, &error));
  CHECK(holds(pushcore_bytes_view(bytes), "\"abababab"));
  pushcore_message_free(again);
  OK(pushcore_message_from_json(PUSHCORE_SERVICE_APNS, pushcore_bytes_view(bytes), NULL, &again, &error));
  FAILS(PUSHCORE_ERROR_INVALID_VALUE, pushcore_message_from_json(0, pushcore_bytes_view(bytes), NULL, &again, &error));
  pushcore_bytes_free(bytes);
  pushcore_message_free(again);
  pushcore_target_free(target);
  pushcore_template_free(read);
  pushcore_template_free(template_);
  pushcore_message_free(message);

  /* Provider tokens of the caller's. */
  {
    bool taken = true;
    FAILS(PUSHCORE_ERROR_INVALID_CREDENTIAL, pushcore_service_supply_token(service, text("x"), 0, now_of(0), &taken, &error));
  }
  {
    pushcore_apns_call_options call_options;
    pushcore_call *call = NULL;
    pushcore_answer *said = NULL;
    pushcore_view item;
    memset(&call_options, 0, sizeof call_options);
    call_options.struct_size = (uint32_t)sizeof call_options;
    call_options.kind = PUSHCORE_APNS_CHANNEL_LIST;
    call_options.bundle = text("com.example.app");
    OK(pushcore_apns_call_new(&call_options, &call, &error));
    CHECK(is(pushcore_call_name(call), "ManageChannel"));
    OK(pushcore_call_request(call, service, now_of(2), &request, &error));
    CHECK(is(pushcore_request_method(request), "GET") && holds(pushcore_request_path(request), "/all-channels"));
    pushcore_request_free(request);
    response = answer(200, "{\"channels\":[\"dHN0LXNyY2gtY2hubA==\"]}", NULL, NULL);
    OK(pushcore_call_read(call, response, now_of(2), &said, &error));
    CHECK(pushcore_answer_kind(said) == PUSHCORE_ANSWER_TEXTS && pushcore_answer_item_count(said) == 1);
    CHECK(pushcore_answer_item_at(said, 0, &item, NULL) == PUSHCORE_OK && is(item, "dHN0LXNyY2gtY2hubA=="));
    CHECK(pushcore_answer_item_at(said, 1, &item, NULL) == PUSHCORE_ERROR_MISUSE);
    CHECK(pushcore_answer_succeeded(said) == 0 && pushcore_answer_text(said).len == 0);
    FAILS(PUSHCORE_ERROR_MISUSE, pushcore_answer_outcome(said, &outcome, &error));
    pushcore_answer_free(said);
    pushcore_response_free(response);
    response = answer(403, "{\"reason\":\"InvalidProviderToken\"}", NULL, NULL);
    OK(pushcore_call_read(call, response, now_of(2), &said, &error));
    CHECK(pushcore_answer_kind(said) == PUSHCORE_ANSWER_OUTCOME);
    OK(pushcore_answer_outcome(said, &outcome, &error));
    CHECK(pushcore_outcome_kind(outcome) == PUSHCORE_OUTCOME_FIX_CREDENTIALS);
    pushcore_outcome_free(outcome);
    pushcore_answer_free(said);
    pushcore_response_free(response);
    pushcore_call_free(call);
    call_options.kind = 9;
    FAILS(PUSHCORE_ERROR_INVALID_VALUE, pushcore_apns_call_new(&call_options, &call, &error));
  }
  pushcore_service_free(service);
}

static void fcm(void) {
  pushcore_service *service = NULL;
  pushcore_fcm_service_options options;
  pushcore_fcm_message_options message_options;
  pushcore_pair data[2];
  pushcore_message *message = NULL;
  pushcore_request *request = NULL;
  pushcore_authorization authorization;
  bool taken = false;
  memset(&options, 0, sizeof options);
  options.struct_size = (uint32_t)sizeof options;
  options.credentials = PUSHCORE_FCM_ACCESS_TOKENS;
  options.project = text("my-project");
  OK(pushcore_fcm_service_new(&options, &service, &error));
  memset(&message_options, 0, sizeof message_options);
  message_options.struct_size = (uint32_t)sizeof message_options;
  message_options.target = text("d:APA91b");
  message_options.title = text("Hello");
  data[0].name = text("k");
  data[0].value = text("v");
  data[1].name = text("from");
  data[1].value = text("v");
  message_options.data = data;
  message_options.data_count = 1;
  message_options.set = PUSHCORE_FCM_SET_TTL;
  message_options.flags = PUSHCORE_FCM_HIGH_PRIORITY;
  OK(pushcore_fcm_message_new(&message_options, &message, &error));
  FAILS(PUSHCORE_ERROR_TOKEN_NEEDED, pushcore_service_request(service, message, now_of(0), &request, &error));
  memset(&authorization, 0, sizeof authorization);
  authorization.struct_size = (uint32_t)sizeof authorization;
  OK(pushcore_service_authorization(service, now_of(0), &authorization, &request, &error));
  CHECK(authorization.state == PUSHCORE_AUTHORIZATION_WAIT && authorization.until_ms == UINT64_MAX && request == NULL);
  OK(pushcore_service_supply_token(service, text("ya29.x"), 3600000, now_of(0), &taken, &error));
  CHECK(taken);
  OK(pushcore_service_request(service, message, now_of(1), &request, &error));
  CHECK(is(pushcore_request_url(request), "https://fcm.googleapis.com/v1/projects/my-project/messages:send"));
  CHECK(is(pushcore_request_body(request), "{\"message\":{\"token\":\"d:APA91b\",\"data\":{\"k\":\"v\"},\"notification\":{\"title\":\"Hello\"},"
                                           "\"android\":{\"priority\":\"HIGH\",\"ttl\":\"0s\"}}}"));
  CHECK(header_is(request, "authorization", "Bearer ya29.x"));
  pushcore_request_free(request);
  pushcore_message_free(message);
  message_options.data_count = 2;
  FAILS(PUSHCORE_ERROR_RESERVED_KEY, pushcore_fcm_message_new(&message_options, &message, &error));
  message_options.target = text("{\"topic\":\"a b\"}");
  FAILS(PUSHCORE_ERROR_INVALID_TOPIC, pushcore_fcm_message_new(&message_options, &message, &error));
  {
    pushcore_fcm_call_options call_options;
    pushcore_call *call = NULL;
    pushcore_answer *said = NULL;
    pushcore_response *response;
    pushcore_view tokens[2], word;
    uint32_t kind = 0;
    memset(&call_options, 0, sizeof call_options);
    call_options.struct_size = (uint32_t)sizeof call_options;
    call_options.kind = PUSHCORE_FCM_TOPIC_SUBSCRIBE_MANY;
    call_options.topic = text("news");
    tokens[0] = text("t1");
    tokens[1] = text("t2");
    call_options.registrations = tokens;
    call_options.registration_count = 2;
    OK(pushcore_fcm_call_new(&call_options, &call, &error));
    OK(pushcore_call_request(call, service, now_of(2), &request, &error));
    CHECK(holds(pushcore_request_url(request), "/iid/v1:batchAdd"));
    pushcore_request_free(request);
    response = answer(200, "{\"results\":[{},{\"error\":\"NOT_FOUND\"}]}", NULL, NULL);
    OK(pushcore_call_read(call, response, now_of(2), &said, &error));
    CHECK(pushcore_answer_kind(said) == PUSHCORE_ANSWER_BATCH && pushcore_answer_item_count(said) == 2);
    CHECK(pushcore_answer_item_at(said, 0, &word, &kind) == PUSHCORE_OK && kind == PUSHCORE_OUTCOME_ACCEPTED);
    CHECK(pushcore_answer_item_at(said, 1, &word, &kind) == PUSHCORE_OK && kind == PUSHCORE_OUTCOME_TOKEN_GONE);
    pushcore_answer_free(said);
    pushcore_response_free(response);
    pushcore_call_free(call);
    call_options.kind = PUSHCORE_FCM_TOPIC_LIST;
    FAILS(PUSHCORE_ERROR_INVALID_VALUE, pushcore_fcm_call_new(&call_options, &call, &error));
    call_options.registration_count = 1;
    OK(pushcore_fcm_call_new(&call_options, &call, &error));
    response = answer(200, "{\"topicSubscriptions\":[{\"name\":\"a/b\",\"topicName\":\"news\"}],\"nextPageToken\":\"more\"}", NULL, NULL);
    OK(pushcore_call_read(call, response, now_of(2), &said, &error));
    CHECK(pushcore_answer_kind(said) == PUSHCORE_ANSWER_PAGE && is(pushcore_answer_text(said), "more"));
    CHECK(pushcore_answer_item_at(said, 0, &word, NULL) == PUSHCORE_OK && is(word, "news"));
    pushcore_answer_free(said);
    pushcore_response_free(response);
    pushcore_call_free(call);
  }
  pushcore_service_free(service);
}

static void web_push(void) {
  pushcore_signing_key *key = NULL, *again = NULL;
  pushcore_bytes *bytes = NULL, *public_ = NULL;
  pushcore_web_push_service_options options;
  pushcore_web_push_message_options message_options;
  pushcore_endpoint_policy_options policy_options;
  pushcore_endpoint_policy *policy = NULL;
  pushcore_service *service = NULL;
  pushcore_message *message = NULL;
  pushcore_request *request = NULL;
  pushcore_receiver_keys *keys = NULL, *imported = NULL;
  pushcore_view trusted[1];
  uint32_t form;
  uint16_t ports[1];

  /* Every form of a key comes back as the same key. */
  OK(pushcore_signing_key_generate(&key, &error));
  OK(pushcore_signing_key_public(key, PUSHCORE_KEY_BASE64, &public_, &error));
  CHECK(pushcore_bytes_view(public_).len == 87);
  for (form = PUSHCORE_KEY_PKCS8_PEM; form <= PUSHCORE_KEY_BASE64; form++) {
    pushcore_bytes *same = NULL;
    OK(pushcore_signing_key_private(key, form, &bytes, &error));
    OK(pushcore_signing_key_read(pushcore_bytes_view(bytes), &again, &error));
    OK(pushcore_signing_key_public(again, PUSHCORE_KEY_BASE64, &same, &error));
    CHECK(pushcore_bytes_view(same).len == 87 && memcmp(pushcore_bytes_view(same).data, pushcore_bytes_view(public_).data, 87) == 0);
    pushcore_bytes_free(same);
    pushcore_bytes_free(bytes);
    pushcore_signing_key_free(again);
  }
  for (form = PUSHCORE_KEY_JWK; form <= PUSHCORE_KEY_PUBLIC_POINT; form++) {
    OK(pushcore_signing_key_public(key, form, &bytes, &error));
    CHECK(form != PUSHCORE_KEY_PUBLIC_POINT || pushcore_bytes_view(bytes).len == 65);
    pushcore_bytes_free(bytes);
  }
  pushcore_bytes_free(public_);
  FAILS(PUSHCORE_ERROR_INVALID_VALUE, pushcore_signing_key_private(key, PUSHCORE_KEY_PUBLIC_PEM, &bytes, &error));
  FAILS(PUSHCORE_ERROR_INVALID_VALUE, pushcore_signing_key_public(key, PUSHCORE_KEY_SEC1_PEM, &bytes, &error));

  memset(&policy_options, 0, sizeof policy_options);
  policy_options.struct_size = (uint32_t)sizeof policy_options;
  trusted[0] = text("push.example:8443");
  ports[0] = 444;
  policy_options.trusted = trusted;
  policy_options.trusted_count = 1;
  policy_options.hosts = trusted;
  policy_options.host_count = 0;
  policy_options.ports = ports;
  policy_options.port_count = 1;
  OK(pushcore_endpoint_policy_new(&policy_options, &policy, &error));

  OK(pushcore_signing_key_private(key, PUSHCORE_KEY_PKCS8_PEM, &bytes, &error));
  memset(&options, 0, sizeof options);
  options.struct_size = (uint32_t)sizeof options;
  options.key = pushcore_bytes_view(bytes);
  options.subject = text("mailto:ops@example.com");
  options.endpoints = policy;
  OK(pushcore_web_push_service_new(&options, &service, &error));
  pushcore_bytes_free(bytes);
  pushcore_signing_key_free(key);

  /* What is encrypted to a receiver's own keys comes out of them, through storage. */
  OK(pushcore_receiver_keys_generate(&keys, &error));
  OK(pushcore_receiver_keys_subscription(keys, text("https://push.example:8443/s/1"), &bytes, &error));
  memset(&message_options, 0, sizeof message_options);
  message_options.struct_size = (uint32_t)sizeof message_options;
  message_options.subscription = pushcore_bytes_view(bytes);
  message_options.payload = text("caf\xc3\xa9");
  message_options.set = PUSHCORE_WEB_PUSH_SET_TTL;
  message_options.urgency = PUSHCORE_WEB_PUSH_URGENCY_HIGH;
  message_options.topic = text("upd");
  FAILS(PUSHCORE_ERROR_ENDPOINT_NOT_ALLOWED, pushcore_web_push_message_new(&message_options, &message, &error));
  message_options.endpoints = policy;
  OK(pushcore_web_push_message_new(&message_options, &message, &error));
  OK(pushcore_service_request(service, message, now_of(0), &request, &error));
  CHECK(is(pushcore_request_url(request), "https://push.example:8443/s/1"));
  CHECK(header_is(request, "ttl", "0") && header_is(request, "urgency", "high") && header_is(request, "topic", "upd"));
  {
    pushcore_bytes *private_key = NULL, *auth = NULL, *p256dh = NULL, *plain = NULL;
    OK(pushcore_receiver_keys_export(keys, &private_key, &error));
    OK(pushcore_receiver_keys_auth(keys, &auth, &error));
    OK(pushcore_receiver_keys_p256dh(keys, &p256dh, &error));
    CHECK(pushcore_bytes_view(p256dh).len == 87);
    OK(pushcore_receiver_keys_import(pushcore_bytes_view(private_key), pushcore_bytes_view(auth), &imported, &error));
    OK(pushcore_receiver_keys_decrypt(imported, pushcore_request_body(request), &plain, &error));
    CHECK(is(pushcore_bytes_view(plain), "caf\xc3\xa9"));
    pushcore_bytes_free(plain);
    FAILS(PUSHCORE_ERROR_INVALID_CIPHERTEXT, pushcore_receiver_keys_decrypt(imported, text("short"), &plain, &error));
    CHECK(pushcore_receiver_keys_decrypt_aesgcm(imported, text("x"), text(""), text(""), &plain, NULL) != PUSHCORE_OK);
    pushcore_bytes_free(private_key);
    pushcore_bytes_free(auth);
    pushcore_bytes_free(p256dh);
  }
  pushcore_request_free(request);
  pushcore_message_free(message);
  pushcore_bytes_free(bytes);
  pushcore_receiver_keys_free(imported);
  pushcore_receiver_keys_free(keys);
  {
    pushcore_web_push_call_options call_options;
    pushcore_target *target = NULL;
    pushcore_call *call = NULL;
    OK(pushcore_target_parse(PUSHCORE_SERVICE_WEB_PUSH, text(SUBSCRIPTION), NULL, &target, &error));
    memset(&call_options, 0, sizeof call_options);
    call_options.struct_size = (uint32_t)sizeof call_options;
    call_options.kind = PUSHCORE_WEB_PUSH_WITHDRAW;
    call_options.url = text("https://updates.push.services.mozilla.com/m/1");
    call_options.target = target;
    OK(pushcore_web_push_call_new(&call_options, &call, &error));
    OK(pushcore_call_request(call, service, now_of(0), &request, &error));
    CHECK(is(pushcore_request_method(request), "DELETE"));
    pushcore_request_free(request);
    pushcore_call_free(call);
    call_options.kind = PUSHCORE_WEB_PUSH_RECEIPTS;
    call_options.set = PUSHCORE_WEB_PUSH_SET_WAIT;
    OK(pushcore_web_push_call_new(&call_options, &call, &error));
    pushcore_call_free(call);
    pushcore_target_free(target);
  }
  pushcore_endpoint_policy_free(policy);
  pushcore_service_free(service);
}

static void adm(void) {
  pushcore_service *service = NULL;
  pushcore_adm_service_options options;
  pushcore_adm_message_options message_options;
  pushcore_adm_call_options call_options;
  pushcore_pair data[1];
  pushcore_view members[1], item;
  pushcore_message *message = NULL;
  pushcore_call *call = NULL;
  pushcore_answer *said = NULL;
  pushcore_request *request = NULL;
  pushcore_response *response;
  pushcore_authorization authorization;
  bool done = false;
  memset(&options, 0, sizeof options);
  options.struct_size = (uint32_t)sizeof options;
  options.client_id = text("amzn1.application-oa2-client.1");
  options.client_secret = text("client-secret");
  OK(pushcore_adm_service_new(&options, &service, &error));
  /* The token: asked for once, failed, asked for again, taken. */
  memset(&authorization, 0, sizeof authorization);
  authorization.struct_size = (uint32_t)sizeof authorization;
  OK(pushcore_service_authorization(service, now_of(0), &authorization, &request, &error));
  CHECK(authorization.state == PUSHCORE_AUTHORIZATION_FETCH && request != NULL);
  CHECK(is(pushcore_request_url(request), "https://api.amazon.com/auth/O2/token"));
  pushcore_request_free(request);
  OK(pushcore_service_authorization(service, now_of(0), &authorization, &request, &error));
  CHECK(authorization.state == PUSHCORE_AUTHORIZATION_WAIT && request == NULL);
  OK(pushcore_service_token_failed(service, now_of(1), &error));
  OK(pushcore_service_authorization(service, now_of(600), &authorization, &request, &error));
  CHECK(authorization.state == PUSHCORE_AUTHORIZATION_FETCH && request != NULL);
  pushcore_request_free(request);
  response = answer(200, "{\"access_token\":\"Atc|x\",\"token_type\":\"bearer\",\"expires_in\":3600,\"scope\":\"messaging:push\"}", NULL, NULL);
  OK(pushcore_service_accept_token(service, response, now_of(601), &done, &error));
  CHECK(done);
  pushcore_response_free(response);

  memset(&message_options, 0, sizeof message_options);
  message_options.struct_size = (uint32_t)sizeof message_options;
  message_options.target = text("amzn1.adm-registration.v3.abc");
  data[0].name = text("k");
  data[0].value = text("v");
  message_options.data = data;
  message_options.data_count = 1;
  message_options.set = PUSHCORE_ADM_SET_TTL;
  message_options.ttl_s = 600;
  message_options.flags = PUSHCORE_ADM_HIGH_PRIORITY | PUSHCORE_ADM_WITH_MD5;
  OK(pushcore_adm_message_new(&message_options, &message, &error));
  OK(pushcore_service_request(service, message, now_of(602), &request, &error));
  CHECK(holds(pushcore_request_body(request), "\"expiresAfter\":600") && holds(pushcore_request_body(request), "\"md5\""));
  CHECK(header_is(request, "authorization", "Bearer Atc|x"));
  pushcore_request_free(request);
  pushcore_message_free(message);
  message_options.target = text("{\"topic\":\"news\"}");
  message_options.flags = 0;
  OK(pushcore_adm_message_new(&message_options, &message, &error));
  pushcore_message_free(message);

  memset(&call_options, 0, sizeof call_options);
  call_options.struct_size = (uint32_t)sizeof call_options;
  call_options.kind = PUSHCORE_ADM_GROUP_CREATE;
  call_options.group = text("family");
  members[0] = text("amzn1.adm-registration.v3.abc");
  call_options.members = members;
  call_options.member_count = 1;
  OK(pushcore_adm_call_new(&call_options, &call, &error));
  OK(pushcore_call_request(call, service, now_of(602), &request, &error));
  pushcore_request_free(request);
  response = answer(200, "{\"success\":3,\"failure\":1,\"failed_registration_ids\":[\"abc\"]}", NULL, NULL);
  OK(pushcore_call_read(call, response, now_of(602), &said, &error));
  CHECK(pushcore_answer_kind(said) == PUSHCORE_ANSWER_GROUP && pushcore_answer_succeeded(said) == 3);
  CHECK(pushcore_answer_item_at(said, 0, &item, NULL) == PUSHCORE_OK && is(item, "abc"));
  pushcore_answer_free(said);
  pushcore_response_free(response);
  pushcore_call_free(call);
  pushcore_service_free(service);
}

static void baidu(void) {
  pushcore_service *service = NULL;
  pushcore_baidu_service_options options;
  pushcore_baidu_message_options message_options;
  pushcore_baidu_call_options call_options;
  pushcore_message *message = NULL;
  pushcore_call *call = NULL;
  pushcore_answer *said = NULL;
  pushcore_request *request = NULL;
  pushcore_response *response;
  pushcore_view items[1];
  uint32_t kind;
  bool taken;
  memset(&options, 0, sizeof options);
  options.struct_size = (uint32_t)sizeof options;
  options.api_key = text("AK");
  options.secret_key = text("SK");
  OK(pushcore_baidu_service_new(&options, &service, &error));
  FAILS(PUSHCORE_ERROR_MISUSE, pushcore_service_supply_token(service, text("x"), 1, now_of(0), &taken, &error));
  memset(&message_options, 0, sizeof message_options);
  message_options.struct_size = (uint32_t)sizeof message_options;
  message_options.kind = PUSHCORE_BAIDU_ANDROID;
  message_options.target = text("3785562685113372034");
  message_options.title = text("Hello");
  message_options.description = text("from C");
  message_options.set = PUSHCORE_BAIDU_SET_TTL;
  message_options.ttl_s = 600;
  OK(pushcore_baidu_message_new(&message_options, &message, &error));
  OK(pushcore_service_request(service, message, now_of(0), &request, &error));
  CHECK(holds(pushcore_request_url(request), "/rest/3.0/push/single_device") && holds(pushcore_request_body(request), "msg_expires=600"));
  pushcore_request_free(request);
  pushcore_message_free(message);
  message_options.kind = PUSHCORE_BAIDU_IOS;
  FAILS(PUSHCORE_ERROR_CONFLICT, pushcore_baidu_message_new(&message_options, &message, &error));
  items[0] = text("3785562685113372034");
  for (kind = PUSHCORE_BAIDU_MESSAGE_STATUS; kind <= PUSHCORE_BAIDU_CANCEL_TIMER; kind++) {
    memset(&call_options, 0, sizeof call_options);
    call_options.struct_size = (uint32_t)sizeof call_options;
    call_options.kind = kind;
    call_options.name = text("abc");
    call_options.items = items;
    call_options.item_count = 1;
    if (kind == PUSHCORE_BAIDU_TIMER_RECORDS) {
      call_options.set = PUSHCORE_BAIDU_SET_BETWEEN;
      call_options.since_s = 1700000000;
      call_options.until_s = 1700000600;
    }
    OK(pushcore_baidu_call_new(&call_options, &call, &error));
    OK(pushcore_call_request(call, service, now_of(0), &request, &error));
    pushcore_request_free(request);
    pushcore_call_free(call);
  }
  call_options.kind = PUSHCORE_BAIDU_DEVICE_STATISTICS;
  OK(pushcore_baidu_call_new(&call_options, &call, &error));
  response = answer(200, "{\"request_id\":1,\"response_params\":{\"total_num\":7}}", NULL, NULL);
  OK(pushcore_call_read(call, response, now_of(0), &said, &error));
  CHECK(pushcore_answer_kind(said) == PUSHCORE_ANSWER_JSON && is(pushcore_answer_text(said), "{\"total_num\":7}"));
  pushcore_answer_free(said);
  pushcore_response_free(response);
  pushcore_call_free(call);
  pushcore_service_free(service);
}

static void errors(void) {
  pushcore_signing_key *key = NULL;
  pushcore_error *cause = NULL, *none;
  uint32_t code = 0;
  uint8_t alert = 0;
  pushcore_status status = pushcore_signing_key_read(text("nonsense"), &key, &error);
  CHECK(status == PUSHCORE_ERROR_INVALID_KEY && pushcore_error_code(error) == status && key == NULL);
  CHECK(is(pushcore_error_name(error), "InvalidKey") && is(pushcore_status_name(status), "InvalidKey"));
  CHECK(is(pushcore_status_name(PUSHCORE_NULL_ARGUMENT), "NullArgument") && pushcore_status_name(7).len == 0);
  CHECK(!pushcore_error_http2_code(error, &code) && !pushcore_error_tls_alert(error, &alert));
  none = error;
  CHECK(pushcore_error_cause(error, &none) == PUSHCORE_OK && none == NULL);
  pushcore_error_free(error);
  CHECK(pushcore_error_cause(error, &cause) == PUSHCORE_ERROR_MISUSE && cause == NULL);
  CHECK(pushcore_error_message(error).len == 0);
  error = NULL;
  CHECK(is(pushcore_scope_name(PUSHCORE_SCOPE_DEVICE), "device") && is(pushcore_suspect_name(PUSHCORE_SUSPECT_TOPIC), "topic"));
  CHECK(is(pushcore_version(), PUSHCORE_VERSION) && pushcore_abi_version() == PUSHCORE_ABI_VERSION);
}

#ifdef PUSHCORE_DIALECTS
/* A request to the legacy FCM API, to its reply: written down in the middle, sent and refused by FCM v1. */
static void dialects(void) {
  pushcore_dialect *dialect = NULL;
  pushcore_dialect_job *job = NULL, *again = NULL;
  pushcore_dialect_step *step = NULL;
  pushcore_dialect_reply *reply = NULL;
  pushcore_message *message = NULL;
  pushcore_response *response;
  pushcore_outcome *outcome = NULL;
  pushcore_bytes *json = NULL;
  pushcore_pair headers[2];
  pushcore_view name, value;
  const char *body = "{\"to\":\"a-token\",\"data\":{\"k\":\"v\"}}";
  headers[0].name = text("Authorization");
  headers[0].value = text("key=server-key");
  headers[1].name = text("Content-Type");
  headers[1].value = text("application/json");
  FAILS(PUSHCORE_ERROR_INVALID_VALUE, pushcore_dialect_new(text("nobody"), text(""), &dialect, &error));
  OK(pushcore_dialect_new(text("fcm_legacy"), text(""), &dialect, &error));
  FAILS(PUSHCORE_ERROR_INVALID_VALUE,
        pushcore_dialect_begin(dialect, text("POST"), text("no target"), headers, 2, text(body), now_of(0), &job, &error));
  OK(pushcore_dialect_begin(dialect, text("POST"), text("/fcm/send"), headers, 2, text(body), now_of(0), &job, &error));
  CHECK(is(pushcore_dialect_job_operation(job), "Send") && pushcore_dialect_job_step_count(job) == 1);

  OK(pushcore_dialect_job_step_at(job, 0, &step, &error));
  CHECK(pushcore_dialect_step_kind(step) == PUSHCORE_STEP_ASK);
  FAILS(PUSHCORE_ERROR_MISUSE, pushcore_dialect_step_message(step, &message, &error));
  OK(pushcore_dialect_step_to_json(step, &json, &error));
  CHECK(holds(pushcore_bytes_view(json), "\"ask\":\"token\"") && !holds(pushcore_bytes_view(json), "server-key"));
  pushcore_bytes_free(json);
  FAILS(PUSHCORE_ERROR_INVALID_VALUE, pushcore_dialect_job_answer(job, pushcore_dialect_step_id(step), text("7"), &error));
  OK(pushcore_dialect_job_answer(job, pushcore_dialect_step_id(step), text("{\"scopes\":[\"my-app\"]}"), &error));
  pushcore_dialect_step_free(step);

  OK(pushcore_dialect_job_to_json(job, &json, &error));
  CHECK(!holds(pushcore_bytes_view(json), "server-key"));
  OK(pushcore_dialect_job_from_json(pushcore_bytes_view(json), &again, &error));
  pushcore_bytes_free(json);
  pushcore_dialect_job_free(job);
  OK(pushcore_dialect_job_reply(again, &reply, &error));
  CHECK(reply == NULL && pushcore_dialect_job_step_count(again) == 1);

  OK(pushcore_dialect_job_step_at(again, 0, &step, &error));
  CHECK(pushcore_dialect_step_kind(step) == PUSHCORE_STEP_SEND);
  OK(pushcore_dialect_step_message(step, &message, &error));
  CHECK(pushcore_message_service(message) == PUSHCORE_SERVICE_FCM);
  response = answer(404,
                    "{\"error\":{\"code\":404,\"status\":\"NOT_FOUND\",\"details\":[{\"@type\":"
                    "\"type.googleapis.com/google.firebase.fcm.v1.FcmError\",\"errorCode\":\"UNREGISTERED\"}]}}",
                    NULL, NULL);
  OK(pushcore_message_outcome(message, response, now_of(0), &outcome, &error));
  FAILS(PUSHCORE_ERROR_MISUSE, pushcore_dialect_job_sent(again, pushcore_dialect_step_id(step), NULL, NULL, &error));
  OK(pushcore_dialect_job_sent(again, pushcore_dialect_step_id(step), outcome, NULL, &error));
  pushcore_outcome_free(outcome);
  pushcore_response_free(response);
  pushcore_message_free(message);
  pushcore_dialect_step_free(step);

  OK(pushcore_dialect_job_reply(again, &reply, &error));
  CHECK(pushcore_dialect_reply_status(reply) == 200 && pushcore_dialect_job_step_count(again) == 0);
  CHECK(holds(pushcore_dialect_reply_body(reply), "\"results\":[{\"error\":\"NotRegistered\"}]"));
  CHECK(pushcore_dialect_reply_header_count(reply) == 1 && pushcore_dialect_reply_remember_count(reply) == 0);
  CHECK(pushcore_dialect_reply_header_at(reply, 0, &name, &value) == PUSHCORE_OK && is(value, "application/json"));
  pushcore_dialect_reply_free(reply);
  pushcore_dialect_job_free(again);
  pushcore_dialect_free(dialect);
}
#endif

int main(int argc, char **argv) {
  pushcore_view key;
  if (argc != 2) return 2;
  key = read_file(argv[1]);
  apns(key);
  free_file(key);
  fcm();
  web_push();
  adm();
  baidu();
  errors();
#ifdef PUSHCORE_DIALECTS
  dialects();
#endif
  CHECK(pushcore_live_handles() == 0);
  puts("ok");
  return 0;
}
