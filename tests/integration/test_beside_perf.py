# SPDX-License-Identifier: Apache-2.0
"""Every kind of target, counted by us and by perf stat at the same time."""

import os
import signal
import subprocess
import tempfile
import unittest

from program import PATIENCE, Running, wait_until
from workload import FAULTS, ROUNDS, WORK, Folder, Perf, Workload, again_if_disturbed, asleep, near

EVENTS = "page-faults,context-switches,task-clock"
# The two switch their events in and out one after the other, some µs at each of 300 sleeps.
APART = 0.01


class BesidePerf(Folder):
    """Both count the same, at the same time, and nothing happens but the work, which both see whole."""

    def measure(self, ours, theirs, *works):
        """Attaches both to workloads that wait, and lets them work."""
        self.begin_anew()
        with Running("collect", "--csv", self.csv, "-I", "10ms", "-e", EVENTS, *ours) as r, \
                Perf("-e", EVENTS, *theirs) as perf:
            self.more_rows(r)
            perf.enable()
            first = self.more_rows(r)
            for work in works:
                work.go()
            perf.disable()
            self.more_rows(r)
            counts = perf.counts()
            self.assertEqual(r.stop(signal.SIGINT), 0, r.lines)
        self.same(counts, first)
        return counts

    def same(self, counts, first):
        self.assertEqual(self.total("page_faults", first), counts["page-faults"])
        near("context-switches", self.total("context_switches", first), counts["context-switches"], APART)
        near("task-clock", self.total("task_clock", first) / 1e6, counts["task-clock"], APART)

    @again_if_disturbed
    def test_a_process(self):
        with Workload() as work:
            counts = self.measure(("-p", str(work.pid)), ("-p", str(work.pid)), work)
        self.assertGreaterEqual(counts["page-faults"], FAULTS)
        self.assertGreaterEqual(counts["context-switches"], ROUNDS)
        self.assertGreaterEqual(counts["task-clock"], ROUNDS)

    @again_if_disturbed
    def test_two_processes(self):
        with Workload() as one, Workload() as two:
            pids = f"{one.pid},{two.pid}"
            counts = self.measure(("-p", pids), ("-p", pids), one, two)
        self.assertGreaterEqual(counts["page-faults"], 2 * FAULTS)

    @again_if_disturbed
    def test_a_thread(self):
        with Workload(threads=True) as work:
            counts = self.measure(("-t", work.first), ("-t", work.first), work)
        self.assertGreaterEqual(counts["page-faults"], FAULTS)

    @again_if_disturbed
    def test_a_process_of_two_threads(self):
        with Workload(threads=True) as work:
            counts = self.measure(("-p", str(work.pid)), ("-p", str(work.pid)), work)
        self.assertGreaterEqual(counts["page-faults"], FAULTS)

    def test_the_other_thread_is_not_counted(self):
        with Workload(threads=True) as work, Running("collect", "--csv", self.csv, "-I", "10ms", "-e", EVENTS, "-t",
                                                     str(work.pid)) as r:
            first = self.more_rows(r)
            work.go()
            self.more_rows(r)
        self.assertLess(self.total("page_faults", first), FAULTS / 10)
        self.assertLess(self.total("task_clock", first), ROUNDS * 1e6 / 10)

    @again_if_disturbed
    def test_a_cgroup(self):
        mount = next((line.split()[4] for line in open("/proc/self/mountinfo", encoding="ascii") if " - cgroup2 " in line),
                     None)
        if not mount or os.geteuid() != 0:
            self.skipTest("needs root and a cgroup v2 mount")
        path = tempfile.mkdtemp(prefix="cyclescope-", dir=mount)
        name = os.path.basename(path)
        self.addCleanup(os.rmdir, path)
        with Workload() as work:
            with open(os.path.join(path, "cgroup.procs"), "w", encoding="ascii") as f:
                f.write(str(work.pid))
            counts = self.measure(("-G", name), ("-a", "-G", ",".join([name] * 3)), work)
        self.assertGreaterEqual(counts["page-faults"], FAULTS)
        self.assertGreaterEqual(counts["context-switches"], ROUNDS)

    @again_if_disturbed
    def test_a_command(self):
        """From the moment before its exec, when perf can be attached, to its end."""
        self.begin_anew()
        words = ("sh", "-c", 'read gate; exec "$@"', "sh", "python3", "-S", "-c", WORK + "work()")
        with Running("collect", "--csv", self.csv, "-I", "10ms", "-e", EVENTS, "--", *words, stdin=subprocess.PIPE) as r:
            self.more_rows(r)
            command = r.child()
            self.assertTrue(wait_until(lambda: asleep(command)))
            with Perf("-e", EVENTS, "-p", str(command)) as perf:
                perf.enable()
                first = self.more_rows(r)
                r.process.stdin.write("go\n")
                r.process.stdin.close()
                self.assertEqual(r.process.wait(timeout=PATIENCE), 0, r.lines)
                perf.process.wait(timeout=PATIENCE)
                counts = perf.counts()
        self.assertGreaterEqual(counts["page-faults"], FAULTS + 500)  # with the interpreter's start
        self.same(counts, first)


