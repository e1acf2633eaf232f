"""The dialect of Amazon Pinpoint, with botocore as the signer and the recorded requests of original clients."""

from __future__ import annotations

import copy
import http.client
import json
import pathlib
import random
import secrets
from typing import Any

import pushcore
import pytest
from _dialect_host import Store, accept, drive, serving
from pushcore.dialect import Dialect, Job, Reply, Step

botocore_auth = pytest.importorskip("botocore.auth")
from botocore.awsrequest import AWSRequest  # noqa: E402
from botocore.credentials import Credentials  # noqa: E402

RECORDED = json.loads(
    (pathlib.Path(__file__).resolve().parents[3] / "tests" / "dialects" / "pinpoint.json").read_text("utf-8")
)
APP: str = RECORDED["app"]
NOW = 1_795_970_214
KEY, SECRET = "AKID" + secrets.token_hex(8).upper(), secrets.token_urlsafe(30)


def store() -> Store:
    made = Store()
    made.secrets[KEY] = {"secret": SECRET}
    made.collection("apps")[APP] = {"Name": "example"}
    channels = made.collection("channels", APP)
    for name in ("APNS", "APNS_SANDBOX", "APNS_VOIP", "APNS_VOIP_SANDBOX"):
        channels[name] = {"BundleId": "com.example.app"}
    channels.update(GCM={}, ADM={}, BAIDU={})
    return made


class Clock:
    """botocore's clock, which its signer reads by itself."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, *_: Any, **__: Any) -> Any:
        import datetime

        return datetime.datetime.fromtimestamp(self.seconds, datetime.timezone.utc)


def signed(
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    *,
    query: str = "",
    key: str = KEY,
    secret: str = SECRET,
    token: str | None = None,
    at: float = NOW,
    service: str = "mobiletargeting",
    monkeypatch: pytest.MonkeyPatch,
) -> list[tuple[str, str]]:
    """The headers of a request as botocore signs it, its Host among them."""
    monkeypatch.setattr("botocore.auth.get_current_datetime", Clock(at), raising=False)
    url = f"http://localhost:8000{path}" + (f"?{query}" if query else "")
    request = AWSRequest(method, url, headers={"Content-Type": "application/json", **(headers or {})}, data=body)
    botocore_auth.SigV4Auth(Credentials(key, secret, token), service, "eu-west-1").add_auth(request)
    return [("Host", "localhost:8000"), *request.headers.items()]


class Pinpoint:
    """Requests to the dialect, signed by botocore."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.store = store()
        self.options: dict[str, Any] = {}
        self.sent: list[Step] = []
        self.warnings: list[str] = []

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        send: Any = accept,
        now: float = NOW,
        **options: Any,
    ) -> Reply:
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        query = options.get("query", "")
        given = signed(method, path, raw, headers, monkeypatch=self.monkeypatch, **options)
        target = path + (f"?{query}" if query else "")
        job = Dialect("pinpoint", self.options).begin(method, target, given, raw, now=now)
        reply, self.sent = drive(job, self.store, send)
        self.warnings = job.warnings
        return reply

    def messages(self, body: Any, **options: Any) -> Reply:
        return self.call("POST", f"/v1/apps/{APP}/messages", body, **options)

    def result(self, body: Any, **options: Any) -> dict[str, Any]:
        """The result of the only address."""
        reply = self.messages(body, **options)
        assert reply.status == 200, reply.body
        (result,) = json.loads(reply.body)["Result"].values()
        assert isinstance(result, dict)
        return result

    def form(self, index: int = 0) -> dict[str, Any]:
        """The form of a message that was sent, JSON texts inside it as objects."""
        return unpacked(self.sent[index].data["message"])


@pytest.fixture
def pinpoint(monkeypatch: pytest.MonkeyPatch) -> Pinpoint:
    return Pinpoint(monkeypatch)


def unpacked(form: dict[str, Any]) -> dict[str, Any]:
    """JSON texts that a form holds, as objects."""
    form = copy.deepcopy(form.get("message", form))
    if "payload" in form:
        form["payload"] = json.loads(form["payload"]["raw"])
    if "msg" in form:
        form["msg"] = json.loads(form["msg"])
    for holder in (form.get("data"), form.get("msg")):
        for name in ("pinpoint", "pinpoint.jsonBody"):
            if holder and name in holder:
                holder[name] = json.loads(holder[name])
    return form


def error(reply: Reply) -> tuple[int, str, str]:
    """Status, name and text of a refusal, as botocore reads them."""
    body = json.loads(reply.body)
    headers = dict(reply.headers)
    assert set(body) == {"Message", "RequestID"}
    assert headers["x-amzn-RequestId"] == body["RequestID"]
    return reply.status, headers["x-amzn-ErrorType"], body["Message"]


def address(channel: str, message: dict[str, Any], *, to: str = "ab" * 32, **own: Any) -> dict[str, Any]:
    """A request with one address."""
    member = {"GCM": "GCMMessage", "ADM": "ADMMessage", "BAIDU": "BaiduMessage"}.get(channel, "APNSMessage")
    return {"Addresses": {to: {"ChannelType": channel, **own}}, "MessageConfiguration": {member: message}}


# What original clients sent


def recorded_store() -> Store:
    made = store()
    made.secrets = {RECORDED["access_key"]: {"secret": RECORDED["secret"], "scopes": [APP]}}
    made.collection("templates")["tpl/push/1"] = {"GCM": {"Title": "tpl title", "Sound": "bell"}}
    made.collection("endpoints", APP).update(
        {
            "ep-1": {"Address": "endpoint-token", "ChannelType": "GCM"},
            "phone": {"Address": "user-1-phone", "ChannelType": "GCM", "User": {"UserId": "user-1"}},
            "tablet": {"Address": "user-1-tablet", "ChannelType": "ADM", "User": {"UserId": "user-1"}},
            "other": {"Address": "user-2-phone", "ChannelType": "GCM", "User": {"UserId": "user-2"}},
            "strange": {"Address": "user-3-phone", "ChannelType": "GCM", "User": {"UserId": "user-3"}},
        }
    )
    return made


