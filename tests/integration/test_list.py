# SPDX-License-Identifier: Apache-2.0
"""The events that -e takes, and the list of them: against what perf says of the same machine."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from program import PATIENCE, PROGRAM, run, wait_for_rows

TRACING = "/sys/kernel/tracing/events"


def perf_list(kind):
    """Names and aliases that `perf list` has of a kind."""
    done = subprocess.run(["perf", "list", "--no-desc", kind], capture_output=True, text=True, timeout=PATIENCE)
    found = re.findall(r"^  (\S+)(?: OR (\S+))?\s+\[", done.stdout, re.MULTILINE)
    return {name for pair in found for name in pair if name}


def perf_takes(event):
    """Does perf's parser take it? (Whether it counts here is another matter.)"""
    done = subprocess.run(["perf", "stat", "-x,", "-e", event, "true"], capture_output=True, text=True, timeout=PATIENCE,
                          env={**os.environ, "LC_ALL": "C"})
    return "perf list" not in done.stderr  # "Run 'perf list' for a list of valid events"


def listed(*arguments):
    done = run("list", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["events"]


def tracefs_is_readable():
    return os.access(TRACING + "/sched/sched_switch/id", os.R_OK)


class List(unittest.TestCase):
    def test_for_people(self):
        done = run("list")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        for heading in ("hardware", "cache", "software"):
            self.assertIn(heading, lines)
        self.assertTrue(any(re.match(r"  [+?] context-switches or cs +switches", line) for line in lines))
        # Names are not cut, descriptions are.
        wide = [line for line in lines if len(line) > 100 and len(line.split()[1]) < 60]
        self.assertEqual(wide, [])

    def test_every_name_is_taken(self):
        """Sources other than tracepoints, which are too many, one by one; all of them together are beyond a list."""
        names = [e["name"] for e in listed() if e["source"] not in ("tracepoints", "libpfm4") and not e["pattern"]]
        self.assertGreater(len(names), 50)
        done = run("collect", "-e", ",".join(names), "--csv", "none", "--duration", "20ms")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_marks_are_true(self):
        """What is said to open counts, and what is said not to is missing."""
        events = [e for e in listed() if e["source"] in ("hardware", "software", "cache", "PMU") and not e["pattern"]]
        with tempfile.TemporaryDirectory() as folder:
            csv = os.path.join(folder, "x.csv")
            done = run("collect", "-p", str(os.getpid()), "-e", ",".join(e["name"] for e in events), "--csv", csv,
                       "--csv-rows", "16", "-I", "20ms", "--duration", "60ms")
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(csv, encoding="ascii") as f:
                header, *rows = [line.strip().split(",") for line in f]
        self.assertTrue(rows)
        for e in events:
            column = re.sub("[^a-z0-9]", "_", e["name"].lower())
            found = any(row[header.index(column)].strip() for row in rows) if column in header else False
            if e["here"] == "opens":
                self.assertTrue(found or e["name"] in ("cpu-clock",), e)
            elif e["here"] == "not supported":
                self.assertFalse(found, e)

    def test_patterns(self):
        self.assertEqual({e["name"] for e in listed("CONTEXT-sw")}, {"context-switches"})
        self.assertEqual({e["name"] for e in listed("cs")}, {"context-switches"} | {
            e["name"] for e in listed() if "cs" in e["name"].lower()})
        self.assertEqual({e["name"] for e in listed("*-faults")},
                         {"page-faults", "minor-faults", "major-faults", "alignment-faults", "emulation-faults"})
        self.assertEqual({e["source"] for e in listed("software")}, {"software"})
        done = run("list", "no-such-event")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no event matches 'no-such-event'; cyclescope list without", done.stderr)
        done = run("list", "context-swiches")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no event matches 'context-swiches'; the nearest name is 'context-switches'", done.stderr)
        self.assertEqual(run("list", "a", "b").returncode, 2)
        self.assertEqual(listed("no-such-event"), [])

    def test_a_reader_that_has_seen_enough(self):
        with subprocess.Popen([PROGRAM, "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdout.close()
            self.assertEqual(process.stderr.read(), b"")
            self.assertEqual(process.wait(timeout=PATIENCE), 0)

    def test_a_full_disk(self):
        with open("/dev/full", "wb") as full:
            done = run("list", stdout=full)
        self.assertEqual(done.returncode, 1)
        self.assertIn("No space left", done.stderr)

    @unittest.skipUnless(tracefs_is_readable(), "tracefs is not mounted, or not readable")
    def test_tracepoints(self):
        here = {f"{system}:{name}" for system in os.listdir(TRACING) if os.path.isdir(f"{TRACING}/{system}")
                for name in os.listdir(f"{TRACING}/{system}") if os.path.exists(f"{TRACING}/{system}/{name}/id")}
        self.assertEqual({e["name"] for e in listed("tracepoints")}, here)
        self.assertEqual({e["here"] for e in listed("sched:*")}, {"readable"})

    @unittest.skipUnless(os.geteuid() == 0 and tracefs_is_readable() and shutil.which("setpriv"),
                         "needs root, to be somebody else")
    def test_without_privileges(self):
        done = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", PROGRAM, "list"], capture_output=True,
                              text=True, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("not readable by this user", done.stdout)


@unittest.skipUnless(shutil.which("perf"), "perf is not installed")
class AgainstPerf(unittest.TestCase):
    def test_software_events_are_perfs(self):
        ours = {name for e in listed("software") for name in (e["name"], e["alias"]) if name}
        self.assertEqual(perf_list("sw") - {"duration_time", "user_time", "system_time"}, ours)

    def test_pmu_events_are_perfs(self):
        theirs = {name for name in perf_list("pmu") if re.fullmatch(r"[\w.-]+/[\w.-]+/", name)}
        ours = {e["name"] for e in listed() if e["source"] == "PMU" and not e["pattern"]}
        self.assertEqual(theirs - ours, set())

    def test_the_same_spellings_are_taken(self):
        events = ["cs", "faults", "cpu-cycles:u", "L1-dcache-load-misses", "l1d-read-miss", "LLC", "L2-stores",
                  "dTLB-misses", "branch-loads", "bpu-load", "node-prefetches", "r1a8", "r1a8:u", "rFF:kh", "cs:S",
                  "cs:pp", "cs:D", "cs:e", "cs:W", "cs:uD", "cs/name=hello/", "cs//", "cs/period=100/",
                  "software/config=3/u", "{cs,faults}:u", "g{cs,faults}", "cs,faults",
                  # and these are not
                  "cycels", "rNNN", "r", "cs:uu", "cs:pppp", "cs:x", "iTLB-stores", "branch-stores", "msr/nosuch/",
                  "nosuch/event=1/", "cs,", "cs}", "{cs,faults}x"]
        if os.path.exists("/sys/bus/event_source/devices/msr/events/tsc"):
            events += ["msr/tsc/", "msr/event=0x0/", "msr/tsc,name=clock/", "msr/config=0/u", "msr/tsc=/", "msr/tsc"]
        if tracefs_is_readable():
            events += ["sched:sched_switch", "sched:sched_switch:u", "sched:sched_wak*", "sched:sched_swich", "sched:"]
        for event in events:
            with self.subTest(event=event):
                done = run("collect", "-e", event, "--csv", "none", "--duration", "1ms")
                self.assertEqual(done.returncode == 0, perf_takes(event), done.stderr)

    def test_perf_report_shows_the_same_names(self):
        events = ["cs:u", "faults:ku", "software/config=3/k", "short:u", "L1-dcache-loads"]
        given = "{cs,faults:k}:u,software/config=3/k,software/config=2,name=short/u,L1-dcache-loads"
        if tracefs_is_readable():
            events.append("sched:sched_switch")
            given += ",sched:sched_switch"
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.data")
            done = run("collect", "-e", given, "--csv", "none", "-o", path, "--duration", "50ms")
            self.assertEqual(done.returncode, 0, done.stderr)
            report = subprocess.run(["perf", "stat", "report", "-i", path], capture_output=True, text=True, timeout=PATIENCE)
        words = (report.stdout + report.stderr).split()
        for event in events:
            self.assertIn(event, words)

    @unittest.skipUnless(tracefs_is_readable(), "tracefs is not readable")
    def test_a_tracepoint_counts_what_perf_counts(self):
        """Writes of a program that makes a known number of them, seen by both at the same time."""
        program = "import os\ninput()\nf = os.open('/dev/null', os.O_WRONLY)\nfor _ in range(1000): os.write(f, b'x')\ninput()"
        event = "syscalls:sys_enter_write"
        if not os.path.exists(f"{TRACING}/syscalls/sys_enter_write/id"):
            self.skipTest("this kernel has no tracepoints of system calls")
        with subprocess.Popen(["python3", "-c", program], stdin=subprocess.PIPE) as worker, \
                tempfile.TemporaryDirectory() as folder:
            csv = os.path.join(folder, "x.csv")
            with subprocess.Popen([PROGRAM, "collect", "-p", str(worker.pid), "-e", event + "," + "cs", "--csv", csv,
                                   "-I", "50ms"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as collector:
                wait_for_rows(csv, 2)
                worker.stdin.write(b"\n")
                worker.stdin.flush()
                wait_for_rows(csv, 8)
                worker.stdin.write(b"\n")
                worker.stdin.close()
                self.assertEqual(collector.wait(timeout=PATIENCE), 0)
            with open(csv, encoding="ascii") as f:
                header, *rows = [line.strip().split(",") for line in f]
        column = header.index("syscalls_sys_enter_write")
        self.assertEqual(sum(int(row[column]) for row in rows), 1000)


class SeveralOptions(unittest.TestCase):
    def test_they_add_up(self):
        with tempfile.TemporaryDirectory() as folder:
            csv = os.path.join(folder, "x.csv")
            done = run("collect", "-e", "cs,faults", "-e", "{minor-faults,major-faults}:u", "--csv", csv, "-I", "10ms",
                       "--duration", "50ms")
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(csv, encoding="ascii") as f:
                header = f.readline().strip().split(",")
        self.assertEqual([c for c in header if c in ("cs", "faults", "minor_faults_u", "major_faults_u")],
                         ["cs", "faults", "minor_faults_u", "major_faults_u"])

    def test_too_long(self):
        done = run("collect", *["-e", "cs" * 20000] * 4, "--csv", "none")
        self.assertEqual(done.returncode, 2)
        self.assertIn("64 KiB", done.stderr)


if __name__ == "__main__":
    unittest.main()
