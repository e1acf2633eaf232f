"""The asyncio client."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import pushcore
import pushcore.aio
import pytest
from pushcore.testing import Sandbox

Runner = Callable[[Coroutine[Any, Any, None]], None]


def _uvloop() -> Runner:
    uvloop = pytest.importorskip("uvloop")
    return uvloop.run  # type: ignore[no-any-return]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Runner:
    return asyncio.run if request.param == "asyncio" else _uvloop()


def template(sandbox: Sandbox) -> pushcore.ApnsMessage:
    apns = sandbox.ready["apns"]
    return pushcore.ApnsMessage(token=apns["tokens"]["valid"], topic=apns["topic"], alert="hello")


def test_send(sandbox: Sandbox, run: Runner) -> None:
    async def main() -> None:
        async with sandbox.apns(pushcore.aio.Client) as client:
            outcome = await client.send(template(sandbox))
            assert isinstance(outcome, pushcore.Accepted)
            gone = await client.send(template(sandbox).to(sandbox.ready["apns"]["tokens"]["unregistered"]))
            assert isinstance(gone, pushcore.TokenGone)
            many = await asyncio.gather(*(client.send(template(sandbox)) for _ in range(500)))
            assert {outcome.name for outcome in many} == {"accepted"}
            assert client.stats()["accepted"] == 501
            assert "connected" in {event.name for event in client.events()}

    run(main())


def test_every_service(sandbox: Sandbox, run: Runner) -> None:
    ready = sandbox.ready

    async def main() -> None:
        async with sandbox.fcm(pushcore.aio.Client) as fcm:
            message = pushcore.FcmMessage(token=ready["fcm"]["tokens"]["valid"], data={"a": "b"})
            assert (await fcm.send(message)).name == "accepted"
        async with sandbox.web_push(pushcore.aio.Client) as web:
            active = ready["webpush"]["subscriptions"]["active"]
            push = pushcore.WebPushMessage(subscription=active, payload="hi", policy=sandbox.policy())
            assert (await web.send(push)).name == "accepted"
        async with sandbox.adm(pushcore.aio.Client) as adm:
            amazon = pushcore.AdmMessage(registration_id=ready["adm"]["registrations"]["valid"], data={"a": "b"})
            assert (await adm.send(amazon)).name == "accepted"
        async with sandbox.baidu(pushcore.aio.Client) as baidu:
            channel = pushcore.BaiduMessage(channel_id=ready["baidu"]["channels"]["valid"], text="hello")
            assert (await baidu.send(channel)).name == "accepted"

    run(main())


def test_send_many(sandbox: Sandbox, run: Runner) -> None:
    message = template(sandbox)
    dead = sandbox.ready["apns"]["tokens"]["unregistered"]

    def plain() -> Iterator[str]:
        yield from [message.token] * 3000
        yield dead
        yield "not a token"

    async def asynchronous() -> AsyncIterator[str]:
        for token in plain():
            yield token
            if token == dead:
                await asyncio.sleep(0.01)

    async def main() -> None:
        for source in (plain(), asynchronous(), list(plain())):
            reports: list[pushcore.Progress] = []
            names: Counter[str] = Counter()
            began = time.monotonic()
            async with sandbox.apns(pushcore.aio.Client) as client:
                async for token, result in client.send_many(
                    source, message=message, on_progress=reports.append, progress_every=0.01
                ):
                    if isinstance(result, pushcore.Outcome):
                        names[result.name] += 1
                        assert (token == dead) == (result.name == "token_gone")
                    else:
                        assert isinstance(result, pushcore.MessageError)
                        names["refused"] += 1
            assert names == {"accepted": 3000, "token_gone": 1, "refused": 1}
            assert (reports[-1].ended, reports[-1].in_flight, reports[-1].not_sent) == (3002, 0, 1)
            assert 0 < reports[-1].elapsed <= time.monotonic() - began

    run(main())


def test_an_endless_source_is_read_lazily(sandbox: Sandbox, run: Runner) -> None:
    message = template(sandbox)
    taken = 0

    async def endless() -> AsyncIterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield message.token

    async def main() -> None:
        async with sandbox.apns(pushcore.aio.Client, max_queued=50) as client:
            seen = 0
            async with contextlib.aclosing(client.send_many(endless(), message=message)) as results:
                async for _ in results:
                    seen += 1
                    if seen == 200:
                        break
            assert taken < 10_000
            assert (await client.send(message)).name == "accepted"
            stats = client.stats()
            assert stats["queued"] == stats["open"] == 0

    run(main())


def test_results_do_not_wait_for_a_slow_source(sandbox: Sandbox, run: Runner) -> None:
    message = template(sandbox)
    seen = 0
    seen_when_taken: list[int] = []

    def slow() -> Iterator[str]:
        for _ in range(20):
            seen_when_taken.append(seen)
            time.sleep(0.02)
            yield message.token

    async def main() -> None:
        nonlocal seen
        async with sandbox.apns(pushcore.aio.Client) as client:
            await client.send(message)
            async for _ in client.send_many(slow(), message=message):
                seen += 1
        assert seen == 20
        assert seen_when_taken[-1] > 0

    run(main())


def test_a_batch_that_is_closed_tells_nothing_more(sandbox: Sandbox, run: Runner) -> None:
    message = template(sandbox)

    async def main() -> None:
        async with sandbox.apns(pushcore.aio.Client) as client:
            await client.send(message)
            # Two at once, of which one is left in the middle: the other gets its own results, and all of them.
            other = client.send_many([message.token] * 3000, message=message)
            left = client.send_many(itertools.repeat(message.token), message=message)
            found = 0
            async with contextlib.aclosing(left), contextlib.aclosing(other):
                async for _ in left:
                    break
                async for token, result in other:
                    found += isinstance(result, pushcore.Accepted) and token == message.token
            assert found == 3000
            stats = client.stats()
            assert (stats["queued"], stats["open"]) == (0, 0)

    run(main())


def test_a_source_that_raises(sandbox: Sandbox, run: Runner) -> None:
    message = template(sandbox)

    async def broken() -> AsyncIterator[str]:
        yield message.token
        raise ZeroDivisionError

    async def main() -> None:
        async with sandbox.apns(pushcore.aio.Client) as client:
            with pytest.raises(ZeroDivisionError):
                async for _ in client.send_many(broken(), message=message):
                    pass
            # What is no message is a result, as in the blocking client.
            items: list[Any] = [1, 2, 3]
            odd = [pair async for pair in client.send_many(items)]
            assert [key for key, _ in odd] == [1, 2, 3]
            assert all(isinstance(result, pushcore.MessageError) for _, result in odd)
            assert (await client.send(message)).name == "accepted"

    run(main())


def test_cancelling_a_task_cancels_the_message(sandbox: Sandbox, run: Runner) -> None:
    async def main() -> None:
        async with sandbox.apns(pushcore.aio.Client) as client:
            # Until the first good token APNs allows one stream at a time.
            assert (await client.send(template(sandbox))).name == "accepted"
            sandbox.control("POST", "faults", {"service": "apns", "action": {"kind": "no_answer"}})
            with pytest.raises((asyncio.TimeoutError, TimeoutError)):
                await asyncio.wait_for(client.send(template(sandbox)), 0.5)
            await asyncio.sleep(0)
            stats = client.stats()
            assert (stats["cancelled"], stats["open"], stats["queued"]) == (1, 0, 0)
            with pytest.raises(pushcore.Unknown):
                await client.send(template(sandbox), deadline=0.3)

    run(main())


def test_one_client_in_several_runs_and_loops(sandbox: Sandbox, run: Runner) -> None:
    client = sandbox.apns(pushcore.aio.Client)

    async def main() -> None:
        assert (await client.send(template(sandbox))).name == "accepted"
        await client.close()

    run(main())
    run(main())
    failures: list[BaseException] = []

    def thread() -> None:
        try:
            run(main())
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=thread) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert failures == []


def test_failures_have_their_class(sandbox: Sandbox, run: Runner) -> None:
    async def main() -> None:
        async with sandbox.apns(pushcore.aio.Client, host="127.0.0.1:1") as nobody:
            with pytest.raises(pushcore.NotSent):
                await nobody.send(template(sandbox), deadline=30)
        async with sandbox.apns(pushcore.aio.Client, host="no-such-host.invalid:443") as unknown:
            with pytest.raises(pushcore.NotSent, match="resolve"):
                await unknown.send(template(sandbox), deadline=30)
        async with sandbox.fcm(pushcore.aio.Client) as client:
            with pytest.raises(pushcore.MisuseError):
                await client.send(template(sandbox))

    run(main())


def test_through_a_proxy(sandbox: Sandbox, run: Runner) -> None:
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(request.split()[1])
        host, _, port = asked[-1].rpartition(":")
        there_reader, there_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()
            sink.close()

        await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        proxy = f"http://127.0.0.1:{port}"
        async with server:
            async with sandbox.apns(pushcore.aio.Client, proxy=proxy) as client:
                assert (await client.send(template(sandbox))).name == "accepted"
            await asyncio.sleep(0.05)
        assert asked == [sandbox.ready["apns"]["authority"]]

    run(main())