@pytest.mark.parametrize("through_json", [False, True])
@pytest.mark.parametrize("request_", RECORDED["requests"], ids=lambda request: request["label"])
def test_recorded_requests_become_the_messages_written_by_hand(request_: dict[str, Any], through_json: bool) -> None:
    """Must: original client, native targets, texts, every field."""
    begin = Dialect("pinpoint").begin
    job = begin(
        request_["method"], request_["target"], request_["headers"], request_["body"].encode(), now=request_["now"]
    )
    reply, sent = drive(job, recorded_store(), through_json=through_json)
    if request_["label"] == "pinpoint_full_error":
        assert error(reply)[:2] == (404, "NotFoundException")
        return
    assert reply.status == 200
    for step, expected in zip(sent, request_["sends"], strict=True):
        assert Step.from_json(step.to_json()).to_json() == step.to_json()
        data = step.data
        channel = data["channel"]
        assert (channel["service"], channel["name"], channel["sandbox"], channel["scope"]) == (
            expected["service"],
            expected["name"],
            expected["sandbox"],
            APP,
        )
        assert (data["key"], data["record"]) == (expected["key"], expected["record"])
        assert unpacked(data["message"]) == expected["message"]
        assert step.message is not None
        assert json.loads(step.message.to_json()) == data["message"]
    body = json.loads(reply.body)
    assert body["ApplicationId"] == APP
    if "Addresses" in json.loads(request_["body"]):
        # The seed's scripts read this.
        wanted = list(json.loads(request_["body"])["Addresses"])
        assert sorted(body["Result"]) == sorted(wanted)
        assert all(result["DeliveryStatus"] == "SUCCESSFUL" for result in body["Result"].values())
    if "users-messages" in request_["target"]:
        assert {user: sorted(ends) for user, ends in body["Result"].items()} == {
            "user-1": ["phone", "tablet"],
            "user-2": ["other"],
        }
        assert body["Result"]["user-1"]["tablet"]["Address"] == "user-1-tablet"


@pytest.mark.parametrize(
    "request_", [request for request in RECORDED["requests"] if request["sends"]], ids=lambda request: request["label"]
)
def test_a_recorded_request_with_another_secret_is_refused(request_: dict[str, Any]) -> None:
    begin = Dialect("pinpoint").begin
    there = recorded_store()
    there.secrets[RECORDED["access_key"]] = {"secret": RECORDED["secret"][:-1]}
    job = begin(
        request_["method"], request_["target"], request_["headers"], request_["body"].encode(), now=request_["now"]
    )
    assert error(drive(job, there)[0])[:2] == (403, "InvalidSignatureException")


# Signatures

#: Enough for every path, and as many as the issue asks for where somebody has the time.
HOW_MANY = 10_000


