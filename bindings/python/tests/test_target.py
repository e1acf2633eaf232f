"""A target of any service as a value."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pushcore
import pytest
from pushcore.testing import FakeClient

TOKEN = "ab" * 32
SUBSCRIPTION = pushcore.ReceiverKeys.generate().subscription_json("https://fcm.googleapis.com/x")
CHANNEL = "3785562685113372034"

#: A service, what a target is made from, its text, and a message to another target with its form to this one.
TARGETS: list[tuple[Any, Any, str, dict[str, Any], dict[str, Any]]] = [
    (
        "apns",
        TOKEN,
        TOKEN,
        {"push_type": "alert", "topic": "a.b", "payload": {"aps": {"alert": "x"}}},
        {"device": TOKEN},
    ),
    (
        "apns",
        bytes.fromhex(TOKEN),
        TOKEN,
        {"push_type": "alert", "topic": "a.b", "payload": {"aps": {"alert": "x"}}},
        {"device": TOKEN},
    ),
    ("fcm", "fcm-1", "fcm-1", {"data": {"k": "v"}}, {"token": "fcm-1"}),
    ("fcm", {"topic": "news"}, '{"topic":"news"}', {"data": {"k": "v"}}, {"topic": "news"}),
    ("fcm", '{"fid": "c1xYz_-09"}', '{"fid":"c1xYz_-09"}', {"data": {"k": "v"}}, {"fid": "c1xYz_-09"}),
    ("adm", "adm-1", "adm-1", {"data": {"k": "v"}}, {"registration_id": "adm-1"}),
    ("adm", {"group": "g"}, '{"group":"g"}', {"data": {"k": "v"}}, {"group": "g"}),
    (
        "baidu",
        CHANNEL,
        CHANNEL,
        {"kind": "android", "msg": '{"description":"x"}'},
        {"target": {"device": CHANNEL}},
    ),
    (
        "baidu",
        {"all": True},
        '{"all":true}',
        {"kind": "android", "msg": '{"description":"x"}'},
        {"target": {"all": True}},
    ),
    ("web_push", SUBSCRIPTION, SUBSCRIPTION, {"payload": "x"}, {"subscription": json.loads(SUBSCRIPTION)}),
]
#: Another target of each service.
OTHERS: dict[str, Any] = {
    "apns": "cd" * 32,
    "fcm": "fcm-2",
    "adm": "adm-2",
    "baidu": "1",
    "web_push": pushcore.ReceiverKeys.generate().subscription_json("https://fcm.googleapis.com/y"),
}


@pytest.mark.parametrize(("service", "given", "text", "form", "expected"), TARGETS)
def test_a_target_is_a_value(service: Any, given: Any, text: str, form: Any, expected: dict[str, Any]) -> None:
    target = pushcore.Target(service, given)
    assert (target.service, target.to_text()) == (service, text)
    for same in (
        pushcore.Target(service, text),
        pushcore.Target(service, target),
        pickle.loads(pickle.dumps(target)),
        copy.deepcopy(target),
    ):
        assert (same, hash(same), same.to_text()) == (target, hash(target), text)
    other = pushcore.Target(service, OTHERS[service])
    assert other != target
    assert target != text
    # Neither a token nor an endpoint is for logs.
    assert repr(target) == f"<Target {service}>"

    template = pushcore.Template(service, form)
    made = template.to(target)
    assert made == template.to(text)
    written = json.loads(made.to_json())
    # FCM's form is the body of the request, in Google's words.
    assert expected.items() <= written.get("message", written).items()
    # From one target to another and back.
    away: Any = template.to(other)
    assert (away, away.target) == (template.to(OTHERS[service]), other.to_text())
    assert (away.to(target), type(away.to(target))) == (made, type(made))


def test_a_target_says_what_is_wrong_when_it_is_made() -> None:
    for service, given, kind in (
        ("apns", "no token", pushcore.ErrorKind.INVALID_TOKEN),
        ("fcm", {"topic": "a b"}, pushcore.ErrorKind.INVALID_TOPIC),
        ("fcm", {"topic": "a", "fid": "b"}, pushcore.ErrorKind.INVALID_TARGET),
        ("fcm", {"group": "a"}, pushcore.ErrorKind.INVALID_TARGET),
    ):
        with pytest.raises(pushcore.MessageError) as raised:
            pushcore.Target(service, given)  # type: ignore[arg-type]
        assert raised.value.kind == kind, (service, given)
    with pytest.raises(TypeError, match="a token as str"):
        pushcore.Target("fcm", 5)  # type: ignore[arg-type]
    with pytest.raises(pushcore.PushcoreError):
        pushcore.Target("hms", "x")  # type: ignore[arg-type]


def test_a_message_goes_to_no_target_of_another_service() -> None:
    message = pushcore.FcmMessage(token="fcm-1", data={"k": "v"})
    with pytest.raises(pushcore.MessageError) as raised:
        message.to(pushcore.Target("adm", "adm-1"))
    assert raised.value.kind == pushcore.ErrorKind.INVALID_TARGET
    push = pushcore.ApnsMessage(token=TOKEN, topic="a.b", alert="x")
    with pytest.raises(pushcore.MessageError) as raised:
        push.to(pushcore.Target("fcm", "fcm-1"))
    assert raised.value.kind == pushcore.ErrorKind.INVALID_TARGET


def test_a_subscription_is_checked_with_the_policy_it_came_with() -> None:
    elsewhere = pushcore.ReceiverKeys.generate().subscription_json("https://push.example.org/x")
    with pytest.raises(pushcore.MessageError) as raised:
        pushcore.Target("web_push", elsewhere)
    assert raised.value.kind == pushcore.ErrorKind.ENDPOINT_NOT_ALLOWED
    policy = pushcore.EndpointPolicy(hosts=["push.example.org"])
    target = pushcore.Target("web_push", elsewhere, policy=policy)
    # The policy has been asked, and is not asked again after a journey to another process.
    assert pickle.loads(pickle.dumps(target)) == target
    credentials = pushcore.VapidCredentials(pushcore.SigningKey.generate(), subject="mailto:a@example.org")
    message = pushcore.WebPushMessage(subscription=SUBSCRIPTION, payload="x").to(target)
    assert message.request(credentials).url.startswith("https://push.example.org/")


def test_a_bulk_send_goes_to_targets() -> None:
    message = pushcore.FcmMessage(token="fcm-1", data={"k": "v"})
    topic, device = pushcore.Target("fcm", {"topic": "news"}), pushcore.Target("fcm", "fcm-2")
    client = FakeClient()
    client.answer_for(topic, pushcore.Rejected(status=400, reason="A_REASON"))
    ends = dict(client.send_many([topic, device], message=message))
    assert isinstance(ends[topic], pushcore.Rejected)
    assert isinstance(ends[device], pushcore.Accepted)
    assert client.targets == ['{"topic":"news"}', "fcm-2"]
    assert client.messages_to(device) == [message.to(device)]
