#!/bin/sh
# Runs every comparison with another implementation that this machine can run.
#
#     tests/interop/run.sh [PYTHON]
#
# PYTHON is one of a virtual environment that pushcore is installed in (`make interop` makes it);
# the peers are installed beside it, in the versions of */requirements.txt. What needs node or
# cargo is left out, with a word, where there is none. PUSHCORE_SANDBOX names the sandbox.
set -u
python=${1:-python3}
here=$(cd "$(dirname "$0")" && pwd)
passed=0 failed=0

"$python" -m pip install -q --disable-pip-version-check \
    -r "$here/apns/requirements.txt" -r "$here/fcm/requirements.txt" \
    -r "$here/hpack/requirements.txt" -r "$here/sandbox/requirements.txt" -r "$here/webpush/requirements.txt" || exit 1

run() { # NAME COMMAND...
    name=$1
    shift
    started=$(date +%s)
    if output=$("$@" 2>&1); then
        passed=$((passed + 1)) word=passed
    else
        failed=$((failed + 1)) word=FAILED
        printf '%s\n' "$output"
    fi
    printf '%-8s %-13s %3d s  %s\n' "$word" "$name" $(($(date +%s) - started)) "$(printf '%s' "$output" | tail -1)"
}

run headers "$python" "$here/apns/header_bytes.py"
run sandbox "$python" "$here/sandbox/foreign.py"
run everyone "$python" "$here/sandbox/everyone.py"
if command -v cargo >/dev/null; then
    run apns "$python" "$here/apns/compare.py"
    run fcm "$python" "$here/fcm/compare.py"
    run hpack "$python" "$here/hpack/compare.py"
else
    run apns "$python" "$here/apns/compare.py" --without-a2
    echo "left out: fcm, hpack (no cargo)"
fi
if command -v node >/dev/null && command -v npm >/dev/null && command -v cargo >/dev/null; then
    test -d "$here/webpush/node_modules" || (cd "$here/webpush" && npm install --silent --no-audit --no-fund) || exit 1
    run webpush "$python" "$here/webpush/run.py"
else
    echo "left out: webpush (no node, npm or cargo)"
fi

# What each peer needs: Go modules, npm and Maven fetch their own dependencies once.
peers="$here/peers/run.py"
if command -v go >/dev/null && "$python" "$peers" build-go >/dev/null; then
    for peer in apns2 firebase-go webpush-go; do run "$peer" "$python" "$peers" "$peer"; done
else
    echo "left out: apns2, firebase-go, webpush-go (no go, or it could not build them)"
fi
if command -v node >/dev/null && command -v npm >/dev/null; then
    test -d "$here/node/node_modules" || (cd "$here/node" && npm install --silent --no-audit --no-fund) || exit 1
    for peer in node-apn firebase-node; do run "$peer" "$python" "$peers" "$peer"; done
    "$python" -m pip install -q --disable-pip-version-check -r "$here/notification/requirements.txt" || exit 1
    test -d "$here/notification/node_modules" || (cd "$here/notification" && npm install --silent --no-audit --no-fund) || exit 1
    run notification "$python" "$here/notification/record.py" --check
    # Amplify's peer dependency is the whole of React Native, of which nothing is used.
    test -d "$here/dialects/node_modules" ||
        (cd "$here/dialects" && npm install --silent --no-audit --no-fund --legacy-peer-deps) || exit 1
    run dialects "$python" "$here/dialects/run.py"
else
    echo "left out: node-apn, firebase-node, dialects (no node or npm)"
fi
if command -v mvn >/dev/null && "$python" "$peers" build-java >/dev/null; then
    for peer in pushy pushy-server firebase-java webpush-java; do run "$peer" "$python" "$peers" "$peer"; done
else
    echo "left out: pushy, pushy-server, firebase-java, webpush-java (no mvn, or it could not build them)"
fi
for server in nginx go haproxy; do run "$server" "$python" "$here/servers/run.py" "$server"; done

echo "$passed passed, $failed failed"
test "$failed" -eq 0
