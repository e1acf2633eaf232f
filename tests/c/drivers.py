"""Plays every case of the drivers' suite (tests/drivers) with drivers.c.

    drivers.py PROGRAM PEER [CASE...]

PEER is `pushcore-peer`. Says each case that has faults; the last line counts.
"""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

COUNTS = {"max_connections", "max_queued", "max_requeues", "seed", "max_in_flight"}


def told_lines(told):
    """What the program reads, from what the peer tells."""
    for name in ("service", "host", "key", "account", "ca", "proxy", "size"):
        if told.get(name) is not None:
            yield f"{name} {told[name]}"
    options = dict(told["options"])
    options.update(options.pop("http2", {}))
    for name, value in options.items():
        # Times of zero would be other times: a millisecond is the smallest.
        yield f"option {name} {value if name in COUNTS else round(value * 1000)}"
    for step in told["steps"]:
        rest = step.get("until", {key: value for key, value in step.items() if key != "do"} if step["do"] == "until" else None)
        pause = round(1000 * step.get("pause", step.get("seconds", 0)))
        line = f"step {step['do']} {step.get('count', 0)} {step.get('fetch', 0)} {pause}"
        yield f"{line} {json.dumps(rest)}" if rest is not None else line
    yield "go"


def play(program, peer, name):
    """Returns the peer's report."""
    with subprocess.Popen([peer, name, "c"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as judge:
        def ask(line):
            judge.stdin.write(json.dumps(line) + "\n")
            judge.stdin.flush()
            return json.loads(judge.stdout.readline())

        told = json.loads(judge.stdout.readline())
        began = time.monotonic()
        said = {"ends": []}
        done = False
        with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as player:
            player.stdin.write("".join(line + "\n" for line in told_lines(told)))
            player.stdin.flush()
            for line in player.stdout:
                word, _, rest = line.rstrip("\n").partition(" ")
                if word == "end":
                    number, end, cause = rest.split(" ")
                    said["ends"].append([int(number), end, cause])
                elif word == "until":
                    seen = ask({"until": json.loads(rest)})["until"]
                    player.stdin.write(f"{seen}\n")
                    player.stdin.flush()
                elif word == "taken":
                    said["taken"] = int(rest)
                else:
                    done = word == "done"
                    said["seconds"] = time.monotonic() - began
            complaint = player.stderr.read()
            if player.wait(10) != 0 or not done:
                said["error"] = f"the runner ended with {player.returncode}: {complaint}"
        said.setdefault("seconds", time.monotonic() - began)
        report = ask(said)
        judge.stdin.close()
        judge.wait(10)
    return report


def main():
    program, peer, *names = sys.argv[1:]
    if not names:
        listed = subprocess.run([peer, "--list", "c"], check=True, capture_output=True, text=True)
        names = listed.stdout.split()
    failed = 0
    # Most of the time of a case is waiting.
    with ThreadPoolExecutor(4) as threads:
        for name, report in zip(names, threads.map(lambda each: play(program, peer, each), names)):
            if report["faults"]:
                failed += 1
                print(f"{name}: {json.dumps(report)[:1500]}")
    print(f"{len(names) - failed} of {len(names)} cases of the drivers' suite")
    sys.exit(1 if failed or not names else 0)


if __name__ == "__main__":
    main()
