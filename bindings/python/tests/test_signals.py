"""Ctrl-C and the end of the interpreter, in interpreters of their own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable

import pytest
from pushcore.testing import Sandbox

OPEN = """
import asyncio, atexit, os, pathlib, signal, sys, threading, time
import pushcore

def client(kind=pushcore.Client, **options):
    credentials = pushcore.ApnsCredentials.from_p8(pathlib.Path({p8!r}), key_id={key_id!r}, team_id={team_id!r})
    return kind.apns(credentials, host={host!r}, ca=pathlib.Path({ca!r}), **options)

message = pushcore.ApnsMessage(token={token!r}, topic={topic!r}, alert="x")

def ready():
    print("ready", flush=True)
"""

Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start(sandbox: Sandbox) -> Start:
    apns = sandbox.ready["apns"]
    opening = OPEN.format(
        p8=apns["p8_file"],
        key_id=apns["key_id"],
        team_id=apns["team_id"],
        host=apns["authority"],
        ca=str(sandbox.ca),
        token=apns["tokens"]["valid"],
        topic=apns["topic"],
    )

    def run(program: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", opening + textwrap.dedent(program)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run


def silent(sandbox: Sandbox) -> None:
    """From now on APNs does not answer."""
    sandbox.control("POST", "faults", {"service": "apns", "times": 10_000, "action": {"kind": "no_answer"}})


def interrupt(process: subprocess.Popen[str], times: int = 1) -> tuple[int, str, str, float]:
    """Ctrl-C once it says that it waits: status, output, errors, and how long it took."""
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", process.communicate(timeout=30)
    time.sleep(0.3)
    began = time.monotonic()
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    output, errors = process.communicate(timeout=30)
    return process.returncode, output, errors, time.monotonic() - began


WAITS = {
    "send": "ready(); client().send(message)",
    "send_many": "ready(); list(client().send_many([message.token] * 100, message=message))",
    "messages": "ready(); list(client().send_many(message for _ in range(100)))",
    "with": """
        with client() as one:
            ready()
            one.send(message)
    """,
    "call": """
        ready()
        # Nobody listens there: it waits to connect again until the deadline.
        client(management_host="127.0.0.1:1", connect_timeout=60).call(pushcore.ApnsChannels("a.b").list())
    """,
    "exchange": """
        one = client()
        ready()
        one.exchange(pushcore.Request("POST", {host!r}, "/3/device/00", None, b"{{}}"))
    """,
    "close": """
        one = client(deadline=60)
        threading.Thread(target=lambda: one.send(message), daemon=True).start()
        time.sleep(0.3)
        ready()
        one.close()
    """,
    "asyncio": """
        import pushcore.aio
        async def main():
            async with client(pushcore.aio.Client) as one:
                ready()
                await one.send(message)
        asyncio.run(main())
    """,
    "asyncio bulk": """
        import pushcore.aio
        async def main():
            async with client(pushcore.aio.Client) as one:
                ready()
                async for _ in one.send_many([message.token] * 100, message=message):
                    pass
        asyncio.run(main())
    """,
}


@pytest.mark.parametrize("what", WAITS)
def test_ctrl_c(sandbox: Sandbox, start: Start, what: str) -> None:
    silent(sandbox)
    program = WAITS[what].replace("{host!r}", repr(sandbox.ready["apns"]["authority"])).replace("{{}}", "{}")
    status, _, errors, took = interrupt(start(program))
    assert errors.rstrip().endswith("KeyboardInterrupt"), errors
    assert "panicked" not in errors
    assert status == -signal.SIGINT, "as the shell expects it of a program that was interrupted"
    assert took < 5, "long before any deadline"


def test_close_goes_on_after_ctrl_c(sandbox: Sandbox, start: Start) -> None:
    silent(sandbox)
    program = """
        one = client(deadline=3, response_timeout=2)
        ends = []
        def send():
            try:
                one.send(message)
            except pushcore.PushcoreError as error:
                ends.append(type(error).__name__)
        thread = threading.Thread(target=send)
        thread.start()
        time.sleep(0.3)
        ready()
        try:
            one.close()
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        try:
            one.send(message)
        except pushcore.MisuseError:
            print("closed")
        one.close()
        thread.join()
        print(*ends)
    """
    status, output, errors, _ = interrupt(start(program))
    assert (status, errors) == (0, "")
    assert output.split() == ["interrupted", "closed", "Unknown"]


def test_ctrl_c_in_the_callers_own_iterable(sandbox: Sandbox, start: Start) -> None:
    program = """
        def slow():
            yield message.token
            ready()
            time.sleep(60)
        one = client()
        try:
            list(one.send_many(slow(), message=message))
        except KeyboardInterrupt:
            stats = one.stats()
            print(stats["queued"], stats["open"])
            print(one.send(message).name)
    """
    status, output, errors, took = interrupt(start(program))
    assert (status, errors) == (0, "")
    assert output.split() == ["0", "0", "accepted"]
    assert took < 10


def test_a_handler_that_raises_ends_a_send(sandbox: Sandbox, start: Start) -> None:
    silent(sandbox)
    program = """
        def stop(number, frame):
            raise SystemExit(7)
        signal.signal(signal.SIGINT, stop)
        ready()
        client().send(message)
    """
    status, _, errors, took = interrupt(start(program))
    assert (status, errors) == (7, "")
    assert took < 5


def test_a_handler_that_returns_changes_nothing(sandbox: Sandbox, start: Start) -> None:
    sandbox.control("POST", "faults", {"service": "apns", "action": {"kind": "delay", "ms": 1500}})
    program = """
        calls = []
        signal.signal(signal.SIGINT, lambda *_: calls.append(1))
        one = client()
        ready()
        print(one.send(message).name, len(calls))
    """
    status, output, errors, _ = interrupt(start(program), times=3)
    assert (status, errors) == (0, "")
    assert output.split() == ["accepted", "3"]


ENDINGS = {
    "the end of the script": "",
    "sys.exit": "sys.exit(0)",
    "a client in a global": "GLOBAL = one",
    "a client in a cycle": "class C: pass\nc = C(); c.me = c; c.client = one; del c, one",
    "an iterator half-way": "run = one.send_many([message.token] * 1000, message=message); next(run)",
    "daemon threads that send": """
