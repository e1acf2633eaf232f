"""Bad input to every function of the header: pointers that are NULL, freed, freed twice or of another type, views that cannot be, text
that is not UTF-8, structs of wrong sizes, enumerations out of range, arrays of nothing, extreme numbers and times.

    bad_input.py TREE      (a tree that scripts/install-c.sh made)

The table is made from the header. A function that is added without an argument that this file knows how to make fails; so does one that
takes NULL where the list below does not say that it may.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from library import Library

L = Library(sys.argv[1])
ffi, c = L.ffi, L.c
K = L.constants
OK, NULL, LENGTH, MISUSE, PANIC = 0, K["PUSHCORE_NULL_ARGUMENT"], K["PUSHCORE_INVALID_LENGTH"], K["PUSHCORE_ERROR_MISUSE"], K["PUSHCORE_PANIC"]
HUGE = 1 << 63

# What may be NULL: every `error`; by name; by function and name.
OPTIONAL = {"error", "endpoints", "user_data", "cancelled", "done", "ready", "closed_", "sent", "code", "alert"}
OPTIONAL_IN = {
    ("pushcore_client_new", "options"),
    ("pushcore_session_new", "options"),
    ("pushcore_connection_new", "options"),
    ("pushcore_endpoint_policy_new", "options"),
    ("pushcore_client_send", "options"),
    ("pushcore_client_send", "result"),
    ("pushcore_client_send", "outcome"),
    ("pushcore_client_close", "closed"),
    ("pushcore_hub_close", "closed"),
    ("pushcore_hub_notify", "options"),
    ("pushcore_hub_batch_new", "options"),
    ("pushcore_batch_submit", "options"),
    ("pushcore_batch_submit_messages", "options"),
    ("pushcore_batch_withdraw", "count"),
    ("pushcore_session_submit", "options"),
    ("pushcore_session_submit", "ticket"),
    ("pushcore_session_submit_targets", "options"),
    ("pushcore_session_call", "options"),
    ("pushcore_session_call", "ticket"),
    ("pushcore_session_exchange", "options"),
    ("pushcore_session_exchange", "ticket"),
    ("pushcore_service_supply_token", "taken"),
    ("pushcore_request_header_at", "name"),
    ("pushcore_request_header_at", "value"),
    ("pushcore_response_header_at", "name"),
    ("pushcore_response_header_at", "value"),
    ("pushcore_answer_item_at", "text"),
    ("pushcore_answer_item_at", "outcome"),
    ("pushcore_dialect_route_at", "method"),
    ("pushcore_dialect_route_at", "path"),
    ("pushcore_dialect_route_at", "operation"),
    ("pushcore_dialect_reply_header_at", "name"),
    ("pushcore_dialect_reply_header_at", "value"),
}
# Functions that fail with good input here, because nobody listens, and what they say then.
NOBODY = {
    "pushcore_client_send": {500, 502},
    "pushcore_client_call": {500, 502, 404, 400},
    "pushcore_client_exchange": {500, 502},
    "pushcore_client_authorize": {0, 400, 404, 500, 502},
    "pushcore_connection_send": {801},
    "pushcore_answer_outcome": {800},
    "pushcore_answer_item_at": {800},
    "pushcore_response_header_at": {800},
    "pushcore_batch_outcome": {800},
    "pushcore_batch_error": {800},
    "pushcore_session_outcome": {800},
    "pushcore_session_error": {800},
    "pushcore_receiver_keys_decrypt": {215},
    "pushcore_receiver_keys_decrypt_aesgcm": {215, 202},
    "pushcore_service_accept_token": {109},
    "pushcore_session_transmitted": {800},
    "pushcore_rendered_loss_at": {800},
    "pushcore_deliveries_outcome": {500, 502},
    "pushcore_hub_batch_outcome": {800},
    "pushcore_hub_batch_feedback": {800},
    "pushcore_report_connection_at": {800},
    "pushcore_report_host_at": {800},
}

SUBSCRIPTION = (
    '{"endpoint":"https://updates.push.services.mozilla.com/wpush/v2/abc","keys":{"p256dh":'
    '"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4","auth":"BTBZMqHH6r4Tts7J_aSIgg"}}'
)
TOKEN = "ab" * 32
ADM = "amzn1.adm-registration.v3.abc"
DEVICE = '{"service":"adm","token":"%s"}' % ADM
ADM_MESSAGE = '{"registration_id":"%s","data":{"k":"v"}}' % ADM
# The services and requests of the table go to a port where nobody listens.
NOWHERE = "127.0.0.1:1"

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "key.p8"
    command = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    P8 = path.read_bytes()


def now():
    return {"monotonic_ms": 1000, "unix_ms": 1_795_000_000_000}


def views(*texts):
    array = ffi.new("pushcore_view[]", [L.view(text) for text in texts])
    L.kept.append(array)
    return array


def pairs(name, value):
    array = ffi.new("pushcore_pair[]", [{"name": L.view(name), "value": L.view(value)}])
    L.kept.append(array)
    return array


def a_job(kind):
    """A job that waits at its first step of this kind, and that step; at its end for `None`."""
    system = "pushpad" if kind == "BROADCAST" else "fcm_legacy"
    dialect = L.new("pushcore_dialect", c.pushcore_dialect_new, L.view(system), L.view("{}"))
    target, key, body = "/fcm/send", "key=k", "registration_id=a-token&data.k=v"
    if kind == "BROADCAST":
        target, key, body = "/api/v1/projects/1/notifications", "Bearer k", '{"body":"b"}'
    texts = (L.view("POST"), L.view(target), pairs("authorization", key), 1, L.view(body))
    job = L.new("pushcore_dialect_job", c.pushcore_dialect_begin, dialect, *texts, now())
    answers = {"token": {}, "claim": None, "put": {"ids": ["1"]}, "list": {"items": [], "total": 0}, "get": {"1": {"name": "n"}}}
    while c.pushcore_dialect_job_step_count(job):
        step = L.new("pushcore_dialect_step", c.pushcore_dialect_job_step_at, job, 0)
        number = c.pushcore_dialect_step_id(step)
        if kind and c.pushcore_dialect_step_kind(step) == K[f"PUSHCORE_STEP_{kind}"]:
            return job, step
        if c.pushcore_dialect_step_kind(step) == K["PUSHCORE_STEP_SEND"]:
            assert c.pushcore_dialect_job_unknown(job, number, ffi.NULL) == OK
            continue
        ask = json.loads(L.document(c.pushcore_dialect_step_to_json, step))
        answer = dict.fromkeys(ask["ids"], {"name": "n"}) if ask["ask"] == "get" else answers[ask["ask"]]
        assert c.pushcore_dialect_job_answer(job, number, L.view(json.dumps(answer)), ffi.NULL) == OK
    return job, None


def a_reply():
    job, _ = a_job(None)
    return L.new("pushcore_dialect_reply", c.pushcore_dialect_job_reply, job)


# One valid value of each kind of handle, made anew for each call.
MAKE = {
    "pushcore_signing_key": lambda: L.new("pushcore_signing_key", c.pushcore_signing_key_generate),
    "pushcore_receiver_keys": lambda: L.new("pushcore_receiver_keys", c.pushcore_receiver_keys_generate),
    "pushcore_endpoint_policy": lambda: L.new("pushcore_endpoint_policy", c.pushcore_endpoint_policy_new, ffi.NULL),
    "pushcore_bytes": lambda: L.new("pushcore_bytes", c.pushcore_message_to_json, MAKE["pushcore_message"]()),
    "pushcore_service": lambda: L.new("pushcore_service", c.pushcore_adm_service_new, STRUCT["pushcore_adm_service_options"]()),
    "pushcore_message": lambda: L.new(
        "pushcore_message", c.pushcore_message_from_json, K["PUSHCORE_SERVICE_ADM"], L.view(ADM_MESSAGE), ffi.NULL
    ),
    "pushcore_template": lambda: L.new("pushcore_template", c.pushcore_message_template, MAKE["pushcore_message"]()),
    "pushcore_target": lambda: L.new(
        "pushcore_target", c.pushcore_target_parse, K["PUSHCORE_SERVICE_ADM"], L.view(ADM), ffi.NULL
    ),
    "pushcore_apns_credentials": lambda: L.new(
        "pushcore_apns_credentials", c.pushcore_apns_credentials_new, L.view(P8), L.view("ABC123DEFG"), L.view("DEF123GHIJ")
    ),
    "pushcore_apns_message": lambda: L.new(
        "pushcore_apns_message", c.pushcore_apns_message_new, STRUCT["pushcore_apns_message_options"]()
    ),
    "pushcore_call": lambda: L.new("pushcore_call", c.pushcore_adm_call_new, STRUCT["pushcore_adm_call_options"]()),
    "pushcore_answer": lambda: L.new(
        "pushcore_answer", c.pushcore_call_read, MAKE["pushcore_call"](), response('{"success":1,"failure":0}'), now()
    ),
    "pushcore_request": lambda: L.new(
        "pushcore_request", c.pushcore_service_request, authorized(), MAKE["pushcore_message"](), now()
    ),
    "pushcore_response": lambda: response("{}"),
    "pushcore_outcome": lambda: L.new(
        "pushcore_outcome", c.pushcore_message_outcome, MAKE["pushcore_message"](), response("{}"), now()
    ),
    "pushcore_error": lambda: an_error(),
    "pushcore_event": lambda: an_event(),
    "pushcore_client": lambda: L.new(
        "pushcore_client", c.pushcore_client_new, authorized(), STRUCT["pushcore_network_options"]()
    ),
    "pushcore_notification": lambda: L.new(
        "pushcore_notification", c.pushcore_notification_from_json, L.view('{"title":"t"}')
    ),
    "pushcore_device": lambda: L.new("pushcore_device", c.pushcore_device_from_json, L.view(DEVICE), ffi.NULL),
    "pushcore_rendered": lambda: L.new(
        "pushcore_rendered", c.pushcore_notification_render, MAKE["pushcore_notification"](), MAKE["pushcore_device"](), now()
    ),
    "pushcore_feedback": lambda: L.new(
        "pushcore_feedback", c.pushcore_feedback_of, MAKE["pushcore_outcome"](), ffi.NULL, MAKE["pushcore_device"](), now()
    ),
    "pushcore_dialect": lambda: L.new("pushcore_dialect", c.pushcore_dialect_new, L.view("pinpoint"), L.view("")),
    "pushcore_dialect_job": lambda: a_job("ASK")[0],
    "pushcore_dialect_step": lambda: a_job("SEND")[1],
    "pushcore_dialect_reply": lambda: a_reply(),
    "pushcore_dialect_selection": lambda: L.new(
        "pushcore_dialect_selection", c.pushcore_dialect_selection_new, L.view('{"tags":["a"]}')
    ),
    "pushcore_hub": lambda: L.new("pushcore_hub", c.pushcore_hub_new, STRUCT["pushcore_hub_options"]()),
    "pushcore_deliveries": lambda: L.new(
        "pushcore_deliveries",
        c.pushcore_hub_notify,
        MAKE["pushcore_hub"](),
        MAKE["pushcore_notification"](),
        devices(),
        1,
        ffi.NULL,
    ),
    "pushcore_hub_batch": lambda: L.new(
        "pushcore_hub_batch", c.pushcore_hub_batch_new, MAKE["pushcore_hub"](), MAKE["pushcore_notification"](), ffi.NULL
    ),
    "pushcore_report": lambda: L.new("pushcore_report", c.pushcore_client_report, MAKE["pushcore_client"]()),
    "pushcore_batch": lambda: L.new("pushcore_batch", c.pushcore_batch_new, MAKE["pushcore_client"](), 1),
    "pushcore_session": lambda: L.new(
        "pushcore_session", c.pushcore_session_new, authorized(), STRUCT["pushcore_network_options"](), now()
    ),
    "pushcore_connection": lambda: L.new(
        "pushcore_connection", c.pushcore_connection_new, L.view(NOWHERE), 1, STRUCT["pushcore_network_options"](), now()
    ),
}
SHUT = {"PUSHCORE_NETWORK_SET_DEADLINE": "deadline_ms", "PUSHCORE_NETWORK_SET_CONNECT_TIMEOUT": "connect_timeout_ms"}
STRUCT = {
    "pushcore_apns_message_options": lambda: L.options(
        "pushcore_apns_message_options", push_type="alert", device_token=TOKEN, topic="com.example.app", payload='{"aps":{}}'
    ),
    "pushcore_apns_service_options": lambda: L.options(
        "pushcore_apns_service_options", credentials=1, key=P8, key_id="ABC123DEFG", team_id="DEF123GHIJ", host=NOWHERE
    ),
    "pushcore_apns_call_options": lambda: L.options("pushcore_apns_call_options", kind=4, bundle="com.example.app"),
    "pushcore_fcm_message_options": lambda: L.options("pushcore_fcm_message_options", target="t", data=pairs("k", "v"), data_count=1),
    "pushcore_fcm_service_options": lambda: L.options("pushcore_fcm_service_options", credentials=4, project="my-project"),
    "pushcore_fcm_call_options": lambda: L.options(
        "pushcore_fcm_call_options", kind=1, topic="news", registrations=views("t"), registration_count=1
    ),
    "pushcore_web_push_message_options": lambda: L.options(
        "pushcore_web_push_message_options", subscription=SUBSCRIPTION, payload="x"
    ),
    "pushcore_web_push_service_options": lambda: L.options("pushcore_web_push_service_options", key=P8, subject="mailto:a@example.com"),
    "pushcore_web_push_call_options": lambda: L.options(
        "pushcore_web_push_call_options", kind=1, url="https://updates.push.services.mozilla.com/m/1", target=subscription()
    ),
    "pushcore_adm_message_options": lambda: L.options("pushcore_adm_message_options", target=ADM, data=pairs("k", "v"), data_count=1),
    "pushcore_adm_service_options": lambda: L.options(
        "pushcore_adm_service_options", client_id="amzn1.application-oa2-client.1", client_secret="x", host=NOWHERE, token_host=NOWHERE
    ),
    "pushcore_adm_call_options": lambda: L.options("pushcore_adm_call_options", kind=1, group="g", members=views(ADM), member_count=1),
    "pushcore_baidu_message_options": lambda: L.options("pushcore_baidu_message_options", kind=1, target="123", description="x"),
    "pushcore_baidu_service_options": lambda: L.options("pushcore_baidu_service_options", api_key="AK", secret_key="SK"),
    "pushcore_baidu_call_options": lambda: L.options("pushcore_baidu_call_options", kind=8, name="tag"),
    "pushcore_endpoint_policy_options": lambda: L.options("pushcore_endpoint_policy_options", hosts=views("example.com"), host_count=1),
    "pushcore_network_options": lambda: L.options(
        "pushcore_network_options", set=sum(K[name] for name in SHUT), **{field: 50 for field in SHUT.values()}
    ),
    "pushcore_http2_options": lambda: L.options("pushcore_http2_options"),
    "pushcore_send_options": lambda: L.options("pushcore_send_options"),
    "pushcore_hub_client": lambda: L.options(
        "pushcore_hub_client", service=kept(authorized()), network=STRUCT["pushcore_network_options"]()
    ),
    "pushcore_hub_options": lambda: L.options(
        "pushcore_hub_options", clients=hub_clients(), client_count=1, retries='{"attempts":1}'
    ),
    "pushcore_loss": lambda: L.options("pushcore_loss"),
    "pushcore_feedback_parts": lambda: L.options("pushcore_feedback_parts"),
    "pushcore_connection_report": lambda: L.options("pushcore_connection_report"),
    "pushcore_host_report": lambda: L.options("pushcore_host_report"),
    "pushcore_delivery": lambda: L.options("pushcore_delivery"),
    "pushcore_outcome_parts": lambda: L.options("pushcore_outcome_parts"),
    "pushcore_event_parts": lambda: L.options("pushcore_event_parts"),
    "pushcore_stats": lambda: L.options("pushcore_stats"),
    "pushcore_progress": lambda: L.options("pushcore_progress"),
    "pushcore_authorization": lambda: L.options("pushcore_authorization"),
}
# Arguments that their type does not tell; by function and name, or by name.
ARRAYS = {"targets", "devices", "messages", "user_data", "results", "labels", "tickets", "headers", "tags"}
VALUES = {
    ("pushcore_apns_request", "message"): MAKE["pushcore_apns_message"],
    ("pushcore_apns_credentials_new", "p8"): lambda: L.view(P8),
    ("pushcore_apns_credentials_new", "key_id"): lambda: L.view("ABC123DEFG"),
    ("pushcore_apns_credentials_new", "team_id"): lambda: L.view("DEF123GHIJ"),
    ("pushcore_signing_key_read", "key"): lambda: L.view(P8),
    ("pushcore_receiver_keys_import", "private_key"): lambda: L.view(P8),
    ("pushcore_receiver_keys_import", "auth"): lambda: L.view("BTBZMqHH6r4Tts7J_aSIgg"),
    ("pushcore_template_from_json", "json"): lambda: L.view('{"data":{"k":"v"}}'),
    ("pushcore_target_parse", "text"): lambda: L.view(ADM),
    ("pushcore_connection_new", "authority"): lambda: L.view(NOWHERE),
    ("pushcore_connection_new", "protocols"): lambda: 1,
    ("pushcore_session_connect_failed", "status"): lambda: K["PUSHCORE_ERROR_CONNECT_REFUSED"],
    ("pushcore_session_allow_address", "address"): lambda: L.view("127.0.0.1"),
    ("pushcore_session_allow_address", "host"): lambda: L.view("localhost"),
    ("pushcore_signing_key_public", "form"): lambda: K["PUSHCORE_KEY_BASE64"],
    ("pushcore_service_request", "service"): lambda: authorized(),
    ("pushcore_call_request", "service"): lambda: authorized(),
    ("pushcore_response_new", "status"): lambda: 200,
    "targets": lambda: views(ADM),
    "messages": lambda: messages(),
    "devices": lambda: devices(),
    ("pushcore_notification_from_json", "json"): lambda: L.view('{"title":"t"}'),
    ("pushcore_device_from_json", "json"): lambda: L.view(DEVICE),
    ("pushcore_feedback_of", "failure"): lambda: ffi.NULL,
    "headers": lambda: pairs("host", "localhost"),
    "tags": lambda: views("a"),
    ("pushcore_dialect_new", "system"): lambda: L.view("pinpoint"),
    ("pushcore_dialect_new", "options"): lambda: L.view("{}"),
    ("pushcore_dialect_begin", "method"): lambda: L.view("POST"),
    ("pushcore_dialect_begin", "target"): lambda: L.view("/v1/apps"),
    ("pushcore_dialect_job_from_json", "json"): lambda: L.view(L.document(c.pushcore_dialect_job_to_json, a_job("ASK")[0])),
    ("pushcore_dialect_job_answer", "json"): lambda: L.view("null"),
    ("pushcore_dialect_job_sent", "job"): lambda: a_job("SEND")[0],
    ("pushcore_dialect_job_sent", "id"): lambda: c.pushcore_dialect_step_id(a_job("SEND")[1]),
    ("pushcore_dialect_job_sent", "failure"): lambda: ffi.NULL,
    ("pushcore_dialect_job_unknown", "job"): lambda: a_job("SEND")[0],
    ("pushcore_dialect_job_unknown", "id"): lambda: c.pushcore_dialect_step_id(a_job("SEND")[1]),
    ("pushcore_dialect_step_from_json", "json"): lambda: L.view(L.document(c.pushcore_dialect_step_to_json, a_job("SEND")[1])),
    ("pushcore_dialect_step_message_to", "step"): lambda: a_job("BROADCAST")[1],
    ("pushcore_dialect_step_message_to", "target"): lambda: subscription(),
    ("pushcore_dialect_selection_new", "filter"): lambda: L.view('{"uids":null}'),
    "user_data": lambda: ffi.new("uint64_t[]", [1]),
    "results": lambda: ffi.new("pushcore_result[4]"),
    ("pushcore_hub_batch_wait", "results"): lambda: ffi.new("pushcore_hub_result[4]"),
    "labels": lambda: pairs("app", "com.example.app"),
    "label_count": lambda: 1,
    "tickets": lambda: ffi.new("uint64_t[4]"),
    "capacity": lambda: 4,
    "count": lambda: 1,
    "expected": lambda: 1,
    "json": lambda: L.view(ADM_MESSAGE),
    "service": lambda: K["PUSHCORE_SERVICE_ADM"],
    "form": lambda: 1,
    "timeout_ms": lambda: 0,
    "lifetime_ms": lambda: 1000,
    "port": lambda: 443,
}

def response(body):
    return L.new("pushcore_response", c.pushcore_response_new, 200, L.view(body))


def authorized():
    service = MAKE["pushcore_service"]()
    taken = ffi.new("bool *")
    assert c.pushcore_service_supply_token(service, L.view("Atc|x"), 3_600_000, now(), taken, ffi.NULL) == OK
    return service


def subscription():
    target = L.new("pushcore_target", c.pushcore_target_parse, K["PUSHCORE_SERVICE_WEB_PUSH"], L.view(SUBSCRIPTION), ffi.NULL)
    L.kept.append(target)
    return target


def messages():
    message = MAKE["pushcore_message"]()
    L.kept.append(message)
    return ffi.new("pushcore_message *[]", [message])


def kept(handle):
    L.kept.append(handle)
    return handle


def devices():
    return kept(ffi.new("pushcore_device *[]", [kept(MAKE["pushcore_device"]())]))


def hub_clients():
    return kept(ffi.new("pushcore_hub_client *[]", [STRUCT["pushcore_hub_client"]()]))


def an_error():
    out, error = ffi.new("pushcore_signing_key **"), ffi.new("pushcore_error **")
    assert c.pushcore_signing_key_read(L.view("x"), out, error) == K["PUSHCORE_ERROR_INVALID_KEY"]
    return ffi.gc(error[0], c.pushcore_error_free)


def an_event():
    session = MAKE["pushcore_session"]()
    ticket, action = ffi.new("uint64_t *"), ffi.new("pushcore_action *")
    assert c.pushcore_session_submit(session, MAKE["pushcore_message"](), 1, ffi.NULL, now(), ticket, ffi.NULL) == OK
    assert c.pushcore_session_flush(session, now(), ffi.NULL) == OK
    assert c.pushcore_session_poll_action(session, action, ffi.NULL) == OK and action.kind == K["PUSHCORE_ACTION_CONNECT"]
    status = K["PUSHCORE_ERROR_CONNECT_REFUSED"]
    assert c.pushcore_session_connect_failed(session, action.link, status, L.view("x"), now(), ffi.NULL) == OK
    out = ffi.new("pushcore_event **")
    assert c.pushcore_session_poll_event(session, out, ffi.NULL) == OK and out[0] != ffi.NULL
    return ffi.gc(out[0], c.pushcore_event_free)


def is_handle(kind):
    return kind.kind == "pointer" and kind.item.kind == "struct" and kind.item.fields is None


def is_view(kind):
    return kind.kind == "struct" and struct_name(kind) == "pushcore_view"


def struct_name(kind):
    return kind.cname.replace("const ", "").replace("struct ", "").replace("&", "").replace("*", "").strip()


class Function:
    def __init__(self, name, arguments):
        self.name = name
        self.call = getattr(c, name)
        self.type = ffi.typeof(self.call)
        texts = [] if arguments == "void" else arguments.split(",")
        self.names = [text.replace("*", " ").split()[-1] for text in texts]
        self.texts = texts
        assert len(self.names) == len(self.type.args), name
        self.gives_status = self.type.result.cname == "int32_t" and name != "pushcore_error_code"

    def alias(self, index):
        """The handle's name as it is written: an alias tells more than its struct."""
        return struct_name_of_text(self.texts[index])

    def good(self):
        return [self.argument(index) for index in range(len(self.names))]

    def argument(self, index):
        name, kind = self.names[index], self.type.args[index]
        if (self.name, name) in VALUES:
            return VALUES[self.name, name]()
        if is_handle(kind):
            return MAKE[self.alias(index)]()
        if kind.kind == "pointer" and kind.item.kind == "pointer":
            return VALUES[name]() if name in ("messages", "devices") else ffi.new(kind.item.cname + "*")
        if kind.kind == "pointer" and kind.item.kind == "struct" and struct_name(kind.item) in STRUCT:
            return STRUCT[struct_name(kind.item)]()
        if name in VALUES and (kind.kind == "pointer") == (name in ARRAYS):
            return VALUES[name]()
        if kind.kind == "pointer":
            return ffi.new(kind.item.cname + "*")
        if is_view(kind):
            return L.view("x")
        if struct_name(kind) == "pushcore_now":
            return now()
        if kind.cname == "_Bool":
            return False
        return 0


