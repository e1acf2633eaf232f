"""Results of a campaign: filtered, and exported as CSV or JSON lines."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import pathlib
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from typing import IO, Any

from ._ends import clean
from .journal import JournalError, Record, _records, _totals, is_complete, read

__all__ = ["Results", "export", "is_certain_deletion", "journal_of", "safe_for_spreadsheets"]

#: A spreadsheet takes a text that begins like this for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Results:
    """The results in a journal, also while a run writes to it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Opens the journal, or that of an exported file. Raises `JournalError`."""
        self.path = journal_of(path)
        self._database: sqlite3.Connection = read(self.path)

    def __iter__(self) -> Iterator[Record]:
        try:
            yield from _records(self._database)
        except sqlite3.DatabaseError as error:
            raise JournalError(f"{self.path} cannot be read: {error}") from error

    def totals(self) -> Counter[str]:
        """How many rows stand how."""
        return Counter(dict(_totals(self._database)))

    @property
    def is_complete(self) -> bool:
        """Whether the source was read to its end by the last run."""
        return is_complete(self._database)

    def close(self) -> None:
        """Lets go of the file."""
        self._database.close()

    def __enter__(self) -> Results:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def journal_of(path: str | os.PathLike[str]) -> pathlib.Path:
    """The journal that belongs to a results file: itself for `.db`, else beside it with `.db` added."""
    path = pathlib.Path(path)
    return path if path.suffix.lower() in (".db", ".sqlite", ".sqlite3") else path.with_name(path.name + ".db")


def is_certain_deletion(record: Record) -> bool:
    """Whether the token is dead whatever is sent to it: never true while a mix-up is suspected."""
    return record.result == "token_gone" and not record.doubtful


def safe_for_spreadsheets(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would run it, and no control characters."""
    text = f"'{text}" if text.startswith(_FORMULA) else text
    return clean(text)


@contextlib.contextmanager
def replaced(path: pathlib.Path) -> Iterator[IO[str]]:
    """A file that takes the place of `path` when it is whole, readable by its owner alone."""
    # A name that nobody can guess, made with O_EXCL and mode 600.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def as_dict(record: Record) -> dict[str, Any]:
    """A record for JSON."""
    return record._asdict()


def write_csv(file: IO[str], records: Iterator[Record], *, header: bool = True) -> int:
    """Writes CSV; returns the number of rows."""
    writer = csv.writer(file, lineterminator="\n")
    if header:
        writer.writerow(Record._fields)
    count = 0
    for record in records:
        writer.writerow(_cell(value) for value in record)
        count += 1
    return count


def write_jsonl(file: IO[str], records: Iterator[Record]) -> int:
    """Writes JSON lines; returns the number of rows."""
    count = 0
    for record in records:
        file.write(json.dumps(as_dict(record), ensure_ascii=False) + "\n")
        count += 1
    return count


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else ""
    return safe_for_spreadsheets(value) if isinstance(value, str) else value


def export(
    records: Iterator[Record], path: str | os.PathLike[str], only: Callable[[Record], bool] = lambda _: True
) -> int:
    """Writes the records to a `.csv` or `.jsonl` file, which appears when it is whole; returns their number."""
    path = pathlib.Path(path)
    chosen = filter(only, records)
    with replaced(path) as file:
        return write_csv(file, chosen) if path.suffix.lower() in (".csv", ".tsv") else write_jsonl(file, chosen)
