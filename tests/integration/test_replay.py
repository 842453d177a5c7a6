# SPDX-License-Identifier: Apache-2.0
"""Streams of machines that are not here, whose totals are known: the server says exactly those."""

import json
import os
import subprocess
import tempfile
import unittest

from program import PATIENCE, PROGRAM, Running, wait_until
from server_process import EventStream

REPLAY = os.path.join(os.path.dirname(PROGRAM), "bench/bench-replay")


class Replay(unittest.TestCase):
    def replay(self, *options, memory="1GiB"):
        """Serves such a stream to its end. Leaves its totals in self.totals."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        stream, totals = os.path.join(folder.name, "x.data"), os.path.join(folder.name, "totals.json")
        with open(stream, "wb") as f:
            subprocess.run([REPLAY, *options, "--totals", totals], stdout=f, check=True, timeout=PATIENCE)
        with open(totals, encoding="ascii") as f:
            self.totals = json.load(f)
        self.server = Running("serve", stream, "--listen", "127.0.0.1:0", "--memory", memory)
        self.addCleanup(lambda: self.server.process.stderr.closed or self.server.stop())
        self.port = self.server.port()
        self.assertTrue(wait_until(lambda: self.get("/api/meta")["input"]["state"] == "ended"), self.server.lines)
        self.meta = self.get("/api/meta")

    def get(self, path):
        status, body = self.server.get(path, self.port)
        self.assertEqual(status, 200, body)
        return body

    def sums(self, cpu=None):
        span = self.get("/api/span?columns=" + ",".join(self.totals["events"]) + (f"&cpu={cpu}" if cpu is not None else ""))
        return {name: column["sum"] for name, column in span["columns"].items()}

    def near(self, sums, expected):
        self.assertEqual(set(sums), set(expected))
        for name, value in expected.items():
            # Times are kept as floats: 6e-8 of an interval.
            self.assertAlmostEqual(sums[name] / value, 1, delta=1e-6, msg=name)

    def test_a_small_memory_holds_the_tiers_of_a_large_machine(self):
        """Room is made for the buckets that come, however large they are: nothing is paused."""
        with subprocess.Popen([REPLAY, "--cpus", "512", "--events", "12", "--hz", "10", "--seconds", "200", "--speed", "max"],
                              stdout=subprocess.PIPE) as stream:
            with Running("serve", "-", "--history", "none", "--memory", "4MiB", "--listen", "127.0.0.1:0", stdin=stream.stdout) as server:
                self.assertTrue(server.said("has ended"))
                meta = server.get("/api/meta")[1]
                self.assertNotEqual(meta["history"]["state"], "failed", server.lines)
                self.assertFalse([line for line in server.lines if "paused" in line])

    def test_what_was_counted_all_the_time_is_exact(self):
        self.replay("--cpus", "4", "--events", "13", "--hz", "10", "--seconds", "120")
        self.assertEqual((self.meta["rows"], self.meta["cpus"]["possible"], self.meta["interval_ms"]), (1200, 4, 100))
        self.assertEqual(self.sums(), {name: e["sum"] for name, e in self.totals["events"].items()})
        for cpu in range(4):
            self.assertEqual(self.sums(cpu), {name: e["cpus"][cpu] for name, e in self.totals["events"].items()})
        samples = self.get("/api/data?columns=cycles,instructions")
        self.assertEqual(sum(s["cycles"] for s in samples), self.totals["events"]["cycles"]["sum"])
        coarse = self.get("/api/data?columns=cycles&points=100")
        self.assertLessEqual(len(coarse), 100)
        self.assertEqual(sum(s["cycles"] for s in coarse), self.totals["events"]["cycles"]["sum"])
        self.assertTrue(all("quality" not in s for s in samples))
        span = self.get("/api/span?columns=ipc")["columns"]["ipc"]
        self.assertAlmostEqual(span["mean"], self.totals["events"]["instructions"]["sum"] / self.totals["events"]["cycles"]["sum"],
                               delta=1e-5)

    def test_multiplexed_with_a_cpu_that_leaves_a_pause_and_missed_ticks(self):
        self.replay("--cpus", "4", "--events", "12", "--hz", "10", "--seconds", "60", "--counters", "4", "--hotplug", "--missed", "7",
                    "--gap", "30")
        self.assertEqual(self.meta["rows"], self.totals["rounds"])
        self.near(self.sums(), {name: e["sum"] for name, e in self.totals["events"].items()})
        for cpu in (0, 3):
            self.near(self.sums(cpu), {name: e["cpus"][cpu] for name, e in self.totals["events"].items()})
        span = self.get("/api/span?columns=cycles")
        self.assertAlmostEqual(span["seconds"], 90, delta=0.01)
        self.assertEqual(span["columns"]["cycles"]["running"], 33.3333)
        self.assertEqual(span["buckets"], self.totals["rounds"])
        # Missed ticks, and the pause, are buckets that are not there.
        self.assertEqual(span["missing"], 900 - self.totals["rounds"])
        away = self.get("/api/span?columns=cycles&cpu=3")["columns"]["cycles"]["n"]
        self.assertLess(away, self.totals["rounds"] - 150)
        offline = [s for s in self.get("/api/data?columns=cycles&cpu=3") if s["cycles"] is None]
        self.assertEqual({s["quality"]["cycles"] for s in offline}, {"offline"})
        self.assertEqual(len(offline), self.totals["rounds"] - away)

    def test_512_cpus_stay_within_bounds(self):
        self.replay("--cpus", "512", "--events", "12", "--hz", "10", "--seconds", "20", memory="8MiB")
        # Memory bounds the rows: 512 CPUs and the total, 12 values with their times each.
        self.assertLessEqual(self.meta["rows"] * (16 + 513 * 12 * (8 + 8)), 8 << 20)
        self.assertGreater(self.meta["rows"], 80)
        latest = [self.get(f"/api/latest?columns=cycles&cpu={cpu}")["cycles"] for cpu in range(0, 512, 64)]
        self.assertEqual(len(set(latest)), 8)
        self.assertEqual(self.server.get("/api/latest?cpu=512", self.port)[0], 400)
        first = self.meta["run"] + ".100"
        with EventStream(self, f"/api/stream?cpu=all&last={first}") as stream:
            events = (e for e in stream if e[0] == "sample")
            samples = []
            while len(samples) < 100:
                _, _, data = next(events)
                # One of these is beyond what an event may hold, so none has two.
                self.assertEqual(len(data), 1)
                self.assertEqual(len(data[0]["cpus"]), 512)
                samples += data
        self.assertEqual([s["sequence"] for s in samples], list(range(101, 201)))
        for s in samples[::20]:
            self.assertEqual(sum(c["cycles"] for c in s["cpus"].values()), s["cycles"])


if __name__ == "__main__":
    unittest.main()
