# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
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
