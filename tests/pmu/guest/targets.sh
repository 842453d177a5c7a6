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
    : >/tmp/pinned.out # what the last one said
    pinned "$1" >/tmp/pinned.out 2>&1 &
    holder=$!
    wait_for 60 grep -q '^pinned$' /tmp/pinned.out || say "pinned did not start"
}

release() {
    kill $holder
    wait $holder
}

five='{cache-references,cycles,branches,instructions,branch-misses}'
plan five -e "$five"
plan five-user -e "$five:u"
collect_rows five 20 -e "$five"
plan default

hold 1
plan starved -e '{cycles,instructions,branches,branch-misses}'
collect_rows starved 20 -e '{cycles,instructions,branches,branch-misses}'
# The trial of a task's group runs on a thread of ours.
echo | cyclescope stat --json -e '{cycles,instructions,branches,branch-misses}' -- loop 100000000 \
    >/results/starved-command.json 2>/results/starved-command.err
release
hold 4
collect_rows none-left 10 -e '{cycles,instructions}'
# Pinned ones find no counter either, which the kernel takes for an error; the others go on.
collect_rows pinned-out 10 -e cycles:D,context-switches
cyclescope stat --json -I 100ms --duration 500ms -e cycles:D,context-switches >/results/pinned-stat.json </dev/null
echo | cyclescope stat --json -e '{cycles,instructions}:D,page-faults' -- loop 100000000 >/results/pinned-command.json
release
# Pinned ones that fit have their counters all the time, while the others take turns on what is left.
collect_rows pinned 20 -e '{cycles,instructions}:D' -e '{cache-references,cache-misses},{branches,branch-misses}'
echo | cyclescope stat --json -e '{cycles,instructions}:D' -- loop 100000000 >/results/pinned-fits.json

# One CPU alone, and the other.
collect_rows cpu0 10 -C 0 -e '{cycles,instructions}'
collect_rows cpu1 10 -C 1 -e '{cycles,instructions}'

# A command, its children counted too: one, or two at a time, that say how long they worked; and what the kernel has noted
# of all of it.
for n in 1 2; do
    echo 'for i in $(seq '$n'); do echo | pieces 60 /tmp/pieces-'$n'-$i & done; wait; read -r line </proc/$$/stat' >/tmp/work.sh
    echo 'echo "$line" >/results/command-'$n'.account' >>/tmp/work.sh
    cyclescope collect --csv /tmp/command-$n.csv -e cycles,task-clock -- sh -c ". /tmp/work.sh; exit 9" \
        >"/results/command-$n.out" 2>&1 </dev/null
    echo $? >"/results/command-$n.status"
    cat "/tmp/pieces-$n"-* >"/results/command-$n.pieces"
    mv "/tmp/command-$n.csv" /results/
done

# The same of a cgroup, with something outside that must not be counted. The work is in the cgroup, the collector is not.
mkdir /sys/fs/cgroup/busy /sys/fs/cgroup/other
(while :; do :; done) &
outside=$!
in_busy() { # NAME OPTIONS…
    local name=$1
    shift
    cp /sys/fs/cgroup/busy/cpu.stat "/results/$name.before"
    echo | cyclescope collect --csv "/tmp/$name.csv" "$@" -- \
        sh -c "echo \$\$ >/sys/fs/cgroup/busy/cgroup.procs; exec pieces 100 /results/$name.pieces" \
        >"/results/$name.out" 2>&1
    echo $? >"/results/$name.status"
    cp /sys/fs/cgroup/busy/cpu.stat "/results/$name.after"
    mv "/tmp/$name.csv" /results/
}
cyclescope collect --csv none --duration 1s -G busy >/results/too-early.out 2>&1
echo +cpu >/sys/fs/cgroup/cgroup.subtree_control || cat /sys/fs/cgroup/cgroup.controllers
in_busy cgroup -G busy -e cycles,cpu-clock
in_busy cgroups -G busy -G /sys/fs/cgroup/other -e cycles
kill $outside

# A CPU that was away at the start.
cpu1=/sys/devices/system/cpu/cpu1/online
echo 0 >$cpu1
cyclescope collect -e cycles --csv /tmp/absent.csv -o /tmp/absent.data >/results/absent.out 2>&1 </dev/null &
collector=$!
wait_for 60 has_lines /tmp/absent.csv 5 || say "no rows of absent"
clocks >/results/absent.came
echo 1 >$cpu1
wait_for 120 grep -q 'online now: 0-1' /results/absent.out || say "absent does not notice CPU 1"
lines=$(wc -l </tmp/absent.csv)
wait_for 60 has_lines /tmp/absent.csv $((lines + 5)) || say "no more rows of absent"
kill $collector
wait $collector
echo $? >/results/absent.status
mv /tmp/absent.csv /tmp/absent.data /results/
