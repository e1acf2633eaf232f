"""`send_many` for asyncio."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import itertools
import time
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from typing import TYPE_CHECKING, Any

from ._pushcore import Outcome, Progress

if TYPE_CHECKING:
    from ._aio_engine import Engine
    from ._errors import PushcoreError
    from ._types import Duration, Message

#: Results that nobody has fetched yet stop the reading of further messages above this.
_MOST_RESULTS = 4096
#: A piece of a plain iterable that takes longer is followed by a smaller one, in seconds.
_TURN = 0.002
#: How many messages are taken from a plain iterable before the loop gets its turn.
_MOST_AT_ONCE = 256
_UNKNOWN = 501


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
        engine.cancel_all(run.end)


class _Run:
    """One bulk send."""

    def __init__(self, engine: Engine, template: Message | None, deadline: Duration | None) -> None:
        self.engine = engine
        self.template = template
        self.deadline = deadline
        self.in_flight = 0
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
                await self._submit([item])
            return
        # Small pieces first, and whenever the iterable is slow: what was taken is on its way soon.
        items, size = iter(messages), 1
        while True:
            began = time.monotonic()
            piece = list(itertools.islice(items, size))
            if not piece:
                return
            quick = time.monotonic() - began < _TURN
            size = min(size * 2, _MOST_AT_ONCE) if quick else max(size // 2, 1)
            await self._submit(piece)
            await asyncio.sleep(0)

    async def _submit(self, items: list[Any]) -> None:
        while items:
            while len(self.results) >= _MOST_RESULTS:
                self._room.clear()
                await self._room.wait()
            self.engine.check()
            tickets = self.engine.submit_many(items, self.end, self.template, self.deadline)
            for item, ticket in zip(items, tickets):  # noqa: B905 - there may be no room for the rest
                if type(ticket) is int:
                    self.in_flight += 1
                else:
                    # One malformed token among a million is a result, not the end of the run.
                    self._add(item, ticket)
            self.taken += len(tickets)
            items = items[len(tickets) :]
            if items:
                await self.engine.changed()

    def end(self, item: Any, result: Outcome | PushcoreError) -> None:
        """A message has ended."""
        self.in_flight -= 1
        self._add(item, result)

    def _add(self, item: Any, result: Any) -> None:
        if isinstance(result, Outcome):
            self.counts[result.name] += 1
        else:
            self.counts["unknown" if result.code == _UNKNOWN else "not_sent"] += 1
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
            in_flight=self.in_flight,
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
