"""Values travel between processes; credentials do not."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
import time
from typing import Any

import pushcore
import pytest
from pushcore.testing import Sandbox

SUBSCRIPTION = pushcore.ReceiverKeys.generate().subscription_json(
    "https://updates.push.services.mozilla.com/wpush/v2/a"
)

OUTCOMES: list[pushcore.Outcome] = [
    pushcore.ApnsMessage(token="ab", topic="a.b", alert="x").outcome(
        pushcore.Response(status, headers, body), now=1_700_000_000
    )
    for status, headers, body in [
        (200, {"apns-id": "eabeae54-14a8-11e5-b60b-1697f925ec7b", "apns-unique-id": "u"}, b""),
        (410, {}, b'{"reason":"Unregistered","timestamp":1600000000123}'),
        (429, {"retry-after": "7"}, b'{"reason":"TooManyRequests"}'),
        (403, {}, b'{"reason":"ExpiredProviderToken"}'),
        (400, {}, b'{"reason":"BadTopic"}'),
        (400, {}, b'{"reason":"NeverHeardOf"}'),
        (500, {}, b"<html>\xff"),
    ]
]
OUTCOMES.append(
    pushcore.WebPushMessage(subscription=SUBSCRIPTION).outcome(
        pushcore.Response(201, {"location": "https://updates.push.services.mozilla.com/m/1", "ttl": "60"})
    )
)

MESSAGES: list[Any] = [
    pushcore.ApnsMessage(
        token="ab" * 32,
        bundle="com.example.app",
        push_type="voip",
        alert={"title": "T"},
        collapse_id="c",
        priority=5,
        expiration=1_800_000_000,
        id="eabeae54-14a8-11e5-b60b-1697f925ec7b",
        registered_at=1_700_000_000.123,
    ),
    pushcore.ApnsMessage(token="ab", topic="com.example.app", alert="x", expiration=0),
    pushcore.ApnsMessage(token="ab", topic="com.example.app", alert="x").to("cd", expiration=1_800_000_000),
    pushcore.ApnsBroadcast(
        bundle="com.example.app",
        channel="abcd",
        storage="most_recent",
        expiration=1_800_000_000,
        live_activity=pushcore.LiveActivity.end(timestamp=1_800_000_005),
    ),
    pushcore.FcmMessage(token="t", data={"k": "v"}, validate_only=True),
    pushcore.FcmMessage(condition="'a' in topics", notification={"title": "T"}),
    pushcore.WebPushMessage(subscription=SUBSCRIPTION, payload={"a": 1}, ttl=60, urgency="high", topic="t", pad_to=100),
    pushcore.WebPushMessage(subscription=SUBSCRIPTION, payload="x").to(SUBSCRIPTION),
    pushcore.AdmMessage(registration_id="r", data={"k": "v"}, priority="high", expires_after=60, md5=True),
    pushcore.AdmMessage(registration_id="r", data={"k": "v"}, extra={"x": [1]}).to("s"),
    pushcore.BaiduMessage(channel_id="1", text="x", title="t", extra={"x": [1]}, topic_id="i"),
    pushcore.BaiduMessage(tag="all", raw={"a": 1}, send_at=time.time() + 3600),
    pushcore.BaiduMessage(channel_ids=["1", "2"], text="x").to("3"),
]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", [*OUTCOMES, *MESSAGES], ids=repr)
def test_round_trip(value: Any, protocol: int) -> None:
    again = pickle.loads(pickle.dumps(value, protocol))
    assert type(again) is type(value)
    assert again == value
    assert hash(again) == hash(value)
    assert repr(again) == repr(value)
    names = "status reason reason_is_known body advice payload id since after scope unique_id location ttl replacement"
    for name in f"{names} refreshable reconnect token topic push_type".split():
        assert getattr(again, name, None) == getattr(value, name, None), name


def test_the_same_request() -> None:
    """What travelled makes the same requests."""
    key = pushcore.SigningKey.generate().to_pem()
    apns = pushcore.ApnsCredentials.from_p8(key, key_id="ABC123DEFG", team_id="DEF123GHIJ")
    vapid = pushcore.VapidCredentials(key, subject="mailto:a@example.com")
    baidu = pushcore.BaiduCredentials("a", "b")
    fcm = pushcore.FcmCredentials.from_access_tokens("p")
    fcm.supply_token("t", lifetime=3600)
    adm = pushcore.AdmCredentials("id", "secret")
    adm.accept_token(pushcore.Response(200, {}, b'{"access_token":"t","expires_in":3600,"token_type":"bearer"}'))
    compared = set()
    for message in MESSAGES:
        again = pickle.loads(pickle.dumps(message))
        if isinstance(message, (pushcore.ApnsMessage, pushcore.ApnsBroadcast)):
            if isinstance(message, pushcore.ApnsBroadcast):
                continue  # its expiration is far off on purpose
            requests = [m.request(apns) for m in (message, again)]
        elif isinstance(message, pushcore.WebPushMessage):
            requests = [m.request(vapid) for m in (message, again)]
            assert len(requests[0].body) == len(requests[1].body)
            assert requests[0].headers == requests[1].headers
            continue
        elif isinstance(message, pushcore.BaiduMessage):
            now = time.time()
            requests = [m.request(baidu, now=now) for m in (message, again)]
        elif isinstance(message, pushcore.FcmMessage):
            requests = [m.request(fcm) for m in (message, again)]
        else:
            requests = [m.request(adm) for m in (message, again)]
        compared.add(type(message).__name__)
        ours, theirs = requests
        assert (ours.url, sorted(ours.headers), ours.body) == (theirs.url, sorted(theirs.headers), theirs.body)
    assert compared >= {"ApnsMessage", "FcmMessage", "AdmMessage", "BaiduMessage"}


@pytest.mark.parametrize("value", [*OUTCOMES, *MESSAGES, pushcore.Subscription(SUBSCRIPTION)], ids=repr)
def test_copies(value: Any) -> None:
    assert copy.copy(value) is value
    assert copy.deepcopy({"in": [value]})["in"][0] is value
    assert value != "something else"
    assert value != object()
    assert {value: 1}[pickle.loads(pickle.dumps(value))] == 1


def test_messages_compare_by_what_they_say() -> None:
    one = pushcore.ApnsMessage(token="ab", topic="com.example.app", alert="x")
    assert one == pushcore.ApnsMessage(token="AB", topic="com.example.app", alert="x")
    assert one != pushcore.ApnsMessage(token="ab", topic="com.example.app", alert="y")
    assert one != one.to("cd")
    assert one.to("cd") == one.to("cd")
    assert one != one.to("ab", id="eabeae54-14a8-11e5-b60b-1697f925ec7b")
    assert pushcore.FcmMessage(token="a", data={"k": "v"}) == pushcore.FcmMessage(token="b", data={"k": "v"}).to("a")
    data = {"k": "v"}
    adm = pushcore.AdmMessage(registration_id="r", data=data)
    data["k"] = "w"
    assert pickle.loads(pickle.dumps(adm)).payload == adm.payload, "a dict that changes later changes nothing"


def test_a_subscription_travels() -> None:
    subscription = pushcore.Subscription(SUBSCRIPTION, created_at=1_700_000_000)
    again = pickle.loads(pickle.dumps(subscription))
    assert again == subscription
    assert again.endpoint == subscription.endpoint
    assert pickle.loads(pickle.dumps(pushcore.Localized("key", "a", "b"))) == pushcore.Localized("key", "a", "b")


def test_a_subscription_of_ones_own_service_travels(sandbox: Sandbox) -> None:
    """The client's policy decides where it sends, whatever a pickle says."""
    given = sandbox.control("POST", "webpush/subscriptions", {})
    message = pushcore.WebPushMessage(subscription=given, payload="x", policy=sandbox.policy())
    again = pickle.loads(pickle.dumps(message))
    with sandbox.web_push(pushcore.Client) as client:
        assert client.send(again).name == "accepted"
    with (
        sandbox.web_push(pushcore.Client, policy=pushcore.EndpointPolicy()) as client,
        pytest.raises(pushcore.MessageError),
    ):
        client.send(again)


