#!/bin/sh
# Counts the instructions of a push through a hub beside the same push through the plain client, where both make the message from a
# notification and a device. Linux. Wants valgrind.
set -eu
cd "$(dirname "$0")/.."
COUNT=${COUNT:-100000}
bin=$PWD/target/release
work=$PWD/target/bench
mkdir -p "$work"
cargo build -q --profile bench -p pushcore-benches --bin hub --bin responder
[ -f "$work/cert.pem" ] || "$bin/responder" certificate "$work"
ca=$work/cert.pem
"$bin/responder" http2 9472 "$work" 1000 > "$work/server.log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null || true' EXIT INT TERM
sleep 0.5
# rep movsb counts as one instruction for every byte in valgrind; the C library's other way of copying does not.
export GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=100000000:glibc.cpu.x86_rep_stosb_threshold=100000000
instructions() {
    valgrind --tool=callgrind --callgrind-out-file="$work/callgrind.out.$$" "$@" 2>&1 | sed -n 's/.*Collected : //p'
    rm -f "$work/callgrind.out.$$"
}
# The first messages pay for the connection.
start=20000
per_device() { # count 1, count 2
    echo $((($2 - $1) / COUNT))
}
make=$(per_device "$(instructions "$bin/hub" make $start)" "$(instructions "$bin/hub" make $((COUNT + start)))")
for way in plain hub tokio-plain tokio; do
    a=$(instructions "$bin/hub" $way localhost:9472 "$ca" $start)
    b=$(instructions "$bin/hub" $way localhost:9472 "$ca" $((COUNT + start)))
    all=$(per_device "$a" "$b")
    echo "$way: $all a push, of which the caller's device $make: $((all - make))"
done
