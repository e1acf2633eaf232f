"""Targets out of CSV, JSON lines or plain lines, lazily."""

from __future__ import annotations

import csv
import io
import json
import pathlib
import sys
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

#: Where the target stands unless told.
_NAMES = ("token", "device_token", "registration_id", "channel_id", "subscription", "endpoint")


class Row(NamedTuple):
    """One target; numbers count from 1."""

    number: int
    target: str


def rows(source: str, kind: str | None, column: str | None) -> Iterator[Row]:
    """Every target of the file; `-` is standard input."""
    file: IO[str]
    if source == "-":
        file = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline="")
        kind = kind or "lines"
    else:
        path = pathlib.Path(source)
        known = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
        kind = kind or known.get(path.suffix.lower(), "lines")
        file = path.open(encoding="utf-8-sig", newline="")
    number = 0
    with file:
        for target in _READERS[kind](file, column):
            number += 1
            yield Row(number, target)


def _lines(file: IO[str], _: str | None) -> Iterator[str]:
    for line in file:
        text = line.strip()
        if text and not text.startswith("#"):
            yield text


def _csv(file: IO[str], column: str | None) -> Iterator[str]:
    reader = csv.DictReader(file)
    names = reader.fieldnames or []
    wanted = column or next((name for name in _NAMES if name in names), None)
    if wanted not in names:
        raise ValueError(f"the CSV file has no column {column or 'token'}: name it with --column")
    for record in reader:
        text = record.get(wanted) or ""
        if text.strip():
            yield text.strip()


def _jsonl(file: IO[str], column: str | None) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            value: Any = json.loads(line)
        except ValueError as error:
            raise ValueError(f"line {number} is not JSON: {error}") from None
        if isinstance(value, dict):
            wanted = column or next((name for name in _NAMES if name in value), None)
            if wanted is None or wanted not in value:
                raise ValueError(f"line {number} has no member {column or 'token'}: name it with --column")
            # A subscription is an object with an endpoint.
            value = value if wanted == "endpoint" else value[wanted]
        yield value if isinstance(value, str) else json.dumps(value)


_READERS = {"lines": _lines, "csv": _csv, "jsonl": _jsonl}
