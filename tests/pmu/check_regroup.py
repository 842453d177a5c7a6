# SPDX-License-Identifier: Apache-2.0
"""
A group whose counters somebody else takes in the middle of a run: counted in parts, truly and without a jump, and as a whole
again when they are free. The tolerances are those of check_accuracy.py; where four events take turns on one counter, a single
interval is a small sample of itself, and its median is what has to be right.
"""
import json
import re

import csvfile
from estimate import Limit, by_interval, describe, errors, intervals, percentile, reading_times
from recording import Recording
from truth import RATIOS, Truth

FOUR = ("cycles", "instructions", "branches", "branch_misses")
SCALED = Limit(3.0, 8.0)  # percent, as in check_accuracy.py
SETTLE = 300_000_000  # ns: the intervals around a change are of both


def check(tap, boot):
    with boot("amd64", "regroup", icount="shift=1,sleep=off") as guest:
        guest.finish()
    for name in ("pairs", "singles", "child"):
        tap.equal(guest.text(name + ".status").strip(), "0", f"regroup: collect ends cleanly ({name})")
    truth = Truth("varying")
    check_continuity(tap, guest, truth)
    check_pairs(tap, guest, truth)
    check_singles(tap, guest, truth)
    check_child(tap, guest)
    check_served(tap, guest)


def moment(guest, name):
    return int(guest.text(name).split()[1])


def between(found, start, end):
    return [i for i in found if i.start >= start + SETTLE and i.end <= end - SETTLE]


def check_continuity(tap, guest, truth):
    """In the whole run: totals never go back, enabled time is all of the time, and what has a count has the right one."""
    for name in ("pairs", "singles"):
        recording = Recording(guest.results[name + ".data"])
        for event in FOUR:
            series = recording.series(event, 0)
            for what in ("value", "enabled", "running"):
                values = [getattr(reading, what) for _, reading in series]
                tap.ok(values == sorted(values), f"regroup: {name}: {event}: {what} never goes back", values)
            late = [now - time for now, (time, _) in zip(reading_times(series), series)]
            tap.ok(max(late) - min(late) < 5e6, f"regroup: {name}: {event} is enabled all the time", (min(late), max(late)))
            # What ran for a moment of an interval says little of it.
            found = [i for i in intervals(series, by_interval) if i.count is not None and i.running > 0.01]
            wrong = errors(found, lambda start, end, e=event: truth.count(e, [0], start, end))
            tap.ok(percentile(wrong, 0.5) < SCALED.most and wrong[-1] < 30,
                   f"regroup: {name}: {event}: no interval jumps", describe(wrong))


def check_pairs(tap, guest, truth):
    recording = Recording(guest.results["pairs.data"])
    parted, freed, joined = (moment(guest, f"pairs.{word}") for word in ("parted", "freed", "joined"))
    found = {event: intervals(recording.series(event, 0), by_interval) for event in FOUR}
    for event in FOUR:
        apart = between(found[event], parted, freed)
        shares = [i.running for i in apart]
        tap.ok(len(apart) > 30 and percentile(sorted(shares), 0.5) < 0.9 and min(shares) > 0.1,
               f"regroup: pairs: {event} is counted in turns", shares)
        wrong = errors(apart, lambda start, end, e=event: truth.count(e, [0], start, end))
        tap.ok(wrong and SCALED.holds(wrong), f"regroup: pairs: {event} within {SCALED}", describe(wrong))
        again = [i.running for i in found[event] if i.start > joined + SETTLE]
        tap.ok(len(again) > 5 and min(again) > 0.999, f"regroup: pairs: {event} is counted all the time again", again)
    # The sides of each ratio in one part, whose times are the same; the two parts in turns, whose times are not.
    for name, (one, other) in {"the two parts": ("cycles", "branches"), **{m: RATIOS[m] for m in ("ipc", "branch_miss_rate")}}.items():
        same = [a.running == b.running for a, b in zip(between(found[one], parted, freed), between(found[other], parted, freed))]
        tap.equal(set(same), {name in RATIOS}, f"regroup: pairs: {name}: counted at the same times, or not")
    rows = [r for r in csvfile.rows(guest.text("pairs.csv")) if r["cycles"]]
    tap.ok(len(rows) > 60 and all(r["cpi"] for r in rows), "regroup: pairs: cycles and instructions always have their ratio", rows[-2:])
    never = [r for r in csvfile.rows(guest.text("pairs.csv"))[1:] if not r["cycles"]]
    tap.ok(5 < len(never) < 60, "regroup: pairs: it was not long without values", len(never))
    check_told(tap, guest, "pairs", ["too few counters", "counted together again"])


