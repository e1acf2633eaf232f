"""One message to the rows of a file: `pushcore.campaign.run` with options, signals and a display."""

from __future__ import annotations

import contextlib
import json
import pathlib
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from .. import campaign
from .._pushcore import ReceiverKeys, Subscription
from ..campaign import BadRow, JournalError, Record, Row, Source, SourceFailed, Summary
from ..campaign.message import Template, columns_of, has_braces, missing
from ..campaign.results import as_dict, export, journal_of
from ..campaign.rows import FORMATS
from . import _services
from ._grammar import FILE, option
from ._output import Output, forget_stdout
from ._profile import is_said
from ._progress import show
from ._status import Status

if TYPE_CHECKING:
    from types import FrameType

    from .._client import Client
    from ..campaign.journal import Journal

_SECTION = "Many rows"

#: A target that every service takes, to make the template of a campaign from.
_PLACEHOLDER = {"apns": "00", "fcm": "placeholder", "adm": "placeholder", "baidu": "0"}

#: What is mended where a service refuses the credentials.
_MEND = {
    "apns": "--key, --key-id, --team-id, --topic, --environment",
    "fcm": "--credentials, --project",
    "webpush": "--key, --subject",
    "adm": "--client-id, --client-secret",
    "baidu": "--api-key, --secret-key",
}


def options() -> list[click.Parameter]:
    """The options."""

    def one(*names: str, **how: Any) -> click.Parameter:
        return option(*names, section=_SECTION, **how)

    return [
        one("--from", "source", metavar="FILE", type=click.Path(allow_dash=True),
            help="CSV, JSON lines, a JSON array or lines, also gzipped; - is standard input"),
        one("--results", type=FILE, metavar="FILE",
            help="the journal (.db), or .csv or .jsonl with the journal beside it; names what to do with each target"),
        one("--format", choices=FORMATS, help="default: by what stands in the file"),
        one("--encoding", help="default: UTF-8, or what the file's first bytes say"),
        one("--delimiter", help="of CSV; default: by the header"),
        one("--column", help="the column or member with the target (default: token and the like)"),
        one("--key-column", help="a key of your own that is carried to the results"),
        one("--service-column", help="the column that names each row's service", default=None),
        one("--message-column", help="a column with each row's whole message or payload in JSON"),
        one("--duplicates", choices=["skip", "send"], default="skip",
            help="targets that came before (default: skip, and count)"),
        one("--retry", is_flag=True, help="going on: send again what was told to wait and whose time has come"),
        one("--retries", type=click.IntRange(0), default=0, metavar="N",
            help="try again within this run, when the time comes, at most so often"),
        one("--resend-unknown", is_flag=True,
            help="going on: send again what may have been shown (a device may see it twice)"),
        one("--ignore-suspicion", is_flag=True,
            help="go on although the credentials are refused or the tokens seem to belong elsewhere"),
        one("--rate", type=click.IntRange(1), metavar="N", help="messages a second at most"),
        one("--limit", type=click.IntRange(1), metavar="N", help="hand over at most so many rows"),
        one("--dry-run", is_flag=True, help="everything but sending, with a sample; writes nothing"),
        one("--grace", type=click.FloatRange(0), default=30.0, metavar="S",
            help="seconds that what is in flight gets to end when the run is stopped (default 30)"),
        one("--no-progress", is_flag=True, help="no live display"),
        one("--verbose", is_flag=True, help="events of connections and tokens, on standard error"),
    ]  # fmt: skip


def refuse_without_source(options: Any) -> None:
    """Options of campaigns say nothing about one message: taking them silently would mislead."""
    context = click.get_current_context()
    names = {one.name: one.opts[0] for one in globals()["options"]() if one.name}
    said = [flag for name, flag in names.items() if name not in ("rate", "verbose") and is_said(context, name)]
    if said:
        raise ValueError(f"{', '.join(said)} only with --from")


class Stop:
    """The first signal stops reading and lets what is in flight end; the second one ends it all."""

    def __init__(self, output: Output) -> None:
        self.number = 0
        self.pipe_closed = False
        self.unwritten: str | None = None
        self._output = output

    def __call__(self) -> bool:
        return bool(self.number or self.pipe_closed or self.unwritten)

    def __enter__(self) -> Stop:
        self._before: dict[int, Any] = {}
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            # Under nohup SIGHUP is ignored, and stays so.
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self.number == signal.SIGINT == number:
            raise KeyboardInterrupt
        self.number = self.number or number
        self._output.note("stopping: waiting for answers; Ctrl-C again to give up")


def run(options: Any, output: Output, parts: Mapping[str, Any]) -> int:
    """Sends; returns the exit status. `parts` holds the options of each service."""
    source = Source(
        options.source,
        format=options.format,
        encoding=options.encoding,
        delimiter={"tab": "\t", "\\t": "\t"}.get(options.delimiter or "", options.delimiter),
        column=options.column,
        key_column=options.key_column,
        service_column=options.service_column or ("service" if len(parts) > 1 else None),
    )
    try:
        output.note(f"{options.source}: {source.description}")
        messages: dict[str, Any] = {}
        identity: dict[str, object] = {"duplicates": options.duplicates}
        for service, part in parts.items():
            messages[service], said = _message(part, source, getattr(options, "message_column", None))
            identity[service] = said
        if options.dry_run:
            return _dry_run(options, output, source, parts, messages)
        return _deliver(options, output, source, parts, messages, identity)
    finally:
        source.close()


