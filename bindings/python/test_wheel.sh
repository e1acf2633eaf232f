#!/usr/bin/env bash
# Builds the sdist, the wheel out of the sdist, and runs the tests against the installed wheel with every
# CPython from 3.10 on that is found.
#
#   bindings/python/test_wheel.sh [INTERPRETER...]
#
# PROFILE: the cargo profile, default `wheel`; `dev` is quick. OUT: where the files go, default target/wheels.
# PUSHCORE_SANDBOX: the sandbox to test against, default target/debug/pushcore-sandbox.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
ROOT=$(cd ../.. && pwd)
OUT=$(mkdir -p "${OUT:-$ROOT/target/wheels}" && cd "${OUT:-$ROOT/target/wheels}" && pwd)
MATURIN=${MATURIN:-$ROOT/.venv/bin/maturin}
export PUSHCORE_SANDBOX=${PUSHCORE_SANDBOX:-$ROOT/target/debug/pushcore-sandbox}
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

if [ $# -eq 0 ]; then
    for minor in 10 11 12 13 14; do
        for found in "$(command -v "python3.$minor" || true)" "$HOME/.pyenv/versions/3.$minor".*/bin/python3; do
            if [ -x "$found" ] && "$found" -c "import sys, venv; sys.exit(sys.version_info[:2] != (3, $minor))" 2>/dev/null; then
                set -- "$@" "$found"
                break
            fi
        done
    done
fi

"$MATURIN" sdist -m Cargo.toml -o "$WORK"
tar xzf "$WORK"/pushcore-*.tar.gz -C "$WORK"
SOURCE=$(echo "$WORK"/pushcore-*/)
# Built as pip would build it: from the archive alone. (The archive's files are old: in the repository's own
# target folder cargo would take them for those that it has compiled.)
(cd "$SOURCE" && CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$WORK/target} "$MATURIN" build --profile "${PROFILE:-wheel}" -o "$WORK/wheels")
cp "$WORK"/pushcore-*.tar.gz "$WORK"/wheels/*.whl "$OUT"
WHEEL=$(echo "$WORK"/wheels/*.whl)
ls -l "$OUT"

# The tests beside the examples as in the repository, without the package's source, and as they are now.
mkdir -p "$WORK/repo/bindings/python"
cp -r tests pyproject.toml README.md pushcore.data "$WORK/repo/bindings/python"
cp -r "$ROOT/examples" "$ROOT/docs" "$WORK/repo"
cd "$WORK/repo/bindings/python"
for python; do
    rm -rf "$WORK/venv"
    "$python" -m venv "$WORK/venv"
    "$WORK/venv/bin/pip" install -q --disable-pip-version-check "$WHEEL" pytest hypothesis prometheus-client cryptography 'click>=8.5,<9' rich tomli uvloop
    "$WORK/venv/bin/python" -c '
import pushcore, pushcore._pushcore as module, sys
assert "site-packages" in module.__file__, module.__file__
print(sys.version.split()[0], pushcore.__version__, module.__file__.rpartition("/")[2], flush=True)'
    "$WORK/venv/bin/python" -m pytest -q -p no:cacheprovider tests
done