def test_ten_thousand_requests_signed_by_botocore_verify_and_none_with_one_bit_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Must: SigV4 mobiletargeting."""
    rng = random.Random(20)
    dialect, there = Dialect("pinpoint"), store()
    letters = "abcXYZ019-._~ /+%:@=&?é北😀"
    flips = {"target": 0, "header": 0, "body": 0, "signature": 0}

    def text(longest: int) -> str:
        return "".join(rng.choice(letters) for _ in range(rng.randint(1, longest)))

    def answer_of(method: str, target: str, headers: list[tuple[str, str]], body: bytes, at: int) -> str:
        job = dialect.begin(method, target, headers, body, now=at)
        if job.reply is None:
            step = job.steps[0]
            assert step.data["ask"] == "secret"
            job.answer(step.id, there.answer(step.data))
        return "verified" if job.reply is None else error(job.reply)[1]

    from urllib.parse import quote

    for _ in range(HOW_MANY):
        at = rng.randint(1_600_000_000, 4_000_000_000)
        app = quote(text(12), safe="")
        if app in (".", ".."):
            app = "x"
        path = f"/v1/apps/{app}/" + rng.choice(["messages", "users-messages"])
        query = "&".join(f"{quote(text(5), safe='')}={quote(text(5), safe='')}" for _ in range(rng.randint(0, 3)))
        body = rng.randbytes(rng.randint(0, 60))
        extra = {f"X-Own-{n}": f" a{' ' * rng.randint(0, 3)}{n} " for n in range(rng.randint(0, 2))}
        if rng.random() < 0.5:
            extra["amz-sdk-invocation-id"] = text(1).encode("ascii", "ignore").decode() or "x"
        token = secrets.token_hex(9) if rng.random() < 0.3 else None
        headers = signed("POST", path, body, extra, query=query, token=token, at=at, monkeypatch=monkeypatch)
        target = path + (f"?{query}" if query else "")
        assert answer_of("POST", target, headers, body, at) == "verified", (target, headers)

        what = rng.choice(list(flips))
        changed = list(headers)
        if what == "body" and body:
            index = rng.randrange(len(body))
            body = body[:index] + bytes([body[index] ^ (1 << rng.randrange(8))]) + body[index + 1 :]
        elif what == "target":
            target, app = target.replace(f"/{app}/", f"/{app}x/", 1), app + "x"
        elif what == "signature":
            index = next(n for n, (name, _) in enumerate(changed) if name == "Authorization")
            place = changed[index][1].index("Signature=") + 10 + rng.randrange(64)
            value = changed[index][1]
            digit = format(int(value[place], 16) ^ (1 << rng.randrange(4)), "x")
            changed[index] = ("Authorization", value[:place] + digit + value[place + 1 :])
        else:
            what = "header"
            index = next(n for n, (name, _) in enumerate(changed) if name in ("Host", "Content-Type"))
            changed[index] = (changed[index][0], changed[index][1] + "0")
        flips[what] += 1
        assert answer_of("POST", target, changed, body, at) == "InvalidSignatureException", (what, target)
    assert all(count > HOW_MANY / 10 for count in flips.values()), flips


def test_headers_that_sdk_v3_signs_are_verified(pinpoint: Pinpoint) -> None:
    # SDK v3 for JavaScript signs these, too.
    extra = {
        "amz-sdk-invocation-id": "0f9c1d0e-6f3d-4d0b-b6f0-6a5f8f0e7a10",
        "amz-sdk-request": "attempt=1; max=3",
        "content-length": "2",
        "x-amz-user-agent": "aws-sdk-js/3.900.0",
        "x-amz-content-sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    }
    reply = pinpoint.messages(b"{}", headers=extra)
    assert error(reply) == (400, "BadRequestException", "MessageConfiguration must be specified")


@pytest.mark.parametrize("away", [-301, -300, 300, 301])
def test_a_clock_may_be_five_minutes_off_and_no_second_more(pinpoint: Pinpoint, away: int) -> None:
    """Must: skew of 5 minutes to either side, 403 codes."""
    reply = pinpoint.messages(address("GCM", {"Body": "b"}), at=NOW + away)
    if abs(away) <= 300:
        assert reply.status == 200
    else:
        status, name, text = error(reply)
        assert (status, name) == (403, "InvalidSignatureException")
        expected = (
            "Signature expired: 20261129T163153Z is now earlier than 20261129T163154Z (20261129T163654Z - 5 min.)"
        )
        assert text == expected if away < 0 else text.startswith("Signature not yet current: 20261129T164155Z")


def test_what_is_wrong_with_the_caller_is_said_in_awss_words(pinpoint: Pinpoint) -> None:
    body = address("GCM", {"Body": "b"})
    path, raw = f"/v1/apps/{APP}/messages", json.dumps(body).encode()
    dialect = Dialect("pinpoint")

    def refusal(headers: list[tuple[str, str]], target: str = path, content: bytes = raw) -> tuple[str, str]:
        status, name, text = error(drive(dialect.begin("POST", target, headers, content, now=NOW), pinpoint.store)[0])
        assert status == 403
        return name, text

    good = signed("POST", path, raw, monkeypatch=pinpoint.monkeypatch)
    named = dict(good)

    def with_(name: str, value: str | None) -> list[tuple[str, str]]:
        return [pair for pair in good if pair[0] != name] + ([] if value is None else [(name, value)])

    assert refusal(with_("Authorization", None)) == (
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
    )
    assert refusal(signed("POST", path, raw, key="AKIDOTHER", monkeypatch=pinpoint.monkeypatch))[0] == (
        "UnrecognizedClientException"
    )
    assert refusal(signed("POST", path, raw, service="sns", monkeypatch=pinpoint.monkeypatch)) == (
        "InvalidSignatureException",
        "Credential should be scoped to correct service: 'mobiletargeting'.",
    )
    # A body that was changed after it was signed, and a hash that the header only claims.
    assert refusal(good, content=raw + b" ")[0] == "InvalidSignatureException"
    unsigned = signed("POST", path, raw, {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}, monkeypatch=pinpoint.monkeypatch)
    assert refusal(unsigned)[0] == "InvalidSignatureException"
    for broken in [
        [*good, ("Authorization", named["Authorization"])],
        [*good, ("Host", "other")],
        [*good, ("X-Amz-Date", named["X-Amz-Date"])],
        with_("Host", None),
        with_("X-Amz-Date", None),
        with_("X-Amz-Date", "2026-11-29T16:36:54Z"),
        with_("X-Amz-Date", "20261128T163654Z"),
        with_("Authorization", "Bearer x"),
        with_("Authorization", "AWS4-HMAC-SHA256"),
        with_("Authorization", "AWS4-HMAC-SHA256 Credential=,SignedHeaders=,Signature="),
        with_("Authorization", named["Authorization"].replace("host;", "")),
        with_("Authorization", named["Authorization"].replace("aws4_request", "aws5_request")),
        with_("Authorization", named["Authorization"] + ", Signature=" + "0" * 64),
        with_("Authorization", named["Authorization"][:-1]),
    ]:
        assert refusal(broken)[0] == "IncompleteSignatureException", broken


def test_a_key_of_another_account_finds_nothing(pinpoint: Pinpoint) -> None:
    pinpoint.store.secrets[KEY] = {"secret": SECRET, "scopes": ["another"]}
    foreign = error(pinpoint.messages(address("GCM", {"Body": "b"})))
    pinpoint.store.secrets[KEY] = {"secret": SECRET}
    missing = error(pinpoint.call("POST", "/v1/apps/missing/messages", address("GCM", {"Body": "b"})))
    # In the same words: nobody learns which apps there are.
    assert foreign == missing == (404, "NotFoundException", "Resource not found")


# Repetitions


def test_a_retry_with_the_same_invocation_id_sends_nothing_again(pinpoint: Pinpoint) -> None:
    """Must: idempotent by amz-sdk-invocation-id."""
    first = pinpoint.messages(address("GCM", {"Body": "b"}), headers={"amz-sdk-invocation-id": "i-1"})
    assert len(pinpoint.sent) == 1
    # The SDK signs anew, later and with another attempt.
    again = pinpoint.messages(
        address("GCM", {"Body": "b"}),
        headers={"amz-sdk-invocation-id": "i-1", "amz-sdk-request": "attempt=2; max=3"},
        at=NOW + 2,
    )
    assert (again.status, again.body, again.headers) == (first.status, first.body, first.headers)
    assert pinpoint.sent == []
    assert again.remember == []
    assert pinpoint.warnings == ["the call was made before: nothing is sent, and its reply is repeated"]
    other = pinpoint.messages(address("GCM", {"Body": "b"}), headers={"amz-sdk-invocation-id": "i-2"}, at=NOW + 2)
    assert other.status == 200
    assert len(pinpoint.sent) == 1
    assert other.body != first.body


def test_a_retry_while_the_first_attempt_is_under_way_is_told_to_wait(pinpoint: Pinpoint) -> None:
    """Must: idempotent also while the first attempt is under way; 429."""
    body = json.dumps(address("GCM", {"Body": "b"})).encode()
    path = f"/v1/apps/{APP}/messages"
    headers = signed("POST", path, body, {"amz-sdk-invocation-id": "i"}, monkeypatch=pinpoint.monkeypatch)
    first = Dialect("pinpoint").begin("POST", path, headers, body, now=NOW)
    while first.steps[0].kind == "ask":
        first.answer(first.steps[0].id, pinpoint.store.answer(first.steps[0].data))
    later = pinpoint.messages(body, headers={"amz-sdk-invocation-id": "i"}, at=NOW + 3)
    # Every SDK repeats a 429 after a pause.
    assert error(later)[:2] == (429, "TooManyRequestsException")
    assert later.remember == []
    assert pinpoint.sent == []
    reply, sent = drive(first, pinpoint.store)
    assert len(sent) == 1
    last = pinpoint.messages(body, headers={"amz-sdk-invocation-id": "i"}, at=NOW + 5)
    assert last.body == reply.body
    assert pinpoint.sent == []


def test_a_replay_of_the_same_bytes_sends_nothing_again(pinpoint: Pinpoint) -> None:
    body = json.dumps(address("GCM", {"Body": "b"})).encode()
    path = f"/v1/apps/{APP}/messages"
    headers = signed("POST", path, body, monkeypatch=pinpoint.monkeypatch)

    def begin(**options: Any) -> tuple[Reply, list[Step]]:
        # boto3 does not sign the invocation id, so whoever copies a request can change the id.
        unsigned = [*headers, ("amz-sdk-invocation-id", secrets.token_hex(4))]
        return drive(Dialect("pinpoint", options).begin("POST", path, unsigned, body, now=NOW), pinpoint.store)

    first, sent = begin()
    assert first.status == 200
    assert len(sent) == 1
    again, sent = begin()
    assert again.body == first.body
    assert sent == []
    # On demand two equal calls within one second are two.
    assert len(begin(replay="allow")[1]) == 1


def test_a_claim_is_as_long_as_a_signature_is_good(pinpoint: Pinpoint) -> None:
    reply = pinpoint.messages(address("GCM", {"Body": "b"}))
    assert reply.remember_seconds == 900
    assert reply.remember


# What the request says, and what is wrong with it


BAD: list[tuple[str, Any, str]] = [
    ("nothing", b"", "Could not parse request body into json: not json at line 1, column 0"),
    ("no json", b"{", "Could not parse request body into json: not json at line 1, column 1"),
    ("no object", b"[]", "Could not parse request body into json: the json text is not an object"),
    (
        "a key twice",
        b'{"a":1,"a":1}',
        "Could not parse request body into json: json with a key twice at line 1, column 13",
    ),
    (
        "deep",
        b'{"a":' + b"[" * 500 + b"]" * 500 + b"}",
        "Could not parse request body into json: not json at line 1, column 132",
    ),
    ("no configuration", {"Addresses": {"a": {"ChannelType": "GCM"}}}, "MessageConfiguration must be specified"),
    ("nobody", {"MessageConfiguration": {}}, "Addresses or Endpoints must be specified"),
    ("nobody at all", {"MessageConfiguration": {}, "Addresses": {}}, "Addresses or Endpoints must be specified"),
    ("no channel", {"MessageConfiguration": {}, "Addresses": {"a": {}}}, "ChannelType of an address must be specified"),
    ("addresses", {"MessageConfiguration": {}, "Addresses": ["a"]}, "Addresses must be an object"),
    ("an address", {"MessageConfiguration": {}, "Addresses": {"a": 1}}, "Addresses must be an object of objects"),
    ("a body", address("GCM", {"Body": 1}), "Body must be a string"),
    ("silent", address("GCM", {"SilentPush": "yes"}), "SilentPush must be a boolean"),
    ("badge", address("APNS", {"Badge": "1"}), "Badge must be an integer"),
    ("action", address("GCM", {"Action": "JUMP"}), "Action must be one of OPEN_APP, DEEP_LINK, URL"),
    ("data", address("GCM", {"Data": {"a": 1}}), "Data must be an object of strings"),
    ("values", address("GCM", {"Substitutions": {"a": "b"}}), "Substitutions must be an object of lists of strings"),
    (
        "101 addresses",
        {"MessageConfiguration": {}, "Addresses": {f"a{n}": {"ChannelType": "GCM"} for n in range(101)}},
        "The number of recipients exceeds the limit of 100",
    ),
    (
        "101 recipients",
        {
            "MessageConfiguration": {},
            "Addresses": {f"a{n}": {"ChannelType": "GCM"} for n in range(50)},
            "Endpoints": {f"e{n}": {} for n in range(51)},
        },
        "The number of recipients exceeds the limit of 100",
    ),
]


@pytest.mark.parametrize(("body", "text"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_request_that_makes_no_sense_is_a_bad_request(pinpoint: Pinpoint, body: Any, text: str) -> None:
    """Must: request validation, x-amzn-ErrorType; limits: 100 addresses."""
    reply = pinpoint.messages(body)
    assert error(reply) == (400, "BadRequestException", text)
    # Nothing was claimed: the caller may mend the request under the same invocation id.
    assert pinpoint.store.claims == {}
    assert pinpoint.sent == []


def test_ten_megabytes_are_too_large(pinpoint: Pinpoint) -> None:
    """Must: 413."""
    reply = pinpoint.messages(b'{"a":"' + b"x" * 10_000_000 + b'"}')
    assert error(reply)[:2] == (413, "PayloadTooLargeException")


def test_ids_come_from_the_path_alone(pinpoint: Pinpoint) -> None:
    body = {**address("GCM", {"Body": "b"}), "application-id": "other", "application_id": "other"}
    reply = pinpoint.messages(body, query="application_id=other&application-id=other")
    assert json.loads(reply.body)["ApplicationId"] == APP
    assert pinpoint.warnings == [
        "application-id is no member that is known: nothing is done with it",
        "application_id is no member that is known: nothing is done with it",
    ]
    # An encoded slash belongs to the id.
    pinpoint.store.collection("apps")["a b/c"] = {}
    reply = pinpoint.call("POST", "/v1/apps/a%20b%2Fc/messages", address("GCM", {"Body": "b"}))
    assert json.loads(reply.body)["ApplicationId"] == "a b/c"
    assert error(pinpoint.call("POST", "/v1/apps/a%20b/c/messages", {}))[:2] == (404, "NotFoundException")


def test_a_path_or_method_that_nobody_serves(pinpoint: Pinpoint) -> None:
    """Must: 404; the model's 405."""
    assert error(pinpoint.call("GET", "/v2/apps"))[:2] == (404, "NotFoundException")
    assert error(pinpoint.call("DELETE", f"/v1/apps/{APP}/messages"))[:2] == (405, "MethodNotAllowedException")


