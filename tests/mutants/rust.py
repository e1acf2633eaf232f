#!/usr/bin/env python3
"""Puts every small fault into the core's dangerous files and asks the tests whether they notice.

usage: rust.py [--only WORD] [--sample COUNT] [--quick] [--keep] [--again] [--list]

The faults are listed by the program in `src/`. All of them stand in one build of a copy of the sources, each behind a number of the
environment, so that a fault costs the tests that reach it and no build. The tests are run once without a fault, to see which test
reaches which fault: a fault that no test reaches survives at once.

Survivors that are known stand in `survivors.json` with a reason, which begins with `open` where a test is wanted. A survivor that is not there fails the run, and so does a line
there that survives no longer (`--sample` and `--only` leave that out).

--only PATTERN   only files whose path it fits
--sample COUNT   so many faults, chosen by their text: the same in every run until the sources change
--quick          asks the core's own tests alone
--keep           asks the build that there is
--again          only those that survived in the run before (target/mutants/results.json)
--list           prints the faults and stops
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import time
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests/mutants"
WORK = ROOT / "target/mutants"
TREE = WORK / "tree"
CARGO = os.environ.get("CARGO", "cargo")

#: The files that hold accounting, retry, verdicts, policy, tokens and sealing.
FILES = [
    # Accounting and retry.
    "core/src/session/retry.rs",
    "core/src/session/ledger.rs",
    "core/src/session/queue.rs",
    "core/src/session/ending.rs",
    "core/src/session/backoff.rs",
    "core/src/session/gate.rs",
    "core/src/session/limits.rs",
    "core/src/session/timers.rs",
    "core/src/session/token.rs",
    "core/src/session/host.rs",
    "core/src/session/hosts.rs",
    "core/src/session/link.rs",
    "core/src/session/session.rs",
    "core/src/session/dispatch.rs",
    "core/src/session/intake.rs",
    "core/src/session/answers.rs",
    "core/src/session/doubts.rs",
    "core/src/session/token_doubt.rs",
    "core/src/session/shared.rs",
    "core/src/session/outbox.rs",
    # Verdicts.
    "core/src/apns/answer.rs",
    "core/src/apns/reasons.rs",
    "core/src/apns/go_away.rs",
    "core/src/fcm/answer.rs",
    "core/src/webpush/answer.rs",
    "core/src/adm/answer.rs",
    "core/src/baidu/answer.rs",
    "core/src/oauth/answer.rs",
    "core/src/http/retry_after.rs",
    "core/src/outcome.rs",
    "core/src/outcome/accepted.rs",
    "core/src/outcome/detail.rs",
    "core/src/outcome/mismatch.rs",
    "core/src/outcome/parts.rs",
    "core/src/outcome/witness.rs",
    "core/src/outcome/witness/circumstances.rs",
    "core/src/outcome/witness/watch.rs",
    # Policy.
    "core/src/webpush/policy.rs",
    "core/src/webpush/endpoint.rs",
    "core/src/webpush/provider.rs",
    "core/src/fcm/credentials/endpoint.rs",
    # Tokens.
    "core/src/apns/provider_token.rs",
    "core/src/apns/credentials.rs",
    "core/src/oauth/cache.rs",
    "core/src/fcm/credentials/source.rs",
    "core/src/webpush/credentials.rs",
    "core/src/baidu/sign.rs",
    "core/src/crypto/jwt.rs",
    "core/src/crypto/es256.rs",
    "core/src/crypto/rs256.rs",
    # Sealing.
    "core/src/crypto/ece.rs",
    "core/src/crypto/ece/keys.rs",
    "core/src/webpush/encoding.rs",
    "core/src/webpush/receiver.rs",
]

#: What may notice: cargo's arguments for each package, and the binaries in the order in which they are asked.
PACKAGES = {
    "pushcore": [
        *("--features", "aesgcm", "--lib", "--test", "fcm_answers", "--test", "apns_vectors", "--test", "message_vectors"),
        *("--test", "webpush_vectors", "--test", "webpush_receipts", "--test", "witness", "--test", "apns_provider_token"),
    ],
    "pushcore-tests": [
        *("--test", "session_rules", "--test", "session_links", "--test", "session_verdicts", "--test", "session_connections"),
        *("--test", "fault_matrix", "--test", "hostile", "--test", "bulk", "--test", "web_push"),
    ],
}

SWITCH = r"""
#[allow(missing_docs, clippy::disallowed_methods, unreachable_pub)]
#[inline]
pub fn mutant(number: u32) -> bool {
    use std::io::Write as _;
    static CHOSEN: std::sync::OnceLock<(u32, Option<std::sync::Mutex<std::fs::File>>)> = std::sync::OnceLock::new();
    std::thread_local! {
        static SEEN: std::cell::RefCell<std::collections::HashSet<u32>> = std::cell::RefCell::default();
    }
    let (chosen, reached) = CHOSEN.get_or_init(|| {
        let number = std::env::var("PUSHCORE_MUTANT").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
        let file = std::env::var("PUSHCORE_MUTANTS_REACHED").ok();
        (number, file.map(|path| std::sync::Mutex::new(std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap())))
    });
    if let Some(file) = reached {
        let is_new = SEEN.try_with(|seen| seen.borrow_mut().insert(number)).unwrap_or(true);
        if is_new {
            let thread = std::thread::current();
            let line = format!("{number} {}\n", thread.name().unwrap_or("?"));
            file.lock().unwrap().write_all(line.as_bytes()).unwrap();
        }
    }
    *chosen == number
}
"""


class Mutant:
    """One fault."""

    def __init__(self, number: int, place: dict[str, Any], index: int) -> None:
        self.number = number
        self.place = place
        self.what: str = place["alternatives"][index]["what"]
        self.text: str = place["alternatives"][index]["text"]
        #: The same text may stand twice in a function.
        self.nth = 1

    @property
    def key(self) -> str:
        again = f" ({self.nth})" if self.nth > 1 else ""
        return f"{self.place['file']} {self.place['function']}: {self.what}{again}"

    @property
    def name(self) -> str:
        return f"{self.place['file']}:{self.place['line']} {self.place['function']}: {self.what}"


def listed() -> list[Mutant]:
    """Every fault of the files."""
    environment = {**os.environ, "CARGO_TARGET_DIR": str(WORK / "tool")}
    subprocess.run([CARGO, "build", "-q", "--manifest-path", HERE / "Cargo.toml"], env=environment, check=True)
    program = WORK / "tool/debug/pushcore-mutants"
    places = json.loads(subprocess.run([program, *FILES], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)
    mutants = [Mutant(0, place, index) for place in places for index in range(len(place["alternatives"]))]
    seen: collections.Counter[str] = collections.Counter()
    for number, mutant in enumerate(mutants, start=1):
        mutant.number = number
        seen[mutant.key] += 1
        mutant.nth = seen[mutant.key]
    return mutants


class Composed:
    """A source with all its faults, switched off."""

    def __init__(self, file: str, mutants: list[Mutant]) -> None:
        source = (ROOT / file).read_bytes()
        places: dict[int, tuple[dict[str, Any], list[Mutant]]] = {}
        for mutant in mutants:
            places.setdefault(mutant.place["order"], (mutant.place, []))[1].append(mutant)
        pieces = []
        for order, (place, alternatives) in places.items():
            for piece in place["pieces"]:
                nesting = -order if piece["side"] == 0 else order
                pieces.append((piece["at"], piece["side"], nesting, piece, alternatives))
        pieces.sort(key=lambda one: one[:3])
        self.file = file
        #: Where in the result the text of a fault stands: start, end, numbers.
        self.texts: list[tuple[int, int, list[int]]] = []
        #: The same of the whole places.
        self.places: list[tuple[int, int, list[int]]] = []
        out = bytearray()
        starts: dict[int, int] = {}
        ends: dict[int, int] = {}
        at = 0
        for start, _, _, piece, alternatives in pieces:
            if start < at:
                raise SystemExit(f"{file}: pieces overlap at {start}")
            out += source[at:start]
            at = piece["to"]
            order = alternatives[0].place["order"]
            starts.setdefault(order, len(out))
            text = piece["text"]
            for position, part in enumerate(re.split(r"(\{\})", text)):
                if position % 2 == 0:
                    out += part.encode()
                    continue
                for mutant in alternatives:
                    before = len(out)
                    out += mutant.text.replace("MUTANT", f"crate::mutant({mutant.number})").encode()
                    self.texts.append((before, len(out), [mutant.number]))
            ends[order] = len(out)
        out += source[at:]
        self.source = bytes(out)
        for order, (_, alternatives) in places.items():
            self.places.append((starts[order], ends[order], [one.number for one in alternatives]))

    def blamed(self, start: int, end: int) -> list[int]:
        """The faults that an error of the compiler there is about."""
        exact = [(e - s, numbers) for s, e, numbers in self.texts if s < end and start < e]
        if exact:
            return min(exact)[1]
        around = [(e - s, numbers) for s, e, numbers in self.places if s <= start and end <= e]
        if around:
            return min(around)[1]
        return []

    def within(self, start: int, end: int) -> list[int]:
        """The faults between two places: those that an error about borrowing may be about."""
        return [number for s, e, numbers in self.places if s < end and start < e for number in numbers]


def copy_tree(changed: dict[str, bytes]) -> None:
    """Brings the copy up to date, and leaves alone what is the same."""
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    names = set(files.stdout.split("\n")) - {""}
    for name in names:
        path = ROOT / name
        if not path.is_file():
            continue
        wanted = changed.get(name) or path.read_bytes()
        copy = TREE / name
        if not copy.is_file() or copy.read_bytes() != wanted:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(wanted)
            shutil.copymode(path, copy)
    for path in TREE.rglob("*.rs"):
        if str(path.relative_to(TREE)) not in names:
            path.unlink()


def cargo(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
    environment = {**os.environ, "CARGO_TARGET_DIR": str(WORK / "build")}
    command = [CARGO, *arguments, "-q", "--message-format", "json"]
    done = subprocess.run(command, cwd=TREE, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def composed(mutants: list[Mutant]) -> list[Mutant]:
    """Writes the copy, and gives the faults that compile."""
    unviable: set[int] = set()
    known = WORK / "unviable.json"
    keys = set(json.loads(known.read_text())) if known.is_file() else set()
    while True:
        viable = [one for one in mutants if one.number not in unviable and one.key not in keys]
        sources = {}
        for file in FILES:
            own = [one for one in viable if one.place["file"] == file]
            if own:
                sources[file] = Composed(file, own)
        changed = {file: source.source for file, source in sources.items()}
        changed["core/src/lib.rs"] = (ROOT / "core/src/lib.rs").read_bytes() + SWITCH.encode()
        copy_tree(changed)
        code, messages = cargo("check", "-p", "pushcore", "--features", "aesgcm,pkcs12")
        if code == 0:
            known.write_text(json.dumps(sorted(keys | {one.key for one in mutants if one.number in unviable}), indent=0))
            return viable
        before = len(unviable)
        for message in messages:
            inner = message.get("message") or {}
            if inner.get("level") != "error":
                continue
            for span in inner["spans"]:
                source = sources.get(span["file_name"])
                if source and span["is_primary"]:
                    about = source.blamed(span["byte_start"], span["byte_end"])
                    if not about:
                        own = [one for one in inner["spans"] if one["file_name"] == span["file_name"]]
                        about = source.within(min(one["byte_start"] for one in own), max(one["byte_end"] for one in own))
                    unviable.update(about)
        print(f"{len(unviable)} faults do not compile", flush=True)
        if len(unviable) == before:
            for message in messages:
                if (message.get("message") or {}).get("level") == "error":
                    print(message["message"]["rendered"])
            raise SystemExit("an error that is about no fault")


class Binary:
    """A test binary."""

    def __init__(self, name: str, program: str, folder: pathlib.Path) -> None:
        self.name, self.program, self.folder = name, program, folder
        self.seconds = 0.0
        self.broken: set[str] = set()
        #: The tests by the fault that they reach; `?` is a thread that is no test's.
        self.reached: dict[int, set[str]] = collections.defaultdict(set)

    def run(self, tests: list[str], environment: dict[str, str], timeout: float) -> tuple[int | None, str]:
        command = ["nice", "-n", "5", self.program, "-q", "--test-threads", "2", *(["--exact", *tests] if tests else [])]
        for test in sorted(self.broken):
            command += ["--skip", test]
        limit = 6 << 30

        def limits() -> None:
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            os.setpgid(0, 0)

        started = subprocess.Popen(  # noqa: S603
            command,
            cwd=self.folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            preexec_fn=limits,
        )
        try:
            output, _ = started.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, 9)
            started.communicate()
            return None, ""
        return started.returncode, output

    def reach(self) -> None:
        """Runs every test without a fault, unless that was done since the program was built."""
        log, notes = WORK / f"reached-{self.name}.txt", WORK / f"reached-{self.name}.json"
        if not notes.is_file() or notes.stat().st_mtime < pathlib.Path(self.program).stat().st_mtime:
            log.unlink(missing_ok=True)
            log.touch()
            code, output = self.run([], {"PUSHCORE_MUTANTS_REACHED": str(log)}, 900)
            broken = re.findall(r"^    (\S+)$", output, re.MULTILINE) if code else []
            begin = time.monotonic()
            self.run([], {}, 900)
            notes.write_text(json.dumps({"broken": broken, "seconds": time.monotonic() - begin}))
        known = json.loads(notes.read_text())
        self.broken, self.seconds = set(known["broken"]), known["seconds"]
        if self.broken:
            print(f"{self.name}: without a fault fail, and are left out: {', '.join(sorted(self.broken))}", flush=True)
        for line in log.read_text().splitlines():
            number, _, test = line.partition(" ")
            self.reached[int(number)].add("?" if test == "main" else test)


def built(packages: list[str]) -> list[Binary]:
    binaries = []
    known: dict[str, list[list[str]]] = {}
    for package in packages:
        arguments = PACKAGES[package]
        code, messages = cargo("test", "--no-run", "-p", package, *arguments)
        if code:
            for message in messages:
                if (message.get("message") or {}).get("level") == "error":
                    print(message["message"]["rendered"])
            raise SystemExit(f"{package} does not build")
        for message in messages:
            if message.get("executable") and message["profile"]["test"] and message["target"]["kind"] != ["bin"]:
                folder = pathlib.Path(message["manifest_path"]).parent
                binaries.append(Binary(message["target"]["name"], message["executable"], folder))
                kept = [message["target"]["name"], message["executable"], str(folder.relative_to(TREE))]
                known.setdefault(package, []).append(kept)
    (WORK / "built.json").write_text(json.dumps(known))
    return binaries


def verdict(mutant: Mutant, binaries: list[Binary]) -> str:
    """`noticed by …`, `survived`, or `unreached`."""
    asked = [(binary, binary.reached[mutant.number]) for binary in binaries if binary.reached.get(mutant.number)]
    if not asked:
        return "unreached"
    room = mutant.place["file"].removeprefix("core/src/").removesuffix(".rs").removesuffix("/mod").replace("/", "::")
    for binary, tests in asked:
        own = [] if "?" in tests else sorted(tests - binary.broken, key=lambda test: (not test.startswith(room), test))
        # The tests of the file itself first: they are quick, and notice most.
        rounds = [own[:12], own[12:]] if len(own) > 24 else [own]
        for chosen in rounds:
            # Long enough for a busy machine; what takes longer does not end.
            seconds = 20.0 if len(chosen) <= 24 and chosen else 20 + 3 * binary.seconds
            code, output = binary.run(chosen, {"PUSHCORE_MUTANT": str(mutant.number)}, seconds)
            if code is None:
                return f"noticed by {binary.name}: it does not end"
            if code:
                failed = re.findall(r"^    (\S+)$", output, re.MULTILINE)
                return f"noticed by {binary.name}: {failed[0] if failed else 'it breaks off'}"
    return "survived"


def main() -> None:
    """Lists, builds, runs, compares."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    store = WORK / f"results{re.sub('[^a-z]+', '-', options.only)[:40]}.json"
    results: dict[str, str] = json.loads(store.read_text()) if store.is_file() else {}
    mutants = listed()
    if options.list:
        print("\n".join(one.name for one in mutants))
        return
    packages = ["pushcore"] if options.quick else list(PACKAGES)
    if options.keep:
        unviable = set(json.loads((WORK / "unviable.json").read_text()))
        mutants = [one for one in mutants if one.key not in unviable]
        kept = json.loads((WORK / "built.json").read_text())
        binaries = [Binary(name, program, ROOT / folder) for package in packages for name, program, folder in kept[package]]
    else:
        mutants = composed(mutants)
        binaries = built(packages)
    for binary in binaries:
        binary.reach()
        print(f"{binary.name}: {binary.seconds:.1f} s, reaches {len(binary.reached)} faults", flush=True)
    # The binary that tells most in its time comes first.
    binaries.sort(key=lambda one: one.seconds)
    chosen = [one for one in mutants if re.search(options.only, one.place["file"])]
    if options.again:
        chosen = [one for one in chosen if not results.get(one.key, "").startswith("noticed")]
    if options.sample:
        chosen.sort(key=lambda one: hashlib.sha256(one.key.encode()).digest())
        chosen = chosen[: options.sample]
    explained = {one["fault"]: one["reason"] for one in json.loads((HERE / "survivors.json").read_text())}
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    unknown = []
    for position, mutant in enumerate(chosen):
        result = verdict(mutant, binaries)
        results[mutant.key] = result
        kind = result.split()[0]
        if kind != "noticed":
            reason = explained.get(mutant.key)
            kind = kind if reason is None else "open" if reason.startswith("open") else "explained"
            print(f"{kind.upper()} {mutant.name}", flush=True)
            if kind not in ("explained", "open"):
                unknown.append(mutant)
        counts[mutant.place["file"]][kind] += 1
        if position % 20 == 0:
            store.write_text(json.dumps(results, indent=0))
    store.write_text(json.dumps(results, indent=0))
    stale = []
    if not (options.only or options.sample or options.again):
        alive = {key for key, result in results.items() if not result.startswith("noticed")}
        stale = sorted(set(explained) - alive)
        for key in stale:
            print(f"survivors.json: survives no longer, or is no fault any more: {key}")
    print(f"{'file':50} noticed explained open survived unreached")
    total: collections.Counter[str] = collections.Counter()
    for file, count in counts.items():
        print(f"{file:50} {count['noticed']:7} {count['explained']:9} {count['open']:4} {count['survived']:8} {count['unreached']:9}")
        total += count
    caught = total["noticed"] / max(1, total.total())
    print(f"{total['noticed']} of {total.total()} faults noticed ({caught:.1%}), {total['explained']} explained, {total['open']} open, {len(unknown)} not")
    sys.exit(1 if unknown or stale else 0)


if __name__ == "__main__":
    main()
