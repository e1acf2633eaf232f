"""kill -9 in the middle of a broadcast, under gunicorn with four workers: the sandbox's log beside the store.

`PUSHCORE_KILL_SENDS` and `PUSHCORE_KILLS` make it longer: `make test-systems-kill` has 10,000 and 10.
"""

from __future__ import annotations

import json
import os
import pathlib
import random
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from pushcore.testing import Sandbox
from sending import WINDOW
from serving import Serving
from work import Work

COUNT = int(os.environ.get("PUSHCORE_KILL_SENDS", "1500"))
KILLS = int(os.environ.get("PUSHCORE_KILLS", "3"))


def test_m_kill_9_loses_nothing_and_doubles_nothing(tmp_path: pathlib.Path) -> None:
    # Answers take a while, so that windows are full when the kill comes.
    with Sandbox("--latency", "webpush=uniform:5,60") as sandbox, Serving(tmp_path, sandbox, lease=2.0) as server:
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda _: sandbox.control("POST", "webpush/subscriptions", {}), range(COUNT)))
        targets = [json.dumps(value) for value in made]
        with server.database.write() as db:
            db.executemany(
                "INSERT INTO devices (system, app, key, service, target, registered) VALUES"
                " ('pushpad', '123', ?, 'web_push', ?, 0)",
                enumerate(targets),
            )
        bearer = {"Authorization": f"Bearer {server.keys['pushpad']}"}
        status, _, text = server.request("POST", "/api/v1/projects/123/notifications", {"body": "all"}, bearer)
        assert (status, json.loads(text)["scheduled"]) == (201, COUNT)
        db = server.database.connection
        job = db.execute("SELECT max(id) FROM jobs").fetchone()[0]
        work = Work(server.database)
        until = time.monotonic() + 600
        chance = random.Random(0)
        in_flight: dict[int, int] = {}
        for kill in range(KILLS):
            goal = (kill + 1) * COUNT // (KILLS + 2)
            while work.counts(job)["accepted"] < goal:
                assert time.monotonic() < until, work.counts(job)
                time.sleep(0.005)
            # A worker that has something under way.
            busy: list[int] = []
            while not busy:
                assert time.monotonic() < until, work.counts(job)
                rows = db.execute("SELECT DISTINCT owner FROM sends WHERE state = 'begun'")
                owners = {int(row["owner"].split("-")[0]) for row in rows}
                busy = [pid for pid in server.workers() if pid in owners]
            victim = chance.choice(busy)
            os.kill(victim, signal.SIGKILL)
            while victim in server.workers():
                time.sleep(0.005)
            begun = "SELECT count(*) FROM sends WHERE state = 'begun' AND owner LIKE ?"
            in_flight[victim] = db.execute(begun, (f"{victim}-%",)).fetchone()[0]
        while not work.is_over(job):
            assert time.monotonic() < until, work.counts(job)
            time.sleep(0.05)
        log = Counter(record["target"] for record in sandbox.log(service="webpush", operation="push", accepted=True))
        counts = work.counts(job)
        unknown = work.unknown(job)
        operator = {"Authorization": f"Bearer {server.keys['operator']}"}
        listed = json.loads(server.request("GET", "/sends/unknown", None, operator)[2])
        assert sandbox.stats()["forgotten"] == 0
    assert counts["accepted"] + counts["unknown"] == COUNT, counts
    doubles = sum(count - 1 for count in log.values())
    lost = counts["accepted"] + counts["unknown"] - COUNT
    # Called accepted is only what the service took; what it did not take is unknown, not lost.
    assert COUNT - len(log) <= counts["unknown"]
    assert len(log) >= counts["accepted"]
    assert doubles == 0
    # Unknown is exactly what each killed worker had in flight, which is a window at most.
    by_victim = Counter(int(one["owner"].split("-")[0]) for one in unknown)
    assert by_victim == Counter({pid: count for pid, count in in_flight.items() if count})
    assert max(in_flight.values()) <= WINDOW
    assert listed["count"] == len(unknown)
    print(
        f"\n{COUNT} sends, {KILLS} kills: {counts['accepted']} accepted, {counts['unknown']} unknown"
        f" (in flight at the kills: {list(in_flight.values())}), {len(log)} at the service,"
        f" doubles {doubles}, lost {lost}"
    )
