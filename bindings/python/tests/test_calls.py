"""Channels, broadcasts, topics, withdrawals and requests of one's own: in both clients."""

from __future__ import annotations

import asyncio
import pickle
import time
from collections.abc import Callable
from typing import Any

import pushcore
import pushcore.aio
import pytest
from pushcore import ApnsBroadcast, ApnsChannels, FcmTopics, LiveActivity
from pushcore.testing import Sandbox

Run = Callable[..., Any]


class Both:
    """The same calls on either client."""

    def __init__(self, sandbox: Sandbox, kind: str) -> None:
        self.sandbox, self.kind = sandbox, kind

    def __call__(self, service: str, *steps: Callable[[Any], Any]) -> list[Any]:
        if self.kind == "blocking":
            with getattr(self.sandbox, service)(pushcore.Client) as client:
                return [step(client) for step in steps]

        async def run() -> list[Any]:
            async with getattr(self.sandbox, service)(pushcore.aio.Client) as client:
                return [await step(client) for step in steps]

        return asyncio.run(run())


@pytest.fixture(params=["blocking", "aio"])
def both(sandbox: Sandbox, request: pytest.FixtureRequest) -> Both:
    return Both(sandbox, request.param)


def activity() -> LiveActivity:
    return LiveActivity.update(timestamp=time.time(), content_state={"score": "3:1"})


def test_channels_and_broadcasts(sandbox: Sandbox, both: Both) -> None:
    bundle = sandbox.ready["apns"]["topic"]
    channels = ApnsChannels(bundle)
    quiet, storing = both(
        "apns",
        lambda client: client.call(channels.create()),
        lambda client: client.call(channels.create(storage="most_recent")),
    )
    assert isinstance(quiet, str)
    assert isinstance(storing, str)
    until = time.time() + 3600
    stored = ApnsBroadcast(
        bundle=bundle, channel=storing, storage="most_recent", live_activity=activity(), expiration=until
    )
    listed, policies, more, sent, kept, deleted, again, gone = both(
        "apns",
        lambda client: client.call(channels.list()),
        lambda client: client.call(channels.read(quiet)),
        lambda client: client.call(channels.read(storing)),
        lambda client: client.send(ApnsBroadcast(bundle=bundle, channel=quiet, live_activity=activity())),
        lambda client: client.send(stored, deadline=20),
        lambda client: client.call(channels.delete(quiet), deadline=20),
        lambda client: client.call(channels.delete(quiet)),
        lambda client: client.call(channels.read(quiet)),
    )
    assert set(listed) >= {quiet, storing}
    assert (policies, more) == ("no_storage", "most_recent")
    assert isinstance(sent, pushcore.Accepted)
    assert isinstance(kept, pushcore.Accepted)
    assert isinstance(deleted, pushcore.Accepted)
    for refused in (again, gone):
        assert isinstance(refused, pushcore.Rejected)
        assert refused.reason == "ChannelNotRegistered"
    records = sandbox.log(service="apns", operation="broadcast", accepted=True)
    assert len(records) == 2


def test_what_a_broadcast_refuses() -> None:
    def make(**fields: Any) -> ApnsBroadcast:
        given = {"bundle": "com.example.app", "channel": "abcd", "live_activity": activity(), **fields}
        return ApnsBroadcast(**given)

    with pytest.raises(pushcore.MessageError, match="BadExpirationDate"):
        make(expiration=time.time() + 60)
    with pytest.raises(pushcore.MessageError, match="BadPriority"):
        make(priority=1)
    with pytest.raises(pushcore.MessageError, match="BadChannelId"):
        make(channel="?")
    with pytest.raises(pushcore.MessageError, match="storage policy"):
        make(storage="all")
    with pytest.raises(pushcore.MessageError, match="start"):
        make(
            live_activity=LiveActivity.start(
                timestamp=1_800_000_001, attributes_type="A", attributes={}, content_state={}
            ),
            alert="x",
        )


