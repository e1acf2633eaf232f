"""What the asyncio driver owes the session: each test fails when the driver leaves out the duty that it names."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import pushcore
import pushcore.aio
import pytest
from pushcore import _aio_bulk, _aio_dial, _aio_engine, _proxy
from pushcore.testing import Sandbox

if TYPE_CHECKING:
    from pushcore._types import Priority

#: Longer than what is waited for takes, shorter than the session's own time-outs (10 s to connect, 30 s for an answer).
SOON = 5.0


def template(sandbox: Sandbox) -> pushcore.ApnsMessage:
    apns = sandbox.ready["apns"]
    return pushcore.ApnsMessage(token=apns["tokens"]["valid"], topic=apns["topic"], alert="hello")


def fault(sandbox: Sandbox, service: str, action: dict[str, Any], **more: Any) -> None:
    sandbox.control("POST", "faults", {"service": service, "action": action, **more})


def engine_of(client: pushcore.aio.Client) -> _aio_engine.Engine:
    return client._engine()


def causes(error: BaseException | None) -> list[int]:
    """The codes of an error and of what caused it."""
    found = []
    while error is not None:
        if isinstance(error, pushcore.PushcoreError):
            found.append(int(error.code))
        error = error.__cause__
    return found


def resolving_to(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> None:
    """Every name resolves to these."""
    rows = [
        (
            socket.AF_INET6 if ":" in host else socket.AF_INET,
            socket.SOCK_STREAM,
            socket.IPPROTO_TCP,
            "",
            (host, port, 0, 0) if ":" in host else (host, port),
        )
        for host, port in addresses
    ]

    async def getaddrinfo(*_: object, **__: object) -> list[Any]:
        return rows

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


# Connecting.


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["fe80::1%lo"],
        # One address inside refuses them all, wherever it stands.
        ["8.8.8.8", "127.0.0.1"],
        ["127.0.0.1", "8.8.8.8"],
        ["8.8.8.8", "2001:4860:4860::8888", "192.168.0.1"],
    ],
)
def test_a_name_that_resolves_inside_is_not_connected_to(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    """The policy is asked about the name and again about what it resolves to (SSRF by DNS)."""
    subscription = {**sandbox.ready["webpush"]["subscriptions"]["active"], "endpoint": "https://push.example.org/x"}
    attempts: list[Any] = []

    async def attempt(_: object, address: Any) -> socket.socket:
        attempts.append(address)
        raise ConnectionRefusedError

    async def main() -> None:
        policy = pushcore.EndpointPolicy(any_public_host=True)
        vapid = sandbox.vapid_credentials()
        async with pushcore.aio.Client.web_push(vapid, policy=policy, resolve_on_threads=False) as client:
            resolving_to(monkeypatch, *((address, 443) for address in addresses))
            with pytest.raises(pushcore.NotSent) as raised:
                await client.send(pushcore.WebPushMessage(subscription=subscription, payload="x"), deadline=SOON)
        assert pushcore.ErrorKind.ADDRESS_NOT_ALLOWED in causes(raised.value)
        assert attempts == []

    monkeypatch.setattr(_aio_dial, "_attempt", attempt)
    asyncio.run(main())


def test_public_addresses_are_connected_to(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other half: what the policy allows is tried, every address of it, in order."""
    subscription = {**sandbox.ready["webpush"]["subscriptions"]["active"], "endpoint": "https://push.example.org/x"}
    attempts: list[str] = []

    async def attempt(_: object, address: Any) -> socket.socket:
        attempts.append(address[4][0])
        raise ConnectionRefusedError

    async def main() -> None:
        policy = pushcore.EndpointPolicy(any_public_host=True)
        vapid = sandbox.vapid_credentials()
        async with pushcore.aio.Client.web_push(vapid, policy=policy, resolve_on_threads=False) as client:
            resolving_to(monkeypatch, ("8.8.8.8", 443), ("2001:4860:4860::8888", 443))
            with pytest.raises(pushcore.PushcoreError):
                await client.send(pushcore.WebPushMessage(subscription=subscription, payload="x"), deadline=0.5)
        assert attempts[:2] == ["8.8.8.8", "2001:4860:4860::8888"]

    monkeypatch.setattr(_aio_dial, "_attempt", attempt)
    asyncio.run(main())


