"""Hostile servers, each beside a healthy one: the table of `tests/src/sim/hostile_rows.rs` from both clients.

Three bounds: the time to the end of every message, the growth of memory, the accounting.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from typing import Any

import pushcore
import pushcore.aio
import pytest

#: A scalar, made for this run; as good as any is below the order of P-256.
KEY = base64.urlsafe_b64encode(b"\1" + os.urandom(31)).decode().rstrip("=")
DEADLINE = 0.4
SLACK = 0.6
MOST_GROWTH = 32 * 1024 * 1024
MESSAGES = 20
KEYS = {
    # The receiver of RFC 8291, appendix A.
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}


@pytest.fixture(scope="session")
def peer() -> Iterator[dict[str, Any]]:
    default = pathlib.Path(__file__).parents[3] / "target" / "debug" / "hostile-peer"
    path = pathlib.Path(os.environ.get("PUSHCORE_HOSTILE_PEER", default))
    assert path.exists(), "build it: cargo build -p pushcore-tests --bin hostile-peer"
    with subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        assert process.stdin is not None
        process.stdin.close()


def client(kind: Any, peer: dict[str, Any], hosts: list[str]) -> Any:
    credentials = pushcore.VapidCredentials(KEY, subject="mailto:ops@example.org")
    policy = pushcore.EndpointPolicy(trusted=hosts)
    return kind.web_push(
        credentials, policy=policy, ca=peer["ca"], deadline=DEADLINE, first_backoff=0.05, proxy=False
    )


def message(host: str, number: int = 0) -> pushcore.WebPushMessage:
    subscription = {"endpoint": f"https://{host}/p/{number}", "keys": KEYS}
    return pushcore.WebPushMessage(subscription=subscription, payload="hello", policy=pushcore.EndpointPolicy(trusted=[host]))


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def check(name: str, took: float, grown: int, stats: dict[str, int], good: list[Any]) -> list[str]:
    ended = stats["submitted"] - stats["queued"] - stats["open"]
    faults = []
    if took > DEADLINE + SLACK:
        faults.append(f"{name}: ended after {took:.3f} s")
    if grown > MOST_GROWTH:
        faults.append(f"{name}: grew by {grown >> 10} KiB")
    if ended != MESSAGES + len(good):
        faults.append(f"{name}: {stats}")
    if not all(isinstance(one, pushcore.Accepted) for one in good):
        faults.append(f"{name}: a healthy host answered {good}")
    return faults


def test_blocking(peer: dict[str, Any]) -> None:
    faults = []
    for row in peer["rows"]:
        pusher = client(pushcore.Client, peer, [row["host"], peer["healthy"]])
        bad = [message(row["host"], number) for number in range(MESSAGES)]
        before, began, good = peak(), time.monotonic(), []
        ends: list[Any] = []
        thread = threading.Thread(target=lambda bad=bad, to=pusher, ends=ends: ends.extend(to.send_many(bad)))
        thread.start()
        good = [pusher.send(message(peer["healthy"], number)) for number in range(3)]
        thread.join(30)
        took = time.monotonic() - began
        assert len(ends) == MESSAGES, row
        faults += check(row["name"], took, peak() - before, pusher.stats(), good)
    assert not faults, "\n".join(faults)


def test_asyncio(peer: dict[str, Any]) -> None:
    async def run(row: dict[str, str]) -> list[str]:
        pusher = client(pushcore.aio.Client, peer, [row["host"], peer["healthy"]])
        bad = [message(row["host"], number) for number in range(MESSAGES)]

        async def send(one: pushcore.WebPushMessage) -> object:
            try:
                return await pusher.send(one)
            except pushcore.PushcoreError as error:
                return error

        before, began = peak(), time.monotonic()
        tasks = [asyncio.ensure_future(send(one)) for one in bad]
        good = [await send(message(peer["healthy"], number)) for number in range(3)]
        ends = await asyncio.gather(*tasks)
        took = time.monotonic() - began
        assert len(ends) == MESSAGES
        faults = check(row["name"], took, peak() - before, pusher.stats(), good)
        await pusher.close()
        return faults

    faults = [fault for row in peer["rows"] for fault in asyncio.run(run(row))]
    assert not faults, "\n".join(faults)


OPEN = """
import asyncio, json, sys, pushcore, pushcore.aio
peer = json.loads(sys.argv[1])
host = [row["host"] for row in peer["rows"] if row["name"] == sys.argv[2]][0]
KEYS = json.loads(sys.argv[3])
KEY = sys.argv[4]
credentials = pushcore.VapidCredentials(KEY, subject="mailto:ops@example.org")
policy = pushcore.EndpointPolicy(trusted=[host])
def client(kind):
    return kind.web_push(credentials, policy=policy, ca=peer["ca"], deadline=20, first_backoff=0.05, proxy=False)
messages = [
    pushcore.WebPushMessage(subscription={"endpoint": f"https://{host}/p/{n}", "keys": KEYS}, payload="hello", policy=policy)
    for n in range(900)
]
print("ready", flush=True)
"""
WAITS = {
    "blocking": "list(client(pushcore.Client).send_many(messages))",
    "asyncio": """
async def main():
    one = client(pushcore.aio.Client)
    async for _ in one.send_many(messages):
        pass
    await asyncio.sleep(20)
asyncio.run(main())
""",
}
#: Slow enough not to be ended by the budgets, or the connection's own end is what is measured.
ROWS = ["flood: WINDOW_UPDATE of the connection, at 100 kB/s", "h2: no answers"]


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("kind", WAITS)
def test_ctrl_c(peer: dict[str, Any], kind: str, row: str) -> None:
    program = [sys.executable, "-c", OPEN + textwrap.dedent(WAITS[kind]), json.dumps(peer), row, json.dumps(KEYS), KEY]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", process.communicate(timeout=10)
        time.sleep(0.7)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        took = time.monotonic() - began
    assert "KeyboardInterrupt" in errors
    # What does not hear it ends after 20 seconds; the interpreter's own end is in it, on a machine that may be busy.
    assert took < 3, took
