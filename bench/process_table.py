#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the process table costs: CPU time of `cyclescope collect` with many idle processes, less that without them.

    bench/process_table.py [PROCESSES] [ROUNDS] [SECONDS]        2000, 5 rounds of 5 s by default

The processes sleep, but for 50 that run a little; all else of the collector (one software event, 1 s intervals) is the same
in both runs, which are done in turn. The bound: 5 ms a second of one core.
"""
import os
import subprocess
import sys
import time

from figures import PROGRAM, spread

BUSY = 50
SLEEPERS = """
import os, signal, sys, time
n, busy = int(sys.argv[1]), int(sys.argv[2])
for i in range(n):
    if os.fork() == 0:
        while True:
            time.sleep(0.2 if i < busy else 1000)
print("ready", flush=True)
sys.stdin.read()
os.killpg(0, signal.SIGKILL)
"""


def cost(seconds, interval):
    """CPU milliseconds a second of the collector, its start included."""
    process = subprocess.Popen([PROGRAM, "collect", "-e", "context-switches", "-I", interval, "--duration", f"{seconds}s",
                                "--csv", "none", "-o", "-"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    return 1000 * (usage.ru_utime + usage.ru_stime) / seconds


def main():
    processes = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    seconds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    few, many, present = [], [], []
    for _ in range(rounds):
        few.append(cost(seconds, "1s"))
        sleepers = subprocess.Popen([sys.executable, "-c", SLEEPERS, str(processes), str(BUSY)], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, start_new_session=True)
        sleepers.stdout.readline()
        time.sleep(1)
        present.append(sum(name.isdigit() for name in os.listdir("/proc")))
        many.append(cost(seconds, "1s"))
        sleepers.stdin.close()
        sleepers.wait()
        time.sleep(0.5)
    print("| processes | collector, ms of CPU time a second | with those processes | difference |")
    print("|---|---|---|---|")
    print(f"| {spread(present)} | {spread(few)} | {spread(many)} | {spread([m - f for f, m in zip(few, many)])} |")


main()
