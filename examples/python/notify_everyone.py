"""Notify every device of every user, delete the dead, retry the rest: the caller's own lines.

In a program of one's own: `pushcore.Hub()` and `hub.add(service, credentials)` in place of the sandbox's hub.

python examples/python/notify_everyone.py
"""

from __future__ import annotations

import sqlite3
from collections import Counter

import pushcore
from local import device, table
from pushcore.testing import Sandbox


# begin: the caller's lines, which docs/hub-python.md counts beside those with one library for each service
def notify_everyone(hub: pushcore.Hub, db: sqlite3.Connection, sandbox: Sandbox, text: str) -> Counter[str]:
    """One notification to every device; the table is right afterwards."""
    rows = db.execute("SELECT service, token, id FROM devices").fetchall()
    devices = (device(sandbox, *row) for row in rows)
    done: Counter[str] = Counter()
    for key, _, _, feedback in hub.send(devices, pushcore.Notification(title="News", body=text)):
        done[feedback.action] += 1
        if feedback.action == "delete":
            db.execute("DELETE FROM devices WHERE id = ?", (key,))
        elif feedback.action == "replace":
            db.execute("UPDATE devices SET token = ? WHERE id = ?", (feedback.replacement, key))
    return done


# end


def main() -> None:
    """Twenty users, three devices each; three of every service are dead, and FCM is overloaded for a moment."""
    with Sandbox() as sandbox, sandbox.hub(pushcore.Hub) as hub:
        db = table(sandbox, users=20)
        sandbox.faults.answer("fcm", 503, {}, contains="messages:send", times=5)
        print(dict(notify_everyone(hub, db, sandbox, "Hello")))
        (left,) = db.execute("SELECT count(*) FROM devices").fetchone()
        stats = hub.stats()
        db.close()
        print(f"{left} devices left; FCM asked to wait {stats['fcm']['retry_later']} times")


if __name__ == "__main__":
    main()
