#!/usr/bin/env python3
"""Holds what pushcore sends to APNs beside what `aioapns` and the Rust crate `a2` send.

    pip install -r tests/interop/apns/requirements.txt     (and pushcore itself)
    python tests/interop/apns/compare.py [--without-a2]

Each message of `messages.py` is sent by all three to `recorder.py`, over HTTP/2. For each:

1. method, scheme and path are the same, and the authority is where the message went;
2. the header fields that mean something to APNs are the same, each there once;
3. the bodies are equal as JSON;
4. the provider token verifies with PyJWT against the public half of the key, and says the same.

What may differ is listed in `DIFFERENCES`, and each of those must really be seen: a
difference that is gone fails as well. Exits with 1 at any failure.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from typing import Any

import aioapns
import jwt
import pushcore
from aioapns.common import PushType
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from messages import CASES, Case
from recorder import Recorded, Recorder

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
TOKEN = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0"
KEY_ID, TEAM_ID = "ABC123DEFG", "DEF123GHIJ"

#: What the peers do that pushcore does not, and what Apple's text makes of it.
DIFFERENCES = {
    ("aioapns", "host"): "a `host` field in place of `:authority`; a request needs neither more nor both",
    ("aioapns", "typ"): "`typ` in the provider token's header: Apple's text has `alg` and `kid`",
    ("aioapns", "too large"): "JSON with spaces, so that a payload of 4096 bytes does not fit",
    ("aioapns", "apns-id"): "an id of its own on each request; without one APNs makes it",
    ("a2", "content-type"): "`application/json`: not in Apple's table of header fields",
    ("a2", "content-length"): "the body's length, which HTTP/2 does not need",
    ("a2", "mutable-content"): "`mutable-content: 0` in each payload: 20 bytes that say what is so anyway",
    ("a2", "bearer"): "`Bearer` in place of `bearer`: schemes have no case (RFC 9110 section 11.1)",
    ("a2", "base64"): "a provider token in ordinary base64 with padding, where RFC 7515 wants base64url without",
    ("a2", "too large"): "those 20 bytes push a payload of 4096 bytes over APNs' limit",
}


STARTED = time.time()


@dataclass
class Sent:
    """A request in the words that are compared."""

    method: str
    scheme: str
    path: str
    fields: dict[str, str]
    body: Any
    size: int
    token: tuple[dict[str, Any], dict[str, Any]]


class Comparison:
    """Counts, and keeps the public key that tokens must verify with."""

    def __init__(self, public_key: bytes) -> None:
        self.public_key = public_key
        self.passed = 0
        self.failures: list[str] = []
        self.seen: set[tuple[str, str]] = set()

    def check(self, holds: bool, what: str) -> None:
        if holds:
            self.passed += 1
        else:
            self.failures.append(what)
            print("FAILED", what)

    def read(self, who: str, name: str, recorded: Recorded, authority: str) -> Sent:
        """Takes a request apart; what is listed as a difference is taken out and noted."""
        fields = dict(recorded.headers)
        self.check(len(fields) == len(recorded.headers), f"{who}: {name}: a field twice")
        if "host" in fields:
            self.seen.add((who, "host"))
        self.check(
            fields.pop(":authority", None) == authority or fields.pop("host", None) == authority.split(":")[0],
            f"{who}: {name}: authority",
        )
        scheme, _, token = fields.pop("authorization").partition(" ")
        self.check(scheme.lower() == "bearer", f"{who}: {name}: {scheme}")
        if scheme != "bearer":
            self.seen.add((who, "bearer"))
        header, claims = self.token(who, token)
        # a2 may have to be compiled between the first request and this look at it.
        self.check(STARTED - 60 < claims.pop("iat") < time.time() + 60, f"{who}: {name}: iat")
        for extra in ("content-type", "content-length"):
            if extra in fields:
                self.seen.add((who, extra))
                del fields[extra]
        body = json.loads(recorded.body)
        if who == "a2" and body.get("aps", {}).get("mutable-content") == 0:
            self.seen.add((who, "mutable-content"))
            del body["aps"]["mutable-content"]
        if len(recorded.body) > 4096:
            self.seen.add((who, "too large"))
        return Sent(
            method=fields.pop(":method"),
            scheme=fields.pop(":scheme"),
            path=fields.pop(":path"),
            fields=fields,
            body=body,
            size=len(recorded.body),
            token=(header, claims),
        )

    def token(self, who: str, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Verifies a provider token; PyJWT does, as far as it is a JWT at all."""
        if "=" not in token:
            return jwt.get_unverified_header(token), jwt.decode(token, self.public_key, algorithms=["ES256"])
        self.seen.add((who, "base64"))
        signed, _, signature = token.rpartition(".")
        raw = base64.b64decode(signature)
        der = utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        key = serialization.load_pem_public_key(self.public_key)
        key.verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))
        header, claims = (json.loads(base64.b64decode(part)) for part in signed.split("."))
        return header, claims

    def same(self, who: str, case: Case, ours: Sent, theirs: Sent, scheme: str) -> None:
        """One case, pushcore's request beside a peer's."""
        name = f"{who}: {case.name}"
        self.check(ours.method == theirs.method == "POST", f"{name}: method")
        self.check(ours.path == theirs.path == f"/3/device/{TOKEN}", f"{name}: path {ours.path} {theirs.path}")
        self.check(ours.scheme == "https" and theirs.scheme == scheme, f"{name}: scheme")
        fields = dict(theirs.fields)
        if "id" not in case.options and "apns-id" in fields:
            uuid.UUID(fields.pop("apns-id"))
            self.seen.add((who, "apns-id"))
        if "expiration" in case.options and who == "aioapns":
            # It counts from the second in which it sends.
            drift = int(fields["apns-expiration"]) - int(ours.fields["apns-expiration"])
            self.check(abs(drift) <= 2, f"{name}: expiration off by {drift} s")
            fields["apns-expiration"] = ours.fields["apns-expiration"]
        self.check(ours.fields == fields, f"{name}: fields\n  ours   {ours.fields}\n  theirs {fields}")
        self.check(ours.body == theirs.body, f"{name}: body\n  ours   {ours.body}\n  theirs {theirs.body}")
        self.check(ours.token[1] == theirs.token[1] == {"iss": TEAM_ID}, f"{name}: claims {theirs.token[1]}")
        header = {"alg": "ES256", "kid": KEY_ID}
        peer = {key: value for key, value in theirs.token[0].items() if key != "typ"}
        if peer != theirs.token[0]:
            self.seen.add((who, "typ"))
        self.check(ours.token[0] == peer == header, f"{name}: JWT header {theirs.token[0]}")


