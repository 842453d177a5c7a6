# SPDX-License-Identifier: Apache-2.0
"""The collector: intervals, CSV, recording, targets, and what happens to them on bad days."""

import csv
import os
import re
import signal
import stat
import subprocess
import tempfile
import time
import unittest

from program import PATIENCE, PROGRAM, Running, check_intervals, run, wait_until

FIRST = ["timestamp", "cycles", "instructions", "cache_misses", "branch_misses", "cpi"]


def rows_of(path):
    with open(path, encoding="ascii", newline="") as f:
        return list(csv.DictReader(f))


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.csv = os.path.join(self.folder, "x.csv")
        self.recording = os.path.join(self.folder, "x.data")


def stat_report(path):
    """perf stat report's lines: (time, value, event), the value None where it was not counted."""
    done = subprocess.run(["perf", "stat", "report", "-i", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=PATIENCE, check=False)
    found = re.findall(r"^ +(\d+\.\d+) +([\d,.]+|<not \w+>) +(?:(?:ns|msec) +)?([a-z-]+(?::\w+)?)", done.stdout, re.M)
    return [(float(t), None if v.startswith("<") else float(v.replace(",", "")), e) for t, v, e in found]


class Csv(Folder):
    def test_header_and_rows(self):
        begin = time.time()
        done = run("collect", "--csv", self.csv, "--duration", "1s")
        self.assertEqual(done.returncode, 0)
        rows = rows_of(self.csv)
        self.assertEqual(list(rows[0])[:6], FIRST)
        for column in ("context_switches", "minor_faults", "cpu_user", "cpu_idle", "cycles_running"):
            self.assertIn(column, rows[0])
        check_intervals(self, len(rows), 10, done.stderr.splitlines())
        times = [int(r["timestamp"]) for r in rows]
        self.assertEqual(times, sorted(set(times)))
        self.assertTrue(all(t % 100 == 0 for t in times), times)
        self.assertTrue(begin < times[0] / 1000 and times[-1] / 1000 < time.time(), (begin, times))

    def test_what_is_not_counted_is_empty_and_not_zero(self):
        run("collect", "--csv", self.csv, "--duration", "300ms", "-e", "context-switches,rffffffffffffffff")
        for row in rows_of(self.csv):
            self.assertNotEqual(row["context_switches"], "")
            for column in FIRST[1:]:
                self.assertEqual(row[column], "")
            self.assertEqual(row["rffffffffffffffff"], "")

    def test_a_ring_of_the_newest_rows(self):
        with Running("collect", "--csv", self.csv, "--csv-rows", "64", "-I", "1ms") as r:
            self.assertTrue(wait_until(lambda: os.path.exists(self.csv) and rows_of(self.csv)), r.lines)
            # Until it has gone round many times, under the eyes of a reader.
            seen, rows = 0, set()
            while seen <= 20 or len(rows) <= 1000:
                self.assertIsNone(r.process.poll(), r.lines)
                with open(self.csv, encoding="ascii", newline="") as f:
                    text = f.read()
                lines = text.splitlines()
                self.assertTrue(lines[0].startswith("timestamp,cycles,"), lines[0])
                self.assertTrue(text.endswith("\n"))
                body = [line for line in lines[1:] if line]
                self.assertLessEqual(len(body), 64)
                self.assertEqual({line.count(",") for line in body} - {lines[0].count(",")}, set())
                times = [int(line.split(",", 1)[0]) for line in body]
                self.assertEqual(times, sorted(set(times)))
                rows |= set(times)
                seen += 1
            self.assertEqual(r.stop(), 0)
        self.assertGreaterEqual(len(rows_of(self.csv)), 24)
        self.assertEqual(os.listdir(self.folder), ["x.csv"])

    def test_readable_by_others(self):
        subprocess.run(["sh", "-c", 'umask 077; exec "$@"', "sh", PROGRAM, "collect", "--csv", self.csv, "--duration",
                        "200ms"], stderr=subprocess.DEVNULL, timeout=PATIENCE, check=True)
        self.assertEqual(stat.S_IMODE(os.stat(self.csv).st_mode), 0o644)

    def goes_on_without(self, says):
        done = run("collect", "--csv", self.csv, "-o", self.recording, "--duration", "300ms")
        self.assertEqual(done.returncode, 0)
        line = [x for x in done.stderr.splitlines() if "CSV" in x]
        self.assertEqual(len(line), 1, done.stderr)
        self.assertIn(says, line[0])
        self.assertGreater(len(stat_report(self.recording)), 0)

    def test_a_symbolic_link_is_not_followed(self):
        victim = os.path.join(self.folder, "victim")
        with open(victim, "w", encoding="ascii") as f:
            f.write("precious\n")
        os.symlink(victim, self.csv)
        self.goes_on_without("symbolic link")
        with open(victim, encoding="ascii") as f:
            self.assertEqual(f.read(), "precious\n")

    def test_a_directory_and_a_fifo(self):
        os.mkdir(self.csv)
        self.goes_on_without("is a directory")
        os.rmdir(self.csv)
        os.mkfifo(self.csv)
        self.goes_on_without("not a regular file")

    @unittest.skipUnless(os.geteuid() == 0, "only root can make a file another user's")
    def test_another_users_file(self):
        with open(self.csv, "w", encoding="ascii") as f:
            f.write("theirs\n")
        os.chown(self.csv, 65534, 65534)
        self.goes_on_without("another user")
        with open(self.csv, encoding="ascii") as f:
            self.assertEqual(f.read(), "theirs\n")

    def test_a_second_writer_goes_on_without(self):
        with Running("collect", "--csv", self.csv):
            self.assertTrue(wait_until(lambda: os.path.exists(self.csv) and len(rows_of(self.csv)) > 2))
            self.goes_on_without("another cyclescope writes it")
            before = len(rows_of(self.csv))
            self.assertTrue(wait_until(lambda: len(rows_of(self.csv)) > before))

    @unittest.skipUnless(os.geteuid() == 0, "mounting a small tmpfs needs root")
    def test_disk_full_pauses_and_resumes(self):
        disk = os.path.join(self.folder, "disk")
        os.mkdir(disk)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk], check=True, timeout=PATIENCE)
        try:
            path = os.path.join(disk, "x.csv")
            filler = os.path.join(disk, "filler")
            with Running("collect", "--csv", path, "-I", "10ms") as r:
                self.assertTrue(wait_until(lambda: os.path.exists(path) and len(rows_of(path)) > 2))
                with open(filler, "wb", buffering=0) as f:
                    try:
                        while f.write(bytes(4096)):
                            pass
                    except OSError:
                        pass
                self.assertTrue(r.said("No space left on device; the CSV pauses"), r.lines)
                with open(path, encoding="ascii") as f:
                    text = f.read()
                self.assertTrue(text.endswith("\n"))
                self.assertEqual({line.count(",") for line in text.splitlines() if line}, {text.split("\n")[0].count(",")})
                before = len(rows_of(path))
                os.unlink(filler)
                self.assertTrue(r.said("writing again"), r.lines)
                self.assertTrue(wait_until(lambda: len(rows_of(path)) > before + 5))
                self.assertEqual(sum("pauses" in line for line in r.lines), 1)
        finally:
            subprocess.run(["umount", disk], check=True, timeout=PATIENCE)

    def test_kill_9_leaves_whole_rows(self):
        with Running("collect", "--csv", self.csv, "-o", self.recording, "-I", "1ms") as r:
            self.assertTrue(wait_until(lambda: os.path.exists(self.csv) and len(rows_of(self.csv)) > 50))
            r.stop(signal.SIGKILL)
        with open(self.csv, encoding="ascii") as f:
            text = f.read()
        self.assertTrue(text.endswith("\n"))
        self.assertEqual(len({line.count(",") for line in text.splitlines() if line}), 1)
        self.assertGreater(len(stat_report(self.recording)), 50)


