"""What to do with a device's row after a send: `match` on the outcome.

python examples/python/delete_dead_tokens.py
"""

from __future__ import annotations

import sqlite3
import time

import pushcore
from local import device_tokens
from pushcore.testing import Sandbox


def apply(
    db: sqlite3.Connection,
    token: str,
    registered_at: float,
    result: pushcore.Outcome | pushcore.PushcoreError,
) -> str:
    """Changes the row of one token; returns what was done."""
    match result:
        case pushcore.Accepted(replacement=str(new)) | pushcore.TokenGone(replacement=str(new)):
            db.execute("UPDATE OR REPLACE devices SET token = ? WHERE token = ?", (new, token))
            return "replaced"
        case pushcore.Accepted():
            return "kept"
        case pushcore.TokenGone() if result.applies_to(registered_at):
            # With the time in the condition: the app may have registered again meanwhile.
            where = (token, registered_at)
            db.execute("DELETE FROM devices WHERE token = ? AND registered_at <= ?", where)
            return "deleted"
        case pushcore.TokenGone():
            # It died, and was registered again since: this is a living token.
            return "kept"
        case pushcore.TokenMismatch(suspects=suspects):
            # A wrong configuration says the same of every token, so this one is kept.
            return f"kept; check {', '.join(suspects)}"
        case pushcore.RetryLater(after=after):
            due = time.time() + (after or 60)
            db.execute("UPDATE devices SET not_before = ? WHERE token = ?", (due, token))
            return "put off"
        case pushcore.FixCredentials(reason=reason):
            # Never a reason to delete anything: all tokens would be refused like this one.
            raise SystemExit(f"stop: the credentials are at fault: {reason}")
        case pushcore.Outcome():
            return f"kept; the message is at fault: {result.reason}"
        case pushcore.Unknown():
            return "kept; may have arrived: send again only with the same id"
        case _:
            return "kept; not sent"


def main() -> None:
    """Forty devices in a table; four are dead, one of which has registered again."""
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE devices (token TEXT PRIMARY KEY, registered_at REAL, not_before REAL)")
    with Sandbox() as sandbox:
        tokens = device_tokens(sandbox, 40)
        day_ago = time.time() - 86_400
        rows = [(token, time.time() if index == 9 else day_ago) for index, token in enumerate(tokens)]
        db.executemany("INSERT INTO devices VALUES (?, ?, 0)", rows)
        registered = dict(rows)
        message = pushcore.ApnsMessage(token=tokens[0], topic=sandbox.ready["apns"]["topic"], alert="Hello")
        done: dict[str, int] = {}
        with sandbox.apns(pushcore.Client) as client, db:
            for token, result in client.send_many(tokens, message=message):
                what = apply(db, token, registered[token], result)
                done[what] = done.get(what, 0) + 1
    (left,) = db.execute("SELECT count(*) FROM devices").fetchone()
    db.close()
    print(f"{done}, {left} devices left")


if __name__ == "__main__":
    main()
