"""Web Push against other implementations, both directions.

    pip install -r requirements.txt && npm install && python run.py

Bodies made here are opened by `http_ece` and by WebCrypto; bodies made by
`pywebpush`, `http_ece` and node `web-push` are opened here; VAPID headers are verified
by `py-vapid` and WebCrypto; keys travel in every form, both ways. Exits with 1 at the
first difference.
"""

import json
import os
import subprocess
import sys
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path

import http_ece
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02
from pywebpush import WebPusher

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SIZES = [0, 1, 2, 15, 16, 17, 100, 1000, 3992, 3993]
ENDPOINT = "https://push.example.net:8443/p/x"


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()


class Pipe:
    """A process that answers one JSON line with another."""

    def __init__(self, *command: str, cwd: Path) -> None:
        self.process = subprocess.Popen(
            command, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, op: str, **members: object) -> dict:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"op": op, **members}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the process ended"
        answer = json.loads(line)
        assert "error" not in answer, (op, answer)
        return answer

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(timeout=10)


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(ser.Encoding.X962, ser.PublicFormat.UncompressedPoint)


def main() -> int:
    ours = Pipe(
        "cargo", "run", "-q", "-p", "pushcore", "--features", "aesgcm", "--example", "webpush_interop", cwd=ROOT
    )
    node = Pipe("node", "peer.mjs", cwd=HERE)
    counts: dict[str, int] = {}

    def check(name: str, got: object, expected: object) -> None:
        assert got == expected, (name, got, expected)
        counts[name] = counts.get(name, 0) + 1

    sender = node.ask("keys")
    now = int(time.time())

    for size in SIZES:
        payload = os.urandom(size)
        private = ec.generate_private_key(ec.SECP256R1())
        auth = os.urandom(16)
        keys = {"p256dh": b64(point(private.public_key())), "auth": b64(auth)}
        subscription = {"endpoint": ENDPOINT, "keys": keys}
        for padding in (0, 1500):
            sealed = ours.ask(
                "seal",
                vapid=sender["privateKey"],
                subscription=subscription,
                payload=b64(payload),
                padding=padding,
                encoding="aes128gcm",
                now=now,
            )
            body = unb64(sealed["body"])
            check("our size", len(body), max(size, padding) + 103)
            plain = http_ece.decrypt(body, private_key=private, auth_secret=auth)
            check("http_ece opens ours", plain, payload)
        legacy = ours.ask(
            "seal",
            vapid=sender["privateKey"],
            subscription=subscription,
            payload=b64(payload),
            encoding="aesgcm",
            now=now,
        )
        headers = dict(legacy["headers"])
        dh, p256ecdsa = headers["crypto-key"].split(";")
        check("crypto-key", p256ecdsa, "p256ecdsa=" + sender["publicKey"])
        plain = http_ece.decrypt(
            unb64(legacy["body"]),
            salt=unb64(headers["encryption"].removeprefix("salt=")),
            dh=unb64(dh.removeprefix("dh=")),
            private_key=private,
            auth_secret=auth,
            version="aesgcm",
        )
        check("http_ece opens our aesgcm", plain, payload)

        receiver = ours.ask("receiver")
        jwk = json.loads(receiver["jwk"])
        theirs = {"p256dh": receiver["p256dh"], "auth": receiver["auth"]}
        subscription = {"endpoint": ENDPOINT, "keys": theirs}
        sealed = ours.ask(
            "seal",
            vapid=sender["privateKey"],
            subscription=subscription,
            payload=b64(payload),
            encoding="aes128gcm",
            now=now,
        )
        opened = node.ask("decrypt", jwk=jwk, auth=receiver["auth"], body=sealed["body"])
        check("webcrypto opens ours", unb64(opened["plain"]), payload)

        def open_here(body: bytes, **headers: str) -> bytes:
            answer = ours.ask(
                "open", key=receiver["jwk"], auth=receiver["auth"], body=b64(body), **headers
            )
            return unb64(answer["plain"])

        if size:  # http_ece writes no record at all for an empty payload
            encoded = WebPusher(subscription).encode(payload, content_encoding="aes128gcm")
            check("we open pywebpush", open_here(encoded["body"]), payload)
            # A small record size makes it split.
            body = http_ece.encrypt(
                payload,
                private_key=ec.generate_private_key(ec.SECP256R1()),
                dh=unb64(receiver["p256dh"]),
                auth_secret=unb64(receiver["auth"]),
                rs=50,
            )
            check("we open http_ece, many records", open_here(body), payload)
            encoded = WebPusher(subscription).encode(payload, content_encoding="aesgcm")
            plain = open_here(
                encoded["body"],
                crypto_key="dh=" + text(encoded["crypto_key"]),
                encryption="salt=" + text(encoded["salt"]),
            )
            check("we open pywebpush aesgcm", plain, payload)
            for encoding in ("aes128gcm", "aesgcm"):
                sealed = node.ask("encrypt", **theirs, payload=b64(payload), encoding=encoding)
                names = () if encoding == "aes128gcm" else ("crypto_key", "encryption")
                plain = open_here(unb64(sealed["body"]), **{name: sealed[name] for name in names})
                check(f"we open node web-push {encoding}", plain, payload)

    for _ in range(50):  # enough for a signature with a leading zero
        receiver = ours.ask("receiver")
        keys = {"p256dh": receiver["p256dh"], "auth": receiver["auth"]}
        for encoding in ("aes128gcm", "aesgcm"):
            sealed = ours.ask(
                "seal",
                vapid=sender["privateKey"],
                subscription={"endpoint": ENDPOINT, "keys": keys},
                payload="",
                encoding=encoding,
                now=now,
            )
            headers = dict(sealed["headers"])
            value = headers["authorization"]
            if encoding == "aes128gcm":
                # RFC 8292 writes a blank after the comma; py-vapid cannot read it.
                compact = value.replace(", k=", ",k=")
                check("py-vapid verifies ours", Vapid02.verify(auth=compact), True)
                value, key = value.removeprefix("vapid t=").split(", k=")
                check("k", key, sender["publicKey"])
            token = value.removeprefix("WebPush ")
            verified = node.ask("verify", token=token, key=sender["publicKey"])
            check("webcrypto verifies ours", verified["ok"], True)
            expected = {
                "aud": "https://push.example.net:8443",
                "exp": now + 12 * 3600,
                "sub": "mailto:push@example.com",
            }
            check("claims", verified["claims"], expected)

    for _ in range(20):
        vapid = Vapid02()
        vapid.generate_keys()
        numbers = vapid.private_key.private_numbers()
        raw = b64(numbers.private_value.to_bytes(32, "big"))
        der = vapid.private_key.private_bytes(
            ser.Encoding.DER, ser.PrivateFormat.PKCS8, ser.NoEncryption()
        )
        sec1 = vapid.private_key.private_bytes(
            ser.Encoding.PEM, ser.PrivateFormat.TraditionalOpenSSL, ser.NoEncryption()
        )
        made_by_node = node.ask("keys")
        for form in (
            vapid.private_pem().decode(),
            vapid.private_pem().decode().replace("\n", "\\n"),
            sec1.decode(),
            b64(der),
            raw,
        ):
            read = ours.ask("key", key=form)
            check("we read python's keys", read["public"], b64(point(vapid.public_key)))
            check("raw", read["raw"], raw)
        for form in ("raw", "der"):
            back = Vapid02.from_string(read[form])
            check("py-vapid reads ours", point(back.public_key), point(vapid.public_key))
        for form in ("pkcs8", "sec1"):
            back = ser.load_pem_private_key(read[form].encode(), None)
            check("openssl reads ours", point(back.public_key()), point(vapid.public_key))
        spki = ser.load_pem_public_key(read["spki"].encode())
        check("openssl reads our public key", point(spki), point(vapid.public_key))
        read = ours.ask("key", key=json.dumps(made_by_node))
        check("we read node's keys", read["public"], made_by_node["publicKey"])
        check("we read node's keys", read["raw"], made_by_node["privateKey"])

    ours.close()
    node.close()
    for name, count in sorted(counts.items()):
        print(f"{count:5} {name}")
    print(f"{sum(counts.values()):5} checks, all as expected")
    return 0


if __name__ == "__main__":
    sys.exit(main())
