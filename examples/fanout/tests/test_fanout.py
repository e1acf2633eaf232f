"""A worker is killed in the middle of a chunk, and nothing is lost.

Redis, the scheduler, the workers and the sandbox are processes of this test on free ports of the
loopback interface. One token of the first chunk is answered only after 25 s the first time it is
sent: by then the worker that waits for it is dead.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from local import prepare
from pushcore.testing import Sandbox
from sending import Job, Row, again, chunks
from store import SqliteStore, report

HERE = pathlib.Path(__file__).resolve().parents[1]
COUNT, SIZE = 400, 50


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def until(what: Callable[[], Any], seconds: float, name: str) -> Any:
    """Polls until `what` gives something true."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, f"{name}: not within {seconds} s"
        time.sleep(0.05)
    return found


class World:
    """The sandbox, the files, and the processes that were started."""

    def __init__(self, folder: pathlib.Path, sandbox: Sandbox, **settings: Any) -> None:
        self.folder, self.sandbox = folder, sandbox
        there, self.tokens = prepare(
            sandbox, COUNT, retry_wait=1, max_retries=1, longest_wait=5, visibility_timeout=8, **settings
        )
        (folder / "settings.json").write_text(json.dumps(there))
        (folder / "tokens.txt").write_text("\n".join(self.tokens))
        self.environment = {
            **os.environ,
            "FANOUT_SETTINGS": str(folder / "settings.json"),
            "PYTHONPATH": str(HERE),
        }
        self.late = self.tokens[7]
        sandbox.control(
            "POST",
            "faults",
            {
                "service": "apns",
                "contains": self.late,
                "times": 1,
                "processed": True,
                "action": {"kind": "delay", "ms": 25_000},
            },
        )
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            # A group of its own: a worker is killed with the processes of its pool, as when its machine dies.
            process = subprocess.Popen(
                command,
                cwd=HERE,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def is_held_up(self) -> bool:
        return bool(self.sandbox.log(service="apns", target=self.late))

    def stop(self) -> None:
        for process in reversed(self.running):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def check(self, output: str) -> None:
        """The promises: nothing lost, duplicates recognisable, everything accounted for once."""
        ids: dict[str, list[str]] = defaultdict(list)
        for record in self.sandbox.log(service="apns", operation="push"):
            ids[record["target"]].append(record["headers"]["apns-id"])
        assert set(ids) == set(self.tokens), "every token reached the service, and no other"
        job = Job(name="monday", notification={})
        for token, seen in ids.items():
            assert set(seen) == {str(job.id(token))}
        assert len(ids[self.late]) == 2, "the chunk was run again"
        rows = [json.loads(line) for line in output.splitlines()]
        assert [row["token"] for row in rows] == self.tokens, "each exactly once"
        states = {row["token"]: row["state"] for row in rows}
        for index, token in enumerate(self.tokens):
            expected = "retry" if index == COUNT - 2 else "delete" if index % 50 == 49 else "accepted"
            assert states[token] == expected


@contextlib.contextmanager
def world(folder: pathlib.Path, **settings: Any) -> Iterator[World]:
    with Sandbox("--no-governor") as sandbox:
        there = World(folder, sandbox, **settings)
        try:
            yield there
        except BaseException:
            for log in folder.glob("*.log"):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}")
            raise
        finally:
            there.stop()


def finish(submitter: subprocess.Popen[bytes], log: pathlib.Path) -> str:
    """The lines of JSON that the submitter printed."""
    # 2: one token is throttled and stays open.
    assert submitter.wait(timeout=60) == 2
    return "\n".join(line for line in log.read_text().splitlines() if line.startswith("{"))