def loop():
    while True:
        one.send(message)
for _ in range(4):
    threading.Thread(target=loop, daemon=True).start()
time.sleep(0.1)
""",
    "daemon threads in a bulk send": """
def loop():
    while True:
        list(one.send_many([message.token] * 50, message=message))
for _ in range(4):
    threading.Thread(target=loop, daemon=True).start()
time.sleep(0.1)
""",
    "a send at exit": "atexit.register(lambda: print(one.send(message).name))",
    "a close at exit": "atexit.register(one.close)",
    "a send in __del__": """
class Last:
    def __del__(self, one=one, message=message):
        one.send(message)
last = Last()
""",
    "a loop that ended without close": """
import pushcore.aio
two = client(pushcore.aio.Client)
async def main():
    assert (await two.send(message)).name == "accepted"
asyncio.run(main())
""",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_interpreter_ends(start: Start, ending: str) -> None:
    process = start("one = client()\nassert one.send(message).name == 'accepted'\n" + ENDINGS[ending])
    output, errors = process.communicate(timeout=60)
    if ending == "a loop that ended without close":
        # asyncio itself complains of transports that nobody closed.
        errors = "".join(line for line in errors.splitlines() if "ResourceWarning" not in line and "panick" in line)
    assert (process.returncode, errors) == (0, "")
    if ending == "a send at exit":
        assert output == "accepted\n"


def test_what_an_import_needs() -> None:
    """Neither `enum` nor `typing` nor anything else that costs more than the package itself."""
    program = (
        "import sys; before = set(sys.modules); import pushcore, json; print(json.dumps([*set(sys.modules) - before]))"
    )
    program = program.replace("import pushcore, json;", "import pushcore; after = set(sys.modules); import json;")
    program = program.replace("set(sys.modules) - before]", "after - before]")
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, check=False, text=True)
    if done.returncode:
        # Installed for development: the path comes from `site`.
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    loaded = {name for name in json.loads(done.stdout) if name.partition(".")[0] != "pushcore"}
    assert loaded <= {"__future__", "os", "stat", "posixpath", "genericpath", "abc", "_collections_abc"}, loaded
