# SPDX-License-Identifier: Apache-2.0
"""
CPU 1 of two goes and comes back under measurement. The synthetic PMU counts 2 cycles a ns on CPU 0 and 2.5 on CPU 1, for
as long as an event is enabled there.
"""
import json

import csvfile
from recording import Recording

RATE = 2.5  # of CPU 1, cycles a ns
NEAR = 200  # ms around the moments in which CPU 1 went and came: the tick and the hotplug itself take some


def check(tap, boot):
    # A counter for everybody.
    with boot("amd64", "hotplug", cpus=2, pmu={"counters": 16}) as guest:
        guest.finish()
    for name in ("system", "cpu1", "cgroup", "flip", "flip-cgroup", "program"):
        tap.equal(guest.text(name + ".status").strip(), "0", f"hotplug: ends cleanly ({name})")
    went, came = (int(line.split()[1]) // 1_000_000 for line in guest.text("cpu1").splitlines()[:2])
    check_csv(tap, guest, went, came)
    check_recordings(tap, guest)
    check_api(tap, guest, went, came)
    check_flip(tap, guest)
    for name in ("system", "cpu1", "cgroup"):
        said = guest.text(name + ".err")
        tap.ok("online now: 0\n" in said and "online now: 0-1\n" in said, f"hotplug: it is told ({name})", said)


def split(rows, went, came):
    """The rows of the time with CPU 1, before and after, and of that without it. A row is of the 100 ms before it."""
    times = [int(row["timestamp"]) for row in rows]
    there = [r for r, t in zip(rows, times) if t < went - NEAR or t > came + 100 + NEAR]
    away = [r for r, t in zip(rows, times) if went + 100 + NEAR < t < came - NEAR]
    return there[1:-1], away


def mean(rows):
    return sum(int(row["cycles"]) for row in rows) / len(rows) / 1e8  # a ns, in rows of 100 ms


def check_csv(tap, guest, went, came):
    for name in ("system", "program"):
        there, away = split(csvfile.rows(guest.text(name + ".csv")), went, came)
        tap.ok(len(there) > 10 and len(away) > 3 and all(row["cycles"] for row in there + away),
               f"hotplug: {name}: the total is there all the time", (len(there), len(away)))
        tap.ok(4.3 < mean(there) < 4.7 and 1.9 < mean(away) < 2.1, f"hotplug: {name}: of both CPUs, and of the one alone",
               (mean(there), mean(away)))
    there, away = split(csvfile.rows(guest.text("cpu1.csv")), went, came)
    tap.equal({row["cycles"] for row in away}, {""}, "hotplug: -C 1: without its CPU there is no value, never 0")
    tap.ok(there and 2.4 < mean(there) < 2.6, "hotplug: -C 1: before and after there is", there[:3])


def check_recordings(tap, guest):
    for name, others in (("system", True), ("cpu1", False), ("cgroup", True)):
        recording = Recording(guest.results[name + ".data"])
        one = recording.series("cycles", 1)
        missing = len(recording.rounds) - len(one)
        tap.ok(missing > 3 and len(one) > 10, f"hotplug: {name}: the recording has a gap", (missing, len(one)))
        if others:
            tap.equal(len(recording.series("cycles", 0)), len(recording.rounds), f"hotplug: {name}: CPU 0 has none")
        wrong = [(a, b) for (_, a), (_, b) in zip(one, one[1:])
                 if b.value < a.value or b.enabled < a.enabled or
                 abs(b.value - a.value - RATE * (b.enabled - a.enabled)) > 0.005 * (b.value - a.value) + 100_000]
        tap.ok(not wrong, f"hotplug: {name}: totals go on over it, at the right rate", wrong[:3])
        gap = max(range(1, len(one)), key=lambda i: one[i][0] - one[i - 1][0])
        tap.ok(one[-1][1].value > one[gap][1].value, f"hotplug: {name}: and it counts again", one[gap:])


def check_api(tap, guest, went, came):
    answers = {name: json.loads(guest.text(name + ".json") or "null")
               for name in ("away", "away-1", "away-meta", "back-1", "data", "data-1")}
    tap.ok(answers["away-1"]["cycles"] is None and answers["away-1"]["quality"]["cycles"] == "offline",
           "hotplug: /api/latest of an offline CPU is null, and says so", answers["away-1"])
    tap.ok(answers["away"]["cycles"] > 0 and "cycles" not in answers["away"].get("quality", {}),
           "hotplug: the total is what the other counts, and exact", answers["away"])
    tap.equal(answers["away-meta"]["cpus"], {"possible": 2, "online": [0]}, "hotplug: /api/meta knows who is online")
    tap.ok(answers["back-1"]["cycles"] > 0 and "cycles" not in answers["back-1"].get("quality", {}),
           "hotplug: /api/latest of a CPU that is back", answers["back-1"])
    tap.ok(all(row["cycles"] for row in answers["data"]), "hotplug: /api/data has every total", answers["data"][-3:])
    wrong = [row for row in answers["data-1"] if (row["cycles"] is None) != (row.get("quality", {}).get("cycles") == "offline")]
    tap.equal(wrong, [], "hotplug: /api/data of the CPU: no value where it was offline, and only there")
    there, away = split(answers["data-1"], went, came)
    tap.ok(len(away) > 3 and not any(row["cycles"] for row in away) and there and all(row["cycles"] for row in there),
           "hotplug: /api/data of the CPU: that is when it was", (there[:1], away[:1]))


def check_flip(tap, guest):
    """Descriptors of a CPU that was away are frozen for ever, though the CPU is there at every look."""
    for name in ("flip", "flip-cgroup"):
        series = Recording(guest.results[name + ".data"]).series("cycles", 1)
        values = [reading.value for _, reading in series]
        tap.ok(values == sorted(values), f"hotplug: {name}: totals go on", values)
        (start, before), (end, after) = series[-3], series[-1]
        tap.ok(len(series) > 5 and after.value - before.value > 0.2 * (end - start),
               f"hotplug: {name}: a CPU that was away between two readings counts again", series[-3:])
        tap.ok("online now: 0-1\n" in guest.text(name + ".err"), f"hotplug: {name}: and it is told",
               guest.text(name + ".err"))
