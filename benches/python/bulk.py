#!/usr/bin/env python3
"""A bulk send with pushcore beside `aioapns`, `firebase-admin` and `pywebpush`, to one server.

    pip install -r benches/python/requirements.txt      (and pushcore: the wheel)
    PUSHCORE_SANDBOX=target/release/pushcore-sandbox python benches/python/bulk.py

The server is pushcore's sandbox on loopback (lenient, without the APNs stream governor). Each
subject runs in an interpreter of its own, sends one message to warm up and then the rest. What
counts is messages per CPU second of that interpreter, all its threads, user and system time:
the server and the other load of the machine stay outside. Wall rates are given too, but they are
mostly the server's. Peers send fewer messages, because they take so long: what 100,000 would cost
them is reckoned from those, in the column "100,000 take".

Each subject runs twice: against a server that answers at once, and (where it is a service that
answers one request at a time to everyone alike, APNs and FCM) against one that takes as long as
`--latency` says, in the words of the sandbox: what a client does while it waits costs CPU time too.
`--latency none` leaves that part out.

`--authority HOST:PORT --ca FILE` sends the APNs part to another, cheaper HTTP/2 server that answers
200 to everything; `--numbered PREFIX` says how its ids begin when it counts requests (12 hexadecimal
digits follow) and echoes no `apns-id`, which aioapns has to know. `--fcm-authority` does the same for
FCM, say with nghttpd and a file `v1/projects/pushcore-sandbox/messages:send`. `--scale 0.1` sends a tenth, `--count 10000` the same number for each. `--json FILE` keeps the rows.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pathlib
import platform
import resource
import subprocess
import sys
import time
from typing import Any

import ours
import peers
from subject import SUBSCRIPTIONS, Subject

HERE = pathlib.Path(__file__).resolve()

SUBJECTS = [
    Subject("pushcore, one message to many", "apns", 100_000, ours.apns_template, slow=100_000),
    Subject("pushcore, distinct messages", "apns", 100_000, ours.apns_distinct, slow=100_000),
    Subject("pushcore.aio, one message to many", "apns", 100_000, ours.apns_async),
    Subject("aioapns", "apns", 5_000, peers.aioapns_send, peer=True, slow=5_000),
    Subject("pushcore, one message to many", "fcm", 100_000, ours.fcm_template, slow=100_000),
    Subject("pushcore, distinct messages", "fcm", 100_000, ours.fcm_distinct, slow=100_000),
    Subject("firebase-admin send_each", "fcm", 5_000, peers.firebase_each, peer=True, slow=2_000),
    Subject("firebase-admin send_each_async", "fcm", 2_000, peers.firebase_each_async, peer=True, slow=1_000),
    Subject("pushcore, one message to many", "webpush", 100_000, ours.web_template),
    Subject("pywebpush", "webpush", 2_000, peers.pywebpush_send, peer=True),
]


def status(field: str) -> float:
    """MiB of this process, `VmRSS` or `VmHWM`."""
    text = pathlib.Path("/proc/self/status").read_text()
    return next(float(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith(field))


def cpu() -> tuple[float, float]:
    """User and system seconds of all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime, used.ru_stime


def measure(index: int, folder: pathlib.Path) -> None:
    """In the subject's own interpreter: one line of JSON."""
    subject = SUBJECTS[index]
    ready = json.loads((folder / "ready.json").read_text())
    ready = {"ca_file": ready["ca_file"], subject.service: ready[subject.service]}
    targets = json.loads((folder / "targets.json").read_text())
    steps = subject.run(ready, targets)
    next(steps)
    before = status("VmRSS")
    wall, (user, system) = time.perf_counter(), cpu()
    found = next(steps)
    wall, (user, system) = time.perf_counter() - wall, (now - was for now, was in zip(cpu(), (user, system), strict=True))
    row = {"sent": len(targets), "accepted": found, "wall": wall, "cpu": user + system, "system": system}
    row |= {"rss_before": before, "rss_peak": status("VmHWM")}
    next(steps, None)
    print(json.dumps(row))


def imports(module: str) -> dict[str, float]:
    """What `import module` costs a new interpreter: the best of seven."""
    code = (
        "import sys,time,resource\n"
        "rss=lambda: int(next(l for l in open('/proc/self/status') if l.startswith('VmRSS')).split()[1])/1024\n"
        f"b,m=time.process_time(),rss()\nimport {module}\nprint(time.process_time()-b, rss()-m)"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(7)]
    best = [min(float(run.stdout.split()[at]) for run in runs) for at in (0, 1)]
    return {"cpu_ms": best[0] * 1000, "rss_mib": best[1]}


def targets_of(sandbox: Any, service: str, count: int) -> list[Any]:
    """`count` targets that the sandbox knows."""
    if service == "webpush":
        call = sandbox.control
        some = [call("POST", "webpush/subscriptions", {}) for _ in range(min(SUBSCRIPTIONS, count))]
        return [some[at % len(some)] for at in range(count)]
    if service == "apns":
        tokens = [f"{at:064x}" for at in range(1, count + 1)]
        bundle = sandbox.ready["apns"]["topic"]
        register(sandbox, "apns/tokens", [{"token": token, "bundle": bundle} for token in tokens])
        return tokens
    tokens = [f"bulk{at:08d}:" + "A" * 140 for at in range(count)]
    register(sandbox, "fcm/tokens", [{"token": token, "state": "active"} for token in tokens])
    return tokens