def struct_name_of_text(text):
    return text.replace("const ", "").replace("struct ", "").replace("*", " ").split()[0]


failures = []
checks = 0


def run(function, arguments, what, expected=None):
    """Calls; `expected` is a set of statuses. Handles that came out are freed, so that the count stays right."""
    global checks
    checks += 1
    result = function.call(*arguments)
    for index, kind in enumerate(function.type.args):
        if kind.kind == "pointer" and kind.item.kind == "pointer" and function.names[index] not in ("messages", "devices"):
            out = arguments[index]
            if isinstance(out, ffi.CData) and out != ffi.NULL and out[0] != ffi.NULL:
                getattr(c, struct_name_of_text(function.texts[index]) + "_free")(out[0])
    if function.gives_status:
        if result == PANIC:
            failures.append(f"{function.name}: {what}: PANIC")
        elif expected is not None and result not in expected:
            name = L.text_of(c.pushcore_status_name(result))
            failures.append(f"{function.name}: {what}: {result} {name}, expected {sorted(expected)}")
    return result


def with_(arguments, index, value):
    return [value if at == index else argument for at, argument in enumerate(arguments)]


OTHER = {"pushcore_bytes": "pushcore_signing_key"}
# An outcome or a failure.
ONE_OF_TWO = ("pushcore_feedback_of", "pushcore_dialect_job_sent")


