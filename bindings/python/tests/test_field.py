"""What senders reported in public, as they did it (DESIGN: field cases)."""

from __future__ import annotations

import asyncio
import datetime
import json
import pickle
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pushcore
import pushcore.aio
import pytest
from pushcore.testing import Sandbox

TOKEN = "ab" * 32
KEY = {"key_id": "A" * 10, "team_id": "B" * 10}


def _closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port


# Times


@pytest.mark.parametrize("wrong", [3600, 60.5, time.time() * 1000, int(time.time() * 1e6)])
def test_durations_and_milliseconds_are_no_dates(wrong: float) -> None:
    now = time.time()
    makers: list[Callable[[], object]] = [
        lambda: pushcore.ApnsMessage(token=TOKEN, topic="a.b", title="x", expiration=wrong),
        lambda: pushcore.ApnsMessage(token=TOKEN, topic="a.b", title="x").to(TOKEN, expiration=wrong),
        lambda: pushcore.ApnsMessage(token=TOKEN, topic="a.b", title="x", registered_at=wrong),
        lambda: pushcore.ApnsMessage(token=TOKEN, topic="a.b", title="x").to(TOKEN, registered_at=wrong),
        lambda: pushcore.LiveActivity.update(timestamp=wrong, content_state={}),
        lambda: pushcore.LiveActivity.update(timestamp=now, content_state={}, stale_date=wrong),
        lambda: pushcore.LiveActivity.end(timestamp=now, dismissal_date=wrong),
        lambda: pushcore.Subscription({"endpoint": "https://fcm.googleapis.com/x"}, created_at=wrong),
        lambda: pushcore.BaiduMessage(everyone=True, text="x", send_at=wrong),
        lambda: pushcore.FcmMessage(token="t", data={}, apns={"headers": {"apns-expiration": str(int(wrong))}}),
    ]
    for make in makers:
        with pytest.raises(pushcore.MessageError, match=r"duration|milliseconds"):
            make()


def test_every_service_takes_a_time_to_live() -> None:
    subscription = {"endpoint": "https://fcm.googleapis.com/x"}
    for ttl in (3600, 3600.0, datetime.timedelta(hours=1)):
        before = int(time.time())
        apns = pushcore.ApnsMessage(token=TOKEN, topic="a.b", title="x", ttl=ttl)
        key = pushcore.ApnsCredentials.from_p8(pushcore.SigningKey.generate().to_pem(), **KEY)
        for message in (apns, apns.to(TOKEN, ttl=ttl)):
            until = int(dict(message.request(key).headers)["apns-expiration"])
            assert before + 3600 <= until <= time.time() + 3600
        fcm = json.loads(pushcore.FcmMessage(token="t", data={"a": "b"}, ttl=ttl).payload)["message"]
        assert fcm["android"] == {"ttl": "3600s"}
        assert fcm["webpush"] == {"headers": {"TTL": "3600"}}
        assert before + 3600 <= int(fcm["apns"]["headers"]["apns-expiration"]) <= time.time() + 3600
        vapid = pushcore.VapidCredentials(pushcore.SigningKey.generate(), subject="mailto:a@example.com")
        web = pushcore.WebPushMessage(subscription=subscription, ttl=ttl).request(vapid)
        assert dict(web.headers)["ttl"] == "3600"
        adm = pushcore.AdmMessage(registration_id="r", data={"a": "b"}, ttl=ttl)
        assert json.loads(adm.payload)["expiresAfter"] == 3600
        baidu = pushcore.BaiduMessage(everyone=True, text="x", ttl=ttl)
        assert baidu == pushcore.BaiduMessage(everyone=True, text="x", expires_after=ttl)
        channel = {"bundle": "a.b", "channel": "dHN0LXNyY2gtY2hubA==", "storage": "most_recent"}
        pushcore.ApnsBroadcast(**channel, payload={"aps": {}}, ttl=ttl)  # type: ignore[arg-type]
    kept = pushcore.FcmMessage(token="t", android={"ttl": "5s"}, ttl=60)
    assert json.loads(kept.payload)["message"]["android"] == {"ttl": "5s"}
    with pytest.raises(pushcore.MessageError, match="exclude"):
        pushcore.ApnsMessage(token=TOKEN, topic="a.b", title="x", ttl=60, expiration=time.time() + 60)
    with pytest.raises(pushcore.MessageError, match="not a date"):
        pushcore.WebPushMessage(subscription=subscription, ttl=time.time() + 60)
    once = pushcore.ApnsMessage(token=TOKEN, topic="a.b", title="x", ttl=0)
    assert once == pickle.loads(pickle.dumps(once))