def test_topics(sandbox: Sandbox, both: Both) -> None:
    tokens = sandbox.ready["fcm"]["tokens"]
    valid, other = tokens["valid"], tokens["valid_2"]
    subscribed, page, results, ended, empty = both(
        "fcm",
        lambda client: client.call(FcmTopics.subscribe(valid, "news")),
        lambda client: client.call(FcmTopics.list(valid, page_size=10)),
        lambda client: client.call(FcmTopics.subscribe_many([other, tokens["unregistered"]], "news")),
        lambda client: client.call(FcmTopics.unsubscribe(valid, "news")),
        lambda client: client.call(FcmTopics.list(valid)),
    )
    assert isinstance(subscribed, pushcore.Accepted)
    assert [one.topic for one in page.subscriptions] == ["news"]
    assert page.next_page_token is None
    assert [one.name for one in results] == ["done", "token_gone"]
    assert isinstance(ended, pushcore.Accepted)
    assert empty.subscriptions == []
    [removed] = both("fcm", lambda client: client.call(FcmTopics.unsubscribe_many([other], "news")))
    assert [one.name for one in removed] == ["done"]
    with pytest.raises(pushcore.MessageError):
        FcmTopics.subscribe(valid, "no spaces please")
    with pytest.raises(pushcore.MessageError, match="1 to 1000"):
        both("fcm", lambda client: client.call(FcmTopics.subscribe_many([], "news")))


def test_withdrawing_a_message(sandbox: Sandbox, both: Both) -> None:
    subscription = sandbox.control("POST", "webpush/subscriptions", {})
    message = pushcore.WebPushMessage(subscription=subscription, payload="hello", policy=sandbox.policy())
    [sent] = both("web_push", lambda client: client.send(message))
    assert sent.location
    withdrawn, twice = both(
        "web_push",
        lambda client: client.call(message.withdraw(sent.location)),
        lambda client: client.call(message.withdraw(sent.location)),
    )
    assert isinstance(withdrawn, pushcore.Accepted)
    assert not isinstance(twice, pushcore.Accepted)
    with pytest.raises(pushcore.MessageError):
        both("web_push", lambda client: client.call(message.withdraw("https://127.0.0.1:1/x")))


def test_requests_of_ones_own(sandbox: Sandbox, both: Both) -> None:
    apns = sandbox.ready["apns"]
    request = pushcore.Request("GET", apns["management"], f"/1/apps/{apns['topic']}/all-channels")
    [answer] = both("apns", lambda client: client.exchange(request))
    assert answer.status == 200
    assert answer.body.startswith(b"{")
    assert any(name == "apns-request-id" for name, _ in answer.headers)
    elsewhere = pushcore.Request("POST", "example.com", "/", {"X-Thing": "1"}, b"{}")
    assert elsewhere.headers == [("x-thing", "1")]
    assert elsewhere.body == b"{}"
    with pytest.raises(pushcore.MisuseError, match="another host"):
        both("apns", lambda client: client.exchange(elsewhere))
    wrong: Any
    for wrong in (("TRACE", "a", "/"), ("GET", "a b", "/"), ("GET", "a", "x"), ("GET", "a", "/\r\n")):
        with pytest.raises(pushcore.MessageError):
            pushcore.Request(*wrong)
    with pytest.raises(pushcore.MessageError):
        pushcore.Request("GET", "a", "/", {"a": "b\r\nc: d"})


def test_calls_are_for_their_service(both: Both) -> None:
    with pytest.raises(pushcore.MisuseError, match="another service"):
        both("fcm", lambda client: client.call(ApnsChannels("com.example.app").list()))
    with pytest.raises(pushcore.MisuseError, match="another service"):
        both("apns", lambda client: client.call(FcmTopics.subscribe("x", "news")))


def test_calls_without_a_client(sandbox: Sandbox) -> None:
    apns = sandbox.ready["apns"]
    call = ApnsChannels(apns["topic"]).list()
    request = call.request(sandbox.apns_credentials(), host=apns["management"])
    assert (request.method, request.path) == ("GET", f"/1/apps/{apns['topic']}/all-channels")
    assert call.outcome(pushcore.Response(200, body=b'{"channels":["abc="]}')) == ["abc="]
    refused = call.outcome(pushcore.Response(403, body=b'{"reason":"Forbidden"}'))
    assert isinstance(refused, pushcore.FixCredentials)
    with pytest.raises(pushcore.CredentialError):
        FcmTopics.subscribe("x", "news").request(sandbox.fcm_credentials())


def test_stats_count_calls(sandbox: Sandbox) -> None:
    with sandbox.apns(pushcore.Client) as client:
        client.call(ApnsChannels(sandbox.ready["apns"]["topic"]).list())
        assert client.stats()["answered"] == 1
        sent, received = client.header_bytes()
        assert sent > 0
        assert received > 0
        assert client.is_mix_up_suspected() is False


def test_a_call_that_cannot_get_its_token_ends(sandbox: Sandbox, both: Both) -> None:
    sandbox.control("POST", "faults", {"service": "fcm", "times": 100, "action": {"kind": "no_answer"}})
    with pytest.raises(pushcore.PushcoreError) as raised:
        both("fcm", lambda client: client.call(FcmTopics.subscribe("x", "news"), deadline=0.5))
    assert raised.value.code in (pushcore.ErrorKind.EXPIRED, pushcore.ErrorKind.NOT_SENT)


