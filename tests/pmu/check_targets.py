# SPDX-License-Identifier: Apache-2.0
"""
Targets and groups where there are four counters and two CPUs. The synthetic PMU counts 2,000,000 cycles a ms of CPU 0
and a quarter more of CPU 1, so that cycles of a task lie between 2.0 and 2.5 for each ns of its CPU time.
"""
import json
import re

import csvfile
from recording import Recording


def check(tap, boot):
    with boot("amd64", "targets", cpus=2, pmu={"counters": 4}) as guest:
        guest.finish()
    for name in ("five", "starved", "none-left", "pinned", "pinned-out", "cpu0", "cpu1", "cgroup", "cgroups", "absent"):
        tap.equal(guest.text(name + ".status").strip(), "0", f"targets: collect ends cleanly ({name})")
    check_groups(tap, guest)
    check_pinned(tap, guest)
    check_cpus(tap, guest)
    check_command(tap, guest)
    check_cgroups(tap, guest)
    check_absent(tap, guest)


def groups(guest, name):
    return re.findall(r"^group \d+ +(.*?)  \(", guest.text(name + ".plan"), re.M)


def check_groups(tap, guest):
    tap.equal(groups(guest, "five"), ["cache-references, cycles, instructions", "branches, branch-misses"],
              "targets: a group of five on four counters is repacked, the sides of each ratio together")
    tap.equal(groups(guest, "five-user"), ["cache-references:u, cycles:u, instructions:u", "branches:u, branch-misses:u"],
              "targets: that of user mode too")
    rows = csvfile.rows(guest.text("five.csv"))[1:]
    tap.ok(rows and all(int(row[c]) > 0 for row in rows for c in ("cycles", "cache_references", "branch_misses")),
           "targets: and all of it is counted", rows[:2])
    tap.ok(rows and all(row["cpi"] for row in rows), "targets: with its ratios", rows[:2])
    tap.equal(len(groups(guest, "default")), 4, "targets: the default groups fit as they are")
    tap.equal(groups(guest, "starved"), ["cycles, instructions", "branches, branch-misses"],
              "targets: a group of four where three counters are free opens, never runs, and is halved")
    rows = csvfile.rows(guest.text("starved.csv"))[1:]
    # On a busy machine a turn may be missed.
    ran = [row for row in rows if int(row["cycles"] or 0) > 0 and int(row["branches"] or 0) > 0]
    tap.ok(len(ran) > 0.7 * len(rows) > 0, "targets: and then runs", rows)
    columns = summary(guest, "starved-command")
    tap.ok(all((columns[e]["value"] or 0) > 0 for e in ("cycles", "instructions", "branches", "branch_misses")),
           "targets: that of a command too", columns)
    rows = csvfile.rows(guest.text("none-left.csv"))
    tap.equal({row["cycles"] for row in rows}, {""}, "targets: without a free counter there is no value, never 0")
    series = Recording(guest.results["none-left.data"]).series("cycles", 0)
    tap.ok(series and all(reading.enabled > 0 and reading.running == 0 for _, reading in series),
           "targets: it is enabled, and never ran", series[:2])


def summary(guest, name):
    return json.loads(guest.text(name + ".json").splitlines()[-1])["summary"]["columns"]


def check_pinned(tap, guest):
    rows = csvfile.rows(guest.text("pinned.csv"))[1:]
    for column in ("cycles_d", "instructions_d"):
        tap.equal({row[column + "_running"] for row in rows}, {"100"}, f"targets: a pinned group runs all the time ({column})")
    for column in ("cache_misses", "branch_misses"):
        # Two groups on the two counters that are left; now and then one has nearly the whole of an interval.
        shares = [float(row[column + "_running"] or 0) for row in rows]
        tap.ok(shares and 25 < sum(shares) / len(shares) < 75, f"targets: what is not pinned takes turns ({column})", shares)
    ipc = summary(guest, "pinned-fits")["ipc"]  # 1.5 on CPU 0, 1.35 on CPU 1
    tap.ok(ipc["quality"] == "exact" and 1.34 < ipc["value"] < 1.51, "targets: and has its ratio", ipc)
    rows = csvfile.rows(guest.text("pinned-out.csv"))
    tap.equal({row["cycles_d"] for row in rows}, {""}, "targets: a pinned event without a counter has no value, never 0")
    tap.ok(rows and all(row["context_switches"] for row in rows), "targets: and the events beside it are counted", rows[:3])
    recording = Recording(guest.results["pinned-out.data"])
    for cpu in (0, 1):
        series = recording.series("cycles_d", cpu)
        tap.ok(series and all(r.running == 0 and r.value == 0 and r.enabled > 0 for _, r in series),
               f"targets: the stream says that it was enabled and never ran (CPU {cpu})", series[:3])
    for row in map(json.loads, guest.text("pinned-stat.json").splitlines()[:-1]):
        tap.equal((row["cycles_d"], row["quality"].get("cycles_d")), (None, "never ran"), "targets: stat says so each interval")
    for name, column, other in (("pinned-stat", "cycles_d", "context_switches"),
                                ("pinned-command", "instructions_d", "page_faults")):
        columns = summary(guest, name)
        tap.equal((columns[column]["value"], columns[column]["quality"]), (None, "never ran"),
                  f"targets: and in its summary ({name})")
        tap.ok(columns[other]["value"], f"targets: which has the rest ({name})", columns)


