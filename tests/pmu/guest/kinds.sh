# SPDX-License-Identifier: Apache-2.0
# Every kind of target with two counters and with four, each event with a counter of its own and all of them in turns,
# around workload/pieces.c, which says when it worked. One CPU, and time that follows the instructions executed.
# shellcheck shell=dash disable=SC2086,SC3043

A='{cycles,instructions}' B='{cache-references,cache-misses}' C='{branches,branch-misses}'
EACH=60 TURNS=150 # ms of a piece

# finish NAME STATUS: what a run left behind.
finish() {
    echo "$2" >"/results/$1.status"
    mv "/tmp/$1.data" "/tmp/$1.pieces" /results/
}

# beside NAME OPTIONS…: the work is a command; the target may be another one while it runs.
beside() {
    local name=$1
    shift
    echo | cyclescope stat --json -o "/tmp/$name.data" "$@" -- pieces $ms "/tmp/$name.pieces" \
        >"/results/$name.json" 2>"/results/$name.err"
    finish "$name" $?
}

# await NAME: $work is there and waits for open_gate.
await() {
    rm -f /tmp/gate
    mkfifo /tmp/gate
    : >"/tmp/$1.pieces"
    pieces $ms "/tmp/$1.pieces" </tmp/gate &
    work=$!
    exec 3>/tmp/gate
    wait_for 60 grep -q up "/tmp/$1.pieces"
}

open_gate() {
    echo >&3
    exec 3>&-
    wait $work
}

# attached NAME p|t OPTIONS…: the work is there before, and what is born later is born under measurement.
attached() {
    local name=$1 kind=$2 work collector id
    shift 2
    await "$name"
    id=$work
    [ "$kind" = p ] || id=$(sed -n 's/^up //p' "/tmp/$name.pieces")
    cyclescope stat --json -I 100ms -o "/tmp/$name.data" "-$kind" "$id" "$@" >"/results/$name.json" \
        2>"/results/$name.err" </dev/null 3>&- &
    collector=$!
    wait_for 20 has_lines "/results/$name.json" 1 || say "no interval of $name"
    open_gate
    wait $collector # it ends with its target
    finish "$name" $?
}

counts_events() { # PID: it has opened some
    ls -l "/proc/$1/fd" | grep -q perf_event
}

# beside_perf NAME OPTIONS…: ours and perf stat on the same work at the same time.
beside_perf() {
    local name=$1 work perf ours
    shift
    say "$name"
    await "$name"
    perf stat -x, -o "/results/$name.perf" "$@" -p $work 2>"/results/$name.perf-err" </dev/null 3>&- &
    perf=$!
    cyclescope stat --json -o "/tmp/$name.data" "$@" -p $work >"/results/$name.json" 2>"/results/$name.err" </dev/null 3>&- &
    ours=$!
    wait_for 20 counts_events $perf && wait_for 20 counts_events $ours || say "they do not count"
    sleep 0.3 # they enable what they opened, and say nothing
    open_gate
    wait $ours
    finish "$name" $?
    wait $perf
}

# every NAME EVENTS: one run a kind of target.
every() {
    local counters_events=$1 events=$2
    say "$counters_events $events"
    beside "$counters_events-system" -a -e "$events"
    beside "$counters_events-cpu" -C 0 -e "$events"
    beside "$counters_events-command" -e "$events"
    # The shell that starts the work is in the cgroup, and so is all that it starts; the collector is not.
    echo | cyclescope stat --json -o "/tmp/$counters_events-cgroup.data" -G pieces -e "$events" -- \
        sh -c "echo \$\$ >/sys/fs/cgroup/pieces/cgroup.procs; exec pieces $ms /tmp/$counters_events-cgroup.pieces" \
        >"/results/$counters_events-cgroup.json" 2>"/results/$counters_events-cgroup.err"
    finish "$counters_events-cgroup" $?
    attached "$counters_events-process" p -e "$events"
    attached "$counters_events-thread" t -e "$events"
}

mkdir /sys/fs/cgroup/pieces
echo +cpu >/sys/fs/cgroup/cgroup.subtree_control
counters=/sys/module/synthetic_pmu/parameters/counters
echo 2 >$counters
ms=$EACH
every 2-ab "$A"
every 2-cd "$B"
every 2-ef "$C"
ms=$TURNS
every 2-all "$A,$B,$C"
echo 4 >$counters
every 4-all "$A,$B,$C"
ms=$EACH
every 4-abcd "$A,$B"
every 4-cdef "$B,$C"

# Room for both, and not.
echo 8 >$counters
beside_perf perf-alone -e "$A,$B"
ms=$TURNS
echo 4 >$counters
beside_perf perf-turns -e "$A,$B,$C"
