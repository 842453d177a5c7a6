#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a live stream of a large machine costs the server: 512 CPUs × 12 events × 10 Hz by bench-replay, without a client and with
one that takes every CPU's values.

    bench/ingest.py [SECONDS]        20 of each
"""
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request

from figures import PROGRAM, percentile

REPLAY = os.path.join(os.path.dirname(PROGRAM), "bench/bench-replay")
SIZE = ["--cpus", "512", "--events", "12", "--hz", "10"]
TICK = os.sysconf("SC_CLK_TCK")


def used(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1]) / 1024


def take_stream(address, query, gone):
    with urllib.request.urlopen(f"{address}api/stream?{query}") as answer:
        while not gone.is_set() and answer.readline():
            pass


def live(seconds, query):
    replay = subprocess.Popen([REPLAY, *SIZE, "--seconds", str(seconds + 5), "--speed", "1"], stdout=subprocess.PIPE)
    server = subprocess.Popen([PROGRAM, "serve", "-", "--listen", "127.0.0.1:0"], stdin=replay.stdout, stderr=subprocess.PIPE,
                              text=True)
    replay.stdout.close()
    gone = threading.Event()
    try:
        address = next(m[1] for m in (re.search(r"listening on (\S+)", x) for x in server.stderr) if m)
        time.sleep(2)
        if query:
            threading.Thread(target=take_stream, args=(address, query, gone), daemon=True).start()
            time.sleep(1)
        before, at = used(server.pid), time.monotonic()
        delays = []
        while time.monotonic() < at + seconds:
            asked = time.monotonic()
            with urllib.request.urlopen(address + "api/latest?cpu=511") as answer:
                json.load(answer)
            delays.append(1e3 * (time.monotonic() - asked))
            time.sleep(0.5)
        percent = 100 * (used(server.pid) - before) / (time.monotonic() - at)
        print(f"| server, {' '.join(SIZE)}, {'stream of ' + query if query else 'no stream'} | {percent:.1f} % of a core, "
              f"{resident(server.pid):.1f} MiB, /api/latest?cpu=511 p50 {percentile(delays, 0.5):.1f} ms, "
              f"most {max(delays):.1f} ms |")
    finally:
        gone.set()
        for process in (replay, server):
            process.terminate()
            process.wait()


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    for query in (None, "columns=cycles,instructions&cpu=all", "cpu=all"):
        live(seconds, query)


main()