def check_cpus(tap, guest):
    """CPU 1 counts a quarter more cycles and an eighth more instructions."""
    for cpu, cycles, instructions in ((0, 2, 3), (1, 2.5, 3.375)):
        recording = Recording(guest.results[f"cpu{cpu}.data"])
        tap.equal(recording.series("cycles", 1 - cpu), [], f"targets: -C {cpu}: the other CPU is not counted")
        for column, rate in (("cycles", cycles), ("instructions", instructions)):
            (_, first), (_, last) = (s := recording.series(column, cpu))[0], s[-1]
            found = (last.value - first.value) / (last.enabled - first.enabled)
            tap.ok(abs(found / rate - 1) < 0.005, f"targets: -C {cpu}: {column} within 0.5 %", found)


def check_command(tap, guest):
    """
    What the pieces of work say of their own CPU time is the truth, on a machine of any speed. The rest of the command comes on
    top; it is little, but this machine may take a break in it.
    """
    for n in (1, 2):
        tap.equal(guest.text(f"command-{n}.status").strip(), "9", "targets: a command's status is passed on")
        pieces = [line.split() for line in guest.text(f"command-{n}.pieces").splitlines()]
        true = [int(words[3]) for words in pieces if len(words) == 4]
        tap.equal(len(true), 5 * n, f"targets: all of a command's work was done ({n})")
        rows = csvfile.rows(guest.text(f"command-{n}.csv"))
        cycles, clock = (sum(int(row[c] or 0) for row in rows) for c in ("cycles", "task_clock"))
        # Each piece is a fifth of its process.
        tap.ok(0.9 < clock / sum(true) < 1.9, f"targets: a command's children are counted ({n})", (clock, true))
        tap.ok(0.9 * 2 < cycles / sum(true) < 1.9 * 2.5, f"targets: cycles of a command ({n})", (cycles, true))


def check_cgroups(tap, guest):
    tap.ok("subtree_control" in guest.text("too-early.out"), "targets: a cgroup without counters says what to do",
           guest.text("too-early.out"))
    rows = csvfile.rows(guest.text("cgroup.csv"))[2:-1]
    cycles, clock = (sum(int(row[c] or 0) for row in rows[1:]) for c in ("cycles", "cpu_clock"))
    # One busy process: no more than one CPU, though two are busy. Measured by the time that passed: a tick may be late.
    passed = (int(rows[-1]["timestamp"]) - int(rows[0]["timestamp"])) * 1e6 if rows else 0
    tap.ok(0.4 * passed < clock < 1.1 * passed, "targets: a cgroup's CPU time is one process's",
           (clock, passed, guest.text("cgroup.err")))
    tap.ok(clock and 1.95 < cycles / clock < 2.55, "targets: cycles of a cgroup", (cycles, clock))
    rows = csvfile.rows(guest.text("cgroups.csv"))[2:-1]
    tap.ok(rows and all(row["cycles_busy"] for row in rows), "targets: two cgroups: the busy one always has a value", rows[:2])
    # After a tick that was late the next row is short, and somebody else's.
    ran = [row for row in rows if int(row["cycles_busy"] or 0) > 0]
    tap.ok(len(ran) > 0.7 * len(rows), "targets: two cgroups: the busy one is busy", rows)
    tap.equal({row.get("cycles_other") for row in rows} - {"", "0"}, set(), "targets: two cgroups: the idle one")


def check_absent(tap, guest):
    series = Recording(guest.results["absent.data"]).series("cycles", 1)
    tap.ok(5 < len(series) < 35, "targets: a CPU that was offline at the start is counted once it is online",
           len(series))
