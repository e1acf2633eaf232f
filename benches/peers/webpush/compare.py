"""Web Push beside its peers: messages sealed and signed per second of one core.

    compare.py ROUNDS MESSAGES BYTES -- COMMAND... -- COMMAND... [-- ...]

Each command is a process that prints the names of what it can measure, separated by `|`, and then answers
each name it is sent with the nanoseconds that MESSAGES of BYTES took. In every round each name is run once,
one after the other; the order turns by one each round. What counts is the processor time of the process, all its
threads, as Linux keeps it (/proc/PID/task/*/schedstat): another program on the core does not count. Ratios
are medians over the rounds of the ratio within a round.
"""

import subprocess
import sys
from itertools import groupby
from pathlib import Path
from statistics import median


class Worker:
    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.names = self.read().split("|")

    def read(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.process.args} ended")
        return line.rstrip("\n")

    def processor(self) -> int:
        threads = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads)

    def run(self, name: str) -> tuple[int, int]:
        """Processor time and time passed, in nanoseconds."""
        assert self.process.stdin
        before = self.processor()
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        passed = int(self.read())
        return self.processor() - before, passed

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(timeout=10)


def main() -> None:
    rounds, messages, size = (int(text) for text in sys.argv[1:4])
    groups = [list(group) for split, group in groupby(sys.argv[4:], lambda word: word == "--") if not split]
    workers = [Worker([*command, str(messages), str(size)]) for command in groups]
    turns = [(name, worker) for worker in workers for name in worker.names]
    times: dict[str, list[tuple[int, int]]] = {name: [] for name, _ in turns}
    for name, worker in turns:
        worker.run(name)  # warm caches, compiled JavaScript
    for number in range(rounds):
        first = number % len(turns)
        for name, worker in turns[first:] + turns[:first]:
            times[name].append(worker.run(name))
    for worker in workers:
        worker.close()

    mine = [processor for processor, _ in times["pushcore"]]

    def ratio(name: str) -> float:
        return median(theirs / ours for (theirs, _), ours in zip(times[name], mine, strict=True))

    print(f"{messages} messages of {size} bytes, {rounds} rounds in turn, medians of processor time")
    print(f"{'':34} {'us each':>8} {'a second':>9} {'times ours':>11} {'us by the clock':>16}")
    for name, each in times.items():
        processor, passed = (median(column) / messages / 1e3 for column in zip(*each, strict=True))
        print(f"{name:34} {processor:8.1f} {1e6 / processor:9.0f} {ratio(name):11.3f} {passed:16.1f}")
    print(f"pushcore beside the raw operations: {1 / ratio(RAW):.3f}")
    for what, names in {
        "of the whole request": [name for name in times if "alone" not in name and "no signature" not in name],
        "of the encryption alone": [name for name in times if "alone" in name or "no signature" in name],
    }.items():
        best = min((name for name in names if name not in OWN), key=ratio)
        print(f"as many as the best peer {what} ({best}): {ratio(best):.2f} times")


RAW = "raw ring operations"
OWN = {"pushcore", RAW}

main()
