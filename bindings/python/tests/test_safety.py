"""Threads, forks, signals, the end of the interpreter."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pushcore
import pytest
from pushcore.testing import Sandbox


def template(sandbox: Sandbox) -> pushcore.ApnsMessage:
    apns = sandbox.ready["apns"]
    return pushcore.ApnsMessage(token=apns["tokens"]["valid"], topic=apns["topic"], alert="hello")


def test_sixteen_threads_on_one_client(sandbox: Sandbox) -> None:
    message = template(sandbox)
    with sandbox.apns(pushcore.Client) as client, ThreadPoolExecutor(16) as pool:

        def one_by_one(_: int) -> int:
            return sum(isinstance(client.send(message), pushcore.Accepted) for _ in range(25))

        def in_bulk(_: int) -> int:
            run = client.send_many([message.token] * 200, message=message)
            return sum(isinstance(result, pushcore.Accepted) for _, result in run)

        bulk = [pool.submit(in_bulk, n) for n in range(8)]
        single = [pool.submit(one_by_one, n) for n in range(8)]
        assert [future.result(timeout=60) for future in bulk] == [200] * 8
        assert [future.result(timeout=60) for future in single] == [25] * 8
        assert client.stats()["accepted"] == 8 * 225


def test_the_interpreter_is_free_while_waiting(sandbox: Sandbox) -> None:
    sandbox.control("POST", "faults", {"service": "apns", "action": {"kind": "delay", "ms": 500}})
    turns = 0
    with sandbox.apns(pushcore.Client) as client, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.send, template(sandbox))
        while not waiting.done():
            turns += 1
            time.sleep(0.001)
        assert waiting.result().name == "accepted"
    assert turns > 20


@pytest.mark.parametrize("bulk", [False, True])
def test_ctrl_c(sandbox: Sandbox, bulk: bool) -> None:
    sandbox.control("POST", "faults", {"service": "apns", "action": {"kind": "no_answer"}})
    message = template(sandbox)
    with sandbox.apns(pushcore.Client) as client:
        main = threading.main_thread().ident
        assert main is not None
        timer = threading.Timer(0.5, signal.pthread_kill, (main, signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            if bulk:
                list(client.send_many([message.token] * 10, message=message))
            else:
                client.send(message)
        timer.join()
        stats = client.stats()
        # Nothing is forgotten and nothing is left over.
        assert stats["queued"] == stats["open"] == 0
        assert stats["cancelled"] > 0


def test_ctrl_c_while_another_thread_polls(sandbox: Sandbox) -> None:
    sandbox.control("POST", "faults", {"service": "apns", "action": {"kind": "no_answer"}})
    message = template(sandbox)
    with sandbox.apns(pushcore.Client, deadline=5) as client, ThreadPoolExecutor(1) as pool:
        other = pool.submit(client.send, message)
        time.sleep(0.2)
        main = threading.main_thread().ident
        assert main is not None
        timer = threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT))
        timer.start()
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            client.send(message)
        assert time.monotonic() - started < 3
        with pytest.raises(pushcore.Unknown):
            other.result(timeout=30)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_fork(sandbox: Sandbox) -> None:
    message = template(sandbox)
    with sandbox.apns(pushcore.Client) as client:
        assert client.send(message).name == "accepted"
        child = os.fork()
        if child == 0:
            # The child gets connections of its own; the parent's stay as they are.
            try:
                fine = client.send(message, deadline=20).name == "accepted"
                os._exit(0 if fine else 1)
            except BaseException:
                os._exit(2)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert client.send(message).name == "accepted"
    log = sandbox.log(service="apns", accepted=True)
    assert len(log) == 3
    assert log[0]["connection"] == log[2]["connection"] != log[1]["connection"]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_bulk_send_does_not_cross_a_fork(sandbox: Sandbox) -> None:
    message = template(sandbox)
    with sandbox.apns(pushcore.Client, max_queued=10) as client:
        run = client.send_many([message.token] * 100, message=message)
        next(run)
        child = os.fork()
        if child == 0:
            try:
                list(run)
            except pushcore.MisuseError:
                os._exit(0)
            except BaseException:
                os._exit(2)
            os._exit(1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert len(list(run)) == 99


@pytest.mark.parametrize("ending", ["pass", "sys.exit(0)", "daemon()", "run = half()"])
def test_the_interpreter_ends_with_a_live_client(sandbox: Sandbox, ending: str) -> None:
    apns = sandbox.ready["apns"]
    program = f"""
        import pathlib, sys, threading, time, pushcore
        credentials = pushcore.ApnsCredentials.from_p8(
            pathlib.Path({apns["p8_file"]!r}), key_id={apns["key_id"]!r}, team_id={apns["team_id"]!r})
        client = pushcore.Client.apns(
            credentials, host={apns["authority"]!r}, ca=pathlib.Path({str(sandbox.ca)!r}))
        message = pushcore.ApnsMessage(
            token={apns["tokens"]["valid"]!r}, topic={apns["topic"]!r}, alert="x")
        assert client.send(message).name == "accepted"
        def loop():
            while True:
                client.send(message)
        def daemon():
            threading.Thread(target=loop, daemon=True).start()
            time.sleep(0.05)
        def half():
            run = client.send_many([message.token] * 1000, message=message)
            next(run)
            return run
        {ending}
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_import_is_cheap() -> None:
    program = "import sys, pushcore; print(*[m for m in sys.modules if m in ('asyncio', 'ssl', 'rich')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b""


def test_threads_that_share_one_iterator(sandbox: Sandbox) -> None:
    """One at a time: the others are told so, as with a generator; no result is lost or given twice."""
    message = template(sandbox)
    with sandbox.apns(pushcore.Client) as client, ThreadPoolExecutor(4) as pool:
        run = client.send_many([message.token] * 2000, message=message)

        def fetch(_: int) -> int:
            got = 0
            while True:
                try:
                    token, result = next(run)
                except StopIteration:
                    return got
                except RuntimeError:
                    time.sleep(0.0005)
                    continue
                assert token == message.token
                assert isinstance(result, pushcore.Accepted)
                got += 1

        assert sum(pool.map(fetch, range(4), timeout=60)) == 2000
        assert client.stats()["accepted"] == 2000


def test_threads_that_make_messages() -> None:
    """Each makes its own, alike and not, while others compare, copy and pickle them."""

    def make(number: int) -> set[bytes]:
        made = [
            pushcore.ApnsMessage(token="ab", topic=f"com.example.app{n % 3}", alert=f"{number} {n}") for n in range(200)
        ]
        again = pickle.loads(pickle.dumps(made))
        assert again == made
        assert [one.topic for one in again] == [f"com.example.app{n % 3}" for n in range(200)]
        return {one.payload for one in made}

    with ThreadPoolExecutor(8) as pool:
        payloads = list(pool.map(make, range(8)))
    assert len(set().union(*payloads)) == 1600
