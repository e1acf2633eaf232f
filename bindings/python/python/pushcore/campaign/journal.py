"""The journal of a campaign: which row is waiting, handed over or ended, in one SQLite file.

A row is marked as handed over in a transaction that is on the disk *before* the client may write its bytes. So after
`kill -9` or a power cut the rows marked as handed over are those that may have been sent, and no others.

SQLite's rollback journal is used and not its write-ahead log, because then one file holds everything between two
transactions: a copy of it is whole, a truncated copy is noticed (the header counts the pages), and it works on file
systems that cannot share memory. `synchronous=FULL` waits for the disk at each commit.
"""

from __future__ import annotations

import contextlib
import enum
import hashlib
import json
import os
import pathlib
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ._lock import Busy, Lock

__all__ = ["Busy", "Journal", "JournalError", "Known", "Record", "State", "WriteError"]

#: "push" in ASCII: tells a journal from any other SQLite file.
_APPLICATION = 0x70757368
#: The version of the tables below.
_VERSION = 1

#: The page cache, in KiB: memory does not grow with the campaign.
_CACHE = 8192

#: How long a writer waits for somebody who reads, in seconds.
_PATIENCE = 60

#: Outcomes that say nothing about the row: it is sent again by the next run.
WAITING_OUTCOMES = frozenset({"fix_credentials", "not_sent", "expired", "cancelled"})


class State(enum.IntEnum):
    """Where a row is."""

    #: To be sent: never handed over, or certainly not processed.
    WAITING = 0
    #: Its bytes may have left, and no answer is known.
    HANDED_OVER = 1
    #: Its outcome is known.
    ENDED = 2


class JournalError(Exception):
    """The journal cannot be used: nothing was sent because of it."""


class WriteError(Exception):
    """The journal cannot be written any more: the disk is full, read-only or gone."""


class Record(NamedTuple):
    """One row with all that is known of it. The names are the columns of exports."""

    #: The line of the source where the row begins; `None` where the source has no lines.
    line: int | None
    #: The caller's own key; `None` where there is none.
    key: str | None
    service: str
    target: str
    #: `accepted`, `token_gone`, `retry_later`, `fix_credentials`, `rejected`, any later arm of `Outcome`; `refused`
    #: (never sent, the row or its message is wrong); `not_sent`, `expired`, `cancelled`, `unknown`; `waiting`.
    result: str
    #: The HTTP status; `None` without an answer.
    status: int | None
    #: The service's word and sentence, or why there is no answer.
    reason: str | None
    #: What to do, for a person.
    action: str | None
    #: The service's id of the message.
    id: str | None
    #: Since when a token is dead, in seconds since 1970.
    since: float | None
    #: How many seconds to wait at least before the row is sent again.
    after: float | None
    #: What has to wait: `message`, `device`, `topic`, `project` or `connection`.
    scope: str | None
    #: The token that takes this one's place.
    replacement: str | None
    #: Where the message lives at the push service (Web Push).
    location: str | None
    #: How often the row was handed over.
    attempts: int
    #: When the row ended, in seconds since 1970.
    time: float | None
    #: Whether a mix-up was suspected when the token was called dead: then it is to be kept.
    doubtful: bool


_SELECT = (
    "SELECT seq, line, key, service, target, CASE WHEN state = 1 THEN 'unknown' WHEN outcome IS NULL THEN 'waiting'"
    " ELSE outcome END, status, CASE WHEN state = 1 THEN ? ELSE reason END, CASE WHEN state = 1 THEN ? ELSE action END,"
    " id, since, after, scope, replacement, location, attempts, at, doubtful FROM rows"
)

