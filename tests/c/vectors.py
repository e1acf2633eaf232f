"""tests/vectors through the C ABI, by Python's cffi.

    vectors.py TREE      (a tree that scripts/install-c.sh made)
"""

import base64
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from library import Failed, Library

L = Library(sys.argv[1])
ffi, c, K = L.ffi, L.c, L.constants
VECTORS = Path(__file__).resolve().parents[1] / "vectors"
KINDS = {"apns": "APNS", "fcm": "FCM", "webpush": "WEB_PUSH", "adm": "ADM", "baidu": "BAIDU"}
# The receiver of RFC 8291 appendix A, to whom every Web Push row is addressed.
RECEIVER = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
rows = 0


def load(name):
    return json.loads((VECTORS / f"{name}.json").read_text())


def text_of(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def now(seconds, monotonic=1):
    return {"monotonic_ms": monotonic * 1000, "unix_ms": seconds * 1000}


def message(service, form, policy=ffi.NULL):
    kind = K["PUSHCORE_SERVICE_" + KINDS[service]]
    return L.new("pushcore_message", c.pushcore_message_from_json, kind, L.view(text_of(form)), policy)


def request(service, of, at):
    made = L.new("pushcore_request", c.pushcore_service_request, service, of, at)
    headers = {}
    name, value = ffi.new("pushcore_view *"), ffi.new("pushcore_view *")
    for index in range(c.pushcore_request_header_count(made)):
        assert c.pushcore_request_header_at(made, index, name, value) == 0
        headers[L.text_of(name[0])] = L.text_of(value[0])
    return {
        "method": L.text_of(c.pushcore_request_method(made)),
        "authority": L.text_of(c.pushcore_request_authority(made)),
        "path": L.text_of(c.pushcore_request_path(made)),
        "url": L.text_of(c.pushcore_request_url(made)),
        "headers": headers,
        "body": L.bytes_of(c.pushcore_request_body(made)),
    }


def response(row):
    made = L.new("pushcore_response", c.pushcore_response_new, row["status"], L.view(text_of(row["body"])))
    for name, value in row["headers"].items():
        assert c.pushcore_response_add_header(made, L.view(name), L.view(value), ffi.NULL) == 0
    return made


def outcome(of, row, at):
    made = L.new("pushcore_outcome", c.pushcore_message_outcome, of, response(row), at)
    return parts_of(made)


def parts_of(made):
    parts = ffi.new("pushcore_outcome_parts *", {"struct_size": ffi.sizeof("pushcore_outcome_parts")})
    assert c.pushcore_outcome_parts_of(made, parts, ffi.NULL) == 0
    has = lambda name: bool(parts.flags & K[name])  # noqa: E731
    text = lambda view: L.text_of(view) or None  # noqa: E731
    bits = [1 << bit for bit in range(8) if parts.suspects >> bit & 1]
    return {
        "outcome": L.text_of(c.pushcore_outcome_name(parts.kind)),
        "status": parts.http_status,
        "reason": text(parts.reason),
        "known": has("PUSHCORE_REASON_IS_KNOWN"),
        "id": text(parts.id),
        "unique_id": text(parts.unique_id),
        "replacement": text(parts.replacement),
        "location": text(parts.location),
        "receipt": text(parts.receipt),
        "since_ms": parts.since_ms if has("PUSHCORE_HAS_SINCE") else None,
        "after": parts.after_ms // 1000 if has("PUSHCORE_HAS_AFTER") else None,
        "ttl": parts.ttl_ms // 1000 if has("PUSHCORE_HAS_TTL") else None,
        "clock_skew": parts.clock_skew_s if has("PUSHCORE_HAS_CLOCK_SKEW") else None,
        "scope": L.text_of(c.pushcore_scope_name(parts.scope)) or None,
        "suspects": [L.text_of(c.pushcore_suspect_name(bit)) for bit in bits],
        "refreshable": has("PUSHCORE_REFRESHABLE"),
        "reconnect": has("PUSHCORE_RECONNECT"),
    }


def same(got, expected, row):
    """Every member that the row names, and what it leaves out where that is told by leaving it out."""
    global rows
    rows += 1
    for name, value in expected.items():
        assert got[name] == value, (row, name, got[name], value)


def answers(of, vectors, at, key="expect"):
    assert vectors["decode"]
    for row in vectors["decode"]:
        got = outcome(of, row, at)
        expected = dict(row[key])
        if "name" in expected:
            expected["outcome"] = expected.pop("name")
        if "unknown_reason" in expected:
            expected["known"] = not expected.pop("unknown_reason")
        if "after_s" in expected:
            expected["after"] = expected.pop("after_s")
        assert got["status"] == row["status"]
        expected.setdefault("reason", None)
        for name in ("id", "after", "since_ms", "scope", "replacement"):
            expected.setdefault(name, None)
        same(got, expected, row)


def refusals(service, vectors):
    global rows
    assert vectors["invalid"]
    for row in vectors["invalid"]:
        form = row["message"] if "message" in row else row["json"]
        try:
            message(service, form)
        except Failed as error:
            assert error.name == row["error"], (row, error)
            assert error.message.startswith(row.get("path", "message")), (row, error)
            rows += 1
        else:
            raise AssertionError(row)


def fcm():
    vectors = load("fcm")
    options = L.options("pushcore_fcm_service_options", credentials=K["PUSHCORE_FCM_ACCESS_TOKENS"], project="my-app")
    service = L.new("pushcore_service", c.pushcore_fcm_service_new, options)
    at = now(784_111_747)
    assert c.pushcore_service_supply_token(service, L.view("t"), 60_000, at, ffi.NULL, ffi.NULL) == 0
    for row in vectors["encode"]:
        got = request(service, message("fcm", row["json"]), at)
        same({**got, "body": json.loads(got["body"])}, {**vectors["request"], "body": row["body"]}, row)
        assert got["headers"]["authorization"] == "Bearer t"
    refusals("fcm", vectors)
    answers(message("fcm", {"token": "t"}), vectors, at)


def adm():
    vectors = load("adm")
    options = L.options("pushcore_adm_service_options", client_id="id", client_secret="secret")
    service = L.new("pushcore_service", c.pushcore_adm_service_new, options)
    at = now(784_111_747)
    assert c.pushcore_service_supply_token(service, L.view("t"), 60_000, at, ffi.NULL, ffi.NULL) == 0
    for row in vectors["encode"]:
        got = request(service, message("adm", row["message"]), at)
        if "text" in row:
            assert got["body"] == row["text"].encode(), row
        else:
            assert json.loads(got["body"]) == row["body"], row
        expected = {**vectors["request"], **({"path": row["path"]} if "path" in row else {})}
        del expected["registration_id"]
        same(got, expected, row)
    for row in vectors["md5"]:
        if not row["data"]:
            continue  # a message without data is refused
        data = ffi.new("pushcore_pair[]", [{"name": L.view(k), "value": L.view(v)} for k, v in row["data"].items()])
        flags = K["PUSHCORE_ADM_WITH_MD5"]
        options = L.options("pushcore_adm_message_options", target="a", data=data, data_count=len(row["data"]), flags=flags)
        made = L.new("pushcore_message", c.pushcore_adm_message_new, options)
        assert json.loads(request(service, made, at)["body"])["md5"] == row["md5"], row
    refusals("adm", vectors)
    answers(message("adm", {"registration_id": "used", "data": {"k": "v"}}), vectors, at)


def baidu():
    vectors = load("baidu")
    service = L.new("pushcore_service", c.pushcore_baidu_service_new, L.options("pushcore_baidu_service_options", api_key="AK", secret_key="SK"))
    at = now(1_500_000_000)
    for row in vectors["encode"]:
        got = request(service, message("baidu", row["message"]), at)
        same({**got, "body": got["body"].decode()}, {"path": row["path"], "body": row["body"]}, row)
    refusals("baidu", vectors)
    answers(message("baidu", vectors["encode"][0]["message"]), vectors, at)


def apns_service(environment):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "key.p8"
        command = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(path)]
        subprocess.run(command, check=True, capture_output=True)
        key = path.read_bytes()
    number = {"production": "PUSHCORE_APNS_PRODUCTION", "sandbox": "PUSHCORE_APNS_SANDBOX"}[environment]
    fields = {"credentials": K["PUSHCORE_APNS_SIGNING_KEY"], "environment": K[number], "key": key}
    options = L.options("pushcore_apns_service_options", **fields, key_id="ABC123DEFG", team_id="DEF123GHIJ")
    return L.new("pushcore_service", c.pushcore_apns_service_new, options)


