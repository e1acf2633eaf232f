#!/usr/bin/env python3
"""Puts one fault after the other into Python's asyncio driver, and asks its tests whether they notice.

usage: python_driver.py --fits      (only looks whether each fault fits its source)
       python_driver.py [WORD...]   (only faults whose name has a word; from an environment with `pushcore` installed in place)

The faults are those of an audit, written by hand, because each leaves out a duty as a person would forget it.
A fault that no test notices, or that does not fit the source any more, fails the run. The sources are restored in any case.
"""

from __future__ import annotations

import pathlib
import subprocess
import sys
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "bindings/python/python/pushcore"


class Fault(NamedTuple):
    name: str
    file: str
    old: str
    new: str


FAULTS = [
    Fault(
        "resolved addresses are not put to the policy",
        "_aio_dial.py",
        "        for address in found:\n            session.allow_address",
        "        for address in ():\n            session.allow_address",
    ),
    Fault(
        "only the first resolved address is put to the policy",
        "_aio_dial.py",
        "        for address in found:\n            session.allow_address",
        "        for address in found[:1]:\n            session.allow_address",
    ),
    Fault(
        "a second address is never tried",
        "_aio_dial.py",
        "    waiting = list(addresses)\n",
        "    waiting = list(addresses[:1])\n",
    ),
    Fault("the end of input keeps the connection", "_aio_engine.py", "        return False\n", "        return True\n"),
    Fault(
        "a lost connection is not told",
        "_aio_engine.py",
        "            self.session.receive_eof(protocol.link)\n",
        "            pass\n",
    ),
    Fault(
        "a full socket is written to", "_aio_engine.py", "        self.paused = True\n", "        self.paused = False\n"
    ),
    Fault(
        "send does not wait for room",
        "_aio_engine.py",
        "        while not self.session.capacity() and not self.closed:\n            left = ",
        "        while False:\n            left = ",
    ),
    Fault(
        "a call's deadline is not kept while its token is fetched",
        "_aio_engine.py",
        '            if not left:\n                raise Expired("no access',
        '            if False:\n                raise Expired("no access',
    ),
    Fault("an early timer spins", "_aio_engine.py", "        self.tick(at)\n", "        self.tick()\n"),
    Fault(
        "close does not wait for what is in flight",
        "_aio_engine.py",
        "            while not self.session.is_closed():\n",
        "            while False:\n",
    ),
    Fault(
        "the last words are not written", "_aio_engine.py", "            if last_words:\n", "            if False:\n"
    ),
    Fault("a batch that is left goes on", "_aio_bulk.py", "        engine.end(batch)\n", "        pass\n"),
    Fault(
        "a cancelled task's message goes on",
        "_aio_engine.py",
        "            self.cancel(ticket)\n            raise\n",
        "            raise\n",
    ),
    Fault(
        "results without bound",
        "_aio_bulk.py",
        "            while self.batch.ready >= _MOST_RESULTS:\n",
        "            while False:\n",
    ),
    Fault(
        "a slow source gets large pieces",
        "_aio_bulk.py",
        "            size = min(size * 2, _MOST_AT_ONCE) if quick else max(size // 2, 1)\n",
        "            size = min(size * 2, _MOST_AT_ONCE)\n",
    ),
]


def fitting(fault: Fault) -> str:
    """The source of a fault, which has its place."""
    source = (PACKAGE / fault.file).read_text()
    if source.count(fault.old) != 1:
        raise SystemExit(f"the fault does not fit {fault.file} any more: {fault.name}")
    return source


def is_noticed(fault: Fault) -> bool:
    """Whether a test fails while the fault is in the source."""
    path = PACKAGE / fault.file
    source = fitting(fault)
    tests = ["bindings/python/tests/test_aio_driver.py", "bindings/python/tests/test_aio.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-k", "not uvloop", *tests]
    path.write_text(source.replace(fault.old, fault.new))
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    except subprocess.TimeoutExpired:
        return True
    finally:
        path.write_text(source)
    return done.returncode == 1


def main() -> None:
    """Puts in the chosen faults."""
    words = sys.argv[1:]
    if words == ["--fits"]:
        for fault in FAULTS:
            fitting(fault)
        return
    chosen = [fault for fault in FAULTS if not words or any(word in fault.name for word in words)]
    survivors = []
    for fault in chosen:
        noticed = is_noticed(fault)
        print("noticed  " if noticed else "SURVIVED ", fault.name, flush=True)
        if not noticed:
            survivors.append(fault.name)
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} faults noticed")
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