class SystemBesidePerf(Folder):
    """Where the rest of the machine is counted too, and never stands still. Both see it alike, but for what happens just when perf
    begins and ends: of that it is not known in which of our rows it is, which bounds how far apart the two can be. The work lasts
    so long that the bounds are 1 % apart, and longer when the machine is so busy that they are not."""

    LATE = 0.015  # s from a point of the grid to the reading: less than the interval, and a while for the reading itself
    TIMES = (10, 20, 40, 80)  # the work, of some 0.7 s, in each try
    APART = 0.01

    def measure(self, ours, theirs, work):
        with Running("collect", "--csv", self.csv, "-I", "5ms", "-e", EVENTS, *ours) as r, \
                Perf("-e", EVENTS, *theirs) as perf:
            self.more_rows(r)
            begin = perf.enable()
            work.go()
            end = perf.disable()
            counts = perf.counts()
            self.assertTrue(wait_until(lambda: float(self.rows()[-1]["timestamp"]) > (end[1] + self.LATE) * 1000))
            self.assertEqual(r.stop(signal.SIGINT), 0, r.lines)
        return counts, begin, end

    def bounds(self, begin, end, column):
        """What we counted for certain between perf's begin and end, and what we counted at the most. A row's counts are of
        the time from the reading before it to its own, and a reading is up to LATE after its timestamp."""
        rows = self.rows()
        ends = [int(row["timestamp"]) / 1000 for row in rows]
        inner = sum(int(row[column] or 0) for i, row in enumerate(rows)
                    if i and ends[i - 1] >= begin[1] and ends[i] + self.LATE <= end[0])
        outer = sum(int(row[column] or 0) for i, row in enumerate(rows)
                    if ends[i] + self.LATE >= begin[0] and (not i or ends[i - 1] <= end[1]))
        return inner, outer

    def check(self, ours, theirs, prefix=()):
        for times in self.TIMES:
            self.csv = os.path.join(self.folder.name, f"{times}.csv")
            with Workload(prefix=prefix, times=times) as work:
                counts, begin, end = self.measure(ours, theirs, work)
            loose = 0
            for column, event, unit in (("page_faults", "page-faults", 1), ("context_switches", "context-switches", 1),
                                        ("task_clock", "task-clock", 1e6)):
                inner, outer = self.bounds(begin, end, column)
                self.assertLessEqual(inner, counts[event] * unit, (column, inner, outer))
                self.assertGreaterEqual(outer, counts[event] * unit, (column, inner, outer))
                loose = max(loose, (outer - inner) / (counts[event] * unit))
            self.assertGreaterEqual(counts["page-faults"], times * FAULTS)
            self.assertGreaterEqual(counts["context-switches"], times * ROUNDS)
            if loose <= self.APART:
                return
        self.fail(f"the machine was never quiet at both ends: bounds are {100 * loose:.1f} % apart")

    def test_the_system(self):
        self.check(("-a",), ("-a",))

    def test_one_cpu(self):
        self.check(("-C", "0"), ("-C", "0", "-a"), prefix=("taskset", "-c", "0"))


if __name__ == "__main__":
    unittest.main()
