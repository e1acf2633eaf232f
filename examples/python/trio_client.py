"""The sans-IO session under trio: what a client for another event loop has to do.

pip install trio
python examples/python/trio_client.py
"""

from __future__ import annotations

import math
import time
from types import TracebackType
from typing import Any

import pushcore
import trio
from local import device_tokens
from pushcore.testing import Sandbox


class Client:
    """Sends messages over connections that trio owns."""

    def __init__(self, service: Any) -> None:
        self._session = pushcore.Session(service, monotonic=trio.current_time(), unix=time.time())
        self._sockets: dict[int, trio.SocketStream] = {}
        self._ended: dict[int, trio.Event] = {}
        self._results: dict[int, pushcore.Outcome | pushcore.PushcoreError] = {}
        self._turn = trio.Event()
        self._writing = trio.Lock()
        self._nurseries = trio.open_nursery()

    async def __aenter__(self) -> Client:
        self._nursery = await self._nurseries.__aenter__()
        self._nursery.start_soon(self._clock)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._tick()
        self._session.close()
        with trio.move_on_after(5):
            while True:
                await self._flush()
                if self._session.is_closed():
                    break
                await self._turn.wait()
        self._session.abandon()
        self._nursery.cancel_scope.cancel()
        await self._nurseries.__aexit__(kind, value, traceback)

    async def send(self, message: pushcore.ApnsMessage) -> pushcore.Outcome:
        """One message; raises what ended it without an answer."""
        while not self._session.capacity():
            await self._turn.wait()
        self._tick()
        ticket = self._session.submit(message)
        ended = self._ended[ticket] = trio.Event()
        await self._flush()
        try:
            await ended.wait()
        except trio.Cancelled:
            self._ended.pop(ticket, None)
            self._session.cancel(ticket)
            raise
        result = self._results.pop(ticket)
        if isinstance(result, pushcore.PushcoreError):
            raise result
        return result

    def _tick(self) -> None:
        self._session.tick(trio.current_time(), time.time())

    async def _clock(self) -> None:
        """Wakes when the session's time has come, or when anything else happened."""
        while True:
            due = self._session.poll_timeout()
            turn = self._turn
            with trio.move_on_at(math.inf if due is None else due):
                await turn.wait()
                continue
            self._tick()
            self._session.handle_timeout()
            await self._flush()

    async def _flush(self) -> None:
        """Does what the session asks for: connects, closes, writes, hands out results."""
        while (action := self._session.poll_action()) is not None:
            if action[0] == "connect":
                self._nursery.start_soon(self._connection, *action[1:])
            elif (stream := self._sockets.pop(action[1], None)) is not None:
                with trio.move_on_after(1) as last_words:
                    last_words.shield = True
                    async with self._writing:
                        await self._write(stream, action[2])
                await stream.aclose()
        for link, stream in list(self._sockets.items()):
            async with self._writing:
                # In order, and in pieces: what `data_to_send` gave counts as written, also where the peer reads nothing.
                while data := self._session.data_to_send(link, 64 * 1024):
                    await self._write(stream, data)
        for ticket, result in self._session.poll_outcomes():
            if (ended := self._ended.pop(ticket, None)) is not None:
                self._results[ticket] = result
                ended.set()
        self._turn.set()
        self._turn = trio.Event()

    async def _write(self, stream: trio.SocketStream, data: bytes) -> None:
        try:
            await stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the reader notices

    async def _connection(self, link: int, host: str, port: int) -> None:
        """One socket from its connection to its end."""
        try:
            addresses = await trio.socket.getaddrinfo(host, port, type=trio.socket.SOCK_STREAM)
            for *_, address in addresses:
                # The addresses asked about are the ones connected to: no second look-up.
                self._session.allow_address(host, port, str(address[0]))
            stream = await connect([str(address[0]) for *_, address in addresses], port)
        except pushcore.PushcoreError as error:
            return await self._failed(link, error.code, str(error))
        except OSError as error:
            return await self._failed(link, pushcore.ErrorKind.CONNECT_REFUSED, f"{host}:{port}: {error}")
        async with stream:
            self._sockets[link] = stream
            self._tick()
            self._session.connected(link)
            await self._flush()
            try:
                while data := await stream.receive_some(65536):
                    self._tick()
                    self._session.receive(link, data)
                    await self._flush()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass
            if self._sockets.pop(link, None) is not None:
                self._tick()
                self._session.receive_eof(link)
                await self._flush()
        return None

    async def _failed(self, link: int, code: int, text: str) -> None:
        self._tick()
        self._session.connect_failed(link, code, text)
        await self._flush()


async def connect(addresses: list[str], port: int) -> trio.SocketStream:
    """The first address that answers."""
    failure = OSError("the name has no address")
    for address in addresses:
        try:
            return await trio.open_tcp_stream(address, port)
        except OSError as error:
            failure = error
    raise failure


async def main() -> None:
    """Thirty messages at once, three of them to dead tokens."""
    with Sandbox() as sandbox:
        tokens = device_tokens(sandbox, 30)
        ready = sandbox.ready["apns"]
        # Where to and who, without a connection yet: what a client would be opened from.
        service = sandbox.apns(pushcore.Client).service
        message = pushcore.ApnsMessage(token=tokens[0], topic=ready["topic"], alert="Hello")
        names: list[str] = []

        async def one(client: Client, token: str) -> None:
            names.append((await client.send(message.to(token))).name)

        async with Client(service) as client, trio.open_nursery() as nursery:
            for token in tokens:
                nursery.start_soon(one, client, token)
        print({name: names.count(name) for name in sorted(set(names))})


if __name__ == "__main__":
    trio.run(main)
