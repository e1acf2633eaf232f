"""Sends through the real client to the sandbox, in a process that is killed on the way."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections import Counter

import clients
import pushcore
import pytest
from database import Database
from pushcore.testing import Sandbox
from sending import WINDOW, Sender
from store import Store
from work import Message, Send, Work

HERE = pathlib.Path(__file__).resolve().parent


def forms(sandbox: Sandbox) -> dict[str, Message]:
    topic = sandbox.ready["apns"]["topic"]
    return {
        "apns": Message(
            "apns", "sandbox", json.dumps({"push_type": "alert", "topic": topic, "payload": {"aps": {"alert": "a"}}})
        ),
        "fcm": Message("fcm", "", json.dumps({"notification": {"body": "b"}})),
        "web_push": Message("web_push", "", json.dumps({"payload": "c"})),
        "adm": Message("adm", "", json.dumps({"data": {"d": "e"}})),
        "baidu": Message("baidu", "", json.dumps({"kind": "android_raw", "msg": {"f": "g"}})),
    }


def targets(sandbox: Sandbox) -> dict[str, tuple[str, str]]:
    """For each service a target that is alive and one that is dead."""
    ready = sandbox.ready
    subscriptions = ready["webpush"]["subscriptions"]
    return {
        "apns": (ready["apns"]["tokens"]["valid"], ready["apns"]["tokens"]["unregistered"]),
        "fcm": (ready["fcm"]["tokens"]["valid"], ready["fcm"]["tokens"]["unregistered"]),
        "web_push": (json.dumps(subscriptions["active"]), json.dumps(subscriptions["expired"])),
        "adm": (ready["adm"]["registrations"]["valid"], ready["adm"]["registrations"]["unregistered"]),
        "baidu": (ready["baidu"]["channels"]["valid"], ready["baidu"]["channels"]["unknown"]),
    }


def wait_for(work: Work, job: int, longest: float = 60.0) -> None:
    until = time.monotonic() + longest
    while not work.is_over(job):
        assert time.monotonic() < until, work.counts(job)
        time.sleep(0.05)


def test_one_job_to_five_services(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    database = Database(tmp_path / "hug.db")
    store, work = Store(database), Work(database)
    messages = forms(sandbox)
    numbers = {service: number for number, service in enumerate(messages)}
    job = work.add(
        "x",
        "1",
        "job",
        messages.values(),
        targets=[
            (f"{service} {number}", numbers[service], target, None)
            for service, both in targets(sandbox).items()
            for number, target in enumerate(both)
        ],
    )
    running = clients.clients(clients.of_sandbox(sandbox.ready), database)
    results: dict[str, str] = {}

    def note(pairs: list[tuple[Send, object]]) -> None:
        for send, result in pairs:
            results[send.key] = type(result).__name__ if isinstance(result, pushcore.Outcome) else str(result)

    sender = Sender(work, running, feedback=note)
    sender.start()
    wait_for(work, job)
    sender.stop()
    running.close()
    assert {key: results[key] for key in sorted(results)} == {
        "adm 0": "Accepted",
        "adm 1": "TokenGone",
        "apns 0": "Accepted",
        "apns 1": "TokenGone",
        "baidu 0": "Accepted",
        "baidu 1": "TokenGone",
        "fcm 0": "Accepted",
        "fcm 1": "TokenGone",
        "web_push 0": "Accepted",
        "web_push 1": "TokenGone",
    }
    accepted = Counter(
        record["service"] for record in sandbox.log(accepted=True) if record["operation"].startswith("push")
    )
    assert accepted == {"apns": 1, "fcm": 1, "webpush": 1, "adm": 1, "baidu": 1}


def test_a_message_that_cannot_be_sent_ends_with_its_reason(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    database = Database(tmp_path / "hug.db")
    work = Work(database)
    job = work.add("x", "1", "job", [Message("apns", "", "{}")], targets=[("k", 0, "ab", None)])
    sender = Sender(work, clients.clients({}, database))
    sender.start()
    wait_for(work, job)
    sender.stop()
    (row,) = database.connection.execute("SELECT state, reason FROM sends").fetchall()
    assert row["state"] == "failed"
    assert "push_type" in row["reason"]


@pytest.mark.parametrize("window", [WINDOW])
def test_a_worker_killed_in_a_broadcast(tmp_path: pathlib.Path, window: int) -> None:
    """One process at a time, killed as it sends: the sandbox's log beside the store."""
    count, kills = 2000, 3
    # A little latency, so that the window is full when the kill comes.
    with Sandbox("--latency", "apns=fixed:2", "--no-governor") as sandbox:
        tokens = [f"{number:064x}" for number in range(count)]
        topic = sandbox.ready["apns"]["topic"]
        sandbox.control("POST", "apns/tokens", [{"token": token, "bundle": topic} for token in tokens])
        database = Database(tmp_path / "hug.db")
        store, work = Store(database), Work(database)
        for token in tokens:
            store.register("pushpad", "1", token, service="apns", environment="sandbox", target=token)
        job = work.add("pushpad", "1", "all", [forms(sandbox)["apns"]], selection={})
        configuration = tmp_path / "hug.json"
        configuration.write_text(json.dumps(clients.of_sandbox(sandbox.ready)))
        command = [sys.executable, os.fspath(HERE / "killed.py"), database.path, os.fspath(configuration)]
        for kill in range(kills):
            process = subprocess.Popen(command)
            goal = (kill + 1) * count // (kills + 2)
            until = time.monotonic() + 20
            while work.counts(job)["accepted"] < goal and time.monotonic() < until:
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
            process.wait()
        last = subprocess.Popen(command)
        wait_for(work, job)
        last.terminate()
        last.wait()
        log = Counter(record["target"] for record in sandbox.log(service="apns", accepted=True))
        counts = work.counts(job)
        unknown = {one["key"] for one in work.unknown(job)}
    assert counts["accepted"] + counts["unknown"] == count
    assert counts["unknown"] <= kills * window
    # Doubled: none. Lost: none that is not called unknown. Called accepted: only what the service took.
    assert max(log.values()) == 1
    assert set(tokens) - set(log) <= unknown
    assert len(log) >= counts["accepted"]
    print(f"{count} sends, {kills} kills: {dict(counts)}, {len(log)} at the service, doubles 0, lost 0")
