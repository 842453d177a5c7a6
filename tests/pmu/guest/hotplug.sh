# SPDX-License-Identifier: Apache-2.0
# CPU 1 goes and comes back while everything that measures CPUs is measuring: the whole program, the system, CPU 1 alone,
# and a cgroup. Then it goes and comes back between two readings.
# shellcheck shell=dash disable=SC2086,SC3043

cpu1=/sys/devices/system/cpu/cpu1/online

set_cpu1() { # 0|1
    echo "$1" >$cpu1 || say "cpu1 cannot be set to $1"
    echo "$1 $(clocks)" >>/results/cpu1 # with CLOCK_REALTIME and CLOCK_MONOTONIC
}

get() { # PATH NAME: /results/NAME.json
    wget -q -O "/results/$2.json" "http://127.0.0.1:5000/api/$1" || say "no answer to $1"
}

# start NAME OPTIONS…; then stop: all that were started.
start() {
    local name=$1
    shift
    cyclescope collect -e cycles,page-faults --csv "/tmp/$name.csv" -o "/tmp/$name.data" "$@" \
        2>"/results/$name.err" </dev/null &
    runs="$runs $name:$!"
}

stop() {
    local run
    for run in $runs; do kill ${run#*:}; done
    for run in $runs; do
        wait ${run#*:}
        echo $? >"/results/${run%:*}.status"
        mv "/tmp/${run%:*}.csv" "/tmp/${run%:*}.data" /results/
    done
    runs=
}

more_rows() { # N: everybody has that many more than now
    local run lines
    for run in $runs; do
        lines=$(wc -l <"/tmp/${run%:*}.csv")
        wait_for 60 has_lines "/tmp/${run%:*}.csv" $((lines + $1)) || say "no rows from $run"
    done
}

mkdir /sys/fs/cgroup/busy
echo +cpu >/sys/fs/cgroup/cgroup.subtree_control
# Two, so that one is on CPU 1 whenever there is one.
for _ in 1 2; do
    (
        sh -c 'echo $PPID' >/sys/fs/cgroup/busy/cgroup.procs
        while :; do :; done
    ) &
    workers="$workers $!"
done

cyclescope >/results/program.out 2>&1 </dev/null &
program=$!
wait_for 60 wget -q -O /dev/null http://127.0.0.1:5000/healthz || say "the server does not answer"
start system -a
start cpu1 -C 1
start cgroup -G busy
wait_for 60 has_lines /tmp/cgroup.csv 2
more_rows 8
set_cpu1 0
more_rows 8
get latest?cpu=1 away-1
get latest away
get meta away-meta
set_cpu1 1
more_rows 8
get latest?cpu=1 back-1
get data?cpu=1 data-1
get data data
stop
kill $program
wait $program
echo $? >/results/program.status
cp /tmp/perf_data.csv /results/program.csv

# So fast that the list of online CPUs is the same at both readings.
start flip -a -I 500ms
start flip-cgroup -G busy -I 500ms
wait_for 60 has_lines /tmp/flip-cgroup.csv 2
more_rows 1
set_cpu1 0
set_cpu1 1
more_rows 8
stop
kill $workers
