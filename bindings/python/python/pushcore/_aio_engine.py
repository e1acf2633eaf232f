"""Drives one session in one event loop."""

from __future__ import annotations

import asyncio
import datetime
import time
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ._aio_dial import dial
from ._aio_lookups import Lookups
from ._errors import Expired, MisuseError, PushcoreError
from ._kinds import ErrorKind
from ._proxy import is_out_of_descriptors
from ._pushcore import Outcome, Service, Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._pushcore import Batch, Call, Event, Request, Response, Template
    from ._types import Duration, Message, OnSuspicion, Priority

_T = TypeVar("_T")
#: How often a token that is being fetched is looked for, in seconds.
_LOOK_AGAIN = 0.02
#: The most that is read from one socket before the loop gets its turn, in bytes. asyncio itself reads 256 KiB.
_MOST_READ = 64 * 1024
#: The most that a socket is handed at once, in bytes: as much as asyncio's transports keep before they say "enough".
_MOST_WRITE = 64 * 1024
#: How long a closed socket may take to write its last bytes, in seconds.
_LAST_WORDS = 1.0
#: How long the sockets of a client keep the loop before timers and other tasks get their turn, in seconds.
_ROUND = 0.02


def _settle(future: asyncio.Future[Any], result: Any) -> None:
    if future.done():
        return
    if isinstance(result, PushcoreError):
        future.set_exception(result)
    else:
        future.set_result(result)


