"""The blocking hub."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from ._client import Client
from ._errors import PushcoreError
from ._hub import PATIENCE, BaseHub, Landed, Lane, Route, Run, shorter
from ._pushcore import BlockingBatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

    from typing_extensions import Self

    from ._pushcore import Notification, Progress, Retries
    from ._types import Duration, Priority

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
        deadline: Duration | None = None,
        queue: int = 5000,
        patience: float = PATIENCE,
        remember: int | None = None,
        total_deadline: Duration | None = None,
        on_progress: Callable[[dict[str, Progress]], object] | None = None,
        progress_every: float = 0.25,
        priority: Priority | None = None,
    ) -> Sending:
        """Sends to every device of an iterable; yields `(key, device, result, feedback)` as they land, in any order.

        An item is a `Device`, `(key, device)`, `(device, what)` or `(key, device, what)`, where `what` is a
        `Notification`, or a message to the device, in place of `notification`. The iterable is read in the caller's
        thread, as there is room: `queue` devices wait for each client at most. Where one is full and another has
        nothing to do, the full one is waited for if its pace of ten seconds clears its queue within `patience`
        seconds (five minutes), and if it has settled something in the last two (five before its first answer).
        Otherwise its devices are handed back (`NotSent`, because of `QUEUE_FULL`), so that it never holds the others
        back; `math.inf` waits for every service.

        `deadline` is for each attempt, `total_deadline` for all attempts of a device and the waits between them, from
        the moment at which the device is taken. `remember` devices (917,504 unless told, 0 is none) are remembered to
        notice a token that comes twice: the second device is not sent to (`MessageError`, `DUPLICATE_DEVICE`).
        `on_progress` is called with the progress of each client.
        `priority` is that of each message at its client (`Client.send_many`).
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
        attempt = shorter(deadline, total_deadline)
        sending = Sending(self._client_of, run, devices, attempt, on_progress, progress_every, priority)
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
        deadline: Duration | None,
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
        if run.out:
            return run.out.popleft()
        try:
            while (landed := run.next()) is None and not self.is_over:
                self._turn()
        except BaseException:
            self.close()
            raise
        if landed is not None:
            return landed
        raised, run.raised = run.raised, None
        raise StopIteration if raised is None else raised

    @property
    def progress(self) -> dict[str, Progress]:
        """How far each client is, by its route."""
        return self._run.progress()

    def waiting(self) -> list[tuple[Any, Any, Any]]:
        """What waits for its next attempt: keys, devices and `Attempts`, which a caller can store."""
        return self._run.board.waiting()

    def drain(self) -> None:
        """Reads no further device, and sends nothing again; what was read goes on to its end."""
        # The thread that iterates does it: this may be a signal handler.
        self._drain = True

    def _turn(self) -> None:
        run, board = self._run, self._run.board
        if self._drain and not run.draining:
            run.drain()
            self._source = None
        board.handle_timeout()
        self._read()
        busy = [lane for lane in run.lanes.values() if board.has_queued(lane.number) or board.in_flight(lane.number)]
        longest, waited = self._longest_wait(busy), 0.0
        for lane in busy:
            waited += self._move(lane, longest)
        if not busy and longest and (run.read_out or board.is_full):
            time.sleep(longest)
            waited = longest
        board.note_wait(waited)
        if self._on_progress is not None and time.monotonic() >= self._report_at:
            self._report_at = time.monotonic() + self._every
            self._on_progress(self.progress)
        if run.is_done and not run.unfetched:
            self._finish()

    def _longest_wait(self, busy: list[Lane]) -> float:
        """How long to wait for each of the clients that have work."""
        run = self._run
        if run.unfetched or run.is_done:
            return 0.0
        if len(busy) > 1 or not (run.read_out or run.board.is_full):
            return _TURN
        due = run.board.due()
        return _ALONE if due is None else min(_ALONE, due)

    def _read(self) -> None:
        run, source = self._run, self._source
        if source is None:
            return
        try:
            state = run.board.read(source, _MOST_READ, _LONGEST_READ, _MOST_RESULTS)
        except Exception as error:
            # Told when everything that was read has its result.
            self._source, run.read_out, run.raised = None, True, error
            return
        if state == "over":
            self._source, run.read_out = None, True

    def _move(self, lane: Lane, longest: float) -> float:
        """Submits what there is room for, moves bytes, takes over what has ended; returns seconds waited in vain."""
        run, board, number = self._run, self._run.board, lane.number
        try:
            batch: BlockingBatch = lane.driver or self._client_of(lane.route).batch(
                deadline=self._deadline, priority=self._priority
            )
            lane.driver = batch
            direct = type(batch) is BlockingBatch
            if direct:
                while board.has_queued(number) and batch.submit_from(board, number, _MOST_SUBMITTED):
                    pass
            else:
                self._submit(batch, number)
            if not board.in_flight(number):
                return 0.0
            if run.read_out and not board.has_queued(number):
                batch.finish()
            if run.unfetched:
                longest = 0.0
            began = time.monotonic()
            if direct:
                ended = batch.wait_for(board, longest)
            else:
                landed = batch.wait(longest)
                board.end(landed)
                ended = len(landed)
            return 0.0 if ended else time.monotonic() - began
        except PushcoreError as error:
            # A client that was closed still hands out what it had taken.
            if lane.driver is not None:
                board.end(lane.driver.wait(0))
            run.fail(lane, error)
            return 0.0

    def _submit(self, batch: BlockingBatch, number: int) -> None:
        """Submits to a batch of another kind, a fake."""
        board = self._run.board
        while board.has_queued(number):
            for _, pairs in board.submit(number, _MOST_SUBMITTED):
                taken = batch.submit(pairs)
                if taken < len(pairs):
                    board.put_back(pairs, taken)
                    return

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
        self._run.close()

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
