# SPDX-License-Identifier: Apache-2.0
"""
From raw readings to counts of intervals: the right way, and two wrong ones that have been seen in the wild. The
wrong ones are here to show that the checks can tell: with rates that never change all three give the same.
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    start: float  # CLOCK_MONOTONIC, ns
    end: float
    count: float  # None when the event did not run
    running: float  # share of the enabled time


def reading_times(series):
    """
    The moments of the readings on CLOCK_MONOTONIC. `enabled` advances with it and is read together with the value, so
    the distances are exact; and no reading is before its point of the time grid, which leaves the earliest possible
    moment of enabling (a fraction of a millisecond too early, that being the least delay of a timer).
    """
    enabled_at = max(time - reading.enabled for time, reading in series)
    return [enabled_at + reading.enabled for _, reading in series]


def intervals(series, scale):
    times = reading_times(series)
    out = []
    for i in range(1, len(series)):
        before, after = series[i - 1][1], series[i][1]
        enabled, running = after.enabled - before.enabled, after.running - before.running
        count = scale(before, after) if running > 0 else None
        out.append(Interval(times[i - 1], times[i], count, running / enabled if enabled else 0))
    return out


def by_interval(before, after):
    """Right: the interval's difference, scaled by the interval's own times."""
    return (after.value - before.value) * (after.enabled - before.enabled) / (after.running - before.running)


def by_lifetime(before, after):
    """Wrong: differences of totals that were each scaled by the times since the start."""
    return scaled_total(after) - scaled_total(before)


def scaled_total(reading):
    return reading.value * reading.enabled / reading.running if reading.running else 0


def ratios(recording, numerator, denominator, cpu):
    """
    numerator / denominator of each interval, each scaled on its own. Right where both are in one group, for then
    both factors are the same; wrong over two groups, which looked at different parts of the interval.
    """
    pairs = zip(intervals(recording.series(numerator, cpu), by_interval),
                intervals(recording.series(denominator, cpu), by_interval), strict=True)
    return [Interval(n.start, n.end, n.count / d.count if n.count is not None and d.count else None, n.running)
            for n, d in pairs]


def errors(found, true):
    """Relative errors of the intervals that have a value, in percent, smallest first. true(start, end)."""
    out = []
    for i in found:
        if i.count is not None:
            expected = true(i.start, i.end)
            out.append(100 * abs(i.count - expected) / expected)
    return sorted(out)


def percentile(values, share):
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


@dataclass(frozen=True)
class Limit:
    """What errors may be, in percent: of 19 intervals in 20, and of all."""
    most: float
    all: float

    def holds(self, errors_percent):
        return percentile(errors_percent, 0.95) <= self.most and errors_percent[-1] <= self.all

    def __str__(self):
        return f"{self.most} %"


def describe(errors_percent):
    return (f"error of {len(errors_percent)} intervals: median {percentile(errors_percent, .5):.3f} %, "
            f"p95 {percentile(errors_percent, .95):.3f} %, largest {percentile(errors_percent, 1):.3f} %")
