"""The rows of a campaign out of CSV, JSON lines, a JSON array or plain lines; files, gzip, pipes.

A source is read once, from its beginning to its end, with bounded memory. A row that cannot be read is one `BadRow`,
wherever it stands; the rows after it are read.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import os
import pathlib
import stat
from collections import deque
from collections.abc import Iterator, Mapping
from typing import IO, Any, NamedTuple, Union, cast

__all__ = ["BadRow", "Row", "Source", "SourceError"]

#: Where the target stands unless told.
TARGETS = ("token", "device_token", "registration_token", "registration_id", "channel_id", "fid", "subscription",
           "endpoint")  # fmt: skip

#: The longest line and the largest JSON value, in characters. A message has 4 KiB at most.
_LONGEST = 1 << 20

#: How much of the source is looked at to tell its form, in bytes.
_LOOK = 65_536

#: A quoted field may hold line ends, but after so many lines a quote that is not closed is taken for a stray one.
_LINES_IN_A_FIELD = 100

_DELIMITERS = {",": "','", ";": "';'", "\t": "tab", "|": "'|'"}

#: The formats there are; `None` is: by what stands in it.
FORMATS = ("csv", "jsonl", "json", "lines")


class SourceError(ValueError):
    """The source as a whole cannot be used; nothing was sent."""


class Row(NamedTuple):
    """One row: where it stood, what it is sent to, and the columns that messages may use."""

    target: str
    line: int | None = None
    key: str | None = None
    service: str | None = None
    fields: Mapping[str, Any] | None = None


class BadRow(NamedTuple):
    """A row that cannot be read."""

    line: int
    reason: str
    text: str = ""


AnyRow = Union[Row, BadRow]  # noqa: UP007 - an alias is evaluated at run time, also by 3.10


class Source:
    """Rows of a file, or of standard input; iterate it once.

    `format`, `encoding` and `delimiter` are detected unless they are given; `description` names them.
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | IO[bytes],
        *,
        format: str | None = None,  # noqa: A002
        encoding: str | None = None,
        delimiter: str | None = None,
        column: str | None = None,
        key_column: str | None = None,
        service_column: str | None = None,
    ) -> None:
        """Opens it and looks at its beginning. Raises `SourceError` and `OSError`."""
        self.column, self.key_column, self.service_column = column, key_column, service_column
        name = ""
        if source == "-":
            # Not `sys.stdin.buffer`: a thread that waits in there at the end of the process is fatal to Python.
            raw: IO[bytes] = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115
        elif isinstance(source, (str, os.PathLike)):
            name = os.fspath(source)
            raw = open(source, "rb")  # noqa: SIM115
        else:
            raw = source
        self._raw = raw
        #: The size of a regular file in bytes; `None` for pipes.
        self.size: int | None = None
        try:
            status = os.fstat(raw.fileno())
            self.size = status.st_size if stat.S_ISREG(status.st_mode) else None
        except (OSError, AttributeError):
            pass
        self._counted = _Counted(raw)
        data: io.BufferedReader = io.BufferedReader(self._counted, _LOOK)
        packed = data.peek(2)[:2] == b"\x1f\x8b"
        if packed:
            data = io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=data)), _LOOK)
        try:
            look = _peek(data)
        except (OSError, EOFError) as error:
            raise SourceError(f"{name or 'the source'} cannot be unpacked: {error}") from error
        self.encoding = encoding or _encoding(look)
        try:
            codecs.lookup(self.encoding)
        except LookupError:
            raise SourceError(f"there is no encoding called {self.encoding!r}") from None
        # Bytes that are no text become lone surrogates: the row that holds them is refused, not the file.
        errors = "surrogateescape" if self.encoding.lower().replace("_", "-").startswith("utf-8") else "replace"
        self._text = io.TextIOWrapper(data, encoding=self.encoding, errors=errors, newline=None)
        beginning = codecs.decode(look, self.encoding, "replace").lstrip("\ufeff")
        suffixes = [suffix.lower() for suffix in pathlib.PurePath(name).suffixes]
        self.format = format or _format(beginning, suffixes)
        if self.format not in FORMATS:
            raise SourceError(f"there is no format {self.format!r}: {', '.join(FORMATS)}")
        self.delimiter = delimiter
        #: The columns of a CSV file; empty where rows have members of their own or none.
        self.columns: list[str] = []
        self._lines = _Lines(self._text)
        if self.format == "csv":
            self._read_header()
        details = [self.format]
        if self.delimiter is not None:
            details.append(f"delimiter {_DELIMITERS.get(self.delimiter, repr(self.delimiter))}")
        details.append(self.encoding.replace("utf-8-sig", "utf-8"))
        if packed:
            details.append("gzip")
        #: What the source was taken for: `csv, delimiter ';', utf-16`.
        self.description = ", ".join(details)

    @property
    def read(self) -> int:
        """How many bytes have been read of the file, as it lies on the disk."""
        return self._counted.count

    def close(self) -> None:
        """Lets go of the file."""
        self._raw.close()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[AnyRow]:
        rows = {"csv": self._csv, "jsonl": self._jsonl, "json": self._json, "lines": self._plain}[self.format]
        yield from rows()
        self.close()

    def has_column(self, name: str) -> bool:
        """Whether rows may have a column of this name: certain for CSV and lines, open for JSON."""
        return self.format in ("json", "jsonl") or _find(self.columns, name) is not None

    # CSV

    def _read_header(self) -> None:
        while True:
            number, line, whole = self._lines.next()
            if line is None:
                return
            if line.strip() and not line.startswith("#"):
                break
        if not whole:
            raise SourceError(f"line {number}: the header is longer than {_LONGEST} characters")
        if _broken(line):
            raise SourceError(f"line {number}: the header is not {self.encoding}: name the encoding with --encoding")
        if self.delimiter is None:
            self.delimiter = _delimiter(line)
        try:
            header = next(csv.reader([line], delimiter=self.delimiter, strict=True))
        except csv.Error as error:
            raise SourceError(f"line {number}: the header cannot be read: {error}") from None
        self.columns = [name.strip() for name in header]
        wanted = [self.column] if self.column else list(TARGETS)
        found = next((name for name in (_find(self.columns, one) for one in wanted) if name is not None), None)
        if found is None:
            there = ", ".join(self.columns)
            raise SourceError(
                f"there is no column {self.column or 'token'}; there are: {there}. Name one with --column"
            )
        self._target_at = self.columns.index(found)
        at = []
        for name in (self.key_column, self.service_column):
            one = None if name is None else _find(self.columns, name)
            if name is not None and one is None:
                raise SourceError(f"there is no column {name}; there are: {', '.join(self.columns)}")
            at.append(None if one is None else self.columns.index(one))
        self._key_at, self._service_at = at

    def _csv(self) -> Iterator[AnyRow]:
        if not self.columns:
            return
        delimiter, width = self.delimiter or ",", len(self.columns)
        lines = self._lines
        while True:
            number, line, whole = lines.next()
            if line is None:
                return
            if not whole:
                yield _too_long(number)
                continue
            if not line.strip():
                continue
            if '"' not in line:
                fields = line.split(delimiter)
            else:
                found = self._quoted(number, line, delimiter)
                if isinstance(found, BadRow):
                    yield found
                    continue
                fields = found
            if len(fields) != width:
                reason = f"{len(fields)} fields, where the header has {width}"
                yield BadRow(number, reason, _short(line))
                continue
            target = fields[self._target_at].strip()
            if not target:
                yield BadRow(number, f"the column {self.columns[self._target_at]} is empty", _short(line))
                continue
            if _broken(line) and any(map(_broken, fields)):
                yield self._no_text(number, line)
                continue
            key = None if self._key_at is None else fields[self._key_at]
            service = None if self._service_at is None else fields[self._service_at].strip()
            yield Row(target, number, key, service, dict(zip(self.columns, fields, strict=True)))

    def _quoted(self, number: int, line: str, delimiter: str) -> list[str] | BadRow:
        """The fields of a record with quotes, which may go on over several lines."""
        text = line
        taken: list[tuple[int, str | None, bool]] = []
        while text.count('"') % 2 and len(taken) < _LINES_IN_A_FIELD and len(text) < _LONGEST:
            follows = self._lines.next()
            if follows[1] is None:
                break
            taken.append(follows)
            if not follows[2]:
                break
            text += "\n" + follows[1]
        try:
            if text.count('"') % 2:
                raise csv.Error("a quote is opened and never closed")
            # The lines are put together again by the reader, which wants their ends.
            records = list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True))
            if len(records) != 1 or (taken and len(records[0]) != len(self.columns)):
                raise csv.Error("a quote stands where none may")
            return records[0]
        except csv.Error as error:
            # Only this line is given up: a stray quote must not swallow the lines after it.
            self._lines.put_back(taken)
            if not taken and "field larger" in str(error):
                return BadRow(number, "a field is too large", _short(line))
            return BadRow(number, f"not CSV: {error}", _short(line))

    # Others

    def _plain(self) -> Iterator[AnyRow]:
        while True:
            number, line, whole = self._lines.next()
            if line is None:
                return
            if not whole:
                yield _too_long(number)
                continue
            target = line.strip()
            if not target or target.startswith("#"):
                continue
            if _broken(target):
                yield self._no_text(number, line)
            else:
                yield Row(target, number)

    def _jsonl(self) -> Iterator[AnyRow]:
        while True:
            number, line, whole = self._lines.next()
            if line is None:
                return
            if not whole:
                yield _too_long(number)
            elif _broken(line):
                yield self._no_text(number, line)
            elif line.strip():
                try:
                    value = json.loads(line)
                except (ValueError, RecursionError) as error:
                    yield BadRow(number, f"not JSON: {error}", _short(line))
                    continue
                yield self._member(number, value)

    def _json(self) -> Iterator[AnyRow]:
        decoder = json.JSONDecoder()
        buffer, line, begun, ended = "", 1, False, False
        while True:
            # Small portions, because what is left of one is copied for each value.
            text = self._text.read(8192)
            buffer += text
            while True:
                stripped = buffer.lstrip("\ufeff \t\r\n" if not begun else " \t\r\n,")
                line += buffer[: len(buffer) - len(stripped)].count("\n")
                buffer = stripped
                if not begun and buffer:
                    if buffer[0] != "[":
                        raise SourceError("the JSON file is not an array")
                    buffer, begun = buffer[1:], True
                    continue
                if buffer.startswith("]"):
                    ended = True
                    break
                try:
                    value, end = decoder.raw_decode(buffer)
                except (ValueError, RecursionError) as error:
                    if text and len(buffer) < _LONGEST:
                        break
                    if buffer or not text:
                        yield BadRow(line, f"the array cannot be read from here on: {error}", _short(buffer))
                    return
                if end == len(buffer) and text and not buffer.endswith(("}", "]", '"')):
                    break
                if _broken(buffer[:end]):
                    yield self._no_text(line, buffer[:end])
                else:
                    yield self._member(line, value)
                line += buffer[:end].count("\n")
                buffer = buffer[end:]
            if ended or not text:
                if begun and not ended and not buffer:
                    yield BadRow(line, "the array has no end: the file was cut off")
                return

    def _member(self, number: int, value: Any) -> AnyRow:
        if isinstance(value, str):
            return Row(value.strip(), number) if value.strip() else BadRow(number, "an empty target")
        if not isinstance(value, dict):
            return BadRow(number, "neither a text nor an object", _short(json.dumps(value)))
        fields = cast("dict[str, Any]", value)
        wanted = [self.column] if self.column else list(TARGETS)
        name = next((one for one in (_find(fields, name) for name in wanted) if one is not None), None)
        if name is None:
            there = ", ".join(list(fields)[:20]) or "none"
            return BadRow(number, f"no member {self.column or 'token'}; there are: {there}", _short(json.dumps(value)))
        # A subscription is an object with an endpoint.
        target = fields if name == "endpoint" and self.column is None else fields[name]
        text = target.strip() if isinstance(target, str) else json.dumps(target) if target else ""
        if not text:
            return BadRow(number, f"the member {name} is empty", _short(json.dumps(value)))
        extra: list[str | None] = []
        for member in (self.key_column, self.service_column):
            found = None if member is None else _find(fields, member)
            if member is not None and found is None:
                return BadRow(number, f"no member {member}", _short(json.dumps(value)))
            content = None if found is None else fields[found]
            extra.append(content if content is None or isinstance(content, str) else json.dumps(content))
        return Row(text, number, extra[0], extra[1], fields)

    def _no_text(self, number: int, line: str) -> BadRow:
        return BadRow(number, f"not {self.encoding}: name the encoding with --encoding", _short(line))


