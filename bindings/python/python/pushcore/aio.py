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
from ._pushcore import Event, Outcome, Progress, Request, Response, Service

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._errors import PushcoreError
    from ._pushcore import Call
    from ._types import Duration, KeyT, Message, MessageT, OnSuspicion, Priority, Target, TargetT

__all__ = ["Client"]

_T = TypeVar("_T")


class Client(Services):
    """Sends messages to one service, over as many connections as the load asks for.

    Keep one for the life of the process. It needs no loop until the first message.
    """

    def __init__(self, service: Service) -> None:
        """Not for callers: use `apns`, `fcm`, `web_push`, `adm` or `baidu`."""
        super().__init__(service)
        self._engines: dict[asyncio.AbstractEventLoop, Engine] = {}

    def _engine(self) -> Engine:
        loop = asyncio.get_running_loop()
        engine = self._engines.get(loop)
        if engine is None or engine.closed:
            # Loops that ended without `close`: their sockets ended with them.
            for ended in [other for other in self._engines if other.is_closed()]:
                self._engines.pop(ended, None)
            engine = self._engines[loop] = Engine(self._service, loop)
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
    ) -> AsyncGenerator[tuple[KeyT, Outcome | PushcoreError], None]: ...

    @overload
    def send_many(
        self,
        messages: Iterable[tuple[KeyT, Target]] | AsyncIterable[tuple[KeyT, Target]],
        *,
        message: Message,
        deadline: Duration | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        progress_every: float | None = None,
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
    ) -> AsyncGenerator[tuple[MessageT, Outcome | PushcoreError], None]: ...

    @overload
    def send_many(
        self,
        messages: Iterable[TargetT] | AsyncIterable[TargetT],
        *,
        message: Message,
        deadline: Duration | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        progress_every: float | None = None,
        on_suspicion: OnSuspicion | None = None,
    ) -> AsyncGenerator[tuple[TargetT, Outcome | PushcoreError], None]: ...

    def send_many(
        self,
        messages: Iterable[Any] | AsyncIterable[Any],
        *,
        message: Message | None = None,
        deadline: Duration | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        progress_every: float | None = None,
        on_suspicion: OnSuspicion | None = None,
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
        )

    async def call(self, call: Call[_T], *, deadline: Duration | None = None) -> _T:
        """Sends a request that is not a message, and reads the answer; as `pushcore.Client.call`."""
        result: _T = await self._engine().call(call, deadline=deadline)
        return result

    async def exchange(self, request: Request, *, deadline: Duration | None = None) -> Response:
        """Sends a request of one's own to one of the service's hosts; as `pushcore.Client.exchange`."""
        return await self._engine().exchange(request, deadline=deadline)

    def connections(self) -> list[dict[str, Any]]:
        """Every connection of this loop as it is now; as `pushcore.Client.connections`."""
        return self._engine().session.connections()

    def hosts(self) -> list[dict[str, Any]]:
        """Every host of this loop that is connected or that messages wait for; as `pushcore.Client.hosts`."""
        return self._engine().session.hosts()

    def stats(self) -> dict[str, int]:
        """How many messages of this loop's share of the client are where."""
        return self._engine().session.stats()

    def header_bytes(self) -> tuple[int, int]:
        """Bytes of compressed headers sent and received so far in this loop."""
        return self._engine().session.header_bytes()

    def is_mix_up_suspected(self) -> bool:
        """Whether many answers in a row blame the tokens; as `pushcore.Client.is_mix_up_suspected`."""
        return self._engine().session.is_mix_up_suspected()

    def events(self) -> Iterator[Event]:
        """What happened in this loop since the last call, for logs and metrics."""
        session = self._engine().session
        while (event := session.poll_event()) is not None:
            yield event

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
