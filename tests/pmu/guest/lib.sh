# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash disable=SC3043
# For the scenarios, which are sourced after this. Everything that is to be looked at goes into /results.

say() { echo "PMU-GUEST $(cut -d' ' -f1 /proc/uptime) $*"; }

# wait_for SECONDS COMMAND…: until the command succeeds; 1 when it did not.
wait_for() {
    local tries=$(($1 * 10))
    shift
    while ! "$@" 2>/dev/null; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 0.1
    done
}

# profile PARAMETERS…: the synthetic PMU anew, with these.
profile() { # PARAMETERS…
    # The last event may be freed a little after its process has ended.
    if grep -q '^synthetic_pmu ' /proc/modules && ! wait_for 60 rmmod synthetic_pmu; then
        say "synthetic_pmu stays in use"
        exit 1
    fi
    insmod /mods/synthetic_pmu.ko "$@" || exit 1
}

has_lines() { # FILE N
    [ "$(wc -l <"$1")" -ge "$2" ]
}

# collect NAME SECONDS OPTIONS…: measures for that long, where time follows the instructions executed; /results/NAME.{csv,data,err,status}.
collect() {
    local name=$1 seconds=$2
    shift 2
    say "collect $name"
    timeout $((seconds * 4 + 20)) cyclescope collect --duration "${seconds}s" --csv "/tmp/$name.csv" \
        -o "/tmp/$name.data" "$@" >"/results/$name.out" 2>"/results/$name.err" </dev/null
    echo $? >"/results/$name.status"
    mv "/tmp/$name.csv" "/tmp/$name.data" /results/
}

# collect_rows NAME N OPTIONS…: measures for so many intervals, on a machine of any speed; the same files.
collect_rows() {
    local name=$1 rows=$2 collector
    shift 2
    say "collect $name"
    cyclescope collect --csv "/tmp/$name.csv" -o "/tmp/$name.data" "$@" >"/results/$name.out" 2>"/results/$name.err" </dev/null &
    collector=$!
    wait_for 600 has_lines "/tmp/$name.csv" $((rows + 1)) || say "no rows of $name"
    kill $collector
    wait $collector
    echo $? >"/results/$name.status"
    mv "/tmp/$name.csv" "/tmp/$name.data" /results/
}

# The processes of the program, with what they are allowed to do.
record_processes() { # FILE
    local pid
    for pid in $(pidof cyclescope); do
        echo "== $pid"
        cat "/proc/$pid/status"
    done >"/results/$1"
}
