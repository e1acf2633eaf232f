"""Hostile and honest input: nothing but the documented exceptions, nothing lost on the way."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import json
import pathlib
import pickle
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pushcore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

TOKEN = "ab" * 32
SURROGATE = "\ud800"

EXPECTED = (pushcore.PushcoreError, TypeError, ValueError, OverflowError)


@contextlib.contextmanager
def refused(taken: Counter[bool]) -> Iterator[None]:
    """Counts what is taken and what is refused; a fault of ours is no refusal."""
    try:
        yield
    except EXPECTED as error:
        assert not isinstance(error, pushcore.InternalError), error  # noqa: PT017
        taken[False] += 1
    else:
        taken[True] += 1


def assert_both_happen(taken: Counter[bool], floor: float) -> None:
    """Generated input shows nothing of the half that it never reaches."""
    share = taken[True] / taken.total()
    assert floor <= share <= 1 - floor, taken


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None))
    | st.binary()
    | st.decimals()
    | st.datetimes()
    | st.timedeltas()
    | st.builds(object),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
)

APNS = [
    "token",
    "topic",
    "bundle",
    "push_type",
    "alert",
    "title",
    "subtitle",
    "body",
    "badge",
    "sound",
    "critical_volume",
    "thread_id",
    "category",
    "content_available",
    "mutable_content",
    "interruption_level",
    "relevance_score",
    "aps",
    "custom",
    "payload",
    "priority",
    "collapse_id",
    "expiration",
    "id",
    "registered_at",
    "live_activity",
]


#: What fits a field, most of the time.
FITTING: dict[str, st.SearchStrategy[Any]] = {
    "alert": st.text(min_size=1, max_size=20),
    "title": st.text(max_size=20),
    "body": st.text(max_size=20),
    "badge": st.integers(0, 99),
    "category": st.text(min_size=1, max_size=8),
    "custom": st.dictionaries(st.sampled_from(["a", "b"]), st.integers(), max_size=2),
    "mutable_content": st.booleans(),
    "priority": st.sampled_from([10, 5]),
    "relevance_score": st.floats(0, 1),
    "thread_id": st.text(min_size=1, max_size=8),
}


def test_apns_takes_or_refuses() -> None:
    taken: Counter[bool] = Counter()
    base: dict[str, Any] = {"token": TOKEN, "topic": "com.example.app", "alert": "x"}
    fitting = st.fixed_dictionaries({}, optional=FITTING)
    wild = st.dictionaries(st.sampled_from(APNS), anything, max_size=4)

    @settings(max_examples=400, deadline=None)
    @given(fitting | wild | st.builds(lambda one, two: {**one, **two}, fitting, wild))
    def takes_or_refuses(fields: dict[str, Any]) -> None:
        with refused(taken):
            message = pushcore.ApnsMessage(**{**base, **fields})
            json.loads(message.payload)

    takes_or_refuses()
    assert_both_happen(taken, 0.1)


def test_fcm_takes_or_refuses() -> None:
    taken: Counter[bool] = Counter()
    fitting = st.fixed_dictionaries(
        {},
        optional={
            "notification": st.fixed_dictionaries(
                {}, optional={"title": st.text(max_size=9), "body": st.text(max_size=9)}
            ),
            "data": st.dictionaries(st.sampled_from(["k", "l"]), st.text(max_size=9), max_size=2),
            "fcm_options": st.just({"analytics_label": "a"}),
        },
    )

    @settings(max_examples=400, deadline=None)
    @given(fitting | st.dictionaries(st.text(max_size=12), anything, max_size=4) | anything)
    def takes_or_refuses(fields: Any) -> None:
        with refused(taken):
            json.loads(pushcore.FcmMessage(fields).payload)
        with refused(taken):
            json.loads(pushcore.FcmMessage(token="t", **fields).payload)

    takes_or_refuses()
    assert_both_happen(taken, 0.1)


texts = st.text(st.characters(codec=None), max_size=8) | st.sampled_from(["title", "body", "image", "from", 'a"\\b'])
values = texts | st.none() | st.integers()


def said(make: Callable[[], pushcore.FcmMessage]) -> tuple[str, bytes | str]:
    """What a message says, or why there is none."""
    try:
        return "made", make().payload
    except EXPECTED as error:
        assert not isinstance(error, pushcore.InternalError), error  # noqa: PT017
        return type(error).__name__, str(error)


@settings(max_examples=500, deadline=None)
@given(
    token=st.sampled_from(["t", 'a"\\b', "", "a b", SURROGATE, 1, None]),
    notification=st.none() | st.dictionaries(texts, values, max_size=3) | st.just(1),
    data=st.none() | st.dictionaries(texts | st.integers(), values, max_size=12) | texts,
)
def test_plain_fcm_messages_take_a_shorter_way_to_the_same(token: Any, notification: Any, data: Any) -> None:
    given = {"token": token, "notification": notification, "data": data}
    given = {name: value for name, value in given.items() if value is not None}
    keywords = said(lambda: pushcore.FcmMessage(**given))
    # A keyword that the shorter way does not know, and that says nothing.
    assert keywords == said(lambda: pushcore.FcmMessage(**given, topic=None))
    assert keywords == said(lambda: pushcore.FcmMessage(given))


@settings(max_examples=200, deadline=None)
@given(anything, anything, anything)
def test_the_rest_takes_or_refuses(one: Any, two: Any, three: Any) -> None:
    attempts = (
        lambda: pushcore.Subscription(one),
        lambda: pushcore.WebPushMessage(subscription=one, payload=two, ttl=three),
        lambda: pushcore.AdmMessage(registration_id=one, data=two, expires_after=three),
        lambda: pushcore.BaiduMessage(channel_id=one, text=two, send_at=three),
        lambda: pushcore.SigningKey.read(one),
        lambda: pushcore.ApnsCredentials.from_p8(b"x", key_id=one, team_id=two, topics=three),
        lambda: pushcore.FcmCredentials.from_file({"type": one, "a": two}, project=three),
        lambda: pushcore.VapidCredentials(one if isinstance(one, bytes) else b"", subject=two),
        lambda: pushcore.AdmCredentials(one, two, token_host=three),
        lambda: pushcore.BaiduCredentials(one, two),
        lambda: pushcore.Response(one, two, three),
        lambda: pushcore.EndpointPolicy(hosts=one, ports=two, trusted=three),
        lambda: pushcore.ReceiverKeys.import_keys(one, auth=two),
        lambda: pushcore.Localized(one, two),
        lambda: pushcore.LiveActivity.end(timestamp=one, content_state=two, dismissal_date=three),
    )
    for attempt in attempts:
        with refused(Counter()):
            attempt()


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )
)  # fmt: skip
def test_json_arrives_as_it_was(value: Any) -> None:
    message = pushcore.ApnsMessage(token=TOKEN, topic="a.b", alert="x", custom={"value": value})
    assert json.loads(message.payload)["value"] == value


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 999), st.binary(max_size=200), st.dictionaries(st.text(), st.text(), max_size=3))
def test_outcomes_are_total(status: int, body: bytes, headers: dict[str, str]) -> None:
    try:
        response = pushcore.Response(status, headers, body)
    except ValueError:
        return  # A lone surrogate in a header.
    subscription = pushcore.ReceiverKeys.generate().subscription_json("https://fcm.googleapis.com/fcm/send/x")
    messages: list[pushcore.Message] = [
        pushcore.ApnsMessage(token=TOKEN, topic="a.b", alert="x"),
        pushcore.FcmMessage(token="t"),
        pushcore.WebPushMessage(subscription=subscription),
        pushcore.AdmMessage(registration_id="t", data={"a": "b"}),
        pushcore.BaiduMessage(channel_id="1", text="x"),
    ]
    for message in messages:
        outcome = pushcore.outcome(message, response)
        assert type(outcome) in pushcore.Outcome.__subclasses__()
        assert outcome.status == status
        assert outcome.body == body
        assert outcome.advice


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: pushcore.ApnsMessage(token=SURROGATE, topic="a.b", alert="x"),
        lambda: pushcore.ApnsMessage(token=TOKEN, topic="a.b", alert=SURROGATE),
        lambda: pushcore.ApnsMessage(token=TOKEN, topic="a.b", alert="x", custom={SURROGATE: 1}),
        lambda: pushcore.ApnsMessage(token=TOKEN, topic="a.b", payload=f'{{"aps":{{"alert":"{SURROGATE}"}}}}'),
        lambda: pushcore.ApnsMessage(token=TOKEN, topic=SURROGATE, alert="x"),
        lambda: pushcore.FcmMessage(token=SURROGATE),
        lambda: pushcore.FcmMessage(token="t", data={"k": SURROGATE}),
        lambda: pushcore.AdmMessage(registration_id=SURROGATE, data={"a": "b"}),
        lambda: pushcore.Subscription(SURROGATE),
        lambda: pushcore.ApnsCredentials.from_p8(b"x", key_id=SURROGATE, team_id="A" * 10),
        lambda: pushcore.ApnsMessage(token=TOKEN, topic="a.b", title=pushcore.Localized("k", SURROGATE)),
        lambda: pushcore.EndpointPolicy(hosts=[SURROGATE]),
        lambda: pushcore.Response(200, {"a": SURROGATE}),
    ],
)
def test_lone_surrogates_are_value_errors(attempt: Any) -> None:
    with pytest.raises(ValueError, match="surrogate") as caught:
        attempt()
    assert isinstance(caught.value, pushcore.MessageError)
    assert caught.value.kind is pushcore.ErrorKind.INVALID_UTF8


def test_numbers_of_the_wrong_type() -> None:
    for badge in (True, 1.0, decimal.Decimal(1), "1"):
        with pytest.raises(TypeError):
            pushcore.ApnsMessage(token=TOKEN, topic="a.b", badge=badge)  # type: ignore[arg-type]
    for badge in (-1, 2**32):
        with pytest.raises(pushcore.MessageError):
            pushcore.ApnsMessage(token=TOKEN, topic="a.b", badge=badge)
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="json"):
            pushcore.ApnsMessage(token=TOKEN, topic="a.b", alert="x", custom={"value": value})
        with pytest.raises(ValueError, match="finite"):
            pushcore.ApnsMessage(token=TOKEN, topic="a.b", alert="x", expiration=value)
    with pytest.raises(ValueError, match="127"):
        nested: dict[str, Any] = {}
        for _ in range(200):
            nested = {"a": nested}
        pushcore.ApnsMessage(token=TOKEN, topic="a.b", alert="x", custom=nested)
    cycle: dict[str, Any] = {}
    cycle["a"] = cycle
    with pytest.raises(ValueError, match="127"):
        pushcore.ApnsMessage(token=TOKEN, topic="a.b", alert="x", custom=cycle)


def header(message: pushcore.ApnsMessage, name: str) -> str | None:
    key = pushcore.SigningKey.generate()
    credentials = pushcore.ApnsCredentials.from_p8(key.to_pem(), key_id="A" * 10, team_id="B" * 10)
    return dict(message.request(credentials).headers).get(name)


def test_times() -> None:
    def expiration(value: Any) -> str | None:
        return header(pushcore.ApnsMessage(token=TOKEN, topic="a.b", alert="x", expiration=value), "apns-expiration")

    assert expiration(None) is None
    assert expiration(0) == "0"
    assert expiration(2**31) == "2147483648", "2038 is no end"
    assert expiration(2**33) == "8589934592"
    moment = datetime.datetime(2040, 1, 1, tzinfo=datetime.timezone.utc)
    assert expiration(moment) == str(int(moment.timestamp()))
    with pytest.raises(ValueError, match="time zone"):
        expiration(datetime.datetime(2040, 1, 1))
    with pytest.raises(EXPECTED):
        expiration(-1)
    with pytest.raises(EXPECTED):
        expiration(2**70)
    with pytest.raises(TypeError):
        expiration(True)


def test_tokens_and_ids_in_other_forms() -> None:
    raw = bytes(range(32))
    assert pushcore.ApnsMessage(token=raw, topic="a.b", alert="x").token == raw.hex()
    identifier = uuid.uuid4()
    assert pushcore.ApnsMessage(token=TOKEN, topic="a.b", alert="x", id=identifier).id == str(identifier)

    class Text(str):
        pass

    assert pushcore.ApnsMessage(token=Text(TOKEN), topic="a.b", alert="x").token == TOKEN


def test_bytes_in_other_forms() -> None:
    payload = b'{"aps":{"alert":"x"}}'
    for form in (
        payload,
        bytearray(payload),
        memoryview(payload),
        payload.decode(),
        memoryview(payload + b"!")[:-1],
    ):
        assert pushcore.ApnsMessage(token=TOKEN, topic="a.b", payload=form).payload == payload
    spread = bytearray()
    for byte in payload:
        spread += bytes([byte, 0])
    assert pushcore.ApnsMessage(token=TOKEN, topic="a.b", payload=memoryview(spread)[::2]).payload == payload


def test_credentials_from_what_people_have(tmp_path: pathlib.Path) -> None:
    key = pushcore.SigningKey.generate()
    file = tmp_path / "AuthKey_ABC123DEFG.p8"
    file.write_text(key.to_pem())
    ids = {"key_id": "ABC123DEFG", "team_id": "DEF123GHIJ"}
    for form in (file, str(file), key.to_pem(), key.to_pem().encode(), key.to_pem().replace("\n", "\r\n")):
        token = pushcore.ApnsCredentials.from_p8(form, **ids).provider_token()
        assert token.count(".") == 2
    with pytest.raises(FileNotFoundError):
        pushcore.ApnsCredentials.from_p8("no-such-file.p8", **ids)
    with pytest.raises(pushcore.CredentialError) as caught:
        pushcore.ApnsCredentials.from_p8(key.public_pem(), **ids)
    assert caught.value.kind is pushcore.ErrorKind.WRONG_KEY_TYPE
    assert isinstance(caught.value, ValueError)
    forms: list[Any] = [key, key.to_base64(), key.to_jwk(), key.to_der(), file]
    for vapid in forms:
        credentials = pushcore.VapidCredentials(vapid, subject="mailto:push@example.com")
        assert credentials.public_key == key.public_key


def test_nothing_secret_is_shown() -> None:
    key = pushcore.SigningKey.generate()
    credentials = pushcore.ApnsCredentials.from_p8(key.to_pem(), key_id="A" * 10, team_id="B" * 10)
    message = pushcore.ApnsMessage(token=TOKEN, topic="a.b", alert="private words")
    keys = pushcore.ReceiverKeys.generate()
    subscription = pushcore.Subscription(keys.subscription_json("https://fcm.googleapis.com/fcm/send/capability"))
    shown = " ".join(
        repr(value)
        for value in (
            key, credentials, message, message.request(credentials), keys, subscription,
            pushcore.WebPushMessage(subscription=subscription, payload="private words"),
            pushcore.FcmMessage(token="registration-token", data={"k": "private words"}),
            pushcore.AdmCredentials("client", "hunter2"), pushcore.BaiduCredentials("api", "hunter2"),
        )
    )  # fmt: skip
    secrets = (
        TOKEN,
        key.to_base64(),
        credentials.provider_token(),
        keys.auth,
        "capability",
        "private",
        "hunter2",
    )
    for secret in (*secrets, "registration-token"):
        assert secret not in shown


def test_classes_are_frozen() -> None:
    message = pushcore.ApnsMessage(token=TOKEN, topic="a.b", alert="x")
    with pytest.raises(AttributeError):
        message.topic = "c.d"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        message.other = 1  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        pushcore.Outcome()


def test_exceptions() -> None:
    bases = {
        pushcore.CredentialError: ValueError,
        pushcore.MessageError: ValueError,
        pushcore.TlsError: ConnectionError,
        pushcore.TransportError: ConnectionError,
        pushcore.NotSent: ConnectionError,
        pushcore.Unknown: ConnectionError,
        pushcore.Expired: TimeoutError,
        pushcore.MisuseError: RuntimeError,
        pushcore.InternalError: RuntimeError,
    }
    for kind, base in bases.items():
        assert issubclass(kind, base)
        assert issubclass(kind, pushcore.PushcoreError)
    with pytest.raises(pushcore.MessageError) as caught:
        pushcore.ApnsMessage(token="", topic="a.b", alert="x")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy), copy.code) == (pushcore.MessageError, str(caught.value), 200)
    assert copy.kind is pushcore.ErrorKind.INVALID_TOKEN


def test_level_one() -> None:
    key = pushcore.SigningKey.generate()
    credentials = pushcore.ApnsCredentials.from_p8(key.to_pem(), key_id="A" * 10, team_id="B" * 10)
    message = pushcore.ApnsMessage(token=TOKEN, bundle="com.example.app", push_type="voip", payload={"aps": {}})
    request = pushcore.request(message, credentials, environment="sandbox")
    assert (request.method, request.url) == ("POST", f"https://api.sandbox.push.apple.com/3/device/{TOKEN}")
    headers = dict(request.headers)
    assert headers["apns-topic"] == "com.example.app.voip"
    assert headers["authorization"].startswith("bearer ")
    response = pushcore.Response(410, {"apns-id": "x"}, b'{"reason":"Unregistered","timestamp":1500000000000}')
    match pushcore.outcome(message, response):
        case pushcore.TokenGone(since, None):
            assert since == 1_500_000_000
        case other:
            pytest.fail(repr(other))


def test_level_one_with_fcm() -> None:
    rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
    from cryptography.hazmat.primitives import serialization

    pem = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account", "project_id": "my-app", "private_key_id": "k", "private_key": pem.decode(),
        "client_email": "push@my-app.iam.gserviceaccount.com",
    }  # fmt: skip
    credentials = pushcore.FcmCredentials.from_service_account(account)
    message = pushcore.FcmMessage(token="t", notification={"title": "Hi"})
    with pytest.raises(pushcore.CredentialError) as caught:
        message.request(credentials)
    assert caught.value.kind is pushcore.ErrorKind.TOKEN_NEEDED
    asked = credentials.token_request()
    assert asked.url == "https://oauth2.googleapis.com/token"
    answer = pushcore.Response(200, None, b'{"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"}')
    assert credentials.accept_token(answer)
    request = message.request(credentials)
    assert request.url == "https://fcm.googleapis.com/v1/projects/my-app/messages:send"
    assert dict(request.headers)["authorization"] == "Bearer ya29.x"
    assert json.loads(request.body)["message"] == {"token": "t", "notification": {"title": "Hi"}}


def test_options() -> None:
    credentials = pushcore.BaiduCredentials("a", "b")
    with pytest.raises(TypeError, match="unexpected"):
        pushcore.Client.baidu(credentials, colour="red")  # type: ignore[call-arg]
    with pytest.raises(pushcore.MessageError):
        pushcore.Client.baidu(credentials, proxy="ftp://nowhere")
    with pytest.raises(pushcore.CredentialError):
        pushcore.Client.baidu(credentials, ca=b"no certificate")
    with pytest.raises(pushcore.CredentialError, match="trust"):
        pushcore.Client.baidu(credentials, bundled_roots=False)
    with pytest.raises(pushcore.MessageError):
        pushcore.Client.baidu(credentials, host="not a host")
    for wrong in (-1, float("nan"), 1e300):
        with pytest.raises(ValueError, match="duration"):
            pushcore.Client.baidu(credentials, deadline=wrong)