ERRORS = [
    pushcore.NotSent("a", 500, "NotSent"),
    pushcore.Unknown("b", 501, "Unknown"),
    pushcore.MessageError("c", 200, "InvalidToken"),
    pushcore.CredentialError("d", 100, "InvalidKey"),
]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_errors(error: pushcore.PushcoreError) -> None:
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is type(error)
        assert (str(again), again.code, again.kind, again.name) == (str(error), error.code, error.kind, error.name)


def secrets(sandbox: Sandbox) -> list[Any]:
    key = pushcore.SigningKey.generate()
    apns = pushcore.ApnsCredentials.from_p8(key.to_pem(), key_id="ABC123DEFG", team_id="DEF123GHIJ")
    return [
        key,
        apns,
        sandbox.fcm_credentials(),
        sandbox.vapid_credentials(),
        sandbox.adm_credentials(),
        sandbox.baidu_credentials(),
        pushcore.ReceiverKeys.generate(),
        pushcore.ApnsMessage(token="ab", topic="a.b", alert="x").request(apns),
    ]


def test_secrets_do_not_travel(sandbox: Sandbox) -> None:
    for secret in secrets(sandbox):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="it holds secrets"):
                pickle.dumps(secret, protocol)
        assert copy.copy(secret) is secret
        assert copy.deepcopy([secret])[0] is secret
    with sandbox.apns(pushcore.Client) as client:
        for thing in (client, client.service, client._blocking):
            with pytest.raises(TypeError):
                pickle.dumps(thing)


