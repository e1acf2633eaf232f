#!/usr/bin/env python3
"""Clients of other languages against the sandbox, and Pushy's mock server under pushcore's client.

    python tests/interop/peers/run.py NAME        NAME is one of PEERS below; `build-go`, `build-java` come first

Each client is a small program (tests/interop/go, java, node) that prints what it made of each answer. Here that is
compared with what the sandbox's log says arrived. Only addresses and trust differ from an ordinary use; the sandbox's own
files are given to the clients as they are. Exits with 1 at any failure.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence

import pushcore
from pushcore.testing import Sandbox

HERE = pathlib.Path(__file__).resolve().parent.parent
failures: list[str] = []
passed = 0

# What each service's three targets come to, and the name that a client has for it.
APNS = {"valid": "", "unregistered": "Unregistered", "unknown": "BadDeviceToken"}
FCM = {"valid": "", "unregistered": "UNREGISTERED", "malformed": "INVALID_ARGUMENT"}
NODE_FCM = {
    "valid": "",
    "unregistered": "messaging/registration-token-not-registered",
    "malformed": "messaging/invalid-argument",
}
WEB_PUSH = {"active": "201", "expired": "410", "throttled": "429"}


def check(what: str, got: object, expected: object) -> None:
    global passed
    if got == expected:
        passed += 1
    else:
        failures.append(what)
        print(f"FAILED {what}: {got!r}, expected {expected!r}")


def go(name: str) -> list[str]:
    return [str(HERE / "go" / "bin" / name)]


def node(name: str) -> list[str]:
    return ["node", str(HERE / "node" / f"{name}.mjs")]


def java(name: str, *arguments: str) -> list[str]:
    libraries = (HERE / "java" / "target" / "classpath").read_text().strip()
    return ["java", "-cp", f"{HERE / 'java' / 'target' / 'classes'}:{libraries}", *arguments, name]


def build(what: str) -> None:
    if what == "go":
        command = ["go", "build", "-o", "bin/", "./apns2", "./firebase", "./webpush", "./server"]
    else:
        command = ["mvn", "-q", "-B", "package"]
    subprocess.run(command, cwd=HERE / what, check=True)


def lines(command: Sequence[str], environment: dict[str, str]) -> list[dict[str, object]]:
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        failures.append("its end")
        print(done.stderr[-3000:])
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def client(name: str, service: str, command: Sequence[str], expected: dict[str, str], *, many: int, times: int = 1,
           options: Sequence[str] = ()) -> None:  # fmt: skip
    """Runs a client against a lenient sandbox, and the first refusal of a strict one after it."""
    with tempfile.TemporaryDirectory() as folder, Sandbox("--profile", "lenient", *options) as sandbox:
        ready = pathlib.Path(folder) / "ready.json"
        ready.write_text(json.dumps(sandbox.ready))
        environment = {
            "SANDBOX_READY": str(ready),
            "SANDBOX_CA": str(sandbox.ca),
            "SSL_CERT_FILE": str(sandbox.ca),
            "NODE_EXTRA_CA_CERTS": str(sandbox.ca),
        }
        if command[0] == "java":
            store = pathlib.Path(folder) / "trust.p12"
            subprocess.run(
                ["keytool", "-importcert", "-noprompt", "-alias", "sandbox", "-file", str(sandbox.ca),
                 "-keystore", str(store), "-storetype", "PKCS12", "-storepass", "changeit"],
                check=True, capture_output=True,
            )  # fmt: skip
            trust = [f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=changeit"]
            command = [command[0], *trust, *command[1:]]
        said = lines(command, environment)
        for target, reason in expected.items():
            found = [line for line in said if line["target"] == target]
            good = not reason or reason == "201"
            check(f"{name}: {target}", [(line["ok"], line["reason"]) for line in found], [(good, reason)] * times)
        check(f"{name}: many", sum(line["ok"] is True for line in said if line["target"] == "valid_2"), many)
        log = sandbox.log(service=service, operation="push")
        # Nothing is lost, and nothing arrived twice: each result has a request of its own.
        check(f"{name}: requests that arrived", len(log), times * len(expected) + many)
        good = sum(reason in ("", "201") for reason in expected.values())
        check(f"{name}: accepted by the service", sum(one["accepted"] for one in log), times * good + many)
        # The first refusal of the strict profile names the profile to choose.
        sandbox.control("POST", "reset")
        sandbox.control("POST", "settings", {"profile": "strict"})
        # A client that tries again for ever has said enough by then.
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(command, env={**os.environ, **environment}, capture_output=True, timeout=30)
        refused = [one for one in sandbox.log(service=service) if one.get("hint")]
        word = refused[0]["rule"] if refused else "nothing that lenient takes is refused"
        if refused:
            check(f"{name}: hint", "--profile lenient" in refused[0]["hint"], True)
        kinds = Counter(one.get("rule", "accepted") for one in log)
        print(f"{name}: strict: {word} ; lenient: {dict(kinds)}")


def certificate(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """A certificate of localhost's own, made for this run, which is its own CA; and its key."""
    public, private, config = folder / "server.pem", folder / "server.key", folder / "openssl.cnf"
    # No authority: it would be refused as a server's own certificate.
    config.write_text(
        "[req]\ndistinguished_name=dn\nx509_extensions=ext\nprompt=no\n[dn]\nCN=localhost\n"
        "[ext]\nbasicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n"
    )
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-config", str(config),
         "-keyout", str(private), "-out", str(public)],
        check=True, capture_output=True,
    )  # fmt: skip
    return public, private


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def webpush_java() -> None:
    """The library writes the audience of its tokens without the endpoint's port, so that only port 443 takes them."""
    expected, options = WEB_PUSH, ["--webpush-port", "443"]
    try:
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", 443))
    except OSError as error:
        print(f"webpush-java: port 443 is not to be had ({error}): every push has to be refused for its audience")
        expected, options = dict.fromkeys(WEB_PUSH, "403"), []
    client("webpush-java", "webpush", java("WebPush"), expected, many=0, times=2, options=options)