def apns():
    global rows
    vectors = load("apns")
    at = now(1_700_000_000)
    services = {}
    for name, form in (("encode", "message"), ("broadcasts", "broadcast")):
        for row in vectors[name]:
            environment = row.get("environment", "production")
            if environment not in services:
                services[environment] = apns_service(environment)
            try:
                got = request(services[environment], message("apns", row[form]), at)
            except Failed as error:
                assert error.name == row["error"]["kind"], (row, error)
                assert row["error"].get("apns", "") in error.message, (row, error)
                rows += 1
                continue
            expected = row["request"]
            assert got["headers"].pop("authorization").startswith("bearer "), row
            headers = {k: v for k, v in expected["headers"].items() if v is not None}
            same({**got, "body": got["body"].decode()}, {**expected, "headers": headers}, row)
    device = "ab" * 32
    form = {"push_type": "alert", "topic": "com.example.app", "device": device, "payload": {"aps": {"alert": "hi"}}}
    answers(message("apns", form), {"decode": [r for r in vectors["decode"] if "registered_at_ms" not in r]}, at, "outcome")
    # Registered in 1970, which a message does not take: the outcome itself tells what such a registration means.
    for row in vectors["decode"]:
        if "registered_at_ms" in row:
            made = L.new("pushcore_outcome", c.pushcore_message_outcome, message("apns", form), response(row), at)
            applies = c.pushcore_outcome_applies_to(made, row["registered_at_ms"])
            assert applies == (row["outcome"]["name"] == "token_gone"), row
            rows += 1
    for row in vectors["channels"]:
        kind, value = (row["call"], None) if isinstance(row["call"], str) else next(iter(row["call"].items()))
        fields = {"kind": K["PUSHCORE_APNS_CHANNEL_" + kind.upper()], "bundle": "com.example.app"}
        if kind == "create":
            fields["storage"] = value
        elif kind in ("read", "delete"):
            fields["channel"] = value
        call = L.new("pushcore_call", c.pushcore_apns_call_new, L.options("pushcore_apns_call_options", **fields))
        made = L.new("pushcore_request", c.pushcore_call_request, call, services["production"], at)
        assert L.text_of(c.pushcore_request_url(made)) == row["request"]["url"], row
        assert L.text_of(c.pushcore_request_method(made)) == row["request"]["method"], row
        assert L.text_of(c.pushcore_request_body(made)) == row["request"]["body"], row
        for answer in row["answers"]:
            said = L.new("pushcore_answer", c.pushcore_call_read, call, response(answer), at)
            kind, result = c.pushcore_answer_kind(said), answer["result"]
            rows += 1
            match result:
                case {"refused": expected}:
                    refused = parts_of(L.new("pushcore_outcome", c.pushcore_answer_outcome, said))
                    assert refused["outcome"] == expected["name"], (row, refused)
                case {"created": str(text)}:
                    assert kind == K["PUSHCORE_ANSWER_TEXT"] and L.text_of(c.pushcore_answer_text(said)) == text, row
                case {"policy": int(policy)}:
                    assert kind == K["PUSHCORE_ANSWER_TEXT"], row
                    assert L.text_of(c.pushcore_answer_text(said)) == ["no_storage", "most_recent"][policy], row
                case {"channels": ids}:
                    assert kind == K["PUSHCORE_ANSWER_TEXTS"] and items(said) == ids, row
                # Nothing that can be read: the outcome keeps the body.
                case {"created": None} | {"policy": None} | {"deleted": True}:
                    assert kind == K["PUSHCORE_ANSWER_OUTCOME"], row
                    done = parts_of(L.new("pushcore_outcome", c.pushcore_answer_outcome, said))
                    assert done["outcome"] == "accepted", (row, done)
                case _:
                    raise AssertionError(row)


