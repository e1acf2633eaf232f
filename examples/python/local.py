"""Where the examples of this folder send to: the sandbox, started by the example itself.

In a program of one's own this file is replaced by credentials and `pushcore.Client.apns(...)`:
see `real` in `../quickstart.py`.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import ssl
import time
from typing import Literal

import pushcore
from pushcore.testing import Sandbox


def device_tokens(sandbox: Sandbox, count: int) -> list[str]:
    """That many tokens of one app; every tenth device has deleted the app."""
    died = int(time.time() * 1000) - 3_600_000
    tokens = [secrets.token_hex(32) for _ in range(count)]
    bundle = sandbox.ready["apns"]["topic"]
    for start in range(0, count, 500):
        some = [
            {"token": token, "bundle": bundle, "unregistered_at": died if index % 10 == 9 else None}
            for index, token in enumerate(tokens[start : start + 500], start)
        ]
        sandbox.control("POST", "apns/tokens", some)
    return tokens


def tls(sandbox: Sandbox) -> ssl.SSLContext:
    """TLS that trusts the sandbox, for HTTP clients other than pushcore's."""
    return ssl.create_default_context(cafile=str(sandbox.ca))


#: The services that `devices` has devices of.
SERVICES: tuple[Literal["apns", "fcm", "web_push"], ...] = ("apns", "fcm", "web_push")


def table(sandbox: Sandbox, users: int, dead: int = 3) -> sqlite3.Connection:
    """A table of devices: every user has a phone of Apple's, one of Google's and a browser; some of each are dead."""
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE devices (id INTEGER PRIMARY KEY, user INTEGER, service TEXT, token TEXT)")
    for service in SERVICES:
        targets = sandbox.targets(service, users - dead, dead=dead)
        rows = [
            (user, service, target if isinstance(target, str) else json.dumps(target))
            for user, target in enumerate(targets)
        ]
        db.executemany("INSERT INTO devices (user, service, token) VALUES (?, ?, ?)", rows)
    return db


def device(sandbox: Sandbox, service: str, token: str, key: object) -> pushcore.Device:
    """A row as a device: `pushcore.Device(service, token, app=..., key=...)` in a program of one's own."""
    return sandbox.device(service, token, key=str(key))
