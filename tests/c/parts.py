"""What each part of a library weighs: parts.py LIBRARY (not stripped: built with `-C strip=none`).

The sizes of the symbols by the crate, and in pushcore by the room, that they belong to; then the sections. A generic function counts for the crate that its
first path names, whoever asked for it.
"""

import re
import subprocess
import sys
from collections import Counter

# Symbols without a crate: assembly of ring, libc's start.
RING = re.compile(r"^(ring_core_|\.?L?OPENSSL|aes|gcm|ecp_|chacha|poly|sha|bn_|x25519|fe_|ge_|CRYPTO_|LIMBS?_|p256|p384|GFp|_?aesni|vpaes|bsaes|k25519|limbs_|table|rsaz)", re.I)
DEEP = {"pushcore", "pushcore_ffi", "pushcore_client", "std"}


def part(name):
    """crate, or crate::module for the crates that are looked into."""
    plain = re.sub(r"^(?:[<&*( ]|mut |dyn |const )+", "", name).replace("<", "::")
    words = [word for word in re.split(r"::|\s|[<>&(){},*\[\]]", plain) if word]
    for word in words:
        if re.fullmatch(r"[a-z_][a-z0-9_]*", word) and word not in ("as", "mut", "dyn", "const", "for"):
            crate = word
            break
    else:
        crate = "?"
    if "::" not in name:
        return "ring (C and assembly)" if RING.match(name) else "exports" if name.startswith("pushcore_") else "data and others"
    if crate in DEEP:
        after = plain.split(crate + "::", 1)
        module = re.match(r"[a-z_][a-z0-9_]*", after[1]) if len(after) > 1 else None
        return f"{crate}::{module.group()}" if module else crate
    return crate


def main():
    library = sys.argv[1]
    listed = subprocess.run(["nm", "-C", "--print-size", "--size-sort", "--defined-only", library], check=True, capture_output=True, text=True)
    sums = Counter()
    for line in listed.stdout.splitlines():
        fields = line.split(" ", 3)
        if len(fields) == 4 and fields[2] not in "bB":
            sums[part(fields[3])] += int(fields[1], 16)
    for name, size in sums.most_common(60):
        print(f"{size:>9} {name}")
    print(f"{sum(sums.values()):>9} in symbols")
    sections = subprocess.run(["size", "-A", library], check=True, capture_output=True, text=True)
    for line in sections.stdout.splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[1].isdigit() and int(fields[1]) > 4000 and not fields[0].startswith((".debug", ".sym", ".str")):
            print(f"{fields[1]:>9} {fields[0]}")


if __name__ == "__main__":
    main()
