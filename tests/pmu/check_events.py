# SPDX-License-Identifier: Apache-2.0
"""
Events by every spelling that -e takes, on a PMU that knows them: does each name reach the event that it means? Every
raw and cache event of the synthetic PMU has a rate of its own (synthetic/rates.c), so a wrong bit is a wrong count.
"""
import json

import csvfile

# Events per µs: raw event N with umask M has 10·N·(M + 1).
RATES = {"cpu_event_0x10_umask_0x2_": 480, "cpu_umask_1_event_5_k": 100, "l1_dcache_load_misses": 45, "l1d_write": 300,
         "dtlb_loads": 900, "llc_stores": 33, "branch_load_misses": 25}


def check(tap, boot):
    # Time follows the instructions executed: the same on a busy machine.
    with boot("amd64", "events", icount="shift=1,sleep=off") as guest:
        guest.finish()
    check_list(tap, guest)
    check_same(tap, guest)
    check_rates(tap, guest)
    check_missing(tap, guest)
    check_bad(tap, guest)
    check_privileges(tap, guest)
    check_standstill(tap, guest)


def check_list(tap, guest):
    tap.equal(guest.text("list.status").strip() + guest.text("list.err"), "0", "events: list ends cleanly")
    here = {e["name"]: e["here"] for e in json.loads(guest.text("list.json"))["events"]}
    for name in ("cycles", "cache-misses", "L1-dcache-loads", "L1-icache-load-misses", "dTLB-store-misses", "branch-loads",
                 "context-switches", "cpu/cpu-cycles/", "cpu/branch-misses/"):
        tap.equal(here.get(name), "opens", f"events: list: {name} opens")
    for name in ("branches", "branch-misses", "node-loads", "L1-dcache-prefetches", "L1-icache-prefetches"):
        tap.equal(here.get(name), "not supported", f"events: list: {name} does not")
    tap.equal(here.get("sched:sched_switch"), "readable", "events: list: tracepoints can be read")
    tap.ok("cpu/event=…,umask=…/" in here, "events: list: the PMU's terms are shown", [n for n in here if "…" in n])
    text = guest.text("list.txt")
    tap.ok("PMU cpu\n" in text and "  + cpu/cpu-cycles/\n" in text, "events: list: the same for people", text)


def table(tap, guest, name):
    tap.equal(guest.text(name + ".status").strip(), "0", f"events: {name}: collect ends cleanly")
    rows = csvfile.rows(guest.text(name + ".csv"))
    tap.ok(len(rows) >= 5, f"events: {name}: intervals", len(rows))
    return rows[1:]


def total(rows, column):
    return sum(float(row[column]) for row in rows)


def near(found, expected, percent):
    return abs(found / expected - 1) <= percent / 100


def check_same(tap, guest):
    rows = table(tap, guest, "same")
    expected = total(rows, "cycles_u")
    for column in ("cpu_event_0x3c_u", "cpu_cpu_cycles_u", "r3c_u", "cpu_cycles", "mine"):
        tap.ok(column in rows[0] and near(total(rows, column), expected, 0.5), f"events: {column} is cycles",
               f"{total(rows, column) if column in rows[0] else list(rows[0])} of {expected}")


def check_rates(tap, guest):
    rows = table(tap, guest, "rates")
    micros = 1000 * (int(rows[-1]["timestamp"]) - int(rows[0]["timestamp"])) * len(rows) / (len(rows) - 1)
    for column, rate in RATES.items():
        tap.ok(column in rows[0] and near(total(rows, column), rate * micros, 0.5), f"events: {column} is {rate} a µs",
               f"{total(rows, column) / micros if column in rows[0] else list(rows[0])}")
    tap.ok(total(rows, "sched_sched_switch") > 0, "events: a tracepoint counts", rows[:2])


def check_missing(tap, guest):
    rows = table(tap, guest, "missing")
    for column in ("branches", "node_loads", "l1_dcache_prefetches"):
        tap.equal({row[column] for row in rows}, {""}, f"events: {column} is empty, never 0")
    for column in ("cpu_branch_instructions_", "cycles"):
        tap.ok(all(float(row[column]) > 0 for row in rows), f"events: {column} beside it is counted", rows[:2])


def check_bad(tap, guest):
    statuses = dict(line.rsplit(" ", 1) for line in guest.text("bad.status").splitlines())
    tap.equal(list(statuses.values()), ["2"] * 5, "events: wrong ones are bad usage")
    said = guest.text("bad.err")
    for words in ("'event' has more bits", "'branch-misses'", "its terms are event, umask", "'sched:sched_switch'",
                  "'L1-dcache-loads'"):
        tap.ok(words in said, f"events: and it is said: {words}", said)


def check_privileges(tap, guest):
    """What a user without privileges gets at each level of perf_event_paranoid. What he may not count has no value."""
    denied, user, all_of_it = "denied", "user mode only", "exact"
    for level, faults, switches, system in ((3, denied, denied, denied), (2, user, denied, denied),
                                            (1, all_of_it, all_of_it, denied)):
        own, whole = (json.loads(guest.text(f"{name}-{level}.out").splitlines()[-1])["summary"] for name in ("own", "system"))
        for columns, column, expected in ((own["columns"], "page_faults", faults), (own["columns"], "cycles", faults),
                                          (own["columns"], "context_switches", switches),
                                          (whole["columns"], "page_faults", system), (whole["columns"], "cycles", system)):
            found = columns[column]
            if expected == denied:
                good = (found["value"], found["quality"]) == (None, denied) and "sudo" in found["why"]
            else:
                # The one command may well switch no context at all.
                good = found["quality"] == "exact" and (found["value"] > 0 or column == "context_switches")
                good = good and (expected == user) == found["name"].endswith(":u") == ("user mode only" in found.get("why", ""))
            tap.ok(good, f"events: paranoid {level}: {column} of {'his own' if columns is own['columns'] else 'the system'}: "
                   f"{expected}", found)
        said = guest.text(f"system-{level}.err")
        tap.ok(f"perf_event_paranoid is {level}" in said and "sudo" in said and "-p PID" in said,
               f"events: paranoid {level}: and it is said what to do", said)
        # One CPU: the command runs before the collector does again.
        tap.ok(own["seconds"] > 0.5 * own["user_seconds"], f"events: paranoid {level}: a command's time begins before it does",
               own)


def check_standstill(tap, guest):
    """running = enabled, and yet nothing is counted: what some hypervisors give."""
    rows = table(tap, guest, "stuck")
    for column in ("cycles", "instructions", "cache_misses"):
        tap.equal({row[column] for row in rows}, {""}, f"events: {column} that stand still have no value, never 0")
    tap.ok(any(int(row["context_switches"]) for row in rows), "events: what is not the PMU's is counted", rows[:2])
    tap.equal(guest.text("stuck-doctor.status").strip(), "3", "events: the doctor exits with 3")
    tap.ok("stand still on a busy CPU" in guest.text("stuck-doctor.out"), "events: the doctor says so",
           guest.text("stuck-doctor.out"))