# An option that is taken is used or refused


def test_options_are_used_or_refused() -> None:
    start: dict[str, Any] = {
        "timestamp": time.time(), "attributes_type": "A", "attributes": {}, "content_state": {}
    }  # fmt: skip
    with pytest.raises(pushcore.MessageError, match="not by both"):
        pushcore.LiveActivity.start(**start, input_token=True, input_channel="dHN0LXNyY2gtY2hubA==")
    activity = pushcore.LiveActivity.start(**start)
    empties: list[dict[str, Any]] = [{"alert": {}}, {"alert": ""}, {"title": ""}, {"title": "", "body": ""}]
    for empty in empties:
        with pytest.raises(pushcore.MessageError, match="alert"):
            pushcore.ApnsMessage(token=TOKEN, bundle="a.b", push_type="liveactivity", live_activity=activity, **empty)
    for kind, custom in (("mdm", {"mdm": "magic"}), ("fileprovider", {"container-identifier": "c", "domain": "d"})):
        topic = "com.apple.mgmt.External.x" if kind == "mdm" else "a.b.pushkit.fileprovider"
        message = pushcore.ApnsMessage(token=TOKEN, topic=topic, push_type=kind, custom=custom)  # type: ignore[arg-type]
        assert json.loads(message.payload) == custom
    with pytest.raises(pushcore.MessageError, match=r"\.voip"):
        pushcore.ApnsMessage(token=TOKEN, bundle="app.voip", push_type="voip", payload={"a": 1})
    with pytest.raises(TypeError, match=r"data.*score.*int"):
        pushcore.AdmMessage(registration_id="r", data={"score": 1})  # type: ignore[dict-item]


def test_bytes_of_hex_are_a_token() -> None:
    message = pushcore.ApnsMessage(token=TOKEN.encode(), topic="a.b", title="x")
    assert message.token == TOKEN
    assert message.to(bytes.fromhex(TOKEN)).token == TOKEN
    assert message.to(TOKEN.upper().encode()).token == TOKEN


# A client's policy holds for what is given to it


def test_the_clients_policy_holds_for_dicts_and_json(sandbox: Sandbox) -> None:
    active = sandbox.ready["webpush"]["providers"]["plain"]["active"]
    active = json.loads(active) if isinstance(active, str) else active
    forms: list[Any] = [active, json.dumps(active), json.dumps(active).encode()]
    with sandbox.web_push(pushcore.Client) as client:
        message = pushcore.WebPushMessage(subscription=active, payload="x")
        assert isinstance(client.send(message), pushcore.Accepted)
        assert isinstance(client.send(pickle.loads(pickle.dumps(message))), pushcore.Accepted)
        for form in forms:
            assert isinstance(client.send(message.to(form)), pushcore.Accepted)
        for _, result in client.send_many(forms, message=message):
            assert isinstance(result, pushcore.Accepted), result
        for key, result in client.send_many(enumerate(forms), message=message):
            assert 0 <= key < 3
            assert isinstance(result, pushcore.Accepted)
    with sandbox.web_push(pushcore.Client, policy=pushcore.EndpointPolicy()) as client:
        with pytest.raises(pushcore.PushcoreError) as caught:
            client.send(message, deadline=5)
        kinds = [caught.value.kind, getattr(caught.value.__cause__, "kind", None)]
        assert pushcore.ErrorKind.ENDPOINT_NOT_ALLOWED in kinds
    # With an HTTP client of one's own the default policy is asked, or the one that is named.
    vapid = pushcore.VapidCredentials(pushcore.SigningKey.generate(), subject="mailto:a@example.com")
    for one in (message, pickle.loads(pickle.dumps(message))):
        with pytest.raises(pushcore.MessageError) as refused:
            one.request(vapid)
        assert refused.value.kind is pushcore.ErrorKind.ENDPOINT_NOT_ALLOWED
        assert one.request(vapid, policy=sandbox.policy())


