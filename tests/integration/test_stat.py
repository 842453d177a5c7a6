# SPDX-License-Identifier: Apache-2.0
"""cyclescope stat: what it prints, and that its numbers are perf stat's."""

import csv
import json
import os
import re
import signal
import subprocess
import tempfile
import unittest

from program import PATIENCE, PROGRAM, Running, check_intervals, missed_ticks, run
from workload import ROUNDS, Perf, Workload, again_if_disturbed, near, perf_counts

TOUCH = ("import mmap,sys\nn=int(sys.argv[1])\nm=mmap.mmap(-1,n*4096,flags=mmap.MAP_PRIVATE|mmap.MAP_ANONYMOUS)\n"
         "m.madvise(mmap.MADV_NOHUGEPAGE)\nfor i in range(n): m[i*4096]=1\n")


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


class Command(unittest.TestCase):
    def test_the_summary_alone(self):
        done = run("stat", "-e", "minor-faults,task-clock", "--", "sleep", "0.2")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"\A\nCounted: command 'sleep'\n\n")
        self.assertRegex(done.stdout, r"(?m)^ +[\d,]+ +minor-faults")
        self.assertRegex(done.stdout, r"(?m)^ +[\d,]+\.\d\d ms +task-clock")
        elapsed, user, system = (float(re.search(rf"(?m)^ +([\d.]+) s  {what}$", done.stdout)[1])
                                 for what in ("elapsed", "user", "sys"))
        self.assertGreaterEqual(elapsed, 0.2)
        self.assertLess(user + system, elapsed - 0.1)  # it has slept
        self.assertNotIn("time  ", done.stdout)

    def test_lines_where_an_interval_is_named(self):
        done = run("stat", "-I", "100ms", "-e", "minor-faults", "--", "sleep", "0.5")
        lines = re.findall(r"(?m)^\d\d:\d\d:\d\d\.\d00 +[\d.]", done.stdout)
        # The last interval ends with the command, near the tick before it or the one after.
        self.assertGreaterEqual(len(lines) + missed_ticks(done.stderr.splitlines()), 4, done.stdout)
        self.assertEqual(done.stdout.count("    time "), 1)

    def test_its_status_is_passed_through(self):
        for command, status in ((["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -9 $$"], 137), (["no-such-thing"], 127)):
            done = run("stat", "--json", "--", *command)
            self.assertEqual(done.returncode, status)
            self.assertEqual(objects(done.stdout)[-1]["summary"]["exit_status"], status)

    def test_nothing_is_counted_of_what_does_not_start(self):
        done = run("stat", "-e", "cs", "--", "no-such-thing")
        self.assertEqual((done.returncode, done.stdout), (127, ""))
        said = [line for line in done.stderr.splitlines() if not missed_ticks([line])]
        self.assertEqual(said, ["cyclescope: 'no-such-thing' cannot be started: No such file or directory"])

    def test_switches_in_user_mode_are_not_zero(self):
        done = run("stat", "-e", "cs:u,cs", "--", "true")
        self.assertRegex(done.stdout, r"<not supported> +cs:u\n +\d+ +cs +#")
        self.assertIn("it happens in the kernel", done.stderr)

    def test_perfs_other_names_have_the_metrics_too(self):
        done = run("stat", "-I", "100ms", "-e", "cs,faults", "--", "sleep", "0.3")
        self.assertRegex(done.stdout, r"(?m)^ +time +cs +faults")
        self.assertNotRegex(done.stdout, r"(?m)^ +time .*(switches|Page faults)")  # not once more
        self.assertRegex(done.stdout, r"(?m)^ +[\d,]+ +cs +# .*/s +Context switches$")
        self.assertRegex(done.stdout, r"(?m)^ +[\d,]+ +faults +# .*/s +Page faults$")

    def test_its_output_does_not_get_into_data(self):
        for form in ("--json", "--csv"):
            done = run("stat", form, "--", "echo", "mine")
            self.assertNotIn("mine", done.stdout)
            self.assertIn("mine", done.stderr)
        self.assertTrue(run("stat", "--", "echo", "mine").stdout.startswith("mine\n\nCounted:"))

    def test_page_faults_are_perf_stats(self):
        def ours(n):
            done = run("stat", "--json", "-e", "page-faults", "--", "python3", "-c", TOUCH, str(n))
            return objects(done.stdout)[-1]["summary"]["columns"]["page_faults"]["value"]

        def perfs(n):
            with tempfile.NamedTemporaryFile("r", encoding="ascii") as f:
                subprocess.run(["perf", "stat", "-x,", "-e", "page-faults", "-o", f.name, "--", "python3", "-c", TOUCH,
                                str(n)], check=True, timeout=PATIENCE)
                return perf_counts(f.read())["page-faults"]

        # The interpreter's own start differs by a few with the layout of its addresses: the least of
        # some runs, and what is not start-up is in the difference of two sizes.
        small, large = (min(ours(n) for _ in range(4)) for n in (1000, 21000))
        theirs_small, theirs_large = (min(perfs(n) for _ in range(4)) for n in (1000, 21000))
        self.assertAlmostEqual(large - small, 20000, delta=20)
        self.assertAlmostEqual(large - small, theirs_large - theirs_small, delta=20)
        self.assertAlmostEqual(large, theirs_large, delta=30)


