#!/usr/bin/env python3
"""What the tests of a run say themselves: which ran, which were left out, which driver played which case.

    report.py run SUITE -- COMMAND...   runs the tests, keeps what they say in target/report/SUITE, and shows what is not "ok"
    report.py check [SUITE...]          fails where a table in docs/ names a test that did not run, where a test was left out, or
                                        where a driver of the suites played a case badly or not at all
    report.py drivers [--write]         compares docs/drivers.md with the report, or writes it anew

The suites that `check` wants are `rust` and `python` unless others are named: the tables name tests of these two.
"""

from __future__ import annotations

import collections
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

ROOT = pathlib.Path(__file__).resolve().parents[1]
REPORT = ROOT / "target/report"
PEER = ROOT / "target/debug/pushcore-peer"
#: A line of libtest.
LINE = re.compile(r"^test (.+?) \.\.\. (ok|FAILED|ignored)")
#: The folders whose tests the tables may name, by the suite that runs them.
FOLDERS: dict[str, list[str]] = {
    "rust": ["core", "client", "client-tokio", "sandbox", "ffi", "tests"],
    "python": ["bindings/python/tests"],
    "examples": ["examples/tests"],
    "systems": ["examples/hug/tests"],
}


def run(suite: str, command: list[str]) -> int:
    """Runs the tests of a suite."""
    folder = REPORT / suite
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    options = os.environ.get("PYTEST_ADDOPTS", "")
    environment = {
        **os.environ,
        "PUSHCORE_REPORT": str(folder),
        "PYTEST_ADDOPTS": f"{options} --junitxml={folder / 'pytest.xml'}".strip(),
    }
    with (folder / "log.txt").open("w") as log:
        started = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        assert started.stdout is not None
        for line in started.stdout:
            log.write(line)
            said = LINE.match(line)
            if not said or said[2] != "ok":
                sys.stdout.write(line)
                sys.stdout.flush()
        return started.wait()


class Report:
    """What one or more suites have said."""

    def __init__(self, suites: list[str]) -> None:
        #: By suite: how many tests passed, failed, were left out.
        self.counts: dict[str, collections.Counter[str]] = {}
        self.left_out: list[str] = []
        #: The names of the tests that passed, without module and parameters.
        self.passed: set[str] = set()
        #: Of each driver, its cases and how the last play of each ended.
        self.drivers: dict[str, dict[str, str]] = collections.defaultdict(dict)
        for suite in suites:
            self.read(suite)

    def read(self, suite: str) -> None:
        folder = REPORT / suite
        if not folder.is_dir():
            raise SystemExit(f"the suite `{suite}` has not run: no {folder}")
        counts = self.counts.setdefault(suite, collections.Counter())
        for line in (folder / "log.txt").read_text(errors="replace").splitlines():
            said = LINE.match(line)
            if said:
                self.ended(suite, said[1].rpartition("::")[2].split(" - ")[0], {"FAILED": "failed"}.get(said[2], said[2]))
        if (folder / "pytest.xml").is_file():
            for case in ET.parse(folder / "pytest.xml").iter("testcase"):  # noqa: S314
                bad = case.find("failure") is not None or case.find("error") is not None
                end = "failed" if bad else "ignored" if case.find("skipped") is not None else "ok"
                self.ended(suite, case.get("name", "").partition("[")[0], end)
        if (folder / "drivers.tsv").is_file():
            for line in (folder / "drivers.tsv").read_text().splitlines():
                driver, case, end = line.split("\t")
                # A case that is played several times has to end well each time.
                if self.drivers[driver].get(case) != "failed":
                    self.drivers[driver][case] = end
        # Suites in other languages count their own tests; of those the drivers' cases are kept.
        if not counts and not (folder / "drivers.tsv").is_file():
            raise SystemExit(f"the suite `{suite}` has run no test")

    def ended(self, suite: str, test: str, end: str) -> None:
        self.counts[suite][end] += 1
        if end == "ok":
            self.passed.add(test)
        elif end == "ignored":
            self.left_out.append(f"{suite}: {test}")