class _Counted(io.RawIOBase):
    """Counts what is read."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw, self.count = raw, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        # `read1` hands out what a pipe holds and does not wait for more.
        read = getattr(self._raw, "read1", self._raw.read)
        data: bytes = read(len(buffer)) or b""
        while self.count == 0 and data and b"\n" not in data and len(data) < len(buffer):
            # The first look tells the form: it wants a whole line of what comes slowly.
            more = read(len(buffer) - len(data))
            if not more:
                break
            data += more
        buffer[: len(data)] = data
        self.count += len(data)
        return len(data)


class _Lines:
    """Lines with their numbers, none of them longer than `_LONGEST`."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text, self._number = text, 0
        self._back: deque[tuple[int, str | None, bool]] = deque()

    def next(self) -> tuple[int, str | None, bool]:
        """The number of a line, its text without its end (`None` after the last one), and whether that is all of it."""
        if self._back:
            return self._back.popleft()
        line = self._text.readline(_LONGEST)
        if not line:
            return self._number, None, True
        self._number += 1
        if line[-1] == "\n":
            line = line[:-1]
        elif len(line) >= _LONGEST:
            number = self._number
            while (rest := self._text.readline(_LONGEST)) and rest[-1] != "\n":
                pass
            return number, line[:100], False
        return self._number, line.lstrip("\ufeff") if self._number == 1 else line, True

    def put_back(self, lines: list[tuple[int, str | None, bool]]) -> None:
        """These come again."""
        self._back.extendleft(reversed(lines))


