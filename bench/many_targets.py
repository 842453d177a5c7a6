#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU time of a tick with 64 processes of 8 threads attached, against `perf stat -p … -I 100` on the same, run in turn; and how
long 1,024 descriptors take to open and to enable.

    bench/many_targets.py [ROUNDS] [SECONDS]        as root; 3 rounds of 5 s each by default

The cost of a tick is the CPU time (user + system, as wait4(2) gives it) of a run of SECONDS minus that of a run of two
intervals, which is nearly all start, divided by the ticks between. The threads sleep 10 ms at a time. Opening and enabling are the
program's own figures in a dry run, which is compared as a whole, from its start to its end, with a `perf stat` of the same that
is over at once.
"""
import os
import re
import subprocess
import sys
import tempfile
import time

from figures import PROGRAM, spread

PROCESSES, THREADS = 64, 8
EVENTS = "context-switches,cpu-migrations,minor-faults,major-faults,task-clock"
WORK = ("import threading,time\n"
        "def w():\n while True: time.sleep(0.01)\n"
        f"[threading.Thread(target=w,daemon=True).start() for _ in range({THREADS} - 1)]\nw()\n")


def cpu_seconds(arguments):
    process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    if status:
        sys.exit(f"{arguments[0]} ended with {status}")
    return usage.ru_utime + usage.ru_stime


def ours(pids, seconds):
    """CPU seconds, and intervals: we keep the grid."""
    return cpu_seconds([PROGRAM, "collect", "-p", pids, "-e", f"{{{EVENTS}}}", "--csv", "none", "-o", "/dev/null",
                        "--duration", f"{int(seconds * 1000)}ms"]), round(10 * seconds)


def perfs(pids, seconds):
    """The same; of a busy machine it keeps fewer."""
    with tempfile.NamedTemporaryFile("r", encoding="ascii") as out:
        cost = cpu_seconds(["perf", "stat", "-p", pids, "-x,", "-I", "100", "-e", EVENTS, "-o", out.name, "--",
                            "sleep", str(seconds)])
        return cost, len({line.split(",", 1)[0] for line in out if line.strip() and not line.startswith("#")})


def tick(run, pids, seconds):
    """CPU ms."""
    (whole, ticks), (short, least) = run(pids, seconds), run(pids, 0.2)
    return 1000 * (whole - short) / (ticks - least)


def opening(pids):
    """ms for 1,024 descriptors of these threads (two events each): to open, to enable, for a dry run, for perf stat."""
    def timed(*arguments):
        start = time.monotonic()
        done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True)
        return 1000 * (time.monotonic() - start), done.stdout
    whole, plan = timed(PROGRAM, "--dry-run", "-e", "{page-faults,context-switches}", "-p", pids)
    assert re.search(r"descriptors +1024\n", plan), plan
    opened, enabled = re.search(r"opened in +([0-9.]+) ms, enabled in ([0-9.]+) ms", plan).groups()
    perf, _ = timed("perf", "stat", "-p", pids, "-e", "{page-faults,context-switches}", "-o", "/dev/null", "--", "true")
    return float(opened), float(enabled), whole, perf


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    workers = [subprocess.Popen([sys.executable, "-S", "-c", WORK]) for _ in range(PROCESSES)]
    try:
        time.sleep(3)
        pids = ",".join(str(w.pid) for w in workers)
        pairs = [[tick(f, pids, seconds) for f in (ours, perfs)] for _ in range(rounds)]
        opens = [opening(pids) for _ in range(7)]
    finally:
        for w in workers:
            w.kill()
            w.wait()
    print("| what | ours | perf stat | ours / perf stat |\n|---|---|---|---|")
    print(f"| {PROCESSES} × {THREADS} threads, CPU ms a tick of 100 ms | {spread([o for o, _ in pairs])} "
          f"| {spread([p for _, p in pairs])} | {spread([o / p for o, p in pairs])} |")
    print(f"| 1,024 descriptors, ms to open | {spread([o for o, _, _, _ in opens])} | | |")
    print(f"| 1,024 descriptors, ms to enable | {spread([e for _, e, _, _ in opens])} | | |")
    print(f"| 1,024 descriptors, ms from the program's start to its end | {spread([w for _, _, w, _ in opens])} "
          f"| {spread([p for _, _, _, p in opens])} | {spread([w / p for _, _, w, p in opens])} |")


main()
