#!/usr/bin/env bash
# sizes.sh: builds the three libraries as an app carries them, and prints what each weighs.
set -euo pipefail
cd "$(dirname "$0")"
for build in receiver l1 whole; do
  ${CARGO:-cargo} build -q --locked --release -p pushcore-uniffi --lib --no-default-features --features "$build"
  mkdir -p "target/builds/$build-release"
  cp target/release/libpushcore_uniffi.so "target/builds/$build-release/"
  printf '%-9s %9s bytes, %9s gzipped\n' "$build" "$(stat -c %s target/release/libpushcore_uniffi.so)" \
    "$(gzip -9c target/release/libpushcore_uniffi.so | wc -c)"
done