def _peek(data: io.BufferedReader) -> bytes:
    """The beginning of the data, which stays there. A pipe that is written slowly may show less."""
    return data.peek(_LOOK)[:_LOOK]


def _encoding(look: bytes) -> str:
    if look.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if look.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if look.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    some = look[:1024]
    # ASCII in UTF-16 has a zero in every second byte.
    if len(some) >= 4:
        if some[1::2].count(0) > len(some) // 4 and not some[::2].count(0):
            return "utf-16-le"
        if some[::2].count(0) > len(some) // 4 and not some[1::2].count(0):
            return "utf-16-be"
    return "utf-8"


def _format(beginning: str, suffixes: list[str]) -> str:
    for suffix in reversed(suffixes):
        if suffix in (".csv", ".tsv", ".tab"):
            return "csv"
        if suffix in (".jsonl", ".ndjson"):
            return "jsonl"
    lines = [line for line in beginning.splitlines() if line.strip() and not line.startswith("#")]
    first = lines[0].strip() if lines else ""
    if first.startswith("["):
        # An array as a file has one; a line that is a whole array is a mistake that is told by its line.
        return "json"
    if first.startswith(("{", '"')):
        return "jsonl" if not first.startswith('"') or ".jsonl" in suffixes or _is_json(first) else "csv"
    names = {name.strip().strip('"').lower() for name in first.split(_delimiter(first))}
    return "csv" if names & set(TARGETS) else "lines"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _delimiter(header: str) -> str:
    """The delimiter under which the header holds a known name, or else the most frequent one."""
    for one in _DELIMITERS:
        names = {name.strip().strip('"').lower() for name in header.split(one)}
        if len(names) > 1 and names & set(TARGETS):
            return one
    return max(_DELIMITERS, key=header.count) if any(one in header for one in _DELIMITERS) else ","


def _find(names: Any, wanted: str) -> str | None:
    """The name as it stands there: spelled so, or in other capitals."""
    if wanted in names:
        return wanted
    lower = wanted.lower()
    return next((name for name in names if isinstance(name, str) and name.strip().lower() == lower), None)


def _broken(text: str) -> bool:
    """Whether it holds bytes that were no text, or a character that stands for them."""
    if text.isascii():
        return False
    return "\ufffd" in text or any("\ud800" <= letter <= "\udfff" for letter in text)


def _short(text: str) -> str:
    text = text.encode("utf-8", "replace").decode("utf-8", "replace")
    return text if len(text) <= 60 else text[:57] + "..."


def _too_long(number: int) -> BadRow:
    return BadRow(number, f"the line is longer than {_LONGEST} characters")
