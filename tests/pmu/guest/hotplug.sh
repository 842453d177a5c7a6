# SPDX-License-Identifier: Apache-2.0
# CPU 1 goes and comes back while everything that measures CPUs is measuring: the whole program, the system, CPU 1 alone,
# and a cgroup. Then it goes and comes back between two readings.
# shellcheck shell=dash disable=SC2086,SC3043

cpu1=/sys/devices/system/cpu/cpu1/online

# all_notice CPUS: everybody that was started has said that these are online.
all_notice() {
    local run
    for run in $runs; do
        wait_for 60 grep -q "online now: $1\$" "/results/${run%:*}.err" || say "${run%:*} does not notice CPUs $1"
    done
}

set_cpu1() { # 0|1
    local before online=0
    [ "$1" = 0 ] || online=0-1
    before=$(clocks)
    echo "$1" >$cpu1 || say "cpu1 cannot be set to $1"
    all_notice $online
    # CLOCK_REALTIME and CLOCK_MONOTONIC, before it and when all had noticed
    echo "$before $(clocks)" >>/results/cpu1
}

answers() { # PATH NAME PATTERN: /results/NAME.json has it
    wget -q -O "/results/$2.json" "http://127.0.0.1:5000/api/$1" && grep -q "$3" "/results/$2.json"
}

# start NAME COMMAND…: with a CSV file; then stop: all that were started.
start() {
    local name=$1
    shift
    "$@" --csv "/tmp/$name.csv" >"/results/$name.out" 2>"/results/$name.err" </dev/null &
    runs="$runs $name:$!"
}

start_collect() { # NAME OPTIONS…
    local name=$1
    shift
    # One group: its ratio says of which CPUs it is, however late it was read.
    start "$name" cyclescope collect -e '{cycles,instructions},page-faults' -o "/tmp/$name.data" "$@"
}

stop() {
    local run
    for run in $runs; do kill ${run#*:}; done
    for run in $runs; do
        wait ${run#*:}
        echo $? >"/results/${run%:*}.status"
    done
    mv /tmp/*.csv /tmp/*.data /results/
    runs=
}

more_rows() { # N: everybody has that many more than now
    local run lines
    for run in $runs; do
        lines=$(wc -l <"/tmp/${run%:*}.csv")
        wait_for 60 has_lines "/tmp/${run%:*}.csv" $((lines + $1)) || say "no rows from $run"
    done
}

# work_on_1 NAME: work of the cgroup on CPU 1, /results/NAME.pieces says how much and when. Its other tasks may stay away
# from a CPU that has come back.
work_on_1() {
    more_rows 2
    echo | taskset 2 sh -c "echo \$\$ >/sys/fs/cgroup/busy/cgroup.procs; exec pieces 40 /results/$1.pieces"
    more_rows 2
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

start program cyclescope
wait_for 120 wget -q -O /dev/null http://127.0.0.1:5000/healthz || say "the server does not answer"
start_collect system -a
start_collect cpu1 -C 1
start_collect cgroup -G busy
wait_for 120 has_lines /tmp/cgroup.csv 2
more_rows 8
set_cpu1 0
wait_for 60 answers latest?cpu=1 away-1 '"offline"'
more_rows 8
wait_for 60 answers latest away '"cycles"'
wait_for 60 answers meta away-meta '"online"'
set_cpu1 1
wait_for 60 answers latest?cpu=1 back-1 '"cycles":[1-9]'
more_rows 8
work_on_1 back
wait_for 60 answers data?cpu=1 data-1 '"cycles"'
wait_for 60 answers data data '"cycles"'
stop

# While nobody looks, as in a suspend: the list of online CPUs is the same at both readings.
start_collect flip -a
start_collect flip-cgroup -G busy
wait_for 120 has_lines /tmp/flip-cgroup.csv 2
more_rows 2
for run in $runs; do kill -STOP ${run#*:}; done
echo 0 >$cpu1
echo 1 >$cpu1
for run in $runs; do kill -CONT ${run#*:}; done
all_notice 0-1
work_on_1 flip
stop
kill $workers