@pytest.fixture
def refused() -> Iterator[int]:
    """A port where nobody listens, and nobody else will: it is bound."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_a_second_address_is_tried(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, refused: int) -> None:
    port = int(sandbox.ready["apns"]["authority"].rpartition(":")[2])

    async def main() -> None:
        async with sandbox.apns(pushcore.aio.Client) as client:
            resolving_to(monkeypatch, ("127.0.0.1", refused), ("127.0.0.1", port))
            assert (await client.send(template(sandbox), deadline=SOON)).name == "accepted"

    asyncio.run(main())


# The service ends the connection.


@pytest.mark.parametrize("how", ["fin", "reset"])
def test_a_lost_connection_is_told_at_once(sandbox: Sandbox, how: str) -> None:
    async def main() -> None:
        async with sandbox.apns(pushcore.aio.Client) as client:
            assert (await client.send(template(sandbox))).name == "accepted"
            fault(sandbox, "apns", {"kind": "close", "how": how}, times=1)
            began = time.monotonic()
            with pytest.raises(pushcore.Unknown) as raised:
                await client.send(template(sandbox))
            assert time.monotonic() - began < SOON
            assert pushcore.ErrorKind.CONNECTION_LOST in causes(raised.value)
            assert (await client.send(template(sandbox))).name == "accepted"

    asyncio.run(main())


def test_a_service_that_says_no_more_is_left(sandbox: Sandbox) -> None:
    """The end of what the service says ends the connection, both ways; the next connection is another one."""
    ended: list[float] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        began = time.monotonic()
        writer.write_eof()
        try:
            while await asyncio.wait_for(reader.read(65_536), SOON):
                pass
        except OSError:
            pass
        ended.append(time.monotonic() - began)
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with sandbox.apns(pushcore.aio.Client, host=host, first_backoff=0.1) as client:
            with pytest.raises(pushcore.PushcoreError):
                await client.send(template(sandbox), deadline=2.0)
        server.close()
        # Told of the end, the session tried again within the two seconds.
        assert len(ended) >= 2
        assert max(ended) < 1.0

    asyncio.run(main())


# Back-pressure.


def test_send_waits_for_room(sandbox: Sandbox) -> None:
    async def main() -> None:
        async with sandbox.apns(pushcore.aio.Client, max_queued=3) as client:
            outcomes = await asyncio.gather(*(client.send(template(sandbox)) for _ in range(200)))
            assert [outcome.name for outcome in outcomes] == ["accepted"] * 200

    asyncio.run(main())


def test_a_short_queue_fills_every_stream(sandbox: Sandbox) -> None:
    """A queue that is shorter than what the streams take is emptied by a write, and not by answers."""

    async def main() -> None:
        async with sandbox.apns(pushcore.aio.Client, max_queued=7, max_connections=1) as client:
            # The first answer opens the gate of the key, and the connection's streams.
            assert (await client.send(template(sandbox))).name == "accepted"
            fault(sandbox, "apns", {"kind": "delay", "ms": 500})
            async for _, outcome in client.send_many(template(sandbox) for _ in range(60)):
                assert outcome.name == "accepted"
                assert client.stats()["submitted"] == 61, "all are on their way before the first is answered"

    asyncio.run(main())


def test_a_machine_without_descriptors_loses_nothing(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not the host that refuses: the message waits, as often as it takes."""
    make, missed = socket.socket, 0

    def scarce(*arguments: Any, **more: Any) -> socket.socket:
        nonlocal missed
        if missed < 4:
            missed += 1
            raise OSError(errno.EMFILE, "Too many open files")
        return make(*arguments, **more)

    async def main() -> None:
        async with sandbox.apns(pushcore.aio.Client) as client:
            monkeypatch.setattr(socket, "socket", scarce)
            assert (await client.send(template(sandbox))).name == "accepted"
            codes = [event.code for event in client.events() if event.name == "disconnected"]
            assert codes == [pushcore.ErrorKind.OUT_OF_DESCRIPTORS] * 4

    asyncio.run(main())