def items(answer):
    """The texts of an answer's items."""
    texts = []
    for index in range(c.pushcore_answer_item_count(answer)):
        text = ffi.new("struct pushcore_view *")
        assert c.pushcore_answer_item_at(answer, index, text, ffi.NULL) == 0
        texts.append(L.text_of(text[0]))
    return texts


def web_push():
    global rows
    vectors = load("webpush")
    key = L.new("pushcore_signing_key", c.pushcore_signing_key_generate)
    private = ffi.new("pushcore_bytes **")
    assert c.pushcore_signing_key_private(key, K["PUSHCORE_KEY_BASE64"], private, ffi.NULL) == 0
    private = ffi.gc(private[0], c.pushcore_bytes_free)
    any_host = L.new(
        "pushcore_endpoint_policy",
        c.pushcore_endpoint_policy_new,
        L.options("pushcore_endpoint_policy_options", flags=K["PUSHCORE_POLICY_ANY_PUBLIC_HOST"]),
    )
    options = L.options("pushcore_web_push_service_options", subject="mailto:ops@example.com")
    options.key = c.pushcore_bytes_view(private)
    options.endpoints = any_host
    service = L.new("pushcore_service", c.pushcore_web_push_service_new, options)
    at = now(784_111_747)
    keys = L.new("pushcore_receiver_keys", c.pushcore_receiver_keys_import, L.view(RECEIVER), L.view(AUTH))
    for row in vectors["encode"]:
        try:
            got = request(service, message("webpush", row["message"], any_host), at)
        except Failed as error:
            assert error.name == row.get("error"), (row, error)
            assert error.message.startswith(row.get("path", "message")), (row, error)
            rows += 1
            continue
        assert got["url"] == row["url"], row
        for name, value in row["headers"].items():
            if name != "content-length":
                assert got["headers"].get(name) == value, (row, name, got["headers"])
        if row.get("plain") is not None or "plain_base64" in row:
            plain = L.new("pushcore_bytes", c.pushcore_receiver_keys_decrypt, keys, L.view(got["body"]))
            plain = L.bytes_of(c.pushcore_bytes_view(plain))
            expected = row["plain"].encode() if "plain" in row else base64.urlsafe_b64decode(row["plain_base64"] + "==")
            assert plain == expected, row
        rows += 1
    subscription = json.loads(text_of(vectors["encode"][0]["message"]))["subscription"]
    for name, urls in vectors["endpoints"].items():
        for url in urls:
            text = json.dumps({**subscription, "endpoint": url})
            for policy, allowed in ((ffi.NULL, name == "allowed"), (any_host, name != "refused")):
                try:
                    L.new("pushcore_target", c.pushcore_target_parse, K["PUSHCORE_SERVICE_WEB_PUSH"], L.view(text), policy)
                    assert allowed, url
                except Failed as error:
                    assert not allowed, (url, error)
                rows += 1
    for row in vectors["receive"]:
        keys = L.new("pushcore_receiver_keys", c.pushcore_receiver_keys_import, L.view(row["private_key"]), L.view(row["auth"]))
        body = L.view(base64.urlsafe_b64decode(row["body"] + "=="))
        try:
            if "crypto_key" in row:
                arguments = (body, L.view(row["crypto_key"]), L.view(row["encryption"]))
                plain = L.new("pushcore_bytes", c.pushcore_receiver_keys_decrypt_aesgcm, keys, *arguments)
            else:
                plain = L.new("pushcore_bytes", c.pushcore_receiver_keys_decrypt, keys, body)
            assert L.text_of(c.pushcore_bytes_view(plain)) == row["plain"], row
        except Failed as error:
            assert error.name == row.get("error"), (row, error)
        rows += 1
    # Answers are read against the subscription: 406 is Microsoft's way to slow down, and nobody else's.
    for row in vectors["decode"]:
        host = "wns2-par02p.notify.windows.com" if row["name"].startswith("wns") else "push.example.org"
        form = {"subscription": {**subscription, "endpoint": f"https://{host}/x"}, "payload": "x"}
        answers(message("webpush", form, any_host), {"decode": [row]}, at)


