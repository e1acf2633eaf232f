#!/usr/bin/env bash
# test-kotlin.sh: the generated files are fresh, and Kotlin's tests pass. Needs Maven, a JDK of 17 and the sandbox.
set -euo pipefail
cd "$(dirname "$0")/.."
bindings/uniffi/generate.sh --check
export PUSHCORE_SANDBOX=${PUSHCORE_SANDBOX:-$PWD/target/debug/pushcore-sandbox}
cd bindings/kotlin
mvn -q -B verify
