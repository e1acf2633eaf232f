"""Each argument lands in the place that the service's own documentation names, and each answer's words come back."""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Callable
from typing import Any

import pushcore
import pytest

TOKEN = "ab" * 32
ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/a"


def apns_credentials(**more: Any) -> pushcore.ApnsCredentials:
    key = pushcore.SigningKey.generate().to_pem()
    return pushcore.ApnsCredentials.from_p8(key, key_id="ABC123DEFG", team_id="DEF123GHIJ", **more)


def test_apns_payload_keys() -> None:
    """Apple, "Generating a remote notification": the keys of `aps`."""
    message = pushcore.ApnsMessage(
        token=TOKEN,
        topic="com.example.app",
        alert="x",
        badge=7,
        sound="bell",
        critical_volume=0.5,
        thread_id="t",
        category="c",
        content_available=True,
        mutable_content=True,
        target_content_id="w",
        interruption_level="critical",
        relevance_score=0.25,
        filter_criteria="f",
    )
    assert json.loads(message.payload)["aps"] == {
        "alert": "x",
        "badge": 7,
        "sound": {"critical": 1, "name": "bell", "volume": 0.5},
        "thread-id": "t",
        "category": "c",
        "content-available": 1,
        "mutable-content": 1,
        "target-content-id": "w",
        "interruption-level": "critical",
        "relevance-score": 0.25,
        "filter-criteria": "f",
    }
    assert message.push_type == "alert"


def test_apns_headers_and_topics() -> None:
    message = pushcore.ApnsMessage(token=TOKEN, topic="com.example.app", alert="x", collapse_id="score")
    headers = dict(message.request(apns_credentials()).headers)
    assert headers["apns-collapse-id"] == "score"
    assert message.request(apns_credentials()).authority == "api.push.apple.com"
    only = apns_credentials(topics=["com.example.other"])
    with pytest.raises(pushcore.PushcoreError):
        message.request(only)


def test_broadcasts_have_a_relevance_score() -> None:
    state = pushcore.LiveActivity.update(timestamp=1_700_000_000, content_state={"s": 1})
    broadcast = pushcore.ApnsBroadcast(
        bundle="com.example.app", channel="dHN0LXNyY2gtY2hubA==", live_activity=state, relevance_score=75
    )
    assert json.loads(broadcast.payload)["aps"]["relevance-score"] == 75


def test_localized_texts() -> None:
    text = pushcore.Localized("GAME", "Jo")
    assert (text.key, text.args) == ("GAME", ["Jo"])
    message = pushcore.ApnsMessage(token=TOKEN, topic="com.example.app", title=text)
    alert = json.loads(message.payload)["aps"]["alert"]
    assert alert == {"title-loc-key": "GAME", "title-loc-args": ["Jo"]}


def test_fcm_fields() -> None:
    """FCM v1, `projects.messages`."""
    fields: dict[str, Any] = {
        "webpush": {"headers": {"TTL": "5"}},
        "fcm_options": {"analytics_label": "a"},
    }
    message = pushcore.FcmMessage(condition="'a' in topics", **fields)
    assert json.loads(message.payload)["message"] == {"condition": "'a' in topics", **fields}
    second = pushcore.FcmMessage(fid="f1", android_v2={"remote_notification": {}})
    assert json.loads(second.payload)["message"] == {"fid": "f1", "android_v2": {"remote_notification": {}}}
    for to in ({"fid": "f2"}, {"condition": "'b' in topics"}, {"topic": "news"}):
        assert json.loads(second.to(**to).payload)["message"].items() >= to.items()
    # The service counts keys and values of `data`: 1 + 2 octets.
    assert pushcore.FcmMessage(token="t", data={"k": "vv"}).payload_size == 3
    assert pushcore.FcmCredentials.from_access_tokens("project-1").project == "project-1"


def test_pages_of_topics() -> None:
    credentials = pushcore.FcmCredentials.from_access_tokens("p")
    credentials.supply_token("t", lifetime=3600)
    path = pushcore.FcmTopics.list("t", page_token="next page").request(credentials).path
    assert urllib.parse.parse_qs(path.partition("?")[2])["page_token"] == ["next page"]


