#!/usr/bin/env python3
"""Puts small faults into Python's asyncio driver, the journal and the bulk loop, and asks the tests whether they notice.

usage: python.py [--only WORD] [--sample COUNT] [--again] [--list]      (with the interpreter of an environment that has pushcore in place)

The faults are made of the syntax tree (`hook/pushcore_mutants.py`): a comparison, a sum, a constant or a condition is another, a
statement is left out, an `except` catches nothing, a function returns None. A fault is put in while the module is imported, in the
tests and in the programs that they start, so that the sources stay as they are. The tests run once without a fault, to see which of
them come to which statement.

Survivors that are known stand in `survivors_python.json` with a reason, which begins with `open` where a test is wanted. The options are those of `rust.py`.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests/mutants"
WORK = ROOT / "target/mutants"
PACKAGE = ROOT / "bindings/python/python/pushcore"
TESTS = ROOT / "bindings/python/tests"
sys.path.insert(0, str(HERE / "hook"))

import pushcore_mutants  # noqa: E402

#: The files, and the tests that may notice.
DRIVER = ["test_aio_driver.py", "test_aio.py", "test_aio_dial.py", "test_drivers.py", "test_send_many.py", "test_watching.py", "test_options.py"]
CAMPAIGN = ["test_campaign_run.py", "test_campaign_faults.py", "test_campaign_command.py", "test_bulk_results.py", "test_cli.py"]
FILES = {
    "_aio_dial.py": DRIVER,
    "_aio_lookups.py": DRIVER,
    "_aio_bulk.py": DRIVER,
    "_aio_engine.py": DRIVER,
    "campaign/journal.py": CAMPAIGN,
    "campaign/_lock.py": CAMPAIGN,
    "campaign/_ends.py": CAMPAIGN,
    "campaign/results.py": CAMPAIGN,
    "campaign/rows.py": CAMPAIGN,
    "campaign/_loop.py": CAMPAIGN,
    "cli/_bulk.py": CAMPAIGN,
    "cli/_results.py": CAMPAIGN,
}


#: How long the tests of one fault may take together, in seconds without a fault.
_MOST_SECONDS = 60.0


class Mutant:
    """One fault."""

    def __init__(self, file: str, number: int, fault: pushcore_mutants.Fault) -> None:
        self.file, self.number, self.fault = file, number, fault
        #: The same text may stand twice in a function.
        self.nth = 1

    @property
    def key(self) -> str:
        again = f" ({self.nth})" if self.nth > 1 else ""
        return f"{self.file} {self.fault.function}: {self.fault.what}{again}"

    @property
    def name(self) -> str:
        return f"{self.file}:{self.fault.line} {self.fault.function}: {self.fault.what}"


def listed(only: str) -> list[Mutant]:
    """Every fault of the files."""
    seen: collections.Counter[str] = collections.Counter()
    mutants = []
    for file in FILES:
        if only not in file:
            continue
        for number, fault in enumerate(pushcore_mutants.faults((PACKAGE / file).read_text())):
            mutant = Mutant(file, number, fault)
            seen[mutant.key] += 1
            mutant.nth = seen[mutant.key]
            mutants.append(mutant)
    return mutants


def pytest(tests: list[str], environment: dict[str, str], timeout: float, *arguments: str) -> int | None:
    """Runs tests: pytest's status, or None where they do not end."""
    path = os.pathsep.join(one for one in (str(HERE / "hook"), os.environ.get("PYTHONPATH", "")) if one)
    # pytest compiles the modules of its plugins itself, in which the fault would be missing.
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--assert=plain", "-p", "no:cacheprovider", *arguments, *tests]
    started = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return started.wait(timeout)
    except subprocess.TimeoutExpired:
        return None
    finally:
        try:
            os.killpg(started.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        started.wait()


class Reach:
    """Which tests come to which statement, and how long each takes."""

    def __init__(self, files: list[str], tests: list[str]) -> None:
        which = hashlib.sha256(" ".join([*files, *tests]).encode()).hexdigest()[:8]
        log, report = WORK / f"reached-python-{which}.txt", WORK / f"reached-python-{which}.xml"
        environment = {"PUSHCORE_MUTANTS_REACHED": str(log), "PUSHCORE_MUTANT_FILES": ":".join(files)}
        paths = [str(TESTS / test) for test in tests]
        sources = [*(TESTS / test for test in tests), *(PACKAGE / file for file in files)]
        code: int | None = 0
        # Known already, where nothing has changed since.
        if not report.is_file() or report.stat().st_mtime < max(path.stat().st_mtime for path in sources):
            log.unlink(missing_ok=True)
            code = pytest(paths, environment, 3600, "--maxfail=100", f"--junitxml={report}", "-o", "junit_family=xunit1")
        self.seconds: dict[str, float] = {}
        broken = set()
        for case in ET.parse(report).iter("testcase"):  # noqa: S314
            # pytest names files from its folder of configuration.
            name = f"bindings/python/{case.get('file')}::{case.get('name')}"
            self.seconds[name] = float(case.get("time") or 0)
            if case.find("failure") is not None or case.find("error") is not None:
                broken.add(name)
        if not log.is_file():
            raise SystemExit("no test has reached any of the files")
        if code:
            print("without a fault fail, and are left out:", ", ".join(sorted(broken)), flush=True)
        self.lines: dict[tuple[str, int], set[str]] = collections.defaultdict(set)
        for line in log.read_text().splitlines():
            file, number, test = line.split("\t")
            test = f"bindings/python/{test}"
            if test in self.seconds and test not in broken:
                self.lines[file, int(number)].add(test)
        self.imported = {file: {test for (one, _), tests in self.lines.items() if one == file for test in tests} for file in files}

    def tests(self, mutant: Mutant) -> list[str]:
        """The tests that come to the statement of a fault, the quickest first."""
        source = (PACKAGE / mutant.file).read_text()
        line = pushcore_mutants.statement(source, mutant.fault.line)
        found = self.lines.get((mutant.file, line))
        if line in pushcore_mutants.at_import(source):
            # A constant or a default: worked out before the first test, and used by some of those that come to the file.
            found = self.imported[mutant.file]
        return sorted(found or (), key=lambda test: self.seconds[test])


def verdict(mutant: Mutant, reach: Reach) -> str:
    """`noticed…`, `survived`, or `unreached`."""
    tests = reach.tests(mutant)
    if not tests:
        return "unreached"
    environment = {"PUSHCORE_MUTANT": f"{mutant.file}:{mutant.number}"}
    # The quickest first, because most faults are noticed at once; then as many as fit into a minute without a fault.
    first, rest, seconds = tests[:15], [], 0.0
    for test in tests[15:]:
        seconds += reach.seconds[test]
        if seconds > _MOST_SECONDS:
            break
        rest.append(test)
    for chosen in [first, rest]:
        if not chosen:
            continue
        code = pytest(chosen, environment, 40 + 4 * sum(reach.seconds[test] for test in chosen))
        if code is None:
            return "noticed: it does not end"
        if code:
            return "noticed"
    return "survived"


def main() -> None:
    """Lists, runs, compares."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    store = WORK / f"results-python{options.only.replace('/', '-')}.json"
    results: dict[str, str] = json.loads(store.read_text()) if store.is_file() else {}
    chosen = listed(options.only)
    if options.list:
        print("\n".join(one.name for one in chosen))
        return
    if options.again:
        chosen = [one for one in chosen if not results.get(one.key, "").startswith("noticed")]
    if options.sample:
        chosen.sort(key=lambda one: hashlib.sha256(one.key.encode()).digest())
        chosen = chosen[: options.sample]
    files = [file for file in FILES if any(one.file == file for one in chosen)]
    begin = time.monotonic()
    reach = Reach(files, list(dict.fromkeys(test for file in files for test in FILES[file])))
    print(f"{len(reach.seconds)} tests in {time.monotonic() - begin:.0f} s; {len(chosen)} faults", flush=True)
    explained = {one["fault"]: one["reason"] for one in json.loads((HERE / "survivors_python.json").read_text())}
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    unknown = 0
    for mutant in chosen:
        result = verdict(mutant, reach)
        results[mutant.key] = result
        kind = result.partition(":")[0]
        if kind != "noticed":
            reason = explained.get(mutant.key)
            kind = kind if reason is None else "open" if reason.startswith("open") else "explained"
            print(f"{kind.upper()} {mutant.name}", flush=True)
            unknown += kind not in ("explained", "open")
        counts[mutant.file][kind] += 1
        store.write_text(json.dumps(results, indent=0))
    stale = []
    if not (options.only or options.sample or options.again):
        stale = sorted(set(explained) - {key for key, result in results.items() if not result.startswith("noticed")})
        for key in stale:
            print(f"survivors_python.json: survives no longer, or is no fault any more: {key}")
    print(f"{'file':24} noticed explained open survived unreached")
    total: collections.Counter[str] = collections.Counter()
    for file, count in counts.items():
        print(f"{file:24} {count['noticed']:7} {count['explained']:9} {count['open']:4} {count['survived']:8} {count['unreached']:9}")
        total += count
    print(f"{total['noticed']} of {total.total()} faults noticed ({total['noticed'] / max(1, total.total()):.1%}), {total['explained']} explained, {total['open']} open, {unknown} not")
    sys.exit(1 if unknown or stale else 0)


if __name__ == "__main__":
    main()
