#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzzes the CSV that the server follows: `fuzz-csv.sh [SECONDS]`. Needs clang.
# Exit status 0: nothing was found; else the input that shows it is in the folder that is printed.
set -eu
seconds=${1:-60}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
echo "fuzz-csv: $seconds s in $work"
mkdir "$work/corpus"
seed() { # NAME FORMAT
    printf "$2" >"$work/corpus/$1"
}
seed plain '\000timestamp,cycles,instructions,cache_misses,branch_misses,cpi,cpu_user,cycles_running
1763830000100,400,100,,5,4,1000,75
1763830000200,400,100,3,5,4,,100      
1763830000300,,,,,,3000,
'
seed rotated '\007timestamp,cycles\n1763830000100,1\n1763830000200,2\n\034\ntimestamp,cycles\n1763830000200,2\n1763830000300,3\n'
seed other '\003\357\273\277"a, b",Timestamp,seconds,a,a_running\r\n1,1763830000.1,2.5,-3,50\r\n\r\n1,1763830000.2,1e3,x,101\r\nb,timestamp\r\n1,1763830001\r\n'
seed gauges '\100timestamp,run_queue,psi_cpu_some,power_energy_pkg_,task_clock\n1000,1,2,3,4\n1001,,7,8,9\n1002,5,6,7,-8\n'
cat >"$work/words" <<'W'
"timestamp"
"_running"
"cycles"
"instructions"
"cpi"
"cpu_idle"
"\x0a\x1c\x0a"
"1763830000100"
"99999999999999999"
"1e308"
"nan"
W
cd "$root/src"
# shellcheck disable=SC2046
clang -std=gnu17 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
    -I. "$here/fuzz-csv.c" stream/csv_reader.c \
    $(for f in history/csv_columns history/history history/ingest_csv history/layout history/processes \
        history/session history/value model/event model/metric model/metric_table model/reading model/value; do
        echo "$f.c"; done) \
    -lm -o "$work/fuzz-csv"
# An input that hangs is told by the clock on the wall, on which this machine may stop us for a while.
cd "$work"
./fuzz-csv -max_total_time="$seconds" -max_len=16384 -timeout=300 -rss_limit_mb=1024 -dict=words -print_final_stats=1 \
    corpus >fuzz.log 2>&1 || { tail -40 fuzz.log; exit 1; }
tail -8 fuzz.log
rm -rf "$work"
