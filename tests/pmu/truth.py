# SPDX-License-Identifier: Apache-2.0
"""
What the synthetic PMU truly counted: synthetic/rates.c again, on the host. Both have to say the same to the unit.

A rate is constant within a cell of 1 ms of CLOCK_MONOTONIC and the cells repeat, so a count up to any moment is a sum
of whole cells and a part of one.
"""
import itertools

CELLS, CELL_NS = 8000, 1_000_000
EVENTS = ("cycles", "instructions", "cache_references", "cache_misses", "branches", "branch_misses")
GAIN = {"cycles": 2, "instructions": 1, "cache_references": 3, "cache_misses": 4, "branches": 1, "branch_misses": 2}
# numerator, denominator of the metrics
RATIOS = {"ipc": ("instructions", "cycles"), "cpi": ("cycles", "instructions"),
          "cache_miss_rate": ("cache_misses", "cache_references"), "branch_miss_rate": ("branch_misses", "branches")}


def triangle(cell, length, phase):
    at, half = (cell + phase) % length, length // 2
    return (at if at < half else length - at) * 1000 // half


def between(low, high, permille):
    return low + (high - low) * permille // 1000


def rates(profile, cell):
    """Events in this cell of CPU 0."""
    length = 8000 if profile == "bursty" else 4000
    activity, ipc, cache, branch = 1000, 1500, 100, 50
    if profile == "varying":
        activity = between(400, 1000, triangle(cell, length, 700))
    if profile == "bursty":
        activity = 1000 if cell % 17 < 4 else 50
    if profile != "fixed":
        ipc = between(500, 2000, triangle(cell, length, 0))
        cache = between(50, 400, triangle(cell, length, length * 2 // 5))
        branch = between(10, 80, triangle(cell, length, length // 4))
    return {"cycles": 2000 * activity, "instructions": 2 * ipc * activity, "cache_references": 100 * activity,
            "cache_misses": cache * activity // 10, "branches": 500 * activity, "branch_misses": branch * activity // 2}


class Truth:
    def __init__(self, profile):
        cells = [rates(profile, cell) for cell in range(CELLS)]
        self.rate = {e: [c[e] for c in cells] for e in EVENTS}
        self.sum = {e: [0, *itertools.accumulate(self.rate[e])] for e in EVENTS}

    def until(self, event, cpu, ns):
        """Events that this CPU counted from CLOCK_MONOTONIC 0 to ns."""
        cell, in_cell = divmod(int(ns), CELL_NS)
        periods, at = divmod(cell, CELLS)
        count = periods * self.sum[event][CELLS] + self.sum[event][at] + self.rate[event][at] * in_cell // CELL_NS
        return count * (8 + GAIN[event] * cpu) // 8

    def count(self, event, cpus, start, end):
        return sum(self.until(event, cpu, end) - self.until(event, cpu, start) for cpu in cpus)

    def ratio(self, metric, cpus, start, end):
        numerator, denominator = RATIOS[metric]
        return self.count(numerator, cpus, start, end) / self.count(denominator, cpus, start, end)
