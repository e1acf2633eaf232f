"""Where the examples of this folder send to: the sandbox, started by the example itself.

In a program of one's own this file is replaced by credentials and `pushcore.Client.apns(...)`:
see `real` in `../quickstart.py`.
"""

from __future__ import annotations

import secrets
import ssl
import time

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
