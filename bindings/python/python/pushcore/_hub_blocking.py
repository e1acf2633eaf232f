"""The blocking hub."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from ._client import Client
from ._errors import PushcoreError
from ._hub import PATIENCE, BaseHub, Landed, Lane, Route, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

    from typing_extensions import Self

    from ._pushcore import BlockingBatch, Notification, Progress, Retries
    from ._types import Priority

#: Where several services are busy each gets so many seconds in turn; alone it gets the longer time.
_TURN, _ALONE = 0.002, 0.1
#: How many devices are read in one turn, and the longest that reading takes before results get theirs, in seconds.
_MOST_READ, _LONGEST_READ = 512, 0.002
#: How many messages are handed to a client at once.
_MOST_SUBMITTED = 512
#: Results that nobody has fetched stop the reading of further devices above this.
_MOST_RESULTS = 4096


class Hub(BaseHub):
    """One client for each service, environment and app that is configured; sends a mixed list of devices.

        hub = pushcore.Hub()
        hub.add("apns", apns, app="com.example.app").add("fcm", fcm).add("web_push", vapid)
        with hub:
            for key, device, result, feedback in hub.send(devices, notification):
                ...

    May be shared between threads.
    """

    _client = Client

    def __init__(self, *, retries: Retries | None = None) -> None:
        """`retries` says what is sent again: `Retries.standard()` unless told."""
        super().__init__(retries=retries)
        self._lock = threading.Lock()
        self._sending: list[Sending] = []

    def send(
        self,
        devices: Iterable[Any],
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
        """Sends to every device of an iterable; yields `(key, device, result, feedback)` as they land, in any order.

        An item is a `Device`, `(key, device)`, `(device, what)` or `(key, device, what)`, where `what` is a
        `Notification`, or a message to the device, in place of `notification`. The iterable is read in the caller's
        thread, as there is room: `queue` devices wait for each client at most. Where one is full and another has
        nothing to do, the full one is waited for if its pace of ten seconds clears its queue within `patience`
        seconds (five minutes), and if it has settled something in the last two (five before its first answer). Otherwise its devices are handed back (`NotSent`, because of `QUEUE_FULL`), so that it never holds
        the others back; `math.inf` waits for every service.

        `deadline` is for each attempt, in seconds. `on_progress` is called with the progress of each client.
        `priority` is that of each message at its client (`Client.send_many`).
        """
        run = Run(
            self._routes,
            notification,
            self._retries if retries is None else retries,
            queue=queue,
            patience=patience,
        )
        sending = Sending(self._client_of, run, devices, deadline, on_progress, progress_every, priority)
        with self._lock:
            self._sending = [other for other in self._sending if not other.is_over]
            self._sending.append(sending)
        return sending

    def drain(self) -> None:
        """Lets every `send` end in order: no further device is read, what was read goes on to its end.

        May be called from a signal handler or another thread.
        """
        for sending in list(self._sending):
            sending.drain()

    def _client_of(self, route: Route) -> Client:
        with self._lock:
            client: Client = self._routes.client(route)
            return client

    def close(self) -> None:
        """Waits until what was taken has ended, then closes the clients that the hub has opened.

        A `send` that is not through reads no further, and hands out what has ended; what was never sent is `NotSent`.
        """
        self.drain()
        with self._lock:
            closing = self._routes.release()
        for client in closing:
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Sending:
    """The results of `Hub.send`, as they land. Closing it cancels what has not ended."""

    def __init__(
        self,
        client_of: Callable[[Route], Client],
        run: Run,
        devices: Iterable[Any],
        deadline: float | None,
        on_progress: Callable[[dict[str, Progress]], object] | None,
        progress_every: float,
        priority: Priority | None,
    ) -> None:
        """Made by `Hub.send`."""
        self._client_of = client_of
        self._run = run
        self._source: Iterator[Any] | None = iter(devices)
        self._deadline = deadline
        self._priority: Priority | None = priority
        self._on_progress = on_progress
        self._every = progress_every
        self._report_at = time.monotonic() + progress_every
        self._drain = False
        self.is_over = False
        """Whether everything has landed and was handed out."""

    def __iter__(self) -> Iterator[Landed]:
        return self

    def __next__(self) -> Landed:
        run = self._run
        try:
            while not run.out:
                if self.is_over:
                    break
                self._turn()
        except BaseException:
            self.close()
            raise
        if run.out:
            return run.out.popleft()
        raised, run.raised = run.raised, None
        raise StopIteration if raised is None else raised

    @property
    def progress(self) -> dict[str, Progress]:
        """How far each client is, by its route."""
        return {str(route): lane.progress() for route, lane in self._run.lanes.items()}

    def waiting(self) -> list[tuple[Any, Any, Any]]:
        """What waits for its next attempt: keys, devices and `Attempts`, which a caller can store."""
        return self._run.waiting()

    def drain(self) -> None:
        """Reads no further device, and sends nothing again; what was read goes on to its end."""
        # The thread that iterates does it: this may be a signal handler.
        self._drain = True

    def _turn(self) -> None:
        run = self._run
        if self._drain and not run.draining:
            run.drain()
            self._source = None
        run.due()
        self._read()
        busy = [lane for lane in list(run.lanes.values()) if lane.queue or lane.in_flight]
        for lane in busy:
            self._move(lane, self._patience(busy))
        if self._on_progress is not None and time.monotonic() >= self._report_at:
            self._report_at = time.monotonic() + self._every
            self._on_progress(self.progress)
        if run.read_out and not run.open:
            self._finish()
        elif not busy and (due := run.due_at()) is not None and run.read_out:
            time.sleep(min(_ALONE, max(0.0, due - time.monotonic())))

    def _patience(self, busy: list[Lane]) -> float:
        if self._run.out:
            return 0.0
        if len(busy) > 1 or not (self._run.read_out or self._run.held):
            return _TURN
        due = self._run.due_at()
        return _ALONE if due is None else min(_ALONE, max(0.0, due - time.monotonic()))

    def _read(self) -> None:
        run, source = self._run, self._source
        if source is None or not run.place():
            return
        until = time.monotonic() + _LONGEST_READ
        for _ in range(_MOST_READ):
            if len(run.out) >= _MOST_RESULTS:
                return
            try:
                run.take(next(source))
            except StopIteration:
                self._source, run.read_out = None, True
                return
            except Exception as error:
                # Told when everything that was read has its result.
                self._source, run.read_out, run.raised = None, True, error
                return
            if run.held is not None or time.monotonic() >= until:
                return

    def _move(self, lane: Lane, patience: float) -> None:
        run = self._run
        try:
            batch: BlockingBatch = lane.driver or self._client_of(lane.route).batch(
                deadline=self._deadline, priority=self._priority
            )
            lane.driver = batch
            while lane.queue:
                pairs = run.pairs(lane, _MOST_SUBMITTED)
                taken = batch.submit(pairs)
                run.sent(lane, taken)
                if taken < len(pairs):
                    break
            lane.hungry = not lane.queue
            if lane.in_flight and run.read_out and not lane.queue:
                batch.finish()
            landed: list[tuple[Any, Any]] = batch.wait(patience) if lane.in_flight else []
        except PushcoreError as error:
            # A client that was closed still hands out what it had taken.
            late: list[tuple[Any, Any]] = lane.driver.wait(0) if lane.driver is not None else []
            for entry, result in late:
                run.end(entry, result)
            run.fail(lane, error)
            return
        for entry, result in landed:
            run.end(entry, result)

    def _finish(self) -> None:
        self.is_over = True
        if self._on_progress is not None:
            self._on_progress(self.progress)
        self._cancel()

    def _cancel(self) -> None:
        for lane in self._run.lanes.values():
            if lane.driver is not None:
                lane.driver.cancel()
                lane.driver = None

    def close(self) -> None:
        """Cancels what has not ended, and lets go of the iterable."""
        self.is_over = True
        self._source = None
        self._cancel()
        self._run.out.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


# They are documented as members of the package.
Hub.__module__ = Landed.__module__ = "pushcore"