def handles(function, index):
    kind = function.alias(index)
    name = function.names[index]
    is_free = function.name.endswith("_free")
    optional = name in OPTIONAL or (function.name, name) in OPTIONAL_IN
    good = function.good()
    if function.name in ONE_OF_TWO and name == "failure":
        # One of two: with the other there, only another failure beside it is misuse.
        run(function, with_(good, index, MAKE["pushcore_error"]()), "both", {MISUSE})
        return
    if function.name in ONE_OF_TWO and name == "outcome":
        run(function, with_(good, index, ffi.NULL), "neither", {MISUSE})
        optional = True
    if not is_free:
        run(function, with_(good, index, ffi.NULL), f"{name} is NULL", {NULL} if not optional else None)
        freed = MAKE[kind]()
        ffi.release(freed)
        cast = ffi.cast(function.type.args[index], freed)
        run(function, with_(function.good(), index, cast), f"{name} was freed", {MISUSE})
        other = MAKE[OTHER.get(kind, "pushcore_bytes")]()
        run(function, with_(function.good(), index, ffi.cast(function.type.args[index], other)), f"{name} of another type", {MISUSE})
        memory = ffi.new("uint64_t[4]")
        run(function, with_(function.good(), index, ffi.cast(function.type.args[index], memory)), f"{name} is no handle", {MISUSE})
        odd = ffi.cast(function.type.args[index], int(ffi.cast("uintptr_t", memory)) + 1)
        run(function, with_(function.good(), index, odd), f"{name} is an odd address", {MISUSE})
        return
    del good
    L.kept.clear()
    before = c.pushcore_live_handles()
    function.call(ffi.NULL)
    handle = MAKE[kind]()
    raw = ffi.cast(function.type.args[index], handle)
    other = MAKE[OTHER.get(kind, "pushcore_bytes")]()
    with_other = c.pushcore_live_handles()
    function.call(ffi.cast(function.type.args[index], other))
    if c.pushcore_live_handles() != with_other:
        failures.append(f"{function.name} freed a handle of another type")
    ffi.release(handle)
    live = c.pushcore_live_handles()
    function.call(raw)
    if c.pushcore_live_handles() != live:
        failures.append(f"{function.name} freed twice")
    ffi.release(other)
    del handle
    L.kept.clear()
    if kind != "pushcore_batch" and c.pushcore_live_handles() > before:
        failures.append(f"{function.name} leaves handles: {before} to {c.pushcore_live_handles()}")


