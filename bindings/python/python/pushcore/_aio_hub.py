"""The hub for asyncio: the same words as `pushcore.Hub`."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ._aio_bulk import Pieces
from ._errors import PushcoreError
from ._hub import PATIENCE, BaseHub, Landed, Lane, Run, seconds, shorter
from .aio import Client

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from ._pushcore import Notification, Progress, Retries
    from ._types import Duration, Priority

#: Results that nobody has fetched stop the services above this.
_MOST_RESULTS = 4096
#: How many devices are read from a plain iterable before the loop gets its turn, and the longest that this takes.
_MOST_READ, _LONGEST_READ = 256, 0.002
#: How many messages a lane hands to its client at once.
_MOST_SUBMITTED = 64
#: The most that counts of one wait for room, in seconds.
_LONGEST_LOOK = 0.25


class Hub(BaseHub):
    """One client for each service, environment and app that is configured; sends a mixed list of devices.

    async with pushcore.aio.Hub() as hub:
        hub.add("apns", apns, app="com.example.app").add("fcm", fcm).add("web_push", vapid)
        async for key, device, result, feedback in hub.send(devices, notification):
            ...
    """

    _client = Client

    def __init__(self, *, retries: Retries | None = None) -> None:
        """`retries` says what is sent again: `Retries.standard()` unless told."""
        super().__init__(retries=retries)
        self._sending: list[Sending] = []

    def send(
        self,
        devices: Iterable[Any] | AsyncIterable[Any],
        notification: Notification | None = None,
        *,
        retries: Retries | None = None,
        deadline: Duration | None = None,
        queue: int = 5000,
        patience: float = PATIENCE,
        remember: int | None = None,
        total_deadline: Duration | None = None,
        on_progress: Callable[[dict[str, Progress]], object] | None = None,
        progress_every: float = 0.25,
        priority: Priority | None = None,
    ) -> Sending:
        """Sends to every device of an iterable of either kind; yields `(key, device, result, feedback)` as they land.

        As `pushcore.Hub.send`. An iterable that is not asynchronous is read in the loop's own thread, so it must not
        block. Close the result (`aclose`, or leave an `async with` of it) to cancel what has not ended.
        """
        run = Run(
            self._routes,
            notification,
            self._retries if retries is None else retries,
            queue=queue,
            patience=patience,
            remember=remember,
            total_deadline=total_deadline,
        )
        sending = Sending(run, devices, shorter(deadline, total_deadline), on_progress, progress_every, priority)
        self._sending = [other for other in self._sending if not other.is_over]
        self._sending.append(sending)
        return sending

    def drain(self) -> None:
        """Lets every `send` end in order: no further device is read, what was read goes on to its end."""
        for sending in self._sending:
            sending.drain()

    async def close(self) -> None:
        """Waits until what was taken has ended, then closes the clients that the hub has opened.

        A `send` that is not through reads no further, and hands out what has ended; what was never sent is `NotSent`.
        """
        self.drain()
        for client in self._routes.release():
            await client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


class Sending(AsyncIterator[Landed]):
    """The results of `Hub.send`, as they land. `aclose` cancels what has not ended."""

    def __init__(
        self,
        run: Run,
        devices: Iterable[Any] | AsyncIterable[Any],
        deadline: Duration | None,
        on_progress: Callable[[dict[str, Progress]], object] | None,
        progress_every: float,
        priority: Priority | None,
    ) -> None:
        """Made by `Hub.send`."""
        self._run = run
        self._devices = devices
        self._deadline = deadline
        self._priority: Priority | None = priority
        self._on_progress = on_progress
        self._every = progress_every
        self._report_at = time.monotonic() + progress_every
        self._tasks: list[asyncio.Task[None]] = []
        self._reader: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        #: Something has landed, or everything is over.
        self._landed = asyncio.Event()
        #: A lane has room, or has nothing to do.
        self._room = asyncio.Event()
        #: Results were fetched, of which there were too many.
        self._fetched = asyncio.Event()
        self._is_choked = False
        self.is_over = False
        """Whether everything has landed and was handed out."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Landed:
        run = self._run
        if self._reader is None and not self.is_over:
            self._reader = asyncio.get_running_loop().create_task(self._read())
        while (landed := run.next()) is None:
            if self.is_over:
                raised, run.raised = run.raised, None
                raise StopAsyncIteration if raised is None else raised
            self._landed.clear()
            await self._wait()
            await self._look()
        if self._is_choked and run.unfetched <= _MOST_RESULTS // 2:
            self._is_choked = False
            self._fetched.set()
        return landed

    async def _wait(self) -> None:
        if self._run.is_done or self._run.unfetched:
            return
        if self._on_progress is None:
            await self._landed.wait()
            return
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._landed.wait(), max(0.0, self._report_at - time.monotonic()))
        if time.monotonic() >= self._report_at:
            self._report_at = time.monotonic() + self._every
            self._on_progress(self.progress)

    async def _look(self) -> None:
        """Ends the run when there is nothing left, and raises what is no fault of a device."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and task.exception() is not None:
                await self.aclose()
                task.result()
        if self._run.is_done and not self._run.unfetched:
            if self._on_progress is not None:
                self._on_progress(self.progress)
            await self._stop()

    @property
    def progress(self) -> dict[str, Progress]:
        """How far each client is, by its route."""
        return self._run.progress()

    def waiting(self) -> list[tuple[Any, Any, Any]]:
        """What waits for its next attempt: keys, devices and `Attempts`, which a caller can store."""
        return self._run.board.waiting()

    def drain(self) -> None:
        """Reads no further device, and sends nothing again; what was read goes on to its end.

        To be called in the loop: `loop.add_signal_handler(signal.SIGTERM, hub.drain)`.
        """
        if self.is_over:
            return
        if self._reader is not None:
            self._reader.cancel()
        self._run.drain()
        self._wake_all()
        self._landed.set()

    # Reading

    async def _read(self) -> None:
        run = self._run
        try:
            if isinstance(self._devices, AsyncIterable):
                async for item in self._devices:
                    await self._take(item)
                    # A cancellation may be lost in `wait_for` (CPython before 3.12).
                    if run.draining:
                        break
            else:
                await self._read_plain(iter(self._devices))
        except Exception as error:
            # Told when everything that was read has its result.
            run.raised = error
        finally:
            run.read_out = True
            # Where the source has raised, some of what came before was not handed over.
            self._hand_over()
            self._wake_all()
            self._landed.set()

    def _wake_all(self) -> None:
        for lane in self._run.lanes.values():
            # One that was added just now has no task yet.
            if lane.wake is not None:
                lane.wake.set()

    async def _read_plain(self, items: Iterator[Any]) -> None:
        run, board = self._run, self._run.board
        state = "more"
        while state != "over" and not run.draining:
            state = board.read(items, _MOST_READ, _LONGEST_READ, _MOST_RESULTS)
            self._hand_over()
            if state == "full":
                await self._wait_for_room()
            await self._unchoke()
            await asyncio.sleep(0)

    async def _take(self, item: Any) -> None:
        is_placed = self._run.board.take(item)
        self._hand_over()
        if not is_placed:
            await self._wait_for_room()
        if self._run.unfetched >= _MOST_RESULTS:
            await self._unchoke()

    async def _wait_for_room(self) -> None:
        """Waits until the device that was read last has found its place."""
        board = self._run.board
        while not board.place():
            began = time.monotonic()
            self._room.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                # A service that has not answered for a while is noticed by the time that passes.
                await asyncio.wait_for(self._room.wait(), 0.1)
            # What is longer than a look was another task's work, and says nothing of a service.
            board.note_wait(min(time.monotonic() - began, _LONGEST_LOOK))
        self._hand_over()

    def _hand_over(self) -> None:
        """Tells the drivers, and whoever fetches results, what was read."""
        run, board = self._run, self._run.board
        if self.is_over:
            return
        self._begin_drivers()
        for lane in run.lanes.values():
            if board.has_queued(lane.number):
                lane.wake.set()
        if run.unfetched:
            self._landed.set()
        if self._timer is None:
            self._arm()

    def _begin_drivers(self) -> None:
        if len(self._tasks) == len(self._run.lanes):
            return
        for lane in self._run.lanes.values():
            if lane.driver is None:
                lane.wake = asyncio.Event()
                lane.driver = asyncio.get_running_loop().create_task(self._drive(lane))
                self._tasks.append(lane.driver)

    async def _unchoke(self) -> None:
        """Waits while too many results have not been fetched."""
        while self._run.unfetched >= _MOST_RESULTS:
            self._is_choked = True
            self._fetched.clear()
            await self._fetched.wait()

    # Sending

    async def _drive(self, lane: Lane) -> None:
        """Sends what comes into a lane, until the run is over."""
        run, board = self._run, self._run.board
        while True:
            if not board.has_queued(lane.number):
                self._room.set()
                lane.wake.clear()
                await lane.wake.wait()
                continue
            try:
                client = run.routes.client(lane.route)
                sent = client.send_many(_Feed(self, lane), deadline=self._deadline, priority=self._priority)
                async with contextlib.aclosing(sent) as results:
                    async for pair in results:
                        board.end([pair])
                        if board.rests(lane.number):
                            self._arm()
                        self._landed.set()
                        if run.unfetched >= _MOST_RESULTS:
                            await self._unchoke()
            except PushcoreError as error:
                run.fail(lane, error)
                self._landed.set()

    async def pieces(self, lane: Lane) -> AsyncIterator[tuple[list[tuple[Any, Any]], float]]:
        """What a lane sends; ends when nothing more is known to come, so that doubtful answers are not held back."""
        run, board = self._run, self._run.board
        longest = None if self._deadline is None else seconds(self._deadline)
        while True:
            while board.has_queued(lane.number):
                for left, pairs in board.submit(lane.number, _MOST_SUBMITTED):
                    if longest is not None and left is not None:
                        yield pairs, max(0.0, longest - left)
                    else:
                        yield pairs, 0.0
                self._room.set()
            if run.read_out and not board.rests(lane.number):
                return
            self._room.set()
            lane.wake.clear()
            await lane.wake.wait()

    def _arm(self) -> None:
        """Wakes up when the next attempt is due."""
        due = self._run.board.due()
        if due is None:
            return
        at = time.monotonic() + due
        if self._timer is not None:
            if at >= self._timer_at:
                return
            self._timer.cancel()
        self._timer_at = at
        self._timer = asyncio.get_running_loop().call_later(due, self._due)

    def _due(self) -> None:
        board = self._run.board
        self._timer = None
        board.handle_timeout()
        board.note_wait(0.0)
        for lane in self._run.lanes.values():
            if lane.wake is not None and board.has_queued(lane.number):
                lane.wake.set()
        if self._run.unfetched:
            self._landed.set()
        self._arm()

    # The end

    async def _stop(self) -> None:
        self.is_over = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        tasks = [*self._tasks, *([self._reader] if self._reader is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def aclose(self) -> None:
        """Cancels what has not ended, and lets go of the iterable."""
        await self._stop()
        self._run.close()
        self._landed.set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


class _Feed(Pieces):
    """What a lane sends: in pieces for a client of this package, one by one for any other."""

    def __init__(self, sending: Sending, lane: Lane) -> None:
        self._sending = sending
        self._lane = lane

    def pieces(self) -> AsyncIterator[tuple[list[tuple[Any, Any]], float]]:
        return self._sending.pieces(self._lane)

    async def __aiter__(self) -> AsyncIterator[tuple[Any, Any]]:
        async for pairs, _ in self.pieces():
            for pair in pairs:
                yield pair
