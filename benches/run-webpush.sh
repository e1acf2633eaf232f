#!/bin/sh
# Web Push requests a second on one core: pushcore, the raw `ring` operations in them, and six other libraries, in turn in
# one run. Wants cargo, Python 3.10 with venv, node with npm, OpenSSL's headers. Builds what is missing (minutes); then it takes two.
#
#     sh benches/run-webpush.sh        CORE=1 ROUNDS=15 MESSAGES=1000 BYTES=200
set -eu
cd "$(dirname "$0")/.."
work=$PWD/target/bench/webpush
here=$PWD/benches/peers/webpush
mkdir -p "$work"

cargo build -q --profile bench -p pushcore-benches --bin web_push
sh benches/peers/prepare.sh
cargo build -q --release --locked --manifest-path benches/peers/Cargo.toml -p pushcore-benches-peers-webpush --target-dir target/peers
[ -x "$work/venv/bin/python" ] || python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -q --disable-pip-version-check -r "$here/requirements.txt"
cp "$here/package.json" "$here/peer.mjs" "$work"
[ -d "$work/node_modules" ] || (cd "$work" && npm install --silent --no-audit --no-fund)

exec taskset -c "${CORE:-1}" "$work/venv/bin/python" "$here/compare.py" "${ROUNDS:-15}" "${MESSAGES:-1000}" "${BYTES:-200}" \
    -- target/release/web_push serve \
    -- target/peers/release/pushcore-benches-peers-webpush \
    -- "$work/venv/bin/python" "$here/peer.py" \
    -- node "$work/peer.mjs"
