#!/usr/bin/env bash
# generate.sh [--check] [BUILD...]: writes the generated files of Kotlin and Swift anew, or says whether they are stale.
#
# BUILD is whole, l1 or receiver; all three by default. They are generated from the static library, because a linker may
# strip the symbols that the generator reads from a shared one.
set -euo pipefail
cd "$(dirname "$0")"
check=
[ "${1:-}" != --check ] || { check=1; shift; }
[ $# -gt 0 ] || set -- whole l1 receiver
cargo=${CARGO:-cargo}
$cargo build -q --locked -p pushcore-bindgen
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT

for build in "$@"; do
  # A folder for each, because they are one crate with other features.
  case $build in
    whole) folder=target; features=(--features whole) ;;
    *) folder=target/$build; features=(--no-default-features --features "$build") ;;
  esac
  $cargo build -q --locked -p pushcore-uniffi --target-dir "$folder" "${features[@]}"
  target/debug/pushcore-bindgen generate --no-format --config uniffi.toml --language kotlin --language swift \
    --out-dir "$new" "$folder/debug/libpushcore_uniffi.a"
  for place in "../kotlin/src/generated/$build/pushcore.kt" "../swift/Generated/$build/Pushcore.swift" \
    "../swift/Generated/$build/PushcoreFFI.h"; do
    case $place in
      *.kt) file=$new/io/github/pushcore/pushcore.kt ;;
      *) file=$new/$(basename "$place") ;;
    esac
    # uniffi leaves blanks at the ends of lines.
    sed -i 's/[[:blank:]]*$//' "$file"
    if [ -z "$check" ]; then
      mkdir -p "$(dirname "$place")"
      cp "$file" "$place"
    elif ! diff -u "$place" "$file" >"$new/diff"; then
      head -40 "$new/diff"
      echo "stale: $(realpath -m --relative-to=../.. "$place"); run bindings/uniffi/generate.sh" >&2
      exit 1
    fi
  done
done
