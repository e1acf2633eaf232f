#!/usr/bin/env bash
# test-swift.sh [ARGUMENT...]: Swift's tests of all three builds, in the tree of install-swift.sh or with the Swift on the path. Needs
# the sandbox.
#
# ARGUMENTs go to `swift test`, for example --sanitize=thread; with PUSHCORE_BUILD only that build is tested.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
bindings/uniffi/generate.sh --check
[ -n "${PUSHCORE_PEER:-}" ] || ${CARGO:-cargo} build -q -p pushcore-tests --bin pushcore-peer
export PUSHCORE_SANDBOX=${PUSHCORE_SANDBOX:-$root/target/debug/pushcore-sandbox}
export PUSHCORE_ROOT=$root
tree=${PUSHCORE_SWIFT:-/opt/pushcore-swift}
enter=()
if [ -x "$tree/enter" ]; then
  enter=("$tree/enter")
  export PUSHCORE_BIND=$root PUSHCORE_ENV="PUSHCORE_SANDBOX PUSHCORE_PEER PUSHCORE_REPORT PUSHCORE_ROOT PUSHCORE_BUILD"
elif ! command -v swift >/dev/null; then
  echo "there is no Swift: scripts/install-swift.sh" >&2
  exit 1
fi
cd bindings/swift
for build in ${PUSHCORE_BUILD:-whole l1 receiver}; do
  library=$root/bindings/uniffi/target/builds/$build
  export PUSHCORE_BUILD=$build
  # Only the whole build's program is looked for in .build itself.
  scratch=.build
  [ "$build" = whole ] || scratch=.build/$build
  "${enter[@]}" swift test -j 2 --scratch-path "$scratch" -Xlinker "-L$library" -Xlinker -rpath -Xlinker "$library" "$@"
done
