# SPDX-License-Identifier: Apache-2.0
"""Collector and server together: starting, outliving each other, stalling, ending."""

import csv
import os
import signal
import subprocess
import tempfile
import time
import unittest

from program import PATIENCE, PROGRAM, Running, check_intervals, gone, run, wait_until


def rows_of(path):
    with open(path, encoding="ascii", newline="") as f:
        return list(csv.DictReader(f))


class Together(unittest.TestCase):
    def start(self, *arguments):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.csv = os.path.join(folder.name, "x.csv")
        running = Running("--listen", "127.0.0.1:0", "--csv", self.csv, *arguments)
        self.addCleanup(lambda: running.process.stderr.closed or running.stop())
        return running

    def test_values_within_a_second_of_listening(self):
        r = self.start()
        port = r.port()
        self.assertTrue(wait_until(lambda: "timestamp" in r.get("/api/latest", port)[1]))

    def test_the_api_and_the_csv_say_the_same(self):
        r = self.start()
        port = r.port()
        self.assertTrue(wait_until(lambda: r.get("/api/latest", port)[1].get("sequence", 0) > 12))
        samples = {s["timestamp"]: s for s in r.get("/api/data", port)[1]}
        matched = 0
        for row in rows_of(self.csv):
            sample = samples.get(int(row["timestamp"]))
            if not sample:
                continue
            matched += 1
            for column in ("cycles", "context_switches", "minor_faults", "cpi"):
                self.assertEqual(row[column], "" if sample[column] is None else
                                 str(sample[column]), (column, row["timestamp"]))
        self.assertGreater(matched, 8)

    def test_a_server_that_is_killed_is_started_again(self):
        r = self.start()
        port = r.port()
        self.assertTrue(wait_until(lambda: r.get("/api/latest", port)[1].get("sequence", 0) > 3))
        first = r.child()
        rows = len(rows_of(self.csv))
        before = r.get("/api/latest", port)[1]["timestamp"]
        os.kill(first, signal.SIGKILL)
        self.assertTrue(r.said("starting it again"), r.lines)
        listening = lambda: [line for line in list(r.lines) if "listening" in line]
        self.assertTrue(wait_until(lambda: len(listening()) == 2))
        self.assertNotEqual(r.child(), first)
        second = int(listening()[-1].rsplit(":", 1)[1].strip("/"))
        self.assertEqual(second, port)
        self.assertTrue(wait_until(lambda: r.get("/api/latest", second)[1].get("sequence", 0) > 3))
        # The first interval after the restart is one interval, not all that was counted since the start: the reading that it
        # counts from comes after what the first server had. (A reading is up to an interval after its point of the grid.)
        samples = r.get("/api/data", second)[1]
        self.assertGreater(samples[0]["timestamp"] - 1000 * samples[0]["seconds"], before - 200, samples[0])
        self.assertLessEqual(sum(s["cpu_user"] or 0 for s in samples),
                             (sum(s["seconds"] for s in samples) + 0.2) * 1e9 * os.cpu_count(), samples)
        self.assertGreater(len(rows_of(self.csv)), rows)
        times = [int(row["timestamp"]) for row in rows_of(self.csv)]
        self.assertEqual(times, sorted(set(times)))

    def test_a_server_outlives_its_collector(self):
        r = self.start()
        port = r.port()
        self.assertTrue(wait_until(lambda: r.get("/api/latest", port)[1].get("sequence", 0) > 3))
        server = r.child()
        try:
            r.process.kill()
            r.process.wait(timeout=PATIENCE)
            self.assertTrue(wait_until(lambda: r.ended(port)))
            self.assertIn("ended", r.get("/healthz", port)[1]["reason"])
            self.assertGreater(len(r.get("/api/data", port)[1]), 3)
        finally:
            os.kill(server, signal.SIGTERM)
        self.assertTrue(wait_until(lambda: gone(server)))

    def test_a_stopped_server_delays_no_tick(self):
        r = self.start("-I", "10ms")
        port = r.port()
        self.assertTrue(wait_until(lambda: r.get("/api/latest", port)[1].get("sequence", 0) > 10))
        server = r.child()
        os.kill(server, signal.SIGSTOP)
        try:
            before = len(rows_of(self.csv))
            # Far more than the pipe holds.
            self.assertTrue(wait_until(lambda: len(rows_of(self.csv)) > before + 150))
        finally:
            os.kill(server, signal.SIGCONT)
        # It catches up with what was queued.
        newest = int(rows_of(self.csv)[-1]["timestamp"])
        self.assertTrue(wait_until(lambda: r.get("/api/latest", port)[1]["timestamp"] >= newest))

    def test_ctrl_c_ends_both(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            r = self.start()
            r.port()
            server = r.child()
            self.assertEqual(r.stop(number), 0)
            self.assertTrue(gone(server))

    def test_a_server_that_ends_on_request_ends_the_collector(self):
        r = self.start()
        r.port()
        os.kill(r.child(), signal.SIGTERM)
        self.assertEqual(r.process.wait(timeout=PATIENCE), 0)

    def test_a_taken_port_is_said_in_one_line(self):
        r = self.start()
        done = run("--listen", f"127.0.0.1:{r.port()}", "--csv", "none")
        self.assertEqual(done.returncode, 1)
        said = [line for line in done.stderr.splitlines() if "taken" in line]
        self.assertEqual(len(said), 1, done.stderr)
        self.assertIn("--listen", said[0])

    def test_the_history_of_an_ended_process_stays(self):
        with subprocess.Popen(["sleep", "60"]) as p:
            r = self.start("-p", str(p.pid))
            port = r.port()
            self.assertTrue(wait_until(lambda: r.get("/api/latest", port)[1].get("sequence", 0) > 3))
            p.terminate()
            p.wait(timeout=PATIENCE)
        self.assertTrue(wait_until(lambda: r.ended(port)))
        meta = r.get("/api/meta", port)[1]
        self.assertEqual(meta["target"]["kind"], "process")
        self.assertEqual(meta["input"]["state"], "ended")
        self.assertIn("has ended", meta["input"]["reason"])
        self.assertIsNone(r.process.poll())
        self.assertEqual(r.stop(signal.SIGTERM), 0)

    def test_duration_ends_everything(self):
        done = run("--listen", "127.0.0.1:0", "--csv", "none", "--duration", "500ms")
        self.assertEqual(done.returncode, 0, done.stderr)


class Serve(unittest.TestCase):
    def serve(self, data):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "x.data")
        with open(path, "wb") as f:
            f.write(data)
        running = Running("serve", path, "--listen", "127.0.0.1:0")
        self.addCleanup(lambda: running.process.stderr.closed or running.stop())
        return running

    def recording(self):
        """A recording, and how many intervals are in it."""
        with tempfile.NamedTemporaryFile() as f:
            done = subprocess.run([PROGRAM, "collect", "-o", "-", "--csv", f.name, "--duration", "500ms"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE,
                                  check=True)
            n = len(rows_of(f.name))
        check_intervals(self, n, 5, done.stderr.decode().splitlines())
        return done.stdout, n

    def shown(self, r):
        """How many intervals there are once all of it was read."""
        port = r.port()
        self.assertTrue(wait_until(lambda: r.get("/api/meta", port)[1]["input"]["state"] in ("failed", "ended")), r.lines)
        return len(r.get("/api/data", port)[1])

    def test_a_recording(self):
        data, most = self.recording()
        r = self.serve(data)
        self.assertEqual(self.shown(r), most)
        self.assertEqual(r.get("/api/meta")[1]["input"]["kind"], "recording")

    def test_a_recording_that_was_cut(self):
        data, most = self.recording()
        r = self.serve(data[:-20])
        self.assertIn(self.shown(r), (most - 1, most))
        self.assertTrue(r.said("cut off"), r.lines)

    def test_garbage_is_one_line_and_exit_1(self):
        for data in (b"hello, world\n" * 100, b"", b"PERFILE2" + bytes(1000), os.urandom(4096)):
            with self.subTest(data=data[:20]):
                r = self.serve(data)
                self.assertEqual(r.process.wait(timeout=PATIENCE), 1)
                r.reader.join(timeout=PATIENCE)
                said = [line for line in r.lines if "listening" not in line]
                self.assertEqual(len(said), 1, r.lines)

    def test_garbage_in_the_middle_keeps_what_came_before(self):
        data, most = self.recording()
        r = self.serve(data + os.urandom(4096))
        self.assertGreaterEqual(self.shown(r), most)


if __name__ == "__main__":
    unittest.main()