class Recording(Folder):
    def test_perf_reads_the_same_counts(self):
        run("collect", "-o", self.recording, "--csv", self.csv, "--duration", "1s", "-e",
            "context-switches,minor-faults")
        ours = rows_of(self.csv)
        for event, column in (("context-switches", "context_switches"), ("minor-faults", "minor_faults")):
            theirs = [int(value) for _, value, name in stat_report(self.recording) if name == event]
            self.assertEqual(theirs, [int(row[column]) for row in ours])

    def test_what_did_not_open_is_not_supported_there_too(self):
        run("collect", "-o", self.recording, "--csv", "none", "--duration", "300ms", "-e",
            "rffffffffffffffff,context-switches")
        text = subprocess.run(["perf", "stat", "report", "-i", self.recording], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, check=False).stdout
        self.assertIn("<not supported>", text)

    def test_nothing_planted_is_written_through(self):
        victim = os.path.join(self.folder, "victim")
        with open(victim, "w", encoding="ascii") as f:
            f.write("precious\n")
        os.symlink(victim, self.recording)
        done = run("collect", "-o", self.recording, "--csv", "none")
        self.assertEqual(done.returncode, 1)
        self.assertIn("symbolic link", done.stderr)
        os.unlink(self.recording)
        os.link(victim, self.recording)
        done = run("collect", "-o", self.recording, "--csv", "none")
        self.assertEqual(done.returncode, 1)
        os.unlink(self.recording)
        if os.geteuid() == 0:
            os.chown(victim, 65534, 65534)
            done = run("collect", "-o", victim, "--csv", "none")
            self.assertEqual(done.returncode, 1)
            self.assertIn("another user", done.stderr)
        with open(victim, encoding="ascii") as f:
            self.assertEqual(f.read(), "precious\n")

    def test_a_recording_of_ours_is_replaced(self):
        for duration in ("600ms", "300ms"):
            done = run("collect", "-o", self.recording, "--csv", "none", "--duration", duration)
            self.assertEqual(done.returncode, 0)
        check_intervals(self, len({t for t, _, _ in stat_report(self.recording)}), 3, done.stderr.splitlines())
        self.assertEqual(run("collect", "-o", "/dev/null", "--csv", "none", "--duration", "200ms").returncode, 0)

    def test_a_pipe_whose_reader_goes(self):
        with subprocess.Popen([PROGRAM, "collect", "-o", "-", "--csv", "none"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            p.stdout.read(64)
            p.stdout.close()
            self.assertEqual(p.wait(timeout=PATIENCE), 0)
            said = p.stderr.read().decode()
            p.stderr.close()
        self.assertIn("reader is gone", said)

    def test_a_pipe_whose_reader_is_gone_from_the_start(self):
        for options in ((), ("-z",)):  # the sanitizers see what is not given back
            reader, writer = os.pipe()
            os.close(reader)
            done = run("collect", "-o", "-", "--csv", "none", *options, stdout=writer)
            os.close(writer)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("reader is gone", done.stderr)

    def test_a_terminal_is_spared(self):
        ours, theirs = os.openpty()
        try:
            done = run("collect", "-o", "-", "--csv", "none", stdout=theirs)
        finally:
            os.close(ours)
            os.close(theirs)
        self.assertEqual(done.returncode, 2)
        self.assertIn("binary", done.stderr)


class Process(Folder):
    def test_faults_of_a_process_are_counted_exactly(self):
        # It waits for a line, touches 5,000 fresh pages, and waits again.
        script = ("import sys,mmap\nprint('up',flush=True);sys.stdin.readline()\n"
                  "m=mmap.mmap(-1,5000*4096)\nfor i in range(5000): m[i*4096]=1\n"
                  "print('done',flush=True);sys.stdin.readline()\n")
        with subprocess.Popen(["python3", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
            p.stdout.readline()
            with Running("collect", "-p", str(p.pid), "--csv", self.csv) as r:
                self.assertTrue(wait_until(lambda: os.path.exists(self.csv) and len(rows_of(self.csv)) > 1))
                p.stdin.write("go\n")
                p.stdin.flush()
                p.stdout.readline()
                self.assertEqual(r.stop(), 0)
            p.stdin.write("end\n")
            p.stdin.close()
            p.wait(timeout=PATIENCE)
        faults = sum(int(row["minor_faults"]) for row in rows_of(self.csv))
        # Huge pages off for such a mapping or not: either each page faults, or a few of 2 MiB do.
        self.assertGreater(faults, 8)
        self.assertLess(faults, 5200)
        self.assertTrue(all(row["cpi"] == "" or float(row["cpi"]) > 0 for row in rows_of(self.csv)))

    def test_children_and_threads_are_counted(self):
        script = ("import sys,subprocess,threading\n"
                  "t=threading.Thread(target=sys.stdin.readline);t.start();print('up',flush=True);t.join()\n"
                  "subprocess.run(['true']);subprocess.run(['true'])\nprint('done',flush=True);sys.stdin.readline()\n")
        with subprocess.Popen(["python3", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
            p.stdout.readline()
            with Running("collect", "-p", str(p.pid), "--csv", self.csv, "-e", "minor-faults,task-clock") as r:
                self.assertTrue(wait_until(lambda: os.path.exists(self.csv) and len(rows_of(self.csv)) > 1))
                p.stdin.write("go\n")
                p.stdin.flush()
                p.stdout.readline()
                self.assertEqual(r.stop(), 0)
            p.stdin.write("end\n")
            p.stdin.close()
            p.wait(timeout=PATIENCE)
        # A process that starts `true` twice takes dozens of faults in each child.
        self.assertGreater(sum(int(row["minor_faults"]) for row in rows_of(self.csv)), 80)

    def test_the_end_of_the_process_ends_the_collector(self):
        with subprocess.Popen(["sleep", "60"]) as p:
            with Running("collect", "-p", str(p.pid), "--csv", self.csv) as r:
                self.assertTrue(wait_until(lambda: os.path.exists(self.csv) and len(rows_of(self.csv)) > 1))
                p.terminate()
                p.wait(timeout=PATIENCE)
                self.assertTrue(r.said(rf"process {p.pid} \(sleep\) has ended"), r.lines)
                self.assertEqual(r.process.wait(timeout=PATIENCE), 0)

    def test_ctrl_c_ends_cleanly(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            if os.path.exists(self.csv):
                os.unlink(self.csv)
            with Running("collect", "--csv", self.csv, "-o", self.recording) as r:
                self.assertTrue(wait_until(lambda: os.path.exists(self.csv) and len(rows_of(self.csv)) > 1))
                self.assertEqual(r.stop(number), 0)


if __name__ == "__main__":
    unittest.main()
