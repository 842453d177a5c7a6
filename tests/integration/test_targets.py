# SPDX-License-Identifier: Apache-2.0
"""Every kind of target, against what perf stat says of the same."""

import csv
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest

from program import PROGRAM, Running, run, wait_until

FAULTS = 3000  # pages that a workload touches; start-up adds some dozens

# Waits for a line, touches pages one by one, yields a number of times, says so, and waits again.
WORKLOAD = f"""
import mmap, os, sys, time
def work():
    m = mmap.mmap(-1, {FAULTS} * 4096)
    m.madvise(mmap.MADV_NOHUGEPAGE)
    for i in range({FAULTS}):
        m[i * 4096] = 1
    for i in range(300):
        time.sleep(0.001)
print('up', flush=True)
sys.stdin.readline()
work()
print('done', flush=True)
sys.stdin.readline()
"""


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.csv = os.path.join(self.folder.name, "data.csv")

    def rows(self):
        if not os.path.exists(self.csv):
            return []
        with open(self.csv, encoding="ascii") as f:
            return list(csv.DictReader(line.rstrip(" \n") for line in f if line.strip()))

    def total(self, column):
        return sum(int(row[column]) for row in self.rows() if row[column])


def perf_counts(text):
    """event → count, of perf stat -x,"""
    counts = {}
    for line in text.splitlines():
        fields = line.split(",")
        if len(fields) > 3 and re.fullmatch(r"[\d.]+", fields[0]):
            counts[fields[2]] = float(fields[0])
    return counts


