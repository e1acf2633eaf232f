#!/bin/sh
# Builds the three kinds of libpushcore for release and holds the stripped shared library to the budget in sizes.txt.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
target=${CARGO_TARGET_DIR:-$root/target}
status=0
for kind in whole minimal receiver; do
    MINIMAL= RECEIVER=
    case $kind in minimal) MINIMAL=1 ;; receiver) RECEIVER=1 ;; esac
    CARGO_TARGET_DIR=$target/size-$kind PREFIX=$tree/$kind MINIMAL=$MINIMAL RECEIVER=$RECEIVER "$root/scripts/install-c.sh" >/dev/null
    size=$(wc -c <"$(readlink -f "$tree/$kind/lib/libpushcore.so")")
    budget=$(sed -n "s/^$kind //p" "$root/tests/c/sizes.txt")
    echo "$kind: $size bytes, budget $budget"
    [ "$size" -le "$budget" ] || status=1
done
exit $status
