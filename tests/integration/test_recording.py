# SPDX-License-Identifier: Apache-2.0
"""Recordings: `report` on every form of perf.data, its numbers beside perf's own, and `serve` on one that grows."""

import collections
import csv
import io
import json
import os
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import unittest

from program import PATIENCE, Running, check_intervals, run, wait_for_rows, wait_until

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "perf.data"
# What perf 6.1's `perf script -F event,period` adds up to, and, where it refuses the file, the file's own records.
SAMPLED = {
    "amd-zen2-cycles-dwarf-zstd.data": ("cycles", 34, 14945761),
    "intel-broadwell-cycles-dwarf.data": ("cycles", 45, 11975357),
    "intel-coffeelake-cycles-lbr.data": ("cycles", 29, 15087311),
    "sleep.compressed.pipe.data": ("cycles:P", 8, 2171147),
    "sleep.compressed2.data": ("cycles:Pu", 7, 692634),
    "sleep.compressed2.pipe.data": ("cycles:P", 7, 4949523),
    "sleep.data": ("cycles:Pu", 7, 668601),
}
HOSTS = {"amd-zen2-cycles-dwarf-zstd.data": ("milian-workstation", 24), "sleep.data": ("arthur-des", 16),
         "intel-coffeelake-cycles-lbr.data": ("pc-ubuntu", 8), "sleep.compressed.pipe.data": ("ip-172-31-24-76", 16)}
# Of CPU time: however many others run beside it, it is sampled for that long.
BUSY = "clock = __import__('time').process_time\nwhile clock() < {}: bytearray(1 << 20)"
# Until there is a file.
BUSY_UNTIL = "import os, sys\nwhile not os.path.exists(sys.argv[1]): bytearray(1 << 20)"