def _message(part: Any, source: Source, message_column: str | None) -> tuple[Any, object]:
    """The message of a service, or a function that makes it of a row; and what it says, to know it again."""
    values = _services.fields(part)
    said: dict[str, object] = {name: value for name, value in values.items() if name not in _ADDRESS[part.service]}
    said = {**said, "message_column": message_column} if message_column else said
    if part.service == "fcm" and part.validate_only:
        said["validate_only"] = True
    wanted = columns_of(values) | ({message_column} if message_column else set())
    lacking = missing(wanted, source.has_column)
    if lacking:
        there = ", ".join(source.columns) or "none, because the source is plain lines"
        raise ValueError(f"the message names the column {lacking[0]}, which there is not; there are: {there}."
                         " A brace that is meant is doubled: {{")  # fmt: skip
    by_row = message_column is not None or has_braces(values)
    by_id = part.service == "fcm" and (source.column or "").lower() == "fid"
    if not by_row and not by_id:
        where: Any = _PLACEHOLDER.get(part.service)
        if part.service == "webpush":
            # A template needs a subscription; this one is never sent to.
            where = ReceiverKeys.generate().subscription_json("https://updates.push.services.mozilla.com/wpush/v2/a")
        return _services.make(part, values, where), said

    def make(row: Row, filled: dict[str, Any]) -> Any:
        return _services.make(part, filled, ("fid", row.target) if by_id else row.target)

    return Template(make, values, message_column=message_column), said


#: Where a message goes, not what it says: it may be mended and the campaign goes on.
_ADDRESS: dict[str, tuple[str, ...]] = {
    "apns": ("topic", "bundle"),
    "fcm": (),
    "webpush": (),
    "adm": (),
    "baidu": (),
}


def _target(part: Any) -> Callable[[str], Any]:
    if part.service != "webpush":
        return str
    policy = _services.policy(part)
    return lambda text: Subscription(text, policy=policy)


def _deliver(
    options: Any, output: Output, source: Source, parts: Mapping[str, Any], messages: Any, identity: dict[str, object]
) -> int:
    results: pathlib.Path | None = options.results
    journal = None if results is None else journal_of(results)
    if results is not None and journal != results and results.exists() and journal is not None and not journal.exists():
        raise JournalError(f"{results} exists, and beside it no journal of a run ({journal.name}): name another file")
    clients: dict[str, Client] = {service: _services.client(part) for service, part in parts.items()}
    stop = Stop(output)
    exported: list[str] = []

    def tell(record: Record) -> None:
        try:
            _tell(output, record)
        except BrokenPipeError:
            stop.pipe_closed = True
        except OSError as error:
            stop.unwritten = str(error)

    def happened(service: str, event: Any) -> None:
        if options.verbose:
            link = "" if event.link is None else f"connection {event.link} "
            output.event(f"{service} {event.name}", f"{link}{event.text}".strip())

    try:
        with stop, show(output, options.no_progress or options.verbose) as display:
            try:
                summary = campaign.run(
                    source,
                    clients=clients,
                    message=messages,
                    journal=journal,
                    identity=identity,
                    targets={service: _target(part) for service, part in parts.items()},
                    retry=options.retry,
                    resend_unknown=options.resend_unknown,
                    retries=options.retries,
                    duplicates=options.duplicates,
                    limit=options.limit,
                    deadline=options.deadline,
                    grace=options.grace,
                    ignore_suspicion=options.ignore_suspicion,
                    stop=stop,
                    on_result=None if journal is not None else tell,
                    on_progress=display,
                    on_event=happened,
                    on_end=None
                    if results is None or results == journal
                    else lambda made: _export(made, results, exported),
                )
            except SourceFailed as error:
                summary = error.summary
    finally:
        for client in clients.values():
            if not stop.number:
                client.close()
    return _conclude(options, output, parts, summary, stop, exported)


def _export(journal: Journal, results: pathlib.Path | None, failed: list[str]) -> None:
    """Writes the chosen file while the journal is still held, so that no other run writes it meanwhile."""
    if results is None or results == journal.path:
        return
    try:
        export(journal.records(), results)
    except OSError as error:
        failed.append(f"{results} could not be written: {error.strerror}; everything is in {journal.path}")


