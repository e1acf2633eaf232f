#!/bin/sh
# Instructions for each received frame, with few and with 10,000 streams open, as a table. Wants valgrind.
# Argument: the program `frame_cost`, built with optimisation.
set -eu
program=${1:-target/release/examples/frame_cost}
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
