#!/usr/bin/env bash
# generate.sh [--check | --build] [BUILD...]: builds the libraries, and writes the generated files of Kotlin and Swift anew.
# With --check it says whether they are stale instead; with --build it only builds.
#
# BUILD is receiver, l1 or whole; all three by default. The libraries lie in target/builds/BUILD afterwards. The files are
# generated from the static one, because a linker may strip the symbols that the generator reads from a shared one.
set -euo pipefail
cd "$(dirname "$0")"
cargo=${CARGO:-cargo}
mode=write
case ${1:-} in --check | --build) mode=${1#--}; shift ;; esac
[ $# -gt 0 ] || set -- receiver l1 whole
[ "$mode" = build ] || $cargo build -q --locked -p pushcore-bindgen
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
stale=0

for build in "$@"; do
  # One folder for all, so that what the three have in common is compiled once.
  $cargo build -q --locked -p pushcore-uniffi --no-default-features --features "$build"
  mkdir -p "target/builds/$build"
  cp target/debug/libpushcore_uniffi.{a,so} "target/builds/$build/"
  [ "$mode" != build ] || continue
  target/debug/pushcore-bindgen generate --no-format --config uniffi.toml --language kotlin --language swift \
    --out-dir "$new" "target/builds/$build/libpushcore_uniffi.a"
  while read -r file place; do
    sed -i 's/[[:blank:]]*$//' "$new/$file" # uniffi leaves blanks at the ends of lines
    if [ "$mode" = write ]; then
      mkdir -p "$(dirname "$place")"
      cp "$new/$file" "$place"
    elif ! diff -u "$place" "$new/$file" >"$new/diff"; then
      head -40 "$new/diff"
      echo "stale: ${place#../}; run bindings/uniffi/generate.sh" >&2
      stale=1
    fi
  done <<PLACES
io/github/pushcore/pushcore.kt ../kotlin/src/generated/$build/pushcore.kt
Pushcore.swift ../swift/Sources/Pushcore/Generated/$build/Pushcore.swift
PushcoreFFI.h ../swift/Sources/PushcoreFFI/$build/include/PushcoreFFI.h
PLACES
done
exit $stale
