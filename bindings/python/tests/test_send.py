"""One message of each kind to each service, and what comes back."""

from __future__ import annotations

import json

import pushcore
import pytest
from pushcore.testing import Sandbox

TOPIC = "topic"


def apns_message(sandbox: Sandbox, name: str, **parts: object) -> pushcore.ApnsMessage:
    apns = sandbox.ready["apns"]
    parts = parts or {"alert": "hello"}
    return pushcore.ApnsMessage(token=apns["tokens"][name], topic=apns["topic"], **parts)  # type: ignore[arg-type]


def test_apns_accepts(sandbox: Sandbox) -> None:
    with sandbox.apns(pushcore.Client) as client:
        message = apns_message(
            sandbox,
            "valid",
            title="Cozie",
            subtitle="Study 7",
            body="How do you feel?",
            sound="default",
            mutable_content=True,
            custom={"buttons": [{"i": "warm", "n": "Warm"}, {"i": "cold", "n": "Cold"}]},
        )
        outcome = client.send(message)
    assert isinstance(outcome, pushcore.Accepted)
    assert outcome.status == 200
    assert outcome.id is not None
    assert len(outcome.id) == 36
    [record] = sandbox.log(service="apns", accepted=True)
    assert record["id"] == outcome.id
    body = json.loads(record["body"]) if isinstance(record["body"], str) else record["body"]
    assert body["aps"]["alert"] == {"title": "Cozie", "subtitle": "Study 7", "body": "How do you feel?"}
    assert body["aps"]["mutable-content"] == 1
    assert body["buttons"][1] == {"i": "cold", "n": "Cold"}


def test_apns_refusals_are_outcomes(sandbox: Sandbox) -> None:
    with sandbox.apns(pushcore.Client) as client:
        match client.send(apns_message(sandbox, "unregistered")):
            case pushcore.TokenGone(since=since) as gone:
                assert since is not None
                assert abs(since - sandbox.ready["apns"]["unregistered_at_ms"] / 1000) < 0.01
                assert gone.reason == "Unregistered"
                assert gone.applies_to(since - 1)
                assert not gone.applies_to(since)
            case other:
                pytest.fail(repr(other))
        late = sandbox.ready["apns"]["unregistered_at_ms"] / 1000 + 60
        again = client.send(apns_message(sandbox, "unregistered", alert="x", registered_at=late))
        assert isinstance(again, pushcore.RetryLater)
        throttled = client.send(apns_message(sandbox, "throttled"))
        assert isinstance(throttled, pushcore.RetryLater)
        assert throttled.scope == "device"
        other_topic = client.send(apns_message(sandbox, "other_topic"))
        match other_topic:
            case pushcore.TokenMismatch("DeviceTokenNotForTopic", ("topic",)):
                assert other_topic.advice == "keep the token; check the topic (the app's bundle id)"
            case other:
                pytest.fail(repr(other))
        assert client.stats()["submitted"] == 4


def test_fcm(sandbox: Sandbox) -> None:
    tokens = sandbox.ready["fcm"]["tokens"]
    with sandbox.fcm(pushcore.Client) as client:
        message = pushcore.FcmMessage(
            token=tokens["valid"],
            notification={"title": "Portugal vs. Denmark", "body": "great match!"},
            data={"k": "v"},
            android={"ttl": "60s", "priority": "HIGH"},
        )
        outcome = client.send(message)
        assert isinstance(outcome, pushcore.Accepted)
        assert outcome.id is not None
        assert outcome.id.startswith("projects/")
        gone = client.send(message.to(tokens["unregistered"]))
        assert isinstance(gone, pushcore.TokenGone)
        # The same message was accepted for another token: it is not the sender that is wrong.
        foreign = client.send(message.to(tokens["other_project"]))
        assert isinstance(foreign, pushcore.TokenGone)
        assert foreign.reason == "SENDER_ID_MISMATCH"
        slow = client.send(message.to(tokens["throttled"]))
        assert isinstance(slow, pushcore.RetryLater)
        assert slow.after == 60
    [record] = sandbox.log(service="fcm", operation="push", accepted=True)
    assert record["target"] == tokens["valid"]


