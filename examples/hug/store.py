"""What the systems' clients register: devices, subscriptions, users, keys; and what services say of dead tokens."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from database import Database
from pushcore.dialect import token_digest
from work import device as _device

#: Where idempotency keys are; in full, because the table is found by these columns in this order.
_CLAIMS = "system = '' AND kind = 'claim' AND app = ''"


class Store:
    """Devices of logical users, whatever service each is reached by."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    # Devices.

    def register(
        self,
        system: str,
        app: str,
        key: str,
        *,
        service: str,
        target: str,
        environment: str = "",
        who: str | None = None,
        tags: Iterable[str] = (),
        fields: Mapping[str, Any] | None = None,
    ) -> int:
        """Writes a device down, in place of the one of the same key; returns its number.

        A device that was dead lives again with this: its app has just spoken.
        """
        values = (service, environment, target, who, _json(list(tags)), _json(dict(fields or {})), self._clock())
        with self._database.write() as db:
            db.execute(
                "INSERT INTO devices (service, environment, target, who, tags, fields, registered, system, app, key)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (system, app, key) DO UPDATE SET"
                " service = excluded.service, environment = excluded.environment, target = excluded.target,"
                " who = excluded.who, tags = excluded.tags, fields = excluded.fields,"
                " registered = excluded.registered, dead = NULL, reason = NULL",
                (*values, system, app, key),
            )
            row = db.execute(
                "SELECT id FROM devices WHERE system = ? AND app = ? AND key = ?", (system, app, key)
            ).fetchone()
        return int(row["id"])

    def device(self, system: str, app: str, key: str) -> dict[str, Any] | None:
        """The living device of that key."""
        row = self._database.connection.execute(
            "SELECT * FROM devices WHERE system = ? AND app = ? AND key = ? AND dead IS NULL", (system, app, key)
        ).fetchone()
        return None if row is None else _device(row)

    def devices(self, system: str, app: str | None = None, *, who: str | None = None) -> list[dict[str, Any]]:
        """The living devices of an app, or those of one of its users, in the order in which they came."""
        where, values = "system = ? AND dead IS NULL", [system]
        for column, value in (("app", app), ("who", who)):
            if value is not None:
                where += f" AND {column} = ?"
                values.append(value)
        rows = self._database.connection.execute(f"SELECT * FROM devices WHERE {where} ORDER BY id", values)
        return [_device(row) for row in rows]

    def by_id(self, device: int) -> dict[str, Any] | None:
        """The device of that number, dead or alive."""
        row = self._database.connection.execute("SELECT * FROM devices WHERE id = ?", (device,)).fetchone()
        return None if row is None else _device(row)

    def by_target(self, target: str) -> dict[str, Any] | None:
        """The living device with that token, of whichever system: what its service and its user are."""
        row = self._database.connection.execute(
            "SELECT * FROM devices WHERE target = ? AND dead IS NULL ORDER BY registered DESC, id DESC LIMIT 1",
            (target,),
        ).fetchone()
        return None if row is None else _device(row)

    def forget(self, system: str, app: str, key: str) -> bool:
        """Deletes a device; whether there was one."""
        with self._database.write() as db:
            return (
                db.execute("DELETE FROM devices WHERE system = ? AND app = ? AND key = ?", (system, app, key)).rowcount
                > 0
            )

    # Feedback: what a service said of a token.

    def is_dead(self, service: str, target: str, reason: str | None, since: float | None = None) -> int:
        """No system sends to that token again, but for a registration that is younger than `since`."""
        newest = self._clock() if since is None else since
        with self._database.write() as db:
            return db.execute(
                "UPDATE devices SET dead = ?, reason = ? WHERE service = ? AND target = ? AND dead IS NULL"
                " AND registered <= ?",
                (self._clock(), reason, service, target, newest),
            ).rowcount

    def replace(self, service: str, old: str, new: str) -> int:
        """The service gave a token a successor: every system's device has that one now."""
        with self._database.write() as db:
            return db.execute(
                "UPDATE devices SET target = ?, registered = ? WHERE service = ? AND target = ?",
                (new, self._clock(), service, old),
            ).rowcount

    def dead(self) -> list[dict[str, Any]]:
        """Every device that a service called dead, with its reason."""
        rows = self._database.connection.execute("SELECT * FROM devices WHERE dead IS NOT NULL ORDER BY dead, id")
        return [_device(row) for row in rows]

    def census(self) -> tuple[int, int]:
        """How many devices are alive, and how many dead."""
        row = self._database.connection.execute("SELECT count(*) n, count(dead) dead FROM devices").fetchone()
        return row["n"] - row["dead"], row["dead"]

    # Keys. What only has to be recognised is kept as a hash; what signs (Pinpoint, Pushpad) has to be kept itself.

    def add_account(self, system: str, name: str, *, secret: str | None = None, app: str | None = None) -> None:
        """Lets a back end in by an access key id and its secret."""
        with self._database.write() as db:
            db.execute("INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?)", (system, name, secret, app))

    def add_key(self, system: str, key: str, app: str | None = None, *, keep: bool = False) -> None:
        """Lets a back end in by a key that comes with each request: for one app, or for all of them.

        With `keep` the key itself is kept, which Pushpad's signatures of user ids need.
        """
        self.add_account(system, token_digest(key), secret=key if keep else None, app=app)

    def account(self, system: str, name: str) -> dict[str, Any] | None:
        """The account of that access key id."""
        row = self._database.connection.execute(
            "SELECT * FROM accounts WHERE system = ? AND name = ?", (system, name)
        ).fetchone()
        return None if row is None else dict(row)

    def account_of_key(self, system: str, key: str) -> dict[str, Any] | None:
        """The account of a key that came with a request."""
        return self.account(system, token_digest(key))

    # What else a system keeps.

    def put(self, system: str, kind: str, app: str, name: str, fields: Mapping[str, Any]) -> None:
        """Writes an object down, in place of the old one."""
        with self._database.write() as db:
            db.execute(
                "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET fields = excluded.fields",
                (system, kind, app, name, _json(dict(fields)), self._clock()),
            )

    def take(self, system: str, kind: str, app: str, name: str, fields: Mapping[str, Any]) -> dict[str, Any] | None:
        """Writes an object down unless there is one, which is returned: only one of two callers gets `None`."""
        with self._database.write() as db:
            old = db.execute(
                "SELECT fields FROM objects WHERE system = ? AND kind = ? AND app = ? AND name = ?",
                (system, kind, app, name),
            ).fetchone()
            if old is None:
                db.execute(
                    "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?)",
                    (system, kind, app, name, _json(dict(fields)), self._clock()),
                )
                return None
        return json.loads(old["fields"])  # type: ignore[no-any-return]

    def get(self, system: str, kind: str, app: str, name: str) -> dict[str, Any] | None:
        """The object of that name."""
        row = self._database.connection.execute(
            "SELECT fields FROM objects WHERE system = ? AND kind = ? AND app = ? AND name = ?",
            (system, kind, app, name),
        ).fetchone()
        return None if row is None else json.loads(row["fields"])

    def items(self, system: str, kind: str, app: str) -> list[tuple[str, dict[str, Any]]]:
        """Every object of a kind with its name, in the order in which they were made."""
        rows = self._database.connection.execute(
            "SELECT name, fields FROM objects WHERE system = ? AND kind = ? AND app = ?"
            " ORDER BY made, length(name), name",
            (system, kind, app),
        )
        return [(row["name"], json.loads(row["fields"])) for row in rows]

    def claim(self, names: list[str], seconds: float) -> dict[str, Any] | None:
        """Claims keys, all or none; `None` where they were free, else what is known of the one that was not."""
        now = self._clock()
        with self._database.write() as db:
            db.execute(f"DELETE FROM objects WHERE {_CLAIMS} AND made < ?", (now,))
            for name in names:
                old = db.execute(f"SELECT fields FROM objects WHERE {_CLAIMS} AND name = ?", (name,)).fetchone()
                if old is not None:
                    return json.loads(old["fields"])  # type: ignore[no-any-return]
            db.executemany(
                "INSERT INTO objects VALUES ('', 'claim', '', ?, ?, ?)",
                [(name, '{"under_way":true}', now + seconds) for name in names],
            )
        return None

    def remember(self, names: list[str], reply: Mapping[str, Any], seconds: float) -> None:
        """Keeps a reply under the keys that were claimed for it."""
        until = self._clock() + seconds
        with self._database.write() as db:
            db.executemany(
                "INSERT OR REPLACE INTO objects VALUES ('', 'claim', '', ?, ?, ?)",
                [(name, _json({"reply": dict(reply)}), until) for name in names],
            )

    def drop(self, system: str, kind: str, app: str, name: str) -> bool:
        """Deletes an object; whether there was one."""
        with self._database.write() as db:
            return (
                db.execute(
                    "DELETE FROM objects WHERE system = ? AND kind = ? AND app = ? AND name = ?",
                    (system, kind, app, name),
                ).rowcount
                > 0
            )

    def number(self, kind: str) -> int:
        """The next number of a kind: 1, 2, 3, never one twice."""
        with self._database.write() as db:
            db.execute("INSERT INTO numbers VALUES (?, 1) ON CONFLICT DO UPDATE SET last = last + 1", (kind,))
            return int(db.execute("SELECT last FROM numbers WHERE kind = ?", (kind,)).fetchone()["last"])

    def sender_key(self, sender: str) -> str | None:
        """The VAPID private key of a Pushpad sender, in PEM."""
        found = self.get("pushpad", "senders", "", sender)
        return None if found is None else found.get("vapid_private_key")

    # Metrics.

    def count(self, name: str, labels: Mapping[str, str], by: float = 1) -> None:
        """Adds to a counter that all workers share."""
        self.count_all([(name, labels, by)])

    def count_all(self, rows: Iterable[tuple[str, Mapping[str, str], float]]) -> None:
        """Adds to many counters at the price of one."""
        values = [(name, _json(dict(sorted(labels.items()))), by) for name, labels, by in rows]
        if not values:
            return
        with self._database.write() as db:
            db.executemany(
                "INSERT INTO counters VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
                values,
            )

    def counters(self) -> list[tuple[str, dict[str, str], float]]:
        """Every counter with its labels."""
        rows = self._database.connection.execute("SELECT * FROM counters ORDER BY name, labels")
        return [(row["name"], json.loads(row["labels"]), row["value"]) for row in rows]


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