def pushcore_sends(recorder: Recorder, key: str, cases: list[Case], results: Comparison) -> dict[str, Recorded]:
    """Through `Client.send`; the request of `Message.request` must be the same."""
    credentials = pushcore.ApnsCredentials.from_p8(key, key_id=KEY_ID, team_id=TEAM_ID)
    host = f"localhost:{recorder.tls_port}"
    recorded = {}
    with pushcore.Client.apns(credentials, host=host, ca=recorder.ca) as client:
        for case in cases:
            message = pushcore.ApnsMessage(token=TOKEN, topic=case.topic, **case.words, **case.options)
            outcome = client.send(message)
            results.check(isinstance(outcome, pushcore.Accepted), f"pushcore: {case.name}: {outcome}")
            [recorded[case.name]] = recorder.take()
            request = message.request(credentials, host=host)
            wire = [(k, v) for k, v in recorded[case.name].headers if not k.startswith(":")]
            results.check(sorted(request.headers) == sorted(wire), f"pushcore: {case.name}: request() differs")
            results.check(request.body == recorded[case.name].body, f"pushcore: {case.name}: request().body")
    return recorded


async def aioapns_sends(recorder: Recorder, key: str, cases: list[Case]) -> dict[str, Recorded]:
    """aioapns as it is, but for the address."""
    context = ssl.create_default_context(cafile=str(recorder.ca))
    client = aioapns.APNs(key=key, key_id=KEY_ID, team_id=TEAM_ID, topic=cases[0].topic, ssl_context=context)
    client.pool.protocol_class.APNS_SERVER = "localhost"
    client.pool.protocol_class.APNS_PORT = recorder.tls_port
    recorded = {}
    for case in cases:
        if case.aioapns:
            continue
        options = dict(case.options)
        expiration = options.pop("expiration", None)
        push_type = PushType(options.pop("push_type"))
        request = aioapns.NotificationRequest(
            device_token=TOKEN,
            message=case.payload,
            notification_id=options.pop("id", None),
            time_to_live=None if expiration is None else expiration - int(time.time()),
            priority=options.pop("priority", None),
            collapse_key=options.pop("collapse_id", None),
            push_type=push_type,
            apns_topic=case.topic,
        )
        assert not options, options
        result = await client.send_notification(request)
        assert result.is_successful, result.description
        [recorded[case.name]] = recorder.take()
    client.pool.close()
    return recorded


