# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash disable=SC3043
# Events by every spelling, and the list of those that are there. The PMU has no branch events (ids 4 and 5).
mount -t tracefs tracefs /sys/kernel/tracing
insmod /mods/synthetic_pmu.ko counters=8 hwmask=0x3cf || exit 1
say "list"
cyclescope list --json >/results/list.json 2>/results/list.err </dev/null
echo $? >/results/list.status
cyclescope list 'cpu' >/results/list.txt </dev/null

collect same 2 -e '{cycles,cpu/event=0x3c/,cpu/cpu-cycles/,r3c}:u' -e cpu-cycles,cpu/config=0x3c,name=mine/
collect rates 2 -e 'cpu/event=0x10,umask=0x2/,cpu/umask=1,event=5/k,L1-dcache-load-misses,l1d-write,dTLB-loads,LLC-stores' \
    -e branch-load-misses,sched:sched_switch
collect missing 1 -e 'branches,node-loads,L1-dcache-prefetches,cpu/branch-instructions/,cycles'
for bad in cpu/event=0x100/ cpu/branch-misess/ cpu/nosuch=1/ sched:sched_swich L1-dcahe-loads; do
    cyclescope collect -e "$bad" --csv none </dev/null 2>>/results/bad.err
    echo "$bad $?" >>/results/bad.status
done

# At each level of perf_event_paranoid (Debian's kernels know 3), a user without privileges: a command of his own, and the
# system; then with CAP_PERFMON alone.
as_nobody() { # NAME COMMAND…
    local name=$1
    shift
    su -s /bin/sh nobody -c "$*" >"/results/$name.out" 2>"/results/$name.err" </dev/null
    echo $? >"/results/$name.status"
}
for level in 3 2 1; do
    echo $level >/proc/sys/kernel/perf_event_paranoid
    as_nobody own-$level cyclescope stat --json -e page-faults,context-switches,cycles -- true
    as_nobody system-$level cyclescope stat --json --duration 300ms -e page-faults,cycles
done
echo 3 >/proc/sys/kernel/perf_event_paranoid

# Counters that open, run and stand still.
echo 1 >/sys/module/synthetic_pmu/parameters/stuck
collect stuck 1 -e '{cycles,instructions},context-switches,cache-misses'
cyclescope doctor >/results/stuck-doctor.out 2>&1
echo $? >/results/stuck-doctor.status
