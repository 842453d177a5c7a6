# SPDX-License-Identifier: Apache-2.0
"""QEMU's own PMU: it counts instructions as they are executed, and a cycle is a nanosecond of its clock."""
import json

import csvfile

SHORT, LONG = 100_000_000, 250_000_000  # rounds, as in guest/exact.sh


def check_exact(tap, boot):
    with boot("arm64", "exact", icount="shift=0,sleep=off", perf=True) as guest:
        guest.finish()
    tap.equal(guest.text("doctor.status").strip(), "0", "arm64: doctor says that hardware counters work")
    tap.ok("cycles and instructions count; 6 events at once" in guest.text("doctor.out"),
           "arm64: and how many count at once", guest.text("doctor.out"))
    sums = {}
    for name in ("user-short", "user-long"):
        tap.equal(guest.text(name + ".status").strip(), "0", f"arm64: collect -p ends cleanly ({name})")
        table = csvfile.rows(guest.text(name + ".csv"))
        counts = csvfile.values(table, "instructions_u", "instructions")
        sums[name] = int(sum(c or 0 for c in counts))
    # The rest of the process between the gates is the same in both runs.
    tap.equal(sums["user-long"] - sums["user-short"], 2 * (LONG - SHORT),
              "arm64: user-mode instructions of a process are exact to the instruction")
    tap.ok(0 <= sums["user-short"] - 2 * SHORT < 10_000, "arm64: and little beside the loop is counted",
           f"{sums['user-short'] - 2 * SHORT} instructions more than the loop's")
    check_default_events(tap, guest, "default", 1.0)
    check_stat(tap, guest)
    check_user_mode(tap, guest)


def check_stat(tap, guest):
    """`cyclescope stat -- LOOP`: the whole of the command, from its exec to its end, as perf stat counts it."""
    counts = {}
    for rounds in (SHORT, LONG):
        name = f"stat-{rounds}"
        tap.equal(guest.text(name + ".status").strip(), "0", f"arm64: stat passes the loop's status through ({rounds})")
        summary = json.loads(guest.text(name + ".json").splitlines()[-1])["summary"]
        column = summary["columns"]["instructions_u"]
        tap.equal(column["quality"], "exact", f"arm64: stat counts all the time ({rounds})")
        counts[rounds] = column["value"]
        perfs = guest.text(f"perf-{rounds}.csv")
        tap.equal([counts[rounds]], [int(line.split(",")[0]) for line in perfs.splitlines() if "instructions:u" in line],
                  f"arm64: stat's instructions are perf stat's, to the instruction ({rounds})")
    tap.equal(counts[LONG] - counts[SHORT], 2 * (LONG - SHORT),
              "arm64: stat's instructions of a command are exact to the instruction")
    tap.ok(0 <= counts[SHORT] - 2 * SHORT < 100_000, "arm64: and beside the loop it counts its program's start and end",
           f"{counts[SHORT] - 2 * SHORT} instructions more than the loop's")


def check_user_mode(tap, guest):
    """Eight events on seven counters, of a command that is in the kernel for most of its time (dd)."""
    alone, shared = (json.loads(guest.text(f"mode-{n}.json").splitlines()[-1])["summary"]["columns"] for n in (1, 8))
    true = alone["r8_u"]["value"]
    tap.equal(alone["r8_u"]["quality"], "exact", "arm64: user mode alone has its counter all the time")
    found = [column for name, column in shared.items() if name.startswith("r8_u")]
    tap.ok(len(found) == 8 and all(c["quality"] == "scaled" and 65 < c["running"] < 85 for c in found),
           "arm64: eight events on seven counters take turns", [(c["quality"], c.get("running")) for c in found])
    tap.ok(all(abs(c["value"] / true - 1) < 0.03 for c in found), "arm64: and are what it was alone, within 3 %",
           (true, [c["value"] for c in found]))


def check_ratio(tap, boot):
    with boot("arm64", "ratio", icount="shift=1,sleep=off") as guest:
        guest.finish()
    tap.equal(guest.text("ratio.status").strip(), "0", "arm64: collect ends cleanly at icount shift 1")
    check_default_events(tap, guest, "ratio", 0.5)


def check_default_events(tap, guest, name, ipc):
    """IPC of the intervals in which the loop ran, and the events that this PMU does not have."""
    table = csvfile.rows(guest.text(name + ".csv"))
    cycles, instructions = csvfile.values(table, "cycles"), csvfile.values(table, "instructions")
    busy = [(c, i, float(row["cpi"])) for c, i, row in zip(cycles, instructions, table, strict=True)
            if c and c > 50e6]  # of the 100e6 ns of an interval
    tap.ok(len(busy) >= 2, f"arm64: {name}: intervals with cycles", f"{len(busy)} of {len(table)} rows")
    # Nothing waits in this machine: every instruction takes 2^shift cycles, also those of the kernel.
    wrong = [(c, i) for c, i, _ in busy if abs(i / c - ipc) > 0.001 * ipc]
    tap.ok(busy and not wrong, f"arm64: {name}: IPC is {ipc:.3f}", wrong[:5])
    tap.ok(busy and all(abs(cpi * ipc - 1) < 0.001 for _, _, cpi in busy),
           f"arm64: {name}: the CPI column is its inverse", busy[:5])
    for column in ("cache_misses", "branch_misses"):
        found = {row[column] for row in table}
        # 0 would say "no misses"; nothing was counted.
        tap.equal(found, {""}, f"arm64: {name}: {column} is empty in every row, never 0")
    err = guest.text(name + ".err")
    tap.ok("cache" in err and "branch" in err, f"arm64: {name}: says which events are missing",
           err or "nothing on stderr")
