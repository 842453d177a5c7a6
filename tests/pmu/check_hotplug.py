# SPDX-License-Identifier: Apache-2.0
"""
CPU 1 of two goes and comes back under measurement. The synthetic PMU counts 2 cycles a ns on CPU 0 and 2.5 on CPU 1, for
as long as an event is enabled there.
"""
import json

import csvfile
from recording import Recording

RATE = 2.5  # of CPU 1, cycles a ns
# IPC of CPU 0, of CPU 1, and of what both count in the same time. The two are read one after the other: where CPU 1 counts
# less than half of CPU 0's time it is more than BOTH's limit. And this machine may take a break between the two sides.
ZERO, ONE, BOTH = (1.47, 1.53), (1.32, 1.38), (1.39, 1.445)


def check(tap, boot):
    # A counter for everybody.
    with boot("amd64", "hotplug", cpus=2, pmu={"counters": 16}) as guest:
        guest.finish()
    for name in ("system", "cpu1", "cgroup", "flip", "flip-cgroup", "program"):
        tap.equal(guest.text(name + ".status").strip(), "0", f"hotplug: ends cleanly ({name})")
    # Each from before the command until everybody had noticed, which takes a while on a busy machine.
    went, came = ([int(line.split()[i]) // 1_000_000 for i in (0, 2)] for line in guest.text("cpu1").splitlines()[:2])
    check_csv(tap, guest, went, came)
    check_recordings(tap, guest)
    check_api(tap, guest, went, came)
    check_flip(tap, guest)
    for name in ("system", "cpu1", "cgroup", "program"):
        said = guest.text(name + ".err")
        tap.ok("online now: 0\n" in said and "online now: 0-1\n" in said, f"hotplug: it is told ({name})", said)


def split(rows, went, came):
    """The rows before CPU 1 went, without it, and after it came back: without the first and last, which reach over."""
    def between(start, end):
        return [r for r in rows if start < int(r["timestamp"]) < end][1:-1]
    return between(0, went[0]), between(went[1], came[0]), between(came[1], 1 << 60)


def is_of(rows, limits):
    """Is the IPC of these rows together within these limits?"""
    cycles, instructions = (sum(int(row[c] or 0) for row in rows) for c in ("cycles", "instructions"))
    return cycles > 0 and limits[0] < instructions / cycles < limits[1]


def check_csv(tap, guest, went, came):
    for name in ("system", "program"):
        parts = split(csvfile.rows(guest.text(name + ".csv")), went, came)
        tap.ok(min(map(len, parts)) > 3 and all(row["cycles"] for rows in parts for row in rows),
               f"hotplug: {name}: the total is there all the time", [len(rows) for rows in parts])
        tap.ok(all(map(is_of, parts, (BOTH, ZERO, BOTH))), f"hotplug: {name}: of both CPUs, of the one alone, and of both",
               parts)
    before, away, after = split(csvfile.rows(guest.text("cpu1.csv")), went, came)
    tap.equal({row["cycles"] for row in away}, {""}, "hotplug: -C 1: without its CPU there is no value, never 0")
    tap.ok(is_of(before, ONE) and is_of(after, ONE) and all(row["cycles"] for row in before + after),
           "hotplug: -C 1: before and after there is", (before[:3], after[:3]))


def check_recordings(tap, guest):
    for name, others in (("system", True), ("cpu1", False), ("cgroup", True)):
        recording = Recording(guest.results[name + ".data"])
        one = recording.series("cycles", 1)
        missing = len(recording.rounds) - len(one)
        tap.ok(missing > 3 and len(one) > 10, f"hotplug: {name}: the recording has a gap", (missing, len(one)))
        if others:
            tap.equal(len(recording.series("cycles", 0)), len(recording.rounds), f"hotplug: {name}: CPU 0 has none")
        tap.ok(all(a.value <= b.value and a.enabled <= b.enabled for (_, a), (_, b) in zip(one, one[1:])),
               f"hotplug: {name}: totals go on over it", one)
        # Between a value and its time an emulated CPU may be stopped for a while: of the whole that is little. The gap is
        # a fifth of it and more.
        found = (one[-1][1].value - one[0][1].value) / (one[-1][1].enabled - one[0][1].enabled)
        tap.ok(abs(found / RATE - 1) < 0.1, f"hotplug: {name}: and are its enabled time's, without the gap", found)
        check_work(tap, guest, name, "back", f"hotplug: {name}: and it counts again")


def check_work(tap, guest, name, pieces, what):
    """CPU 1 counted what worked there after it had come back. The CPU does all the time, a cgroup while it works."""
    series = Recording(guest.results[name + ".data"]).series("cycles", 1)
    work = [[int(word) for word in line.split()[1:]] for line in guest.text(pieces + ".pieces").splitlines() if line.count(" ") == 3]
    start, end = min(w[0] for w in work), max(w[1] for w in work)
    # The last reading that was surely over before it began, and the first that began when it was over.
    before = [reading for time, reading in series if time < start][-2]
    after = next((reading for time, reading in series if time > end), before)
    # A task's CPU time begins some µs before the events of its cgroup do, and this machine may take a break in them.
    least = RATE * (0.7 * sum(w[2] for w in work) if "cgroup" in name else 0.99 * (end - start))
    tap.ok(len(work) == 5 and after.value - before.value >= least, what, (before, after, least, series[-6:]))


def check_api(tap, guest, went, came):
    answers = {name: json.loads(guest.text(name + ".json"))
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
    before, away, after = split(answers["data-1"], went, came)
    tap.ok(min(map(len, (before, away, after))) > 3 and not any(row["cycles"] for row in away) and
           all(row["cycles"] for row in before + after), "hotplug: /api/data of the CPU: that is when it was",
           (before[:1], away[:1], after[:1]))


def check_flip(tap, guest):
    """Descriptors of a CPU that was away are frozen for ever, though the CPU is there at every look."""
    for name in ("flip", "flip-cgroup"):
        series = Recording(guest.results[name + ".data"]).series("cycles", 1)
        values = [reading.value for _, reading in series]
        tap.ok(values == sorted(values), f"hotplug: {name}: totals go on", values)
        check_work(tap, guest, name, "flip", f"hotplug: {name}: a CPU that was away between two readings counts again")
        tap.ok("online now: 0-1\n" in guest.text(name + ".err"), f"hotplug: {name}: and it is told",
               guest.text(name + ".err"))
