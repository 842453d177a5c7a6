#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From the tick to the reader, under full load of all cores: the CSV's row, and the event in a page's stream handler.

    bench/latency.py [SECONDS]        as root (SCHED_FIFO); 30 s by default

Both are taken against the interval's timestamp, the grid point at which the reading was due: lateness of the tick is included.
The page is real Chromium (bench/latency_page.mjs).
"""
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

from figures import PROGRAM, full_load, percentile


def watch_csv(path, stop, delays):
    """The file's modification time when its newest row is first seen: that is when the row was there, however late this process
    looks on a loaded machine. The kernel stamps files with its tick (4 ms at 250 Hz), early by up to that."""
    last = None
    while not stop.is_set():
        time.sleep(0.001)
        try:
            with open(path, "rb") as f:
                before = os.fstat(f.fileno())
                f.seek(max(0, before.st_size - 4096))
                line = f.read().rstrip(b"\n").rsplit(b"\n", 1)[-1]
                if os.fstat(f.fileno()).st_mtime_ns != before.st_mtime_ns:
                    continue
        except OSError:
            continue
        stamp = line.split(b",", 1)[0]
        if stamp.isdigit() and stamp != last:
            if last is not None:
                delays.append(before.st_mtime_ns / 1e6 - int(stamp))
            last = stamp


def report(name, delays):
    print(f"| {name} | {len(delays)} | {percentile(delays, 0.5):.2f} | {percentile(delays, 0.99):.2f} | {max(delays):.2f} |", flush=True)


def measure(seconds, loaded):
    with tempfile.TemporaryDirectory() as folder:
        csv = os.path.join(folder, "x.csv")
        program = subprocess.Popen([PROGRAM, "--listen", "127.0.0.1:0", "--csv", csv], stdin=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        try:
            address = next(m[1] for m in (re.search(r"listening on (\S+)", x) for x in program.stderr) if m)
            stop, delays = threading.Event(), []
            watcher = threading.Thread(target=watch_csv, args=(csv, stop, delays))
            watcher.start()
            page = subprocess.run(["node", os.path.join(os.path.dirname(__file__), "latency_page.mjs"), address, str(seconds)],
                                  stdout=subprocess.PIPE, text=True, check=True, timeout=seconds + 60)
            stop.set()
            watcher.join()
        finally:
            program.terminate()
            program.wait()
    report(f"CSV row, {loaded}", delays)
    report(f"stream handler in Chromium, {loaded}", [float(x) for x in page.stdout.split()])


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    print("| what | samples | median ms | p99 ms | most ms |\n|---|---|---|---|---|")
    measure(seconds, "idle")
    with full_load():
        measure(seconds, "all cores busy")


main()
