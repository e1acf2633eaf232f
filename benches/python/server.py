#!/usr/bin/env python3
"""What pushcore's sandbox itself costs: requests for each second of its CPU, one client sending.

    PUSHCORE_SANDBOX=target/release/pushcore-sandbox python benches/python/server.py [SERVICE...] [--count N]

The client is pushcore's, with one message to many targets, as in `bulk.py`; what is read is the
sandbox's own `/proc/PID/stat`, `status` and `io`, before and after. Linux only. `--sandbox` replaces the sandbox's
options, `--perf FILE` records where its time goes (build it with `CARGO_PROFILE_RELEASE_DEBUG=1`).
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import bulk

#: Of `bulk.SUBJECTS`, by service.
FIRST = {subject.service: at for at, subject in reversed(list(enumerate(bulk.SUBJECTS)))}
TICKS = os.sysconf("SC_CLK_TCK")


def cpu(pid: int) -> float:
    """User and system seconds of a process, all its threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(pid: int) -> float:
    """MiB in memory."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def writes(pid: int) -> int:
    """System calls that wrote, so far."""
    lines = pathlib.Path(f"/proc/{pid}/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("syscw"))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("services", nargs="*", default=[], help="apns, fcm, webpush; all of them if none is named")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=1, help="in one sandbox, one after the other")
    parser.add_argument("--sandbox", default="--profile lenient --no-governor", help="the sandbox's options")
    parser.add_argument("--perf", type=pathlib.Path, help="where `perf record` of the sandbox goes")
    arguments = parser.parse_args()
    from pushcore.testing import Sandbox

    print("| service | requests | accepted | a CPU second of the sandbox | wall rate | writes | RSS, MiB |")
    print("|---|---|---|---|---|---|---|")
    for service in arguments.services or FIRST:
        with tempfile.TemporaryDirectory() as folder, Sandbox(*arguments.sandbox.split()) as sandbox:
            there = pathlib.Path(folder)
            (there / "targets.json").write_text(json.dumps(bulk.targets_of(sandbox, service, arguments.count)))
            if service == "fcm":
                sandbox.ready["fcm"]["send_to"] = sandbox.ready["fcm"]["authority"]
            (there / "ready.json").write_text(json.dumps(sandbox.ready))
            command = [sys.executable, bulk.HERE, "--measure", str(FIRST[service]), "--folder", folder]
            perf = None
            if arguments.perf:
                record = ["perf", "record", "-q", "--call-graph", "dwarf,16384", "-F", "499", "-o", arguments.perf]
                perf = subprocess.Popen([*record, "-p", str(sandbox.pid)])
                time.sleep(0.5)
            for _ in range(arguments.rounds):
                before, memory, wrote = cpu(sandbox.pid), resident(sandbox.pid), writes(sandbox.pid)
                done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
                used = cpu(sandbox.pid) - before
                row = json.loads(done.stdout)
                print(
                    f"| {service} | {row['sent']:,} | {row['accepted']:,} | {row['sent'] / used:,.0f} "
                    f"| {row['sent'] / row['wall']:,.0f}/s | {writes(sandbox.pid) - wrote:,} "
                    f"| {resident(sandbox.pid):.0f} (before: {memory:.0f}) |",
                    flush=True,
                )
            if perf:
                perf.terminate()
                perf.wait()


if __name__ == "__main__":
    main()
