#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzzes the columns and buckets of a history file: `fuzz-history.sh [SECONDS]`. Needs clang.
# Exit status 0: nothing was found; else the input that shows it is in the folder that is printed.
set -eu
seconds=${1:-60}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
echo "fuzz-history: $seconds s in $work"
python3 "$here/seed-history.py" "$work/corpus"
cat >"$work/words" <<'W'
"\x0a\x1c\x0a"
"\"gauge\""
"\"count\""
"\"window\":true"
"\"window\":false"
"\"per_cpu\":true"
"\"total_only\":true"
"\"quality\":\"exact\""
"\"id\":\"cycles\""
"\"id\":\"psi_cpu_some\""
"\"id\":\"pressure_cpu_some\""
"\"groups\":"
W
cd "$root/src"
# shellcheck disable=SC2046
clang -std=gnu17 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
    -I. "$here/fuzz-history.c" \
    $(for f in base/buf base/json base/text history/bucket history/bucket_value history/history history/layout history/pack \
        history/run_json history/run_json_read history/unpack history/value model/event model/metric \
        model/metric_table model/reading model/value; do
        echo "$f.c"; done) \
    -ljansson -lm -o "$work/fuzz-history"
# An input that hangs is told by the clock on the wall, on which this machine may stop us for a while.
cd "$work"
./fuzz-history -max_total_time="$seconds" -max_len=8192 -timeout=300 -rss_limit_mb=1024 -dict=words -print_final_stats=1 \
    corpus >fuzz.log 2>&1 || { tail -40 fuzz.log; exit 1; }
tail -8 fuzz.log
rm -rf "$work"
