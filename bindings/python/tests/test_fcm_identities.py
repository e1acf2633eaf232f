"""Google identities beyond a service account's key, and the rate of topic calls."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pushcore
import pushcore.aio
import pytest
from pushcore import FcmCredentials, FcmMessage, FcmTopics
from pushcore.testing import Sandbox


def options(sandbox: Sandbox) -> dict[str, Any]:
    return {"host": sandbox.ready["fcm"]["authority"], "ca": sandbox.ready["ca_file"], "bundled_roots": False}


@pytest.mark.parametrize("proxy", [None, "http://127.0.0.1:9"])
@pytest.mark.parametrize("kind", ["blocking", "aio"])
def test_a_metadata_server_is_asked_directly(sandbox: Sandbox, kind: str, proxy: str | None) -> None:
    fcm = sandbox.ready["fcm"]
    credentials = FcmCredentials.from_metadata_server(fcm["project_id"], host=fcm["metadata"])
    message = FcmMessage(token=fcm["tokens"]["valid"], notification={"title": "Hello"})
    before = sandbox.stats()["fcm_tokens_minted"]

    def blocking() -> Any:
        with pushcore.Client.fcm(credentials, proxy=proxy, deadline=5, **options(sandbox)) as client:
            return client.send(message)

    async def aio() -> Any:
        async with pushcore.aio.Client.fcm(credentials, proxy=proxy, deadline=5, **options(sandbox)) as client:
            return await client.send(message)

    def send() -> Any:
        return blocking() if kind == "blocking" else asyncio.run(aio())

    if proxy is None:
        assert send().name == "accepted"
    else:
        # Nobody is at the proxy: the push does not go out, the token came all the same.
        with pytest.raises(pushcore.PushcoreError):
            send()
    assert sandbox.stats()["fcm_tokens_minted"] == before + 1


def test_topic_calls_keep_their_rate(sandbox: Sandbox) -> None:
    call = FcmTopics.subscribe(sandbox.ready["fcm"]["tokens"]["valid"], "news")
    with sandbox.fcm(pushcore.Client, call_rate=20) as client:
        client.call(call)
        began = time.monotonic()
        for _ in range(10):
            client.call(call)
        # Two at once, then one every twentieth of a second.
        assert time.monotonic() - began >= 0.35
    # Pushes are not calls.
    with sandbox.fcm(pushcore.Client, call_rate=1) as client:
        message = FcmMessage(token=sandbox.ready["fcm"]["tokens"]["valid"], notification={"title": "Hello"})
        began = time.monotonic()
        assert all(client.send(message).name == "accepted" for _ in range(5))
        # As calls they would take four seconds.
        assert time.monotonic() - began < 3


def test_headers_can_be_more_compact(sandbox: Sandbox) -> None:
    message = FcmMessage(token=sandbox.ready["fcm"]["tokens"]["valid"], notification={"title": "Hello"})

    def sent(*, compact: bool) -> int:
        with sandbox.fcm(pushcore.Client, compact_headers=compact) as client:
            assert all(client.send(message).name == "accepted" for _ in range(20))
            return client.header_bytes()[0]

    # A field that is in HPACK's table costs one octet from its second use on (RFC 7541 §6.1), written out at least its value.
    assert sent(compact=False) - sent(compact=True) >= 19 * 10