class Link(asyncio.BufferedProtocol):
    """One socket: bytes to the session, bytes from it."""

    transport: asyncio.Transport | None = None
    paused = False
    #: Not read from for the rest of this turn of the loop.
    resting = False

    def __init__(self, engine: Engine, link: int) -> None:
        """The socket of the session's `link`."""
        self.engine = engine
        self.link = link

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        # uvloop's transports are not asyncio's classes.
        self.transport = cast("asyncio.Transport", transport)
        self.engine.connected(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the loop puts bytes from the service: a place that all sockets share, as each is looked at at once."""
        return self.engine.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes from the service."""
        self.received(self.engine.buffer[:nbytes])

    def received(self, data: bytes | memoryview) -> None:
        """Bytes from the service, for one turn."""
        engine = self.engine
        engine.tick()
        engine.session.receive(self.link, data)
        engine.flush()
        engine.rest_soon()

    def eof_received(self) -> bool:
        """The service has nothing more to say: neither have we."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self.engine.lost(self)

    def pause_writing(self) -> None:
        """The socket's buffer is full: the session keeps its bytes, and its capacity falls."""
        self.paused = True

    def resume_writing(self) -> None:
        """The socket's buffer has room."""
        self.paused = False
        self.engine.write(self.link)
        self.engine.flush_soon()


class Engine:
    """A session and the sockets it asked for."""

    def __init__(
        self, service: Service, loop: asyncio.AbstractEventLoop, watch: Callable[[Event], object] | None = None
    ) -> None:
        """Belongs to `loop`; `watch` is called with every event."""
        self.loop = loop
        self._watch = watch
        self._service = service
        self._deadline = service.deadline
        self.buffer = memoryview(bytearray(_MOST_READ))
        #: When the sockets have had their share of the loop's turn; `None` before the first one reads.
        self._until: float | None = None
        self._lookups = Lookups(loop) if service.resolve_on_threads else None
        self.session = Session(service, monotonic=loop.time(), unix=time.time())
        self.closed = False
        self._links: dict[int, Link] = {}
        self._dialling: dict[int, asyncio.Task[None]] = {}
        #: Sockets that are closed here and still have bytes to write.
        self._closing: set[asyncio.WriteTransport] = set()
        #: Who waits for the end of a ticket.
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        #: What is called when something of a batch has ended.
        self._batches: dict[Batch, Callable[[], None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: float | None = None
        self._flush: asyncio.Handle | None = None
        self._changed: set[asyncio.Future[None]] = set()

    async def send(self, message: Message, *, deadline: Duration | None, priority: Priority | None = None) -> Outcome:
        """One message."""
        future: asyncio.Future[Outcome] = self.loop.create_future()
        left = await self._room(deadline)
        self.tick()
        ticket = self.session.submit(message, deadline=left, priority=priority)
        self._waiting[ticket] = future
        self.flush_soon()
        return await self._wait(ticket, future)

    def seconds(self, deadline: Duration | None) -> float:
        """A deadline, or the session's own, in seconds."""
        longest = self._deadline if deadline is None else deadline
        return longest.total_seconds() if isinstance(longest, datetime.timedelta) else longest

    def _give_up(self, deadline: Duration | None) -> float:
        """When a call that begins now has to be over, by the loop's clock."""
        return self.loop.time() + self.seconds(deadline)

    async def _room(self, deadline: Duration | None) -> Duration | None:
        """Waits until the queue has room: what is left of the deadline then, which runs from the call."""
        if self.session.capacity() or self.closed:
            return deadline
        give_up = self._give_up(deadline)
        while not self.session.capacity() and not self.closed:
            left = give_up - self.loop.time()
            if left <= 0:
                raise Expired("no room in the queue came in time", ErrorKind.EXPIRED, "Expired")
            await self.changed(left)
        return max(0.0, give_up - self.loop.time())

    async def call(self, call: Call[Any], *, deadline: Duration | None) -> Any:
        """A request that is not a message."""
        give_up = self._give_up(deadline)
        left = deadline
        while True:
            ticket = None
            if self.closed or self.session.capacity():
                self.tick()
                ticket = self.session.call(call, deadline=left)
                self.flush_soon()
            if ticket is not None:
                return call.outcome(await self._response(ticket))
            left = max(0.0, give_up - self.loop.time())
            if not left:
                raise Expired("no access token came in time", ErrorKind.EXPIRED, "Expired")
            await asyncio.sleep(min(left, _LOOK_AGAIN))

    async def exchange(self, request: Request, *, deadline: Duration | None) -> Response:
        """A request of the caller's own."""
        left = await self._room(deadline)
        self.tick()
        return await self._response(self.session.exchange(request, deadline=left))

    async def _response(self, ticket: int) -> Response:
        future: asyncio.Future[Response] = self.loop.create_future()
        self._waiting[ticket] = future
        self.flush_soon()
        return await self._wait(ticket, future)

    async def _wait(self, ticket: int, future: asyncio.Future[_T]) -> _T:
        try:
            return await future
        except asyncio.CancelledError:
            self.cancel(ticket)
            raise

    def begin(
        self,
        template: Message | Template | None,
        deadline: Duration | None,
        landed: Callable[[], None],
        on_suspicion: OnSuspicion | None = None,
        priority: Priority | None = None,
    ) -> Batch:
        """A batch of the session; `landed` is called when something of it has ended, until `end`."""
        batch = self.session.batch(template=template, deadline=deadline, on_suspicion=on_suspicion, priority=priority)
        self._batches[batch] = landed
        return batch

    def finish(self, batch: Batch) -> None:
        """No message of a batch follows."""
        if batch in self._batches:
            batch.finish()
            self.flush_soon()

    def end(self, batch: Batch) -> None:
        """Ends what is left of a batch; nobody is told."""
        del self._batches[batch]
        self.tick()
        batch.cancel()
        self.flush_soon()

    def submit_many(self, batch: Batch, items: list[Any], waited: float) -> int:
        """Hands messages to the session, as many as there is room for after `waited` seconds; says how many."""
        self.tick()
        taken = batch.submit(items, waited=waited)
        self.flush_soon()
        return taken

    def cancel(self, ticket: int) -> None:
        """Ends a message; nobody is told."""
        if self._waiting.pop(ticket, None) is not None:
            self.tick()
            self.session.cancel(ticket)
            self.flush_soon()

    async def changed(self, longest: float | None = None) -> None:
        """Waits until something has ended, at most so many seconds."""
        future: asyncio.Future[None] = self.loop.create_future()
        self._changed.add(future)
        try:
            if longest is None:
                await future
            else:
                await asyncio.wait([future], timeout=longest)
        finally:
            self._changed.discard(future)

    def tick(self, at_least: float = 0.0) -> None:
        """Shows the session the clocks."""
        self.session.tick(max(at_least, self.loop.time()), time.time())

    def rest_soon(self) -> None:
        """After 20 ms of reading in one turn of the loop the sockets wait for the next but one: timers come between."""
        now = self.loop.time()
        if self._until is None:
            self._until = now + _ROUND
            self.loop.call_soon(self._new_turn)
        elif now >= self._until:
            for protocol in self._links.values():
                if protocol.transport is not None and not protocol.resting:
                    protocol.resting = True
                    protocol.transport.pause_reading()

    def _new_turn(self) -> None:
        self._until = None
        for protocol in self._links.values():
            if protocol.resting and protocol.transport is not None and not protocol.transport.is_closing():
                protocol.resting = False
                protocol.transport.resume_reading()

    def flush_soon(self) -> None:
        """Many messages, one write."""
        if self._flush is None and not self.loop.is_closed():
            self._flush = self.loop.call_soon(self._flush_now)

    def _flush_now(self) -> None:
        self._flush = None
        self.flush()

    def flush(self) -> None:
        """Does what the session asks for, writes what it has to say, tells what has ended."""
        session = self.session
        while (action := session.poll_action()) is not None:
            if action[0] == "connect":
                _, link, host, port = action
                self._dialling[link] = self.loop.create_task(self._dial(link, host, port))
            else:
                _, link, last_words = action
                self._close(link, last_words)
        while (writable := session.poll_writable()) is not None:
            self.write(writable)
        outcomes: list[tuple[int, Any]] = [*session.poll_outcomes(), *session.poll_responses()]
        for ticket, result in outcomes:
            waiting = self._waiting.pop(ticket, None)
            if waiting is not None:
                _settle(waiting, result)
        landed = bool(outcomes)
        for batch, tell in self._batches.items():
            if batch.ready:
                landed = True
                tell()
        if landed or session.is_closed():
            for future in self._changed:
                if not future.done():
                    future.set_result(None)
        self._arm()
        if self._watch is not None:
            while (event := session.poll_event()) is not None:
                self._watch(event)

    def write(self, link: int) -> None:
        """Writes what the session has for a link.

        In pieces: what the transport does not take yet stays with the session, which can still send it elsewhere.
        """
        protocol = self._links.get(link)
        while protocol is not None and not protocol.paused and protocol.transport is not None:
            data = self.session.data_to_send(link, _MOST_WRITE)
            if not data:
                break
            protocol.transport.write(data)

    def _arm(self) -> None:
        at = self.session.poll_timeout()
        if at == self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if at is None else self.loop.call_at(at, self._timeout, at)
        self._timer_at = at

    def _timeout(self, at: float) -> None:
        self._timer = self._timer_at = None
        # Loops count in ticks of their own: a timer that is early must not spin.
        self.tick(at)
        self.session.handle_timeout()
        self.flush()

    async def _dial(self, link: int, host: str, port: int) -> None:
        try:
            proxy = self._service if self._service.uses_proxy(host) and not self.session.is_direct(link) else None
            sock, first = await dial(self.loop, self.session, host, port, proxy, self._lookups)
            protocol = self._links[link] = Link(self, link)
            await self.loop.create_connection(lambda: protocol, sock=sock)
            if first:
                protocol.received(first)
        except PushcoreError as error:
            self._failed(link, error.code, str(error))
        except OSError as error:
            code = ErrorKind.CONNECT_TIMEOUT if isinstance(error, TimeoutError) else ErrorKind.CONNECT_REFUSED
            if is_out_of_descriptors(error):
                code = ErrorKind.OUT_OF_DESCRIPTORS
            self._failed(link, code, f"{host}:{port}: {error.strerror or error}")
        finally:
            self._dialling.pop(link, None)

    def _failed(self, link: int, code: int, text: str) -> None:
        self._links.pop(link, None)
        self.tick()
        self.session.connect_failed(link, code, text)
        self.flush_soon()

    def _close(self, link: int, last_words: bytes) -> None:
        dialling = self._dialling.pop(link, None)
        if dialling is not None and dialling is not asyncio.current_task(self.loop):
            dialling.cancel()
        protocol = self._links.pop(link, None)
        if protocol is not None and protocol.transport is not None:
            if last_words:
                protocol.transport.write(last_words)
            protocol.transport.close()
            if protocol.transport.get_write_buffer_size():
                # A peer that reads nothing would keep the socket, and what waits for it, for ever.
                self._closing.add(protocol.transport)
                self.loop.call_later(_LAST_WORDS, self._abort, protocol.transport)

    def _abort(self, transport: asyncio.WriteTransport) -> None:
        """Closes a socket whose last bytes nobody reads."""
        self._closing.discard(transport)
        transport.abort()

    def connected(self, protocol: Link) -> None:
        """A socket is connected."""
        self.tick()
        self.session.connected(protocol.link)
        self.flush_soon()

    def lost(self, protocol: Link) -> None:
        """A socket is gone."""
        if self._links.pop(protocol.link, None) is not None and not self.loop.is_closed():
            self.tick()
            self.session.receive_eof(protocol.link)
            self.flush_soon()

    async def close(self) -> None:
        """Waits until everything has ended, then closes the sockets."""
        self.closed = True
        self.tick()
        self.session.close()
        self.flush()
        try:
            while not self.session.is_closed():
                await self.changed()
        finally:
            self.tick()
            self.session.abandon()
            self.flush()
            for task in list(self._dialling.values()):
                task.cancel()
            for link in list(self._links):
                self._close(link, b"")
            if self._timer is not None:
                self._timer.cancel()
        # One turn of the loop for the transports to say their last words, and one to close their sockets.
        await asyncio.sleep(0)
        for transport in list(self._closing):
            self._abort(transport)
        await asyncio.sleep(0)

    def check(self) -> None:
        """Raises when the client was closed in this loop."""
        if self.closed:
            raise MisuseError("the client is closed", ErrorKind.CLOSED, "Closed")
