#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU time of `cyclescope collect` against `perf stat -a -A -I` on the same events, run in turn.

    bench/collector_cost.py [ROUNDS] [SECONDS]        as root; 5 rounds of 10 s each by default

Both measure the whole system and write what they measured: ours the stream into a pipe and the CSV, perf its text into a file.
CPU time is user + system as wait4(2) gives it. The start is that of a run of SHORT seconds; what an interval costs after it is
the difference of a run of SECONDS and the short one, divided by that of the intervals kept, which are counted in the outputs:
of a busy machine perf stat keeps fewer. Both are printed, and the whole of the long run.
"""
import os
import subprocess
import sys
import tempfile

from figures import PROGRAM, spread

EVENTS = "context-switches,cpu-migrations,minor-faults,major-faults"
INTERVALS_MS = (100, 10, 1)
SHORT = 0.2


def cpu_seconds(arguments, **options):
    process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    return usage.ru_utime + usage.ru_stime


def ours(ms, seconds, folder):
    csv = os.path.join(folder, "ours.csv")
    reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    cost = cpu_seconds([PROGRAM, "collect", "-I", f"{ms}ms", "--duration", f"{int(1000 * seconds)}ms", "-e", f"{{{EVENTS}}}", "--csv", csv,
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
    print("| interval | what | ours | perf stat | ours / perf stat |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for ms in INTERVALS_MS:
            runs = [[(f(ms, SHORT, folder), f(ms, seconds, folder)) for f in (ours, perfs)] for _ in range(rounds)]
            for what, figure in (
                    (f"start ({SHORT} s), CPU ms", lambda short, whole: 1000 * short[0]),
                    ("an interval after it, CPU µs", lambda short, whole: 1e6 * (whole[0] - short[0]) / (whole[1] - short[1])),
                    (f"{seconds} s in all, % of a core", lambda short, whole: 100 * whole[0] / seconds),
                    ("intervals/s", lambda short, whole: whole[1] / seconds)):
                pairs = [[figure(*run) for run in both] for both in runs]
                print(f"| {ms} ms | {what} | {spread([o for o, _ in pairs])} | {spread([p for _, p in pairs])} "
                      f"| {spread([o / p for o, p in pairs])} |", flush=True)


main()
