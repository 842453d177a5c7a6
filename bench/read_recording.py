#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`cyclescope report` on 100 MB of perf.data against `perf script` that prints the same fields, run in turn.

    bench/read_recording.py [ROUNDS] [MEGABYTES]        5 rounds of 100 MB by default

Two recordings are made with this machine's perf, and repeated up to that size with times that go on: one of samples (perf record,
call chains and all), one of counts (perf stat record; its cumulative values go on as well). perf script prints event, CPU, time and
period without looking for symbols, to /dev/null. Before the rounds both must come to the same totals. Seconds are wall time.
"""
import collections
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import time

from figures import PROGRAM, spread

SAMPLE, FINISHED_ROUND, ATTR, STAT, ROUND = 9, 68, 64, 76, 77
IDENTIFIER, TIME, BEFORE_TIME = 1 << 16, 4, 1 | 2
LOAD = ["python3", "-c", "t = __import__('time'); e = t.monotonic() + 3\nwhile t.monotonic() < e: bytearray(1 << 20)"]


def records(data):
    at = 16
    while at < len(data):
        kind, _, size = struct.unpack_from("<IHH", data, at)
        yield kind, data[at:at + size]
        at += size


def perf(*arguments):
    return subprocess.run(["perf", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=True).stdout


def repeat(data, size, repeated, shift):
    """`data` with its `repeated` kinds of records over and over, up to `size` bytes; shift(record, n) moves one on."""
    parts = list(records(data))
    body = [(kind, part) for kind, part in parts if kind in repeated]
    out = [data[:16]] + [part for kind, part in parts if kind not in repeated]
    total, n = sum(map(len, out)), 0
    while total < size:
        for kind, part in body:
            out.append(shift(kind, part, n))
            total += len(part)
        n += 1
    return b"".join(out)


def make_samples(path, size):
    data = perf("record", "-a", "-g", "-F", "999", "-e", "cpu-clock,context-switches", "-o", "-", "--", *LOAD)
    sample_type = next(struct.unpack_from("<Q", part, 8 + 24)[0] for kind, part in records(data) if kind == ATTR)
    place = 8 + 8 * bin(sample_type & (IDENTIFIER | BEFORE_TIME)).count("1")
    times = [struct.unpack_from("<Q", part, place)[0] for kind, part in records(data) if kind == SAMPLE]
    span = max(times) - min(times) + 1000

    def shift(kind, part, n):
        if kind != SAMPLE:
            return part
        moved = struct.unpack_from("<Q", part, place)[0] + n * span
        return part[:place] + struct.pack("<Q", moved) + part[place + 8:]

    with open(path, "wb") as f:
        f.write(repeat(data, size, (SAMPLE, FINISHED_ROUND), shift))
    return ["perf", "script", "-i", path, "-F", "cpu,event,time,period", "-G"]


def make_counts(path, size):
    data = perf("stat", "record", "-a", "-I", "10", "-e", "context-switches,page-faults,cpu-migrations,minor-faults", "-o", "-",
                "--", *LOAD)
    end = max(struct.unpack_from("<QQ", part, 8)[1] for kind, part in records(data) if kind == ROUND)
    last = {}
    for kind, part in records(data):
        if kind == STAT:
            event, cpu, thread, *reading = struct.unpack_from("<QIIQQQ", part, 8)
            last[event, cpu, thread] = reading

    def shift(kind, part, n):
        if kind == ROUND:
            return part[:8] + struct.pack("<QQ", 0, struct.unpack_from("<QQ", part, 8)[1] + n * end)
        event, cpu, thread, *reading = struct.unpack_from("<QIIQQQ", part, 8)
        moved = [value + n * more for value, more in zip(reading, last[event, cpu, thread])]
        return part[:8] + struct.pack("<QIIQQQ", event, cpu, thread, *moved)

    with open(path, "wb") as f:
        f.write(repeat(data, size, (STAT, ROUND), shift))
    return ["perf", "script", "-i", path]


def totals_of_samples(command, told):
    samples, periods = collections.Counter(), collections.Counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as script:
        for line in script.stdout:
            found = re.match(r"\s*\[\d+\]\s+\d+\.\d+:\s+(\d+)\s+(\S+):", line)
            samples[found[2]] += 1
            periods[found[2]] += int(found[1])
    theirs = {event: [samples[event], periods[event]] for event in samples}
    return theirs, {one["event"]: [one["samples"], one["estimated"]] for one in told["recording"]["sampled"]}


def totals_of_counts(command, told):
    last = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as script:
        for line in script.stdout:
            found = re.match(r"\s*(-?\d+)\s+(-?\d+)\s+(\d+)\s+\d+\s+\d+\s+\d+\s+(\S+)$", line)
            if found:
                last[found[4], found[1], found[2]] = int(found[3])
    theirs = collections.Counter()
    for (event, *_), value in last.items():
        theirs[event.replace("-", "_")] += value
    return dict(theirs), {event: told["totals"]["columns"][event]["value"] for event in theirs}


def seconds(command):
    start = time.monotonic()
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.monotonic() - start


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    size = (int(sys.argv[2]) if len(sys.argv) > 2 else 100) * 1000000
    print("| recording | report, s | perf script, s | perf script / report | MB/s of report |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "large.data")
        for name, make, totals in (("samples", make_samples, totals_of_samples), ("counts", make_counts, totals_of_counts)):
            theirs = make(path, size)
            told = json.loads(subprocess.run([PROGRAM, "report", path, "--format", "json"], stdout=subprocess.PIPE,
                                             check=True).stdout)
            expected, found = totals(theirs, told)
            if expected != found:
                sys.exit(f"{name}: perf script adds up to {expected}, report to {found}")
            pairs = [(seconds([PROGRAM, "report", path]), seconds(theirs)) for _ in range(rounds)]
            print(f"| {os.path.getsize(path) / 1e6:.0f} MB of {name} | {spread([o for o, _ in pairs])} "
                  f"| {spread([p for _, p in pairs])} | {spread([p / o for o, p in pairs])} "
                  f"| {spread([os.path.getsize(path) / 1e6 / o for o, _ in pairs])} |", flush=True)


main()