def test_a_chunked_body_is_the_same_body(pinpoint: Pinpoint) -> None:
    body = json.dumps(address("GCM", {"Body": "b"})).encode()
    path = f"/v1/apps/{APP}/messages"
    with serving(Dialect("pinpoint"), pinpoint.store, clock=lambda: NOW) as (url, _):
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
        for changed, status in ((b"", 200), (b" ", 403)):
            headers = dict(signed("POST", path, body + changed, monkeypatch=pinpoint.monkeypatch))
            connection.request("POST", path, iter([body[:9], body[9:]]), headers, encode_chunked=True)
            response = connection.getresponse()
            assert (response.status, bool(response.read())) == (status, True)
        connection.close()


# From fields to native messages


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({}, {"pinpoint.openApp": "true"}),
        ({"Action": "OPEN_APP", "Url": "u"}, {"pinpoint.openApp": "true"}),
        ({"Action": "URL", "Url": "https://e/"}, {"pinpoint.url": "https://e/"}),
        ({"Action": "DEEP_LINK", "Url": "app://x"}, {"pinpoint.deeplink": "app://x"}),
        ({"Action": "URL"}, {"pinpoint.openApp": "true"}),
    ],
)
def test_the_three_actions(pinpoint: Pinpoint, action: dict[str, Any], expected: dict[str, str]) -> None:
    """Must: Action x3."""
    keys = {"pinpoint.openApp", "pinpoint.url", "pinpoint.deeplink"}
    for channel, place in (("GCM", "data"), ("ADM", "data"), ("BAIDU", "msg")):
        assert (
            pinpoint.result(address(channel, {"Title": "t", "Body": "b", **action}))["DeliveryStatus"] == "SUCCESSFUL"
        )
        data = pinpoint.form()[place]
        assert {name: value for name, value in data.items() if name in keys} == expected
    pinpoint.result(address("APNS", {"Title": "t", "Body": "b", **action}))
    # Both kinds of link open as a deep link there: AWS's code knows no other.
    link = pinpoint.form()["payload"]["data"]["pinpoint"].get("deeplink")
    assert link == expected.get("pinpoint.url", expected.get("pinpoint.deeplink"))


