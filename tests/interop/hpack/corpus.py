#!/usr/bin/env python3
"""Writes core/tests/data/hpack_python.json: header blocks as PyPI's `hpack` encodes them.

    python tests/interop/hpack/corpus.py

The same seed and the same version of `hpack` (requirements.txt) give the same file. Stories differ in how
large the dynamic table may be and how that changes, in what is Huffman-coded, and in how fields are indexed:
as the encoder likes, never, or not at all. Names and values are ISO 8859-1, so that every octet can be in them.
"""

import json
import pathlib
import random

import hpack
from hpack.hpack import Encoder
from hpack.struct import NeverIndexedHeaderTuple

SEED = 7541
STORIES = 40
BLOCKS = 12
TARGET = pathlib.Path(__file__).parents[3] / "core/tests/data/hpack_python.json"

NAMES = (
    "content-type content-length date apns-id apns-unique-id apns-request-id retry-after location server "
    "cache-control set-cookie x-frame-options x-content-type-options etag vary link alt-svc age via"
).split(" ")
STATUSES = ["200", "201", "204", "304", "400", "403", "404", "410", "413", "429", "500", "503", "507"]


class Mixed(Encoder):
    """An encoder that leaves some fields out of its table without calling them sensitive."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self.rng = rng

    def add(self, to_add, sensitive, huffman=False):
        if sensitive or self.rng.random() < 0.7:
            return super().add(to_add, sensitive, huffman)
        # RFC 7541 §6.2.2: four zero bits, and an index or a literal name.
        name, value = to_add
        match = self.header_table.search(name, value)
        if match is None:
            return self._encode_literal(name, value, b"\x00", huffman)
        return self._encode_indexed_literal(match[0], value, b"\x00", huffman)


def text(rng: random.Random, longest: int, *, any_octet: bool) -> str:
    length = rng.choice([0, 1, 5, 5, 8, 8, 20, rng.randint(0, longest)])
    low, high = (0, 255) if any_octet else (32, 126)
    return "".join(chr(rng.randint(low, high)) for _ in range(length))


def fields(rng: random.Random, remembered: list[tuple[str, str]]) -> list[tuple[str, str]]:
    chosen = [(":status", rng.choice(STATUSES))]
    for _ in range(rng.choice([0, 1, 3, 6])):
        if remembered and rng.random() < 0.5:
            chosen.append(rng.choice(remembered))
            continue
        any_octet = rng.random() < 0.1
        name = rng.choice(NAMES) if rng.random() < 0.7 else "x-" + text(rng, 30, any_octet=any_octet).lower()
        chosen.append((name, text(rng, 150, any_octet=any_octet)))
    remembered[:] = (remembered + chosen[1:])[-30:]
    return chosen


def sizes(rng: random.Random, limit: int) -> list[int]:
    """How the encoder changes its table before a block: mostly not at all."""
    how = rng.random()
    if how < 0.75:
        return []
    if how < 0.85:
        return [min(rng.choice([0, 33, 64, 200, limit]), limit)]
    return [min(rng.choice([0, 40]), limit), rng.randint(0, limit)]


def story(rng: random.Random, number: int) -> dict:
    limit = [4096, 4096, 256, 0, 65_536][number % 5]
    encoder = Mixed(rng) if number % 2 else Encoder()
    huffman = [lambda: True, lambda: False, lambda: rng.random() < 0.5][number % 3]
    if limit != 4096:
        # The decoder's SETTINGS, acknowledged before the first block.
        encoder.header_table_size = limit
    remembered: list[tuple[str, str]] = []
    blocks = []
    for _ in range(BLOCKS):
        for size in sizes(rng, limit):
            # Told its own size, `hpack` would forget to announce the change before.
            if size != encoder.header_table_size:
                encoder.header_table_size = size
        chosen = fields(rng, remembered)
        octets = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in chosen]
        tuples = [NeverIndexedHeaderTuple(*field) if rng.random() < 0.1 else field for field in octets]
        wire = encoder.encode(tuples, huffman=huffman())
        blocks.append({"wire": wire.hex(), "fields": [list(field) for field in chosen]})
    return {"limit": limit, "blocks": blocks}


def text_of_all() -> str:
    rng = random.Random(SEED)
    stories = [story(rng, number) for number in range(STORIES)]
    made = f"hpack {hpack.__version__}, tests/interop/hpack/corpus.py, seed {SEED}"
    lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in stories)
    return f'{{"made_by":"{made}","stories":[\n{lines}\n]}}\n'


def main() -> None:
    TARGET.write_text(text_of_all())
    print(f"{TARGET}: {STORIES} stories, {STORIES * BLOCKS} blocks, {TARGET.stat().st_size} octets")


if __name__ == "__main__":
    main()
