"""The scheduler's promises, with a clock of the test's own and workers that stop where the test says."""

from __future__ import annotations

import multiprocessing
import pathlib
import sqlite3

import pytest
from database import Database
from work import End, Message, Send, Work

MESSAGE = Message("apns", "sandbox", '{"push_type":"alert"}')


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: pathlib.Path) -> Database:
    return Database(tmp_path / "hug.db")


def worker(database: Database, clock: Clock, **options: object) -> Work:
    work = Work(database, clock=clock, monotonic=clock, **options)  # type: ignore[arg-type]
    work.renew()
    return work


def devices(database: Database, count: int, **fields: object) -> None:
    row = {"system": "pushpad", "app": "1", "service": "apns", "environment": "sandbox", "tags": "[]", **fields}
    with database.write() as db:
        db.executemany(
            "INSERT INTO devices (system, app, key, service, environment, target, tags, registered)"
            " VALUES (:system, :app, :key, :service, :environment, :key, :tags, 0)",
            [{**row, "key": f"{row['tags']}{number:05}"} for number in range(count)],
        )


def spread(work: Work) -> None:
    while work.spread():
        pass


def test_begun_is_on_disk_before_a_claim_returns(database: Database, clock: Clock) -> None:
    work = worker(database, clock)
    job = work.add("x", "1", "job", [MESSAGE], targets=[(f"k{n}", 0, f"t{n}", None) for n in range(3)])
    claimed = work.claim(2)
    assert claimed == [Send(n + 1, job, f"k{n}", f"t{n}", MESSAGE) for n in range(2)]
    # Another connection, as another process would see it.
    other = sqlite3.connect(database.path)
    assert other.execute("SELECT state, owner FROM sends ORDER BY id").fetchall() == [
        ("begun", work.owner),
        ("begun", work.owner),
        ("waiting", None),
    ]


def test_two_workers_never_claim_the_same(database: Database, clock: Clock) -> None:
    one, two = worker(database, clock), worker(database, clock)
    one.add("x", "1", "job", [MESSAGE], targets=[(f"k{n}", 0, "t", None) for n in range(10)])
    seen = [send.key for _ in range(5) for work in (one, two) for send in work.claim(2)]
    assert seen == [f"k{n}" for n in range(10)]
    assert one.claim(2) == []


def test_a_job_that_comes_twice_is_one_job(database: Database, clock: Clock) -> None:
    work = worker(database, clock)
    first = work.add("x", "1", "job", [MESSAGE], targets=[("k", 0, "t", None)])
    assert work.add("x", "1", "job", [MESSAGE], targets=[("k", 0, "t", None)]) == first
    assert work.add("x", "2", "job", [MESSAGE], targets=[("k", 0, "t", None)]) != first
    assert len(work.claim(10)) == 2


def test_nothing_is_sent_before_it_is_due(database: Database, clock: Clock) -> None:
    work = worker(database, clock)
    devices(database, 2)
    work.add("x", "1", "direct", [MESSAGE], targets=[("k", 0, "t", None)], due=clock.now + 60)
    work.add("pushpad", "1", "broadcast", [MESSAGE], selection={}, due=clock.now + 60)
    spread(work)
    assert work.claim(10) == []
    clock.now += 60
    work.renew()
    spread(work)
    assert len(work.claim(10)) == 3


def test_a_selection_is_run_when_it_is_due_not_before(database: Database, clock: Clock) -> None:
    work = worker(database, clock, chosen=lambda selection, device: selection["tag"] in device["tags"])
    devices(database, 1, tags='["a"]')
    job = work.add("pushpad", "1", "later", [MESSAGE], selection={"tag": "a"}, due=clock.now + 60)
    devices(database, 2, tags='["a","b"]')
    devices(database, 5, tags='["b"]')
    devices(database, 3, tags='["a","c"]', app="2")
    with database.write() as db:
        db.execute("UPDATE devices SET dead = 1 WHERE key LIKE '%a\",\"b%1'")
    clock.now += 61
    spread(work)
    assert work.counts(job) == {"waiting": 2}
    assert not work.is_over(job)


def test_a_broadcast_is_spread_by_several_workers_once(database: Database, clock: Clock) -> None:
    workers = [worker(database, clock) for _ in range(4)]
    devices(database, 3500)
    job = workers[0].add("pushpad", "1", "all", [MESSAGE], selection={})
    while sum(work.spread() for work in workers):
        pass
    assert workers[0].counts(job) == {"waiting": 3500}


