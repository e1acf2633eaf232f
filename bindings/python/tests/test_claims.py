"""Sizes that a caller claims, settings that cannot work, and deadlines that run from the call."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pushcore
import pushcore.aio
import pytest
from pushcore.testing import Sandbox

#: A list as far as its length goes.
HUGE: Any = range(10**12)

LISTS: dict[str, Callable[[Any], object]] = {
    "AdmGroups.create": lambda many: pushcore.AdmGroups.create("g", many),
    "AdmGroups.add": lambda many: pushcore.AdmGroups.add("g", many),
    "AdmGroups.remove": lambda many: pushcore.AdmGroups.remove("g", many),
    "Localized.args": lambda many: pushcore.Localized("k", many),
    "BaiduCalls.message_status": lambda many: pushcore.BaiduCalls.message_status(many),
    "BaiduCalls.tag_devices": lambda many: pushcore.BaiduCalls.tag_devices("t", many),
    "BaiduCalls.untag_devices": lambda many: pushcore.BaiduCalls.untag_devices("t", many),
    "FcmTopics.subscribe_many": lambda many: pushcore.FcmTopics.subscribe_many(many, "t"),
    "FcmTopics.unsubscribe_many": lambda many: pushcore.FcmTopics.unsubscribe_many(many, "t"),
    "EndpointPolicy.hosts": lambda many: pushcore.EndpointPolicy(hosts=many),
    "EndpointPolicy.ports": lambda many: pushcore.EndpointPolicy(ports=many),
    "EndpointPolicy.trusted": lambda many: pushcore.EndpointPolicy(trusted=many),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_claimed_length_is_not_believed(name: str) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError, pushcore.PushcoreError)):
        LISTS[name](HUGE)


@pytest.mark.parametrize("name", [name for name in LISTS if name not in ("EndpointPolicy.ports", "Localized.args")])
def test_a_text_is_no_list(name: str) -> None:
    with pytest.raises(TypeError, match="not str"):
        LISTS[name]("abc")


KEY = pushcore.SigningKey.generate().to_pem()


def credentials() -> pushcore.ApnsCredentials:
    return pushcore.ApnsCredentials.from_p8(KEY, key_id="ABC123DEFG", team_id="DEF123GHIJ")


TOKEN = "ab" * 32


def alert() -> pushcore.ApnsMessage:
    return pushcore.ApnsMessage(token=TOKEN, topic="com.example.app", alert="x")


def test_a_bulk_send_believes_no_length() -> None:
    with pushcore.Client.apns(credentials(), proxy=False) as client, client.send_many(HUGE) as results:
        key, result = next(iter(results))
    assert isinstance(result, pushcore.MessageError), key


UNWORKABLE = ["max_queued", "max_connections", "rate", "call_rate", "deadline", "response_timeout", "connect_timeout"]


@pytest.mark.parametrize("kind", [pushcore.Client, pushcore.aio.Client])
@pytest.mark.parametrize("setting", UNWORKABLE)
def test_settings_that_cannot_work(kind: Any, setting: str) -> None:
    with pytest.raises(pushcore.MessageError, match=setting):
        kind.apns(credentials(), proxy=False, **{setting: 0})


@pytest.fixture
def deaf() -> Any:
    """A port that takes connections and says nothing: a service, a token endpoint or a proxy."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


CALLS = ["send", "send_many", "call", "exchange"]
SLOW = ["service", "queue", "proxy"]


def made(kind: Any, slow: str, port: int) -> Any:
    options: dict[str, Any] = {"proxy": False, "connect_timeout": 30, "max_queued": 1 if slow == "queue" else 100}
    if slow == "proxy":
        options["proxy"] = f"http://127.0.0.1:{port}"
    return kind.apns(credentials(), host=f"127.0.0.1:{port}", **options)


def asked(port: int) -> pushcore.Request:
    return pushcore.Request("GET", f"127.0.0.1:{port}", "/x")


@pytest.mark.parametrize("slow", SLOW)
@pytest.mark.parametrize("call", CALLS)
def test_a_deadline_runs_from_the_call(deaf: int, call: str, slow: str) -> None:
    client = made(pushcore.Client, slow, deaf)
    if slow == "queue":
        # It fills the queue for longer than the deadline.
        def fill() -> None:
            with pytest.raises(pushcore.PushcoreError):
                client.send(alert(), deadline=3)

        threading.Thread(target=fill, daemon=True).start()
        while not client.stats()["queued"]:
            time.sleep(0.01)
    began = time.monotonic()
    try:
        if call == "send":
            client.send(alert(), deadline=0.5)
        elif call == "call":
            client.call(pushcore.ApnsChannels("com.example.app").list(), deadline=0.5)
        elif call == "exchange":
            client.exchange(asked(deaf), deadline=0.5)
        else:
            results = [result for _, result in client.send_many([alert()], deadline=0.5)]
            raise results[0]
    except pushcore.Expired:
        pass
    took = time.monotonic() - began
    assert 0.4 < took < 1.0, took


@pytest.mark.parametrize("slow", SLOW)
@pytest.mark.parametrize("call", CALLS)
def test_a_deadline_runs_from_the_call_in_asyncio(deaf: int, call: str, slow: str) -> None:
    async def main() -> float:
        client = made(pushcore.aio.Client, slow, deaf)
        filler = None
        if slow == "queue":
            filler = asyncio.ensure_future(client.send(alert(), deadline=3))
            while not client.stats()["queued"]:
                await asyncio.sleep(0.01)
        began = time.monotonic()
        try:
            if call == "send":
                await client.send(alert(), deadline=0.5)
            elif call == "call":
                await client.call(pushcore.ApnsChannels("com.example.app").list(), deadline=0.5)
            elif call == "exchange":
                await client.exchange(asked(deaf), deadline=0.5)
            else:
                results = [result async for _, result in client.send_many([alert()], deadline=0.5)]
                raise results[0]
        except pushcore.Expired:
            pass
        took = time.monotonic() - began
        if filler is not None:
            filler.cancel()
        await client.close()
        return took

    took = asyncio.run(main())
    assert 0.4 < took < 1.0, took


def silent(*_: object, **__: object) -> Any:
    time.sleep(4)
    raise OSError("no answer")


def test_a_silent_name_server_in_asyncio(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    """The deadline holds, and the loop ends with its last task: no executor is waited for."""
    monkeypatch.setattr(socket, "getaddrinfo", silent)

    async def main() -> float:
        client = pushcore.aio.Client.apns(credentials(), host="silent.example:443", proxy=False)
        began = time.monotonic()
        with pytest.raises(pushcore.Expired):
            await client.send(alert(), deadline=0.5)
        took = time.monotonic() - began
        await client.close()
        return took

    began = time.monotonic()
    assert asyncio.run(main()) < 0.8
    assert time.monotonic() - began < 1.5
