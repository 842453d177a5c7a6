#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `collect -z` costs and saves: CPU time of the collector and bytes an interval, with and without, run in turn.

    bench/compression.py [ROUNDS] [SECONDS]        5 rounds of 5 s each by default

CPU time is user + system as wait4(2) gives it, start included.
"""
import json
import os
import subprocess
import sys
import tempfile

from figures import PROGRAM, spread

INTERVALS_MS = (100, 10, 1)


def collect(ms, seconds, path, *options):
    """CPU seconds and bytes an interval."""
    process = subprocess.Popen([PROGRAM, "collect", "-I", f"{ms}ms", "--duration", f"{seconds}s", "--csv", "none", "-o", path,
                                *options], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    told = subprocess.run([PROGRAM, "report", path, "--format", "json"], stdout=subprocess.PIPE, check=True).stdout
    return usage.ru_utime + usage.ru_stime, os.path.getsize(path) / json.loads(told)["totals"]["intervals"]


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    print("| interval | plain, % of a core | -z, % of a core | -z / plain | plain, bytes/interval | -z, bytes/interval |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "run.data")
        for ms in INTERVALS_MS:
            pairs = [(collect(ms, seconds, path), collect(ms, seconds, path, "-z")) for _ in range(rounds)]
            print(f"| {ms} ms | {spread([100 * p[0] / seconds for p, _ in pairs])} "
                  f"| {spread([100 * z[0] / seconds for _, z in pairs])} | {spread([z[0] / p[0] for p, z in pairs])} "
                  f"| {spread([p[1] for p, _ in pairs])} | {spread([z[1] for _, z in pairs])} |", flush=True)


main()
