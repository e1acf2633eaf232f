"""The hub for asyncio: the same words as `pushcore.Hub`."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ._errors import PushcoreError
from ._hub import PATIENCE, BaseHub, Landed, Lane, Run
from .aio import Client

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from ._pushcore import Notification, Progress, Retries
    from ._types import Priority

#: Results that nobody has fetched stop the services above this.
_MOST_RESULTS = 4096
#: How many devices are read from a plain iterable before the loop gets its turn, and the longest that this takes.
_MOST_READ, _LONGEST_READ = 256, 0.002


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
        deadline: float | None = None,
        queue: int = 5000,
        patience: float = PATIENCE,
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
        )
        sending = Sending(run, devices, deadline, on_progress, progress_every, priority)
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
        deadline: float | None,
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
        #: Something has landed, or everything is over.
        self._landed = asyncio.Event()
        #: A lane has room, or has nothing to do.
        self._room = asyncio.Event()
        #: Results were fetched.
        self._fetched = asyncio.Event()
        self.is_over = False
        """Whether everything has landed and was handed out."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Landed:
        run = self._run
        if self._reader is None and not self.is_over:
            self._reader = asyncio.get_running_loop().create_task(self._read())
        while not run.out:
            if self.is_over:
                raised, run.raised = run.raised, None
                raise StopAsyncIteration if raised is None else raised
            self._landed.clear()
            await self._wait()
            await self._look()
        if len(run.out) == _MOST_RESULTS // 2:
            self._fetched.set()
        return run.out.popleft()

    async def _wait(self) -> None:
        if self._is_done() or self._run.out:
            return
        if self._on_progress is None:
            await self._landed.wait()
            return
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._landed.wait(), max(0.0, self._report_at - time.monotonic()))
        if time.monotonic() >= self._report_at:
            self._report_at = time.monotonic() + self._every
            self._on_progress(self.progress)

    def _is_done(self) -> bool:
        return self._run.read_out and not self._run.open

    async def _look(self) -> None:
        """Ends the run when there is nothing left, and raises what is no fault of a device."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and task.exception() is not None:
                await self.aclose()
                task.result()
        if self._is_done() and not self._run.out:
            if self._on_progress is not None:
                self._on_progress(self.progress)
            await self._stop()

    @property
    def progress(self) -> dict[str, Progress]:
        """How far each client is, by its route."""
        return {str(route): lane.progress() for route, lane in self._run.lanes.items()}

    def waiting(self) -> list[tuple[Any, Any, Any]]:
        """What waits for its next attempt: keys, devices and `Attempts`, which a caller can store."""
        return self._run.waiting()

    def drain(self) -> None:
        """Reads no further device, and sends nothing again; what was read goes on to its end.

        To be called in the loop: `loop.add_signal_handler(signal.SIGTERM, hub.drain)`.
        """
        if self.is_over:
            return
        if self._reader is not None:
            self._reader.cancel()
        self._run.drain()
        for lane in self._run.lanes.values():
            lane.wake.set()
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
            for lane in run.lanes.values():
                lane.wake.set()
            self._landed.set()

    async def _read_plain(self, items: Iterator[Any]) -> None:
        count, until = 0, time.monotonic() + _LONGEST_READ
        for item in items:
            await self._take(item)
            if self._run.draining:
                return
            count += 1
            if count >= _MOST_READ or time.monotonic() >= until:
                await asyncio.sleep(0)
                count, until = 0, time.monotonic() + _LONGEST_READ

    async def _take(self, item: Any) -> None:
        run = self._run
        run.take(item)
        while not run.place():
            self._room.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                # A service that has not answered for a while is noticed by the time that passes.
                await asyncio.wait_for(self._room.wait(), 0.1)
        while len(run.out) >= _MOST_RESULTS:
            self._fetched.clear()
            await self._fetched.wait()
        for lane in run.lanes.values():
            if lane.driver is None:
                lane.wake = asyncio.Event()
                lane.driver = asyncio.get_running_loop().create_task(self._drive(lane))
                self._tasks.append(lane.driver)
            if lane.queue:
                lane.wake.set()
        if run.out:
            self._landed.set()

    # Sending

    async def _drive(self, lane: Lane) -> None:
        """Sends what comes into a lane, until the run is over."""
        run = self._run
        while True:
            if not lane.queue:
                lane.hungry = True
                self._room.set()
                lane.wake.clear()
                await lane.wake.wait()
                continue
            try:
                client = run.routes.client(lane.route)
                sent = client.send_many(self._feed(lane), deadline=self._deadline, priority=self._priority)
                async with contextlib.aclosing(sent) as results:
                    async for entry, result in results:
                        run.end(entry, result)
                        self._arm()
                        self._landed.set()
                        while len(run.out) >= _MOST_RESULTS:
                            self._fetched.clear()
                            await self._fetched.wait()
            except PushcoreError as error:
                run.fail(lane, error)
                self._landed.set()

    async def _feed(self, lane: Lane) -> AsyncIterator[tuple[Any, Any]]:
        """What a lane sends; ends when nothing more is known to come, so that doubtful answers are not held back."""
        run = self._run
        while True:
            while lane.queue:
                [pair] = run.pairs(lane, 1)
                run.sent(lane, 1)
                if len(lane.queue) == 0 or lane.waiting < run.room:
                    self._room.set()
                yield pair
            if run.read_out and not lane.delayed:
                return
            lane.hungry = True
            self._room.set()
            lane.wake.clear()
            await lane.wake.wait()

    def _arm(self) -> None:
        """Wakes up when the next attempt is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._run.due_at()
        if due is not None:
            left = max(0.0, due - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(left, self._due)

    def _due(self) -> None:
        self._timer = None
        for lane in self._run.due():
            lane.wake.set()
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
        self._run.out.clear()
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
