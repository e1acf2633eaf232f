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
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
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
    return kind.web_push(credentials, policy=policy, ca=peer["ca"], deadline=DEADLINE, first_backoff=0.05, proxy=False)


def message(host: str, number: int = 0) -> pushcore.WebPushMessage:
    subscription = {"endpoint": f"https://{host}/p/{number}", "keys": KEYS}
    return pushcore.WebPushMessage(
        subscription=subscription, payload="hello", policy=pushcore.EndpointPolicy(trusted=[host])
    )


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


# Proxies, token endpoints, names: what the messages meet before their service.


def alone(name: str, make: Callable[[Any], Any], messages: list[Any]) -> list[str]:
    """Sends them with both clients, and says what of the three bounds does not hold."""
    faults = []
    pusher = make(pushcore.Client)
    before, began = peak(), time.monotonic()
    assert len(list(pusher.send_many(messages))) == MESSAGES, name
    faults += check(f"{name}, blocking", time.monotonic() - began, peak() - before, pusher.stats(), [])
    pusher.close()

    async def run() -> list[str]:
        pusher = make(pushcore.aio.Client)
        before, began = peak(), time.monotonic()
        assert len([result async for _, result in pusher.send_many(messages)]) == MESSAGES, name
        took = time.monotonic() - began
        faults = check(f"{name}, asyncio", took, peak() - before, pusher.stats(), [])
        await pusher.close()
        return faults

    return faults + asyncio.run(run())


def test_proxies(peer: dict[str, Any]) -> None:
    faults = []
    credentials = pushcore.VapidCredentials(KEY, subject="mailto:ops@example.org")
    host = "localhost:9"
    policy = pushcore.EndpointPolicy(trusted=[host])
    messages = [message(host, number) for number in range(MESSAGES)]
    for row in peer["proxies"]:

        def make(kind: Any, row: dict[str, str] = row) -> Any:
            proxy = f"{row['scheme']}://{row['host']}"
            return kind.web_push(
                credentials, policy=policy, ca=peer["ca"], deadline=DEADLINE, first_backoff=0.05, proxy=proxy
            )

        faults += alone(row["name"], make, messages)
    assert len(peer["proxies"]) >= 30
    assert not faults, "\n".join(faults)


def test_tokens(peer: dict[str, Any], tmp_path: pathlib.Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    account = {"type": "service_account", "project_id": "p", "private_key": pem, "client_email": "a@p.example"}
    faults = []
    messages = [pushcore.FcmMessage(token=f"token-{number}", data={"a": "b"}) for number in range(MESSAGES)]
    for row in peer["tokens"]:

        def make(kind: Any, row: dict[str, str] = row) -> Any:
            credentials = pushcore.FcmCredentials.from_service_account(account, token_host=row["host"])
            return kind.fcm(
                credentials, host=peer["healthy"], ca=peer["ca"], deadline=DEADLINE, first_backoff=0.05, proxy=False
            )

        faults += alone(row["name"], make, messages)
    assert len(peer["tokens"]) >= 30
    assert not faults, "\n".join(faults)


def silent_lookup() -> Any:
    time.sleep(3)
    return []


def no_such_name() -> Any:
    raise socket.gaierror(socket.EAI_NONAME, "no such name")


def address(host: str, count: int = 1, port: int = 9) -> Any:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))] * count


#: What `socket.getaddrinfo` says: asyncio asks it. The blocking client asks Rust (`tests/tests/hostile_servers.rs`).
NAMES: dict[str, Callable[[], Any]] = {
    "silent": silent_lookup,
    "no such name": no_such_name,
    "no address": list,
    "100,000 addresses": lambda: address("127.0.0.1", 100_000),
    "hundreds that are nowhere": lambda: [one for n in range(300) for one in address(f"127.0.1.{n % 250 + 1}")],
    "an address inside": lambda: address("10.0.0.1"),
    "no address at all": lambda: address("0.0.0.0"),
    "everybody": lambda: address("255.255.255.255"),
    "many": lambda: address("224.0.0.1"),
    "the metadata server": lambda: address("169.254.169.254"),
    "port 0": lambda: address("127.0.0.1", port=0),
    "an address of another family": lambda: [(99, 1, 6, "", ("x", 9))],
    "an address of letters": lambda: address("not an address"),
}


@pytest.mark.parametrize("name", NAMES)
def test_names(peer: dict[str, Any], monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    system = socket.getaddrinfo

    def lookup(host: Any, *more: Any, **named: Any) -> Any:
        return NAMES[name]() if host == "hostile.example.org" else system(host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    hostile = "hostile.example.org:443"

    async def main() -> list[str]:
        credentials = pushcore.VapidCredentials(KEY, subject="mailto:ops@example.org")
        policy = pushcore.EndpointPolicy(trusted=[peer["healthy"]], any_public_host=True)
        pusher = pushcore.aio.Client.web_push(
            credentials, policy=policy, ca=peer["ca"], deadline=DEADLINE, first_backoff=0.05, proxy=False
        )

        async def send(one: pushcore.WebPushMessage) -> object:
            try:
                return await pusher.send(one)
            except pushcore.PushcoreError as error:
                return error

        def to(host: str, number: int) -> pushcore.WebPushMessage:
            subscription = {"endpoint": f"https://{host}/p/{number}", "keys": KEYS}
            return pushcore.WebPushMessage(subscription=subscription, payload="hello", policy=policy)

        before, began = peak(), time.monotonic()
        tasks = [asyncio.ensure_future(send(to(hostile, number))) for number in range(MESSAGES)]
        good = [await send(to(peer["healthy"], number)) for number in range(3)]
        ends = await asyncio.gather(*tasks)
        took = time.monotonic() - began
        assert not any(isinstance(end, pushcore.Accepted) for end in ends)
        faults = check(name, took, peak() - before, pusher.stats(), good)
        await pusher.close()
        return faults

    assert not asyncio.run(main())


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
