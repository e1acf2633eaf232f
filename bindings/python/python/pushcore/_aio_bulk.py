"""`send_many` for asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._aio_engine import Engine
    from ._errors import PushcoreError
    from ._pushcore import Outcome, Progress, Template
    from ._types import Duration, Message, OnSuspicion, Priority

#: Results that nobody has fetched yet stop the reading of further messages above this.
_MOST_RESULTS = 4096
#: A piece of a plain iterable that takes longer is followed by a smaller one, in seconds.
_TURN = 0.002
#: How many messages are taken from a plain iterable before the loop gets its turn.
_MOST_AT_ONCE = 256


class Pieces(AsyncIterable[Any]):
    """Messages that come in pieces: as a list, and how many seconds of their deadline are over."""

    def pieces(self) -> AsyncIterator[tuple[list[Any], float]]:
        """The pieces."""
        raise NotImplementedError


async def bulk(
    engine: Engine,
    messages: Iterable[Any] | AsyncIterable[Any],
    *,
    template: Message | Template | None,
    deadline: Duration | None,
    on_progress: Callable[[Progress], object] | None,
    progress_every: float | None,
    on_suspicion: OnSuspicion | None = None,
    priority: Priority | None = None,
) -> AsyncGenerator[tuple[Any, Outcome | PushcoreError], None]:
    """Reads messages in a task of its own, yields results as they land."""
    run = _Run(engine, template, deadline, on_suspicion, priority)
    every = 0.25 if progress_every is None else progress_every
    next_report = time.monotonic() + every
    reader = engine.loop.create_task(run.read(messages))
    reader.add_done_callback(run.wake)
    batch = run.batch
    try:
        while True:
            while pairs := batch.take():
                run.wake_reader()
                if on_progress is None:
                    for pair in pairs:
                        yield pair
                    continue
                for pair in pairs:
                    yield pair
                    if time.monotonic() >= next_report:
                        next_report = time.monotonic() + every
                        on_progress(run.progress())
            if reader.done() and not batch.in_flight:
                # What the source raised comes after the result of everything that was taken from it.
                reader.result()
                break
            timeout = None if on_progress is None else max(0.0, next_report - time.monotonic())
            await run.something(timeout)
            if on_progress is not None and time.monotonic() >= next_report:
                next_report = time.monotonic() + every
                on_progress(run.progress())
        if on_progress is not None:
            on_progress(run.progress())
    finally:
        reader.cancel()
        engine.end(batch)


class _Run:
    """One bulk send."""

    def __init__(
        self,
        engine: Engine,
        template: Message | Template | None,
        deadline: Duration | None,
        on_suspicion: OnSuspicion | None,
        priority: Priority | None,
    ) -> None:
        self.engine = engine
        # Only a deadline that the caller gave runs while messages wait for room: a pause of the service's own is no
        # reason to give messages up.
        self._deadline = math.inf if deadline is None else engine.seconds(deadline)
        self.batch = engine.begin(template, deadline, self.wake, on_suspicion, priority)
        self.expected: int | None = None
        self.started = time.monotonic()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()

    async def read(self, messages: Iterable[Any] | AsyncIterable[Any]) -> None:
        """Submits every message, as there is room."""
        try:
            await self._read(messages)
        finally:
            self.engine.finish(self.batch)

    async def _read(self, messages: Iterable[Any] | AsyncIterable[Any]) -> None:
        with contextlib.suppress(TypeError):
            self.expected = len(messages)  # type: ignore[arg-type]
        if isinstance(messages, Pieces):
            async for items_of_piece, waited in messages.pieces():
                await self._submit(items_of_piece, waited)
                if self.batch.stopped:
                    return
            return
        if isinstance(messages, AsyncIterable):
            async for item in messages:
                await self._submit([item])
                if self.batch.stopped:
                    return
            return
        # Small pieces first, and whenever the iterable is slow: what was taken is on its way soon.
        items, size = iter(messages), 1
        while not self.batch.stopped:
            began = time.monotonic()
            piece: list[Any] = []
            try:
                piece.extend(itertools.islice(items, size))
            except BaseException:
                # `extend` keeps what came before.
                await self._submit(piece)
                raise
            if not piece:
                return
            quick = time.monotonic() - began < _TURN
            size = min(size * 2, _MOST_AT_ONCE) if quick else max(size // 2, 1)
            await self._submit(piece)
            await asyncio.sleep(0)

    async def _submit(self, items: list[Any], waited: float = 0.0) -> None:
        # The deadline runs from here, with room in the queue or without.
        began = time.monotonic() - waited
        while items:
            while self.batch.ready >= _MOST_RESULTS:
                self._room.clear()
                await self._room.wait()
                # That was the reader of the results, not the service.
                began = time.monotonic() - waited
            self.engine.check()
            taken = self.engine.submit_many(self.batch, items, time.monotonic() - began)
            if self.batch.ready:
                # One malformed token among a million is a result at once.
                self.wake()
            items = items[taken:]
            if items and taken:
                # What was taken has left the queue, unless streams are scarce: then the next attempt says so.
                await asyncio.sleep(0)
            elif items:
                left = began + self._deadline - time.monotonic()
                await self.engine.changed(None if math.isinf(left) else max(0.0, left))

    def wake(self, _: object = None) -> None:
        """Something happened."""
        self._changed.set()

    def wake_reader(self) -> None:
        """Results were fetched."""
        if self.batch.ready < _MOST_RESULTS:
            self._room.set()

    async def something(self, timeout: float | None) -> None:
        """Waits until something happened."""
        if timeout is None:
            await self._changed.wait()
        else:
            waiter = asyncio.ensure_future(self._changed.wait())
            try:
                await asyncio.wait([waiter], timeout=timeout)
            finally:
                waiter.cancel()
        self._changed.clear()

    def progress(self) -> Progress:
        """How far it is."""
        return self.batch.progress(elapsed=time.monotonic() - self.started, expected=self.expected)
