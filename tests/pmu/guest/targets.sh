# SPDX-License-Identifier: Apache-2.0
# Targets and groups on four counters and two CPUs: groups that do not fit, counters that somebody else holds, a command
# with children, a cgroup, and a CPU that comes later.
# shellcheck shell=dash disable=SC3043

plan() { # NAME OPTIONS…
    local name=$1
    shift
    cyclescope collect --csv none --dry-run "$@" >"/results/$name.plan" 2>&1
}

hold() { # COUNTERS
    pinned "$1" >/tmp/pinned.out 2>&1 &
    holder=$!
    wait_for 10 grep -q pinned /tmp/pinned.out || say "pinned did not start"
}

five='{cache-references,cycles,branches,instructions,branch-misses}'
plan five -e "$five"
plan five-user -e "$five:u"
collect five 2 -e "$five"
plan default

hold 1
plan starved -e '{cycles,instructions,branches,branch-misses}'
collect starved 2 -e '{cycles,instructions,branches,branch-misses}'
kill $holder
# The trial of a task's group runs on a thread of ours.
echo | cyclescope stat --json -e '{cycles,instructions,branches,branch-misses}' -- loop 100000000 \
    >/results/starved-command.json 2>/results/starved-command.err
kill $holder
hold 4
collect none-left 1 -e '{cycles,instructions}'
# Pinned ones find no counter either, which the kernel takes for an error; the others go on.
collect pinned-out 1 -e cycles:D,context-switches
cyclescope stat --json -I 100ms --duration 500ms -e cycles:D,context-switches >/results/pinned-stat.json </dev/null
echo | cyclescope stat --json -e '{cycles,instructions}:D,page-faults' -- loop 100000000 >/results/pinned-command.json
kill $holder
# Pinned ones that fit have their counters all the time, while the others take turns on what is left.
collect pinned 2 -e '{cycles,instructions}:D' -e '{cache-references,cache-misses},{branches,branch-misses}'
echo | cyclescope stat --json -e '{cycles,instructions}:D' -- loop 100000000 >/results/pinned-fits.json

# One CPU alone, and the other.
collect cpu0 1 -C 0 -e '{cycles,instructions}'
collect cpu1 1 -C 1 -e '{cycles,instructions}'

# A command, its children counted too: one, or two at a time, that say how long they worked.
for n in 1 2; do
    echo 'for i in $(seq '$n'); do echo | pieces 60 /tmp/pieces-'$n'-$i & done; wait' >/tmp/work.sh
    cyclescope collect --csv /tmp/command-$n.csv -e cycles,task-clock -- sh -c ". /tmp/work.sh; exit 9" \
        >"/results/command-$n.out" 2>&1 </dev/null
    echo $? >"/results/command-$n.status"
    cat "/tmp/pieces-$n"-* >"/results/command-$n.pieces"
    mv "/tmp/command-$n.csv" /results/
done

# The same of a cgroup, with something outside that must not be counted.
mkdir /sys/fs/cgroup/busy /sys/fs/cgroup/other
(while :; do :; done) &
outside=$!
(
    sh -c 'echo $PPID' >/sys/fs/cgroup/busy/cgroup.procs
    while :; do :; done
) &
inside=$!
cyclescope collect --csv none --duration 1s -G busy >/results/too-early.out 2>&1
echo +cpu >/sys/fs/cgroup/cgroup.subtree_control || cat /sys/fs/cgroup/cgroup.controllers
collect cgroup 3 -G busy -e cycles,cpu-clock
collect cgroups 2 -G busy -G /sys/fs/cgroup/other -e cycles
kill $outside $inside

# A CPU that was away at the start.
cpu1=/sys/devices/system/cpu/cpu1/online
echo 0 >$cpu1
collect absent 4 -e cycles &
collector=$!
sleep 2
echo 1 >$cpu1
wait $collector