def tests_in_sources(suites: list[str]) -> set[str]:
    """The name of every test that stands in a source of these suites."""
    names: set[str] = set()
    for folder in [folder for suite in suites for folder in FOLDERS.get(suite, ())]:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix == ".rs" and "target" not in path.parts:
                names.update(re.findall(r"#\[(?:tokio::)?test[^]]*\](?:\s*#\[[^]]*\])*\s*(?:async )?fn (\w+)", path.read_text()))
            elif path.suffix == ".py" and path.name.startswith("test_"):
                names.update(re.findall(r"^\s*(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE))
    return names


def named_in_tables() -> dict[str, list[str]]:
    """The words in the tables of docs/ that are names of tests, by document."""
    known = tests_in_sources(list(FOLDERS))
    named: dict[str, list[str]] = {}
    for path in sorted((ROOT / "docs").glob("*.md")):
        rows = [line for line in path.read_text().splitlines() if line.startswith("|")]
        words = {word for row in rows for word in re.findall(r"`([a-z][a-z0-9_]+)`", row)}
        tests = sorted(word for word in words if word in known or re.match(r"(?:row_\d\d|test)_", word))
        if tests:
            named[path.name] = tests
    return named


def asked(*arguments: str) -> list[str]:
    """What the peer of the drivers' suite answers."""
    done = subprocess.run([PEER, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return done.stdout.split()


def faults_of_drivers(report: Report, wanted: list[str]) -> list[str]:
    """Cases that a driver has to play and did not, or not well."""
    faults = []
    for driver in wanted:
        played = report.drivers.get(driver, {})
        for case in asked("--list", driver):
            if played.get(case) != "ok":
                faults.append(f"the driver {driver}: {case} {played.get(case, 'was not played')}")
    faults += [f"{driver} is no driver that there is" for driver in report.drivers if driver not in asked("--drivers")]
    return faults


def check(suites: list[str]) -> int:
    """Compares what is promised with what ran."""
    report = Report(suites)
    faults = [f"left out: {test}" for test in report.left_out]
    named, asked_for = named_in_tables(), tests_in_sources(suites)
    elsewhere = tests_in_sources([suite for suite in FOLDERS if suite not in suites])
    for document, tests in named.items():
        for test in tests:
            # What another suite runs is that suite's to show.
            if test not in report.passed and (test in asked_for or test not in elsewhere):
                faults.append(f"docs/{document} names {test}, which did not run")
    drivers = sorted(report.drivers)
    if "rust" in suites:
        drivers += ["rust", "tokio"]
    if "python" in suites:
        drivers += ["python", "asyncio", "uvloop"]
    faults += faults_of_drivers(report, sorted(set(drivers) & set(asked("--drivers"))))
    for suite, counts in report.counts.items():
        print(f"{suite}: {counts['ok']} tests passed, {counts['failed']} failed, {counts['ignored']} were left out")
    for driver, cases in sorted(report.drivers.items()):
        print(f"driver {driver}: {sum(end == 'ok' for end in cases.values())} cases played well")
    print(f"tables: {sum(map(len, named.values()))} names of tests in {len(named)} documents")
    print("\n".join(faults))
    return 1 if faults else 0


def table(report: Report) -> str:
    """docs/drivers.md."""
    drivers = [driver for driver in asked("--drivers") if driver in report.drivers]
    lines = [
        "# Which driver plays which case",
        "",
        "A driver moves octets between a session and sockets. Each plays the cases of [the drivers' suite](../tests/drivers/README.md) against a peer",
        "with real sockets and TLS, and the peer judges. This page is written by `scripts/report.py drivers --write` from the report of a run",
        "of the tests: *yes* is a case that was played and ended as it must. What a driver lacks has its reason below.",
        "",
        "| case | " + " | ".join(drivers) + " |",
        "|---|" + "---|" * len(drivers),
    ]
    reasons: dict[str, list[str]] = collections.defaultdict(list)
    lacks = {}
    for driver in drivers:
        done = subprocess.run([PEER, "--list", driver], capture_output=True, text=True, check=True)
        lacks[driver] = dict(re.findall(rf"^{driver} lacks (\w+): (.*)$", done.stderr, re.MULTILINE))
        for case, reason in lacks[driver].items():
            reasons[f"{driver}: {reason}"].append(case)
    notes = {reason: number for number, reason in enumerate(reasons, start=1)}
    for case in asked("--list"):
        cells = []
        for driver in drivers:
            if case in lacks[driver]:
                cells.append(f"no ({notes[f'{driver}: {lacks[driver][case]}']})")
            else:
                cells.append("yes" if report.drivers[driver].get(case) == "ok" else "**missing**")
        lines.append(f"| `{case}` | " + " | ".join(cells) + " |")
    lines.append("")
    lines += [f"{number}. {reason}" for reason, number in notes.items()]
    return "\n".join(lines) + "\n"


def drivers(*, write: bool) -> int:
    """Compares docs/drivers.md with the report."""
    suites = sorted(path.name for path in REPORT.iterdir() if (path / "drivers.tsv").is_file())
    report = Report(suites)
    page = ROOT / "docs/drivers.md"
    wanted = table(report)
    faults = faults_of_drivers(report, asked("--drivers"))
    if write:
        page.write_text(wanted)
    elif page.read_text() != wanted:
        faults.append("docs/drivers.md is not what the run's report says: scripts/report.py drivers --write")
    print("\n".join(faults))
    return 1 if faults else 0


def main() -> int:
    """Does what is asked."""
    match sys.argv[1:]:
        case ["run", suite, "--", *command] if command:
            return run(suite, command)
        case ["check", *suites]:
            return check(suites or ["rust", "python"])
        case ["drivers"]:
            return drivers(write=False)
        case ["drivers", "--write"]:
            return drivers(write=True)
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main())