def test_hostile_arguments() -> None:
    """Lone surrogates are errors of the message, other types are `TypeError`; nothing panics."""
    anything: Any = pushcore
    lone = "a\ud800"
    for call in (
        lambda: ApnsChannels(lone),
        lambda: ApnsChannels("com.example.app").read(lone),
        lambda: ApnsChannels("com.example.app").delete(""),
        lambda: FcmTopics.subscribe(lone, "news"),
        lambda: FcmTopics.subscribe("t", lone),
        lambda: FcmTopics.subscribe_many(["t", lone], "news"),
        lambda: FcmTopics.list(""),
        lambda: pushcore.Request("GET", lone, "/"),
        lambda: pushcore.Request("GET", "a", "/", {lone: "b"}),
        lambda: ApnsBroadcast(bundle="a.b", channel="abcd", alert=lone),
    ):
        with pytest.raises(pushcore.MessageError):
            call()
    for call in (
        lambda: anything.ApnsChannels(5),
        lambda: anything.ApnsChannels("a.b").create(storage=5),
        lambda: anything.FcmTopics.subscribe(None, "news"),
        lambda: anything.FcmTopics.subscribe_many("token", "news"),
        lambda: anything.FcmTopics.subscribe_many([b"t"], "news"),
        lambda: anything.FcmTopics.list("t", page_size="x"),
        lambda: anything.Request("GET", "a", "/", 5),
        lambda: anything.Request("GET", "a", "/", None, 5),
        lambda: anything.ApnsBroadcast(bundle="a.b", channel="abcd", payload=5),
        lambda: anything.ApnsChannels("a.b").list().request("credentials"),
        lambda: anything.ApnsChannels("a.b").list().outcome("response"),
        lambda: anything.FcmTopics(),
        lambda: anything.Call(),
    ):
        with pytest.raises(TypeError):
            call()
    with pytest.raises((OverflowError, pushcore.MessageError)):
        FcmTopics.list("t", page_size=70_000).request(pushcore.FcmCredentials.from_access_tokens("p"))


def test_receipts_with_another_client() -> None:
    """As RFC 8030 prints them; no service and no sandbox gives them."""
    keys = pushcore.ReceiverKeys.generate()
    subscription = keys.subscription_json("https://updates.push.services.mozilla.com/wpush/v2/a")
    vapid = pushcore.VapidCredentials(pushcore.SigningKey.generate(), subject="mailto:a@example.com")
    message = pushcore.WebPushMessage(subscription=subscription, payload="x", receipt=True)
    assert ("prefer", "respond-async") in message.request(vapid).headers
    link = '</receipt-subscription/3ZtI4YVNBnUUZhuoChl6omU>; rel="urn:ietf:params:push:receipt"'
    sent = message.outcome(pushcore.Response(202, {"link": link, "location": "/message/1"}))
    assert isinstance(sent, pushcore.Accepted)
    assert sent.receipt
    call = message.receipts(sent.receipt, wait=5)
    request = call.request(vapid)
    assert (request.method, request.path) == ("GET", "/receipt-subscription/3ZtI4YVNBnUUZhuoChl6omU")
    assert ("prefer", "wait=5") in request.headers
    assert call.outcome(pushcore.Response(204)) == "delivered"
    assert call.outcome(pushcore.Response(410)) == "expired"
    assert isinstance(call.outcome(pushcore.Response(500)), pushcore.RetryLater)
    again = pushcore.WebPushMessage(subscription=subscription, payload="x", receipt=sent.receipt)
    # RFC 8030 §5.1: the push service's own link, in `push-receipt` or as the draft's `link`; ours is the latter.
    subscribed = "https://updates.push.services.mozilla.com/receipt-subscription/3ZtI4YVNBnUUZhuoChl6omU"
    assert ("link", f'<{subscribed}>; rel="urn:ietf:params:push:receipt"') in again.request(vapid).headers
    assert pickle.loads(pickle.dumps(again)) == again
    assert pickle.loads(pickle.dumps(sent)).receipt == sent.receipt
    with pytest.raises(TypeError):
        pushcore.WebPushMessage(subscription=subscription, receipt=5)  # type: ignore[arg-type]


