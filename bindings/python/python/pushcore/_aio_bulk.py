"""`send_many` for asyncio."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from typing import TYPE_CHECKING, Any

from ._errors import PushcoreError
from ._kinds import ErrorKind
from ._pushcore import Outcome, Progress

if TYPE_CHECKING:
    from ._aio_engine import Engine
    from ._types import Duration, Message

#: Results that nobody has fetched yet stop the reading of further messages above this.
_MOST_RESULTS = 4096
#: How long a plain iterable is read before the loop gets its turn, in seconds.
_TURN = 0.002


async def bulk(
    engine: Engine,
    messages: Iterable[Any] | AsyncIterable[Any],
    *,
    template: Message | None,
    deadline: Duration | None,
    on_progress: Callable[[Progress], object] | None,
    progress_every: float | None,
) -> AsyncGenerator[tuple[Any, Outcome | PushcoreError], None]:
    """Reads messages in a task of its own, yields results as they land."""
    run = _Run(engine, template, deadline)
    every = 0.25 if progress_every is None else progress_every
    next_report = time.monotonic() + every
    reader = engine.loop.create_task(run.read(messages))
    reader.add_done_callback(run.wake)
    try:
        while True:
            while run.results:
                result = run.results.popleft()
                run.wake_reader()
                yield result
                if on_progress is not None and time.monotonic() >= next_report:
                    next_report = time.monotonic() + every
                    on_progress(run.progress())
            if reader.done():
                reader.result()
                if not run.in_flight and not run.results:
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
        for ticket in list(run.in_flight):
            engine.cancel(ticket)


class _Run:
    """One bulk send."""

    def __init__(self, engine: Engine, template: Message | None, deadline: Duration | None) -> None:
        self.engine = engine
        self.template = template
        self.deadline = deadline
        self.in_flight: dict[int, Any] = {}
        self.results: collections.deque[tuple[Any, Outcome | PushcoreError]] = collections.deque()
        self.taken = 0
        self.counts: collections.Counter[str] = collections.Counter()
        self.expected: int | None = None
        self.started = time.monotonic()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()

    async def read(self, messages: Iterable[Any] | AsyncIterable[Any]) -> None:
        """Submits every message, as there is room."""
        with contextlib.suppress(TypeError):
            self.expected = len(messages)  # type: ignore[arg-type]
        if isinstance(messages, AsyncIterable):
            async for item in messages:
                await self._submit(item)
            return
        turn = time.monotonic() + _TURN
        for item in messages:
            await self._submit(item)
            if time.monotonic() >= turn:
                await asyncio.sleep(0)
                turn = time.monotonic() + _TURN

    async def _submit(self, item: Any) -> None:
        while len(self.results) >= _MOST_RESULTS:
            self._room.clear()
            await self._room.wait()
        while True:
            self.engine.check()
            try:
                if self.template is None:
                    ticket = self.engine.submit(item, self._ended, deadline=self.deadline)
                else:
                    ticket = self.engine.submit(self.template, self._ended, to=item, deadline=self.deadline)
            except PushcoreError as error:
                # One malformed token among a million is a result, not the end of the run.
                self.taken += 1
                self._end(item, error)
                return
            if ticket is not None:
                self.taken += 1
                self.in_flight[ticket] = item
                return
            await self.engine.changed()

    def _ended(self, ticket: int, result: Outcome | PushcoreError) -> None:
        self._end(self.in_flight.pop(ticket), result)

    def _end(self, item: Any, result: Outcome | PushcoreError) -> None:
        if isinstance(result, Outcome):
            self.counts[result.name] += 1
        else:
            self.counts["unknown" if result.code == ErrorKind.UNKNOWN else "not_sent"] += 1
        self.results.append((item, result))
        self._changed.set()

    def wake(self, _: object = None) -> None:
        """Something happened."""
        self._changed.set()

    def wake_reader(self) -> None:
        """A result was fetched."""
        if len(self.results) < _MOST_RESULTS:
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
        elapsed = time.monotonic() - self.started
        ended = sum(self.counts.values())
        return Progress(
            expected=self.expected,
            taken=self.taken,
            in_flight=len(self.in_flight),
            accepted=self.counts["accepted"],
            token_gone=self.counts["token_gone"],
            retry_later=self.counts["retry_later"],
            fix_credentials=self.counts["fix_credentials"],
            rejected=self.counts["rejected"],
            not_sent=self.counts["not_sent"],
            unknown=self.counts["unknown"],
            ended=ended,
            elapsed=elapsed,
            rate=ended / elapsed if elapsed > 0 else 0.0,
        )
