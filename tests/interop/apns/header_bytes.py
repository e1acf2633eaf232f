"""How many bytes of headers a push costs, by Apple's two rules: Python's `hpack` beside pushcore.

The numbers must be those of docs/apns.md ("Header compression"), to which core/tests/apns_header_bytes.rs
holds pushcore's encoder, byte for byte, with the same pushes.
"""

from __future__ import annotations

import base64
import hashlib
import pathlib
import re
import sys
import uuid

from hpack import Encoder
from hpack.hpack import encode_integer
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH

HUFFMAN = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)
PUSHES = 1000
WARM_UP = 10


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


JWT = ".".join(
    [
        b64url(b'{"alg":"ES256","kid":"ABC123DEFG"}'),
        b64url(b'{"iss":"DEF123GHIJ","iat":1437179036}'),
        b64url(hashlib.sha512(b"signature").digest()),
    ]
)


def digest(name: str, index: int) -> bytes:
    return hashlib.sha256(f"{name} {index}".encode()).digest()


def fields(index: int, shape: str) -> list[tuple[str, str, bool]]:
    """Name, value, and whether the value differs from push to push."""
    expiration = str(1437179036 + index) if shape != "campaign" else "1437179036"
    rows = [
        (":method", "POST", False),
        (":scheme", "https", False),
        (":path", "/3/device/" + digest("token", index).hex(), True),
        (":authority", "api.push.apple.com", False),
        ("authorization", "bearer " + JWT, False),
        ("apns-topic", "com.example.app", False),
        ("apns-push-type", "alert", False),
        ("apns-priority", "10", False),
        ("apns-expiration", expiration, shape != "campaign"),
    ]
    if shape != "campaign":
        rows.append(("apns-id", str(uuid.UUID(bytes=digest("id", index)[:16])), True))
    return rows


SENDING = ("authorization", "apns-id", "apns-expiration", "apns-collapse-id")


def measure(policy: str, shape: str) -> tuple[int, int]:
    """Bytes of all blocks: every literal by Huffman; those that differ from push to push plain."""
    encoder = Encoder()
    coded = plain = 0
    for index in range(WARM_UP + PUSHES):
        block = b""
        extra = 0
        known = (
            {entry[0] for entry in encoder.header_table.dynamic_entries}
            if index
            else set()
        )
        for name, value, varies in fields(index, shape):
            without = varies or (policy == "Sending" and name in SENDING)
            # A name that no table holds is remembered once, with its first value.
            if without and name.startswith("apns-") and name.encode() not in known:
                without = False
            block += encode(encoder, name, value, without)
            if varies:
                extra += len(value) - len(HUFFMAN.encode(value.encode()))
        if index >= WARM_UP:
            coded += len(block)
            plain += len(block) + extra
    return coded, plain


def encode(encoder: Encoder, name: str, value: str, without: bool) -> bytes:
    pair = (name.encode(), value.encode())
    if not without:
        return encoder.add(pair, sensitive=False, huffman=True)
    # "Literal without indexing", also where the table happens to hold the value: Apple's rule.
    index = encoder.header_table.search(pair[0], b"")[0]
    coded = HUFFMAN.encode(pair[1])
    length = encode_integer(len(coded), 7)
    length[0] |= 0x80
    return bytes(encode_integer(index, 4)) + bytes(length) + coded


def main() -> int:
    document = pathlib.Path(__file__).parents[3] / "docs" / "apns.md"
    table = {
        (row[0], row[1]): (int(row[2].replace(",", "")), int(row[3].replace(",", "")))
        for row in re.findall(
            r"^\| `HeaderPolicy::(\w+)` \| (\w+) \| ([\d,]+) \| ([\d,]+) \|",
            document.read_text(),
            re.MULTILINE,
        )
    }
    failures = 0
    for policy in ("Connection", "Sending"):
        for shape in ("campaign", "individual"):
            coded, plain = measure(policy, shape)
            good = table.get((policy, shape)) == (plain, coded)
            failures += not good
            print(
                f"{'ok' if good else 'DIFFERS':8} {policy:11} {shape:11} plain {plain / PUSHES:.2f} huffman {coded / PUSHES:.2f}"
                f"  ({plain}, {coded}; documented {table.get((policy, shape))})"
            )
    print(f"{4 - failures} of 4 as documented")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
