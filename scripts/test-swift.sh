#!/usr/bin/env bash
# test-swift.sh [ARGUMENT...]: Swift's tests, in the tree of install-swift.sh or with the Swift on the path. Needs the sandbox.
#
# ARGUMENTs go to `swift test`, for example --sanitize=thread.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
bindings/uniffi/generate.sh --check whole
export PUSHCORE_SANDBOX=${PUSHCORE_SANDBOX:-$root/target/debug/pushcore-sandbox}
export PUSHCORE_ROOT=$root
tree=${PUSHCORE_SWIFT:-/opt/pushcore-swift}
enter=()
if [ -x "$tree/enter" ]; then
  enter=("$tree/enter")
  export PUSHCORE_BIND=$root PUSHCORE_ENV="PUSHCORE_SANDBOX PUSHCORE_ROOT PUSHCORE_BUILD"
elif ! command -v swift >/dev/null; then
  echo "there is no Swift: scripts/install-swift.sh" >&2
  exit 1
fi
library=$root/bindings/uniffi/target/builds/whole
cd bindings/swift
"${enter[@]}" swift test -j 2 -Xlinker "-L$library" -Xlinker -rpath -Xlinker "$library" "$@"
