"""`pushcore results`: what a campaign knows of each row, filtered and exported."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from ..campaign import Record, Results, export, is_certain_deletion
from ..campaign.results import as_dict, write_csv
from ._grammar import FILE, argument, command, option
from ._output import Output


def add(top: click.Group) -> None:
    """The command's grammar."""
    command(
        top,
        "results",
        _run,
        [
            argument("file", type=FILE),
            option("--result", multiple=True, metavar="NAME",
                   help="only rows that stand so: accepted, token_gone, retry_later, unknown, refused, waiting, ..."),
            option("--not-accepted", is_flag=True, help="only rows that were not accepted"),
            option("--service", "of_service", help="only rows of this service",
                   choices=["apns", "fcm", "webpush", "adm", "baidu"]),
            option("--delete", is_flag=True,
                   help="only the tokens to delete, one a line: certain ones, none while a mix-up was suspected"),
            option("--replace", is_flag=True, help="only tokens that have a replacement: old, tab, new"),
            option("--export", type=FILE, metavar="FILE", help="write .csv or .jsonl in place of standard output"),
            option("--counts", is_flag=True, help="only how many rows stand how"),
        ],
        "Show, filter and export what a campaign knows of each row; also while it runs.",
        epilog="FILE is the journal (.db), or the .csv or .jsonl file that it lies beside.\n"
        "Texts in CSV that a spreadsheet would run begin with an apostrophe; JSON lines have them as they are.",
    )  # fmt: skip


def _run(options: Any, output: Output) -> int:
    with Results(options.file) as results:
        if options.counts:
            totals = dict(sorted(results.totals().items()))
            whole = {**totals, "complete": results.is_complete}
            output.record({"totals": totals, "complete": results.is_complete} if output.json else whole)
            return 0
        chosen = (record for record in results if _is_wanted(options, record))
        if options.export is not None:
            count = export(chosen, options.export)
            output.note(f"{count} rows in {options.export}")
            return 0
        _print(options, output, chosen)
    return 0


def _is_wanted(options: Any, record: Record) -> bool:
    if options.delete and not is_certain_deletion(record):
        return False
    if options.replace and not record.replacement:
        return False
    if options.result and record.result not in options.result:
        return False
    if options.of_service and record.service != options.of_service:
        return False
    return not (options.not_accepted and record.result == "accepted")


def _print(options: Any, output: Output, records: Iterator[Record]) -> None:
    if output.json:
        for record in records:
            output.record(as_dict(record))
    elif options.delete:
        for record in records:
            output.record({}, record.target)
    elif options.replace:
        for record in records:
            # A tab between them: neither may hold one.
            print(f"{record.target}\t{record.replacement}")
    else:
        write_csv(sys.stdout, records)
    sys.stdout.flush()