def pushy_server() -> None:
    """pushcore's client against the mock server that Pushy's users test with."""
    with tempfile.TemporaryDirectory() as name, Sandbox() as sandbox:
        public, private = certificate(pathlib.Path(name))
        port = free_port()
        command = [*java("PushyServer"), str(public), str(private), str(port)]
        # Into a file: a server that waits for the reader of its pipe answers nobody.
        said = pathlib.Path(name) / "served"
        with said.open("w") as out:
            server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, text=True)
        try:
            while "listening" not in said.read_text() and server.poll() is None:
                time.sleep(0.05)
            tokens = [kind + f"{n:062x}" for n in range(1000) for kind in ("aa",)] + ["bb" + "0" * 62, "dd" + "0" * 62]
            message = pushcore.ApnsMessage(token=tokens[0], topic="com.example.app", title="hello")
            credentials = sandbox.apns_credentials()
            with pushcore.Client.apns(credentials, host=f"localhost:{port}", ca=public) as to:
                results = dict(to.send_many(tokens, message=message))
            kinds = Counter(type(result).__name__ for result in results.values())
            if not kinds["Accepted"]:
                print(f"pushy server: {results[tokens[0]]!r}, {getattr(results[tokens[0]], '__cause__', None)!r}")
            check("pushy server: accepted", kinds["Accepted"], 1000)
            check("pushy server: bad token", getattr(results[tokens[1000]], "reason", None), "BadDeviceToken")
            check("pushy server: unregistered", getattr(results[tokens[1001]], "reason", None), "Unregistered")
        finally:
            server.communicate("\n", timeout=30)
        seen = [json.loads(line) for line in said.read_text().splitlines() if line.startswith("{")]
        arrived = Counter(line["target"] for line in seen if "target" in line)
        check("pushy server: each arrived once", arrived, Counter(tokens))
        print(f"pushy server: {dict(kinds)}, {sum(arrived.values())} arrived")


PEERS = {
    "apns2": lambda: client("apns2", "apns", go("apns2"), APNS, many=50),
    "firebase-go": lambda: client("firebase-go", "fcm", go("firebase"), FCM, many=50),
    "webpush-go": lambda: client("webpush-go", "webpush", go("webpush"), WEB_PUSH, many=0),
    "node-apn": lambda: client("node-apn", "apns", node("apn"), APNS, many=50),
    "firebase-node": lambda: client("firebase-node", "fcm", node("firebase"), NODE_FCM, many=50),
    "pushy": lambda: client("pushy", "apns", java("PushyClient"), APNS, many=50),
    "pushy-server": pushy_server,
    "firebase-java": lambda: client("firebase-java", "fcm", java("Firebase"), FCM, many=50),
    "webpush-java": webpush_java,
    "build-go": lambda: build("go"),
    "build-java": lambda: build("java"),
}


if __name__ == "__main__":
    PEERS[sys.argv[1]]()
    print(f"{passed} checks passed, {len(failures)} failed")
    sys.exit(bool(failures))