_KILLED = "the run ended before the answer came"
_UNKNOWN_ACTION = "it may have been shown; send again only if twice is better than never (--resend-unknown)"

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE rows (
    seq INTEGER PRIMARY KEY, digest BLOB NOT NULL, state INTEGER NOT NULL, line INTEGER, key TEXT,
    service TEXT NOT NULL, target TEXT NOT NULL, outcome TEXT, status INTEGER, reason TEXT, action TEXT, id TEXT,
    since REAL, after REAL, scope TEXT, replacement TEXT, location TEXT, attempts INTEGER NOT NULL DEFAULT 0, at REAL,
    due REAL, tries INTEGER NOT NULL DEFAULT 0, doubtful INTEGER NOT NULL DEFAULT 0, fields TEXT, room BLOB
);
CREATE INDEX due ON rows (due) WHERE due IS NOT NULL;
"""

#: Kept free in a row that is handed over, so that its end finds room in the same page although the disk is full.
_ROOM = bytes(224)


class Known(NamedTuple):
    """A row that an earlier run has left in the journal."""

    seq: int
    state: State
    outcome: str | None
    #: When it may be sent again, in seconds since 1970; `None`: at once.
    ready: float | None


class End(NamedTuple):
    """The end of a row, ready to be written."""

    state: State
    #: `None`: nothing came of it, because it was taken back before a byte left.
    outcome: str | None
    status: int | None = None
    reason: str | None = None
    action: str | None = None
    id: str | None = None
    since: float | None = None
    after: float | None = None
    scope: str | None = None
    replacement: str | None = None
    location: str | None = None
    at: float | None = None
    due: float | None = None
    doubtful: bool = False


def digest(service: str, target: str, occurrence: int = 1) -> bytes:
    """What a row is known by: its service and target, and which of several equal ones it is."""
    text = f"{service}\0{target}" if occurrence == 1 else f"{service}\0{target}\0{occurrence}"
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=12).digest()


class Journal:
    """The journal at a path, or a temporary one; one writer at a time."""

    def __init__(self, path: str | os.PathLike[str] | None, identity: Mapping[str, object]) -> None:
        """Opens or makes the journal of the campaign that `identity` describes.

        Raises `Busy` while another process writes to it, and `JournalError` when it is damaged, of another version, or
        of another campaign.
        """
        self.path = None if path is None else pathlib.Path(path)
        self._lock: Lock | None = None
        self._seen = sqlite3.connect("", isolation_level=None)
        if self.path is None:
            # The empty name is a private file that SQLite removes.
            self._database = sqlite3.connect("", isolation_level=None)
        else:
            self._database = self._open(self.path, identity)
        try:
            self._prepare(identity)
        except BaseException:
            self.close()
            raise

    def _open(self, path: pathlib.Path, identity: Mapping[str, object]) -> sqlite3.Connection:
        try:
            self._lock = Lock(path)
            if not path.exists():
                self._create(path, identity)
            elif path.stat().st_size == 0:
                # Not a new journal: that appears under its name when it has its tables.
                raise JournalError(
                    f"{path} is empty: a journal that was cut off knows no more what was sent. Bring it back from"
                    " a copy, or remove the file to begin a new campaign"
                )
            os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
        except OSError as error:
            self._release()
            raise JournalError(f"the journal {path} cannot be written: {error.strerror}") from error
        except BaseException:
            self._release()
            raise
        return sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)

    @staticmethod
    def _create(path: pathlib.Path, identity: Mapping[str, object]) -> None:
        """Makes a journal that is whole before it has its name."""
        new = path.with_name(path.name + ".new")
        new.unlink(missing_ok=True)
        # Nobody else may read targets and keys, whatever the umask says.
        os.close(os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        database = sqlite3.connect(new, isolation_level=None)
        try:
            _make(database, identity)
        except sqlite3.OperationalError as error:
            new.unlink(missing_ok=True)
            raise JournalError(f"the journal {path} cannot be written: {_told(error)}") from error
        finally:
            database.close()
        os.replace(new, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _prepare(self, identity: Mapping[str, object]) -> None:
        run = self._database.execute
        try:
            if self.path is None:
                run("PRAGMA journal_mode=OFF")
            else:
                self._check()
                # The file is kept between transactions: there is room for the next one although the disk is full.
                run("PRAGMA journal_mode=PERSIST")
                run("PRAGMA synchronous=FULL")
            run(f"PRAGMA cache_size=-{_CACHE}")
            run("PRAGMA temp_store=FILE")
            new = run("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
            if new:
                _make(self._database, identity)
            else:
                self._compare(identity)
        except sqlite3.DatabaseError as error:
            raise JournalError(self._explain(error)) from error
        seen = self._seen.execute
        seen("PRAGMA journal_mode=OFF")
        seen("PRAGMA synchronous=OFF")
        seen(f"PRAGMA cache_size=-{_CACHE}")
        seen(
            "CREATE TABLE seen (digest BLOB PRIMARY KEY, seq INTEGER NOT NULL, here INTEGER NOT NULL,"
            " count INTEGER NOT NULL) WITHOUT ROWID"
        )
        seen("BEGIN")
        # One cursor for what is asked for each row.
        self._cursor = self._seen.cursor()
        if not new:
            self._begin_again()
        self._next = (run("SELECT max(seq) FROM rows").fetchone()[0] or 0) + 1

    def _check(self) -> None:
        """Whether it is a journal of ours, and whole."""
        run = self._database.execute
        if run("PRAGMA application_id").fetchone()[0] != _APPLICATION:
            raise JournalError(f"{self.path} is not a journal of pushcore: name another file")
        version = run("PRAGMA user_version").fetchone()[0]
        if version != _VERSION:
            raise JournalError(
                f"{self.path} was written by another version of pushcore (tables {version}, this one knows {_VERSION}):"
                " finish the campaign with that version, or name another file"
            )
        found = run("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise JournalError(f"{self.path} is damaged ({found}): nothing was sent; bring it back from a copy")

    def _explain(self, error: sqlite3.DatabaseError) -> str:
        text = str(error)
        if "malformed" in text or "not a database" in text:
            return f"{self.path} is damaged or no journal ({text}): nothing was sent; bring it back from a copy"
        return f"the journal {self.path} cannot be used: {text}"

    def _compare(self, identity: Mapping[str, object]) -> None:
        found = self._database.execute("SELECT value FROM meta WHERE name = 'identity'").fetchone()
        before: dict[str, object] = json.loads(found[0]) if found else {}
        now: dict[str, object] = json.loads(_canonical(identity))
        if before != now:
            names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
            raise JournalError(
                f"{self.path} belongs to another message ({', '.join(names)} differ): name another results file,"
                " or give the message of before"
            )

    def _begin_again(self) -> None:
        """Takes up what earlier runs have left."""
        with self._transaction():
            # What could not be read is looked at again: the line may have been mended.
            self._database.execute("DELETE FROM rows WHERE outcome = 'refused'")
            self._database.execute(
                "UPDATE rows SET state = 2, outcome = 'unknown', reason = ?, action = ? WHERE state = 1",
                (_KILLED, _UNKNOWN_ACTION),
            )
            self._database.execute("UPDATE rows SET due = NULL, tries = 0 WHERE due IS NOT NULL")
            self._database.execute("DELETE FROM meta WHERE name = 'complete'")
        # Sorted by SQLite, because a table that is filled in order costs a tenth.
        rows = self._database.execute("SELECT digest, seq FROM rows ORDER BY digest")
        while chunk := rows.fetchmany(10_000):
            self._seen.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?, 0, 0)", chunk)

    # Rows

    def meet(self, key: bytes) -> tuple[Known | None, int]:
        """Notes that the source holds this row; what is known of it, and how often it came in this run."""
        seen = self._cursor
        if seen.execute("INSERT OR IGNORE INTO seen VALUES (?, -1, 1, 1)", (key,)).rowcount == 1:
            return None, 1
        seq, here, count = seen.execute("SELECT seq, here, count FROM seen WHERE digest = ?", (key,)).fetchone()
        seen.execute("UPDATE seen SET here = 1, count = count + 1 WHERE digest = ?", (key,))
        if here:
            return None, count + 1
        found = self._database.execute(
            "SELECT seq, state, outcome, at + after FROM rows WHERE seq = ?", (seq,)
        ).fetchone()
        if found is None:
            return None, 1
        return Known(found[0], State(found[1]), found[2], found[3]), 1

    def write(
        self,
        ends: Iterable[tuple[int, End]],
        begun: Sequence[tuple[int | None, bytes, int | None, str | None, str, str, str | None]] = (),
        refused: Sequence[tuple[bytes, int | None, str | None, str, str, str]] = (),
    ) -> list[int]:
        """One transaction: rows that have ended, rows that are handed over now, rows that cannot be sent.

        `begun` holds `(seq or None, digest, line, key, service, target, fields)`; the numbers of these rows are
        returned, in order. Raises `WriteError`, and then nothing of it was written.
        """
        numbers: list[int] = []
        with self._transaction():
            run = self._database
            run.executemany(
                "UPDATE rows SET state = ?, outcome = ?, status = ?, reason = ?, action = ?, id = ?, since = ?,"
                " after = ?, scope = ?, replacement = ?, location = ?, at = ?, due = ?, doubtful = ?, room = NULL"
                " WHERE seq = ?",
                [(*end, seq) for seq, end in ends],
            )
            fresh: list[tuple[Any, ...]] = []
            again: list[tuple[Any, ...]] = []
            following = self._next
            for seq, key, line, own, service, target, fields in begun:
                if seq is None:
                    seq, following = following, following + 1
                    fresh.append((seq, key, line, own, service, target, fields, _ROOM))
                else:
                    again.append((line, _ROOM, seq))
                numbers.append(seq)
            if fresh:
                run.executemany(
                    "INSERT INTO rows (seq, digest, state, line, key, service, target, attempts, tries, fields, room)"
                    " VALUES (?, ?, 1, ?, ?, ?, ?, 1, 1, ?, ?)",
                    fresh,
                )
            if again:
                run.executemany(
                    "UPDATE rows SET state = 1, outcome = NULL, status = NULL, reason = NULL, action = NULL,"
                    " after = NULL, scope = NULL, due = NULL, line = coalesce(?, line), attempts = attempts + 1,"
                    " tries = tries + 1, room = ? WHERE seq = ?",
                    again,
                )
            if refused:
                now = time.time()
                run.executemany(
                    "INSERT INTO rows (seq, digest, state, line, key, service, target, outcome, reason, action, at)"
                    " VALUES (?, ?, 2, ?, ?, ?, ?, 'refused', ?, 'mend the row, then run the same command again', ?)",
                    [(following + place, *row, now) for place, row in enumerate(refused)],
                )
                following += len(refused)
        # Only now, because a transaction that fails has used no number.
        self._next = following
        return numbers

    def due(self, now: float, room: int) -> list[tuple[int, int, int | None, str | None, str, str, str | None]]:
        """Rows that this run is to try again now: `(seq, tries, line, key, service, target, fields)`."""
        return self._database.execute(
            "SELECT seq, tries, line, key, service, target, fields FROM rows WHERE due <= ? AND state != 1"
            " ORDER BY due LIMIT ?",
            (now, room),
        ).fetchall()

    def next_due(self) -> float | None:
        """When the next of these rows is due; `None` when there is none."""
        found: float | None = self._database.execute(
            "SELECT min(due) FROM rows WHERE due IS NOT NULL AND state != 1"
        ).fetchone()[0]
        return found

    def put_off(self, seq: int, due: float) -> None:
        """This run is to try that row again, not before `due`."""
        with self._transaction():
            self._database.execute("UPDATE rows SET due = ?, tries = 0 WHERE seq = ?", (due, seq))

    def doubt(self, service: str, since: float, *, wait: bool) -> int:
        """A mix-up is suspected: tokens of `service` that were called dead since then are to be kept.

        With `wait` these rows wait for a mended configuration. Returns the number of rows.
        """
        with self._transaction():
            return self._database.execute(
                "UPDATE rows SET state = ?, doubtful = 1 WHERE service = ? AND state = 2 AND at >= ? AND outcome NOT IN"
                " ('accepted', 'unknown', 'retry_later', 'refused', 'rejected')",
                (State.WAITING if wait else State.ENDED, service, since),
            ).rowcount

    def finish(self) -> None:
        """The source was read to its end."""
        with self._transaction():
            self._database.execute("INSERT OR REPLACE INTO meta VALUES ('complete', '1')")

    def totals(self) -> Counter[str]:
        """How many rows stand how, over all runs."""
        return Counter(dict(_totals(self._database)))

    def records(self) -> Iterator[Record]:
        """Every row, in the order of the source."""
        return _records(self._database)

    def _transaction(self) -> _Transaction:
        return _Transaction(self._database)

    def close(self) -> None:
        """Lets go of the files."""
        try:
            if self.path is not None:
                # With the last transaction on the disk there is one file again.
                self._database.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.DatabaseError:
            pass
        self._database.close()
        self._seen.close()
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None


class _Transaction:
    """All or nothing."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._run("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, _: object) -> None:
        if kind is None:
            self._run("COMMIT")
            return
        if self._database.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
        if isinstance(value, sqlite3.OperationalError):
            raise WriteError(_told(value)) from value

    def _run(self, statement: str) -> None:
        try:
            self._database.execute(statement)
        except sqlite3.OperationalError as error:
            if self._database.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self._database.execute("ROLLBACK")
            raise WriteError(_told(error)) from error


