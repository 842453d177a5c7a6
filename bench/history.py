#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""24 hours at 10 Hz on 2 CPUs in the history: how long any span takes, what the server holds, what the file takes.

    bench/history.py [HOURS]       takes about two minutes; after `ninja -C build`
"""
import http.client
import json
import math
import os
import random
import re
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


def measure(port, pid):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    meta = {"history": {"first": None}}
    while not meta["history"]["first"]:
        time.sleep(0.5)
        meta = json.loads(ask(connection, "/api/meta"))
    first, now = meta["history"]["first"], meta["now"]
    print(f"| history | since {(now - first) / 3.6e6:.1f} h, {meta['history']['bytes'] / 2**20:.0f} of "
          f"{meta['history']['bound_bytes'] / 2**20:.0f} MiB |")
    choose = random.Random(1)
    for name, columns in COLUMNS.items():
        times, cpu, points = [], [], []
        for _ in range(QUESTIONS):
            span = 10 ** choose.uniform(4, math.log10(now - first))
            begin = choose.uniform(first, now - span)
            path = f"/api/series?{columns}from={begin:.0f}&to={begin + span:.0f}&points=1000"
            worked, before = busy(pid), time.perf_counter()
            answer = ask(connection, path)
            times.append((time.perf_counter() - before) * 1e3)
            cpu.append((busy(pid) - worked) * 1e3)
            points.append(len(json.loads(answer)["t"]))
        print(f"| /api/series, {QUESTIONS} spans from 10 s to all, {name}, ≤ 1,000 points (p50 {percentile(points, 0.5)}) | "
              f"p50 {percentile(times, 0.5):.1f}, p99 {percentile(times, 0.99):.1f}, most {max(times):.1f} ms; "
              f"CPU p50 {percentile(cpu, 0.5):.1f}, p99 {percentile(cpu, 0.99):.1f} ms |")
    print(f"| server, resident | {resident(pid):.1f} MiB |")


def main():
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 24
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        path = os.path.join(folder, "history.db")
        before = time.monotonic()
        subprocess.run([FILL, path, "2", "100", str(int(hours * 36000))], check=True)
        print(f"| filled at {hours * 36000 / (time.monotonic() - before):.0f} intervals a second |")
        collector = subprocess.Popen([PROGRAM, "collect", "-o", "-", "--csv", "none"], stdout=subprocess.PIPE,
                                     stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server = subprocess.Popen([PROGRAM, "serve", "-", "--listen", "127.0.0.1:0", "--history", path],
                                  stdin=collector.stdout, stderr=subprocess.PIPE, text=True)
        try:
            port = next(int(m[1]) for m in (re.search(r"listening on http://127.0.0.1:(\d+)", x) for x in server.stderr) if m)
            measure(port, server.pid)
        finally:
            for process in (server, collector):
                process.terminate()
                process.wait()


main()