def test_a_key_beside_a_message_comes_back(sandbox: Sandbox) -> None:
    active = sandbox.ready["webpush"]["providers"]["plain"]["active"]
    message = pushcore.WebPushMessage(subscription=active, payload="x")
    pairs: list[tuple[object, pushcore.WebPushMessage]] = [(7, message), ("b", message)]
    with sandbox.web_push(pushcore.Client) as client:
        keys = [key for key, _ in client.send_many(pairs)]
    assert sorted(map(str, keys)) == ["7", "b"]

    async def run() -> list[Any]:
        async with sandbox.web_push(pushcore.aio.Client) as client:
            return [key async for key, _ in client.send_many(pairs)]

    assert sorted(map(str, asyncio.run(run()))) == ["7", "b"]


def test_a_removed_subscription_is_told_as_dead() -> None:
    dead = {"endpoint": "https://permanently-removed.invalid/fcm/send/x"}
    makers: list[Callable[[], object]] = [
        lambda: pushcore.Subscription(dead),
        lambda: pushcore.WebPushMessage(subscription=dead),
    ]
    for make in makers:
        with pytest.raises(pushcore.MessageError, match="delete it") as caught:
            make()
        assert caught.value.kind is pushcore.ErrorKind.SUBSCRIPTION_REMOVED


def test_the_legacy_encoding_can_be_sent() -> None:
    keys = pushcore.ReceiverKeys.generate()
    vapid = pushcore.VapidCredentials(pushcore.SigningKey.generate(), subject="mailto:a@example.com")
    subscription = keys.subscription_json("https://fcm.googleapis.com/fcm/send/x")
    for named in (vapid, vapid.public_key):
        message = pushcore.WebPushMessage(subscription=subscription, payload="hi", encoding="aesgcm", vapid=named)
        assert pickle.loads(pickle.dumps(message)) == message
        request = message.request(vapid)
        headers = dict(request.headers)
        assert headers["content-encoding"] == "aesgcm"
        plain = keys.decrypt(request.body, crypto_key=headers["crypto-key"], encryption=headers["encryption"])
        assert plain == b"hi"
    with pytest.raises(pushcore.MessageError, match="needs vapid"):
        pushcore.WebPushMessage(subscription=subscription, payload="hi", encoding="aesgcm")


def test_workers_share_a_provider_token() -> None:
    key = pushcore.SigningKey.generate()
    maker, taker = (pushcore.ApnsCredentials.from_p8(key.to_pem(), **KEY) for _ in range(2))
    other = pushcore.ApnsCredentials.from_provider_tokens(**KEY)
    token = maker.provider_token()
    for credentials in (taker, other):
        assert credentials.import_token(token)
        assert not credentials.import_token(token)
        assert credentials.provider_token() == token
    with pytest.raises(pushcore.CredentialError):
        pushcore.ApnsCredentials.from_provider_tokens(key_id="C" * 10, team_id="B" * 10).import_token(token)


def test_all_settings_of_a_session_can_be_named() -> None:
    client = pushcore.Client.adm(
        pushcore.AdmCredentials("id", "secret"), max_hosts=9, first_backoff=0.1, longest_backoff=2,
        queue_wait_before_dial=0.2, probe_after=30, seed=7, gather=0, resolve_on_threads=True,
        http2={"max_in_flight": 5, "ping_after": 5, "ping_timeout": 2},
    )  # fmt: skip
    client.close()
    with pytest.raises(TypeError, match="max_flight"):
        pushcore.Client.adm(pushcore.AdmCredentials("id", "secret"), http2={"max_flight": 5})


# Causes are typed


