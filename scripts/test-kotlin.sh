#!/usr/bin/env bash
# test-kotlin.sh [BUILD...]: the generated files are fresh, and Kotlin's tests pass, of all three builds or of those named. Needs
# Maven, a JDK of 17 and the sandbox.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- whole l1 receiver
bindings/uniffi/generate.sh --check
[ -n "${PUSHCORE_PEER:-}" ] || ${CARGO:-cargo} build -q -p pushcore-tests --bin pushcore-peer
export PUSHCORE_SANDBOX=${PUSHCORE_SANDBOX:-$PWD/target/debug/pushcore-sandbox}
# Android devices with pages of 16 KiB load no library that is aligned to less.
for build in "$@"; do
  library=bindings/uniffi/target/builds/$build/libpushcore_uniffi.so
  [ "$(readelf -lW "$library" | awk '$1 == "LOAD" { print $NF }' | sort -u)" = 0x4000 ] || { readelf -lW "$library"; exit 1; }
done
cd bindings/kotlin
for build in "$@"; do mvn -q -B verify -Dbuild="$build"; done