class Attached(unittest.TestCase):
    @again_if_disturbed
    def test_a_process_as_perf_stat_sees_it_at_the_same_time(self):
        events = "context-switches,task-clock,page-faults"
        # It waits while both attach, and when both end.
        with Workload() as work, \
                Running("stat", "--json", "-I", "100ms", "-e", events, "-p", str(work.pid), stdout=subprocess.PIPE) as r, \
                Perf("-e", events, "-p", str(work.pid)) as perf:
            lines = [r.process.stdout.readline()]
            perf.enable()
            work.go()
            perf.disable()
            theirs = perf.counts()
            r.process.send_signal(signal.SIGINT)
            lines += r.process.stdout.readlines()
            r.process.stdout.close()
            self.assertEqual(r.stop(), 0)
        rows = [json.loads(line) for line in lines]
        ours = {k: v["value"] for k, v in rows[-1]["summary"]["columns"].items()}
        self.assertGreaterEqual(ours["context_switches"], ROUNDS)
        self.assertEqual(ours["page_faults"], theirs["page-faults"])
        near("context-switches", ours["context_switches"], theirs["context-switches"], 0.01)
        near("task-clock", ours["task_clock"] / 1e6, theirs["task-clock"], 0.01)
        # The lines add up to the summary.
        self.assertEqual(rows[-1]["summary"]["intervals"], len(rows) - 1)
        self.assertEqual(sum(row["context_switches"] for row in rows[:-1]), ours["context_switches"])

    def test_its_end_ends_us_with_the_summary(self):
        with subprocess.Popen(["sleep", "1"]) as p:
            done = run("stat", "--json", "-e", "task-clock", "-p", str(p.pid))
            p.wait(timeout=PATIENCE)
        self.assertEqual(done.returncode, 0)
        found = objects(done.stdout)
        self.assertEqual(len(found), 1)
        self.assertIn(str(p.pid), found[0]["summary"]["target"])
        self.assertIsNone(found[0]["summary"]["exit_status"])