def _told(error: sqlite3.OperationalError) -> str:
    text = str(error)
    hint = {
        "disk I/O error": "the disk is full, too large a file, or gone",
        "unable to open database file": "its folder is gone or read-only",
        "attempt to write a readonly database": "the file or its disk is read-only, or was replaced",
    }.get(text)
    return text if hint is None else f"{text} ({hint})"


def _make(database: sqlite3.Connection, identity: Mapping[str, object]) -> None:
    """The tables of a new journal."""
    run = database.execute
    run(f"PRAGMA application_id={_APPLICATION}")
    run(f"PRAGMA user_version={_VERSION}")
    # One statement after the other, because `executescript` commits on its own.
    run("BEGIN IMMEDIATE")
    for statement in _SCHEMA.strip().split(";"):
        if statement.strip():
            run(statement)
    run("INSERT INTO meta VALUES ('identity', ?)", (_canonical(identity),))
    run("INSERT INTO meta VALUES ('begun', ?)", (str(time.time()),))
    run("COMMIT")


def _canonical(identity: Mapping[str, object]) -> str:
    return json.dumps(identity, sort_keys=True, ensure_ascii=False, default=str)


def read(path: str | os.PathLike[str]) -> sqlite3.Connection:
    """A journal for reading, also while a run writes to it. Raises `JournalError`."""
    path = pathlib.Path(path)
    if not path.exists():
        raise JournalError(f"{path} does not exist")
    # A run that was killed may have left a transaction to be rolled back, which takes the right to write.
    mode = "rw" if os.access(path, os.W_OK) and os.access(path.absolute().parent, os.W_OK) else "ro"
    try:
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=_PATIENCE)
        ours = database.execute("PRAGMA application_id").fetchone()[0] == _APPLICATION
        version = database.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise JournalError(f"{path} cannot be read: {error}") from error
    if not ours:
        database.close()
        raise JournalError(f"{path} is not a journal of pushcore")
    if version != _VERSION:
        database.close()
        raise JournalError(f"{path} was written by another version of pushcore (tables {version}, not {_VERSION})")
    return database


def is_complete(database: sqlite3.Connection) -> bool:
    """Whether the source was read to its end by the last run."""
    return database.execute("SELECT 1 FROM meta WHERE name = 'complete'").fetchone() is not None


def _totals(database: sqlite3.Connection) -> list[tuple[str, int]]:
    return database.execute(
        "SELECT CASE WHEN state = 0 THEN 'waiting' WHEN state = 1 THEN 'unknown' ELSE outcome END, count(*)"
        " FROM rows GROUP BY 1"
    ).fetchall()


def _records(database: sqlite3.Connection, chunk: int = 1000) -> Iterator[Record]:
    # In portions, because a reader that keeps its transaction open holds up the writer.
    after = 0
    while True:
        found = database.execute(
            f"{_SELECT} WHERE seq > ? ORDER BY seq LIMIT ?",
            (_KILLED, _UNKNOWN_ACTION, after, chunk),
        ).fetchall()
        if not found:
            return
        after = found[-1][0]
        for row in found:
            yield Record._make((*row[1:-1], bool(row[-1])))
