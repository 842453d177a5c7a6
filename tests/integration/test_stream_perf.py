# SPDX-License-Identifier: Apache-2.0
"""The stream and perf's own tool: each reads what the other writes, with the same counts."""

import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import unittest

from program import PATIENCE, Running, check_intervals, run, wait_for_rows, wait_until

ATTR, STAT, ROUND, UPDATE, FEATURE = 64, 76, 77, 78, 80
NAME, NOTE = 2, 0x6373
SOFTWARE = "{context-switches,cpu-migrations},page-faults"


def perf_works():
    if not shutil.which("perf"):
        return False
    done = subprocess.run(["perf", "stat", "record", "-a", "-e", "context-switches", "-o", "-", "--", "true"],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    return done.returncode == 0 and done.stdout.startswith(b"PERFILE2")


def perf_report(path):
    """What `perf stat report` prints of a recording with intervals: {event: [text of each interval]}."""
    done = subprocess.run(["perf", "stat", "report", "-i", path], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=PATIENCE, env={**os.environ, "LC_ALL": "C"})
    if done.returncode != 0:
        raise AssertionError(f"perf stat report: {done.returncode} {done.stderr}")
    rows = {}
    for line in (done.stdout + done.stderr).splitlines():
        found = re.match(r"\s+(\d+\.\d+)\s+(<not \w+>|[\d.]+)\s+(.*?)\s*(?:#.*)?$", line)
        if found:
            rows.setdefault(found.group(3).split()[-1], []).append(found.group(2))
    return rows


def numbers(texts):
    return [None if text == "<not counted>" else float(text) for text in texts]


def records(data):
    """(type, body) of each record: a reader of its own, that shares nothing with the program's."""
    assert data[:16] == struct.pack("<8sQ", b"PERFILE2", 16), data[:16]
    at = 16
    while at < len(data):
        kind, _, size = struct.unpack_from("<IHH", data, at)
        assert size >= 8 and at + size <= len(data), (at, kind, size)
        yield kind, data[at + 8:at + size]
        at += size


def counts(data):
    """{event: [count of each interval]} from the records. An event without readings has none; None is an interval in
    which it did not run, or was not read."""
    ids, names, now, before, rows = [], {}, {}, {}, {}
    for kind, body in records(data):
        if kind == ATTR:
            size, = struct.unpack_from("<I", body, 4)
            ids.append(struct.unpack_from("<Q", body, size)[0])
        elif kind == UPDATE and struct.unpack_from("<Q", body)[0] == NAME:
            names[struct.unpack_from("<Q", body, 8)[0]] = body[16:].rstrip(b"\0").decode()
        elif kind == STAT:
            event, cpu, thread, *reading = struct.unpack_from("<QIIQQQ", body)
            now[event, cpu, thread] = reading
        elif kind == ROUND:
            for event in ids:
                places = [key for key in now if key[0] == event]
                count, enabled, running = (
                    sum(now[key][i] - before.get(key, (0, 0, 0))[i] for key in places) for i in range(3))
                intervals = rows.setdefault(names[event], [])
                if places:
                    intervals.append(count if enabled and running else None)
            before = dict(now)
    return rows


class Recording(unittest.TestCase):
    """What the collector writes."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "run.data")

    def collect(self, *options):
        done = run("collect", "-o", self.path, "--csv", "none", *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.said = done.stderr.splitlines()
        with open(self.path, "rb") as f:
            return f.read()

    def compare(self, data):
        """The counts of `perf stat report` are those of the records."""
        ours, theirs = counts(data), perf_report(self.path)
        self.assertEqual(sorted(ours), sorted(theirs))
        for name, expected in ours.items():
            if not expected:
                self.assertEqual(set(theirs[name]), {"<not supported>"}, name)
                continue
            self.assertEqual(numbers(theirs[name]), expected, name)

    @unittest.skipUnless(perf_works(), "perf does not run here")
    def test_perf_reads_the_default(self):
        data = self.collect("--interval", "50ms", "--duration", "500ms")
        self.compare(data)
        check_intervals(self, len(counts(data)["context-switches"]), 10, self.said)

    @unittest.skipUnless(perf_works(), "perf does not run here")
    def test_perf_reads_groups_and_modifiers(self):
        data = self.collect("-e", "{page-faults:u,context-switches},cycles:u,task-clock,cpu-migrations", "-I", "20ms",
                            "--duration", "300ms")
        ours, theirs = counts(data), perf_report(self.path)
        for name in ("page-faults:u", "context-switches", "cpu-migrations"):
            self.assertEqual(numbers(theirs[name]), ours[name], name)
        self.assertIn("cycles:u", theirs)
        header = subprocess.run(["perf", "report", "--header-only", "-i", self.path], capture_output=True, text=True,
                                timeout=PATIENCE).stdout
        self.assertIn("group: {page-faults:u,context-switches}", header)
        self.assertIn("clockid: monotonic", header)
        self.assertIn(f"hostname : {os.uname().nodename}", header)

    @unittest.skipUnless(perf_works(), "perf does not run here")
    def test_perf_reads_each_cpu(self):
        names = "context-switches", "page-faults", "cpu-migrations"
        data = self.collect("-e", ",".join(names), "-I", "50ms", "--duration", "400ms")
        now, ids = {}, []
        for kind, body in records(data):
            if kind == ATTR:
                size, = struct.unpack_from("<I", body, 4)
                ids.append(struct.unpack_from("<Q", body, size)[0])
            elif kind == STAT:
                event, cpu, _, value, *_ = struct.unpack_from("<QIIQQQ", body)
                now[event, cpu] = value
        for option, place in (("-A", r"CPU(\d+)"), ("--per-core", r"S\d+-D\d+-C(\d+)\s+\d+")):
            done = subprocess.run(["perf", "stat", "report", option, "-i", self.path], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=PATIENCE, env={**os.environ, "LC_ALL": "C"})
            sums, cpus = {}, set()
            for line in (done.stdout + done.stderr).splitlines():
                found = re.match(rf"\s+\d+\.\d+\s+{place}\s+(\d+)\s+([a-z-]+)", line)
                if found:
                    cpus.add(found[1])
                    key = (found[3], int(found[1])) if option == "-A" else found[3]
                    sums[key] = sums.get(key, 0) + int(found[2])
            for event, name in zip(ids, names):
                if option == "-A":
                    for cpu in {cpu for key, cpu in now if key == event}:
                        self.assertEqual(sums[name, cpu], now[event, cpu], (option, name, cpu))
                else:
                    # A core has several CPUs on some machines: the sum is the same on all.
                    self.assertEqual(sums[name], sum(value for (key, _), value in now.items() if key == event))
            self.assertTrue(cpus)

    @unittest.skipUnless(perf_works(), "perf does not run here")
    def test_perf_reads_threads(self):
        code = "import threading\ndef f():\n while True: bytearray(1 << 20)\nthreading.Thread(target=f).start(); f()"
        busy = subprocess.Popen(["python3", "-c", code])
        try:
            wait_until(lambda: len(os.listdir(f"/proc/{busy.pid}/task")) == 2)
            for options in (("-p", str(busy.pid)), ("-t", ",".join(os.listdir(f"/proc/{busy.pid}/task")))):
                self.compare(self.collect(*options, "-e", "context-switches,minor-faults", "--interval", "50ms",
                                          "--duration", "400ms"))
        finally:
            busy.kill()
            busy.wait()

    @unittest.skipUnless(perf_works(), "perf does not run here")
    def test_perf_reads_a_process(self):
        # minor faults of a program that makes them
        busy = subprocess.Popen(["python3", "-c", "while True: bytearray(1 << 20)"])
        try:
            self.compare(self.collect("-p", str(busy.pid), "-e", "context-switches,minor-faults", "--interval", "50ms",
                                      "--duration", "400ms"))
        finally:
            busy.kill()
            busy.wait()

    def test_killed_it_is_readable(self):
        bridge = self.path + ".csv"
        with Running("collect", "-o", self.path, "--csv", bridge, "--interval", "5ms") as collector:
            wait_for_rows(bridge, 200)
            collector.stop(signal.SIGKILL)
        with open(self.path, "rb") as f:
            kinds = [kind for kind, _ in records(f.read())]
        self.assertGreaterEqual(kinds.count(ROUND), 199)  # the CSV has each interval first
        self.assertIn(kinds[-1], (ROUND, UPDATE, FEATURE))

    def test_notes_are_in_it(self):
        notes = [body for kind, body in records(self.collect("--duration", "200ms"))
                 if kind == UPDATE and struct.unpack_from("<Q", body)[0] == NOTE]
        self.assertTrue(notes)
        for note in notes:
            self.assertEqual(len(note) % 8, 0)
            self.assertTrue(note[16:].rstrip(b"\0").startswith(b"{"))


@unittest.skipUnless(perf_works(), "perf does not run here")
class PerfStat(unittest.TestCase):
    """What perf stat writes, shown live."""

    def test_served_live(self):
        with tempfile.NamedTemporaryFile(suffix=".data") as copy:
            perf = subprocess.Popen(["perf", "stat", "record", "-a", "-I", "100", "-e", SOFTWARE + ",cycles", "-o", "-",
                                     "--", "cat"],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            tee = subprocess.Popen(["tee", copy.name], stdin=perf.stdout, stdout=subprocess.PIPE)
            perf.stdout.close()
            with Running("serve", "-", "--listen", "127.0.0.1:0", stdin=tee.stdout) as server:
                tee.stdout.close()
                self.assertTrue(wait_until(lambda: server.get("/api/latest")[1]), "nothing arrived")
                self.assertIsNone(perf.poll(), "it came only at the end")
                perf.stdin.close()
                self.assertEqual(perf.wait(timeout=PATIENCE), 0)
                tee.wait(timeout=PATIENCE)
                theirs = perf_report(copy.name)
                self.assertTrue(wait_until(server.ended))
                rows = server.get("/api/data")[1]
        for name in ("context-switches", "cpu-migrations", "page-faults"):
            ours = [row[name.replace("-", "_")] for row in rows]
            shown = numbers(theirs[name])
            # An interval is the difference of two rounds; perf counts its first one from 0.
            self.assertIn(len(shown) - len(ours), (0, 1), name)
            self.assertEqual(ours, shown[len(shown) - len(ours):], name)
        if set(theirs["cycles"]) == {"<not supported>"}:
            self.assertEqual({row["cycles"] for row in rows}, {None})
