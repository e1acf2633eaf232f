#!/usr/bin/env python3
"""The caller's lines for "notify every device of every user, delete the dead, retry the rest", without pushcore.

    pip install -r tests/interop/sandbox/requirements.txt     (and pushcore, which starts the sandbox)
    python tests/interop/sandbox/everyone.py

The same table is sent to twice on a lenient sandbox whose FCM is overloaded for a moment: with `aioapns`,
`firebase-admin` and `pywebpush`, and with pushcore (`examples/python/notify_everyone.py`). Both have to leave the same
rows. Exits with 1 where they do not. docs/notify-everyone.md shows both.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pathlib
import sqlite3
import ssl
import sys
import warnings
from typing import Any

import firebase_admin
from aioapns import APNs, NotificationRequest
from aioapns.common import PushType
from firebase_admin import credentials, exceptions, messaging
from pushcore.testing import Sandbox
from py_vapid import Vapid02
from pywebpush import WebPushException, webpush

EXAMPLES = pathlib.Path(__file__).resolve().parents[3] / "examples" / "python"
sys.path.insert(0, str(EXAMPLES))


# begin
async def notify_everyone(db: sqlite3.Connection, apns: APNs, vapid: Vapid02, subject: str, text: str) -> None:
    """One notification to every device; the table is right afterwards."""

    def to_browser(token: str) -> int:
        payload, claims = json.dumps({"title": "News", "body": text}), {"sub": subject}
        try:
            answer = webpush(
                json.loads(token),
                payload,
                vapid_private_key=vapid,
                vapid_claims=claims,
                ttl=3600,
            )
        except WebPushException as error:
            return error.response.status_code if error.response is not None else 503
        return answer.status_code

    left = db.execute("SELECT id, service, token FROM devices").fetchall()
    for attempt in range(5):
        if attempt:
            await asyncio.sleep(2 ** (attempt - 1))
        rows, left, dead = left, [], []

        iphones = [row for row in rows if row[1] == "apns"]
        payload = {"aps": {"alert": {"title": "News", "body": text}}}
        requests = [
            NotificationRequest(device_token=row[2], message=payload, push_type=PushType.ALERT) for row in iphones
        ]
        results = await asyncio.gather(*(apns.send_notification(request) for request in requests))
        for row, result in zip(iphones, results, strict=True):
            if result.status == "410":
                dead.append(row)
            elif result.status in ("429", "500", "503"):
                left.append(row)

        androids = [row for row in rows if row[1] == "fcm"]
        for at in range(0, len(androids), 500):
            some = androids[at : at + 500]
            notification = messaging.Notification("News", text)
            batch = await messaging.send_each_async(
                [messaging.Message(token=row[2], notification=notification) for row in some]
            )
            for row, one in zip(some, batch.responses, strict=True):
                if isinstance(one.exception, messaging.UnregisteredError):
                    dead.append(row)
                elif isinstance(
                    one.exception,
                    exceptions.UnavailableError | messaging.QuotaExceededError,
                ):
                    left.append(row)

        browsers = [row for row in rows if row[1] == "web_push"]
        statuses = await asyncio.gather(*(asyncio.to_thread(to_browser, row[2]) for row in browsers))
        for row, status in zip(browsers, statuses, strict=True):
            if status in (404, 410):
                dead.append(row)
            elif status == 429 or status >= 500:
                left.append(row)

        db.executemany("DELETE FROM devices WHERE id = ?", [(row[0],) for row in dead])
        if not left:
            break


# end


def prepared(sandbox: Sandbox, users: int) -> sqlite3.Connection:
    """A table of devices, and FCM overloaded for five answers."""
    from local import table

    db = table(sandbox, users=users)
    sandbox.faults.answer("fcm", 503, {}, contains="messages:send", times=5)
    return db


def rows_left(db: sqlite3.Connection) -> list[tuple[int, str]]:
    return db.execute("SELECT user, service FROM devices ORDER BY user, service").fetchall()


async def with_one_library_each(sandbox: Sandbox, users: int) -> list[tuple[int, str]]:
    ready = sandbox.ready
    db = prepared(sandbox, users)
    key = pathlib.Path(ready["apns"]["p8_file"]).read_text()
    apns = APNs(
        key=key,
        key_id=ready["apns"]["key_id"],
        team_id=ready["apns"]["team_id"],
        topic=ready["apns"]["topic"],
        ssl_context=ssl.create_default_context(cafile=str(sandbox.ca)),
    )
    host, _, port = ready["apns"]["authority"].rpartition(":")
    apns.pool.protocol_class.APNS_SERVER, apns.pool.protocol_class.APNS_PORT = (
        host,
        int(port),
    )
    fcm = ready["fcm"]
    app = firebase_admin.initialize_app(credentials.Certificate(fcm["service_account_file"]))
    service: Any = messaging._get_messaging_service(app)
    service._fcm_url = f"https://{fcm['authority']}/v1/projects/{fcm['project_id']}/messages:send"
    vapid = ready["webpush"]["vapid"]
    key = Vapid02.from_pem(pathlib.Path(vapid["pem_file"]).read_bytes())
    await notify_everyone(db, apns, key, vapid["subject"], "Hello")
    apns.pool.close()
    return rows_left(db)


def with_pushcore(sandbox: Sandbox, users: int) -> list[tuple[int, str]]:
    import notify_everyone as example
    import pushcore

    db = prepared(sandbox, users)
    with sandbox.hub(pushcore.Hub) as hub:
        example.notify_everyone(hub, db, sandbox, "Hello")
    return rows_left(db)


def main() -> int:
    warnings.simplefilter("ignore", DeprecationWarning)
    logging.getLogger("aioapns").setLevel(logging.CRITICAL)
    found = []
    for send in (
        lambda sandbox: asyncio.run(with_one_library_each(sandbox, 20)),
        lambda sandbox: with_pushcore(sandbox, 20),
    ):
        with Sandbox("--profile", "lenient") as sandbox:
            os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"] = str(sandbox.ca)
            found.append(send(sandbox))
    theirs, ours = found
    # Three of the twenty devices of each service are dead.
    good = theirs == ours and len(ours) == 3 * 17
    print(f"{len(theirs)} rows are left with one library for each service, {len(ours)} with pushcore")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