def test_in_another_process() -> None:
    """As Celery and multiprocessing do it: nothing is imported there before."""
    program = "import pickle, sys; print(*map(repr, pickle.load(sys.stdin.buffer)), sep='\\n')"
    values = [*OUTCOMES, *MESSAGES]
    done = subprocess.run([sys.executable, "-c", program], input=pickle.dumps(values), capture_output=True, check=True)
    assert done.stdout.decode().splitlines() == [repr(value) for value in values]


hypothesis = pytest.importorskip("hypothesis")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

BODIES = st.one_of(
    st.binary(max_size=200),
    st.builds(
        lambda reason, stamp: json.dumps({"reason": reason, "timestamp": stamp}).encode(),
        st.one_of(
            st.text(max_size=40),
            st.sampled_from(["Unregistered", "BadDeviceToken", "BadTopic", "TooManyRequests", "Shutdown"]),
        ),
        st.integers(-(2**70), 2**70),
    ),
)


@settings(max_examples=300, deadline=None)
@given(
    status=st.integers(100, 599),
    body=BODIES,
    headers=st.dictionaries(
        st.sampled_from(["apns-id", "apns-unique-id", "retry-after", "location", "ttl"]),
        st.one_of(
            st.text(st.characters(codec="ascii", min_codepoint=33), max_size=60), st.from_regex(r"\A[0-9]{1,6}\Z")
        ),
    ),
)
def test_any_answer_survives(status: int, body: bytes, headers: dict[str, str]) -> None:
    """Whatever a service says, in every service's reading of it."""
    response = pushcore.Response(status, headers, body)
    apns = pushcore.ApnsMessage(token="ab", topic="a.b", alert="x")
    for message in (apns, pushcore.FcmMessage(token="t", data={"k": "v"}), MESSAGES[6], MESSAGES[8], MESSAGES[10]):
        outcome = message.outcome(response, now=1_700_000_000)
        again = pickle.loads(pickle.dumps(outcome))
        assert again == outcome
        assert repr(again) == repr(outcome)
        assert again.reason_is_known == outcome.reason_is_known
        assert pickle.dumps(again) == pickle.dumps(outcome)