def a2_sends(recorder: Recorder, key_file: pathlib.Path, cases: list[Case]) -> dict[str, Recorded]:
    """The small crate beside this file; its requests come in clear text (see its Cargo.toml)."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "a2-peer"
    subprocess.run(
        ["cargo", "build", "-q", "--locked"], cwd=HERE / "a2", env={**os.environ, "CARGO_TARGET_DIR": str(target)}, check=True
    )
    chosen = [case for case in cases if not isinstance(case.a2, str)]
    lines = [
        json.dumps({"token": TOKEN, "topic": case.topic, **(case.words if case.a2 is None else case.a2), **case.options})
        for case in chosen
    ]
    done = subprocess.run(
        [target / "debug" / "a2-peer", key_file, KEY_ID, TEAM_ID],
        input="\n".join(lines),
        env={**os.environ, "RECORDER": f"127.0.0.1:{recorder.clear_port}"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["200"] * len(chosen), done.stdout
    return {case.name: recorded for case, recorded in zip(chosen, recorder.take(), strict=True)}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--without-a2", action="store_true", help="no Rust toolchain, no crates.io")
    without_a2 = parser.parse_args().without_a2 or shutil.which("cargo") is None

    key = pushcore.SigningKey.generate()
    results = Comparison(key.public_pem().encode())
    # PyJWT's own reading of the .p8 must come to the same public key.
    private = serialization.load_pem_private_key(key.to_pem().encode(), None)
    spki = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    results.check(spki.split() == results.public_key.split(), "the key's public half")
    results.public_key = spki

    with tempfile.TemporaryDirectory() as folder, Recorder(pathlib.Path(folder)) as recorder:
        key_file = pathlib.Path(folder) / "AuthKey.p8"
        key_file.write_text(key.to_pem())
        ours = {
            name: results.read("pushcore", name, recorded, f"localhost:{recorder.tls_port}")
            for name, recorded in pushcore_sends(recorder, key.to_pem(), CASES, results).items()
        }
        for case in CASES:
            results.check(ours[case.name].body == case.payload, f"pushcore: {case.name}: {ours[case.name].body}")
        peers = {"aioapns": (asyncio.run(aioapns_sends(recorder, key.to_pem(), CASES)), f"localhost:{recorder.tls_port}")}
        if not without_a2:
            peers["a2"] = (a2_sends(recorder, key_file, CASES), "api.push.apple.com")
        for who, (recorded, authority) in peers.items():
            for case in CASES:
                if case.name in recorded:
                    theirs = results.read(who, case.name, recorded[case.name], authority)
                    results.same(who, case, ours[case.name], theirs, "https")
            left_out = {c.name: c.aioapns if who == "aioapns" else c.a2 for c in CASES if c.name not in recorded}
            print(f"{who}: {len(recorded)} of {len(CASES)} messages; left out: {left_out}")
    for difference, why in DIFFERENCES.items():
        if difference[0] in peers:
            results.check(difference in results.seen, f"{difference} is no longer so: {why}")
            print("differs:", difference[0], difference[1], "-", why)
    for difference in results.seen - DIFFERENCES.keys():
        results.check(False, f"not listed: {difference}")
    print(f"{results.passed} passed, {len(results.failures)} failed")
    return 1 if results.failures else 0


if __name__ == "__main__":
    sys.exit(main())
