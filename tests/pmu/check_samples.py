# SPDX-License-Identifier: Apache-2.0
"""Are the samples of the HTTP interface well formed, and are they true?"""
from estimate import by_interval, describe, errors, intervals, percentile
from recording import Recording
from truth import EVENTS, GAIN, RATIOS

SOFTWARE = ("context_switches", "cpu_migrations", "minor_faults", "major_faults")
GAUGES = ("cpu_user", "cpu_system", "cpu_iowait", "cpu_irq", "cpu_steal", "cpu_idle")
LATE = 150e6  # ns; an interval that is longer is one and a half and more
ALWAYS = (*EVENTS, *SOFTWARE, *GAUGES, *RATIOS, "cpu_use", *(event + "_per_second" for event in SOFTWARE))
# These guests share two real CPUs with whatever else runs: a tick may be late or missed, the next interval is short then, and
# a turn of the counters may take 100 ms instead of 4. So sums and medians are compared with the truth, and what a sample says
# with itself; check_accuracy.py, where time is exact, has every interval.


def check_shape(tap, name, rows):
    missing = [k for k in ("timestamp", "seconds", "sequence", *ALWAYS) if any(k not in r for r in rows)]
    tap.ok(rows and not missing, f"{name}: every sample has every column", missing or "no samples")
    steps = {b["sequence"] - a["sequence"] for a, b in zip(rows, rows[1:])}
    tap.equal(steps, {1}, f"{name}: no sample is left out")
    times = [r["timestamp"] for r in rows]
    tap.ok(times == sorted(set(times)), f"{name}: timestamps increase", times)
    steps = [b - a for a, b in zip(times, times[1:])]
    tap.ok(min(steps) == 100 and not any(step % 100 for step in steps), f"{name}: intervals end on a grid of 100 ms", steps)
    # Each has its end on the grid, or less than an interval late. All together are the time that passed.
    lengths = [round(r["seconds"], 3) for r in rows[1:]]
    tap.ok(min(lengths) > 0 and abs(sum(lengths) - (times[-1] - times[0]) / 1000) <= 0.101,
           f"{name}: and have the lengths that were measured", lengths)


def check_hardware(tap, name, rows, events=EVENTS):
    """A count in every interval, but for the few in which it says that the event never ran."""
    for event in events:
        said = [(r[event], r.get("quality", {}).get(event)) for r in rows[1:]]
        wrong = [(c, q) for c, q in said if not (isinstance(c, int) and c > 0) and (c, q) != (None, "never ran")]
        counted = sum(c is not None for c, _ in said)
        tap.ok(counted > len(said) / 2 and not wrong, f"{name}: {event} is counted", said)


def check_not_supported(tap, name, rows, columns, expected):
    columns = {c["id"]: c for c in columns}
    for column in expected:
        tap.equal({r[column] for r in rows}, {None}, f"{name}: {column} is null in every sample, never 0")
        found = columns[column]
        tap.ok(found["quality"] == "not supported" and found["why"],
               f"{name}: {column} is not supported, with the reason", found)
        if column in EVENTS:
            tap.equal(rows[-1].get("quality", {}).get(column), "not supported",
                      f"{name}: a sample says so of {column} too")


def clock_offset(guest):
    """CLOCK_MONOTONIC − CLOCK_REALTIME of the guest, ns. Nobody sets its clock while it runs."""
    real, mono = map(int, guest.text("clocks").split())
    return mono - real


def interval_times(rows, offset):
    """
    (start, end) of each sample but the first, on CLOCK_MONOTONIC. `seconds` is measured, so the distances are exact;
    and no reading is before its point of the time grid.
    """
    ends, at = [], 0.0
    for r in rows:
        at += r["seconds"] * 1e9
        ends.append(at)
    first = max(r["timestamp"] * 1e6 + offset - end for r, end in zip(rows, ends))
    return [(first + a, first + b) for a, b in zip(ends, ends[1:])]


def errors_of(rows, times, column, true):
    """Relative errors of a column's values in percent, smallest first. true(column, start, end)."""
    pairs = [(r[column], true(column, *t)) for r, t in zip(rows[1:], times) if r[column] is not None]
    return sorted(100 * abs(found / expected - 1) for found, expected in pairs)


