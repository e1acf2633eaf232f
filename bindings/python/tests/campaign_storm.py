"""Campaigns that are killed again and again, with the sandbox's log as the oracle.

`python campaign_storm.py --rows 100000 --kills 50` prints a table; a short form is a test (`test_campaign_storm.py`).
What is checked: no target is lost, none is sent twice, and what is called unknown was in flight when the process died.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import tempfile
import time
from typing import Any, NamedTuple

from campaigns import apns, register, start
from pushcore.campaign import JournalError
from pushcore.campaign.journal import Journal
from pushcore.testing import Sandbox


class Blow(NamedTuple):
    """What one death left behind."""

    number: int
    kind: str
    #: Pushes that the service had taken by then.
    accepted: int
    #: Rows handed over whose end the journal does not know.
    open: int
    #: Those of them that the service has taken.
    open_and_taken: int
    #: Copies of the journal that were truncated, and how many of them were refused as damaged.
    copies: int
    refused: int


def taken(sandbox: Sandbox, known: set[str], after: list[int]) -> set[str]:
    """The targets that the service has taken; raises when one was taken twice."""
    for record in sandbox.log(service="apns", operation="push", accepted=True, after=after[0]):
        after[0] = max(after[0], record["seq"])
        assert record["target"] not in known, f"sent twice: {record['target']}"
        known.add(record["target"])
    return known


def states(journal: pathlib.Path) -> dict[str, int]:
    """What a journal says of each target: 1 handed over, 2 ended."""
    database = sqlite3.connect(journal)
    try:
        return dict(database.execute("SELECT target, state FROM rows"))
    finally:
        database.close()


def cut(journal: pathlib.Path, identity: dict[str, Any], sent: set[str], pages: list[int], folder: pathlib.Path) -> int:
    """Power cuts: copies of the journal cut off after so many pages. How many are refused; none may forget a push."""
    refused = 0
    hot = journal.with_name(journal.name + "-journal")
    for page in pages:
        for victim in (journal, hot):
            if not victim.exists():
                continue
            copy = folder / "copy.db"
            for old in folder.glob("copy.db*"):
                old.unlink()
            for name in (journal, hot):
                if name.exists():
                    shutil.copy(name, folder / name.name.replace(journal.name, "copy.db"))
            target = folder / victim.name.replace(journal.name, "copy.db")
            if page * 4096 >= target.stat().st_size:
                continue
            os.truncate(target, page * 4096)
            try:
                opened = Journal(copy, identity)
            except JournalError:
                refused += 1
                continue
            try:
                remembered = {record.target for record in opened.records() if record.result != "waiting"}
            finally:
                opened.close()
            if victim == hot:
                # A cut in SQLite's own journal may only undo what had not been sent yet.
                assert sent <= remembered, f"forgotten: {len(sent - remembered)} after a cut of {victim.name} at {page}"
            else:
                assert sent <= remembered, f"forgotten: {len(sent - remembered)} after a cut at page {page}"
    return refused


def storm(sandbox: Sandbox, folder: pathlib.Path, rows: int, kills: int, seed: int, cuts: int = 6) -> list[Blow]:
    """One campaign, killed so often; what each blow left. Raises when a promise is broken."""
    chance = random.Random(seed)
    tokens = register(sandbox, rows)
    source, results = folder / "tokens.txt", folder / "campaign.db"
    source.write_text("\n".join(tokens))
    command = apns(sandbox, "--alert", "x", "--from", str(source), "--results", str(results))
    sandbox.control(
        "POST", "latency", {"service": "apns", "distribution": {"kind": "uniform", "min_ms": 5, "max_ms": 60}}
    )
    sent: set[str] = set()
    after = [0]
    blows: list[Blow] = []
    doubtful = 0
    while len(blows) < kills:
        kind = chance.choice(["SIGKILL", "SIGTERM", "power"])
        before = sandbox.stats()["judged"]
        process = start(command)
        # Each run gets about as far as lets all the blows fall before the end.
        goal = before + chance.randrange(1, max(2, rows // (kills + 2)))
        while process.poll() is None and sandbox.stats()["judged"] < goal:
            time.sleep(0.002)
        time.sleep(chance.random() * 0.02)
        if process.poll() is not None:
            # It came to its end before the blow.
            process.communicate()
            break
        copies = refused = 0
        if kind == "power":
            # The machine stops: what was written is there, in the middle of whatever was going on.
            process.send_signal(signal.SIGSTOP)
            still = folder / "still"
            still.mkdir()
            for name in (results, results.with_name(results.name + "-journal")):
                if name.exists():
                    shutil.copy(name, still / name.name)
            process.kill()
            process.communicate()
            time.sleep(0.1)
            sent = taken(sandbox, sent, after)
            size = max(1, (still / results.name).stat().st_size // 4096)
            pages = sorted({0, 1, size - 1, *(chance.randrange(size) for _ in range(cuts))})
            if cuts < 0:
                pages = list(range(size))
            (folder / "cut").mkdir()
            refused = cut(still / results.name, identity_of(results), sent, pages, folder / "cut")
            copies = len(pages)
            for name in (still, folder / "cut"):
                shutil.rmtree(name)
        else:
            process.send_signal(getattr(signal, kind))
            process.communicate(timeout=60)
            time.sleep(0.1)
            sent = taken(sandbox, sent, after)
        found = states(results)
        handed = {target for target, state in found.items() if state == 1}
        assert sent <= {target for target, state in found.items() if state != 0}, "every push is on record"
        if kind == "SIGTERM":
            assert not handed, "an end in order leaves nothing in doubt"
        # What could be in flight: the window that the run had worked itself up to.
        assert len(handed) <= 2000
        doubtful += len(handed)
        blows.append(Blow(len(blows) + 1, kind, len(sent), len(handed), len(handed & sent), copies, refused))
    process = start(command)
    process.communicate(timeout=600)
    sent = taken(sandbox, sent, after)
    database = sqlite3.connect(results)
    ends = dict(database.execute("SELECT outcome, count(*) FROM rows GROUP BY 1"))
    unknown = {target for (target,) in database.execute("SELECT target FROM rows WHERE outcome = 'unknown'")}
    database.close()
    assert set(ends) <= {"accepted", "unknown"}, ends
    assert sum(ends.values()) == rows, "none is lost"
    assert sent | unknown == set(tokens), "each was sent or is called unknown"
    assert ends.get("unknown", 0) <= doubtful
    sandbox.control("POST", "latency", {"service": "apns", "distribution": None})
    return blows


def identity_of(journal: pathlib.Path) -> dict[str, Any]:
    """What a journal's campaign is known by."""
    import json

    database = sqlite3.connect(journal)
    try:
        found = database.execute("SELECT value FROM meta WHERE name = 'identity'").fetchone()
    finally:
        database.close()
    made: dict[str, Any] = json.loads(found[0])
    return made


def main() -> None:
    """The long form."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cuts", type=int, default=6, help="truncated copies at each power cut; -1: at every page")
    options = parser.parse_args()
    with Sandbox("--log-limit", "2048") as sandbox, tempfile.TemporaryDirectory() as folder:
        blows = storm(sandbox, pathlib.Path(folder), options.rows, options.kills, options.seed, options.cuts)
    print("| # | blow | taken so far | open | of these taken | cut copies | refused |")
    print("|---|---|---|---|---|---|---|")
    for blow in blows:
        print("| " + " | ".join(map(str, blow)) + " |")
    print(f"{len(blows)} blows in {options.rows} rows: 0 lost, 0 twice, {sum(blow.open for blow in blows)} unknown")


if __name__ == "__main__":
    main()