def test_silent_pushes(pinpoint: Pinpoint) -> None:
    """Must: SilentPush becomes a background push with priority 5."""
    pinpoint.result(
        address("APNS", {"SilentPush": True, "Title": "t", "Body": "b", "Sound": "s", "Badge": 1, "Priority": "high"})
    )
    form = pinpoint.form()
    assert form["payload"]["aps"] == {"content-available": 1}
    assert (form["push_type"], form["priority"]) == ("background", 5)
    assert pinpoint.warnings == ["Priority is not sent: APNs does not take 10 with the push type background"]
    pinpoint.result(address("GCM", {"SilentPush": True}))
    assert pinpoint.form()["data"]["pinpoint.notification.silentPush"] == "1"


@pytest.mark.parametrize(
    ("given", "fcm", "apns"), [("5", "NORMAL", 5), ("normal", "NORMAL", 5), ("10", "HIGH", 10), ("high", "HIGH", 10)]
)
def test_priorities_in_either_words(pinpoint: Pinpoint, given: str, fcm: str, apns: int) -> None:
    """Must: 5/10 <-> normal/high."""
    pinpoint.result(address("GCM", {"Body": "b", "Priority": given}))
    assert pinpoint.form()["android"]["priority"] == fcm
    pinpoint.result(address("APNS", {"Body": "b", "Priority": given}))
    assert pinpoint.form()["priority"] == apns


def test_lives_and_collapse_keys(pinpoint: Pinpoint) -> None:
    """Must: TimeToLive, ExpiresAfter; CollapseKey, CollapseId, ConsolidationKey."""
    pinpoint.result(address("GCM", {"Body": "b", "TimeToLive": 7, "CollapseKey": "k"}))
    assert pinpoint.form()["android"] == {"collapse_key": "k", "ttl": "7s"}
    pinpoint.result(address("APNS", {"Body": "b", "TimeToLive": 7, "CollapseId": "k"}))
    assert (pinpoint.form()["expiration"], pinpoint.form()["collapse_id"]) == (NOW + 7, "k")
    pinpoint.result(address("APNS", {"Body": "b", "TimeToLive": 0}))
    assert pinpoint.form()["expiration"] == "once"
    pinpoint.result(address("ADM", {"Body": "b", "ExpiresAfter": "90", "ConsolidationKey": "k"}))
    assert (pinpoint.form()["expires_after"], pinpoint.form()["consolidation_key"]) == (90, "k")
    pinpoint.result(address("BAIDU", {"Body": "b", "TimeToLive": 7}))
    assert pinpoint.form()["expires_after"] == 7
    # ADM has no TimeToLive in the model.
    pinpoint.result(address("ADM", {"Body": "b", "TimeToLive": 7}))
    assert pinpoint.warnings == ["ADMMessage.TimeToLive is no member that is known: nothing is done with it"]


def test_who_wins_over_whom(pinpoint: Pinpoint) -> None:
    """Must: title, body and overrides."""
    body: dict[str, Any] = {
        "Addresses": {"t" * 20: {"ChannelType": "GCM"}},
        "MessageConfiguration": {
            "DefaultMessage": {"Body": "default"},
            "DefaultPushNotificationMessage": {"Body": "push", "Title": "push title", "Data": {"d": "1"}},
            "GCMMessage": {"Body": "gcm"},
        },
    }
    configuration: dict[str, Any] = body["MessageConfiguration"]
    own: dict[str, Any] = body["Addresses"]["t" * 20]

    def texts() -> tuple[str | None, str]:
        pinpoint.result(body)
        data = pinpoint.form()["data"]
        return data.get("pinpoint.notification.title"), data["pinpoint.notification.body"]

    assert texts() == ("push title", "gcm")
    own.update(BodyOverride="own", TitleOverride="own title")
    assert texts() == ("own title", "own")
    own.clear()
    own["ChannelType"] = "GCM"
    del configuration["GCMMessage"]
    assert texts() == ("push title", "push")
    del configuration["DefaultPushNotificationMessage"]
    assert texts() == (None, "default")
    configuration["GCMMessage"] = {"RawContent": '{"data":{"a":"message"}}'}
    pinpoint.result(body)
    assert pinpoint.form()["data"] == {"a": "message"}
    own["RawContent"] = '{"data":{"a":"address"}}'
    pinpoint.result(body)
    assert pinpoint.form()["data"] == {"a": "address"}


def test_message_variables(pinpoint: Pinpoint) -> None:
    """Must: {{}} substitutions: the address over the message over the default."""
    body = {
        "Addresses": {
            "a" * 20: {"ChannelType": "GCM", "Substitutions": {"name": ["Eve", "ignored"]}},
            "b" * 20: {"ChannelType": "GCM"},
        },
        "MessageConfiguration": {
            "DefaultMessage": {"Substitutions": {"name": ["nobody"], "city": ["Oslo"]}},
            "GCMMessage": {
                "Body": "Hi {{name}} in {{ city }}",
                "Data": {"n": "{{name}}"},
                "Substitutions": {"name": ["Bob"]},
            },
        },
    }
    reply = pinpoint.messages(body)
    assert reply.status == 200
    forms = [pinpoint.form(0)["data"], pinpoint.form(1)["data"]]
    assert [form["pinpoint.notification.body"] for form in forms] == ["Hi Eve in Oslo", "Hi Bob in Oslo"]
    assert forms[0]["pinpoint.jsonBody"] == {"n": "Eve"}
    result = pinpoint.result(address("GCM", {"Body": "Hi {{who}}"}))
    assert (result["DeliveryStatus"], result["StatusCode"]) == ("PERMANENT_FAILURE", 400)
    assert result["StatusMessage"] == "The variable {{who}} has no value"
    assert pinpoint.sent == []
    raw = address("GCM", {"RawContent": '{"data":{"a":"{{q}}"}}', "Substitutions": {"q": ['say "hi"']}})
    pinpoint.result(raw)
    assert pinpoint.form()["data"] == {"a": 'say "hi"'}


