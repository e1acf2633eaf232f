#!/usr/bin/env python3
"""Decodes what pushcore writes with PyPI's `hpack`, and the corpus that `hpack` wrote with itself.

    python3 -m venv venv && venv/bin/pip install -r tests/interop/hpack/requirements.txt
    venv/bin/python tests/interop/hpack/compare.py

1. `core/examples/hpack_blocks.rs` prints the requests of 20 connections and the SETTINGS that they met. Every
   header block must decode to the fields of its request, in their order; never-indexed fields must come out as such.
2. `core/tests/data/hpack_python.json`, which `cargo test` decodes, must be what `corpus.py` makes with this version.
"""

import json
import pathlib
import subprocess
import sys

import corpus
import hpack

ROOT = pathlib.Path(__file__).resolve().parents[3]
HEADERS, CONTINUATION = 1, 9
END_HEADERS, PADDED, PRIORITY = 0x4, 0x8, 0x20


def header_block(wire: bytes) -> bytes:
    """The header block in the frames of one request."""
    block, ended = b"", False
    while wire:
        length, kind, flags = int.from_bytes(wire[:3], "big"), wire[3], wire[4]
        payload, wire = wire[9 : 9 + length], wire[9 + length :]
        if kind in (HEADERS, CONTINUATION):
            assert not ended and not flags & (PADDED | PRIORITY), "a plain header block"
            block += payload
            ended = bool(flags & END_HEADERS)
    assert ended, "a whole header block"
    return block


def decode_all(lines: list[str]) -> tuple[int, int, int]:
    connections = blocks = updates = 0
    decoder = hpack.Decoder()
    for line in lines:
        step = json.loads(line)
        if "connection" in step:
            connections += 1
            decoder = hpack.Decoder()
        elif "settings" in step:
            decoder.max_allowed_table_size = step["settings"]
        else:
            block = header_block(bytes.fromhex(step["wire"]))
            decoded = [(*field, not field.indexable) for field in decoder.decode(block)]
            expected = [tuple(field) for field in step["fields"]]
            # Pseudo-header fields come first, in whatever order (RFC 9113 §8.3).
            assert sorted(decoded[:4]) == sorted(expected[:4]), f"block {blocks}: {decoded[:4]}"
            assert decoded[4:] == expected[4:], f"block {blocks}:\n{decoded[4:]}\n{expected[4:]}"
            blocks += 1
            updates += block[0] & 0xE0 == 0x20
    return connections, blocks, updates


def main() -> int:
    written = subprocess.run(
        ["cargo", "run", "-q", "-p", "pushcore", "--example", "hpack_blocks"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    connections, blocks, updates = decode_all(written.splitlines())
    assert (connections, blocks) == (20, 1200) and updates > 50, (connections, blocks, updates)

    committed = corpus.TARGET.read_text()
    assert corpus.text_of_all() == committed, "corpus.py makes another file than the committed one"
    print(f"{blocks} header blocks of {connections} connections decoded, {updates} with a table size update; corpus as committed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
