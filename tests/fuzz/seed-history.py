#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds for fuzz-history: `seed-history.py FOLDER` writes runs and their buckets as docs/history.md describes them."""
import json
import os
import struct
import sys


def varint(v):
    out = bytearray()
    while v > 127:
        out.append(v & 127 | 128)
        v >>= 7
    return bytes(out) + bytes([v])


def event(name, group, kind="count", quality="exact", total_only=False):
    return {"id": name, "name": name, "kind": kind, "unit": "", "scale": 1, "group": group, "total_only": total_only, "quality": quality}


def metric(name, window=False, per_cpu=True):
    return {"id": name, "formula": "", "unit": "", "window": window, "per_cpu": per_cpu, "quality": "exact"}


def bucket(slots, aggregated, version=2):
    head = bytes([version, aggregated]) + varint(3) + varint(40) + varint(10 if aggregated else 1) + varint(0) + varint(10 ** 8)
    return head + b"".join(varint(len(s)) + s for s in slots)


def extremes(codes, values):
    packed = [sum(c << 2 * k for k, c in enumerate(codes[i:i + 4])) for i in range(0, len(codes), 4)]
    return bytes(packed) + values


def main(folder):
    os.makedirs(folder, exist_ok=True)

    def write(name, n_slots, events, metrics, *buckets):
        columns = {"tasks": False, "task_times": False, "slots_per_cycle": 0, "groups": 3, "events": events, "metrics": metrics}
        for i, b in enumerate(buckets):
            with open(os.path.join(folder, f"{name}-{i}"), "wb") as f:
                f.write(bytes([n_slots - 1]) + json.dumps(columns).encode() + b"\n\x1c\n" + b)

    # Enabled as long as it was measured, and running: in one number, two of them in version 1.
    times, old_times = varint(0), varint(0) + varint(0)
    core = [event("cycles", 0), event("instructions", 0), event("faults", 1, quality="denied")]
    # Whole, whole with empty intervals; then the extremes of each event and metric.
    sums = varint(4000 << 2) + varint(2000 << 2 | 1) + varint(1)
    slot = times + sums + extremes([3, 3, 3], struct.pack("<3I", 2 << 20 | 1 << 8 | 76, 3 << 8 | 1 << 7 | 60, 127))
    old = old_times + sums + extremes([3, 3, 3], bytes(18))
    scaled = varint(5) + varint(9) + sums
    write("core", 2, core, [metric("cpi")], bucket([slot, slot], 1), bucket([times + sums, times + sums], 0), bucket([scaled, scaled], 0),
          bucket([old, old], 1, version=1), bucket([old_times + sums] * 2, 0, version=1))
    # A gauge of the total alone with a metric over a window; a sum that is no whole number; no value.
    gauge = [event("psi_cpu_some", 2, "gauge", total_only=True), event("power", 1), event("cycles", 0)]
    total = (times + times + varint(1)) + varint(2) + struct.pack("<d", 0.5) + varint(0) + varint(3) + varint(0)
    cpu = times + times + varint(0) + varint(3) + varint(7 << 2)
    window = [metric("pressure_cpu_some", True, False), metric("unknown")]
    write("gauge", 2, gauge, window, bucket([total + extremes([2, 1, 0, 0, 0], struct.pack("<f", 1.5)), cpu + extremes([1, 0, 0], b"")], 1))
    # Named like a gauge, and counted.
    write("count", 1, [event(e["id"], e["group"]) for e in gauge], window, bucket([times * 3 + varint(4) * 3 + extremes([1] * 5, b"")], 1))


main(sys.argv[1])
