# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash disable=SC3043
# What the program counts of a PMU whose truth is known: with room for every event, multiplexed beside a second user
# that comes and goes, and multiplexed in bursts. One CPU, and time that follows the instructions executed.

# The same through the HTTP interface: /results/NAME.json. Each run alone: /api/data has what was before it, too.
serve() { # NAME SECONDS
    say "serve $1"
    cyclescope --history none >"/results/$1.out" 2>&1 </dev/null &
    wait_for 20 wget -q -O /dev/null http://127.0.0.1:5000/healthz
    sleep "$2"
    wget -q -O "/results/$1.json" http://127.0.0.1:5000/api/data
    kill $!
    wait $!
}

profile counters=8 profile=varying
collect exact 4
serve served-exact 4

profile counters=4 profile=varying
contender 4 700 900 &
contender=$!
collect contended 6
serve served-contended 4
kill $contender

profile counters=2 profile=bursty
collect bursts 5
# The same events, each in a group of its own.
collect ungrouped 5 -e cycles,cache-references,branches,cache-misses,branch-misses,instructions

# A PMU without the branch events (ids 4 and 5).
profile counters=4 hwmask=0x3cf
collect nobranches 1
cyclescope stat --json --duration 1s -I 200ms >/results/nobranches-stat.json 2>/dev/null </dev/null
cyclescope stat --duration 300ms >/results/nobranches-stat.txt 2>/dev/null </dev/null