def test_the_rate_of_calls(sandbox: Sandbox) -> None:
    with sandbox.fcm(pushcore.Client, call_rate=2) as client:
        began = time.monotonic()
        for _ in range(4):
            client.call(FcmTopics.subscribe(sandbox.ready["fcm"]["tokens"]["valid"], "news"))
        # The first at once (a bucket of one), three more at half a second each.
        assert 1.45 <= time.monotonic() - began < 4


def test_groups_and_topics_of_adm(sandbox: Sandbox, both: Both) -> None:
    ids = sandbox.ready["adm"]["registrations"]
    made, to_group, to_topic, nobody, removed = both(
        "adm",
        lambda client: client.call(pushcore.AdmGroups.create("household", [ids["valid"], ids["unregistered"]])),
        lambda client: client.send(pushcore.AdmAudienceMessage(group="household", data={"k": "v"})),
        lambda client: client.send(pushcore.AdmAudienceMessage(topic="weather", data={"k": "v"})),
        lambda client: client.send(pushcore.AdmAudienceMessage(group="nobody", data={"k": "v"})),
        lambda client: client.call(pushcore.AdmGroups.remove("household", [ids["valid"]])),
    )
    assert (made.succeeded, made.failed) == (1, [ids["unregistered"]])
    assert isinstance(to_group, pushcore.Accepted)
    assert isinstance(to_topic, pushcore.Accepted)
    assert isinstance(nobody, pushcore.Rejected)
    assert removed.succeeded == 1
    message = pushcore.AdmAudienceMessage(topic="weather", data={"k": "v"}, expires_after=60)
    assert pickle.loads(pickle.dumps(message)) == message
    with pytest.raises(pushcore.MessageError, match="exactly one"):
        pushcore.AdmAudienceMessage(data={"k": "v"})
    with pytest.raises(pushcore.MessageError):
        pushcore.AdmGroups.add("not a group", [ids["valid"]])


def test_what_baidu_knows(sandbox: Sandbox, both: Both) -> None:
    channel = sandbox.ready["baidu"]["channels"]["valid"]
    calls = pushcore.BaiduCalls
    made, tagged, counted, sent, tags, untagged, deleted, devices, timers, refused = both(
        "baidu",
        lambda client: client.call(calls.create_tag("vip")),
        lambda client: client.call(calls.tag_devices("vip", [channel])),
        lambda client: client.call(calls.devices_with_tag("vip")),
        lambda client: client.send(pushcore.BaiduMessage(channel_id=channel, text="x", topic_id="news")),
        lambda client: client.call(calls.tags(limit=10)),
        lambda client: client.call(calls.untag_devices("vip", [channel])),
        lambda client: client.call(calls.delete_tag("vip")),
        lambda client: client.call(calls.device_statistics()),
        lambda client: client.call(calls.timers()),
        lambda client: client.call(calls.cancel_timer("never")),
    )
    assert made == {"tag": "vip", "result": 0}
    in_tag = {"result": [{"channel_id": channel, "result": 0}]}
    assert tagged == in_tag
    assert counted["device_num"] == 1
    assert isinstance(sent, pushcore.Accepted)
    assert sent.id
    assert (tags["total_num"], tags["result"][0]["tag"]) == (1, "vip")
    assert untagged == in_tag
    assert deleted == {"tag": "vip", "result": 0}
    (day,) = devices["result"].values()
    assert day == {"total_term": 1, "online_term": 1}
    assert timers == {"total_num": 0, "result": []}
    assert isinstance(refused, pushcore.Rejected)
    # Baidu's own code, not the HTTP status.
    assert refused.reason == "41001"
    status, records, topics, statistics = both(
        "baidu",
        lambda client: client.call(calls.message_status([sent.id or ""])),
        lambda client: client.call(calls.topic_records("news", since=0, until=2_000_000_000)),
        lambda client: client.call(calls.topics()),
        lambda client: client.call(calls.topic_statistics("news")),
    )
    (known,) = status["result"]
    assert (known["msg_id"], known["success"]) == (sent.id, 1)
    assert records["topic_id"] == "news"
    assert known in records["result"]
    # Both clients have sent one by now.
    count = len(records["result"])
    assert topics["result"] == [{"topic_id": "news", "push_cnt": count, "ack_cnt": count}]
    assert [day["ack"] for day in statistics["result"].values()] == [count]
    wrong: Any
    for wrong in (
        lambda: calls.topics(limit=21),
        lambda: calls.create_tag(""),
        lambda: calls.message_status([]),
        lambda: calls.timer_records(since=5),
        lambda: calls.timer_records(since=5, until=4),
        lambda: calls.tag_devices("vip", []),
    ):
        with pytest.raises(pushcore.MessageError):
            wrong()
