#!/usr/bin/env python3
# ruff: noqa: E501
"""Puts faults into the core, all in one build behind a number of the environment, and asks the core's tests whether they notice.

usage: core.py [NUMBER...]
       core.py --fits      only looks whether each fault fits its source

The faults are survivors of an audit, with its numbers (the others of it were noticed at once, or are made good by another line). A
fault that no test notices, or that does not fit the source any more, fails the run. The sources are restored in any case; no other
build should run in this checkout meanwhile.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[2]
SWITCH = """
#[allow(missing_docs, clippy::disallowed_methods)]
pub fn mutant(number: u32) -> bool {
    static CHOSEN: std::sync::OnceLock<Option<u32>> = std::sync::OnceLock::new();
    *CHOSEN.get_or_init(|| std::env::var("PUSHCORE_MUTANT").ok()?.parse().ok()) == Some(number)
}
"""


class Fault(NamedTuple):
    number: int
    name: str
    file: str
    #: What stands there, once; and what stands there with the fault. `MUTANT(n)` says whether fault n is wanted.
    old: str
    new: str
    #: The test binary that should notice, and which of its tests.
    test: str
    filter: str


FAULTS = [
    Fault(
        7,
        "a call that may have been processed is sent again",
        "core/src/session/retry.rs",
        "(Processed::Unknown, Purpose::Call) => false,",
        "(Processed::Unknown, Purpose::Call) => MUTANT(7),",
        "lib",
        "session::",
    ),
    Fault(
        22,
        "a cancelled message that had not left is sent",
        "core/src/session/retry.rs",
        "let wanted = matches!",
        "let wanted = MUTANT(22) || matches!",
        "lib",
        "session::",
    ),
    Fault(
        10,
        "a request to be calm counts as an attempt",
        "core/src/session/retry.rs",
        "Some(code::ENHANCE_YOUR_CALM)];",
        "Some(if MUTANT(10) { code::NO_ERROR } else { code::ENHANCE_YOUR_CALM })];",
        "lib",
        "session::",
    ),
    Fault(
        8,
        "a second attempt after the deadline",
        "core/src/session/retry.rs",
        "wanted && attempt.in_time &&",
        "wanted && (attempt.in_time || MUTANT(8)) &&",
        "lib",
        "session::",
    ),
    Fault(
        12,
        "what is being withdrawn is sent again",
        "core/src/session/retry.rs",
        "attempt.replays == 0 && attempt.withdrawal.is_none()",
        "attempt.replays == 0 && (MUTANT(12) || attempt.withdrawal.is_none())",
        "lib",
        "session::",
    ),
    Fault(
        29,
        "a slot is lost for each refused host",
        "core/src/session/intake.rs",
        "                shared.ledger.release(slot);\n                return Err(error);",
        "                if !MUTANT(29) {\n                    shared.ledger.release(slot);\n                }\n                return Err(error);",
        "lib",
        "session::",
    ),
    Fault(
        27,
        "the nearest deadline is not the next timer",
        "core/src/session/ledger.rs",
        ".map(|(_, pending)| pending.due).min();",
        ".map(|(_, pending)| pending.due).reduce(|a, b| if MUTANT(27) { a.max(b) } else { a.min(b) });",
        "lib",
        "session::",
    ),
    Fault(
        61,
        "ErrorInfo before FcmError",
        "core/src/fcm/answer.rs",
        "    by_fcm_code(answer, fcm)\n        .or_else",
        "    (if MUTANT(61) { by_error_info(answer) } else { None })\n        .or_else(|| by_fcm_code(answer, fcm))\n        .or_else",
        "fcm_answers",
        "",
    ),
    Fault(
        69,
        "RetryInfo before Retry-After",
        "core/src/fcm/answer.rs",
        "        retry_after(self.response, self.now)\n            .or_else(info)",
        "        (if MUTANT(69) { info() } else { None })\n            .or_else(|| retry_after(self.response, self.now))\n            .or_else(info)",
        "fcm_answers",
        "",
    ),
    Fault(
        65,
        "the hour of RetryInfo is not kept",
        "core/src/fcm/answer.rs",
        "secs.min(LONGEST.as_secs_f64())",
        "if MUTANT(65) { secs } else { secs.min(LONGEST.as_secs_f64()) }",
        "fcm_answers",
        "",
    ),
    Fault(
        68,
        "topic before device in a quota's words",
        "core/src/fcm/answer.rs",
        "match (device, topic) {",
        "match (device && !(MUTANT(68) && topic), topic) {",
        "fcm_answers",
        "",
    ),
    Fault(
        64,
        "fields and text are read on any status",
        "core/src/fcm/answer.rs",
        "if answer.response.status != 400 {",
        "if answer.response.status != 400 && !MUTANT(64) {",
        "fcm_answers",
        "",
    ),
    Fault(
        72,
        "a host that ends in a hexadecimal number is a name",
        "core/src/webpush/policy.rs",
        "        || hex.is_some_and(",
        "        || !MUTANT(72) && hex.is_some_and(",
        "lib",
        "webpush::policy",
    ),
    Fault(
        76,
        "trust lifts the address check for every port",
        "core/src/webpush/policy.rs",
        "match self.trusted.contains(authority) || is_public",
        "match (MUTANT(76) && self.trusted.iter().any(|one| one.host() == authority.host()))\n            || self.trusted.contains(authority) || is_public",
        "lib",
        "webpush::policy",
    ),
    Fault(
        86,
        "every auth secret is zeros",
        "core/src/crypto/ece.rs",
        "    let mut auth = [0; 16];\n",
        "    let mut auth = [0; 16];\n    if MUTANT(86) {\n        return Ok(auth);\n    }\n",
        "lib",
        "webpush::receiver",
    ),
    Fault(
        53,
        "a token dated an hour ahead is kept",
        "core/src/apns/provider_token.rs",
        "saturating_add(5 * 60)",
        "saturating_add(if MUTANT(53) { 7200 } else { 5 * 60 })",
        "lib",
        "provider_token",
    ),
    Fault(
        54,
        "an imported token's age without the known skew",
        "core/src/apns/provider_token.rs",
        "let age = service_time(now, state.skew)",
        "let age = service_time(now, if MUTANT(54) { 0 } else { state.skew })",
        "lib",
        "provider_token",
    ),
    Fault(
        57,
        "too many updates leave a renewal wanted",
        "core/src/apns/provider_token.rs",
        "        state.renewal_wanted = false;\n        state.held_until",
        "        state.renewal_wanted = state.renewal_wanted && MUTANT(57);\n        state.held_until",
        "lib",
        "provider_token",
    ),
    Fault(
        60,
        "an imported token counts from its import",
        "core/src/apns/provider_token.rs",
        "now.monotonic.saturating_sub(Duration::from_secs(age))",
        "if MUTANT(60) { now.monotonic } else { now.monotonic.saturating_sub(Duration::from_secs(age)) }",
        "lib",
        "provider_token",
    ),
    Fault(
        94,
        "the last of two ids counts",
        "core/src/apns/answer.rs",
        "        place.get_or_insert(value);",
        "        if MUTANT(94) {\n            *place = Some(value);\n        }\n        place.get_or_insert(value);",
        "lib",
        "apns::answer",
    ),
    Fault(
        96,
        "reasons in any case",
        "core/src/apns/reasons.rs",
        "row.reason == reason)",
        "row.reason == reason || MUTANT(96) && row.reason.eq_ignore_ascii_case(reason))",
        "lib",
        "apns::answer",
    ),
    Fault(
        37,
        "a draining connection stays after its last stream's error",
        "core/src/net/h2/engine.rs",
        "            self.break_off(id, stream, Processed::Unknown, error);\n            self.finish_if_drained();",
        "            self.break_off(id, stream, Processed::Unknown, error);\n            if !MUTANT(37) {\n                self.finish_if_drained();\n            }",
        "h2_endings",
        "",
    ),
    Fault(
        39,
        "windows of disclaimed streams are not given back",
        "core/src/net/h2/engine.rs",
        "        self.send.give_back(data);\n        for id in ids",
        "        if !MUTANT(39) {\n            self.send.give_back(data);\n        }\n        for id in ids",
        "h2_endings",
        "",
    ),
]


def faulty_sources() -> dict[pathlib.Path, str]:
    """Every source with all its faults, switched off."""
    library = ROOT / "core/src/lib.rs"
    sources = {library: library.read_text() + SWITCH}
    for fault in FAULTS:
        path = ROOT / fault.file
        source = sources.get(path) or path.read_text()
        if source.count(fault.old) != 1:
            raise SystemExit(f"fault {fault.number} does not fit {fault.file} any more: {fault.name}")
        sources[path] = source.replace(fault.old, fault.new.replace("MUTANT(", "crate::mutant("))
    return sources


def built() -> dict[str, str]:
    """The test binaries by name."""
    command = ["cargo", "test", "-q", "-p", "pushcore", "--no-run", "--message-format", "json"]
    command += ["--lib", "--test", "fcm_answers", "--test", "h2_endings"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    programs = {}
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["profile"]["test"]:
            programs[message["target"]["name"]] = message["executable"]
    return {"lib": programs.pop("pushcore"), **programs}


def is_noticed(program: str, fault: Fault) -> bool:
    """Whether a test fails while the fault is switched on."""
    arguments = [program, "-q", *([fault.filter] if fault.filter else [])]
    environment = {**os.environ, "PUSHCORE_MUTANT": str(fault.number)}
    try:
        done = subprocess.run(
            arguments, cwd=ROOT / "core", env=environment, capture_output=True, check=False, timeout=120
        )
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def main() -> None:
    """Puts in the chosen faults."""
    if sys.argv[1:] == ["--fits"]:
        faulty_sources()
        return
    chosen = [fault for fault in FAULTS if not sys.argv[1:] or str(fault.number) in sys.argv[1:]]
    sources = faulty_sources()
    originals = {path: path.read_text() for path in sources}
    survivors = 0
    try:
        for path, source in sources.items():
            path.write_text(source)
        programs = built()
        for program, tests in {(fault.test, fault.filter) for fault in chosen}:
            nothing = Fault(0, "", "", "", "", program, tests)
            if is_noticed(programs[program], nothing):
                raise SystemExit(f"{program} {tests} fails without a fault")
        for fault in chosen:
            noticed = is_noticed(programs[fault.test], fault)
            survivors += not noticed
            print("noticed  " if noticed else "SURVIVED ", fault.number, fault.name, flush=True)
    finally:
        for path, source in originals.items():
            path.write_text(source)
    print(f"{len(chosen) - survivors} of {len(chosen)} faults noticed")
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