def a_view(data, length):
    return ffi.new("pushcore_view *", {"data": data, "len": length})[0]


BYTES = ffi.from_buffer(b"\xff\xfe\x00\x80")


def bad_views():
    data = ffi.cast("uint8_t *", BYTES)
    yield "NULL with a length", a_view(ffi.NULL, 5), NULL
    yield "a length over isize", a_view(data, HUGE), LENGTH
    yield "the largest length", a_view(data, 2**64 - 1), LENGTH
    yield "not UTF-8", a_view(data, 4), None
    yield "empty", a_view(ffi.NULL, 0), None
    yield "a NUL byte", L.view("a\0b"), None


def structs(function, index):
    kind = struct_name(function.type.args[index].item)
    name = function.names[index]
    usual = NOBODY.get(function.name, {OK})
    for size in (0, 3, 2**32 - 1):
        made = STRUCT[kind]()
        made.struct_size = size
        run(function, with_(function.good(), index, made), f"{name}.struct_size {size}", {MISUSE})
    known = ffi.sizeof(kind)
    for tail, expected in ((0, usual), (1, {MISUSE})):
        buffer = ffi.new("char[]", known + 16)
        made = STRUCT[kind]()
        ffi.memmove(buffer, made, known)
        buffer[known + 8] = bytes([tail])
        larger = ffi.cast(f"{kind} *", buffer)
        larger.struct_size = known + 16
        is_output = "const" not in function.texts[index]
        run(function, with_(function.good(), index, larger), f"{name} of tomorrow, tail {tail}", usual if is_output else expected)
    if "const" not in function.texts[index]:
        return
    for field, of in ffi.typeof(kind).fields:
        if field == "struct_size":
            continue
        if is_view(of.type):
            for what, view, expected in bad_views():
                made = STRUCT[kind]()
                setattr(made, field, view)
                # A field that this kind of credential or message has no use for may be left unread.
                allowed = None if expected is None else {expected, *usual}
                run(function, with_(function.good(), index, made), f"{name}.{field} {what}", allowed)
            continue
        if of.type.kind == "pointer":
            for count_field in (f for f, _ in ffi.typeof(kind).fields if f.endswith("_count") and f[:-6] in field):
                for length, expected in ((3, NULL), (HUGE, NULL), (0, None)):
                    made = STRUCT[kind]()
                    setattr(made, field, ffi.NULL)
                    setattr(made, count_field, length)
                    allowed = None if expected is None else {expected, *usual}
                    run(function, with_(function.good(), index, made), f"{name}.{field} NULL, {count_field} {length}", allowed)
                made = STRUCT[kind]()
                setattr(made, count_field, HUGE)
                if getattr(made, field) != ffi.NULL:
                    run(function, with_(function.good(), index, made), f"{name}.{count_field} impossible", {LENGTH, *usual})
            if is_handle(of.type):
                made = STRUCT[kind]()
                other = MAKE["pushcore_bytes"]()
                setattr(made, field, ffi.cast(of.type, other))
                run(function, with_(function.good(), index, made), f"{name}.{field} of another type", {MISUSE})
            continue
        if field.endswith("_count"):
            continue  # a count that is too large for its array cannot be told; impossible ones were tried beside their pointers
        for value in (1, 2**31 - 1, 2 ** (8 * ffi.sizeof(of.type)) - 1, 0):
            made = STRUCT[kind]()
            setattr(made, field, value)
            wrong = field in ("set", "flags", "reserved") and value > 2**31 - 2
            run(function, with_(function.good(), index, made), f"{name}.{field} = {value}", {MISUSE} if wrong else None)