def test_fcm_takes_googles_own_json(sandbox: Sandbox) -> None:
    token = sandbox.ready["fcm"]["tokens"]["valid"]
    for whole in (
        {"message": {"token": token, "notification": {"title": "t"}}, "validate_only": True},
        json.dumps({"message": {"token": token, "notification": {"title": "t"}}}),
        {"token": token, "notification": {"title": "t"}},
    ):
        with sandbox.fcm(pushcore.Client) as client:
            assert isinstance(client.send(pushcore.FcmMessage(whole)), pushcore.Accepted)


@pytest.mark.parametrize("provider", ["plain", "mozilla", "fcm", "apple", "wns"])
def test_web_push(sandbox: Sandbox, provider: str) -> None:
    subscriptions = sandbox.ready["webpush"]["providers"][provider]
    policy = sandbox.policy()
    with sandbox.web_push(pushcore.Client) as client:
        message = pushcore.WebPushMessage(
            subscription=subscriptions["active"],
            payload={"title": "Foo", "body": "größer"},
            ttl=60,
            urgency="high",
            topic="scores",
            policy=policy,
        )
        outcome = client.send(message)
        assert isinstance(outcome, pushcore.Accepted), outcome
        gone = client.send(message.to(subscriptions["expired"], policy=policy))
        assert isinstance(gone, pushcore.TokenGone)
    [record] = sandbox.log(service="webpush", accepted=True)
    assert record["decrypted"] == {"title": "Foo", "body": "größer"}


def test_adm(sandbox: Sandbox) -> None:
    registrations = sandbox.ready["adm"]["registrations"]
    with sandbox.adm(pushcore.Client) as client:
        message = pushcore.AdmMessage(registration_id=registrations["valid"], data={"message": "hello"})
        assert isinstance(client.send(message), pushcore.Accepted)
        assert isinstance(client.send(message.to(registrations["unregistered"])), pushcore.TokenGone)
        match client.send(message.to(registrations["replaced"])):
            case pushcore.Accepted(replacement=replacement):
                assert replacement == registrations["replacement"]
            case other:
                pytest.fail(repr(other))


def test_baidu(sandbox: Sandbox) -> None:
    channels = sandbox.ready["baidu"]["channels"]
    with sandbox.baidu(pushcore.Client) as client:
        message = pushcore.BaiduMessage(channel_id=channels["valid"], text="hello", title="greeting")
        assert isinstance(client.send(message), pushcore.Accepted)
        assert not isinstance(client.send(message.to(channels["unknown"])), pushcore.Accepted)


def test_wrong_ca_is_a_tls_error(sandbox: Sandbox) -> None:
    with sandbox.apns(pushcore.Client, ca=None) as client, pytest.raises(pushcore.PushcoreError) as caught:
        client.send(apns_message(sandbox, "valid"), deadline=20)
    assert "issuer" in str(caught.value) or "certificate" in str(caught.value)


def test_nobody_listens(sandbox: Sandbox) -> None:
    with (
        sandbox.apns(pushcore.Client, host="127.0.0.1:1") as client,
        pytest.raises(pushcore.NotSent) as caught,
    ):
        client.send(apns_message(sandbox, "valid"), deadline=30)
    assert isinstance(caught.value, ConnectionError)
    assert "127.0.0.1:1" in str(caught.value)


def test_deadline(sandbox: Sandbox) -> None:
    sandbox.control("POST", "faults", {"service": "apns", "action": {"kind": "no_answer"}})
    with sandbox.apns(pushcore.Client) as client, pytest.raises(pushcore.Unknown) as caught:
        client.send(apns_message(sandbox, "valid"), deadline=0.5)
    assert caught.value.code == pushcore.ErrorKind.UNKNOWN


def test_message_for_another_service(sandbox: Sandbox) -> None:
    with sandbox.fcm(pushcore.Client) as client, pytest.raises(pushcore.MisuseError):
        client.send(apns_message(sandbox, "valid"))