def register(sandbox: Any, call: str, entries: list[Any]) -> None:
    """In pieces that the control endpoint takes."""
    for at in range(0, len(entries), 2000):
        sandbox.control("POST", call, entries[at : at + 2000])


def run(index: int, arguments: argparse.Namespace, folder: pathlib.Path, latency: str | None) -> dict[str, Any]:
    """One subject against a sandbox of its own."""
    from pushcore.testing import Sandbox

    subject = SUBJECTS[index]
    count = arguments.count or max(1, int((subject.slow if latency else subject.count) * arguments.scale))
    options = ["--latency", f"{subject.service}={latency}"] if latency else []
    with Sandbox("--profile", "lenient", "--no-governor", *options) as sandbox:
        (folder / "targets.json").write_text(json.dumps(targets_of(sandbox, subject.service, count)))
        ready = json.loads(json.dumps(sandbox.ready))
        if arguments.authority and subject.service == "apns":
            ready["apns"]["authority"] = arguments.authority
            ready["apns"]["numbered"] = arguments.numbered
        if subject.service == "fcm":
            # The other server makes no tokens: those are the sandbox's all the same.
            ready["fcm"]["send_to"] = arguments.fcm_authority or ready["fcm"]["authority"]
        if arguments.ca:
            both = pathlib.Path(ready["ca_file"]).read_text() + arguments.ca.read_text()
            (folder / "ca.pem").write_text(both)
            ready["ca_file"] = str(folder / "ca.pem")
        (folder / "ready.json").write_text(json.dumps(ready))
        before = sandbox.stats()
        trust = {"REQUESTS_CA_BUNDLE": ready["ca_file"], "SSL_CERT_FILE": ready["ca_file"]}
        done = subprocess.run(
            [sys.executable, HERE, "--measure", str(index), "--folder", folder],
            env={**os.environ, **trust},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{subject.service} {subject.name}: status {done.returncode}")
        row = json.loads(done.stdout)
        after = sandbox.stats()
        row["server"] = {key: value - before[key] for key, value in after.items() if isinstance(value, int)}
    named = {"service": subject.service, "name": subject.name, "peer": subject.peer, "latency": latency}
    print(f"  {subject.service} {subject.name}: {row['sent'] / row['cpu']:,.0f} a CPU second", file=sys.stderr)
    return {**named, **row}


def table(rows: list[dict[str, Any]]) -> None:
    """In Markdown, ratios against the first row of each service."""
    print("| service | sender | messages | accepted | a CPU second | 100,000 take | of it system | to pushcore |"
          " wall rate | connections | OAuth tokens | peak RSS, MiB |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    first: dict[str, float] = {}
    for row in rows:
        rate = row["sent"] / row["cpu"]
        best = first.setdefault(row["service"], rate)
        ratio = "1" if rate == best else f"1 : {best / rate:,.1f}"
        server = row["server"]
        reckoned = "" if row["sent"] == 100_000 else " (reckoned)"
        print(
            f"| {row['service']} | {row['name']} | {row['sent']:,} | {row['accepted']:,} | {rate:,.0f} "
            f"| {100_000 / rate:,.2f} s{reckoned} | {row['system'] / row['cpu']:.0%} | {ratio} "
            f"| {row['sent'] / row['wall']:,.0f}/s | {server.get('connections', '')} "
            f"| {server['fcm_tokens_minted'] or ''} | {row['rss_peak']:.0f} (before: {row['rss_before']:.0f}) |"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--only", help="subjects with this text in `service name`")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--count", type=int, help="messages of every subject, in place of its own number")
    parser.add_argument("--authority")
    parser.add_argument("--fcm-authority")
    parser.add_argument("--ca", type=pathlib.Path)
    parser.add_argument("--numbered")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--latency", default="log-normal:80,0.4", help="of the server in the second part, or none")
    parser.add_argument("--imports", action="store_true", help="measure imports instead")
    arguments = parser.parse_args()
    if arguments.measure is not None:
        measure(arguments.measure, arguments.folder)
        return
    print(f"{platform.platform()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, {time.strftime('%F %R')}")
    if arguments.imports:
        for module in ("pushcore", "pushcore.aio", "aioapns", "firebase_admin.messaging", "pywebpush"):
            importlib.import_module(module)  # compiles it, once
            cost = imports(module)
            print(f"| `import {module}` | {cost['cpu_ms']:.0f} ms CPU | {cost['rss_mib']:.1f} MiB |")
        return
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        chosen = [at for at, one in enumerate(SUBJECTS) if (arguments.only or "") in f"{one.service} {one.name}"]
        rows = [run(at, arguments, pathlib.Path(folder), None) for at in chosen]
        print("\nThe server answers at once:\n")
        table(rows)
        latency = None if arguments.latency == "none" or arguments.authority else arguments.latency
        if latency:
            late = [run(at, arguments, pathlib.Path(folder), latency) for at in chosen if SUBJECTS[at].slow]
            print(f"\nThe server takes {latency} ms:\n")
            table(late)
            rows += late
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