def scalars(function, index):
    kind = function.type.args[index]
    name = function.names[index]
    limits = {"_Bool": (0, 1)}.get(kind.cname)
    largest = 2 ** (8 * ffi.sizeof(kind)) - 1
    for value in limits or ((0, 1, largest) if not kind.cname.startswith("int") else (0, -1, largest // 2)):
        if name == "count" and value == largest:
            run(function, with_(function.good(), index, value), f"{name} = {value}", None if function.name.endswith("transmitted") else {LENGTH})
        elif name == "capacity" and value == largest:
            run(function, with_(function.good(), index, value), f"{name} = {value}", {LENGTH})
        elif name in ("service", "form", "protocols") and value in (0, largest) and function.gives_status:
            run(function, with_(function.good(), index, value), f"{name} = {value}", {K["PUSHCORE_ERROR_INVALID_VALUE"]})
        elif name == "index" and value == largest:
            run(function, with_(function.good(), index, value), f"{name} = {value}", {MISUSE})
        else:
            # A large timeout must not be waited for: nothing is under way.
            run(function, with_(function.good(), index, value), f"{name} = {value}")


def main():
    start = c.pushcore_live_handles()
    for _, name, arguments in L.functions:
        function = Function(name, arguments)
        for index, kind in enumerate(function.type.args):
            argument = function.names[index]
            optional = argument in OPTIONAL or (name, argument) in OPTIONAL_IN
            if is_handle(kind):
                handles(function, index)
                continue
            if kind.kind == "pointer":
                good = function.good()
                expected = NOBODY.get(name, {OK}) if optional else {NULL}
                run(function, with_(good, index, ffi.NULL), f"{argument} is NULL", expected)
                if kind.item.kind == "struct" and struct_name(kind.item) in STRUCT:
                    structs(function, index)
                continue
            if is_view(kind):
                for what, view, expected in bad_views():
                    allowed = None if expected is None else {expected}
                    run(function, with_(function.good(), index, view), f"{argument} {what}", allowed)
                continue
            if struct_name(kind) == "pushcore_now":
                for time in (0, 2**63, 2**64 - 1):
                    extreme = {"monotonic_ms": time, "unix_ms": time}
                    run(function, with_(function.good(), index, extreme), f"{argument} {time}")
                continue
            scalars(function, index)
        if function.gives_status:
            run(function, function.good(), "good input", NOBODY.get(name, {OK}))
        L.kept.clear()
    import gc

    gc.collect()
    left = c.pushcore_live_handles() - start
    if left:
        failures.append(f"{left} handles are left at the end")
    for failure in failures:
        print(failure)
    print(f"{len(L.functions)} functions, {checks} calls, {len(failures)} failures")
    sys.exit(bool(failures))


main()
