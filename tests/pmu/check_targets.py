# SPDX-License-Identifier: Apache-2.0
"""
Targets and groups where there are four counters and two CPUs. The synthetic PMU counts 2,000,000 cycles a ms of CPU 0
and a quarter more of CPU 1, so that cycles of a task lie between 2.0 and 2.5 for each ns of its CPU time.
"""
import json
import re

import csvfile
from estimate import percentile
from recording import Recording
from truth import GAIN, rates


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
    check_counted(tap, guest, "five", ("cycles", "cache_references", "branches", "instructions", "branch_misses"),
                  "targets: and all of it is counted")
    ratios = sorted(float(row["cpi"] or 0) for row in csvfile.rows(guest.text("five.csv"))[:-1] if row["cycles"])
    # Each whole interval has one; this machine may have taken a break between its two sides.
    tap.ok(ratios and ratios[0] > 0 and 0.66 < percentile(ratios, 0.5) < 0.75, "targets: with its ratios", ratios)
    tap.equal(len(groups(guest, "default")), 4, "targets: the default groups fit as they are")
    tap.equal(groups(guest, "starved"), ["cycles, instructions", "branches, branch-misses"],
              "targets: a group of four where three counters are free opens, never runs, and is halved")
    check_counted(tap, guest, "starved", ("cycles", "instructions", "branches", "branch_misses"), "targets: and then runs")
    columns = summary(guest, "starved-command")
    tap.ok(all((columns[e]["value"] or 0) > 0 for e in ("cycles", "instructions", "branches", "branch_misses")),
           "targets: that of a command too", columns)
    rows = csvfile.rows(guest.text("none-left.csv"))
    tap.equal({row["cycles"] for row in rows}, {""}, "targets: without a free counter there is no value, never 0")
    series = Recording(guest.results["none-left.data"]).series("cycles", 0)
    tap.ok(series and all(reading.enabled > 0 and reading.running == 0 for _, reading in series),
           "targets: it is enabled, and never ran", series[:2])


def check_counted(tap, guest, name, events, what):
    """
    Every event ran on each CPU, and counted what there was in that time; where this machine took a break between a value and
    its time two intervals are wrong. And the CSV has values of it.
    """
    recording = Recording(guest.results[name + ".data"])
    rows = csvfile.rows(guest.text(name + ".csv"))
    for event in events:
        per_ns = rates("fixed", 0)[event] / 1e6
        for cpu in (0, 1):
            found = percentile(rates_found(recording.series(event, cpu)), 0.5) / per_ns
            tap.ok(abs(found / (1 + GAIN[event] * cpu / 8) - 1) < 0.1, f"{what} ({event}, CPU {cpu})", found)
        tap.ok(any(int(row[event] or 0) > 0 for row in rows), f"{what} ({event}, CSV)", rows)


def rates_found(series):
    """Of each interval in which it ran: events a ns of the time in which it did, smallest first."""
    pairs = [(a, b) for (_, a), (_, b) in zip(series, series[1:]) if b.running > a.running]
    return sorted((b.value - a.value) / (b.running - a.running) for a, b in pairs)


def summary(guest, name):
    return json.loads(guest.text(name + ".json").splitlines()[-1])["summary"]["columns"]


def shares(series):
    """Of the time of each interval, that in which it ran."""
    return [(b.running - a.running) / (b.enabled - a.enabled) for (_, a), (_, b) in zip(series, series[1:])]