def check_every_interval(tap, name, guest, rows, truth, limit):
    """Of one CPU, where time is exact: every count and every ratio of every interval. limit: a Limit of estimate.py."""
    times = interval_times(rows, clock_offset(guest))
    for column in (*EVENTS, *RATIOS):
        wrong = errors_of(rows, times, column,
                          lambda c, start, end: (truth.ratio if c in RATIOS else truth.count)(c, [0], start, end))
        tap.ok(len(wrong) == len(times) >= 30 and limit.holds(wrong), f"{name}: {column} within {limit}",
               describe(wrong))


def check_told_apart(tap, served, answers, truth):
    """
    Each CPU has its own values: CPU 1 counts CPU 0's times a factor of the event, 9/8 to 12/8. On a busy machine
    an emulated CPU may be read some ms late, so the middle interval is asked for, and counts over the whole span; where it
    missed ticks, the counters had turns as long as that, in which the rates are others: of such an interval any share of the
    count may be missing.
    """
    offset = clock_offset(served.guest)
    for event in EVENTS:
        for query, cpus in (("", [0, 1]), ("?cpu=0", [0]), ("?cpu=1", [1])):
            rows = answers[query]
            counted = [(r[event], t) for r, t in zip(rows[1:], interval_times(rows, offset)) if r[event] is not None]
            each = [truth.count(event, cpus, *t) for _, t in counted]
            true, found = sum(each), sum(c for c, _ in counted)
            late = sum(c for c, (_, (start, end)) in zip(each, counted) if end - start > LATE)
            # The first interval's moment is known to a tick that may have been late; check_accuracy.py has the sharp limit.
            tap.ok(true and abs(found - true) < 0.05 * true + late,
                   f"{served.name}: {event} of {query.lstrip('?') or 'the total'} is true",
                   f"{found} of {true}, {late} of it late")
        factor, apart = middle_ratio(answers, event)
        expected = (8 + GAIN[event]) / 8
        tap.ok(abs(factor - expected) < max(0.02 * expected, apart),
               f"{served.name}: CPU 1 counts {event} {expected} times as often as CPU 0", (factor, apart))
    for metric, (numerator, denominator) in RATIOS.items():
        factor, apart = middle_ratio(answers, metric)
        expected = (8 + GAIN[numerator]) / (8 + GAIN[denominator])
        tap.ok(abs(factor - expected) < max(0.02 * expected, apart),
               f"{served.name}: {metric} of CPU 1 is {expected:.3f} times CPU 0's", (factor, apart))


def middle_ratio(answers, column):
    """
    Of CPU 1's values to CPU 0's in the same interval; and how far that may be off where the single ones differ as they do:
    three times the standard error of a median (of a normal distribution, whose quartiles are 1.35 deviations apart).
    """
    zero, one = ({r["sequence"]: r[column] for r in answers[q]} for q in ("?cpu=0", "?cpu=1"))
    ratios = sorted(one[s] / zero[s] for s in one if zero.get(s) and one[s])
    between = percentile(ratios, 0.75) - percentile(ratios, 0.25)
    return percentile(ratios, 0.5), 3 * 1.2533 * between / 1.349 / len(ratios) ** 0.5 if ratios else 0


def check_sums(tap, name, answers):
    """The total of an interval is the sum of its CPUs, to the rounding of scaled counts in single precision."""
    by_sequence = [{r["sequence"]: r for r in answers[q]} for q in ("", "?cpu=0", "?cpu=1")]
    for event in EVENTS:
        wrong, n = [], 0
        for sequence in sorted(set.intersection(*map(set, by_sequence))):
            total, *each = (rows[sequence][event] for rows in by_sequence)
            if total is not None and None not in each:
                n += 1
                if abs(total - sum(each)) > 2 + 1e-6 * total:
                    wrong.append((sequence, total, each))
        tap.ok(n >= 10 and not wrong, f"{name}: {event} is the sum of its CPUs", wrong[:3] or f"{n} intervals")


def check_recorded_cpus(tap, served, truth):
    """In a recording each reading has its own time: the intervals of each CPU are exact, on a busy machine too."""
    name = served.name
    tap.equal(served.guest.text("record.status").strip(), "0", f"{name}: collect -o ends cleanly")
    recording = Recording(served.guest.results["record.data"])
    for cpu in (0, 1):
        for event in EVENTS:
            wrong = errors(intervals(recording.series(event, cpu), by_interval),
                           lambda start, end, e=event, c=cpu: truth.count(e, [c], start, end))
            # Between a value and its time an emulated CPU may be stopped for a while: then two intervals are wrong.
            tap.ok(len(wrong) >= 8 and percentile(wrong, 0.75) <= 0.5,
                   f"{name}: recorded {event} of CPU {cpu} within 0.5 %", describe(wrong))
