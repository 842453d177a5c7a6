#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzzes the stream reader: `fuzz-stream.sh [SECONDS [FILE…]]`; FILEs are recordings to start from (those of
# tests/fixtures). Needs clang.
# Exit status 0: nothing was found; else the input that shows it is in the folder that is printed.
set -eu
seconds=${1:-60}
[ $# -gt 0 ] && shift
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
echo "fuzz-stream: $seconds s in $work"
[ $# -gt 0 ] || set -- "$root"/tests/fixtures/perf.data/*.data
python3 "$here/seed-stream.py" "$work/corpus" "$@"
clang -std=gnu17 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
    -I"$root/src" "$here/fuzz-stream.c" "$root/src/stream/cpu_map.c" "$root/src/stream/decompress.c" \
    "$root/src/stream/event_name.c" "$root/src/stream/file_mode.c" "$root/src/stream/frame.c" \
    "$root/src/stream/head.c" "$root/src/stream/head_feature.c" "$root/src/stream/id_map.c" \
    "$root/src/stream/reader.c" "$root/src/stream/records.c" "$root/src/stream/sample.c" \
    "$root/src/history/sampled.c" "$root/src/model/event.c" -lm -lzstd -o "$work/fuzz-stream"
# An input that hangs is told by the clock on the wall, on which this machine may stop us for a while.
cd "$work"
./fuzz-stream -max_total_time="$seconds" -max_len=65536 -timeout=300 -rss_limit_mb=1024 -print_final_stats=1 corpus \
    >fuzz.log 2>&1 || { tail -40 fuzz.log; exit 1; }
tail -8 fuzz.log
rm -rf "$work"
