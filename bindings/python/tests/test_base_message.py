"""The base class of all messages: one `request`, one `outcome`, whichever service it is."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pushcore
import pytest

TOKEN = "ab" * 32
NOW = 1_700_000_000


def subscription(host: str) -> str:
    return pushcore.ReceiverKeys.generate().subscription_json(f"https://{host}/send/x")


def messages() -> list[Any]:
    channel = pushcore.ApnsBroadcast(bundle="com.example.app", channel="dHN0LXNyY2gtY2hubA==", payload={"aps": {
        "event": "update", "timestamp": NOW, "content-state": {}}})  # fmt: skip
    return [
        pushcore.ApnsMessage(token=TOKEN, bundle="com.example.app", alert="x"),
        channel,
        pushcore.FcmMessage(token="t", data={"a": "b"}),
        pushcore.WebPushMessage(subscription=subscription("fcm.googleapis.com"), payload="naïve"),
        pushcore.AdmMessage(registration_id="r", data={"a": "b"}),
        pushcore.AdmAudienceMessage(topic="weather", data={"a": "b"}),
        pushcore.BaiduMessage(channel_id="1", raw={"a": 1}),
    ]


@pytest.fixture(scope="module")
def credentials() -> dict[str, Any]:
    key = pushcore.SigningKey.generate()
    fcm = pushcore.FcmCredentials.from_access_tokens("my-app")
    fcm.supply_token("ya29.x", lifetime=3600)
    adm = pushcore.AdmCredentials("client", "secret")
    adm.accept_token(pushcore.Response(200, None, b'{"access_token":"Atc|x","expires_in":3600,"token_type":"Bearer"}'))
    return {
        "apns": pushcore.ApnsCredentials.from_p8(key.to_pem(), key_id="A" * 10, team_id="B" * 10),
        "fcm": fcm,
        "web_push": pushcore.VapidCredentials(key, subject="mailto:push@example.com"),
        "adm": adm,
        "baidu": pushcore.BaiduCredentials("api", "secret"),
    }


KINDS = ["apns", "apns", "fcm", "web_push", "adm", "adm", "baidu"]


def test_every_class_is_a_message() -> None:
    for message in messages():
        assert isinstance(message, pushcore.BaseMessage)
        assert type(message).__mro__[1] is pushcore.BaseMessage
    with pytest.raises(TypeError):
        pushcore.BaseMessage()


def test_every_message_goes_with_its_own_credentials_only(credentials: dict[str, Any]) -> None:
    for kind, message in zip(KINDS, messages(), strict=True):
        for other, given in credentials.items():
            if other == kind:
                assert message.request(given).url.startswith("https://")
            else:
                with pytest.raises(TypeError, match=f"credentials of {kind}, not of {other}"):
                    message.request(given)
        with pytest.raises(TypeError, match="credentials"):
            message.request(object())


def test_an_option_of_another_service_is_refused(credentials: dict[str, Any]) -> None:
    options: dict[str, Any] = {"environment": "sandbox", "host": "localhost:1", "policy": pushcore.EndpointPolicy()}
    taken = {"apns": {"environment", "host"}, "web_push": {"policy"}}
    for kind, message in zip(KINDS, messages(), strict=True):
        for name, value in options.items():
            if name in taken.get(kind, {"host"}):
                message.request(credentials[kind], **{name: value})
            else:
                with pytest.raises(TypeError, match=f"{name} is no option of {kind}"):
                    message.request(credentials[kind], **{name: value})
    with pytest.raises(TypeError, match="policy is no option of apns"):
        pushcore.ApnsChannels("com.example.app").list().request(credentials["apns"], policy=options["policy"])
    for name in ("management_host", "broadcast_host"):
        with pytest.raises(TypeError, match=name):
            pushcore.Client.fcm(credentials["fcm"], **{name: "localhost:1"})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="credentials of fcm, not of apns"):
        pushcore.Client.fcm(credentials["apns"])


def test_who_says_where_a_web_push_message_may_go(credentials: dict[str, Any]) -> None:
    vapid, trust = credentials["web_push"], pushcore.EndpointPolicy(hosts=["push.example.net"])

    def refused(message: pushcore.WebPushMessage, **options: Any) -> None:
        with pytest.raises(pushcore.MessageError) as caught:
            message.request(vapid, **options)
        assert caught.value.kind is pushcore.ErrorKind.ENDPOINT_NOT_ALLOWED

    unasked = pushcore.WebPushMessage(subscription=subscription("push.example.net"))
    refused(unasked)
    assert unasked.request(vapid, policy=trust).authority == "push.example.net"
    asked = pushcore.WebPushMessage(subscription=subscription("push.example.net"), policy=trust)
    assert asked.request(vapid).authority == "push.example.net"
    refused(asked, policy=pushcore.EndpointPolicy())
    ready = pushcore.Subscription(subscription("push.example.net"), policy=trust)
    assert pushcore.WebPushMessage(subscription=ready).request(vapid).authority == "push.example.net"
    refused(asked.to(subscription("push.example.net")))


def test_payloads() -> None:
    apns, broadcast, fcm, web_push, adm, audience, baidu = messages()
    assert apns.payload == b'{"aps":{"alert":"x"}}'
    assert json.loads(broadcast.payload)["aps"]["event"] == "update"
    assert json.loads(fcm.payload)["message"]["data"] == {"a": "b"}
    assert web_push.payload == "naïve".encode()
    assert pushcore.WebPushMessage(subscription=subscription("fcm.googleapis.com")).payload == b""
    assert json.loads(adm.payload)["data"] == json.loads(audience.payload)["data"] == {"a": "b"}
    assert json.loads(baidu.payload) == {"a": 1}
    assert [len(set(messages()[:1] + messages()[:1])), apns == fcm, adm == audience] == [1, False, False]


def test_an_answer_is_read_against_what_the_message_knows() -> None:
    gone = pushcore.Response(410, None, b'{"reason":"Unregistered","timestamp":1650000000000}')
    made = datetime.datetime(2023, 1, 1, tzinfo=datetime.timezone.utc)
    message = pushcore.ApnsMessage(token=TOKEN, bundle="com.example.app", alert="x")
    assert message.outcome(gone).name == "token_gone"
    assert message.to(TOKEN, registered_at=made).outcome(gone).name == "retry_later"
    answer = pushcore.Response(200, None, b'{"registrationID":"new"}')
    moved = pushcore.AdmMessage(registration_id="old", data={"a": "b"}).outcome(answer)
    same = pushcore.AdmMessage(registration_id="new", data={"a": "b"}).outcome(answer)
    assert isinstance(moved, pushcore.Accepted)
    assert isinstance(same, pushcore.Accepted)
    assert (moved.replacement, same.replacement) == ("new", None)


def test_keywords_that_say_nothing_are_as_if_they_were_not_there() -> None:
    plain = pushcore.BaiduMessage(channel_id="1", text="x")
    quiet: dict[str, Any] = {"confirm": False, "everyone": False, "tag": None, "title": None, "production": None}
    assert pushcore.BaiduMessage(channel_id="1", text="x", **quiet) == plain
    # Without an address to open there is nothing to confirm; a notification's words say nothing beside a whole message.
    assert pushcore.BaiduMessage(channel_id="1", text="x", confirm=True) == plain
    whole = pushcore.BaiduMessage(channel_id="1", raw={"a": 1})
    assert pushcore.BaiduMessage(channel_id="1", raw={"a": 1}, title="t", open_url="https://example.com") == whole
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        pushcore.AdmMessage(registration_id="r", datta={"a": "b"})  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="registration_id"):
        pushcore.AdmMessage(data={"a": "b"})  # type: ignore[call-arg]
    for make in (
        lambda: pushcore.AdmMessage(registration_id="r", data={"a": "b"}, ttl=60, expires_after=60),
        lambda: pushcore.BaiduMessage(everyone=True, text="x", ttl=60, expires_after=60),
    ):
        with pytest.raises(pushcore.MessageError) as caught:
            make()
        assert caught.value.kind is pushcore.ErrorKind.CONFLICT
