# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash disable=SC3043
# Counters that somebody else takes in the middle of a run, and gives back. One CPU, and time that follows the
# instructions executed.

# The collector in the background, as $collector: /results/NAME.err, /tmp/NAME.{csv,data}.
start() { # NAME OPTIONS…
    local name=$1
    shift
    say "start $name"
    cyclescope collect --csv "/tmp/$name.csv" -o "/tmp/$name.data" "$@" >"/results/$name.out" 2>"/results/$name.err" </dev/null &
    collector=$!
    wait_for 20 has_lines "/tmp/$name.csv" 20 || say "no rows of $name"
}

stop() { # NAME
    kill $collector
    wait $collector
    echo $? >"/results/$1.status"
    mv "/tmp/$1.csv" "/tmp/$1.data" /results/
}

says() { # NAME SECONDS WORDS
    wait_for "$2" grep -q "$3" "/results/$1.err" || say "$1 does not say: $3"
}

# Until so many intervals more are there.
rows() { # NAME N
    local lines
    lines=$(wc -l <"/tmp/$1.csv")
    wait_for 60 has_lines "/tmp/$1.csv" $((lines + $2)) || say "no more rows of $1"
}

four='{cycles,instructions,branches,branch-misses}'
profile counters=4 profile=varying

# One counter goes, as to the NMI watchdog: three are left for a group of four.
start pairs -e "$four"
pinned 1 >/dev/null 2>&1 &
holder=$!
says pairs 20 'in parts'
clocks >/results/pairs.parted
rows pairs 60
clocks >/results/pairs.freed
kill $holder
says pairs 60 'counted together again'
clocks >/results/pairs.joined
rows pairs 20
stop pairs

# Another cyclescope takes three, and later all, for events that must have theirs.
start singles -e "$four"
cyclescope collect --csv none -o /dev/null -e 'cache-references:D,cache-misses:D,r10:D' >/results/other.out 2>&1 </dev/null &
other=$!
says singles 30 'by itself'
clocks >/results/singles.parted
rows singles 100
clocks >/results/singles.freed
pinned 1 >/dev/null 2>&1 &
holder=$!
says singles 20 'no counter has been free'
kill $holder
says singles 20 'have counters again'
kill $other
wait $other
says singles 60 'counted together again'
rows singles 10
stop singles

# A task that is busy, with a child that was there before.
(while :; do :; done) &
child=$!
start child -p $child -e "$four,task-clock"
pinned 1 >/dev/null 2>&1 &
holder=$!
says child 30 'in parts'
rows child 40
kill $holder
stop child
kill $child

# What the page is told, of the default events.
profile counters=6 profile=varying
cyclescope --history none >/results/served.err 2>&1 </dev/null &
program=$!
wait_for 20 wget -q -O /dev/null http://127.0.0.1:5000/healthz
sleep 1
pinned 5 >/dev/null 2>&1 &
holder=$!
says served 30 'in parts'
sleep 4
wget -q -O /results/served.json http://127.0.0.1:5000/api/data
wget -q -O /results/served-meta.json http://127.0.0.1:5000/api/meta
kill $holder $program
wait $program
