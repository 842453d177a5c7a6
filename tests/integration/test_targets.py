# SPDX-License-Identifier: Apache-2.0
"""Every kind of target, against what perf stat says of the same."""

import csv
import os
import re
import signal
import subprocess
import tempfile
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


if __name__ == "__main__":
    unittest.main()
