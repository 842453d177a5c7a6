# SPDX-License-Identifier: Apache-2.0
"""
Targets and groups where there are four counters and two CPUs. The synthetic PMU counts 2,000,000 cycles a ms of CPU 0
and a quarter more of CPU 1, so that cycles of a task lie between 2.0 and 2.5 for each ns of its CPU time.
"""
import re

import csvfile
from recording import Recording


def check(tap, boot):
    with boot("amd64", "targets", cpus=2, pmu={"counters": 4}) as guest:
        guest.finish()
    for name in ("five", "starved", "none-left", "cgroup", "cgroups", "absent"):
        tap.equal(guest.text(name + ".status").strip(), "0", f"targets: collect ends cleanly ({name})")
    check_groups(tap, guest)
    check_command(tap, guest)
    check_cgroups(tap, guest)
    check_absent(tap, guest)


def groups(guest, name):
    return re.findall(r"^group \d+ +(.*?)  \(", guest.text(name + ".plan"), re.M)


def check_groups(tap, guest):
    tap.equal(groups(guest, "five"), ["cache-references, cycles, instructions", "branches, branch-misses"],
              "targets: a group of five on four counters is repacked, the sides of each ratio together")
    rows = csvfile.rows(guest.text("five.csv"))[1:]
    tap.ok(rows and all(int(row[c]) > 0 for row in rows for c in ("cycles", "cache_references", "branch_misses")),
           "targets: and all of it is counted", rows[:2])
    tap.ok(rows and all(row["cpi"] for row in rows), "targets: with its ratios", rows[:2])
    tap.equal(len(groups(guest, "default")), 4, "targets: the default groups fit as they are")
    tap.equal(groups(guest, "starved"), ["cycles, instructions", "branches, branch-misses"],
              "targets: a group of four where three counters are free opens, never runs, and is halved")
    rows = csvfile.rows(guest.text("starved.csv"))[1:]
    tap.ok(rows and all(int(row["cycles"] or 0) > 0 and int(row["branches"] or 0) > 0 for row in rows),
           "targets: and then runs", rows[:2])
    rows = csvfile.rows(guest.text("none-left.csv"))
    tap.equal({row["cycles"] for row in rows}, {""}, "targets: without a free counter there is no value, never 0")
    series = Recording(guest.results["none-left.data"]).series("cycles", 0)
    tap.ok(series and all(reading.enabled > 0 and reading.running == 0 for _, reading in series),
           "targets: it is enabled, and never ran", series[:2])


def check_command(tap, guest):
    totals = {}
    for loops in (1, 2):
        tap.equal(guest.text(f"command-{loops}.status").strip(), "9", "targets: a command's status is passed on")
        rows = csvfile.rows(guest.text(f"command-{loops}.csv"))
        totals[loops] = [sum(int(row[c] or 0) for row in rows) for c in ("cycles", "task_clock")]
        cycles, clock = totals[loops]
        # Multiplexing is off here; the two groups are enabled one after the other.
        tap.ok(clock > 10_000_000 and 1.95 < cycles / clock < 2.55, f"targets: cycles of a command with {loops} loops",
               totals[loops])
    tap.ok(totals[2][1] > 1.4 * totals[1][1], "targets: a command's children are counted", totals)


def check_cgroups(tap, guest):
    tap.ok("subtree_control" in guest.text("too-early.out"), "targets: a cgroup without counters says what to do",
           guest.text("too-early.out"))
    rows = csvfile.rows(guest.text("cgroup.csv"))[2:-1]
    cycles, clock = (sum(int(row[c] or 0) for row in rows) for c in ("cycles", "cpu_clock"))
    # One busy process: no more than one CPU, though two are busy.
    tap.ok(rows and 0.5e8 * len(rows) < clock < 1.1e8 * len(rows), "targets: a cgroup's CPU time is one process's",
           (clock, len(rows), guest.text("cgroup.err")))
    tap.ok(clock and 1.95 < cycles / clock < 2.55, "targets: cycles of a cgroup", (cycles, clock))
    rows = csvfile.rows(guest.text("cgroups.csv"))[2:-1]
    tap.ok(rows and all(int(row["cycles_busy"] or 0) > 0 for row in rows), "targets: two cgroups: the busy one", rows[:2])
    tap.equal({row.get("cycles_other") for row in rows} - {"", "0"}, set(), "targets: two cgroups: the idle one")


def check_absent(tap, guest):
    series = Recording(guest.results["absent.data"]).series("cycles", 1)
    tap.ok(5 < len(series) < 35, "targets: a CPU that was offline at the start is counted once it is online",
           len(series))