def test_why_a_message_was_not_sent(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    key = pushcore.ApnsCredentials.from_p8(pushcore.SigningKey.generate().to_pem(), **KEY)
    message = pushcore.ApnsMessage(token=TOKEN, topic="a.b", title="x")
    host = sandbox.ready["apns"]["authority"]
    port = _closed_port()
    cases: list[tuple[dict[str, Any], pushcore.ErrorKind, type]] = [
        ({"host": f"127.0.0.1:{port}"}, pushcore.ErrorKind.CONNECT_REFUSED, pushcore.TransportError),
        ({"host": "127.0.0.1:9", "proxy": f"http://127.0.0.1:{port}"}, pushcore.ErrorKind.PROXY_REFUSED,
         pushcore.TransportError),
        ({"host": "no-such-host.invalid:443"}, pushcore.ErrorKind.NAME_NOT_RESOLVED, pushcore.TransportError),
    ]  # fmt: skip
    cases.append(({"host": host}, pushcore.ErrorKind.CERTIFICATE_UNKNOWN_ISSUER, pushcore.TlsError))
    for there, kind, base in cases:
        options: dict[str, Any] = {"first_backoff": 0.01, "longest_backoff": 0.02, "deadline": 1.5, **there}
        found: list[pushcore.PushcoreError] = []
        with pushcore.Client.apns(key, **options) as client:
            with pytest.raises(pushcore.NoAnswer) as caught:
                client.send(message)
            found.append(caught.value)
            found += [result for _, result in client.send_many([message]) if isinstance(result, pushcore.NoAnswer)]

        async def run(options: dict[str, Any] = options) -> list[Any]:
            async with pushcore.aio.Client.apns(key, **options) as client:
                return [result async for _, result in client.send_many([message])]

        found += asyncio.run(run())
        assert len(found) == 3
        for error in found:
            cause = error.__cause__
            for one in (cause, pickle.loads(pickle.dumps(error)).__cause__):
                assert isinstance(one, pushcore.PushcoreError)
                assert isinstance(one, base), (there, error, one)
                assert one.kind is kind, (there, error)


# A key that was revoked, an account that was deleted, a clock that is wrong


INVALID_GRANT = {
    "service": "fcm",
    "contains": "token",
    "action": {
        "kind": "answer",
        "status": 400,
        "body": {"error": "invalid_grant", "error_description": "Invalid grant: account not found"},
    },
}


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_revoked_key_is_told_at_once_and_costs_a_handful(sandbox: Sandbox, asynchronous: bool) -> None:
    sandbox.control("POST", "faults", INVALID_GRANT)
    token = sandbox.ready["fcm"]["tokens"]["valid"]
    message = pushcore.FcmMessage(token=token, notification={"title": "x"})
    began = time.monotonic()
    found: list[Any] = []
    if asynchronous:

        async def run() -> None:
            async with sandbox.fcm(pushcore.aio.Client) as client:
                for _ in range(5):
                    with pytest.raises(pushcore.NotSent) as caught:
                        await client.send(message)
                    found.append(caught.value)
                found.extend([result async for _, result in client.send_many([token] * 2000, message=message)])

        asyncio.run(run())
    else:
        with sandbox.fcm(pushcore.Client) as client:
            for _ in range(5):
                with pytest.raises(pushcore.NotSent) as caught:
                    client.send(message)
                found.append(caught.value)
            found += [result for _, result in client.send_many([token] * 2000, message=message)]
    assert len(found) == 2005
    for error in found:
        assert isinstance(error, pushcore.NotSent)
        assert isinstance(error.__cause__, pushcore.CredentialError)
        assert error.__cause__.kind is pushcore.ErrorKind.TOKEN_REFUSED
        assert "invalid_grant (Invalid grant: account not found)" in str(error)
    # Before, each message alone waited for half a minute, and asked the endpoint anew.
    assert time.monotonic() - began < 10
    assert len(sandbox.log(service="fcm")) == 1, "one question for all"


def test_a_message_that_is_always_401_leaves_the_others_their_token(sandbox: Sandbox) -> None:
    tokens = sandbox.ready["fcm"]["tokens"]
    bad, good = tokens["valid_2"], tokens["valid"]
    action = {"kind": "answer", "status": 401, "body": {"error": {"code": 401, "status": "UNAUTHENTICATED"}}}
    sandbox.control("POST", "faults", {"service": "fcm", "contains": bad, "action": action})
    message = pushcore.FcmMessage(token=good, notification={"title": "x"})
    targets = [bad if number % 20 == 0 else good for number in range(1000)]
    began = time.monotonic()
    with sandbox.fcm(pushcore.Client) as client:
        names = [
            (target, getattr(result, "name", result)) for target, result in client.send_many(targets, message=message)
        ]
    assert all(name == ("fix_credentials" if target == bad else "accepted") for target, name in names)
    assert len(names) == 1000
    assert len(sandbox.log(operation="oauth.token")) <= 4
    assert time.monotonic() - began < 20


# Proxies of the environment


class _Proxy(threading.Thread):
    """Refuses every tunnel and remembers what was asked for."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.asked: list[str] = []
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def run(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with sock:
                self.asked.append(sock.recv(4096).split(b"\r\n")[0].decode())
                sock.sendall(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")


@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_environments_proxy_is_heeded(monkeypatch: pytest.MonkeyPatch, asynchronous: bool) -> None:
    key = pushcore.ApnsCredentials.from_p8(pushcore.SigningKey.generate().to_pem(), **KEY)
    message = pushcore.ApnsMessage(token=TOKEN, topic="a.b", title="x")
    proxy = _Proxy()
    port = _closed_port()

    def send(host: str, **options: Any) -> pushcore.ErrorKind | int:
        settings: dict[str, Any] = {"first_backoff": 0.01, "longest_backoff": 0.02, "deadline": 0.5, **options}

        async def run() -> None:
            async with pushcore.aio.Client.apns(key, host=host, **settings) as client:
                await client.send(message)

        with pytest.raises(pushcore.NoAnswer) as caught:
            if asynchronous:
                asyncio.run(run())
            else:
                with pushcore.Client.apns(key, host=host, **settings) as client:
                    client.send(message)
        assert isinstance(caught.value.__cause__, pushcore.PushcoreError)
        return caught.value.__cause__.kind

    try:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert send(f"localhost:{port}") is pushcore.ErrorKind.PROXY_REFUSED
        assert proxy.asked[0] == f"CONNECT localhost:{port} HTTP/1.1"
        proxy.asked.clear()
        assert send(f"localhost:{port}", proxy=False) is pushcore.ErrorKind.CONNECT_REFUSED
        monkeypatch.setenv("NO_PROXY", "example.com, localhost")
        assert send(f"localhost:{port}") is pushcore.ErrorKind.CONNECT_REFUSED
        assert proxy.asked == []
        monkeypatch.setenv("HTTPS_PROXY", "nonsense://x")
        with pytest.raises(pushcore.PushcoreError):
            pushcore.Client.apns(key)
    finally:
        proxy.listener.close()


# A refusal carries the service's own sentence


def test_a_refusal_says_what_the_service_said() -> None:
    message = pushcore.FcmMessage(token="t", data={"a": "b"})
    violation = {"field": "message.android.notification", "description": "Cannot find field."}
    body = {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "Invalid JSON payload received.",
                      "details": [{"@type": "type.googleapis.com/google.rpc.BadRequest",
                                   "fieldViolations": [violation]}]}}  # fmt: skip
    outcome = message.outcome(pushcore.Response(400, body=json.dumps(body).encode()))
    assert outcome.reason == "INVALID_ARGUMENT"
    assert outcome.detail is not None
    assert "Invalid JSON payload received." in outcome.detail
    assert "message.android.notification" in outcome.detail
    web = pushcore.WebPushMessage(subscription={"endpoint": "https://fcm.googleapis.com/x"})
    full = web.outcome(pushcore.Response(507, body=b'{"code":50701,"http":507,"error":"no subscriber"}'))
    assert (full.reason, full.name) == ("no subscriber", "retry_later")
    assert "much later" in full.advice
    for status in (301, 302, 307, 308):
        for sent in (message, web):
            assert "redirect" in sent.outcome(pushcore.Response(status)).advice
    others: list[Any] = [
        pushcore.AdmMessage(registration_id="r", data={"a": "b"}),
        pushcore.BaiduMessage(everyone=True, text="x"),
    ]
    for any_message in (message, web, *others):
        misdirected = any_message.outcome(pushcore.Response(421))
        assert isinstance(misdirected, pushcore.RetryLater)
        assert (misdirected.scope, "another connection" in misdirected.advice) == ("connection", True)