def test_context_and_trace_id(pinpoint: Pinpoint) -> None:
    """Must: custom data: Data becomes jsonBody; Context."""
    body = {
        **address("APNS", {"Body": "b", "Data": {"k": "v"}}, Context={"x": "own", "y": "2"}),
        "Context": {"x": "all", "z": "3"},
    }
    pinpoint.result(body)
    data = pinpoint.form()["payload"]["data"]
    assert data["jsonBody"] == {"k": "v"}
    assert data["pinpoint"] == {"z": "3", "x": "own", "y": "2", "campaign": {"campaign_id": "_DIRECT"}}


ADM_RAW = (
    "{'pinpoint.campaign.campaign_id':'_DIRECT','pinpoint.notification.silentPush':0,'pinpoint.openApp':true,"
    "'pinpoint.notification.title':'Hello','pinpoint.notification.body':'Hello World.'}"
)
ADM_RAW_TEXTS = {
    "pinpoint.campaign.campaign_id": "_DIRECT",
    "pinpoint.notification.silentPush": "0",
    "pinpoint.openApp": "true",
    "pinpoint.notification.title": "Hello",
    "pinpoint.notification.body": "Hello World.",
}


def test_raw_content_of_four_channels(pinpoint: Pinpoint) -> None:
    """Must: RawContent of 4 channels, lenient quotes."""
    pinpoint.result(address("ADM", {"RawContent": ADM_RAW}))
    assert pinpoint.form()["data"] == ADM_RAW_TEXTS
    pinpoint.result(address("ADM", {"RawContent": '{"data":{"a":1},"consolidationKey":"c","expiresAfter":100}'}))
    assert pinpoint.form()["data"] == {"a": "1"}
    assert pinpoint.form()["extra"] == {"consolidationKey": "c", "expiresAfter": 100}
    pinpoint.result(address("BAIDU", {"RawContent": ADM_RAW}))
    assert pinpoint.form()["msg"] == {**ADM_RAW_TEXTS, "pinpoint.notification.silentPush": 0, "pinpoint.openApp": True}
    silent = '{"aps":{"content-available":1},"data":{}}'
    pinpoint.result(address("APNS", {"RawContent": silent, "TimeToLive": 5}))
    assert (pinpoint.form()["push_type"], pinpoint.form()["expiration"]) == ("background", NOW + 5)
    assert pinpoint.form()["payload"] == json.loads(silent)
    loud = '{"aps":{"content-available":1,"badge":0}}'
    pinpoint.result(address("APNS", {"RawContent": loud}))
    assert pinpoint.form()["push_type"] == "alert"
    for wrapper in ('{"fcmV1Message":{"message":%s}}', '{"message":%s}'):
        message = '{"token":"x","notification":{"title":"t"},"android":{"ttl":"5s"}}'
        pinpoint.result(address("GCM", {"RawContent": wrapper % message, "Priority": "high"}))
        form = pinpoint.form()
        assert form["notification"] == {"title": "t"}
        assert form["token"] == "ab" * 32
        assert form["android"] == {"ttl": "5s", "priority": "HIGH"}
    for channel in ("APNS", "GCM", "ADM", "BAIDU"):
        result = pinpoint.result(address(channel, {"RawContent": "{'a"}))
        assert (result["DeliveryStatus"], result["StatusCode"]) == ("PERMANENT_FAILURE", 400)
        assert result["StatusMessage"] == "RawContent is not a JSON object"
        assert pinpoint.sent == []


def test_options(pinpoint: Pinpoint) -> None:
    pinpoint.options = {"also_notification": True, "content_available": False}
    pinpoint.result(address("GCM", {"Title": "t", "Body": "b", "ImageUrl": "https://e/i.png"}))
    assert pinpoint.form()["notification"] == {"title": "t", "body": "b", "image": "https://e/i.png"}
    pinpoint.result(address("APNS", {"Title": "t"}))
    assert pinpoint.form()["payload"]["aps"] == {"alert": {"title": "t"}}
    for options in ({"also": True}, {"also_notification": 1}, {"replay": "deny"}):
        with pytest.raises(pushcore.MessageError) as raised:
            Dialect("pinpoint", options)
        assert raised.value.code == 209
    with pytest.raises(pushcore.MessageError):
        Dialect("pinpont")


def test_sandboxes_and_voip(pinpoint: Pinpoint) -> None:
    """Must: APNs with its sandbox and VoIP."""
    for name, topic, sandbox, kind in [
        ("APNS", "com.example.app", False, "alert"),
        ("APNS_SANDBOX", "com.example.app", True, "alert"),
        ("APNS_VOIP", "com.example.app.voip", False, "voip"),
        ("APNS_VOIP_SANDBOX", "com.example.app.voip", True, "voip"),
    ]:
        pinpoint.result(address(name, {"Body": "b"}))
        assert pinpoint.sent[0].data["channel"] == {
            "service": "apns",
            "scope": APP,
            "name": name,
            "sandbox": sandbox,
        }
        assert (pinpoint.form()["topic"], pinpoint.form()["push_type"]) == (topic, kind)


def test_limits_of_the_services(pinpoint: Pinpoint) -> None:
    """Must: 4/4/6/4 KB."""
    for channel, fits, too_much in [
        ("GCM", 3000, 5000),
        ("APNS", 3000, 5000),
        ("ADM", 5000, 7000),
        ("BAIDU", 3000, 5000),
    ]:
        assert pinpoint.result(address(channel, {"Body": "x" * fits}))["DeliveryStatus"] == "SUCCESSFUL"
        result = pinpoint.result(address(channel, {"Body": "x" * too_much}))
        assert (result["DeliveryStatus"], result["StatusCode"]) == ("PERMANENT_FAILURE", 400)
        assert pinpoint.sent == []


# Results


def test_a_channel_that_is_not_there_is_a_matter_of_the_address(pinpoint: Pinpoint) -> None:
    del pinpoint.store.collection("channels", APP)["GCM"]
    pinpoint.store.collection("channels", APP)["ADM"] = {"Enabled": False}
    for channel in ("GCM", "ADM", "SMS", "EMAIL", "CUSTOM"):
        body = {"Addresses": {"x": {"ChannelType": channel}}, "MessageConfiguration": {"DefaultMessage": {"Body": "b"}}}
        assert pinpoint.result(body) == {
            "DeliveryStatus": "PERMANENT_FAILURE",
            "MessageId": "message-not-sent",
            "StatusCode": 400,
            "StatusMessage": f"No channel of type {channel} is enabled for the application {APP}",
        }


def said(message: str) -> dict[str, Any]:
    read = json.loads(message)
    assert isinstance(read, dict)
    return read


