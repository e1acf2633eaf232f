"""What the tests of campaigns share: the command as a process, files of tokens, the sandbox's log as oracle."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from pushcore.testing import Sandbox


def apns(sandbox: Sandbox, *more: str, key: str | None = None) -> list[str]:
    """`pushcore send apns` with the sandbox's credentials."""
    ready = sandbox.ready["apns"]
    return [
        "send", "apns", "--key", key or ready["p8_file"], "--key-id", ready["key_id"], "--team-id", ready["team_id"],
        "--topic", ready["topic"], "--host", ready["authority"], "--ca", str(sandbox.ca), *more,
    ]  # fmt: skip


def register(sandbox: Sandbox, count: int, first: int = 1) -> list[str]:
    """Makes APNs know that many tokens."""
    tokens = [f"{number:064x}" for number in range(first, first + count)]
    bundle = sandbox.ready["apns"]["topic"]
    for at in range(0, count, 2_000):
        chunk = tokens[at : at + 2_000]
        sandbox.control("POST", "apns/tokens", [{"token": token, "bundle": bundle} for token in chunk])
    return tokens


def start(command: list[str], **how: Any) -> subprocess.Popen[bytes]:
    """The command as a process of its own."""
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **how}
    return subprocess.Popen([sys.executable, "-m", "pushcore", *command], **how)


def run(command: list[str], timeout: float = 120, **how: Any) -> tuple[int, str, str]:
    """Exit status, standard output, standard error."""
    process = start(command, **how)
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, (out or b"").decode(), (err or b"").decode()


def seen(sandbox: Sandbox, service: str = "apns") -> Counter[str]:
    """How often each target was accepted."""
    assert sandbox.stats()["forgotten"] == 0, "the log is whole"
    return Counter(record["target"] for record in sandbox.log(service=service, operation="push", accepted=True))


def asked(sandbox: Sandbox, service: str = "apns") -> Counter[str]:
    """How often each target was asked for, whatever the answer."""
    return Counter(record["target"] for record in sandbox.log(service=service, operation="push"))


def table(path: pathlib.Path) -> list[dict[str, Any]]:
    """A results file."""
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def counts(path: pathlib.Path) -> Counter[str]:
    """How many rows of a results file ended how."""
    return Counter(record["result"] for record in table(path))


def slow(sandbox: Sandbox, ms: int) -> None:
    """Each answer of APNs takes so long."""
    sandbox.control("POST", "latency", {"service": "apns", "distribution": {"kind": "fixed", "ms": ms}})


@contextlib.contextmanager
def slowly(sandbox: Sandbox, ms: int) -> Any:
    """`slow` for as long as it lasts."""
    slow(sandbox, ms)
    try:
        yield
    finally:
        sandbox.control("POST", "latency", {"service": "apns", "distribution": None})


def judged(sandbox: Sandbox, count: int, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    """Waits until so many requests have reached the services."""
    until(lambda: sandbox.stats()["judged"] >= count or process.poll() is not None, seconds)
    if process.poll() is not None:
        raise AssertionError((process.returncode, process.communicate()))


def until(what: Callable[[], bool], seconds: float = 60) -> None:
    """Polls until it is so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.005)


def on_terminal(command: list[str], columns: int = 80, shell: str | None = None) -> tuple[int, str]:
    """Runs it where standard error is a terminal of that width; its status, and all that was shown."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm"}
    for name in ("COLUMNS", "LINES", "NO_COLOR"):
        environment.pop(name, None)
    argv = [sys.executable, "-m", "pushcore", *command] if shell is None else ["bash", "-c", shell]
    process = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    shown = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:
            break
        if not data:
            break
        shown += data
    os.close(ours)
    return process.wait(timeout=60), shown.decode(errors="replace")


def kill(process: subprocess.Popen[bytes], blow: signal.Signals) -> int:
    """Ends it with a signal; its status."""
    process.send_signal(blow)
    process.communicate(timeout=60)
    return process.returncode
