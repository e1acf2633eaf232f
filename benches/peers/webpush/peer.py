"""`pywebpush` and `http_ece`, by the protocol of `compare.py`."""

import os
import sys
import time
from base64 import urlsafe_b64encode

import http_ece
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02
from pywebpush import webpush

MESSAGES, BYTES = int(sys.argv[1]), int(sys.argv[2])
PAYLOAD = b"x" * BYTES


class Nowhere:
    """Takes the finished request in place of the network."""

    status_code = 201
    text = ""
    headers: dict[str, str] = {}

    def post(self, *_: object, **__: object) -> "Nowhere":
        return self


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def receiver() -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(ser.Encoding.X962, ser.PublicFormat.UncompressedPoint), os.urandom(16)


RECEIVERS = [receiver() for _ in range(MESSAGES)]
SUBSCRIPTIONS = [
    {
        "endpoint": f"https://updates.push.services.mozilla.com/wpush/v2/{number}",
        "keys": {"p256dh": b64(point), "auth": b64(auth)},
    }
    for number, (point, auth) in enumerate(RECEIVERS)
]
VAPID = Vapid02()
VAPID.generate_keys()
SESSION = Nowhere()


def pywebpush() -> None:
    for subscription in SUBSCRIPTIONS:
        # It adds `aud` to the claims it is given: they cannot be used twice.
        claims: dict[str, str | int] = {"sub": "mailto:ops@example.com"}
        webpush(
            subscription,
            PAYLOAD,
            vapid_private_key=VAPID,
            vapid_claims=claims,
            ttl=60,
            requests_session=SESSION,
        )


def encryption() -> None:
    for point, auth in RECEIVERS:
        key = ec.generate_private_key(ec.SECP256R1())
        http_ece.encrypt(PAYLOAD, private_key=key, dh=point, auth_secret=auth, version="aes128gcm")


PEERS = {"pywebpush": pywebpush, "http_ece (encryption alone)": encryption}

print("|".join(PEERS), flush=True)
for line in sys.stdin:
    started = time.perf_counter_ns()
    PEERS[line.rstrip("\n")]()
    print(time.perf_counter_ns() - started, flush=True)
