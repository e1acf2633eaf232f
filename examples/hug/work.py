"""Work that is due: claimed by one worker, written down before it is sent, ended after.

Workers are processes on one machine that share a database file. Each has a name (its *owner*) and a lease, which it
renews while it lives. A send goes `waiting` -> `begun` -> its end. What a worker has begun when it is killed becomes
`unknown` as soon as its lease is over: the service may have taken it, so it is never sent again by itself.
"""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from database import Database

#: Devices that one transaction looks at when a selection is turned into sends.
STEP = 1000
#: Attempts at a send whose service asks to wait, or that was certainly not processed.
ATTEMPTS = 5
#: States in which nothing is left to do by itself.
FINAL = ("accepted", "token_gone", "token_mismatch", "fix_credentials", "rejected", "failed", "cancelled", "expired")


@dataclasses.dataclass(frozen=True)
class Message:
    """A message of a job, in pushcore's form; a template where the targets are the devices'."""

    service: str
    environment: str
    form: str


@dataclasses.dataclass(frozen=True)
class Send:
    """One message to one target, claimed."""

    id: int
    job: int
    key: str
    target: str
    message: Message
    device: int | None = None
    attempts: int = 1


@dataclasses.dataclass(frozen=True)
class End:
    """How a send ended. `later` is when to try again; `None` means never."""

    id: int
    state: str
    status: int | None = None
    reason: str | None = None
    later: float | None = None
    answer: str | None = None