def check_singles(tap, guest, truth):
    recording = Recording(guest.results["singles.data"])
    parted, freed = moment(guest, "singles.parted"), moment(guest, "singles.freed")
    for event in FOUR:
        apart = between(intervals(recording.series(event, 0), by_interval), parted, freed)
        counted = [i for i in apart if i.count is not None]
        tap.ok(len(counted) > 60 and max(i.running for i in counted) < 0.6, f"regroup: singles: {event} has its turn",
               [i.running for i in apart])
        true = sum(truth.count(event, [0], i.start, i.end) for i in counted)
        error = abs(sum(i.count for i in counted) / true - 1) if true else 1
        tap.ok(error < 0.03, f"regroup: singles: {event} within 3 % of all there was", error)
    real, mono = map(int, guest.text("singles.parted").split())
    rows = [r for r in csvfile.rows(guest.text("singles.csv"))
            if parted + SETTLE < int(r["timestamp"]) * 1_000_000 - real + mono < freed - SETTLE]
    tap.ok(len(rows) > 60 and all(not r["cpi"] for r in rows) and sum(bool(r["cycles"]) for r in rows) > 60,
           "regroup: singles: counts, and no ratio of what was counted at different times", rows[:3])
    check_told(tap, guest, "singles", ["too few counters", "each is now counted by itself", "no counter has been free",
                                       "all events have counters again", "counted together again"])


def check_told(tap, guest, name, words):
    """Each once, in this order."""
    text = guest.text(name + ".err")
    found = [m.group() for m in re.finditer("|".join(words), text)]
    tap.equal(found, words, f"regroup: {name}: what was done is told, once")


def check_child(tap, guest):
    """A busy task: cycles of the rates that varied meanwhile, by its CPU time."""
    # The last interval ends when the collector is told to: it may be so short that there is nothing in it.
    rows = [r for r in csvfile.rows(guest.text("child.csv"))[2:-1] if r["cycles"]]
    scaled = [r for r in rows if r["cycles_running"] not in ("", "100")]
    # 0.4 to 1.0 times 2 a ns.
    wrong = [r for r in rows if not 0.75 < int(r["cycles"]) / int(r["task_clock"]) < 2.1]
    tap.ok(len(scaled) > 20 and not wrong, "regroup: a task's group is counted in parts too", (len(scaled), wrong[:3]))
    check_told(tap, guest, "child", ["too few counters"])


def check_served(tap, guest):
    rows = json.loads(guest.text("served.json") or "[]")
    newest = rows[-10:]
    for column in ("cycles", "cache_misses", "branches"):
        said = [(r[column], r.get("quality", {}).get(column, "")) for r in newest]
        tap.ok(newest and any(q.startswith("scaled") and v for v, q in said) and
               all(q.startswith("scaled") or (v, q) == (None, "never ran") for v, q in said),
               f"regroup: /api/data: {column} is scaled", said)
    said = [(r["cpi"], r.get("quality", {}).get("cpi", "")) for r in newest]
    tap.ok(newest and all(v is None and q.startswith(("scaled", "never")) for v, q in said),
           "regroup: /api/data: no ratio, and why", said)
    notes = [n["text"] for n in json.loads(guest.text("served-meta.json") or "{}").get("notes", [])]
    tap.ok(any("counted in parts" in n for n in notes), "regroup: /api/meta has the note", notes)
