#!/bin/sh
# Measures what pushcore costs, beside its peers, in one run; prints tables. Linux. Wants valgrind, strace,
# nghttp2's nghttpd and h2load, openssl. PEERS=0 leaves out the crates of benches/peers, which take minutes to build.
set -eu
cd "$(dirname "$0")/.."
COUNT=${COUNT:-1000000}
PEERS=${PEERS:-1}
bin=$PWD/target/release
peers=$PWD/target/peers/release
work=$PWD/target/bench
mkdir -p "$work"

cargo build -q --profile bench -p pushcore-benches
if [ "$PEERS" = 1 ]; then
    sh benches/peers/prepare.sh
    cargo build -q --release --manifest-path benches/peers/Cargo.toml --target-dir target/peers
fi
[ -f "$work/cert.pem" ] || "$bin/responder" certificate "$work"
[ -f "$work/apns.pem" ] || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/apns.pem"
ca=$work/cert.pem
export BENCH_CA=$ca
"$bin/send" body > "$work/body.json"

server=
stop() { [ -z "$server" ] || kill "$server" 2>/dev/null || true; server=; }
trap stop EXIT INT TERM
start() { stop; "$@" > "$work/server.log" 2>&1 & server=$!; sleep 0.5; }
timed() { /usr/bin/time -f 'user+sys %U+%S s, peak %M KiB' "$@" 2>&1; }
title() { printf '\n== %s\n' "$*"; }

# rep movsb counts as one instruction for every byte in valgrind; the C library's other way of copying does not.
plain=glibc.cpu.x86_rep_movsb_threshold=100000000:glibc.cpu.x86_rep_stosb_threshold=100000000
instructions() {
    valgrind --tool=callgrind --callgrind-out-file="$work/callgrind.out.$$" "$@" 2>&1 |
        sed -n 's/.*Collected : //p'
    rm -f "$work/callgrind.out.$$"
}
per_push() { # kind
    b=$(instructions "$bin/send" many localhost:9471 "$ca" 120000 "$1")
    a=$(instructions "$bin/send" many localhost:9471 "$ca" 20000 "$1")
    n=$(instructions "$bin/send" make 120000 "$1")
    m=$(instructions "$bin/send" make 20000 "$1")
    echo "$1: $(((b - a - n + m) / 100000)) a push, and $(((n - m) / 100000)) to make the message"
}
title "instructions a push (callgrind, the client's process alone)"
for id in "" id; do
    start "$bin/responder" http2 9471 "$work" 1000 $id
    for kind in shared own; do
        echo "answers ${id:-without id}, $(GLIBC_TUNABLES=$plain per_push $kind)"
    done
done

bearer=$(head -c 165 /dev/zero | tr '\0' x)
device=$(head -c 64 /dev/zero | tr '\0' a)
# h2load's own first choice is AES-128-GCM, as ours is.
h2load_to() { # port count
    timed h2load -n "$2" -c 1 -m 1000 -d "$work/body.json" -H "authorization: bearer $bearer" \
        -H 'apns-topic: com.example.app' -H 'apns-push-type: alert' -H 'apns-priority: 10' \
        "https://localhost:$1/3/device/$device" | grep -E '^finished|user' | tr '\n' ' '
}
title "$COUNT sends, one connection, 1000 in flight, our counting responder"
start "$bin/responder" http2 9473 "$work" 1000
for round in 1 2 3; do
    echo "pushcore shared: $(timed "$bin/send" many localhost:9473 "$ca" "$COUNT" shared | tr '\n' ' ')"
    echo "pushcore own:    $(timed "$bin/send" many localhost:9473 "$ca" "$COUNT" own | tr '\n' ' ')"
    echo "h2load:          $(h2load_to 9473 "$COUNT")"
    if [ "$PEERS" = 1 ]; then
        echo "a2:              $(timed "$peers/a2_send" "$work/apns.pem" $((COUNT / 10)) 1000 | tr '\n' ' ')"
    fi
done
echo "making the messages alone: $(timed "$bin/send" make "$COUNT" shared | tr '\n' ' ')"
if [ -n "${PYTHON:-}" ]; then
    # An interpreter with pushcore's wheel and benches/python/requirements.txt.
    start "$bin/responder" http2 9473 "$work" 1000 id
    "$PYTHON" benches/python/bulk.py --only apns --latency none --authority localhost:9473 --ca "$ca" \
        --numbered 8c8e3b7a-4f3e-4a51-9d0a- 2>&1 | grep -E 'CPU second$'
fi

title "the same to nghttpd and to a server on the h2 crate"
start nghttpd -d "$work" -m 1000 9474 "$work/key.pem" "$work/cert.pem"
mkdir -p "$work/3/device"
for round in 1 2 3; do
    echo "nghttpd (answers 404): $("$bin/send" refused localhost:9474 "$ca" $((COUNT / 5)) shared)"
    echo "h2load:                $(h2load_to 9474 $((COUNT / 5)))"
done
if [ "$PEERS" = 1 ]; then
    start "$peers/h2_server" 9475 "$work"
    for round in 1 2 3; do
        echo "h2 crate:              $("$bin/send" many localhost:9475 "$ca" $((COUNT / 5)) shared)"
        echo "h2load:                $(h2load_to 9475 $((COUNT / 5)))"
    done
fi

title "writes and records at 500 in flight"
start "$bin/responder" http2 9476 "$work" 500
strace -f -c -e trace=sendto,write,recvfrom,epoll_wait "$bin/send" many localhost:9476 "$ca" 200000 shared 2>&1 |
    grep -E 'sendto|recvfrom|epoll_wait|sent='
sleep 0.2
grep requests= "$work/server.log"

title "one at a time"
start "$bin/responder" http2 9473 "$work" 1000
strace -e trace=sendto,write "$bin/send" one localhost:9473 "$ca" 1000 2>&1 | grep -c sendto |
    sed 's/$/ writes for 1001 pushes, handshake included/'
for round in 1 2 3; do
    "$bin/send" one localhost:9473 "$ca" 20000 | sed 's/^/pushcore: /'
    "$bin/responder" echo 9477 "$work" > /dev/null & echo=$!
    sleep 0.3
    "$bin/send" pingpong localhost:9477 "$ca" 20000 | sed 's/^/bare TLS: /'
    kill $echo
done
if [ "$PEERS" = 1 ]; then
    for in_flight in 1 10; do
        echo "a2: $("$peers/a2_send" "$work/apns.pem" 200 $in_flight)"
    done
fi

title "memory"
timed "$bin/send" many localhost:9473 "$ca" 1000000 shared
"$bin/simulate" 10000000

title "Web Push requests, one core"
if [ "$PEERS" = 1 ]; then sh benches/run-webpush.sh; else "$bin/web_push"; fi

title "size of the C library"
cargo build -q --release -p pushcore-ffi
strip -o "$work/stripped.so" "$bin/libpushcore_ffi.so"
stat -c '%s bytes, stripped' "$work/stripped.so"