class Command(Folder):
    def collect(self, *command, options=()):
        return run("collect", "--csv", self.csv, *options, "--", *command)

    def test_its_status_is_passed_on(self):
        self.assertEqual(self.collect("sh", "-c", "exit 7").returncode, 7)
        self.assertEqual(self.collect("true").returncode, 0)
        self.assertEqual(self.collect("sh", "-c", "kill -9 $$").returncode, 128 + 9)

    def test_what_cannot_be_started_is_one_line(self):
        for command, status, why in (("/nowhere/x", 127, "No such file"), ("/etc/passwd", 126, "Permission denied")):
            done = self.collect(command)
            self.assertEqual(done.returncode, status)
            said = [line for line in done.stderr.splitlines() if command in line]
            self.assertEqual(len(said), 1, done.stderr)
            self.assertIn(why, said[0])

    def test_it_is_as_if_we_were_not_there(self):
        # Signals, limits, descriptors and arguments are the caller's.
        show = ("grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status; ulimit -n; ls /proc/self/fd | wc -l; "
                "cat /proc/self/timerslack_ns; id -u; chrt -p $$; echo \"$1\"")
        words = ("sh", "-c", show, "sh", "--csv -- it's mine")
        ours = self.collect(*words)
        plain = subprocess.run(words, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, check=False, timeout=20)
        strip = lambda text: re.sub(r"pid \d+", "pid", text)
        self.assertEqual(strip(ours.stdout), strip(plain.stdout))

    def test_the_stream_and_its_output_do_not_mix(self):
        done = run("collect", "--csv", "none", "-o", "-", "--", "echo", "from the command", text=False)
        self.assertEqual(done.returncode, 0)
        self.assertTrue(done.stdout.startswith(b"PERFILE2"))
        self.assertNotIn(b"from the command\n", done.stdout)
        self.assertIn(b"from the command\n", done.stderr)

    def test_counts_are_those_of_perf_stat(self):
        words = ("python3", "-S", "-c", WORKLOAD)
        events = "minor-faults,context-switches,task-clock"
        ours = self.collect(*words, options=("-e", events))
        self.assertEqual(ours.returncode, 0, ours.stderr)
        with tempfile.NamedTemporaryFile("r", encoding="ascii") as f:
            subprocess.run(["perf", "stat", "-x,", "-o", f.name, "-e", events, *words], stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, check=True, timeout=20)
            theirs = perf_counts(f.read())
        # Two runs of the same program: where memory lands differs by a few pages.
        self.assertAlmostEqual(self.total("minor_faults"), theirs["minor-faults"], delta=0.01 * FAULTS)
        # Each sleep is a switch; a busy machine adds some.
        self.assertGreaterEqual(self.total("context_switches"), 300)
        self.assertGreater(self.total("task_clock"), 0)

    def test_counting_starts_at_its_exec(self):
        # `true` takes some hundred faults; a Python that was forked from us would take more.
        self.collect("true", options=("-e", "minor-faults"))
        ours = self.total("minor_faults")
        done = subprocess.run(["perf", "stat", "-x,", "-e", "minor-faults", "true"], stderr=subprocess.PIPE, text=True,
                              check=True, timeout=20)
        self.assertAlmostEqual(ours, perf_counts(done.stderr)["minor-faults"], delta=8)

    def test_the_rest_of_the_system_for_as_long_as_it_runs(self):
        done = self.collect("sh", "-c", "sleep 0.5; exit 3", options=("-a", "-e", "context-switches"))
        self.assertEqual(done.returncode, 3)
        self.assertGreaterEqual(len(self.rows()), 4)

    def test_duration_ends_it(self):
        done = self.collect("sleep", "60", options=("--duration", "300ms"))
        self.assertEqual(done.returncode, 128 + signal.SIGTERM)

    def test_a_signal_is_passed_on_and_its_end_is_ours(self):
        # The trap says that it was reached; counts until its end are there.
        script = "trap 'echo caught; exit 5' TERM; echo up; while :; do sleep 0.05; done"
        with subprocess.Popen([PROGRAM, "collect", "--csv", self.csv, "--", "sh", "-c", script], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as p:
            self.assertEqual(p.stdout.readline(), "up\n")
            self.assertTrue(wait_until(lambda: len(self.rows()) > 1))
            p.send_signal(signal.SIGTERM)
            self.assertEqual(p.stdout.readline(), "caught\n")
            self.assertEqual(p.wait(timeout=20), 5)

    def test_with_the_server_all_ends_with_it(self):
        with Running("--listen", "127.0.0.1:0", "--csv", "none", "--", "sh", "-c", "sleep 0.7; exit 4") as r:
            r.port()
            self.assertEqual(r.process.wait(timeout=20), 4)


class Workload:
    """A program that waits for go(), works, and waits for the end. `threads`: a second thread does the work."""

    def __init__(self, prefix=(), threads=False):
        script = WORKLOAD
        if threads:
            script = ("import threading\n" + WORKLOAD.replace("work()\nprint('done'", "go.set()\nt.join()\nprint('done'")
                      .replace("print('up'", "go = threading.Event()\nt = threading.Thread(target=lambda: (go.wait(), work()))\n"
                               "t.start()\nprint(t.native_id", 1))
        self.process = subprocess.Popen([*prefix, "python3", "-S", "-c", script], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.first = self.process.stdout.readline().strip()
        self.pid = self.process.pid

    def go(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()


class Perf:
    """perf stat beside us, which counts from enable() to disable(); both return the span in which it happened."""

    def __init__(self, *arguments):
        control, self.control = os.pipe()
        self.ack, ack = os.pipe()
        self.output = tempfile.NamedTemporaryFile("r", encoding="ascii")
        self.process = subprocess.Popen(
            ["perf", "stat", "-x,", "-o", self.output.name, "-D", "-1", "--control", f"fd:{control},{ack}", *arguments],
            pass_fds=(control, ack), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(control)
        os.close(ack)

    def ask(self, word):
        before = time.time()
        os.write(self.control, word)
        assert os.read(self.ack, 16).startswith(b"ack")
        return before, time.time()

    def enable(self):
        return self.ask(b"enable\n")

    def disable(self):
        return self.ask(b"disable\n")

    def counts(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=20)
        return perf_counts(self.output.read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.output.close()
        os.close(self.control)
        os.close(self.ack)


EVENTS = "page-faults,context-switches"
START_UP = 16  # faults, of some 3,000


class BesidePerf(Folder):
    """Both count the same, at the same time."""

    def measure(self, ours, theirs, *works, events=EVENTS):
        """Attaches both, lets the workloads work, and returns perf's counts and the spans of its begin and end."""
        with Running("collect", "--csv", self.csv, "-I", "10ms", "-e", events, *ours) as r, \
                Perf("-e", events, *theirs) as perf:
            self.assertTrue(wait_until(lambda: len(self.rows()) > 2), r.lines)
            begin = perf.enable()
            for work in works:
                work.go()
            end = perf.disable()
            counts = perf.counts()
            # A target that has ended is its last word.
            self.assertTrue(wait_until(lambda: r.process.poll() is not None or
                                       float(self.rows()[-1]["timestamp"]) > end[1] * 1000 + 20))
            self.assertEqual(r.stop(signal.SIGINT), 0, r.lines)
        return counts, begin, end

    def same(self, counts):
        """Where nothing happens but the work, which both saw whole."""
        # We are attached first: a page that the workload touches on its way into its wait is in ours only.
        self.assertGreaterEqual(self.total("page_faults"), counts["page-faults"])
        self.assertLessEqual(self.total("page_faults"), counts["page-faults"] + START_UP)
        # Going to sleep after "done" may be before perf's end or after it.
        self.assertAlmostEqual(self.total("context_switches"), counts["context-switches"],
                               delta=max(2, 0.01 * counts["context-switches"]))

    def bounded(self, counts, begin, end, columns=(("page_faults", "page-faults"), ("context_switches", "context-switches"))):
        """
        Where the rest of the machine is counted too, perf's count lies between ours of the rows that are inside its
        span, and of those that touch it. A row's counts are of the 10 ms before its timestamp, or of more when a tick
        was late by as much as the next rows' times tell.
        """
        rows = self.rows()
        ends = [int(row["timestamp"]) / 1000 for row in rows]
        late = 0.02  # between a reading and its point of the grid
        for column, event in columns:
            inner = sum(int(row[column] or 0) for i, row in enumerate(rows)
                        if i and ends[i - 1] >= begin[1] and ends[i] + late <= end[0])
            outer = sum(int(row[column] or 0) for i, row in enumerate(rows)
                        if ends[i] + late >= begin[0] and (not i or ends[i - 1] <= end[1]))
            self.assertLessEqual(inner, counts[event], (column, inner, outer))
            self.assertGreaterEqual(outer, counts[event], (column, inner, outer))
        self.assertGreaterEqual(counts["page-faults"] if "page-faults" in counts else FAULTS, FAULTS)

    def test_a_process(self):
        with Workload() as work:
            counts, *_ = self.measure(("-p", str(work.pid)), ("-p", str(work.pid)), work)
        self.same(counts)
        self.assertGreaterEqual(counts["page-faults"], FAULTS)

    def test_task_clock_of_a_process(self):
        with Workload() as work:
            counts, *_ = self.measure(("-p", str(work.pid)), ("-p", str(work.pid)), work, events="task-clock")
        # Two events of one task are switched in and out one after the other: some µs at each of 300 sleeps.
        self.assertAlmostEqual(self.total("task_clock") / 1e6, counts["task-clock"],
                               delta=0.01 * counts["task-clock"] + 300 * 0.004)

    def test_two_processes(self):
        with Workload() as one, Workload() as two:
            pids = f"{one.pid},{two.pid}"
            counts, *_ = self.measure(("-p", pids), ("-p", pids), one, two)
        self.same(counts)
        self.assertGreaterEqual(counts["page-faults"], 2 * FAULTS)

    def test_a_thread(self):
        with Workload(threads=True) as work:
            counts, *_ = self.measure(("-t", work.first), ("-t", work.first), work)
        self.same(counts)
        self.assertGreaterEqual(counts["page-faults"], FAULTS)

    def test_the_other_thread_is_not_counted(self):
        with Workload(threads=True) as work:
            counts, *_ = self.measure(("-t", str(work.pid)), ("-t", str(work.pid)), work)
        self.same(counts)
        self.assertLess(counts["page-faults"], FAULTS)

    def test_the_system(self):
        with Workload() as work:
            counts, begin, end = self.measure(("-a",), ("-a",), work)
        self.bounded(counts, begin, end)

    def test_one_cpu(self):
        with Workload(prefix=("taskset", "-c", "0")) as work:
            counts, begin, end = self.measure(("-C", "0"), ("-C", "0", "-a"), work)
        self.bounded(counts, begin, end)

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
            counts, *_ = self.measure(("-G", name), ("-a", "-G", f"{name},{name}"), work)
        self.same(counts)
        self.assertGreaterEqual(counts["page-faults"], FAULTS)


class Ends(Folder):
    def test_one_process_ends_and_the_other_goes_on(self):
        with subprocess.Popen(["sleep", "60"]) as one, subprocess.Popen(["sleep", "60"]) as two:
            with Running("collect", "--csv", self.csv, "-p", f"{one.pid},{two.pid}") as r:
                self.assertTrue(wait_until(lambda: len(self.rows()) > 1))
                one.terminate()
                self.assertTrue(r.said(rf"process {one.pid} \(sleep\) has ended; 1 go on"), r.lines)
                n = len(self.rows())
                self.assertTrue(wait_until(lambda: len(self.rows()) > n + 2))
                two.terminate()
                self.assertTrue(r.said("has ended$"), r.lines)
                self.assertEqual(r.process.wait(timeout=20), 0)

    def test_the_final_counts_of_a_process_that_ends_are_there(self):
        # An interval far longer than its life: all its faults are in the last row.
        with Workload() as work:
            with Running("collect", "--csv", self.csv, "-p", str(work.pid), "-I", "1h", "-e", "page-faults") as r:
                time.sleep(0.5)
                work.go()
                work.process.stdin.close()
                self.assertEqual(r.process.wait(timeout=20), 0, r.lines)
        self.assertGreaterEqual(self.total("page_faults"), FAULTS)

    def test_a_thread_that_ends(self):
        with Workload(threads=True) as work:
            with Running("collect", "--csv", self.csv, "-t", work.first) as r:
                self.assertTrue(wait_until(lambda: len(self.rows()) > 1))
                work.go()
                work.process.stdin.close()
                self.assertTrue(r.said(rf"thread {work.first} \(.*\) has ended"), r.lines)
                self.assertEqual(r.process.wait(timeout=20), 0)


class Refused(Folder):
    def refused(self, *arguments, says, **options):
        done = run("collect", "--csv", "none", "--duration", "200ms", *arguments, **options)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, says)
        return done

    def test_nobody_there(self):
        self.refused("-p", "1,4194303", says="no process with PID 4194303")
        self.refused("-t", "4194303", says="no thread with TID 4194303")
        self.refused("-G", "no/such/group", says="no/such/group: No such file")

    def test_a_zombie(self):
        with subprocess.Popen(["true"]) as gone:
            self.assertTrue(wait_until(lambda: open(f"/proc/{gone.pid}/stat", encoding="ascii").read().split()[2] == "Z"))
            self.refused("-p", str(gone.pid), says="no process with PID")

    def test_strict(self):
        self.refused("-e", "rffffffffffffffff,context-switches", "--strict", says="--strict: rffffffffffffffff: ")
        self.assertEqual(run("collect", "--csv", "none", "--duration", "100ms", "-e", "context-switches",
                             "--strict").returncode, 0)

    def test_too_few_descriptors(self):
        self.refused("-e", "{" + ",".join(["page-faults"] * 30) + "}", says="ulimit -n",
                     preexec_fn=lambda: __import__("resource").setrlimit(__import__("resource").RLIMIT_NOFILE, (40, 40)))

    def test_without_privileges(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, to give it up")
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", PROGRAM, "collect", "--csv",
                               "none", "--duration", "100ms", "-a", "-e", "context-switches", "--strict"],
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=20, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"context-switches: .*perf_event_paranoid.*sudo")

    def test_dry_run_says_what_it_would_cost(self):
        done = run("--dry-run", "-e", "{context-switches,page-faults},cpu-clock", "-I", "10ms", "-C", "0")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"context-switches, page-faults +\(2 descriptors\)")
        self.assertRegex(done.stdout, r"descriptors +4\nreads +2 a tick, 200 a second\n")


if __name__ == "__main__":
    unittest.main()