def test_forms_of_a_key() -> None:
    key = pushcore.SigningKey.generate()
    for form in (key.to_pem(), key.to_der(), key.to_sec1_pem(), key.to_jwk(), key.to_base64()):
        assert pushcore.SigningKey.read(form.encode() if isinstance(form, str) else form).public_key == key.public_key
    assert len(base64.urlsafe_b64decode(key.to_base64() + "=")) == 32
    assert key.to_sec1_pem().startswith("-----BEGIN EC PRIVATE KEY-----")
    assert key.public_pem().startswith("-----BEGIN PUBLIC KEY-----")
    point = base64.urlsafe_b64decode(key.public_key + "=")
    jwk = json.loads(key.public_jwk())
    parts = [base64.urlsafe_b64decode(jwk[name] + "=") for name in ("x", "y")]
    assert point == b"\x04" + parts[0] + parts[1]
    assert "d" not in jwk


def test_subscriptions_and_padding() -> None:
    keys = pushcore.ReceiverKeys.generate()
    told = json.loads(keys.subscription_json(ENDPOINT))
    assert told["keys"] == {"p256dh": keys.p256dh, "auth": keys.auth}
    subscription = pushcore.Subscription({**told, "expirationTime": 1_800_000_000_000})
    assert (subscription.endpoint, subscription.expires, subscription.has_keys) == (ENDPOINT, 1_800_000_000, True)
    assert not pushcore.Subscription({"endpoint": ENDPOINT}).has_keys
    vapid = pushcore.VapidCredentials(pushcore.SigningKey.generate(), subject="mailto:a@example.com")
    cases: list[tuple[dict[str, Any], int]] = [({"pad_to": 100}, 100), ({"pad_to_multiple_of": 64}, 64), ({}, 1)]
    for padding, plain in cases:
        message = pushcore.WebPushMessage(subscription=subscription, payload="x", **padding)
        body = message.request(vapid).body
        # RFC 8188: a header of 86 octets, the delimiter, a tag of 16.
        assert len(body) == 86 + plain + 1 + 16
        assert keys.decrypt(body) == b"x"


def test_policies_and_subjects() -> None:
    key = pushcore.SigningKey.generate()
    with pytest.raises(pushcore.PushcoreError):
        pushcore.VapidCredentials(key, subject="mailto:a@localhost")
    pushcore.VapidCredentials(key, subject="mailto:a@localhost", any_subject=True)
    for policy, url in (
        (pushcore.EndpointPolicy(hosts=["push.example.org"]), "https://push.example.org/x"),
        (pushcore.EndpointPolicy(hosts=["push.example.org"], ports=[8443]), "https://push.example.org:8443/x"),
        (pushcore.EndpointPolicy(trusted=["127.0.0.1:8443"]), "https://127.0.0.1:8443/x"),
    ):
        assert pushcore.Subscription({"endpoint": url}, policy=policy).endpoint == url
        with pytest.raises(pushcore.MessageError):
            pushcore.Subscription({"endpoint": url})


@pytest.mark.parametrize("kind", ["device", "topic"])
def test_adm_fields(kind: str) -> None:
    """ADM, "Send a message": the digest is of the data's keys and values, in base64."""
    fields: dict[str, Any] = {"data": {"message": "your message"}, "consolidation_key": "ck", "md5": True}
    message: pushcore.AdmMessage | pushcore.AdmAudienceMessage
    if kind == "device":
        message = pushcore.AdmMessage(registration_id="amzn1.adm-registration.v1.x", **fields)
    else:
        message = pushcore.AdmAudienceMessage(topic="weather", **fields)
    body = json.loads(message.payload)
    assert body["consolidationKey"] == "ck"
    # Computed with md5sum of "message:your message".
    assert body["md5"] == "qzF+HgArKZjJrpfcTbiFxg=="


def form(message: pushcore.BaiduMessage) -> dict[str, str]:
    body = message.request(pushcore.BaiduCredentials("a", "b")).body.decode()
    return dict(urllib.parse.parse_qsl(body, strict_parsing=True))


