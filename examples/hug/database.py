"""The database file: its tables, and how each thread of each worker opens it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator

SCHEMA = """
-- Keys of the back ends that call us: an access key id, a project's token, an app's private key.
CREATE TABLE IF NOT EXISTS accounts (
    system TEXT NOT NULL, name TEXT NOT NULL, secret TEXT, app TEXT, PRIMARY KEY (system, name)
) WITHOUT ROWID;

-- A device or a browser's subscription. `who` is the logical user: one user has many devices, of any service.
CREATE TABLE IF NOT EXISTS devices (
    id INTEGER PRIMARY KEY AUTOINCREMENT, system TEXT NOT NULL, app TEXT NOT NULL, key TEXT NOT NULL,
    service TEXT NOT NULL, environment TEXT NOT NULL DEFAULT '', target TEXT NOT NULL, who TEXT,
    tags TEXT NOT NULL DEFAULT '[]', fields TEXT NOT NULL DEFAULT '{}', registered REAL NOT NULL,
    dead REAL, reason TEXT, UNIQUE (system, app, key)
);
CREATE INDEX IF NOT EXISTS devices_of_user ON devices (system, app, who) WHERE who IS NOT NULL;
CREATE INDEX IF NOT EXISTS devices_of_app ON devices (system, app);
CREATE INDEX IF NOT EXISTS devices_of_target ON devices (target, service);

-- Whatever else a system keeps: projects, senders, endpoints' channels, remembered replies.
CREATE TABLE IF NOT EXISTS objects (
    system TEXT NOT NULL, kind TEXT NOT NULL, app TEXT NOT NULL, name TEXT NOT NULL,
    fields TEXT NOT NULL, made REAL NOT NULL, PRIMARY KEY (system, kind, app, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS numbers (kind TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;

-- Something to be sent when it is due: one or more messages, and either its targets or a selection of devices.
CREATE TABLE IF NOT EXISTS jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, system TEXT NOT NULL, app TEXT NOT NULL, key TEXT NOT NULL,
    due REAL NOT NULL, made REAL NOT NULL, state TEXT NOT NULL, selection TEXT, reached INTEGER NOT NULL DEFAULT 0,
    fields TEXT NOT NULL DEFAULT '{}', UNIQUE (system, app, key)
);
CREATE INDEX IF NOT EXISTS jobs_of_key ON jobs (system, key);
CREATE INDEX IF NOT EXISTS jobs_due ON jobs (due) WHERE state = 'waiting';
CREATE TABLE IF NOT EXISTS messages (
    job INTEGER NOT NULL REFERENCES jobs, number INTEGER NOT NULL, service TEXT NOT NULL,
    environment TEXT NOT NULL, form TEXT NOT NULL, PRIMARY KEY (job, number)
) WITHOUT ROWID;

-- One message to one target. `begun` is written before a byte is sent, the end after the answer.
CREATE TABLE IF NOT EXISTS sends (
    id INTEGER PRIMARY KEY, job INTEGER NOT NULL REFERENCES jobs, key TEXT NOT NULL, message INTEGER NOT NULL,
    target TEXT NOT NULL, device INTEGER, state TEXT NOT NULL DEFAULT 'waiting', not_before REAL NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0, owner TEXT, begun REAL, ended REAL, status INTEGER, reason TEXT,
    answer TEXT, UNIQUE (job, key)
);
CREATE INDEX IF NOT EXISTS sends_waiting ON sends (not_before, id) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS sends_begun ON sends (owner) WHERE state = 'begun';
CREATE INDEX IF NOT EXISTS sends_unknown ON sends (job) WHERE state = 'unknown';

-- The workers that are alive: what a worker has begun is its own until its lease is over.
CREATE TABLE IF NOT EXISTS leases (owner TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID;

-- What the workers count, summed up by /metrics.
CREATE TABLE IF NOT EXISTS counters (name TEXT NOT NULL, labels TEXT NOT NULL, value REAL NOT NULL,
    PRIMARY KEY (name, labels)) WITHOUT ROWID;
"""


class Database:
    """One file. Each thread has a connection of its own, and a process that was forked opens new ones."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._local = threading.local()
        with self.write() as db:
            for statement in SCHEMA.split(";\n"):
                db.execute(statement)

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection: for reading."""
        if getattr(self._local, "process", None) != os.getpid():
            # SQLite's locks do not survive a fork, so the parent's connection is left alone.
            connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            # FULL, because "begun" has to be on the disk before the push is on the wire.
            connection.execute("PRAGMA synchronous = FULL")
            self._local.connection, self._local.process = connection, os.getpid()
        found: sqlite3.Connection = self._local.connection
        return found

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that has the write lock from its start: all of it is written or nothing."""
        db = self.connection
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")

    def close(self) -> None:
        """Closes this thread's connection."""
        if getattr(self._local, "process", None) == os.getpid():
            self._local.connection.close()
            self._local.process = None
