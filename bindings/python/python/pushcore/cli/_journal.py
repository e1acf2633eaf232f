"""What has been begun and what has ended, so that a run can be interrupted at any point.

Beside the results file lies a journal: its first line names the message, then comes the number of
each row *before* it is handed to the client. A row that was begun and has no result may have been
sent: going on reports it as `unknown` and does not send it again, unless told to.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import hashlib
import json
import pathlib
from collections.abc import Iterator
from typing import IO, Any

from ._rows import Row

_COLUMNS = ("row", "target", "result", "status", "reason", "action", "id", "after", "replacement")
#: Certainly not processed: going on sends them again.
_SAFE = {"notsent", "expired", "cancelled"}
#: Options that do not change what is sent.
_NOT_THE_MESSAGE = {
    "run",
    "json",
    "results",
    "retry",
    "resend_unknown",
    "no_progress",
    "deadline",
    "ca",
    "proxy",
}

_UNKNOWN = {
    "result": "unknown",
    "status": None,
    "reason": "the run was killed before the answer came",
    "action": "it may have been shown; send again only if twice is better than never (--resend-unknown)",
    "id": None,
    "after": None,
    "replacement": None,
}


def fingerprint(options: argparse.Namespace) -> str:
    """Which message and input a results file belongs to. Holds no secret: it is a hash."""
    said = {name: str(value) for name, value in vars(options).items() if name not in _NOT_THE_MESSAGE}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


class Journal:
    """The results file and its journal; without a path, nothing at all."""

    def __init__(self, path: str | None, campaign: str, *, retry: bool, resend_unknown: bool) -> None:
        """Opens or goes on with the results at `path`."""
        self.path = None if path is None else pathlib.Path(path)
        self._done: dict[int, str] = {}
        self._left: set[int] = set()
        if self.path is None:
            return
        self._is_csv = self.path.suffix.lower() == ".csv"
        self._journal_path = self.path.with_name(self.path.name + ".journal")
        again = set(_SAFE)
        if retry:
            again.add("retry_later")
        if resend_unknown:
            again.add("unknown")
        fresh = not self.path.exists()
        if not fresh or self._journal_path.exists():
            self._resume(campaign, again, resend_unknown)
        self._results: IO[str] = self.path.open("a", encoding="utf-8", newline="", buffering=1)
        if not fresh and not self._ends_whole():
            self._results.write("\n")
        if self._is_csv:
            self._writer = csv.DictWriter(self._results, _COLUMNS)
            if fresh:
                self._writer.writeheader()
        # Unbuffered: a row must be on record before it is sent.
        self._journal = self._journal_path.open("ab", buffering=0)
        if self._journal.tell() == 0:
            self._journal.write(json.dumps({"campaign": campaign}).encode() + b"\n")
        self._campaign = campaign

    def _resume(self, campaign: str, again: set[str], resend_unknown: bool) -> None:
        assert self.path is not None
        if not self._journal_path.exists():
            raise ValueError(f"{self.path} exists and is not a results file of an unfinished run: name another")
        with self._journal_path.open(encoding="utf-8") as file:
            header = json.loads(file.readline() or "{}")
            if header.get("campaign") != campaign:
                raise ValueError(f"{self.path} belongs to another message or input: name another file")
            # A line that was cut short by a crash is a row that was not handed over.
            begun = {int(line) for line in file if line.endswith("\n")}
        last: dict[int, tuple[str, str]] = {}
        if self.path.exists():
            for record in self._read():
                last[int(record["row"])] = (record["target"], record["result"])
        for number, (target, result) in last.items():
            if result not in again:
                self._done[number] = target
        for number in sorted(begun - set(last)):
            if not resend_unknown:
                self._left.add(number)

    def _ends_whole(self) -> bool:
        assert self.path is not None
        with self.path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 1))
            return file.read() in (b"", b"\n")

    def _read(self) -> Iterator[dict[str, Any]]:
        assert self.path is not None
        with self.path.open(encoding="utf-8", newline="") as file:
            if self._is_csv:
                for record in csv.DictReader(file):
                    if record.get("replacement") is not None:
                        yield record
                return
            for line in file:
                # A crash may have cut one short.
                with contextlib.suppress(ValueError):
                    yield json.loads(line)

    def left_over(self, row: Row) -> dict[str, Any] | None:
        """The result of a row that an earlier run had begun and not ended."""
        return dict(_UNKNOWN) if row.number in self._left else None

    def is_done(self, row: Row) -> bool:
        """Whether an earlier run has dealt with it. Raises when the input has changed."""
        target = self._done.get(row.number)
        if target is None:
            return False
        if target and target != row.target:
            raise ValueError(f"row {row.number} holds another target than before: the input has changed")
        return True

    def begin(self, row: Row) -> None:
        """It is about to be handed over."""
        if self.path is not None:
            self._journal.write(b"%d\n" % row.number)

    def end(self, record: dict[str, Any]) -> None:
        """Its result."""
        if self._is_csv:
            self._writer.writerow({name: record[name] for name in _COLUMNS})
        else:
            self._results.write(json.dumps(record, ensure_ascii=False) + "\n")

    def close(self, *, complete: bool) -> None:
        """`complete`: every row has a result, so the rows begun need not be remembered."""
        if self.path is None:
            return
        self._results.close()
        self._journal.close()
        if complete:
            self._journal_path.write_text(json.dumps({"campaign": self._campaign}) + "\n", encoding="utf-8")