def test_a_proxy_is_not_blamed_for_missing_descriptors() -> None:
    async def main() -> None:
        async def connect(_: str, at: int) -> socket.socket:
            raise OSError(errno.EMFILE if at == 3128 else errno.ECONNREFUSED, "as the test wants it")

        loop = asyncio.get_running_loop()
        for port, code in (3128, OSError), (3129, pushcore.ErrorKind.PROXY_REFUSED):
            credentials = pushcore.AdmCredentials("id", "secret")
            service = pushcore.aio.Client.adm(credentials, proxy=f"http://127.0.0.1:{port}")._service
            with pytest.raises((OSError, pushcore.PushcoreError)) as raised:
                await _proxy.tunnel(loop, service, "push.example", 443, connect)
            error = raised.value
            assert (error.code if isinstance(error, pushcore.PushcoreError) else type(error)) == code

    asyncio.run(main())


def test_a_lone_message_overtakes_a_campaign(sandbox: Sandbox) -> None:
    """`send` is interactive and `send_many` bulk; `connections` and `hosts` say what rules."""

    async def main() -> None:
        async with sandbox.apns(pushcore.aio.Client, max_connections=1, http2={"max_in_flight": 2}) as client:
            assert (await client.send(template(sandbox))).name == "accepted"
            fault(sandbox, "apns", {"kind": "delay", "ms": 50})
            ended: list[str] = []

            async def campaign() -> None:
                async for _ in client.send_many(template(sandbox) for _ in range(40)):
                    ended.append("bulk")

            async def lone(name: str, priority: Priority | None) -> None:
                assert (await client.send(template(sandbox), priority=priority)).name == "accepted"
                ended.append(name)

            task = asyncio.ensure_future(campaign())
            while not ended:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            (host,) = client.hosts()
            assert host["waiting"] > 20
            assert host["waits_for"] == "stream"
            (connection,) = client.connections()
            assert connection["streams"] == 2
            assert connection["round_trip"] > 0.01

            async def few() -> None:
                async for _ in client.send_many((template(sandbox) for _ in range(3)), priority="interactive"):
                    ended.append("few")

            await asyncio.gather(lone("late", "bulk"), lone("alone", None), few(), task)
            assert ended.index("alone") < 12
            assert [name for name in ended[:25] if name == "few"] == ["few"] * 3
            assert ended.index("late") > 35
            with pytest.raises(ValueError, match="priority"):
                await client.send(template(sandbox), priority=cast("Priority", "urgent"))
            with pytest.raises(ValueError, match="priority"):
                async for _ in client.send_many([template(sandbox)], priority=cast("Priority", "urgent")):
                    pass

    asyncio.run(main())