def test_baidu_fields() -> None:
    """Baidu, REST API 3.0: `open_type` 1 opens a URL, `user_confirm` asks first; `deploy_status` 2 is production."""
    text = form(pushcore.BaiduMessage(channel_id="1", text="x", open_url="https://a.example/", confirm=True))
    said = json.loads(text["msg"])
    assert (text["msg_type"], said["open_type"], said["url"], said["user_confirm"]) == ("1", 1, "https://a.example/", 1)
    raw = form(pushcore.BaiduMessage(channel_ids=["1", "2"], raw={"k": "v"}))
    assert (raw["msg_type"], json.loads(raw["msg"]), json.loads(raw["channel_ids"])) == ("0", {"k": "v"}, ["1", "2"])
    for production, status in ((True, "2"), (False, "1")):
        ios = form(pushcore.BaiduMessage(channel_id="1", ios={"aps": {"alert": "x"}}, production=production))
        assert (ios["deploy_status"], json.loads(ios["msg"])["aps"]) == (status, {"alert": "x"})
    selector = {"OR": {"tag": ["a", "b"]}}
    assert json.loads(form(pushcore.BaiduMessage(selector=selector, text="x"))["selector"]) == selector


@pytest.mark.parametrize(
    "call",
    [
        pushcore.BaiduCalls.tags(start=20),
        pushcore.BaiduCalls.timers(start=20),
        pushcore.BaiduCalls.topics(start=20),
        pushcore.BaiduCalls.topic_records("news", start=20),
        pushcore.BaiduCalls.timer_records("1", start=20),
    ],
)
def test_baidu_lists_begin_where_told(call: pushcore.Call[Any]) -> None:
    request = call.request(pushcore.BaiduCredentials("a", "b"))
    asked = urllib.parse.parse_qs(request.body.decode() or request.path.partition("?")[2])
    assert asked["start"] == ["20"]


def test_answers_come_back_in_words() -> None:
    message = pushcore.ApnsMessage(token=TOKEN, topic="com.example.app", alert="x")
    accepted = message.outcome(pushcore.Response(200, {"apns-id": "1", "apns-unique-id": "u"}))
    assert isinstance(accepted, pushcore.Accepted)
    assert (accepted.id, accepted.unique_id) == ("1", "u")
    expired = message.outcome(pushcore.Response(403, {}, b'{"reason":"ExpiredProviderToken"}'))
    assert isinstance(expired, pushcore.FixCredentials)
    assert (expired.refreshable, expired.reconnect, expired.reason_is_known) == (True, True, True)
    other = message.outcome(pushcore.Response(400, {}, b'{"reason":"SomethingNew"}'))
    assert (other.reason, other.reason_is_known) == ("SomethingNew", False)
    gone = message.outcome(pushcore.Response(410, {}, b'{"reason":"Unregistered","timestamp":1700000000123}'))
    assert isinstance(gone, pushcore.TokenGone)
    assert gone.since == pytest.approx(1_700_000_000.123)
    assert gone.replacement is None
    # The Date says what Apple's clock says: an hour ahead of ours.
    skewed = message.outcome(
        pushcore.Response(403, {"date": "Tue, 14 Nov 2023 23:13:20 GMT"}, b'{"reason":"ExpiredProviderToken"}'),
        now=1_700_000_000,
    )
    assert isinstance(skewed, pushcore.FixCredentials)
    assert skewed.clock_skew == 3600
    amazon = pushcore.AdmMessage(registration_id="amzn1.adm-registration.v1.x", data={"k": "v"})
    moved = amazon.outcome(pushcore.Response(200, {}, b'{"registrationID":"amzn1.adm-registration.v1.y"}'))
    assert isinstance(moved, pushcore.Accepted)
    assert moved.replacement == "amzn1.adm-registration.v1.y"
    web = pushcore.WebPushMessage(subscription={"endpoint": ENDPOINT})
    kept = web.outcome(pushcore.Response(201, {"ttl": "60"}))
    assert isinstance(kept, pushcore.Accepted)
    assert kept.ttl == 60