class System(unittest.TestCase):
    def test_json_of_each_cpu_adds_up(self):
        done = run("stat", "--json", "--per-cpu", "-I", "100ms", "--duration", "500ms", "-e",
                   "context-switches,rffffffffffffffff")
        rows = objects(done.stdout)
        check_intervals(self, len(rows) - 1, 5, done.stderr.splitlines())
        for row in rows[:-1]:
            self.assertEqual(sum(cpu["context_switches"] for cpu in row["cpus"].values()), row["context_switches"])
            self.assertIsNone(row["rffffffffffffffff"])
            self.assertIn("rffffffffffffffff", row["quality"])
        columns = rows[-1]["summary"]["columns"]
        self.assertEqual(sum(cpu["value"] for cpu in columns["context_switches"]["cpus"].values()),
                         columns["context_switches"]["value"])
        self.assertIn("why", columns["rffffffffffffffff"])
        times = [row["timestamp"] for row in rows[:-1]]
        self.assertEqual([(b - a) % 100 for a, b in zip(times, times[1:])], [0] * (len(times) - 1))
        self.assertEqual(times, sorted(set(times)))

    def test_each_cpu_has_a_line(self):
        done = run("stat", "-A", "-I", "200ms", "--duration", "400ms", "-e", "context-switches")
        lines = done.stdout.splitlines()
        totals = [i for i, line in enumerate(lines) if line[:2].isdigit() and line[2:3] == ":"]
        cpus = len(os.sched_getaffinity(0))
        check_intervals(self, len(totals), 2, done.stderr.splitlines())
        for i in totals:
            self.assertGreaterEqual(sum(line.split()[0].startswith("CPU") for line in lines[i + 1:i + 1 + cpus]), cpus)

    def test_csv_has_the_bridges_columns(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.csv")
            run("collect", "--csv", path, "--duration", "200ms")
            with open(path, encoding="ascii") as f:
                header = f.readline()
        done = run("stat", "--csv", "-I", "100ms", "--duration", "400ms")
        self.assertEqual(done.stdout.splitlines()[0] + "\n", header)
        check_intervals(self, len(done.stdout.splitlines()) - 1, 4, done.stderr.splitlines())

    def test_cpu_time_is_an_increase_from_the_first_row_on(self):
        """What the kernel says before it begins and after it has ended is around its sum, and what it says in between within."""
        def kernels():
            """Seconds of all CPUs, in all states but guests', which are in others."""
            with open("/proc/stat", encoding="ascii") as f:
                return sum(int(ticks) for ticks in f.readline().split()[1:9]) / os.sysconf("SC_CLK_TCK")

        before = kernels()
        with Running("stat", "--csv", "-I", "100ms", stdout=subprocess.PIPE) as r:
            lines = [r.process.stdout.readline() for _ in range(2)]
            begin = kernels()
            lines += [r.process.stdout.readline() for _ in range(4)]
            end = kernels()
            lines += [r.process.stdout.readline() for _ in range(2)]  # the next one may have begun
            r.process.send_signal(signal.SIGINT)
            lines += r.process.stdout.readlines()
            r.process.stdout.close()
            self.assertEqual(r.stop(), 0)
        after = kernels()
        rows = list(csv.DictReader(lines))
        spent = sum(int(row[c]) for row in rows for c in row if c.startswith("cpu_") and c != "cpu_migrations" and row[c]) / 1e9
        # Idle time can be a tick less than it was: the kernel's is an estimate while a CPU is idle.
        tick = 0.05 * os.cpu_count()
        self.assertGreater(end, begin)
        self.assertGreater(spent, end - begin - tick)
        self.assertLess(spent, after - before + tick)

    def test_csv_of_a_whole_run_is_one_row(self):
        rows = list(csv.DictReader(run("stat", "--csv", "--", "true").stdout.splitlines()))
        self.assertEqual(len(rows), 1)
        self.assertGreater(int(rows[0]["minor_faults"]), 10)

    def test_rows_of_each_cpu_in_the_summary(self):
        done = run("stat", "-A", "-C", "0", "-I", "100ms", "--duration", "200ms", "-e", "context-switches")
        self.assertRegex(done.stdout, r"(?m)^CPU0 +[\d,]+ +context-switches")
        self.assertNotIn("CPU1", done.stdout)

    def test_interrupted_it_prints_the_summary(self):
        with Running("stat", "-I", "100ms", stdout=subprocess.PIPE) as r:
            r.process.stdout.readline()
            r.process.stdout.readline()
            r.process.stdout.readline()
            r.process.send_signal(signal.SIGINT)
            text = r.process.stdout.read()
            r.process.stdout.close()
            self.assertEqual(r.stop(), 0)
        self.assertIn("Counted: the whole system", text)
        self.assertRegex(text, r"s  elapsed\n\Z")

    def test_a_reader_that_goes(self):
        with Running("stat", "-I", "10ms", stdout=subprocess.PIPE) as r:
            r.process.stdout.readline()
            r.process.stdout.close()
            r.process.wait(timeout=PATIENCE)
            self.assertEqual(r.stop(), 0)

    def test_a_terminal_has_a_header_a_screen_and_lines_that_fit(self):
        ours, theirs = os.openpty()
        subprocess.run(["stty", "rows", "10", "cols", "40"], stdin=theirs, check=True, timeout=PATIENCE)
        with subprocess.Popen([PROGRAM, "stat", "-I", "50ms"], stdin=subprocess.DEVNULL, stdout=theirs,
                              stderr=subprocess.DEVNULL) as p:
            os.close(theirs)
            text = b""
            try:
                while block := os.read(ours, 4096):
                    text += block
                    if text.count(b"\n") > 20:
                        p.send_signal(signal.SIGINT)
            except OSError:
                pass  # its end, on a terminal
            os.close(ours)
            self.assertEqual(p.wait(timeout=PATIENCE), 0)
        lines = text.decode().replace("\r", "").split("\n\nCounted:")[0].splitlines()
        self.assertTrue(all(len(line) <= 40 for line in lines), lines)
        headers = [i for i, line in enumerate(lines) if "time" in line]
        self.assertEqual(headers, list(range(0, len(lines), 9))[:len(headers)])
        self.assertGreater(len(headers), 1)

    def test_a_recording_beside_it(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.data")
            done = run("stat", "--json", "-o", path, "-I", "100ms", "--duration", "300ms", "-e", "context-switches")
            report = subprocess.run(["perf", "stat", "report", "-i", path], stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, check=False).stdout
        theirs = [int(n.replace(",", "")) for n in re.findall(r"([\d,]+) +context-switches", report)]
        ours = [row["context_switches"] for row in objects(done.stdout)[:-1]]
        self.assertTrue(ours)
        self.assertEqual(theirs[:len(ours)], ours)


class Usage(unittest.TestCase):
    def test_what_makes_no_sense_is_said(self):
        for arguments, says in ((["--json", "--csv"], "exclude"), (["-A", "--csv"], "--json"), (["-A", "-p", "1"], "-a"),
                                (["-A", "--", "true"], "-a"), (["-o", "-"], "file"), (["--listen", "127.0.0.1:0"], "no such"),
                                (["--csv-rows", "99"], "no such"), (["-I", "0ms"], "1ms"), (["-e", "cycels"], "cycles")):
            done = run("stat", *arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertIn(says, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_it_keeps_no_csv_bridge_and_serves_nothing(self):
        text = run("stat", "--help").stdout
        self.assertIn("--per-cpu", text)
        self.assertNotIn("/tmp/perf_data.csv", text)
        self.assertNotIn("--listen", text)