@pytest.mark.parametrize("victim", ["pool process", "worker"])
def test_celery_loses_nothing_when_a_worker_is_killed(tmp_path: pathlib.Path, victim: str) -> None:
    pytest.importorskip("celery")
    redis = pytest.importorskip("redis")
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("redis-server is not installed")
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    with world(tmp_path, broker=url) as there:
        there.start(
            "redis", server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)
        )
        connection = redis.Redis.from_url(url)

        def answers() -> bool:
            with contextlib.suppress(redis.exceptions.ConnectionError):
                return bool(connection.ping())
            return False

        until(answers, 10, "redis")
        celery = (sys.executable, "-m", "celery", "-A", "celery_job")
        workers = {
            name: there.start(name, *celery, "worker", "-c", "1", "-n", f"{name}@here", "--without-mingle")
            for name in ("one", "two")
        }
        arguments = ("monday", str(tmp_path / "tokens.txt"), "--chunk", str(SIZE), "--timeout", "55")
        submitter = there.start("submit", sys.executable, "celery_job.py", *arguments)
        until(there.is_held_up, 30, "the late token is sent")
        name, process = until(lambda: busy(celery, there), 20, "who has it")
        if victim == "worker":
            os.killpg(workers[name].pid, signal.SIGKILL)
        else:
            os.kill(process, signal.SIGKILL)
        there.check(finish(submitter, tmp_path / "submit.log"))
        connection.close()


def busy(celery: tuple[str, ...], there: World) -> tuple[str, int] | None:
    """Which worker, and which of its processes, is sending to the late token."""
    command = (*celery, "inspect", "active", "--json", "--timeout", "2")
    answer = subprocess.run(command, cwd=HERE, env=there.environment, capture_output=True, check=False)
    for worker, tasks in json.loads(answer.stdout or b"{}").items():
        for task in tasks:
            if there.late in task["args"][1]:
                return worker.partition("@")[0], task["worker_pid"]
    return None


def test_dask_loses_nothing_when_a_worker_is_killed(tmp_path: pathlib.Path) -> None:
    distributed = pytest.importorskip("distributed")
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    with world(tmp_path) as there:
        dask = (sys.executable, "-m", "dask")
        there.start(
            "scheduler", *dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"
        )
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path))
        workers = [there.start(name, *dask, "worker", address, *options) for name in ("one", "two")]
        with distributed.Client(address, timeout=30) as cluster:
            cluster.wait_for_workers(2, timeout=30)
            processes = cluster.run(os.getpid)
            arguments = (address, "monday", str(tmp_path / "tokens.txt"), "--chunk", str(SIZE))
            store = ("--results", str(tmp_path / "results.sqlite"))
            submitter = there.start("submit", sys.executable, "dask_job.py", *arguments, *store)
            until(there.is_held_up, 30, "the late token is sent")
            key = f"fanout-{Job(name='monday', notification={}).chunk_id(0)}-0"

            def holder() -> int | None:
                held = [worker for worker, keys in cluster.processing().items() if key in map(str, keys)]
                return processes[held[0]] if held else None

            process = until(holder, 10, "who has it")
            assert process in {worker.pid for worker in workers}
            os.killpg(process, signal.SIGKILL)
            there.check(finish(submitter, tmp_path / "submit.log"))


def row(token: str, state: Any, **more: Any) -> Row:
    return Row(token=token, id="1", state=state, todo="", **more)


def test_a_late_second_run_does_not_reopen_what_is_settled(tmp_path: pathlib.Path) -> None:
    job = Job(name="j", notification={})
    store = SqliteStore(str(tmp_path / "results"), job.name)
    store.put([row("aa", "retry"), row("bb", "accepted")])
    store.put([row("aa", "accepted"), row("bb", "unknown")])
    states = [(row.token, row.state) for row in report(store, job, ["aa", "bb", "cc"])]
    assert states == [("aa", "accepted"), ("bb", "accepted"), ("cc", "unknown")]
    assert store.unsettled(["aa", "cc"]) == ["cc"]
    store.close()


def test_what_the_service_puts_off_for_long_does_not_hold_up_the_rest() -> None:
    rows = [
        row("a", "retry", after=3.0),
        row("b", "retry", after=900.0),
        row("c", "unknown"),
        row("d", "delete"),
    ]
    assert again(rows, default=1, longest=60) == (["a", "c"], 3.0)
    assert again(rows[3:], default=1, longest=60) == ([], 0)


def test_chunks_hold_each_token_once() -> None:
    assert list(chunks(["aa", "BB", "bb ", "cc", "aa"], 2)) == [["aa", "bb"], ["cc"]]
