#!/usr/bin/env python3
"""Campaigns over real round trips: pushcore with its defaults beside Pushy, sideshow/apns2, a2 and aioapns in one run.

    python3 -m venv .venv && .venv/bin/pip install aioapns==4.0
    .venv/bin/python benches/round_trips.py                  all rows, about five minutes once everything is built
    .venv/bin/python benches/round_trips.py --rows 3,5       some of them
    .venv/bin/python benches/round_trips.py --build          builds everything and measures nothing

Linux. Wants cargo, go, a JDK of 17 or newer, mvn and openssl; peers are installed by cargo, go, mvn and pip. Every client sends
through the same delay proxy (`delay_proxy`: no loss, no slow start) to the same server (`responder`: answers with an `apns-id`) for
the same time, one after the other; a row takes them in turn, so that a busy moment of the machine meets them all alike.
Peers have 2,000 messages under way, as many as pushcore has in its queue. "Window" is the step in which the server gives
its flow-control window of 65,535 octets back; "wide" is no limit.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "bench"
BIN = ROOT / "target" / "release"
PEERS = ROOT / "benches" / "peers"
# a2 knows one port: benches/peers/prepare.sh.
PROXY = 9473
SERVER = 9472
IN_FLIGHT = "2000"
STEP = 32_822

# Round trip in milliseconds, streams, window, octets of a body.
ROWS = [
    (40, 1000, "real", 200),
    (40, 1000, "wide", 200),
    (150, 1000, "real", 200),
    (150, 1000, "wide", 200),
    (40, 500, "real", 200),
    (40, 100, "real", 200),
    (150, 500, "real", 200),
    (150, 100, "real", 200),
    (40, 1000, "real", 4096),
    (150, 1000, "real", 4096),
]


def build() -> None:
    def run(*command: object, cwd: pathlib.Path = ROOT) -> None:
        subprocess.run([str(word) for word in command], cwd=cwd, check=True)

    WORK.mkdir(parents=True, exist_ok=True)
    run("cargo", "build", "-q", "--profile", "bench", "-p", "pushcore-benches")
    run("sh", PEERS / "prepare.sh")
    manifest = PEERS / "Cargo.toml"
    run("cargo", "build", "-q", "--release", "--manifest-path", manifest, "--target-dir", ROOT / "target" / "peers")
    run("go", "build", "-o", "bin/apns2_send", ".", cwd=PEERS / "go")
    run("mvn", "-q", "-B", "package", cwd=PEERS / "java")
    if not (WORK / "cert.pem").exists():
        run(BIN / "responder", "certificate", WORK)
    if not (WORK / "apns.pem").exists():
        curve = "ec_paramgen_curve:P-256"
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", curve, "-out", WORK / "apns.pem")


@contextlib.contextmanager
def started(port: int, *command: object) -> Iterator[None]:
    """Runs a server until the end of the block; waits until it listens."""
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        else:
            raise SystemExit(f"nothing listens on {port}: {command[0]}")
        yield
    finally:
        process.kill()
        process.wait()


def clients(
    row: tuple[int, int, str, int], seconds: int, body: pathlib.Path, eight: bool
) -> Iterator[tuple[str, list[object]]]:
    millis, streams, window, octets = row
    ca, key = WORK / "cert.pem", WORK / "apns.pem"
    usual = [PROXY, ca, key, seconds, IN_FLIGHT, body]
    step = 0 if window == "wide" else STEP
    yield "pushcore", [BIN / "round_trip", f"localhost:{PROXY}", ca, seconds, millis, octets, streams, step]
    yield "apns2 (Go)", [PEERS / "go" / "bin" / "apns2_send", *usual]
    java = PEERS / "java" / "target"
    path = f"{java / 'classes'}:{(java / 'classpath').read_text().strip()}"
    for connections in (1, 8) if eight else (1,):
        yield f"Pushy, {connections}", ["java", "-Xmx512m", "-cp", path, "PushySend", *usual, connections]
    if octets == 200:
        yield "a2", [ROOT / "target" / "peers" / "release" / "a2_send", key, 10**9, IN_FLIGHT, seconds]
    yield "aioapns", [sys.executable, PEERS / "python" / "aioapns_send.py", *usual]


def measured(command: list[object], seconds: int) -> str:
    """Returns what a client printed, or why it printed nothing."""
    environment = {**os.environ, "BENCH_CA": str(WORK / "cert.pem")}
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=seconds + 60, env=environment)
    except subprocess.TimeoutExpired:
        return "did not end"
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip()[-300:]


def field(text: str, name: str) -> str:
    found = re.search(rf"\b{name}=(\S+)", text)
    return found.group(1) if found else "?"


def measure(row: tuple[int, int, str, int], eight: bool) -> str:
    millis, streams, window, octets = row
    seconds = 3 if millis < 100 else 6
    filler = "x" * (octets - len('{"aps":{"alert":""}}'))
    body = WORK / "round_trip.json"
    body.write_text(f'{{"aps":{{"alert":"{filler}"}}}}')
    words = ["id", "real"] if window == "real" else ["id"]
    rates: dict[str, float] = {}
    own = ""
    server = started(SERVER, BIN / "responder", "http2", SERVER, WORK, streams, *words)
    proxy = started(PROXY, BIN / "delay_proxy", PROXY, f"127.0.0.1:{SERVER}", millis)
    with server, proxy:
        for name, command in clients(row, seconds, body, eight):
            text = measured(command, seconds)
            print(f"  {name}: {text}", file=sys.stderr, flush=True)
            if name == "pushcore":
                own = text
            with contextlib.suppress(ValueError):
                rates[name] = float(field(text, "per_second"))
    ours = rates.pop("pushcore", 0.0)
    defaults = {name: rate for name, rate in rates.items() if name != "Pushy, 8"}
    best, rate = max(defaults.items(), key=lambda pair: pair[1], default=("none", 0.0))
    ratio = f"{ours / rate:.1f}" if rate else "-"
    limit = 1.5 if millis < 100 else 4.0
    at = field(own, "used_80_at")
    used = f"{at} s" if at != "never" else f"never (most: {float(field(own, 'best_used')):.0%})"
    met = "yes" if at not in ("never", "?") and float(at) <= limit else "no"
    peers = " | ".join(f"{rates[name]:,.0f}" if name in rates else "-" for name in NAMES)
    return (
        f"| {millis} ms, {streams}, {window}, {octets} | {ours:,.0f} ({field(own, 'connections')}) "
        f"| {peers} | {best}: {ratio} "
        f"| {float(field(own, 'bound')):,.0f} | {used}; {met} | {float(field(own, 'machine_busy')):.0%} "
        f"| {field(own, 'lone_p50_ms')}, {field(own, 'lone_max_ms')} ms |"
    )


NAMES = ["apns2 (Go)", "Pushy, 1", "Pushy, 8", "a2", "aioapns"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="", help="numbers of rows, from 1, with commas between them")
    parser.add_argument("--build", action="store_true", help="builds, and measures nothing")
    parser.add_argument("--eight", action="store_true", help="Pushy over eight connections, too; its default is one")
    parser.add_argument("--built", action="store_true", help="measures what was built before")
    arguments = parser.parse_args()
    if not arguments.built:
        build()
    if arguments.build:
        return
    numbers = [int(text) for text in arguments.rows.split(",") if text] or range(1, len(ROWS) + 1)
    print("| round trip, streams, window, body | pushcore (connections) |", " | ".join(NAMES), end=" ")
    print(
        "| best default peer: ratio | bound | 80 % of it since; in time | machine busy | a lone push: median, longest |"
    )
    print("|---" * (len(NAMES) + 7) + "|", flush=True)
    for number in numbers:
        print(measure(ROWS[number - 1], arguments.eight), flush=True)


if __name__ == "__main__":
    main()