def perf_works():
    if not shutil.which("perf"):
        return False
    with tempfile.NamedTemporaryFile() as f:
        done = subprocess.run(["perf", "record", "-a", "-e", "cpu-clock", "-o", f.name, "--", "true"],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    return done.returncode == 0


def perf(*arguments, **options):
    """Runs perf to its end; standard output, as bytes."""
    done = subprocess.run(["perf", *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE,
                          env={**os.environ, "LC_ALL": "C"}, **options)
    if done.returncode != 0:
        raise AssertionError(f"perf {arguments}: {done.returncode} {done.stderr}")
    return done.stdout


def busy(seconds):
    return ["python3", "-c", BUSY.format(seconds)]


def report(path, *options, status=0):
    done = run("report", str(path), "--format", "json", *options)
    if done.returncode != status:
        raise AssertionError(f"report {path}: {done.returncode} {done.stderr}")
    return json.loads(done.stdout)


def sampled(path):
    """{event: (samples, estimated)} as report has it, of those that were sampled: perf script names no others."""
    return {one["event"]: (one["samples"], one["estimated"]) for one in report(path)["recording"]["sampled"] if one["samples"]}


def perf_sampled(path):
    """The same as perf script has it."""
    samples, periods = collections.Counter(), collections.Counter()
    for line in perf("script", "-i", str(path), "-F", "event,period,time", "-G").decode().splitlines():
        found = re.match(r"\s*\d+\.\d+:\s+(\d+)\s+(\S+):\s*$", line)
        if not found:
            raise AssertionError(f"perf script: {line!r}")
        samples[found[2]] += 1
        periods[found[2]] += int(found[1])
    return {event: (samples[event], periods[event]) for event in samples}


def perf_counted(path):
    """{event: total} of `perf stat report`, over all its intervals; clocks in ms."""
    done = subprocess.run(["perf", "stat", "report", "-i", str(path)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=PATIENCE, env={**os.environ, "LC_ALL": "C"})
    totals = collections.Counter()
    for line in (done.stdout + done.stderr).splitlines():
        found = re.match(r"\s+(?:\d+\.\d{9}\s+)?([\d.]+)\s+(?:msec\s+)?([a-z][\w:-]*)\s*(?:#.*)?$", line)
        if found:
            totals[found[2]] += float(found[1])
    return totals


class Fixtures(unittest.TestCase):
    """Recordings of real hardware."""

    def test_samples_are_those_of_perf_script(self):
        self.assertEqual(sorted(SAMPLED), sorted(p.name for p in FIXTURES.glob("*.data")))
        for name, (event, samples, estimated) in SAMPLED.items():
            told = report(FIXTURES / name)
            self.assertEqual([(one["event"], one["samples"], one["estimated"]) for one in told["recording"]["sampled"]],
                             [(event, samples, estimated)], name)
            columns = told["totals"]["columns"]
            prefix = event.lower().replace(":", "_")
            self.assertEqual(columns[prefix + "_samples"]["value"], samples, name)
            self.assertEqual(columns[prefix + "_estimated"]["value"], estimated, name)
            self.assertEqual(sum(row[prefix + "_samples"] for row in told["samples"]), samples, name)
            self.assertEqual(told["recording"]["skipped_records"], 0, name)
            # It ends with what perf printed on standard error.
            self.assertEqual(told["recording"]["trouble"] is not None, name == "sleep.compressed2.pipe.data", name)

    def test_the_machine_is_told(self):
        for name, (host, cpus) in HOSTS.items():
            told = report(FIXTURES / name)["recording"]
            self.assertEqual((told["host"], told["cpus"]), (host, cpus))

    @unittest.skipUnless(perf_works(), "perf does not run here")
    def test_this_machines_perf_agrees(self):
        for name in SAMPLED:
            if name.startswith("sleep.compressed2") or name == "sleep.data":
                continue  # newer than the perf of this machine may be
            self.assertEqual(sampled(FIXTURES / name), perf_sampled(FIXTURES / name), name)

    def test_text_says_the_same(self):
        for name, (event, samples, _) in SAMPLED.items():
            done = run("report", str(FIXTURES / name))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, rf"(?m)^ +{samples}  +[\d,]+  {event}$")

    def test_from_standard_input(self):
        for name in ("sleep.data", "sleep.compressed.pipe.data"):
            with open(FIXTURES / name, "rb") as f:
                done = run("report", "-", "--format", "json", stdin=f)
            self.assertEqual(json.loads(done.stdout)["recording"]["sampled"][0]["samples"], SAMPLED[name][1])
        with subprocess.Popen(["cat", FIXTURES / "sleep.compressed.pipe.data"], stdout=subprocess.PIPE) as cat:
            done = run("report", "-", "--format", "json", stdin=cat.stdout)
        self.assertEqual(json.loads(done.stdout)["recording"]["sampled"][0]["samples"], 8)

    def test_file_mode_through_a_pipe_says_what_to_do(self):
        with subprocess.Popen(["cat", FIXTURES / "sleep.data"], stdout=subprocess.PIPE) as cat:
            done = run("report", "-", stdin=cat.stdout)
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (1, 1))
        self.assertIn("file mode", done.stderr)

    def test_the_page_has_their_series(self):
        for name in ("intel-broadwell-cycles-dwarf.data", "sleep.compressed2.data"):
            with Running("serve", str(FIXTURES / name), "--listen", "127.0.0.1:0") as server:
                self.assertTrue(wait_until(lambda: server.get("/api/meta")[1]["input"]["state"] == "ended"), server.lines)
                event, samples, _ = SAMPLED[name]
                rows = server.get("/api/data")[1]
                self.assertEqual(sum(row[event.lower().replace(":", "_") + "_samples"] for row in rows), samples)


class BadInput(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "bad.data")

    def put(self, data):
        with open(self.path, "wb") as f:
            f.write(data)

    def test_what_is_none_is_refused_in_one_line(self):
        for data, words in ((b"", "nothing in it"), (b"timestamp,cycles\n1,2\n", "not perf.data"),
                            (b"2ELIFREP" + struct.pack(">Q", 104) + bytes(100), "byte order"),
                            (b"PERFFILE" + bytes(100), "older than 3.2"),
                            (struct.pack("<8sQ", b"PERFILE2", 104), "cut off")):
            self.put(data)
            for arguments in (["report", self.path], ["serve", self.path, "--listen", "127.0.0.1:0"]):
                if arguments[0] == "serve" and data.startswith(b"time"):
                    continue  # it shows those
                done = run(*arguments)
                lines = [line for line in done.stderr.splitlines() if "listening" not in line]
                self.assertEqual((done.returncode, len(lines)), (1, 1), done.stderr)
                self.assertIn(words, lines[0])
        self.assertEqual(run("report", os.path.join(self.folder.name, "absent")).returncode, 1)
        self.assertEqual(run("report", self.folder.name).returncode, 1)
        self.assertEqual(run("report").returncode, 2)

    def test_what_is_not_built_yet_is_bad_usage(self):
        for name in ("folded", "speedscope"):
            done = run("report", str(FIXTURES / "sleep.data"), "--format", name)
            self.assertEqual(done.returncode, 2)
            self.assertIn("not built yet (no stacks)", done.stderr)

    def test_damage_anywhere_is_told_and_survived(self):
        random.seed(4)
        for name in SAMPLED:
            whole = (FIXTURES / name).read_bytes()[:40000]
            for _ in range(12):
                data = bytearray(whole[:random.randrange(len(whole))] if random.random() < 0.5 else whole)
                for _ in range(random.randrange(8) if data else 0):
                    data[random.randrange(len(data))] = random.randrange(256)
                self.put(bytes(data))
                done = run("report", self.path, "--format", "json")
                self.assertIn(done.returncode, (0, 1), (name, done.stderr))
                if done.returncode == 1:
                    self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                if done.stdout:
                    json.loads(done.stdout)


@unittest.skipUnless(perf_works(), "perf does not run here")
class PerfsOwn(unittest.TestCase):
    """What this machine's perf records: the numbers of report are perf's."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def record(self, *options, pipe=False):
        path = self.path("record.data")
        out = perf("record", "-o", "-" if pipe else path, *options)
        if pipe:
            with open(path, "wb") as f:
                f.write(out)
        return path

    def test_perf_record(self):
        for options in ((), ("-z",)):
            for pipe in (False, True):
                path = self.record(*options, "-a", "-g", "-F", "99", "-e", "cpu-clock,context-switches", "--", *busy(0.6),
                                   pipe=pipe)
                ours = sampled(path)
                self.assertEqual(ours, perf_sampled(path), (options, pipe))
                self.assertGreater(ours["cpu-clock"][0], 0)
                told = report(path, "--per-cpu")
                column = told["totals"]["columns"]["cpu_clock_samples"]
                self.assertEqual(sum(cpu["value"] for cpu in column["cpus"].values()), ours["cpu-clock"][0])
                self.assertEqual(told["recording"]["skipped_records"], 0)

    def test_perf_record_of_a_process_and_of_a_group(self):
        for options in (("-F", "500", "-e", "task-clock"), ("-c", "1000000", "-e", "task-clock"),
                        ("-e", "{cpu-clock,page-faults}:S"), ("-k", "CLOCK_MONOTONIC", "-e", "cpu-clock:u,task-clock")):
            path = self.record(*options, "--", *busy(0.4))
            self.assertEqual(sampled(path), perf_sampled(path), options)

    def test_samples_are_spread_over_their_time(self):
        told = report(self.record("-k", "CLOCK_MONOTONIC", "-a", "-F", "99", "-e", "cpu-clock", "--", *busy(1)))
        rows = told["samples"]
        self.assertGreater(len(rows), 8)
        stamps = [row["timestamp"] for row in rows]
        self.assertEqual(stamps, sorted(set(stamps)))
        self.assertTrue(told["recording"]["clock_known"])
        self.assertLess(abs(stamps[-1] / 1000 - time.time()), 60)
        self.assertEqual(sum(row["cpu_clock_samples"] for row in rows), told["recording"]["sampled"][0]["samples"])

    def test_perf_stat(self):
        for interval in ((), ("-I", "100")):
            for pipe in (False, True):
                path = self.path("stat.data")
                out = perf("stat", "record", *interval, "-a", "-e", "context-switches,page-faults,cpu-migrations", "-o",
                           "-" if pipe else path, "--", *busy(0.6))
                if pipe:
                    with open(path, "wb") as f:
                        f.write(out)
                columns = report(path)["totals"]["columns"]
                theirs = perf_counted(path)
                for name in ("context-switches", "page-faults", "cpu-migrations"):
                    self.assertEqual(columns[name.replace("-", "_")]["value"], theirs[name], (interval, pipe, name))

    def test_killed_it_is_read_to_its_last_record(self):
        path = self.path("killed.data")
        process = subprocess.Popen(["perf", "record", "-a", "-F", "999", "-e", "cpu-clock", "-o", path, "--", *busy(600)],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        def samples():
            told = run("report", path, "--format", "json").stdout if os.path.exists(path) else ""
            return json.loads(told)["recording"]["sampled"][0]["samples"] if told else 0
        try:
            before = wait_until(lambda: samples() > 100 and samples())
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        with open(path, "rb") as f:
            self.assertEqual(struct.unpack_from("<Q", f.read(104), 48)[0], 0, "it was finished")
        self.assertGreater(before, 100)
        self.assertGreaterEqual(samples(), before)

    def test_one_that_perf_is_writing_is_followed_to_its_end(self):
        path, end = self.path("growing.data"), self.path("end")
        with subprocess.Popen(["perf", "record", "-a", "-F", "999", "-e", "cpu-clock", "-o", path, "--",
                               "python3", "-c", BUSY_UNTIL, end],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                wait_until(lambda: os.path.exists(path) and os.path.getsize(path) > 2000)
                server = Running("serve", path, "--listen", "127.0.0.1:0")
                self.addCleanup(lambda: server.process.stderr.closed or server.stop())
                self.assertTrue(wait_until(lambda: server.get("/api/latest")[1]), "nothing arrived")
                self.assertIsNone(process.poll(), "it came only at the end")
            finally:
                with open(end, "w", encoding="ascii"):
                    pass
                process.wait(timeout=PATIENCE)
            with server:
                self.assertTrue(wait_until(lambda: server.get("/api/meta")[1]["input"]["state"] == "ended"), server.lines)
                meta = server.get("/api/meta")[1]
                self.assertNotIn("cannot be one", meta["input"]["reason"])
                shown = sum(row["cpu_clock_samples"] for row in server.get("/api/data")[1])
        self.assertEqual(shown, perf_sampled(path)["cpu-clock"][0])


class Ours(unittest.TestCase):
    """What collect records."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "run.data")

    def collect(self, *options):
        done = run("collect", "-o", self.path, "--csv", "none", "-I", "50ms", *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stderr.splitlines()

    def last_values(self):
        """{event: sum of the last cumulative values} that perf script prints."""
        last = {}
        for line in perf("script", "-i", self.path).decode().splitlines():
            found = re.match(r"\s*(-?\d+)\s+(-?\d+)\s+(\d+)\s+\d+\s+\d+\s+\d+\s+(\S+)$", line)
            if found:
                last[found[4], found[1], found[2]] = int(found[3])
        sums = collections.Counter()
        for (event, *_), value in last.items():
            sums[event] += value
        return sums

    def test_csv_and_json_say_the_same(self):
        said = self.collect("--duration", "600ms")
        told = report(self.path)
        self.assertEqual(told["recording"]["host"], os.uname().nodename)
        self.assertEqual(told["recording"]["interval_ms"], 50)
        self.assertEqual(told["totals"]["intervals"], len(told["samples"]))
        rows = list(csv.DictReader(io.StringIO(run("report", self.path, "--format", "csv").stdout)))
        self.assertEqual(len(rows), len(told["samples"]))
        check_intervals(self, len(rows), 12, said)
        for row, sample in zip(rows, told["samples"]):
            self.assertEqual(int(row["timestamp"]), sample["timestamp"])
            self.assertEqual(int(row["context_switches"]), sample["context_switches"])
            self.assertEqual(row["cpi"], "" if sample["cpi"] is None else str(sample["cpi"]))
        total = told["totals"]["columns"]["context_switches"]
        self.assertEqual(total["value"], sum(sample["context_switches"] for sample in told["samples"]))
        self.assertEqual(total["quality"], "exact")

    @unittest.skipUnless(perf_works(), "perf does not run here")
    def test_compressed_or_not_perf_script_has_the_same_counts(self):
        for options in ((), ("-z",)):
            self.collect(*options, "-e", "context-switches,page-faults,cpu-migrations", "--duration", "600ms")
            columns, theirs = report(self.path)["totals"]["columns"], self.last_values()
            for name in ("context-switches", "page-faults", "cpu-migrations"):
                self.assertEqual(columns[name.replace("-", "_")]["value"], theirs[name], (options, name))
            self.assertGreater(theirs["page-faults"], 0)

    def test_compressed_is_smaller_and_says_the_same(self):
        sizes = {}
        for options in ((), ("-z",)):
            bridge = self.path + ".csv"
            # So many that the head, which is not compressed, does not matter.
            with Running("collect", "-o", self.path, "--csv", bridge, "-I", "10ms", *options) as collector:
                wait_for_rows(bridge, 200)
                self.assertEqual(collector.stop(), 0, collector.lines)
            told = report(self.path)
            with open(bridge, encoding="ascii", newline="") as f:
                self.assertEqual([s["timestamp"] for s in told["samples"]], [int(row["timestamp"]) for row in csv.DictReader(f)])
            self.assertEqual(told["recording"]["skipped_records"], 0)
            self.assertIsNone(told["recording"]["trouble"])
            sizes[options] = os.path.getsize(self.path) / len(told["samples"])
            os.unlink(bridge)
        self.assertLess(sizes[("-z",)], sizes[()] / 2)

    def test_killed_it_is_readable_to_the_last_interval(self):
        for options in ([], ["-z"]):
            bridge = self.path + ".csv"
            with Running("collect", "-o", self.path, "--csv", bridge, "-I", "20ms", *options) as collector:
                wait_for_rows(bridge, 30)
                collector.stop(signal.SIGKILL)
            rows = report(self.path)["samples"]
            self.assertGreaterEqual(len(rows), 29)
            # The CSV has each interval first.
            with open(bridge, encoding="ascii", newline="") as f:
                times = [int(row["timestamp"]) for row in csv.DictReader(f)]
            self.assertLessEqual(len([t for t in times if t > rows[-1]["timestamp"]]), 1, options)
            os.unlink(self.path)
            os.unlink(bridge)

    def test_a_growing_one_is_shown_live_until_its_collector_ends(self):
        for options in ([], ["-z"]):
            with Running("collect", "-o", self.path, "--csv", "none", "-I", "50ms", *options) as collector:
                wait_until(lambda: os.path.exists(self.path) and os.path.getsize(self.path) > 10000)
                with Running("serve", self.path, "--listen", "127.0.0.1:0") as server:
                    first = wait_until(lambda: server.get("/api/latest")[1])
                    self.assertTrue(wait_until(lambda: server.get("/api/latest")[1]["sequence"] > first["sequence"] + 5))
                    self.assertEqual(server.get("/api/meta")[1]["input"]["state"], "live")
                    self.assertEqual(server.get("/api/data")[1][0]["sequence"], 1)
                    self.assertEqual(collector.stop(), 0)
                    self.assertTrue(wait_until(lambda: server.get("/api/meta")[1]["input"]["state"] == "ended"))
                    self.assertEqual(server.get("/api/meta")[1]["input"]["reason"], "the collector was stopped")
                    self.assertEqual(len(server.get("/api/data")[1]), len(report(self.path)["samples"]))
            os.unlink(self.path)

    def test_a_second_collector_leaves_it_alone(self):
        with Running("collect", "-o", self.path, "--csv", "none", "-I", "50ms") as collector:
            self.assertTrue(wait_until(lambda: os.path.exists(self.path) and os.path.getsize(self.path) > 10000))
            second = run("collect", "-o", self.path, "--csv", "none", "--duration", "100ms")
            self.assertEqual(second.returncode, 1, second.stderr)
            self.assertIn("is being written by another collector", second.stderr)
            size = os.path.getsize(self.path)
            self.assertGreater(size, 10000)
            self.assertTrue(wait_until(lambda: os.path.getsize(self.path) > size + 5000))
            self.assertEqual(collector.stop(), 0)
        self.assertTrue(report(self.path)["samples"])
        # Once it has ended it may be written again.
        self.assertEqual(run("collect", "-o", self.path, "--csv", "none", "--duration", "100ms").returncode, 0)

    def test_one_that_is_killed_has_ended(self):
        with Running("collect", "-o", self.path, "--csv", "none", "-I", "50ms") as collector:
            wait_until(lambda: os.path.exists(self.path) and os.path.getsize(self.path) > 10000)
            with Running("serve", self.path, "--listen", "127.0.0.1:0") as server:
                self.assertTrue(wait_until(lambda: server.get("/api/latest")[1]))
                collector.stop(signal.SIGKILL)
                self.assertTrue(wait_until(lambda: server.get("/api/meta")[1]["input"]["state"] == "ended"))

    def test_one_that_is_cut_short_or_replaced_is_told_in_one_line(self):
        for harm, words in ((lambda: os.truncate(self.path, 100), "cut short"),
                            (lambda: os.rename(other, self.path), "replaced or removed")):
            other = self.path + ".other"
            with open(other, "wb") as f:
                f.write(b"something else")
            with Running("collect", "-o", self.path, "--csv", "none", "-I", "50ms") as collector:
                wait_until(lambda: os.path.exists(self.path) and os.path.getsize(self.path) > 10000)
                with Running("serve", self.path, "--listen", "127.0.0.1:0") as server:
                    self.assertTrue(wait_until(lambda: server.get("/api/latest")[1]))
                    os.kill(collector.process.pid, signal.SIGSTOP)
                    harm()
                    collector.stop(signal.SIGKILL)
                    self.assertTrue(server.said(words), server.lines)
                    self.assertEqual(len([line for line in server.lines if "listening" not in line]), 1)
                    self.assertTrue(server.get("/api/data")[1])
            os.unlink(self.path)

    def test_a_signal_is_seen_while_a_hostile_recording_is_read(self):
        def record(kind, body):
            return struct.pack("<IHH", kind, 0, 8 + len(body)) + body

        path = pathlib.Path(self.path)
        attrs = (struct.pack("<IIQQQQQ", 1, 128, 9, 0, 0, 3, 1).ljust(128, b"\0") + struct.pack("<Q", n + 1) for n in range(400))
        path.write_bytes(struct.pack("<8sQ", b"PERFILE2", 16) + b"".join(record(64, attr) for attr in attrs)
                         + record(74, struct.pack("<HBBHH", 2, 0, 0, 0, 511)) + record(75, struct.pack("<QQQQQ", 2, 0, 1, 1, 100))
                         # Each of a few bytes is a row of 400 events in 512 CPUs: all of them take ten minutes.
                         + b"".join(record(77, struct.pack("<QQ", 0, (n + 1) * 10 ** 8)) for n in range(40000)))
        with Running("serve", self.path, "--listen", "127.0.0.1:0", "--memory", "128MiB") as server:
            self.assertTrue(wait_until(lambda: server.get("/healthz")[0] == 200), server.lines)
            self.assertEqual(server.stop(), 0, server.lines)


if __name__ == "__main__":
    unittest.main()
