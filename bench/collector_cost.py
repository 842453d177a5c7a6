#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU time of `cyclescope collect` against `perf stat -a -A -I` on the same events, run in turn.

    bench/collector_cost.py [ROUNDS] [SECONDS]        as root; 5 rounds of 10 s each by default

Both measure the whole system and write what they measured: ours the stream into a pipe and the CSV, perf its text into a file.
CPU time is user + system as wait4(2) gives it, start included. Intervals kept are counted in the outputs.
"""
import os
import subprocess
import sys
import tempfile

from figures import PROGRAM, spread

EVENTS = "context-switches,cpu-migrations,minor-faults,major-faults"
INTERVALS_MS = (100, 10, 1)


def cpu_seconds(arguments, **options):
    process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    return usage.ru_utime + usage.ru_stime


def ours(ms, seconds, folder):
    csv = os.path.join(folder, "ours.csv")
    reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    cost = cpu_seconds([PROGRAM, "collect", "-I", f"{ms}ms", "--duration", f"{seconds}s", "-e", f"{{{EVENTS}}}", "--csv", csv,
                        "--csv-rows", "1000000", "-o", "-"], stdout=reader.stdin)
    reader.stdin.close()
    reader.wait()
    with open(csv, encoding="ascii") as f:
        return cost, sum(1 for line in f if line.strip()) - 1


def perfs(ms, seconds, folder):
    out = os.path.join(folder, "perf.txt")
    cost = cpu_seconds(["perf", "stat", "-a", "-A", "-x,", "-I", str(ms), "-e", EVENTS, "-o", out, "--", "sleep", str(seconds)],
                       stdout=subprocess.DEVNULL)
    with open(out, encoding="ascii") as f:
        return cost, len({line.split(",", 1)[0] for line in f if line.strip() and not line.startswith("#")})


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    print("| interval | ours, % of a core | perf stat, % of a core | ours / perf stat | ours, intervals/s | perf stat, intervals/s |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for ms in INTERVALS_MS:
            pairs = [(ours(ms, seconds, folder), perfs(ms, seconds, folder)) for _ in range(rounds)]
            print(f"| {ms} ms | {spread([100 * o[0] / seconds for o, _ in pairs])} "
                  f"| {spread([100 * p[0] / seconds for _, p in pairs])} "
                  f"| {spread([o[0] / p[0] for o, p in pairs])} "
                  f"| {spread([o[1] / seconds for o, _ in pairs])} "
                  f"| {spread([p[1] / seconds for _, p in pairs])} |", flush=True)


main()