def test_what_a_killed_worker_had_begun_is_unknown_after_its_lease(database: Database, clock: Clock) -> None:
    dead, alive = worker(database, clock), worker(database, clock)
    job = dead.add("x", "1", "job", [MESSAGE], targets=[(f"k{n}", 0, f"t{n}", None) for n in range(5)])
    begun = dead.claim(3)
    dead.ended([End(begun[0].id, "accepted", 200)])
    clock.now += 9.9
    alive.renew()
    assert alive.sweep() == 0
    clock.now += 0.2
    assert alive.sweep() == 2
    assert alive.counts(job) == {"accepted": 1, "unknown": 2, "waiting": 2}
    assert [one["key"] for one in alive.unknown(job)] == ["k1", "k2"]
    # What had not begun is not lost; what is unknown is sent again by nobody's accident.
    rest = alive.claim(10)
    assert [send.key for send in rest] == ["k3", "k4"]
    alive.ended([End(send.id, "accepted") for send in rest])
    assert alive.is_over(job)
    assert alive.claim(10) == []
    assert alive.send_again([begun[1].id]) == 1
    assert alive.send_again([begun[0].id]) == 0
    assert [(send.key, send.attempts) for send in alive.claim(10)] == [("k1", 2)]


def test_a_worker_that_was_taken_for_dead_and_comes_back(database: Database, clock: Clock) -> None:
    slow, other = worker(database, clock), worker(database, clock)
    slow.add("x", "1", "job", [MESSAGE], targets=[("k0", 0, "t", None), ("k1", 0, "t", None)])
    (begun,) = slow.claim(1)
    clock.now += 10.1
    other.renew()
    assert other.sweep() == 1
    # It takes nothing new before it has renewed its lease, and what it knows of the old is believed.
    assert not slow.holds_lease()
    assert slow.claim(1) == []
    slow.ended([End(begun.id, "accepted", 200)])
    assert slow.counts() == {"accepted": 1, "waiting": 1}
    slow.ended([End(begun.id, "rejected", 400)])
    assert slow.counts() == {"accepted": 1, "waiting": 1}
    slow.renew()
    assert len(slow.claim(1)) == 1


def test_what_was_never_sent_waits_again_unless_somebody_chose(database: Database, clock: Clock) -> None:
    slow, other = worker(database, clock), worker(database, clock)
    job = slow.add("x", "1", "job", [MESSAGE], targets=[(f"k{n}", 0, "t", None) for n in range(3)])
    one, two, three = slow.claim(3)
    clock.now += 11
    other.renew()
    assert other.sweep() == 3
    other.send_again([two.id])
    assert [send.id for send in other.claim(1)] == [two.id]
    slow.release([one.id, two.id, three.id])
    assert other.counts(job) == {"waiting": 2, "begun": 1}


def test_a_send_that_has_to_wait_waits(database: Database, clock: Clock) -> None:
    work = worker(database, clock)
    job = work.add("x", "1", "job", [MESSAGE], targets=[("k", 0, "t", None)])
    (send,) = work.claim(1)
    work.ended([End(send.id, "retry_later", 429, "TooManyRequests", later=clock.now + 5)])
    assert work.counts(job) == {"waiting": 1}
    assert work.claim(1) == []
    clock.now += 5
    work.renew()
    assert work.claim(1)[0].attempts == 2


def test_what_is_cancelled_is_not_sent_and_what_has_begun_goes_on(database: Database, clock: Clock) -> None:
    work = worker(database, clock)
    devices(database, 3)
    job = work.add("x", "1", "job", [MESSAGE], targets=[(f"k{n}", 0, "t", None) for n in range(3)])
    later = work.add("pushpad", "1", "later", [MESSAGE], selection={}, due=clock.now + 5)
    work.claim(1)
    assert work.cancel(job)
    assert work.cancel(later)
    assert not work.cancel(99)
    clock.now += 6
    work.renew()
    spread(work)
    assert work.claim(10) == []
    assert work.counts() == {"begun": 1, "cancelled": 2}


def test_a_direct_job_is_its_workers_own_from_the_start(database: Database, clock: Clock) -> None:
    work, other = worker(database, clock), worker(database, clock)
    job = work.add("x", "1", "job", [MESSAGE], targets=[("k", 0, "t", None)], begun=True)
    assert other.claim(10) == []
    assert [send.key for send in work.mine(job)] == ["k"]
    work.resign()
    assert work.counts(job) == {"unknown": 1}


def _claim_all(path: str, pipe: object) -> None:
    work = Work(Database(path))
    work.renew()
    mine = []
    while batch := work.claim(7):
        mine += [send.key for send in batch]
        work.ended([End(send.id, "accepted") for send in batch])
        work.renew()
    pipe.send(mine)  # type: ignore[attr-defined]


def test_four_processes_share_the_work_and_double_nothing(database: Database) -> None:
    work = Work(database)
    work.add("x", "1", "job", [MESSAGE], targets=[(f"k{n}", 0, "t", None) for n in range(400)])
    context = multiprocessing.get_context("spawn")
    running, ends = [], []
    for _ in range(4):
        mine, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_claim_all, args=(database.path, theirs))
        process.start()
        theirs.close()
        running.append(process)
        ends.append(mine)
    claimed = [key for pipe in ends for key in pipe.recv()]
    for process in running:
        process.join()
    assert sorted(claimed) == sorted(f"k{n}" for n in range(400))
    assert work.counts() == {"accepted": 400}
