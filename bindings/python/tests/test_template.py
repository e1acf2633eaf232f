"""A message without a target: what a campaign has in common."""

from __future__ import annotations

import asyncio
import json
import pickle
from typing import Any

import pushcore
import pushcore.aio
import pytest
from pushcore.testing import FakeClient, Sandbox

TOKEN = "ab" * 32
SUBSCRIPTION = pushcore.ReceiverKeys.generate().subscription_json("https://fcm.googleapis.com/x")
#: A form without a target, a target, and the same message made by its class.
FORMS: list[tuple[str, dict[str, Any], Any, Any]] = [
    (
        "apns",
        {"push_type": "alert", "topic": "a.b", "payload": {"raw": '{"aps":{"alert":"x"}}'}},
        TOKEN,
        pushcore.ApnsMessage(token=TOKEN, topic="a.b", alert="x"),
    ),
    ("fcm", {"data": {"k": "v"}}, "fcm-1", pushcore.FcmMessage(token="fcm-1", data={"k": "v"})),
    ("fcm", {"data": {"k": "v"}}, '{"topic":"news"}', pushcore.FcmMessage(topic="news", data={"k": "v"})),
    ("adm", {"data": {"k": "v"}}, "adm-1", pushcore.AdmMessage(registration_id="adm-1", data={"k": "v"})),
    ("web_push", {"payload": "x"}, SUBSCRIPTION, pushcore.WebPushMessage(subscription=SUBSCRIPTION, payload="x")),
]


@pytest.mark.parametrize(("service", "form", "target", "whole"), FORMS)
def test_a_template_and_a_target_make_the_message(service: Any, form: Any, target: Any, whole: Any) -> None:
    template = pushcore.Template(service, form)
    assert template.service == service
    made = template.to(target)
    assert (type(made), made, made.payload) == (type(whole), whole, whole.payload)
    assert whole.template().to(target) == whole
    again = pickle.loads(pickle.dumps(template))
    assert (again, hash(again), again.to_json()) == (template, hash(template), template.to_json())
    assert pushcore.Template(service, template.to_json()) == template
    assert target not in repr(template)


def test_what_is_no_template() -> None:
    with pytest.raises(pushcore.MessageError) as raised:
        pushcore.Template("fcm", {"token": "t", "data": {"k": "v"}})
    assert raised.value.kind == pushcore.ErrorKind.INVALID_TARGET
    with pytest.raises(pushcore.MessageError, match="titel"):
        pushcore.Template("fcm", {"notification": {"titel": "x"}})
    broadcast = pushcore.ApnsBroadcast(
        bundle="com.example.app",
        channel="dHN0LXNyY2gtY2hubA==",
        live_activity=pushcore.LiveActivity.update(timestamp=1_700_000_000, content_state={"s": 1}),
    )
    with pytest.raises(pushcore.MessageError, match="broadcast"):
        broadcast.template()
    with pytest.raises(pushcore.MessageError, match="hex"):
        pushcore.Template("apns", FORMS[0][1]).to("no token")


def test_a_subscription_under_a_policy(sandbox: Sandbox) -> None:
    [active] = sandbox.targets("web_push")
    template = pushcore.Template("web_push", {"payload": "x"})
    with pytest.raises(pushcore.MessageError) as raised:
        template.to(active, policy=pushcore.EndpointPolicy())
    assert raised.value.kind == pushcore.ErrorKind.ENDPOINT_NOT_ALLOWED
    allowed: Any = template.to(active, policy=sandbox.policy())
    assert allowed.request(sandbox.vapid_credentials()).method == "POST"
    # Without a policy of its own the endpoint is checked when it is to be sent to.
    unasked: Any = template.to(active)
    with pytest.raises(pushcore.MessageError):
        unasked.request(sandbox.vapid_credentials())


def test_every_way_of_many(sandbox: Sandbox) -> None:
    """No token of nobody's is needed any more."""
    tokens = sandbox.targets("apns", 20)
    payload = {"raw": json.dumps({"aps": {"alert": "x"}})}
    form = {"push_type": "alert", "topic": sandbox.ready["apns"]["topic"], "payload": payload}
    template = pushcore.Template("apns", form)
    with sandbox.apns(pushcore.Client) as client:
        ends = [result.name for _, result in client.send_many(tokens, message=template)]
        batch = client.batch(message=template)
        assert batch.submit(list(enumerate(tokens))) == 20
        while batch.in_flight:
            ends += [result.name for _, result in batch.wait()]

    async def main() -> None:
        async with sandbox.apns(pushcore.aio.Client) as client:
            ends.extend([result.name async for _, result in client.send_many(tokens, message=template)])

    asyncio.run(main())
    assert ends == ["accepted"] * 60
    fake = FakeClient()
    assert [result.name for _, result in fake.send_many(tokens, message=template)] == ["accepted"] * 20
    assert fake.targets == tokens
