#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""24 hours at 10 Hz on 2 CPUs in the history: how long any span takes, what the server holds, what the file takes.

    bench/history.py [HOURS [PROGRAM…]]       takes about three minutes; after `ninja -C build`

With further programs (cyclescope as it was before a change) each question is asked of all of them, in changing order.
"""
import contextlib
import http.client
import json
import math
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

from figures import PROGRAM, percentile

FILL = os.path.join(os.path.dirname(PROGRAM), "tests", "history-fill")
COLUMNS = {"2 columns": "columns=cycles,instructions&",
           "6 columns": "columns=cycles,instructions,cpi,cache_miss_rate,branch_miss_rate,cpu_use&",
           "all columns": ""}
QUESTIONS = 400


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1]) / 1024


def busy(pid):
    """CPU seconds of all threads but ingest: steadier than time on a machine that does other things."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        if int(thread) != pid:
            with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as f:
                total += int(f.read().split()[0])
    return total / 1e9


def ask(connection, path):
    connection.request("GET", path)
    return connection.getresponse().read()


class Asked:
    """A program with a server of its own over a copy of the file."""

    def __init__(self, program, file, folder):
        path = os.path.join(folder, "history.db")
        os.mkdir(folder)
        os.chmod(folder, 0o777)
        shutil.copy(file, path)
        self.program = program
        self.collector = subprocess.Popen([program, "collect", "-o", "-", "--csv", "none"], stdout=subprocess.PIPE,
                                          stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.server = subprocess.Popen([program, "serve", "-", "--listen", "127.0.0.1:0", "--history", path],
                                       stdin=self.collector.stdout, stderr=subprocess.PIPE, text=True)
        port = next(int(m[1]) for m in (re.search(r"listening on http://127.0.0.1:(\d+)", x) for x in self.server.stderr) if m)
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.meta = {"history": {"first": None}}
        while not self.meta["history"]["first"]:
            time.sleep(0.5)
            self.meta = json.loads(ask(self.connection, "/api/meta"))

    def close(self):
        for process in (self.server, self.collector):
            process.terminate()
            process.wait()

    def time(self, path):
        """(ms, CPU ms, answer)"""
        worked, before = busy(self.server.pid), time.perf_counter()
        answer = ask(self.connection, path)
        return (time.perf_counter() - before) * 1e3, (busy(self.server.pid) - worked) * 1e3, answer


def measure(asked):
    meta = asked[0].meta
    first, now = meta["history"]["first"], meta["now"]
    print(f"| history | since {(now - first) / 3.6e6:.1f} h, {meta['history']['bytes'] / 2**20:.0f} of "
          f"{meta['history']['bound_bytes'] / 2**20:.0f} MiB |")
    choose = random.Random(1)
    for name, columns in COLUMNS.items():
        times, cpu, points = [[] for _ in asked], [[] for _ in asked], []
        for _ in range(QUESTIONS):
            span = 10 ** choose.uniform(4, math.log10(now - first))
            begin = choose.uniform(first, now - span)
            path = f"/api/series?{columns}from={begin:.0f}&to={begin + span:.0f}&points=1000"
            for i in choose.sample(range(len(asked)), len(asked)):
                took, worked, answer = asked[i].time(path)
                times[i].append(took)
                cpu[i].append(worked)
            points.append(len(json.loads(answer)["t"]))
        for i, program in enumerate(asked):
            print(f"| {program.program}: /api/series, {QUESTIONS} spans from 10 s to all, {name}, ≤ 1,000 points "
                  f"(p50 {percentile(points, 0.5)}) | p50 {percentile(times[i], 0.5):.1f}, p99 {percentile(times[i], 0.99):.1f}, "
                  f"most {max(times[i]):.1f} ms; CPU p50 {percentile(cpu[i], 0.5):.1f}, p99 {percentile(cpu[i], 0.99):.1f} ms, "
                  f"{sum(cpu[i]) / sum(cpu[0]):.2f} of the first |", flush=True)
    for program in asked:
        print(f"| {program.program}: server, resident | {resident(program.server.pid):.1f} MiB |")


def main():
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 24
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        os.chmod(folder, 0o777)
        path = os.path.join(folder, "history.db")
        before = time.monotonic()
        subprocess.run([FILL, path, "2", "100", str(int(hours * 36000))], check=True)
        print(f"| filled at {hours * 36000 / (time.monotonic() - before):.0f} intervals a second |")
        asked = []
        for i, program in enumerate([PROGRAM, *sys.argv[2:]]):
            asked.append(Asked(program, path, os.path.join(folder, str(i))))
            stack.callback(asked[-1].close)
        measure(asked)


main()