def test_the_providers_word_stands_in_the_status_message(pinpoint: Pinpoint) -> None:
    """Must: per-recipient results, StatusMessage JSON, 410; dead-token feedback."""
    # As captured from the real service.
    answer = pushcore.Response(400, body=b'{"reason":"BadDeviceToken"}')

    def apns(step: Step) -> pushcore.Outcome:
        assert step.message is not None
        return step.message.outcome(answer)

    # A token of 64 characters that are not hex, as in AWS's own example, reaches the provider.
    token = "a0b1c2d3e4f5g6h7i8j9k0l1m2n3o4p5q6r7s8t9u0v1w2x3y4z5a6b7c8d8e9f0"
    result = pinpoint.result(address("APNS_SANDBOX", {"Body": "b"}, to=token), send=apns)
    assert pinpoint.form()["device"] == token
    assert pinpoint.form()["lenient"] is True
    assert (result["DeliveryStatus"], result["StatusCode"]) == ("PERMANENT_FAILURE", 410)
    assert said(result["StatusMessage"]) == {
        "errorMessage": "Unregistered or expired token",
        "channelType": "APNS_SANDBOX",
        "pushProviderStatusCode": "400",
        "pushProviderError": "BadDeviceToken",
        "pushProviderResponse": '{"reason":"BadDeviceToken"}',
    }
    refusal = {
        "error": {
            "code": 400,
            "message": "The registration token is not a valid FCM registration token",
            "status": "INVALID_ARGUMENT",
            "details": [
                {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "INVALID_ARGUMENT"}
            ],
        }
    }
    answer = pushcore.Response(400, body=json.dumps(refusal).encode())
    result = pinpoint.result(address("GCM", {"Body": "b"}), send=apns)
    assert (result["DeliveryStatus"], result["StatusCode"]) == ("PERMANENT_FAILURE", 400)
    assert said(result["StatusMessage"])["errorMessage"] == "Invalid notification"
    assert said(result["StatusMessage"])["pushProviderError"] == refusal["error"]["message"]


#: Outcome or error, then DeliveryStatus, StatusCode and a word of the StatusMessage.
VERDICTS: list[tuple[Any, str, int, str]] = [
    (pushcore.Accepted(status=200, id="m-1"), "SUCCESSFUL", 200, ""),
    (pushcore.TokenGone(status=410, reason="Unregistered"), "PERMANENT_FAILURE", 410, "Unregistered"),
    (pushcore.TokenGone(status=404, reason="UNREGISTERED"), "PERMANENT_FAILURE", 410, "UNREGISTERED"),
    (
        pushcore.TokenMismatch(status=400, reason="DeviceTokenNotForTopic"),
        "PERMANENT_FAILURE",
        410,
        "DeviceTokenNotForTopic",
    ),
    (pushcore.TokenMismatch(status=403, reason="SENDER_ID_MISMATCH"), "PERMANENT_FAILURE", 403, "SENDER_ID_MISMATCH"),
    (pushcore.RetryLater(status=429, reason="TooManyRequests"), "THROTTLED", 429, "TooManyRequests"),
    (pushcore.RetryLater(status=503, reason="ServiceUnavailable"), "TEMPORARY_FAILURE", 503, "ServiceUnavailable"),
    (pushcore.RetryLater(status=200), "UNKNOWN_FAILURE", 500, "not known"),
    (
        pushcore.FixCredentials(status=403, reason="InvalidProviderToken"),
        "PERMANENT_FAILURE",
        403,
        "InvalidProviderToken",
    ),
    (pushcore.Rejected(status=413, reason="PayloadTooLarge"), "PERMANENT_FAILURE", 413, "PayloadTooLarge"),
    (pushcore.Rejected(status=500, reason="X"), "TEMPORARY_FAILURE", 500, "X"),
    (pushcore.NotSent("connection lost", 500, "NotSent"), "TEMPORARY_FAILURE", 503, "connection lost"),
    (pushcore.Expired("too late", 502, "Expired"), "TEMPORARY_FAILURE", 503, "too late"),
    (pushcore.Unknown("no answer", 501, "Unknown"), "UNKNOWN_FAILURE", 504, "no answer"),
    (pushcore.CredentialError("no key", 105, "InvalidCredential"), "PERMANENT_FAILURE", 403, "no key"),
]


@pytest.mark.parametrize(("given", "status", "code", "word"), VERDICTS)
def test_every_end_of_a_message_has_its_delivery_status(
    pinpoint: Pinpoint, given: Any, status: str, code: int, word: str
) -> None:
    result = pinpoint.result(address("APNS", {"Body": "b"}), send=lambda _: given)
    assert (result["DeliveryStatus"], result["StatusCode"]) == (status, code)
    assert word in result["StatusMessage"]
    assert result["MessageId"] == ("m-1" if status == "SUCCESSFUL" else "message-not-sent")


def test_a_new_token_is_passed_on(pinpoint: Pinpoint) -> None:
    result = pinpoint.result(
        address("GCM", {"Body": "b"}), send=lambda _: pushcore.Accepted(status=200, id="1", replacement="new")
    )
    assert result["UpdatedToken"] == "new"


def test_endpoints_and_users(pinpoint: Pinpoint) -> None:
    """Should: audience by endpoints and users."""
    user = {"UserId": "u-1", "UserAttributes": {"name": ["Eve"]}}
    pinpoint.store.collection("endpoints", APP).update(
        {
            "one": {"Address": "t1", "ChannelType": "GCM", "User": user, "Attributes": {"city": ["Oslo"]}},
            "same": {"Address": "t1", "ChannelType": "GCM", "User": user},
            "out": {"Address": "t2", "ChannelType": "GCM", "OptOut": "ALL", "User": user},
            "off": {"Address": "t3", "ChannelType": "GCM", "EndpointStatus": "INACTIVE"},
        }
    )
    text = {
        "GCMMessage": {
            "Body": "Hi {{User.UserAttributes.name}}{{Attributes.city}}",
            "Substitutions": {"Attributes.city": [" there"]},
        }
    }
    body = {"Endpoints": {"one": {}, "same": {}, "out": {}, "off": {}, "none": {}}, "MessageConfiguration": text}
    reply = json.loads(pinpoint.messages(body).body)
    status = {name: (end["DeliveryStatus"], end["Address"]) for name, end in reply["EndpointResult"].items()}
    assert status == {
        "one": ("SUCCESSFUL", "t1"),
        "same": ("DUPLICATE", "t1"),
        "out": ("OPT_OUT", "t2"),
        "off": ("PERMANENT_FAILURE", "t3"),
        "none": ("PERMANENT_FAILURE", ""),
    }
    assert reply["Result"] == {}
    assert [step.data["key"] for step in pinpoint.sent] == ["one"]
    assert pinpoint.form()["data"]["pinpoint.notification.body"] == "Hi Eve there"
    users = pinpoint.call(
        "POST",
        f"/v1/apps/{APP}/users-messages",
        {
            "Users": {"u-1": {"TitleOverride": "T"}, "u-2": {}},
            "MessageConfiguration": {"DefaultMessage": {"Body": "b"}},
        },
    )
    result = json.loads(users.body)["Result"]
    assert {name: end["DeliveryStatus"] for name, end in result["u-1"].items()} == {
        "one": "SUCCESSFUL",
        "same": "DUPLICATE",
        "out": "OPT_OUT",
    }
    assert result["u-2"] == {}
    nobody = pinpoint.call("POST", f"/v1/apps/{APP}/users-messages", {"MessageConfiguration": {}})
    assert error(nobody) == (400, "BadRequestException", "Users must be specified")


