# SPDX-License-Identifier: Apache-2.0
# The program as a user starts it, with its defaults: the host looks at it through a forwarded port, opens the gate
# (port 5009) when it has seen enough, and then looks at what lies in /results.
# $options of the kernel's command line: further options, with commas for blanks.

# shellcheck shell=dash disable=SC2046,SC2154
forward 5001 5000 &
# Something to do, so that there are context switches, faults and CPU time.
(while :; do gzip -c /bin/busybox >/dev/null; sleep 0.2; done) &
work=$!
cyclescope $(echo "$options" | tr , ' ') >/results/program.out 2>/results/program.err </dev/null &
program=$!
say "started cyclescope"

timeout 1200 nc -l -p 5009 </dev/null >/dev/null
for status in /proc/[0-9]*/status; do
    pid=${status#/proc/}
    pid=${pid%/status}
    [ "$(readlink "/proc/$pid/exe")" = /usr/bin/cyclescope ] || continue
    cp "$status" "/results/process-$pid.status"
    ls -l "/proc/$pid/fd" >"/results/process-$pid.fd"
done
cp /proc/net/tcp /results/tcp
kill -TERM $program
wait $program
echo $? >/results/program.status
kill $work
cyclescope doctor >/results/doctor.out 2>&1
echo $? >/results/doctor.status
cp /tmp/perf_data.csv /results/
# The readings of each CPU with their own times: only a recording has them.
[ -z "$record" ] || collect_rows record 30
