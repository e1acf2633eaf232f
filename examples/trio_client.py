"""pushcore under another event loop: the session is a state machine, trio owns the sockets.

    pip install trio && python examples/trio_client.py

The same four steps serve any loop: do what the session asks for, write what it has to say, tell
who waits what has ended, then sleep until a socket or the timer has news.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence

import pushcore
import trio
from pushcore.testing import Sandbox


class Driver:
    """One session and its sockets."""

    def __init__(self, session: pushcore.Session, nursery: trio.Nursery) -> None:
        self.session = session
        self.nursery = nursery
        self.streams: dict[int, trio.SocketStream] = {}
        self.ended: dict[int, pushcore.Outcome | pushcore.PushcoreError] = {}
        self.news = trio.Event()

    def tick(self) -> None:
        """Both clocks; trio's own has an epoch of its own, which is fine."""
        self.session.tick(trio.current_time(), time.time())

    async def flush(self) -> None:
        """Steps 1 to 3."""
        while (action := self.session.poll_action()) is not None:
            if action[0] == "connect":
                self.nursery.start_soon(self.connect, *action[1:])
            elif (stream := self.streams.pop(action[1], None)) is not None:
                with trio.move_on_after(1):
                    await stream.send_all(action[2])
                    await stream.aclose()
        for link, stream in list(self.streams.items()):
            if data := self.session.data_to_send(link):
                await stream.send_all(data)
        for ticket, result in self.session.poll_outcomes():
            self.ended[ticket] = result
            self.news.set()

    async def connect(self, link: int, host: str, port: int) -> None:
        """A connection that the session asked for, until it ends."""
        try:
            found = await trio.socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            for address in found:
                self.session.allow_address(host, port, str(address[4][0]))
            stream = await trio.open_tcp_stream(host, port)
        except OSError as error:
            self.tick()
            self.session.connect_failed(link, pushcore.ErrorKind.CONNECT_REFUSED, str(error))
            await self.flush()
            return
        self.streams[link] = stream
        self.tick()
        self.session.connected(link)
        await self.flush()
        try:
            async for data in stream:
                self.tick()
                self.session.receive(link, bytes(data))
                await self.flush()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        if self.streams.pop(link, None) is not None:
            self.tick()
            self.session.receive_eof(link)
            await self.flush()

    async def timer(self) -> None:
        """Step 4: wakes up when the session wants to."""
        while True:
            due = self.session.poll_timeout()
            now = trio.current_time()
            await trio.sleep(0.05 if due is None else min(0.05, max(0.0, due - now)))
            if due is not None and due <= trio.current_time():
                self.tick()
                self.session.handle_timeout()
                await self.flush()

    async def send(self, messages: Sequence[pushcore.Message]) -> list[pushcore.Outcome | pushcore.PushcoreError]:
        """Sends all of them; their results in the same order."""
        self.tick()
        tickets = [self.session.submit(message) for message in messages]
        await self.flush()
        while not all(ticket in self.ended for ticket in tickets):
            self.news = trio.Event()
            await self.news.wait()
        return [self.ended.pop(ticket) for ticket in tickets]


async def main() -> None:
    """One message that is taken, one that is not."""
    with Sandbox() as sandbox:
        apns = sandbox.ready["apns"]
        # `service` holds where to and who; a client would be opened from it just the same.
        service = sandbox.apns(pushcore.Client).service
        session = pushcore.Session(service, monotonic=trio.current_time(), unix=time.time())
        message = pushcore.ApnsMessage(token=apns["tokens"]["valid"], topic=apns["topic"], alert="Hello")
        gone = message.to(apns["tokens"]["unregistered"])
        async with trio.open_nursery() as nursery:
            driver = Driver(session, nursery)
            nursery.start_soon(driver.timer)
            for result in await driver.send([message, gone]):
                print(result, "->", result.advice if isinstance(result, pushcore.Outcome) else result)
            nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main)