def _conclude(
    options: Any,
    output: Output,
    parts: Mapping[str, Any],
    summary: Summary,
    stop: Stop,
    failed: list[str],
) -> int:
    counts: dict[str, int] = {name: count for name, count in sorted(summary.counts.items()) if count}
    more = {"skipped": summary.skipped, "duplicates": summary.duplicates, "not_due": summary.not_due}
    left = summary.totals["waiting"] + summary.totals["unknown"] + summary.totals["retry_later"]
    everything = {**counts, **{name: count for name, count in more.items() if count}}
    status = _status(summary, stop, failed)
    try:
        if output.json:
            whole = {"counts": counts, **more, "totals": dict(summary.totals), "stopped": summary.stopped,
                     "reason": summary.reason, "exit_status": int(status)}  # fmt: skip
            output.record({"summary": whole})
        sys.stdout.flush()
    except OSError:
        forget_stdout()
    if stop.pipe_closed:
        forget_stdout()
    say = output.note
    if everything:
        say("  ".join(f"{name} {count}" for name, count in everything.items()))
    else:
        say("nothing to send: there is no row in the input")
    if options.results is not None:
        totals = dict(sorted(summary.totals.items()))
        say(f"all runs: {'  '.join(f'{name} {count}' for name, count in totals.items())}")
        say(f"what to do with each target: {options.results}")
    for text in failed:
        output.error(text)
    if summary.not_due and summary.due is not None:
        say(f"{summary.not_due} rows are not due yet: the first in {max(summary.due - time.time(), 0):.0f} s")
    if summary.stopped is not None and summary.stopped not in ("asked", "limit"):
        text = summary.reason
        if summary.stopped == "credentials":
            text += " (" + "; ".join(_MEND[service] for service in parts) + ")"
        output.error(text, stopped=summary.stopped, left=left)
    if summary.lost:
        output.error(f"{summary.lost} rows were in flight and their end is not known: they are called unknown")
    again = (
        "the same command goes on from here" if options.results else "nothing remembers which: next time name --results"
    )
    if summary.stopped is not None and summary.stopped != "limit":
        output.note(f"stopped: rows are left; {again}")
        if output.json and stop():
            output.error("stopped: rows are left", stopped="asked")
    elif left:
        say(f"{left} rows are left; {again}")
    return status


def _status(summary: Summary, stop: Stop, failed: list[str]) -> int:
    if stop.pipe_closed:
        return Status.PIPE
    if stop.unwritten or failed or summary.stopped == "disk":
        return Status.UNWRITTEN
    if summary.stopped == "asked":
        return 128 + stop.number
    if summary.stopped in ("credentials", "suspicion"):
        return Status.STOPPED
    totals = summary.totals
    left = totals["waiting"] + totals["unknown"] + totals["retry_later"]
    if summary.stopped in ("unreachable", "source") or summary.lost or left:
        return Status.LEFT
    return Status.REFUSED if totals.total() > totals["accepted"] else Status.ACCEPTED


def _tell(output: Output, record: Record) -> None:
    if output.json:
        output.record(as_dict(record))
    elif record.result != "accepted":
        shown = record.target if len(record.target) < 24 else record.target[:20] + "..."
        where = "" if record.line is None else f"line {record.line} "
        reason = record.reason or record.result
        output.record(as_dict(record), f"{where}{shown}: {reason}: {record.action}")


def _dry_run(
    options: Any, output: Output, source: Source, parts: Mapping[str, Any], messages: Mapping[str, Any]
) -> int:
    """Reads all of it, makes each message, sends none."""
    for part in parts.values():
        # Credentials are read, too: a wrong file is told before the night.
        _services.client(part).close()
    counts: Counter[str] = Counter()
    sample: dict[str, Any] | None = None
    with campaign.Rehearsal(parts, options.duplicates) as rehearsal:
        for row in source:
            verdict, why = rehearsal.judge(row, lambda service, one: _rehearse(parts[service], messages[service], one))
            counts[verdict] += 1
            line = row.line
            if verdict == "refused":
                text = row.text if isinstance(row, BadRow) else row.target
                output.record({"line": line, "result": "refused", "reason": why}, f"line {line} {text[:24]}: {why}")
            elif verdict == "ready" and sample is None and isinstance(row, Row):
                service = rehearsal.service_of(row)
                sample = {"line": line, "service": service, "target": row.target,
                          "message": _sample(parts[service], messages[service], row)}  # fmt: skip
            if options.limit is not None and counts["ready"] >= options.limit:
                break
    if sample is not None:
        output.record({"sample": sample}, f"sample: {json.dumps(sample, ensure_ascii=False)}")
    if output.json:
        output.record({"summary": {"dry_run": True, "counts": dict(counts)}})
    output.note("dry run: nothing was sent.  " + "  ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    return Status.REFUSED if counts["refused"] else Status.ACCEPTED


def _rehearse(part: Any, message: Any, row: Row) -> Any:
    if callable(message):
        return message(row)
    target = _target(part)(row.target)
    return message.to(target)


def _sample(part: Any, message: Any, row: Row) -> Any:
    """What would be sent, for a person to look at."""
    made = _rehearse(part, message, row)
    payload = getattr(made, "payload", None)
    if isinstance(payload, bytes):
        payload = payload.decode("utf-8", "replace")
    if isinstance(payload, str):
        with contextlib.suppress(ValueError):
            payload = json.loads(payload)
    return payload if payload is not None else repr(made)
