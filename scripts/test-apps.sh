#!/usr/bin/env bash
# test-apps.sh: Kotlin and Swift where their tools are. Without them `make test` still passes, and the last line says what it
# did not run; with CI=true that is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
not_run=()
if command -v mvn >/dev/null && command -v javac >/dev/null; then
  scripts/test-kotlin.sh
else
  not_run+=("Kotlin (scripts/install-kotlin.sh, make test-kotlin)")
fi
if [ -x "${PUSHCORE_SWIFT:-/opt/pushcore-swift}/enter" ] || command -v swift >/dev/null; then
  scripts/test-swift.sh
else
  not_run+=("Swift (scripts/install-swift.sh, make test-swift)")
fi
[ ${#not_run[@]} -gt 0 ] || exit 0
printf -v list '%s; ' "${not_run[@]}"
echo "not run, because the tools are not here: ${list%; }"
[ "${CI:-}" != true ]
