#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzzes -e and the kernel's descriptions of PMUs: `fuzz-event-list.sh [SECONDS]`. Needs clang.
# Exit status 0: nothing was found; else the input that shows it is in the folder that is printed.
set -eu
seconds=${1:-60}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
echo "fuzz-event-list: $seconds s in $work"
mkdir "$work/corpus"
seed() { # NAME -E TYPE CPUMASK FORMAT EVENT SCALE UNIT
    name=$1
    shift
    printf '%s\n' "$@" >"$work/corpus/$name"
}
seed named '{p/e/,p/f=3/u}:k,cycles:u' 4 0,18 config:0-7,32-35 f=0x3 2.3e-10 Joules
seed terms 'p/config=1,config1=0x2,name=x,f,period=4/ppp,r1a8,g{L1-dcache-load-misses,cs}' 11 0-3 config1:0-63 'f=?' 1 ''
seed raw "p/r1a8,name='a,b'/,e,sched:sched_switch:u,mem:0x10/4:w" 20 '' config2:5 config=7 4 MiB
cat >"$work/words" <<'W'
"p/"
"f="
"e"
"name="
"config1="
"config:0-7,32-35"
"cpu-cycles"
"L1-dcache"
"-load-misses"
":ppp"
"},{"
"}:uk"
"0x"
"::"
"sched:"
"'"
W
cd "$root/src"
# shellcheck disable=SC2046
clang -std=gnu17 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
    -I. "$here/fuzz-event-list.c" \
    $(for f in core_types event_catalog event_list event_names event_resolve modifiers nearest pfm pmu pmu_terms \
        tracepoint; do echo "collect/$f.c"; done) \
    base/file.c base/library.c base/parse.c -o "$work/fuzz-event-list"
# An input that hangs is told by the clock on the wall, on which this machine may stop us for a while.
cd "$work"
./fuzz-event-list -max_total_time="$seconds" -max_len=4096 -timeout=300 -rss_limit_mb=1024 -dict=words \
    -print_final_stats=1 corpus >fuzz.log 2>&1 || { tail -40 fuzz.log; exit 1; }
tail -8 fuzz.log
rm -rf "$work"