def test_a_template_that_is_not_there(pinpoint: Pinpoint) -> None:
    body = {**address("GCM", {}), "TemplateConfiguration": {"PushTemplate": {"Name": "none"}}}
    assert error(pinpoint.messages(body)) == (404, "NotFoundException", "Template not found")


# Jobs


def test_a_job_holds_no_secret_and_goes_on_after_a_kill(pinpoint: Pinpoint) -> None:
    token = secrets.token_hex(20)
    body = json.dumps(
        {
            "Addresses": {f"token-{n}": {"ChannelType": "GCM"} for n in range(4)},
            "MessageConfiguration": {"GCMMessage": {"Body": "b"}},
        }
    ).encode()
    path = f"/v1/apps/{APP}/messages"
    headers = signed("POST", path, body, token=token, monkeypatch=pinpoint.monkeypatch)
    job = Dialect("pinpoint").begin("POST", path, [*headers, ("Cookie", token), ("X-Api-Key", token)], body, now=NOW)
    written = [job.to_json()]
    while job.steps[0].kind == "ask":
        job.answer(job.steps[0].id, pinpoint.store.answer(job.steps[0].data))
        written.append(job.to_json())
    steps = job.steps
    assert [step.data["key"] for step in steps] == [f"token-{n}" for n in range(4)]
    job.sent(steps[2].id, pushcore.Accepted(status=200, id="m"))
    written.append(job.to_json())
    for text in written:
        assert SECRET not in text
        assert token not in text
        assert "Authorization" not in text
    # The process ends here. One message was answered, one was on its way, two had not begun.
    again = Job.from_json(written[-1])
    assert [step.data["key"] for step in again.steps] == ["token-0", "token-1", "token-3"]
    assert [step.to_json() for step in again.steps] == [step.to_json() for step in job.steps]
    again.unknown(again.steps[0].id)
    for step in again.steps:
        again.sent(step.id, accept(step))
    assert again.reply is not None
    results = json.loads(again.reply.body)["Result"]
    assert {name: result["DeliveryStatus"] for name, result in results.items()} == {
        "token-0": "UNKNOWN_FAILURE",
        "token-1": "SUCCESSFUL",
        "token-2": "SUCCESSFUL",
        "token-3": "SUCCESSFUL",
    }
    # A reply survives, too.
    last = Job.from_json(again.to_json())
    assert last.reply is not None
    assert last.reply.body == again.reply.body
    assert last.steps == []


def test_answers_of_another_form_are_refused_and_the_step_waits_on(pinpoint: Pinpoint) -> None:
    path, body = f"/v1/apps/{APP}/messages", json.dumps(address("GCM", {"Body": "b"})).encode()
    headers = signed("POST", path, body, monkeypatch=pinpoint.monkeypatch)
    job = Dialect("pinpoint").begin("POST", path, headers, body, now=NOW)
    with pytest.raises(pushcore.MisuseError):
        job.answer(7, None)
    wrong: dict[str, list[Any]] = {
        "secret": [{}, {"secret": 1}, [], {"secret": "x", "scopes": "all"}],
        "get": [None, [], {"a": 1}],
        "claim": [{}, {"reply": {}}, {"under_way": False}, 1],
    }
    while job.steps[0].kind == "ask":
        step = job.steps[0]
        for answer in wrong[step.data["ask"]]:
            with pytest.raises(pushcore.MessageError):
                job.answer(step.id, answer)
        with pytest.raises(pushcore.MisuseError):
            job.sent(step.id, accept(step))
        with pytest.raises(pushcore.MisuseError):
            job.unknown(step.id)
        job.answer(step.id, pinpoint.store.answer(step.data))
    step = job.steps[0]
    for answer in (None, {}, {"outcome": "maybe"}, {"status": "x"}):
        with pytest.raises(pushcore.MessageError):
            job.answer(step.id, answer)
    with pytest.raises(pushcore.MisuseError):
        step.message_to("x")
    job.answer(step.id, {"outcome": "accepted", "status": 200, "id": "m"})
    assert job.reply is not None
    assert job.reply.status == 200


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version":2}', '{"version":1,"system":"pinpoint"}', "null"])
def test_what_is_no_job_is_refused(text: str) -> None:
    with pytest.raises(pushcore.MessageError):
        Job.from_json(text)
    with pytest.raises(pushcore.MessageError):
        Step.from_json(text)


def test_what_a_dialect_and_a_job_say_of_themselves() -> None:
    assert "pinpoint" in Dialect.systems()
    dialect = Dialect("pinpoint")
    assert dialect.system == "pinpoint"
    routes = {operation: (method, path) for method, path, operation in dialect.routes}
    assert routes["SendMessages"] == ("POST", "/v1/apps/{application-id}/messages")
    # Every operation is one of the service's, by the same method and path; seven channels share one route.
    import botocore.session

    model = botocore.session.get_session().get_service_model("pinpoint")
    for operation, (method, path) in routes.items():
        for channel in (
            ("Gcm", "ApnsVoipSandbox") if operation in ("GetChannel", "UpdateChannel", "DeleteChannel") else ("",)
        ):
            http = model.operation_model(
                operation.replace("Channel", channel + "Channel") if channel else operation
            ).http
            name = {"Gcm": "gcm", "ApnsVoipSandbox": "apns_voip_sandbox"}.get(channel, "")
            assert (http["method"], http["requestUri"]) == (method, path.replace("{channel}", name))
    job = dialect.begin("POST", f"/v1/apps/{APP}/messages", [], b"{}", now=NOW + 0.25)
    assert (job.system, job.operation, job.began) == ("pinpoint", "SendMessages", NOW + 0.25)
    assert dialect.begin("GET", "/nowhere", [], b"").operation is None
    with pytest.raises(TypeError):
        dialect.begin("GET", "/", [("a",)], b"")
    with pytest.raises(pushcore.MessageError):
        dialect.begin("GET", "http://localhost/", [], b"")
