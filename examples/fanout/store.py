"""Where the rows end up: exactly one for each token, whatever was run twice.

A settled row is never replaced by an open one, so that a late second run of a chunk cannot
turn "accepted" into "send again".
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from sending import Job, Row


class RedisStore:
    """Rows in two hashes of Redis: workers on any machine write them while they send."""

    def __init__(self, redis: Any, job: str) -> None:
        self._redis = redis
        self._settled, self._open = f"fanout:{job}:settled", f"fanout:{job}:open"
        self._runs = f"fanout:{job}:runs"

    def put(self, rows: Iterable[Row]) -> None:
        """Writes rows."""
        with self._redis.pipeline(transaction=False) as pipe:
            for row in rows:
                pipe.hset(self._settled if row.settled else self._open, row.token, _dump(row))
            pipe.execute()

    def unsettled(self, tokens: list[str]) -> list[str]:
        """Those of `tokens` that still have to be sent."""
        found = self._redis.hmget(self._settled, tokens) if tokens else []
        return [token for token, row in zip(tokens, found, strict=True) if row is None]

    def begin(self, chunk: str) -> int:
        """Counts the runs of a chunk that have begun and not ended; returns how many began before."""
        return int(self._redis.hincrby(self._runs, chunk, 1)) - 1

    def end(self, chunk: str) -> None:
        """A run came to its end, whatever that was."""
        self._redis.hdel(self._runs, chunk)

    def rows(self) -> Iterator[Row]:
        """One row for each token that has any."""
        settled = self._redis.hgetall(self._settled)
        rows = {**self._redis.hgetall(self._open), **settled}
        return (_load(row) for row in rows.values())


class SqliteStore:
    """Rows in a file of the process that submits: for engines that hand back results."""

    def __init__(self, path: str, job: str) -> None:
        self._job = job
        self._db = sqlite3.connect(path)
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS results (job TEXT, token TEXT, settled INTEGER, row TEXT,"
            " PRIMARY KEY (job, token)) WITHOUT ROWID"
        )

    def put(self, rows: Iterable[Row]) -> None:
        """Writes rows, all or none."""
        with self._db:
            self._db.executemany(
                "INSERT INTO results VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
                " SET settled = excluded.settled, row = excluded.row"
                " WHERE excluded.settled >= results.settled",
                [(self._job, row.token, row.settled, _dump(row)) for row in rows],
            )

    def unsettled(self, tokens: list[str]) -> list[str]:
        """Those of `tokens` that still have to be sent."""
        query = "SELECT 1 FROM results WHERE job = ? AND token = ? AND settled"
        return [t for t in tokens if self._db.execute(query, (self._job, t)).fetchone() is None]

    def rows(self) -> Iterator[Row]:
        """One row for each token that has any."""
        query = "SELECT row FROM results WHERE job = ?"
        return (_load(row) for (row,) in self._db.execute(query, (self._job,)))

    def close(self) -> None:
        """Closes the file."""
        self._db.close()


def report(store: RedisStore | SqliteStore, job: Job, tokens: Iterable[str]) -> list[Row]:
    """What to do with each token of the job: every one exactly once, in order."""
    rows = {row.token: row for row in store.rows()}
    todo = "no result came back: send again with the same id"
    return [
        rows.get(token) or Row(token=token, id=str(job.id(token)), state="unknown", todo=todo, reason="Lost")
        for token in tokens
    ]


def summary(rows: Iterable[Row]) -> str:
    """The counts in one line."""
    counts = Counter(row.state for row in rows)
    return ", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "no tokens"


def _dump(row: Row) -> str:
    return json.dumps(dataclasses.asdict(row))


def _load(text: str | bytes) -> Row:
    return Row(**json.loads(text))