def json_of(function, handle):
    return json.loads(L.document(function, handle))


def notification():
    global rows
    vectors = load("notification")
    at = {"monotonic_ms": 1000, "unix_ms": vectors["now_ms"]}
    for name, function, written in (
        ("devices", lambda row: device(row["json"]), c.pushcore_device_to_json),
        ("notifications", lambda row: said(row["json"]), c.pushcore_notification_to_json),
    ):
        for row in vectors[name]:
            rows += 1
            try:
                made = function(row)
            except Failed as error:
                assert error.name == row.get("error"), (row, error)
                assert error.message.startswith(row.get("context", "")), (row, error)
                continue
            assert "error" not in row, row
            if name == "devices" and isinstance(row["json"], dict):
                assert L.text_of(c.pushcore_device_key(made)) == (row["json"].get("key") or ""), row
            assert json_of(written, made), row
    for row in vectors["messages"]:
        rows += 1
        try:
            to = device(row["device"])
            rendered = L.new("pushcore_rendered", c.pushcore_notification_render, said(row["notification"]), to, at)
            made = L.new("pushcore_message", c.pushcore_rendered_to, rendered, to, at)
        except Failed as error:
            assert error.name == row.get("error"), (row, error)
            assert error.message.startswith(row.get("context", "")), (row, error)
            continue
        found = unfolded(json_of(c.pushcore_message_to_json, made))
        assert found == row["message"], (row, found)
        losses = set()
        loss = L.options("pushcore_loss")
        platforms = {0: "all", **{K["PUSHCORE_PLATFORM_" + name.upper()]: name for name in ("android", "apple", "web")}}
        kinds = {K["PUSHCORE_LOSS_" + name.upper()]: name for name in ("dropped", "changed", "shortened")}
        for index in range(c.pushcore_rendered_loss_count(rendered)):
            assert c.pushcore_rendered_loss_at(rendered, index, loss, ffi.NULL) == 0
            losses.add(f"{L.text_of(loss.field)} {platforms[loss.platform]} {kinds[loss.kind]}")
        assert losses == set(row["losses"]), (row, losses)


def unfolded(value):
    """The document with the strings that hold a payload parsed, because the order of its keys is not the point here."""
    if not isinstance(value, dict):
        return value
    made = {}
    for name, member in value.items():
        if isinstance(member, str) and name in ("raw", "msg", "payload", "notification"):
            try:
                parsed = json.loads(member)
                member = parsed if isinstance(parsed, dict) else member
            except ValueError:
                pass
        elif isinstance(member, dict):
            member = unfolded(member)
        made[name] = member
    return made


def device(form):
    return L.new("pushcore_device", c.pushcore_device_from_json, L.view(text_of(form)), ffi.NULL)


def said(form):
    return L.new("pushcore_notification", c.pushcore_notification_from_json, L.view(text_of(form)))


for part in (fcm, adm, baidu, apns, web_push, notification):
    before = rows
    part()
    assert rows > before
    print(f"{part.__name__}: {rows - before} rows")
    L.kept.clear()
assert rows > 400, rows
