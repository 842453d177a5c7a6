#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU time of a tick with 64 processes of 8 threads attached, against `perf stat -p … -I 100` on the same, run in turn; and how
long 1,024 descriptors take to open.

    bench/many_targets.py [ROUNDS] [SECONDS]        as root; 3 rounds of 5 s each by default

The cost of a tick is the CPU time (user + system, as wait4(2) gives it) of a run of SECONDS minus that of a run of one
interval, which is nearly all start, divided by the ticks between. The threads sleep 10 ms at a time.
"""
import os
import subprocess
import sys
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
    return cpu_seconds([PROGRAM, "collect", "-p", pids, "-e", f"{{{EVENTS}}}", "--csv", "none", "-o", "/dev/null",
                        "--duration", f"{int(seconds * 1000)}ms"])


def perfs(pids, seconds):
    return cpu_seconds(["perf", "stat", "-p", pids, "-x,", "-I", "100", "-e", EVENTS, "-o", "/dev/null", "--",
                        "sleep", str(seconds)])


def opening(pids):
    """ms that a dry run takes for 1,024 descriptors of these threads (two events each), finding the threads included, beyond one that
    opens a few of this process."""
    def dry(*target):
        start = time.monotonic()
        subprocess.run([PROGRAM, "--dry-run", "-e", "{page-faults,context-switches}", *target], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=True)
        return time.monotonic() - start
    return 1000 * (dry("-p", pids) - dry("-p", str(os.getpid())))


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    workers = [subprocess.Popen([sys.executable, "-S", "-c", WORK]) for _ in range(PROCESSES)]
    try:
        time.sleep(3)
        pids = ",".join(str(w.pid) for w in workers)
        ticks = 10 * seconds - 2
        pairs = [[1000 * (f(pids, seconds) - f(pids, 0.2)) / ticks for f in (ours, perfs)] for _ in range(rounds)]
        opens = [opening(pids) for _ in range(7)]
    finally:
        for w in workers:
            w.kill()
            w.wait()
    print("| what | ours | perf stat | ours / perf stat |\n|---|---|---|---|")
    print(f"| {PROCESSES} × {THREADS} threads, CPU ms a tick of 100 ms | {spread([o for o, _ in pairs])} "
          f"| {spread([p for _, p in pairs])} | {spread([o / p for o, p in pairs])} |")
    print(f"| 1,024 descriptors, ms to find the threads and open | {spread(opens)} | | |")


main()
