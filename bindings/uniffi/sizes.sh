#!/usr/bin/env bash
# sizes.sh: builds the three libraries as an app carries them, and prints what each weighs, how long a process takes to load it and to
# make its first call, and how much memory that costs. The times are the shortest of twenty processes.
set -euo pipefail
cd "$(dirname "$0")"
for build in receiver l1 whole; do
  ${CARGO:-cargo} build -q --locked --release -p pushcore-uniffi --lib --no-default-features --features "$build"
  mkdir -p "target/builds/$build-release"
  library=$PWD/target/builds/$build-release/libpushcore_uniffi.so
  cp target/release/libpushcore_uniffi.so "$library"
  printf '%-9s %9s bytes, %9s gzipped' "$build" "$(stat -c %s "$library")" "$(gzip -9c "$library" | wc -c)"
  for _ in $(seq 20); do
    python3 - "$library" <<'RUN'
import ctypes, re, sys, time
peak = lambda: int(re.search(r"VmHWM:\s*(\d+)", open("/proc/self/status").read())[1])
before, began = peak(), time.perf_counter()
class Buffer(ctypes.Structure):
    _fields_ = [("capacity", ctypes.c_uint64), ("len", ctypes.c_uint64), ("data", ctypes.c_void_p)]
class Status(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int8), ("error", Buffer)]
library, status = ctypes.CDLL(sys.argv[1]), Status()
generate = library.uniffi_pushcore_uniffi_fn_constructor_receiverkeys_generate
generate.restype = ctypes.c_uint64
assert generate(ctypes.byref(status)) and status.code == 0
print(f"{(time.perf_counter() - began) * 1000:.2f} {peak() - before}")
RUN
  done | sort -n | awk 'NR == 1 { printf ", %s ms and %s KiB to the first key\n", $1, $2 }'
done
