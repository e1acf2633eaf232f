#!/bin/sh
# Measures instructions for each received frame, with few and with 10,000 streams open; prints a table. Wants valgrind.
# Argument: a program `frame_cost`, where it is not to be built.
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || cargo build -q --profile bench -p pushcore-benches --bin frame_cost
program=${1:-target/release/frame_cost}
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$@" 2>&1 | sed -n 's/.*Collected : //p'
}
echo "| frame | 20 streams | 10,000 streams |"
echo "|---|---|---|"
for frame in window-connection window-stream window-ended settings-empty settings-window settings-ack ping ping-ack priority \
    reset-open reset-ended goaway-again data-small headers-interim headers-final unknown; do
    row="| $frame |"
    for streams in 20 10000; do
        few=$(count "$frame" "$streams" 2)
        many=$(count "$frame" "$streams" 12)
        row="$row $(((many - few) / 10)) |"
    done
    echo "$row"
done
