# SPDX-License-Identifier: Apache-2.0
# Instructions of a process, exactly: loops of two instructions a round, of two sizes, gated so that the program is
# attached before they run and reads after they ran. Then the default events on the same kind of loop.

# shellcheck shell=dash disable=SC1010,SC2046,SC3043

# measure NAME ROUNDS OPTIONS…
measure() {
    local name=$1 rounds=$2 csv=/tmp/$1.csv loop collector lines
    shift 2
    say "measure $name"
    rm -f /tmp/gate
    mkfifo /tmp/gate
    : >/tmp/loop.out
    loop "$rounds" </tmp/gate >/tmp/loop.out &
    loop=$!
    exec 3>/tmp/gate
    cyclescope collect -p $loop --csv "$csv" "$@" >"/results/$name.out" 2>"/results/$name.err" </dev/null 3>&- &
    collector=$!
    # Rows are being written, so it is attached.
    wait_for 20 has_lines "$csv" 3 || { say "no rows in $csv" && return 1; }
    echo >&3
    wait_for 60 grep -q done /tmp/loop.out || { say "the loop did not end" && return 1; }
    lines=$(wc -l <"$csv")
    wait_for 20 has_lines "$csv" $((lines + 3)) || { say "no rows after the loop" && return 1; }
    kill -TERM $collector
    wait $collector
    echo $? >"/results/$name.status"
    exec 3>&-
    wait $loop
    cp "$csv" /results/
}

cyclescope doctor >/results/doctor.out 2>&1
echo $? >/results/doctor.status
measure user-short 100000000 -e instructions:u
measure user-long 250000000 -e instructions:u
measure default 300000000

# The same loops as commands, from their exec to their end, of perf stat and of `cyclescope stat`. What a program does
# before main() depends on its environment, and perf adds to it: so we start from what perf gives its command.
perf stat -e instructions:u -o /dev/null -- env >/tmp/environment
for rounds in 100000000 250000000; do
    say "stat $rounds"
    echo | perf stat -x, -o /results/perf-$rounds.csv -e instructions:u -- loop $rounds >/dev/null
    echo | env -i $(cat /tmp/environment) cyclescope stat --json -e instructions:u -- loop $rounds \
        >/results/stat-$rounds.json 2>/results/stat-$rounds.err
    echo $? >/results/stat-$rounds.status
done

# A command that is as much in the kernel as in user mode, counted in user mode: with a counter of its own, and in turns,
# where the times by which it is scaled are those of both modes.
for n in 1 8; do
    say "user mode $n"
    events=$(seq $n | sed 's/.*/r8:u/' | tr '\n' ,)
    cyclescope stat --json -e "${events%,}" -- dd if=/dev/zero of=/dev/null bs=4096 count=150000 \
        >/results/mode-$n.json 2>/results/mode-$n.err </dev/null
done