def check_pinned(tap, guest):
    rows = csvfile.rows(guest.text("pinned.csv"))[1:]
    for column in ("cycles_d", "instructions_d"):
        tap.equal({row[column + "_running"] for row in rows}, {"100"}, f"targets: a pinned group runs all the time ({column})")
    # Two groups on the two counters that are left: always one of them, and each in its turn.
    recording = Recording(guest.results["pinned.data"])
    for cpu in (0, 1):
        each = [shares(recording.series(column, cpu)) for column in ("cache_misses", "branch_misses")]
        both = sorted(map(sum, zip(*each)))
        tap.ok(all(sum(share > 0 for share in one) >= 3 for one in each) and 0.95 < percentile(both, 0.5) < 1.05,
               f"targets: what is not pinned takes turns (CPU {cpu})", each)
    ipc = summary(guest, "pinned-fits")["ipc"]  # 1.5 on CPU 0, 1.35 on CPU 1; this machine may take a break between the two
    tap.ok(ipc["quality"] == "exact" and 1.2 < ipc["value"] < 1.7, "targets: and has its ratio", ipc)
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
            # Where this machine took a break between a value and its time two intervals are wrong.
            found = percentile(rates_found(recording.series(column, cpu)), 0.5)
            tap.ok(abs(found / rate - 1) < 0.005, f"targets: -C {cpu}: {column} within 0.5 %", found)


def check_command(tap, guest):
    for n in (1, 2):
        tap.equal(guest.text(f"command-{n}.status").strip(), "9", "targets: a command's status is passed on")
        # proc_pid_stat(5): utime, stime, cutime, cstime, in 10 ms
        ticks = [int(word) for word in guest.text(f"command-{n}.account").split()[13:17]]
        check_work(tap, guest, f"command-{n}", 5 * n, sum(ticks) * 10_000_000, "cycles", "task_clock")


def check_work(tap, guest, name, pieces, account, column, clock_column=None):
    """
    What the pieces of work say of their own CPU time is in it, on a machine of any speed. The rest of the command comes on top:
    it is little, but this machine may take a break in it. So it is no more than the kernel's own account, ns, of the whole.
    """
    true = [int(line.split()[3]) for line in guest.text(name + ".pieces").splitlines() if line.count(" ") == 3]
    tap.equal(len(true), pieces, f"targets: all of the work was done ({name})")
    rows = csvfile.rows(guest.text(name + ".csv"))
    cycles, clock = (sum(int(row[c] or 0) for row in rows) if c else None for c in (column, clock_column))
    # Each piece is a fifth of its process.
    tap.ok(0.9 * 2 * sum(true) < cycles < 1.9 * 2.5 * account, f"targets: its cycles ({name})", (cycles, true, account))
    if clock_column:
        tap.ok(0.9 * sum(true) < clock < 1.9 * account, f"targets: its CPU time, children and all ({name})",
               (clock, true, account))
        tap.ok(1.8 < cycles / clock < 2.75, f"targets: the one is of the same time as the other ({name})", (cycles, clock))


def cgroup_account(guest, name):
    """CPU time of the cgroup's tasks meanwhile, ns, as the kernel has it."""
    before, after = (int(re.search(r"usage_usec (\d+)", guest.text(f"{name}.{moment}"))[1]) for moment in ("before", "after"))
    return (after - before) * 1000


def check_cgroups(tap, guest):
    tap.ok("subtree_control" in guest.text("too-early.out"), "targets: a cgroup without counters says what to do",
           guest.text("too-early.out"))
    # What is outside is busy all the time: it would be as much again.
    check_work(tap, guest, "cgroup", 5, cgroup_account(guest, "cgroup"), "cycles", "cpu_clock")
    check_work(tap, guest, "cgroups", 5, cgroup_account(guest, "cgroups"), "cycles_busy")
    rows = csvfile.rows(guest.text("cgroups.csv"))
    tap.equal({row.get("cycles_other") for row in rows} - {"", "0"}, set(), "targets: two cgroups: the idle one")


def check_absent(tap, guest):
    recording = Recording(guest.results["absent.data"])
    series = recording.series("cycles", 1)
    came = int(guest.text("absent.came").split()[1])
    tap.ok(len(recording.rounds) > len(series) >= 3 and all(time > came for time, _ in series),
           "targets: a CPU that was offline at the start is counted once it is online", series[:3])
    found = series[-1][1].value / series[-1][1].enabled if series else 0
    tap.ok(abs(found / 2.5 - 1) < 0.1, "targets: and of the time since then", series)