def test_a_service_says_its_settings() -> None:
    adm = pushcore.AdmCredentials("id", "secret", token_host="token.example")
    assert adm.token_request().authority == "token.example"
    service = pushcore.Client.adm(adm, proxy="http://proxy.example:3128", deadline=7).service
    assert (service.deadline, service.uses_proxy("a.example")) == (7, True)
    assert service.proxy_url is not None
    assert "proxy.example:3128" in service.proxy_url
    assert not pushcore.Client.adm(adm, proxy=False).service.uses_proxy("a.example")


def test_progress_adds_up() -> None:
    counts = {
        "accepted": 1,
        "token_gone": 2,
        "token_mismatch": 3,
        "retry_later": 4,
        "fix_credentials": 5,
        "rejected": 6,
        "not_sent": 7,
        "unknown": 8,
    }
    progress = pushcore.Progress(expected=100, taken=40, in_flight=4, ended=36, elapsed=9.0, rate=4.0, **counts)
    assert {name: getattr(progress, name) for name in counts} == counts
    assert (progress.token_mismatch, progress.retry_later, progress.fix_credentials) == (3, 4, 5)
    assert (progress.rejected, progress.unknown) == (6, 8)
    assert (progress.expected, progress.taken, progress.in_flight, progress.elapsed) == (100, 40, 4, 9.0)
    assert (progress.ended, progress.rate) == (36, 4.0)


def test_topics_say_when_they_were_joined() -> None:
    name = "projects/p/registrations/t/topicSubscriptions/news"
    joined_at = {"name": name, "topic": "news", "createTime": "2026-11-22T07:00:00Z"}
    body = json.dumps({"topicSubscriptions": [joined_at]}).encode()
    page = pushcore.FcmTopics.list("t").outcome(pushcore.Response(200, {}, body))
    assert isinstance(page, pushcore.TopicPage)
    (joined,) = page.subscriptions
    # date -u -d 2026-11-22T07:00:00Z +%s
    assert (joined.topic, joined.create_time) == ("news", 1_795_330_800.0)


def test_channels_and_broadcasts_have_hosts_of_their_own() -> None:
    """Each of the three kinds goes where it was told to: nobody listens at any of them."""
    hosts: dict[str, Any] = {"host": "127.0.0.1:1", "management_host": "127.0.0.1:2", "broadcast_host": "127.0.0.1:3"}
    broadcast = pushcore.ApnsBroadcast(
        bundle="com.example.app",
        channel="dHN0LXNyY2gtY2hubA==",
        live_activity=pushcore.LiveActivity.update(timestamp=1_700_000_000, content_state={"s": 1}),
    )
    message = pushcore.ApnsMessage(token=TOKEN, topic="com.example.app", alert="x")
    attempts: dict[str, Callable[[pushcore.Client], object]] = {
        "127.0.0.1:1": lambda client: client.send(message, deadline=2),
        "127.0.0.1:2": lambda client: client.call(pushcore.ApnsChannels("com.example.app").list(), deadline=2),
        "127.0.0.1:3": lambda client: client.send(broadcast, deadline=2),
    }
    for host, attempt in attempts.items():
        session = pushcore.Client.apns(apns_credentials(), first_backoff=60, **hosts)
        with pytest.raises(pushcore.PushcoreError) as raised:
            attempt(session)
        event = next(event for event in session.events() if event.name == "disconnected")
        assert event.link is not None
        assert host in event.text + str(raised.value)


def test_a_session_takes_messages_and_asks_for_a_link() -> None:
    service = pushcore.Client.apns(apns_credentials(), max_queued=10).service
    session = pushcore.Session(service, monotonic=5.0, unix=1_700_000_000.0)
    message = pushcore.ApnsMessage(token=TOKEN, topic="com.example.app", alert="x")
    with pytest.raises(pushcore.MessageError):
        session.submit(message, to="not a token")
    first = session.submit(message, to="cd" * 32)
    second, refused, third = session.submit_many(["ef" * 32, "not a token", "12" * 32], template=message)
    assert isinstance(refused, pushcore.MessageError)
    assert len({first, second, third}) == 3
    assert session.capacity() == 10 - 3
    session.tick(5.0, 1_700_000_000.0)
    action = session.poll_action()
    assert action is not None
    assert action[0] == "connect"
    session.connected(action[1])
    assert session.links() == [action[1]]
