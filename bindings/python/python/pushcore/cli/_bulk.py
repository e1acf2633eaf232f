"""One message to many targets, with a results file that an interrupted run goes on from."""

from __future__ import annotations

import argparse
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from .._errors import PushcoreError
from .._pushcore import EndpointPolicy, Outcome, Subscription
from ._journal import Journal, fingerprint
from ._output import Output, record_of
from ._progress import show
from ._rows import Row, rows

if TYPE_CHECKING:
    from types import FrameType

    from .._client import Client


class Counted:
    """Targets with their number, where somebody watches how far it is."""

    def __init__(self, targets: Iterator[Any], count: int) -> None:
        """`count`: an estimate will do."""
        self._targets, self._count = targets, count

    def __iter__(self) -> Iterator[Any]:
        return self._targets

    def __len__(self) -> int:
        return self._count


class Target(str):
    """A token that knows its row; to the client it is a `str`."""

    row: Row


def add(group: argparse._ArgumentGroup) -> None:
    """The options."""
    group.add_argument("--from", dest="source", metavar="FILE", help="CSV, JSONL or lines; - is standard input")
    group.add_argument("--format", choices=["csv", "jsonl", "lines"], help="default: by the file's name")
    group.add_argument("--column", help="the column or member with the target (default: token, and the like)")
    group.add_argument("--results", metavar="FILE", help="where to say what to do with each target: .csv or .jsonl")
    group.add_argument("--retry", action="store_true", help="going on: send again what was told to retry later")
    group.add_argument("--resend-unknown", action="store_true",
                       help="going on: send again what may have been sent (a device may see it twice)")  # fmt: skip
    group.add_argument("--no-progress", action="store_true", help="no live display")


def run(options: argparse.Namespace, output: Output, client: Client, template: Callable[[Any], Any]) -> int:
    """Sends; returns the exit status."""
    source = rows(options.source, options.format, options.column)
    first = next(source, None)
    if first is None:
        output.note("nothing to send: there is no target in the input")
        return 0
    if options.service == "webpush":
        policy = EndpointPolicy(trusted=options.trust, any_public_host=options.any_public_host)
        message = template(Subscription(first.target, policy=policy))
    else:
        policy = None
        message = template(None)
    journal = Journal(options.results, fingerprint(options), retry=options.retry,
                      resend_unknown=options.resend_unknown)  # fmt: skip
    stop = _Stop()
    counts: Counter[str] = Counter()
    skipped = 0
    complete = False

    def targets() -> Iterator[Any]:
        nonlocal skipped
        for row in _chain(first, source):
            if stop.wanted:
                return
            if journal.is_done(row):
                skipped += 1
                continue
            left = journal.left_over(row)
            if left is not None:
                counts[left["result"]] += 1
                _tell(output, journal, row, left)
                continue
            made: Any
            if policy is None:
                made = Target(row.target)
                made.row = row
            else:
                try:
                    made = Subscription(row.target, policy=policy)
                except PushcoreError as error:
                    finish(row, error)
                    continue
                subscriptions[id(made)] = (row, made)
            journal.begin(row)
            yield made

    subscriptions: dict[int, tuple[Row, Subscription]] = {}

    def finish(row: Row, result: Outcome | PushcoreError) -> None:
        record = record_of(result)
        counts[record["result"]] += 1
        _tell(output, journal, row, record)

    try:
        with stop, show(output, options.no_progress) as on_progress:
            source_of_targets: Iterable[Any] = targets()
            if on_progress is not None and options.source != "-":
                every = rows(options.source, options.format, options.column)
                count = sum(not journal.is_done(row) for row in every)
                source_of_targets = Counted(targets(), count)
            sending = client.send_many(
                source_of_targets, message=message, deadline=options.deadline, on_progress=on_progress
            )
            for made, result in sending:
                row = made.row if isinstance(made, Target) else subscriptions.pop(id(made))[0]
                finish(row, result)
        complete = True
    finally:
        journal.close(complete=complete)
    summary = {"skipped": skipped, **dict(sorted(counts.items()))}
    if output.json:
        output.record({"summary": summary})
    else:
        output.note("  ".join(f"{name} {count}" for name, count in summary.items() if count))
        if options.results:
            output.note(f"what to do with each target: {options.results}")
    if stop.wanted:
        output.note("interrupted: the same command goes on from here")
        return 130
    answered = counts.total() - counts["accepted"]
    no_answer = sum(counts[name] for name in ("notsent", "unknown", "expired", "cancelled"))
    return 3 if no_answer else 1 if answered else 0


def _chain(first: Row, rest: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rest


def _tell(output: Output, journal: Journal, row: Row, record: dict[str, Any]) -> None:
    whole = {"row": row.number, "target": row.target, **record}
    if journal.path is not None:
        journal.end(whole)
    elif output.json:
        output.record(whole)
    elif record["result"] != "accepted":
        shown = row.target if len(row.target) < 24 else row.target[:20] + "..."
        reason = record["reason"] or record["result"]
        output.record(whole, f"row {row.number} {shown}: {reason}: {record['action']}")


class _Stop:
    """The first Ctrl-C stops reading and waits for the answers; the second one ends it all."""

    wanted = False

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGINT, self._interrupt)

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self.wanted:
            raise KeyboardInterrupt
        self.wanted = True
        print("stopping: waiting for answers; Ctrl-C again to give up", file=sys.stderr)
