"""The client for asyncio: the same words as `pushcore.Client`.

asyncio owns the sockets; what is said on them, TLS included, is made by the core. There is no
thread and no second event loop. Works under uvloop. A client may be used in several loops, one
after the other or at once: each has connections of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ._aio_bulk import bulk
from ._aio_engine import Engine
from ._client import Services
from ._pushcore import Event, Metrics, Outcome, Progress, Request, Response, Service, Session

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._aio_hub import Hub
    from ._errors import PushcoreError
    from ._pushcore import Call, Template
    from ._types import Duration, KeyT, Message, MessageT, OnSuspicion, Priority, Target, TargetT

else:

    def __getattr__(name: str) -> Any:
        """The hub is built on the client, and imported when it is asked for."""
        if name != "Hub":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from ._aio_hub import Hub

        globals()["Hub"] = Hub
        return Hub


__all__ = ["Client", "Hub"]

_T = TypeVar("_T")


class Client(Services):
    """Sends messages to one service, over as many connections as the load asks for.

    Keep one for the life of the process. It needs no loop until the first message.
    """

    def __init__(self, service: Service, on_event: Callable[[Event], object] | None = None) -> None:
        """Not for callers: use `apns`, `fcm`, `web_push`, `adm` or `baidu`."""
        super().__init__(service, on_event)
        self._engines: dict[asyncio.AbstractEventLoop, Engine] = {}

    def _engine(self) -> Engine:
        loop = asyncio.get_running_loop()
        engine = self._engines.get(loop)
        if engine is None or engine.closed:
            # Loops that ended without `close`: their sockets ended with them.
            for ended in [other for other in self._engines if other.is_closed()]:
                self._engines.pop(ended, None)
            engine = self._engines[loop] = Engine(self._service, loop, self._watch)
        return engine

    async def send(
        self, message: Message, *, deadline: Duration | None = None, priority: Priority | None = None
    ) -> Outcome:
        """Sends one message and waits for the answer, at most `deadline` seconds.

        It leaves before what bulk sends have submitted earlier, unless `priority` is `"bulk"`.

        Raises what `pushcore.Client.send` raises. Cancelling the task cancels the message; what
        had been written by then may still be shown by a device.
        """
        return await self._engine().send(message, deadline=deadline, priority=priority)

    @overload
    def send_many(
        self,
        messages: Iterable[tuple[KeyT, Message]] | AsyncIterable[tuple[KeyT, Message]],
        *,
        message: None = None,
        deadline: Duration | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        progress_every: float | None = None,
        priority: Priority | None = None,
    ) -> AsyncGenerator[tuple[KeyT, Outcome | PushcoreError], None]: ...

    @overload
    def send_many(
        self,
        messages: Iterable[tuple[KeyT, Target]] | AsyncIterable[tuple[KeyT, Target]],
        *,
        message: Message | Template,
        deadline: Duration | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        progress_every: float | None = None,
        priority: Priority | None = None,
    ) -> AsyncGenerator[tuple[KeyT, Outcome | PushcoreError], None]: ...

    @overload
    def send_many(
        self,
        messages: Iterable[MessageT] | AsyncIterable[MessageT],
        *,
        message: None = None,
        deadline: Duration | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        progress_every: float | None = None,
        on_suspicion: OnSuspicion | None = None,
        priority: Priority | None = None,
    ) -> AsyncGenerator[tuple[MessageT, Outcome | PushcoreError], None]: ...

    @overload
    def send_many(
        self,
        messages: Iterable[TargetT] | AsyncIterable[TargetT],
        *,
        message: Message | Template,
        deadline: Duration | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        progress_every: float | None = None,
        on_suspicion: OnSuspicion | None = None,
        priority: Priority | None = None,
    ) -> AsyncGenerator[tuple[TargetT, Outcome | PushcoreError], None]: ...

    def send_many(
        self,
        messages: Iterable[Any] | AsyncIterable[Any],
        *,
        message: Message | Template | None = None,
        deadline: Duration | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        progress_every: float | None = None,
        on_suspicion: OnSuspicion | None = None,
        priority: Priority | None = None,
    ) -> AsyncGenerator[tuple[Any, Outcome | PushcoreError], None]:
        """Sends every message of an iterable, of either kind; yields `(message, result)` as they land.

        As `pushcore.Client.send_many`. An iterable that is not asynchronous is read in the loop's
        own thread, so it must not block. Close the generator (`aclose`, or leave an `async with
        contextlib.aclosing(...)`) to cancel what has not ended.
        """
        return bulk(
            self._engine(),
            messages,
            template=message,
            deadline=deadline,
            on_progress=on_progress,
            progress_every=progress_every,
            on_suspicion=on_suspicion,
            priority=priority,
        )

    async def call(self, call: Call[_T], *, deadline: Duration | None = None) -> _T:
        """Sends a request that is not a message, and reads the answer; as `pushcore.Client.call`."""
        result: _T = await self._engine().call(call, deadline=deadline)
        return result

    async def exchange(self, request: Request, *, deadline: Duration | None = None) -> Response:
        """Sends a request of one's own to one of the service's hosts; as `pushcore.Client.exchange`."""
        return await self._engine().exchange(request, deadline=deadline)

    def _sessions(self) -> list[Session]:
        """The session of the loop that runs in this thread; where none runs, every session there is."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return [engine.session for engine in list(self._engines.values())]
        engine = self._engines.get(loop)
        return [] if engine is None else [engine.session]

    def connections(self) -> list[dict[str, Any]]:
        """Every connection as it is now, counted as `stats` counts; as `pushcore.Client.connections`."""
        return [one for session in self._sessions() for one in session.connections()]

    def hosts(self) -> list[dict[str, Any]]:
        """Every host that is connected or that messages wait for; as `pushcore.Client.hosts`."""
        return [one for session in self._sessions() for one in session.hosts()]

    def stats(self) -> dict[str, int]:
        """How many messages of this loop's share of the client are where.

        May be called from any thread: where no loop runs, the counts of all the client's loops are added up.
        """
        counts = Session.no_stats()
        for session in self._sessions():
            for name, count in session.stats().items():
                counts[name] += count
        return counts

    def metrics(self) -> Metrics:
        """Counts and latencies for a monitoring system, counted as `stats` counts; from any thread."""
        return Metrics._sum(self._service, self._sessions())  # pyright: ignore[reportPrivateUsage]

    def header_bytes(self) -> tuple[int, int]:
        """Bytes of compressed headers sent and received so far, counted as `stats` counts."""
        sent = received = 0
        for session in self._sessions():
            more = session.header_bytes()
            sent, received = sent + more[0], received + more[1]
        return sent, received

    def is_mix_up_suspected(self) -> bool:
        """Whether many answers in a row blame the tokens; as `pushcore.Client.is_mix_up_suspected`."""
        return any(session.is_mix_up_suspected() for session in self._sessions())

    def events(self) -> Iterator[Event]:
        """What happened since the last call, the last 1,024 events at most. May be called from any thread."""
        yield from self._watch.events()

    async def close(self) -> None:
        """Waits until what was taken in this loop has ended, then closes its connections."""
        engine = self._engines.pop(asyncio.get_running_loop(), None)
        if engine is not None:
            await engine.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
