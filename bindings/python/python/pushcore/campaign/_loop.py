"""The loop of a campaign: rows in, journal first, then the client, then the journal again.

What holds, whatever happens to the process:

* A row is on the disk as handed over before the client gets it; what comes of it is written afterwards.
* No more rows are handed over than the service keeps busy (`_Lane.adapt`), so that few are unknown after a death.
* No row is sent twice unless that is asked for.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pickle
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Union

from .._errors import MisuseError, PushcoreError
from .._pushcore import AdmMessage, ApnsMessage, BaiduMessage, BlockingBatch, FcmMessage, WebPushMessage
from ._ends import clean, end_of, is_held_by_credentials
from .journal import End, Journal, Record, State, WriteError, digest
from .rows import AnyRow, BadRow, Row, Source

if TYPE_CHECKING:
    import os

    from .._client import Client
    from .._pushcore import Event
    from .._types import Duration, Message

__all__ = ["Progress", "Rehearsal", "SourceFailed", "Stop", "Summary", "run"]

#: Why a run ended before its source did. `None`: it came to the end.
Stop = Literal["asked", "credentials", "suspicion", "unreachable", "disk", "source", "limit"]

_MESSAGES: dict[type, str] = {
    ApnsMessage: "apns",
    FcmMessage: "fcm",
    WebPushMessage: "webpush",
    AdmMessage: "adm",
    BaiduMessage: "baidu",
}

#: So many refusals of the credentials with no acceptance in between stop a campaign.
_HANDFUL = 5

#: So many rows without any answer in between stop it: the service cannot be reached.
_UNANSWERED = 20

#: A campaign begins with so many rows at once, because the first answers tell whether the configuration is right.
_FIRST = 4

#: The most rows of one service that are on their way: two connections of APNs full of streams.
_MOST = 2000

#: The most rows of one service in one transaction: what was written down and not sent yet when the process is killed.
_CHUNK = 512

#: Rows read ahead for one service while it is busy.
_AHEAD = 1000

#: How long one look at the sockets takes at most, in seconds.
_LOOK = 0.1

#: How long to wait before `retry_later` without a time is tried again by the same run, in seconds.
_PAUSE = 30.0

#: How long a full disk is waited for at the end, in seconds: room may come back.
_ROOM_AGAIN = 2.0

Make = Callable[[Row], "Message"]
Messages = Union["Message", Make, Mapping[str, Union["Message", Make]]]


@dataclasses.dataclass
class Progress:
    """How far a run is."""

    #: Rows that ended in this run, by the name of their result.
    counts: Counter[str]
    #: Rows handed over whose answer is not known yet.
    in_flight: int
    #: Rows that earlier runs had dealt with.
    skipped: int
    #: Rows whose target came before in the source.
    duplicates: int
    #: Seconds since the start.
    elapsed: float
    #: Rows ended a second, over the last seconds.
    rate: float
    #: The part of the source that was read, from 0 to 1; `None` where its size is not known.
    part: float | None

    @property
    def ended(self) -> int:
        """Rows that ended in this run."""
        return self.counts.total()


@dataclasses.dataclass
class Summary:
    """What came of a run."""

    #: Rows that ended in this run, by the name of their result.
    counts: Counter[str]
    #: Rows of the whole campaign, by the name of their result, over all runs.
    totals: Counter[str]
    #: Rows that earlier runs had dealt with.
    skipped: int = 0
    #: Rows whose target came before in the source.
    duplicates: int = 0
    #: Rows that are to be sent later than now: `retry_later` whose time has not come.
    not_due: int = 0
    #: When the first of these is due, in seconds since 1970.
    due: float | None = None
    #: Why it ended early; `None` when the source was read to its end.
    stopped: Stop | None = None
    #: The same in words, with what to do.
    reason: str = ""
    #: Rows that were handed over and whose end could not be written or was not waited for.
    lost: int = 0

    @property
    def is_done(self) -> bool:
        """Whether every row of the source was accepted or is known to be past helping."""
        totals = self.totals
        left = totals["waiting"] + totals["unknown"] + totals["retry_later"] + self.not_due
        return self.stopped in (None, "limit") and not left


class SourceFailed(Exception):
    """The source of the rows raised an exception; what was in flight has ended and is written.

    The exception is the cause; `summary` says what came of the rows before it.
    """

    def __init__(self, summary: Summary) -> None:
        super().__init__(summary.reason)
        self.summary = summary


class _Item(NamedTuple):
    """A row on its way: what the journal and the client need."""

    seq: int | None
    tries: int
    digest: bytes
    row: Row
    service: str
    what: Any


class _Lane:
    """One service: its client, its message, and how many rows it keeps busy."""

    def __init__(self, service: str, client: Client, message: Any, target: Callable[[str], Any], deadline: Any) -> None:
        self.service, self.client = service, client
        self.make: Make | None = message if callable(message) else None
        self.target = target
        template = None if self.make is not None else message
        self.batch: BlockingBatch = client.batch(message=template, deadline=deadline)
        #: Read, not handed over.
        self.ahead: deque[_Item] = deque()
        #: Handed over, not taken by the client yet.
        self.untaken: list[tuple[_Item, Any]] = []
        self.window = _FIRST
        self.was_full = False
        self.refusals = 0
        #: Tokens that are good elsewhere, since the last acceptance.
        self.mismatches = 0
        self.unanswered = 0
        self.last_text = ""
        self.accepted = 0
        #: Refusals by the service that hands out access tokens, since the last acceptance.
        self.token_failures = 0
        self.suspected_at: float | None = None
        self.begun = time.time()

    @property
    def busy(self) -> int:
        """Rows handed over whose answer is not known."""
        return self.batch.in_flight + len(self.untaken)

    def item(self, row: Row) -> Any:
        """What the client gets for that row. Raises what a wrong row raises."""
        return self.make(row) if self.make is not None else self.target(row.target)

    def adapt(self, ended: int) -> None:
        """More rows at once while the connections run dry, fewer while the client only queues them."""
        queued = self.client.stats()["queued"]
        spare = max(32, ended)
        if queued > spare:
            self.window = max(_FIRST, self.window - (queued - spare) // 2)
        elif self.was_full and queued == 0:
            # Where half of the rows are answered in a turn, one transaction's worth is on its way while the next one is
            # written: more at once would only be more rows in doubt.
            most = 2 * _CHUNK if ended >= self.busy else _MOST
            self.window = min(self.window * 2, most)

    def hear(self, event: Event) -> None:
        """Notices that no access token is to be had with these credentials."""
        if event.name == "token_failed" and event.code is not None and 100 <= event.code < 200:
            self.token_failures += 1
            self.last_text = event.text

    @property
    def is_refused(self) -> bool:
        """Whether the service will have none of these credentials."""
        return self.refusals >= _HANDFUL or self.token_failures > (2 if self.accepted else 0)

    def judge(self, name: str, text: str | None) -> None:
        """Counts what makes a campaign stop."""
        if name == "accepted":
            self.accepted += 1
            self.refusals = self.mismatches = self.unanswered = self.token_failures = 0
        elif name in ("fix_credentials", "token_mismatch"):
            self.refusals += name == "fix_credentials"
            self.mismatches += name == "token_mismatch"
            self.unanswered = 0
            self.last_text = text or name
        elif name in ("not_sent", "expired", "unknown"):
            self.unanswered += 1
            self.last_text = text or name
        elif name != "refused":
            self.unanswered = 0


def run(
    rows: Iterable[AnyRow | str],
    *,
    clients: Client | Mapping[str, Client],
    message: Messages,
    journal: str | os.PathLike[str] | None = None,
    identity: Mapping[str, object] | str | None = None,
    targets: Mapping[str, Callable[[str], Any]] | None = None,
    retry: bool = False,
    resend_unknown: bool = False,
    retries: int = 0,
    duplicates: Literal["skip", "send"] = "skip",
    limit: int | None = None,
    deadline: Duration | None = None,
    grace: float = 30.0,
    ignore_suspicion: bool = False,
    stop: Callable[[], bool] | None = None,
    on_result: Callable[[Record], object] | None = None,
    on_progress: Callable[[Progress], object] | None = None,
    progress_every: float = 0.25,
    on_event: Callable[[str, Event], object] | None = None,
    on_end: Callable[[Journal], object] | None = None,
) -> Summary:
    """Sends one message to every row, and writes down what comes of each.

    `rows` yields `Row` (or bare targets) and `BadRow`; a `Source` reads them from a file. `message` is a message whose
    target is replaced, or a function that makes the message of a row; with several services both `clients` and
    `message` are mappings by the service's name, and each row names its service.

    `journal` is the path of the journal: the same call again goes on where the last one ended, and sends nothing twice.
    Without it the run is remembered only until it ends. `identity` says what is sent (default: the message's content);
    a journal of another identity is refused.

    `retry` sends again what was told to wait and whose time has come, `resend_unknown` what may have been shown
    already. `retries` is how often this run itself tries again, when the time comes. `stop` is asked often: once it
    says `True`, no more rows are read, those that the service cannot have seen are taken back, and the others have
    `grace` seconds to end. A few refusals of the credentials, or a suspected mix-up, stop the run unless
    `ignore_suspicion`.

    `on_result` gets each row once its end is on the disk, `on_event` a service's name and what its client's `events`
    would say (they are taken here), `on_end` the journal at the end, while it is still held.

    Raises `Busy`, `JournalError`, and `SourceFailed` when `rows` raises.
    """
    lanes = _lanes(clients, message, targets or {}, deadline)
    opened = Journal(journal, _identity(identity, message, journal, duplicates))
    try:
        running = _Run(opened, lanes, rows)
        running.retry, running.resend_unknown, running.retries = retry, resend_unknown, retries
        running.duplicates, running.limit, running.grace = duplicates, limit, grace
        running.ignore_suspicion, running.asked = ignore_suspicion, stop or (lambda: False)
        running.on_result, running.on_progress, running.every = on_result, on_progress, progress_every
        running.on_event = on_event
        try:
            return running.run()
        finally:
            if on_end is not None:
                on_end(opened)
    finally:
        for lane in lanes.values():
            lane.batch.cancel()
        opened.close()


def _lanes(clients: Any, message: Any, targets: Mapping[str, Callable[[str], Any]], deadline: Any) -> dict[str, _Lane]:
    if not isinstance(clients, Mapping):
        name = _MESSAGES.get(type(message), "") if not isinstance(message, Mapping) else ""
        clients, message = {name: clients}, {name: message}
    if not isinstance(message, Mapping) or set(message) != set(clients):
        raise MisuseError("clients and messages are mappings with the same services", 800, "Misuse")
    return {
        name: _Lane(name, client, message[name], targets.get(name, str), deadline) for name, client in clients.items()
    }


def _identity(given: Any, message: Any, journal: Any, duplicates: str) -> dict[str, object]:
    if given is not None:
        return {"given": given} if isinstance(given, str) else dict(given)
    if journal is None:
        return {}
    messages = message if isinstance(message, Mapping) else {"": message}
    if any(callable(one) for one in messages.values()):
        text = "a function makes the messages: say with identity= what is sent, so that another campaign is told apart"
        raise MisuseError(text, 800, "Misuse")
    content = {name: hashlib.sha256(pickle.dumps(one, 4)).hexdigest() for name, one in messages.items()}
    return {"content": content, "duplicates": duplicates}


class _Run:
    """One run. It is a class because its parts share what they count."""

    retry = resend_unknown = ignore_suspicion = False
    retries, grace, every = 0, 30.0, 0.25
    limit: int | None = None
    duplicates: str = "skip"
    on_result: Callable[[Record], object] | None = None
    on_progress: Callable[[Progress], object] | None = None
    on_event: Callable[[str, Event], object] | None = None

    def __init__(self, journal: Journal, lanes: dict[str, _Lane], rows: Iterable[AnyRow | str]) -> None:
        self.journal, self.lanes = journal, lanes
        self.source = rows if isinstance(rows, Source) else None
        waits = self.source is not None and self.source.size is None
        self.rows = _Ahead(iter(rows)) if waits else iter(rows)
        self.asked: Callable[[], bool] = lambda: False
        self.exhausted = False
        self.counts: Counter[str] = Counter()
        self.summary = Summary(self.counts, Counter())
        self.ends: list[tuple[int, End]] = []
        self.told: list[Record] = []
        self.refused: list[tuple[bytes, int | None, str | None, str, str, str]] = []
        self.failure: BaseException | None = None
        self.taken = self.items = 0
        self.putting_off = False
        self.started = self.reported = time.monotonic()
        self.recent: deque[tuple[float, int]] = deque(maxlen=20)

    def run(self) -> Summary:
        try:
            while not self.step():
                pass
        except BaseException:
            # Ctrl-C in a notebook, or a callback that raises: what is in flight still ends in order.
            self.on_result = self.on_progress = self.on_event = None
            self.wind_down()
            self.conclude()
            raise
        if self.summary.stopped is not None and self.summary.stopped != "limit":
            self.wind_down()
        self.conclude()
        if self.failure is not None:
            raise SourceFailed(self.summary) from self.failure
        return self.summary

    def step(self) -> bool:
        """One turn; whether it was the last one."""
        if self.summary.stopped is None and self.asked():
            self.end_early("asked", "stopped")
        if self.summary.stopped not in (None, "limit"):
            return True
        self.read()
        self.hand_over()
        self.look()
        self.report()
        if not self.exhausted or self.ends or self.refused:
            return False
        if any(lane.busy or lane.ahead for lane in self.lanes.values()):
            return False
        return not self.rest()

    def end_early(self, why: Stop, text: str) -> None:
        if self.summary.stopped in (None, "limit"):
            self.summary.stopped, self.summary.reason = why, text

    # Reading

    def read(self) -> None:
        """Takes rows until a lane has enough of them."""
        budget = 4 * _AHEAD
        lanes = list(self.lanes.values())
        wanted = [(lane.ahead, min(max(lane.window - lane.busy, 1), _AHEAD)) for lane in lanes]
        while not self.exhausted and budget and len(self.refused) < _AHEAD:
            full = [len(ahead) >= enough for ahead, enough in wanted]
            if all(full) or (any(full) and any(len(lane.ahead) >= _AHEAD for lane in lanes)):
                return
            if self.limit is not None and self.taken >= self.limit:
                self.exhausted = True
                self.end_early("limit", f"the first {self.limit} rows, as asked")
                return
            try:
                row = next(self.rows, _END)
            except Exception as error:
                self.exhausted, self.failure = True, error
                self.end_early("source", clean(f"the input ended with an error: {error}"))
                return
            if row is _NOTHING_YET:
                return
            if row is _END:
                self.exhausted = True
                return
            budget -= 1
            self.items += 1
            if isinstance(row, str):
                row = Row(row)
            elif not isinstance(row, (Row, BadRow)):
                # A database's NULL among the tokens is one refused row, and not the end of the list.
                row = BadRow(self.items, f"neither a row nor a text: {type(row).__name__}", clean(repr(row)[:40]))
            self.meet(row)

    def meet(self, row: AnyRow) -> None:
        """Decides what becomes of a row."""
        if isinstance(row, BadRow):
            key = digest("", f"{row.line}\0{row.text}\0{row.reason}")
            self.refuse(key, row.line, None, "", row.text, row.reason)
            return
        name = row.service or (next(iter(self.lanes)) if len(self.lanes) == 1 else "")
        lane = self.lanes.get(name) or self.lanes.get(name.lower())
        if lane is None and len(self.lanes) == 1 and "" in self.lanes:
            lane = self.lanes[""]
        if lane is None:
            there = ", ".join(sorted(self.lanes))
            what = (
                f"the service {row.service!r} is not one of {there}"
                if row.service
                else f"no service; there are {there}"
            )
            self.refuse(digest(name, row.target), row.line, row.key, name, row.target, what)
            return
        canonical = _canonical(lane.service, row.target)
        key = digest(lane.service, canonical)
        known, occurrence = self.journal.meet(key)
        if occurrence > 1:
            if self.duplicates == "skip":
                self.summary.duplicates += 1
                return
            key = digest(lane.service, canonical, occurrence)
            known, _ = self.journal.meet(key)
        seq = None
        if known is not None:
            seq = known.seq
            if not self.is_wanted(known):
                return
        self.taken += 1
        self.prepare(lane, seq, 0, key, row)

    def is_wanted(self, known: Any) -> bool:
        """Whether a row of an earlier run is sent again now."""
        if known.state == State.WAITING:
            return True
        if known.outcome == "retry_later" and (self.retry or self.retries):
            due = known.ready
            if due is None or due <= time.time():
                return True
            if self.retries:
                self.journal.put_off(known.seq, due)
                self.putting_off = True
                return False
            self.summary.not_due += 1
            self.summary.due = min(due, self.summary.due or due)
            return False
        if known.outcome == "unknown" and self.resend_unknown:
            return True
        self.summary.skipped += 1
        return False

    def prepare(self, lane: _Lane, seq: int | None, tries: int, key: bytes, row: Row) -> None:
        """Makes the message; a row of which none can be made is refused."""
        try:
            what = lane.item(row)
        except (PushcoreError, ValueError, TypeError, KeyError) as error:
            self.refuse(key, row.line, row.key, lane.service, row.target, str(error), seq)
            return
        lane.ahead.append(_Item(seq, tries, key, row, lane.service, what))

    def refuse(
        self, key: bytes, line: int | None, own: str | None, service: str, target: str, why: str, seq: int | None = None
    ) -> None:
        why = clean(why)
        self.counts["refused"] += 1
        if seq is not None:
            self.ends.append((seq, End(State.ENDED, "refused", reason=why, action="fix the row", at=time.time())))
        else:
            self.refused.append((key, line, own, service, target, why))
        if self.on_result is not None:
            end = End(State.ENDED, "refused", reason=why, action="fix the row", at=time.time())
            self.told.append(_record(Row(target, line, own), service, end, 0))

    # Sending

    def hand_over(self) -> None:
        """Writes which rows go now, then gives them to the clients."""
        if self.retries and self.putting_off:
            self.take_due()
        chosen: list[tuple[_Lane, _Item]] = []
        for lane in self.lanes.values():
            room = lane.window - lane.busy
            lane.was_full = len(lane.ahead) >= room or lane.busy >= lane.window
            for _ in range(min(max(room, 0), len(lane.ahead), _CHUNK)):
                chosen.append((lane, lane.ahead.popleft()))
        if not (chosen or self.ends or self.refused):
            return
        keep = self.retries > 0 and any(lane.make is not None for lane in self.lanes.values())
        begun = [
            (item.seq, item.digest, item.row.line, item.row.key, item.service, item.row.target,
             json.dumps(item.row.fields, default=str) if keep and item.row.fields else None)
            for _, item in chosen
        ]  # fmt: skip
        try:
            numbers = self.journal.write(self.ends, begun, self.refused)
        except WriteError as error:
            # Nothing of `chosen` was written, so nothing of it is sent.
            for lane, item in reversed(chosen):
                lane.ahead.appendleft(item)
            self.end_early("disk", f"the journal cannot be written: {error}")
            return
        # First of all, because a callback that raises must not leave rows that are on record and with nobody.
        for (lane, item), seq in zip(chosen, numbers, strict=True):
            lane.untaken.append((item._replace(seq=seq, tries=item.tries + 1), item.what))
        self.written()
        for lane in self.lanes.values():
            self.submit(lane)

    def written(self) -> None:
        """What ended is on the disk: now it may be told."""
        self.ends, self.refused = [], []
        told, self.told = self.told, []
        if self.on_result is not None:
            for record in told:
                self.on_result(record)

    def submit(self, lane: _Lane) -> None:
        if lane.untaken:
            count = lane.batch.submit(lane.untaken)
            del lane.untaken[:count]

    def take_due(self) -> None:
        """Rows whose time has come again."""
        room = max((lane.window - lane.busy - len(lane.ahead) for lane in self.lanes.values()), default=0)
        if room <= 0:
            return
        on_the_way = {item.seq for lane in self.lanes.values() for item in lane.ahead if item.seq is not None}
        for seq, tries, line, own, service, target, fields in self.journal.due(time.time(), room):
            lane = self.lanes.get(service)
            if seq in on_the_way or lane is None:
                continue
            row = Row(target, line, own, service, json.loads(fields) if fields else None)
            self.prepare(lane, seq, tries, b"", row)

    def look(self) -> None:
        """Moves bytes and takes what has ended."""
        busy = [lane for lane in self.lanes.values() if lane.busy]
        # With several services each gets a glance; where there is room for more rows, too.
        patient = len(busy) == 1 and (self.exhausted or self.is_full(busy[0]))
        for lane in busy:
            self.submit(lane)
            results = lane.batch.wait(_LOOK if patient else 0.002 if len(busy) > 1 else 0.0005)
            for item, result in results:
                self.end(lane, item, result)
            happened = list(lane.client.events())
            for event in happened:
                lane.hear(event)
                if self.on_event is not None:
                    self.on_event(lane.service, event)
            if results or happened:
                self.check(lane)
            lane.adapt(len(results))
        if not busy and not self.exhausted:
            # The source has nothing yet: a pipe that is slow.
            time.sleep(0.01 if isinstance(self.rows, _Ahead) else 0)

    def is_full(self, lane: _Lane) -> bool:
        return lane.busy >= lane.window or not lane.ahead

    def end(self, lane: _Lane, item: _Item, result: Any) -> None:
        end = end_of(result)
        name, tries = end.outcome or "", item.tries
        if name == "retry_later" and tries <= self.retries:
            end = end._replace(due=time.time() + (end.after or _PAUSE))
            self.putting_off = True
        elif name in ("not_sent", "expired") and tries <= self.retries:
            end = end._replace(due=time.time() + 1)
            self.putting_off = True
        if name == "cancelled":
            # Taken back before a byte left: as if it had not been read.
            end = End(State.WAITING, None)
        else:
            self.counts[name] += 1
        lane.judge("fix_credentials" if is_held_by_credentials(result) else name, end.reason)
        self.ends.append((item.seq or 0, end))
        if self.on_result is not None and name != "cancelled":
            self.told.append(_record(item.row, lane.service, end, tries))

    def check(self, lane: _Lane) -> None:
        """Stops for what no row can help."""
        if self.ignore_suspicion:
            if lane.suspected_at is None and (lane.client.is_mix_up_suspected() or lane.mismatches >= _HANDFUL):
                lane.suspected_at = time.time()
            return
        if lane.client.is_mix_up_suspected() or lane.mismatches >= _HANDFUL:
            lane.suspected_at = time.time()
            self.end_early(
                "suspicion",
                "most tokens are called dead or foreign all at once: they are probably of another environment, app or"
                " sender than these credentials. Check the environment, the topic and the key. No token is to be"
                " deleted; --ignore-suspicion goes on all the same",
            )
        elif lane.is_refused:
            self.end_early(
                "credentials",
                f"the service refuses these credentials ({lane.last_text}): mend the key, its ids or the topic, then"
                " run the same command again; --ignore-suspicion goes on all the same",
            )
        elif lane.unanswered >= _UNANSWERED and not any(
            self.counts[name] for name in ("accepted", "rejected", "token_gone", "retry_later")
        ):
            self.end_early("unreachable", f"the service cannot be reached: {lane.last_text}")

    def rest(self) -> bool:
        """Waits for rows that are to be tried again; whether there are any."""
        if not (self.retries and self.putting_off) or self.summary.stopped is not None:
            return False
        due = self.journal.next_due()
        if due is None:
            return False
        time.sleep(min(max(due - time.time(), 0), _LOOK))
        return True

    # The end

    def wind_down(self) -> None:
        """Takes back what the service cannot have seen; lets the rest end, within bounds."""
        begun = time.monotonic()
        until = begun + self.grace
        for lane in self.lanes.values():
            for item, _ in lane.untaken:
                self.ends.append((item.seq or 0, End(State.WAITING, None)))
            lane.untaken.clear()
            lane.batch.withdraw()
        while True:
            busy = [lane for lane in self.lanes.values() if lane.busy]
            for lane in busy:
                for item, result in lane.batch.wait(_LOOK if len(busy) == 1 else 0.01):
                    self.end(lane, item, result)
            self.save()
            self.report()
            if not busy or time.monotonic() >= until:
                break
        while self.ends and self.summary.stopped == "disk" and time.monotonic() < min(until, begun + _ROOM_AGAIN):
            time.sleep(0.2)
            self.save()
        self.summary.lost = sum(lane.busy for lane in self.lanes.values()) + len(self.ends)

    def save(self) -> None:
        if self.ends or self.refused:
            try:
                self.journal.write(self.ends)
            except WriteError as error:
                self.end_early("disk", f"the journal cannot be written: {error}")
                return
            refused = self.refused
            self.written()
            if refused:
                try:
                    self.journal.write([], [], refused)
                except WriteError as error:
                    self.end_early("disk", f"the journal cannot be written: {error}")

    def conclude(self) -> None:
        """The last words of the journal."""
        try:
            for lane in self.lanes.values():
                if lane.suspected_at is not None:
                    self.journal.doubt(lane.service, lane.begun, wait=not self.ignore_suspicion)
            if self.exhausted and self.summary.stopped is None:
                self.journal.finish()
        except WriteError as error:
            self.end_early("disk", f"the journal cannot be written: {error}")
        self.summary.totals = self.journal.totals()
        self.report(last=True)

    def report(self, *, last: bool = False) -> None:
        now = time.monotonic()
        if self.on_progress is None or (not last and now - self.reported < self.every):
            return
        self.reported = now
        ended = self.counts.total()
        self.recent.append((now, ended))
        then, before = self.recent[0] if len(self.recent) > 1 else (self.started, 0)
        rate = (ended - before) / (now - then) if now > then else 0.0
        size = None if self.source is None else self.source.size
        part = None
        if size and self.source is not None and self.items:
            # What was read and has not ended yet does not count.
            done = ended + self.summary.skipped + self.summary.duplicates + self.summary.not_due
            part = min(self.source.read / size, 1.0) * min(done / self.items, 1.0)
        in_flight = sum(lane.busy for lane in self.lanes.values())
        part = 1.0 if last and self.exhausted else part
        skipped, duplicates = self.summary.skipped, self.summary.duplicates
        elapsed = now - self.started
        self.on_progress(Progress(Counter(self.counts), in_flight, skipped, duplicates, elapsed, rate, part))


class Rehearsal:
    """What a run would do with each row, without a journal and without sending."""

    def __init__(self, services: Iterable[str], duplicates: str = "skip") -> None:
        self._services, self._duplicates = list(services), duplicates
        self._journal = Journal(None, {})

    def service_of(self, row: Row) -> str:
        """The service of a row."""
        return (row.service or "").lower() or (self._services[0] if len(self._services) == 1 else "")

    def judge(self, row: AnyRow, make: Callable[[str, Row], object]) -> tuple[str, str]:
        """`ready`, `duplicate` or `refused`, and why."""
        if isinstance(row, BadRow):
            return "refused", row.reason
        service = self.service_of(row)
        if service not in self._services:
            return "refused", f"the service {row.service!r} is not one of {', '.join(sorted(self._services))}"
        _, occurrence = self._journal.meet(digest(service, _canonical(service, row.target)))
        if occurrence > 1 and self._duplicates == "skip":
            return "duplicates", ""
        try:
            make(service, row)
        except (PushcoreError, ValueError, TypeError, KeyError) as error:
            return "refused", clean(str(error))
        return "ready", ""

    def __enter__(self) -> Rehearsal:
        return self

    def __exit__(self, *_: object) -> None:
        self._journal.close()


def _canonical(service: str, target: str) -> str:
    """One spelling of each target: duplicates are noticed by it."""
    if service == "apns":
        # Hexadecimal, in any spelling that an app may have logged.
        return target.strip().strip("<>").replace(" ", "").lower()
    if service == "webpush" and target.startswith("{"):
        try:
            endpoint = json.loads(target)["endpoint"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return target
        return str(endpoint)
    return target


def _record(row: Row, service: str, end: End, attempts: int) -> Record:
    return Record(
        row.line, row.key, service, row.target, end.outcome or "waiting", end.status, end.reason, end.action,
        end.id, end.since, end.after, end.scope, end.replacement, end.location, attempts, end.at, end.doubtful,
    )  # fmt: skip


class _NothingYet:
    """What is told apart from every row."""


_NOTHING_YET: Any = _NothingYet()
_END: Any = _NothingYet()


class _Ahead(Iterator[Any]):
    """Reads a pipe in a thread, so that answers are looked after while it has nothing to say."""

    def __init__(self, rows: Iterator[Any]) -> None:
        self._rows = rows
        self._ready: deque[Any] = deque()
        self._failure: BaseException | None = None
        self._ended = False
        self._room = threading.Event()
        # A daemon: it may wait for the pipe for ever.
        threading.Thread(target=self._read, name="pushcore-source", daemon=True).start()

    def _read(self) -> None:
        try:
            for row in self._rows:
                self._ready.append(row)
                if len(self._ready) >= 4 * _AHEAD:
                    self._room.clear()
                    if len(self._ready) >= 4 * _AHEAD:
                        self._room.wait()
        except BaseException as error:
            self._failure = error
        self._ended = True

    def __next__(self) -> Any:
        ended = self._ended
        if self._ready:
            row = self._ready.popleft()
            if len(self._ready) < 2 * _AHEAD:
                self._room.set()
            return row
        if not ended:
            return _NOTHING_YET
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        raise StopIteration