class Recorder:
    """A transport that says what was done with it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.done: list[str] = []

    def write(self, data: bytes) -> None:
        self.done.append("write")
        self.transport.write(data)

    def close(self) -> None:
        self.done.append("close")
        self.transport.close()

    def get_write_buffer_size(self) -> int:
        return self.transport.get_write_buffer_size()


def recorded(client: pushcore.aio.Client) -> tuple[_aio_engine.Link, Recorder]:
    """The one link of a client, and from now on its record."""
    (link,) = engine_of(client)._links.values()
    assert link.transport is not None
    recorder = Recorder(link.transport)
    link.transport = cast("asyncio.Transport", recorder)
    return link, recorder


def test_nothing_is_written_to_a_full_socket(sandbox: Sandbox) -> None:
    async def main() -> None:
        async with sandbox.apns(pushcore.aio.Client) as client:
            assert (await client.send(template(sandbox))).name == "accepted"
            link, recorder = recorded(client)
            link.pause_writing()
            task = asyncio.ensure_future(client.send(template(sandbox)))
            await asyncio.sleep(0.2)
            assert recorder.done == []
            assert not task.done()
            link.resume_writing()
            assert (await asyncio.wait_for(task, SOON)).name == "accepted"
            assert "write" in recorder.done

    asyncio.run(main())


def test_results_that_nobody_fetches_stop_the_reading(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_aio_bulk, "_MOST_RESULTS", 50)
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield template(sandbox).token

    async def main() -> None:
        async with sandbox.apns(pushcore.aio.Client) as client:
            results = client.send_many(endless(), message=template(sandbox))
            await anext(results)
            await asyncio.sleep(1.0)
            first = taken
            await asyncio.sleep(1.0)
            # What was on its way has landed; nothing more was taken.
            assert taken == first
            for _ in range(first):
                await anext(results)
            assert taken > first
            await results.aclose()

    asyncio.run(main())


# Endings.


def test_close_waits_for_what_is_in_flight(sandbox: Sandbox) -> None:
    async def main() -> None:
        client = sandbox.apns(pushcore.aio.Client)
        assert (await client.send(template(sandbox))).name == "accepted"
        fault(sandbox, "apns", {"kind": "delay", "ms": 700})
        task = asyncio.ensure_future(client.send(template(sandbox)))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        await client.close()
        assert time.monotonic() - began > 0.3
        assert (await asyncio.wait_for(task, 0.1)).name == "accepted"

    asyncio.run(main())


def test_the_last_words_are_written_before_the_end(sandbox: Sandbox) -> None:
    """GOAWAY and close_notify."""

    async def main() -> None:
        client = sandbox.apns(pushcore.aio.Client)
        assert (await client.send(template(sandbox))).name == "accepted"
        _, recorder = recorded(client)
        await client.close()
        assert recorder.done == ["write", "close"]

    asyncio.run(main())


def test_what_is_left_of_a_batch_ends_with_it(sandbox: Sandbox) -> None:
    async def main() -> None:
        async with sandbox.apns(pushcore.aio.Client) as client:
            assert (await client.send(template(sandbox))).name == "accepted"
            fault(sandbox, "apns", {"kind": "no_answer"}, skip=1)
            results = client.send_many([template(sandbox).token] * 100, message=template(sandbox))
            await anext(results)
            await asyncio.sleep(0.1)
            stats = client.stats()
            assert stats["queued"] + stats["open"] == 99
            await results.aclose()
            stats = client.stats()
            assert (stats["queued"], stats["open"], stats["cancelled"]) == (0, 0, 99)
            assert engine_of(client)._batches == {}

    asyncio.run(main())


def test_a_call_keeps_its_deadline_while_its_token_is_fetched(sandbox: Sandbox) -> None:
    async def main() -> None:
        async with sandbox.fcm(pushcore.aio.Client) as client:
            fault(sandbox, "fcm", {"kind": "no_answer"}, contains="jwt-bearer")
            call = pushcore.FcmTopics.subscribe(sandbox.ready["fcm"]["tokens"]["valid"], "news")
            began = time.monotonic()
            with pytest.raises(pushcore.Expired):
                await asyncio.wait_for(client.call(call, deadline=0.4), SOON)
            assert 0.35 < time.monotonic() - began < SOON

    asyncio.run(main())


def test_a_timer_that_comes_early_does_not_spin(sandbox: Sandbox) -> None:
    """Loops round: the session is shown the time that it asked for, even where the loop's own clock is before it."""

    async def main() -> None:
        async with sandbox.apns(pushcore.aio.Client) as client:
            assert (await client.send(template(sandbox))).name == "accepted"
            fault(sandbox, "apns", {"kind": "no_answer"})
            task = asyncio.ensure_future(client.send(template(sandbox), deadline=3.0))
            await asyncio.sleep(0.1)
            engine = engine_of(client)
            at = engine.session.poll_timeout()
            assert at is not None
            assert at > engine.loop.time()
            engine._timeout(at)
            after = engine.session.poll_timeout()
            assert after is None or after > at
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