class Work:
    """The jobs of one database, as one worker sees them."""

    def __init__(
        self,
        database: Database,
        *,
        lease: float = 10.0,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        chosen: Callable[[Mapping[str, Any], Mapping[str, Any]], bool] | None = None,
    ) -> None:
        """`chosen(selection, device)` decides whether a device belongs to a selection; `lease` is in seconds."""
        self._database, self._lease, self._clock, self._monotonic = database, lease, clock, monotonic
        self._chosen = chosen or (lambda selection, device: True)
        self.owner = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._renewed = float("-inf")

    # The lease.

    def renew(self) -> None:
        """Says that this worker lives. Called every third of a lease."""
        at = self._monotonic()
        with self._database.write() as db:
            db.execute("INSERT OR REPLACE INTO leases VALUES (?, ?)", (self.owner, self._clock() + self._lease))
        # Counted from before the write, because a slow disk must not make the lease seem longer here than it is there.
        self._renewed = at

    def holds_lease(self) -> bool:
        """Whether nobody else can take this worker for dead yet, with a third of the lease to spare."""
        return self._monotonic() - self._renewed < self._lease * 2 / 3

    def resign(self) -> None:
        """Gives the lease back: what is still begun is unknown from now on."""
        with self._database.write() as db:
            db.execute("DELETE FROM leases WHERE owner = ?", (self.owner,))
        self._renewed = float("-inf")
        self.sweep()

    def sweep(self) -> int:
        """Turns what dead workers had begun into `unknown`; returns their number."""
        now = self._clock()
        orphan = "state = 'begun' AND owner NOT IN (SELECT owner FROM leases WHERE until >= ?)"
        if self._database.connection.execute(f"SELECT 1 FROM sends WHERE {orphan}", (now,)).fetchone() is None:
            return 0
        with self._database.write() as db:
            changed = db.execute(f"UPDATE sends SET state = 'unknown', ended = ? WHERE {orphan}", (now, now)).rowcount
            db.execute("DELETE FROM leases WHERE until < ?", (now - 60 * self._lease,))
        return changed

    # Jobs.

    def add(
        self,
        system: str,
        app: str,
        key: str,
        messages: Iterable[Message],
        *,
        targets: Iterable[tuple[str, int, str, int | None]] = (),
        selection: Mapping[str, Any] | None = None,
        due: float | None = None,
        fields: Mapping[str, Any] | None = None,
        begun: bool = False,
    ) -> int:
        """Writes a job down; returns its number, that of the first one where `key` was there before.

        `targets` are `(key, number of the message, target, device)`. A `selection` is run over the devices when the job
        is due. With `begun` the targets are this worker's own from the start: for requests that are answered at once.
        """
        now = self._clock()
        state = "waiting" if selection is not None else "spread"
        with self._database.write() as db:
            old = db.execute(
                "SELECT id FROM jobs WHERE system = ? AND app = ? AND key = ?", (system, app, key)
            ).fetchone()
            if old is not None:
                return int(old["id"])
            when = now if due is None else due
            job = db.execute(
                "INSERT INTO jobs (system, app, key, due, made, state, selection, fields)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (system, app, key, when, now, state, _text(selection), _text(fields or {})),
            ).lastrowid
            assert job is not None
            db.executemany(
                "INSERT INTO messages VALUES (?, ?, ?, ?, ?)",
                [(job, number, one.service, one.environment, one.form) for number, one in enumerate(messages)],
            )
            db.executemany(
                "INSERT INTO sends (job, key, message, target, device, state, not_before, owner, begun, attempts)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (job, name, number, target, device, *self._start(begun, when, now))
                    for name, number, target, device in targets
                ],
            )
        return job

    def _start(self, begun: bool, due: float, now: float) -> tuple[Any, ...]:
        return ("begun", due, self.owner, now, 1) if begun else ("waiting", due, None, None, 0)

    def job(self, system: str, key: str) -> int | None:
        """The number of the job of that key."""
        row = self._database.connection.execute(
            "SELECT id FROM jobs WHERE system = ? AND key = ? ORDER BY id DESC LIMIT 1", (system, key)
        ).fetchone()
        return None if row is None else int(row["id"])

    def cancel(self, job: int) -> bool:
        """Takes back what has not begun; whether there is such a job."""
        with self._database.write() as db:
            found = db.execute("UPDATE jobs SET state = 'cancelled' WHERE id = ?", (job,)).rowcount
            db.execute(
                "UPDATE sends SET state = 'cancelled', ended = ? WHERE job = ? AND state = 'waiting'",
                (self._clock(), job),
            )
        return found > 0

    def spread(self) -> bool:
        """Turns the next part of a due selection into sends; whether there was any.

        The part and the place that was reached are one transaction, so a kill neither loses nor doubles a device.
        """
        now = self._clock()
        due = "SELECT * FROM jobs WHERE state = 'waiting' AND due <= ? ORDER BY due, id LIMIT 1"
        if self._database.connection.execute(due, (now,)).fetchone() is None:
            return False
        with self._database.write() as db:
            job = db.execute(due, (now,)).fetchone()
            if job is None:
                return False
            selection = json.loads(job["selection"])
            rows = db.execute(
                "SELECT * FROM devices WHERE id > ? AND system = ? AND app = ? AND dead IS NULL ORDER BY id LIMIT ?",
                (job["reached"], job["system"], job["app"], STEP),
            ).fetchall()
            messages = db.execute("SELECT * FROM messages WHERE job = ?", (job["id"],)).fetchall()
            new = [
                (job["id"], row["key"], number, row["target"], row["id"])
                for row in rows
                if (number := _number(messages, row)) is not None and self._chosen(selection, device(row))
            ]
            db.executemany(
                "INSERT OR IGNORE INTO sends (job, key, message, target, device) VALUES (?, ?, ?, ?, ?)", new
            )
            reached, state = (rows[-1]["id"], "waiting") if len(rows) == STEP else (job["reached"], "spread")
            db.execute("UPDATE jobs SET reached = ?, state = ? WHERE id = ?", (reached, state, job["id"]))
        return True

    def claim(self, most: int) -> list[Send]:
        """Takes up to `most` sends that are due, and writes down that they have begun."""
        now = self._clock()
        waiting = "state = 'waiting' AND not_before <= ?"
        if most < 1 or not self.holds_lease():
            return []
        if self._database.connection.execute(f"SELECT 1 FROM sends WHERE {waiting}", (now,)).fetchone() is None:
            return []
        with self._database.write() as db:
            rows = db.execute(
                "SELECT s.*, m.service, m.environment, m.form FROM (SELECT * FROM sends INDEXED BY sends_waiting"
                f" WHERE {waiting} ORDER BY not_before, id LIMIT ?) s"
                " JOIN messages m ON m.job = s.job AND m.number = s.message ORDER BY s.id",
                (now, most),
            ).fetchall()
            db.executemany(
                "UPDATE sends SET state = 'begun', owner = ?, begun = ?, attempts = attempts + 1 WHERE id = ?",
                [(self.owner, now, row["id"]) for row in rows],
            )
        return [_send(row, row["attempts"] + 1) for row in rows]

    def mine(self, job: int) -> list[Send]:
        """What `add(begun=True)` wrote down for this worker."""
        rows = self._database.connection.execute(
            "SELECT s.*, m.service, m.environment, m.form FROM sends s JOIN messages m ON m.job = s.job"
            " AND m.number = s.message WHERE s.job = ? AND s.state = 'begun' AND s.owner = ? ORDER BY s.id",
            (job, self.owner),
        )
        return [_send(row, row["attempts"]) for row in rows]

    def ended(self, ends: Iterable[End]) -> None:
        """Writes ends down.

        An end also replaces `unknown`, because a worker that was taken for dead and comes back knows better. Nothing
        replaces an end.
        """
        now = self._clock()
        rows = [
            (
                "waiting" if end.later is not None else end.state,
                end.later or 0,
                None if end.later is not None else now,
                end.status,
                end.reason,
                end.answer,
                end.id,
            )
            for end in ends
        ]
        if not rows:
            return
        with self._database.write() as db:
            db.executemany(
                "UPDATE sends SET state = ?, not_before = ?, ended = ?, status = ?, reason = ?, answer = ?"
                " WHERE id = ? AND state IN ('begun', 'unknown')",
                rows,
            )

    def release(self, ids: Iterable[int]) -> None:
        """Lets sends of this worker wait again of which no byte was sent."""
        with self._database.write() as db:
            db.executemany(
                "UPDATE sends SET state = 'waiting', owner = NULL, ended = NULL"
                " WHERE id = ? AND state IN ('begun', 'unknown') AND owner = ?",
                [(one, self.owner) for one in ids],
            )

    # What happened.

    def counts(self, job: int | None = None) -> Counter[str]:
        """How many sends are in which state."""
        where, values = ("WHERE job = ?", (job,)) if job is not None else ("", ())
        rows = self._database.connection.execute(f"SELECT state, count(*) n FROM sends {where} GROUP BY state", values)
        return Counter({row["state"]: row["n"] for row in rows})

    def ends(self, job: int) -> dict[str, dict[str, Any]]:
        """How each send of a job ended, by its key, in the words of a dialect; without what waits or is under way."""
        rows = self._database.connection.execute(
            "SELECT key, state, status, reason, answer FROM sends WHERE job = ? AND state NOT IN ('waiting', 'begun')",
            (job,),
        )
        return {row["key"]: _end(row) for row in rows}

    def is_over(self, job: int) -> bool:
        """Whether nothing of the job is left to begin or under way."""
        db = self._database.connection
        state = db.execute("SELECT state FROM jobs WHERE id = ?", (job,)).fetchone()
        open_ = db.execute("SELECT 1 FROM sends WHERE job = ? AND state IN ('waiting', 'begun')", (job,)).fetchone()
        return state is not None and state["state"] != "waiting" and open_ is None

    def unknown(self, job: int | None = None) -> list[dict[str, Any]]:
        """Every send that had begun when its worker was killed, oldest first."""
        where, values = ("AND job = ?", (job,)) if job is not None else ("", ())
        rows = self._database.connection.execute(
            f"SELECT id, job, key, target, begun, owner FROM sends WHERE state = 'unknown' {where} ORDER BY id", values
        )
        return [dict(row) for row in rows]

    def send_again(self, ids: Iterable[int]) -> int:
        """Lets unknown sends wait again: somebody's choice, because a service that took one takes it twice."""
        with self._database.write() as db:
            return db.executemany(
                "UPDATE sends SET state = 'waiting', not_before = 0, ended = NULL, owner = NULL"
                " WHERE id = ? AND state = 'unknown'",
                [(one,) for one in ids],
            ).rowcount


def device(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `devices` as a value: tags and fields read."""
    value = {name: row[name] for name in row.keys()}  # noqa: SIM118 (a sqlite3.Row iterates over its values)
    return {**value, "tags": json.loads(value["tags"]), "fields": json.loads(value["fields"])}


def _number(messages: list[Any], row: Mapping[str, Any]) -> int | None:
    """The message for a device; one that names no environment goes by any."""
    for message in messages:
        if message["service"] == row["service"] and row["environment"] in ("", message["environment"]):
            return int(message["number"])
    return None


def _end(row: Mapping[str, Any]) -> dict[str, Any]:
    failures = {"failed": 500, "unknown": 501, "expired": 502, "cancelled": 503}
    if row["state"] in failures:
        return {"outcome": "error", "error": failures[row["state"]], "text": row["reason"] or row["state"]}
    return {"outcome": row["state"], "status": row["status"] or 0, "reason": row["reason"], "id": row["answer"]}


def _send(row: Mapping[str, Any], attempts: int) -> Send:
    message = Message(row["service"], row["environment"], row["form"])
    return Send(row["id"], row["job"], row["key"], row["target"], message, row["device"], attempts)


def _text(value: Any) -> str | None:
    return None if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
