# SPDX-License-Identifier: Apache-2.0
"""/api/span: statistics of a CSV whose values are known, against Python's own, and of a stored history, against SQL."""

import os
import random
import sqlite3
import statistics
import tempfile
import time
import unittest

from program import Running, wait_until
from server_process import Server

ROWS = 19800  # two intervals a bucket


def correlation(pairs):
    a, b = [p[0] for p in pairs], [p[1] for p in pairs]
    return statistics.covariance(a, b) / statistics.stdev(a) / statistics.stdev(b)


class Span(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        os.chmod(folder.name, 0o755)
        path = os.path.join(folder.name, "x.csv")
        chance = random.Random(1)
        cls.start = int(time.time()) * 1000 - 100 * ROWS + 100  # buckets of 200 ms begin at whole ones
        cls.rows = []
        with open(path, "w", encoding="ascii") as f:
            f.write("timestamp,cycles,instructions,faults,cycles_running,instructions_running,level\n")
            for k in range(ROWS):
                cycles = chance.randrange(1000, 100000)
                r = (cls.start + 100 * k, cycles, 2 * cycles + chance.randrange(50000), "" if k % 7 == 3 else k, 50 if k < 100 else 100, 100,
                     0.25 * k)
                cls.rows.append(r)
                f.write(",".join(map(str, r)) + "\n")
        cls.server = Running("serve", path, "--listen", "127.0.0.1:0")
        cls.addClassCleanup(cls.server.stop)
        cls.port = cls.server.port()
        wait_until(lambda: cls.server.get("/api/meta", cls.port)[1]["rows"] == ROWS)

    def get(self, query, status=200):
        got, body = self.server.get("/api/span?" + query, self.port)
        self.assertEqual(got, status, body)
        return body

    def column(self, index, first, last):
        return [r[index] for r in self.rows[first:last + 1] if r[index] != ""]

    def between(self, first, last):
        return f"from={self.start + 100 * first}&to={self.start + 100 * last}"

    def near(self, value, expected):
        self.assertAlmostEqual(value / expected, 1, delta=6e-6)  # six significant digits

    def test_a_span_of_single_intervals(self):
        s = self.get(self.between(200, 1199) + "&columns=cycles,faults,cpi")
        self.assertEqual((s["from"], s["to"]), (self.start + 100 * 199, self.start + 100 * 1199))
        self.assertEqual((s["buckets"], s["missing"], s["resolution_ms"]), (1000, 0, 100))
        self.near(s["seconds"], 100)
        values = self.column(1, 200, 1199)
        c = s["columns"]["cycles"]
        self.assertEqual((c["n"], c["sum"], c["min"], c["max"]), (1000, sum(values), min(values), max(values)))
        self.assertEqual((c["first"], c["last"], c["running"]), (values[0], values[-1], 100))
        self.near(c["mean"], statistics.mean(values))
        self.near(c["stddev"], statistics.stdev(values))
        cuts = statistics.quantiles(values, n=100, method="inclusive")
        for name, at in (("p50", 50), ("p95", 95), ("p99", 99)):
            self.near(c[name], cuts[at - 1])
        batches = [statistics.mean(values[i * 50:i * 50 + 50]) for i in range(20)]
        self.near(c["stderr"], statistics.stdev(batches) / 20 ** 0.5)
        self.assertEqual(c["batches"], 20)
        m = s["columns"]["cpi"]
        self.assertIsNone(m["sum"])
        self.near(m["mean"], sum(values) / sum(self.column(2, 200, 1199)))
        faults = self.column(3, 200, 1199)
        f = s["columns"]["faults"]
        self.assertEqual((f["n"], f["sum"]), (len(faults), sum(faults)))
        self.near(f["mean"], statistics.mean(faults))

    def test_correlations_of_what_is_there_in_pairs(self):
        s = self.get(self.between(200, 1199) + "&columns=cycles,instructions,faults,branch_misses")["correlation"]
        self.assertEqual(s["columns"], ["cycles", "instructions", "faults", "branch_misses"])
        part = self.rows[200:1200]
        self.near(s["r"][0][1], correlation([(r[1], r[2]) for r in part]))
        self.near(s["r"][0][2], correlation([(r[1], r[3]) for r in part if r[3] != ""]))
        self.assertEqual(s["r"][0][2], s["r"][2][0])
        self.assertEqual(s["n"][0][:2], [1000, 1000])
        self.assertEqual(s["n"][0][2], len([r for r in part if r[3] != ""]))
        self.assertEqual([s["r"][i][i] for i in range(3)], [1, 1, 1])
        self.assertEqual((s["r"][0][3], s["r"][3][3], s["n"][3][3]), (None, None, 0))

    def test_a_long_span_comes_in_buckets(self):
        s = self.get("columns=cycles,faults,level")
        self.assertEqual((s["buckets"], s["resolution_ms"], s["missing"]), (ROWS // 2, 200, 0))
        values = self.column(1, 0, ROWS - 1)
        c = s["columns"]["cycles"]
        means = [(a + b) / 2 for a, b in zip(values[::2], values[1::2])]
        self.assertEqual(c["n"], ROWS // 2)
        # A hundred rows ran half of the time: the span's raw sum, scaled by the span's times.
        raw = sum(values[100:]) + sum(values[:100]) / 2
        self.near(c["sum"], raw * ROWS / (ROWS - 50))
        self.near(c["mean"], c["sum"] / ROWS)
        self.near(c["running"], 100 * (ROWS - 50) / ROWS)
        self.near(c["max"], max(means))
        # The means of what is there: a bucket with one value of two has one.
        faults = [[v for v in (a[3], b[3]) if v != ""] for a, b in zip(self.rows[::2], self.rows[1::2])]
        self.assertEqual(s["columns"]["faults"]["n"], sum(1 for f in faults if f))
        self.near(s["columns"]["faults"]["last"], statistics.mean(faults[-1]))
        self.near(s["columns"]["level"]["p50"], statistics.median(0.25 * (k + 0.5) for k in range(0, ROWS, 2)))

    def test_a_span_of_nothing(self):
        s = self.get("from=1000&to=2000&columns=cycles")
        self.assertEqual((s["from"], s["to"], s["buckets"], s["seconds"]), (None, None, 0, 0))
        self.assertEqual(s["columns"]["cycles"]["n"], 0)
        self.assertIsNone(s["columns"]["cycles"]["mean"])
        self.assertIsNone(s["columns"]["cycles"]["batches"])
        self.assertEqual(s["correlation"], {"columns": ["cycles"], "r": [[None]], "n": [[0]]})

    def test_bad_parameters(self):
        for query in ("columns=nonsense", "columns=", "from=x", "from=3&to=2", "cpu=0", "cpu=x"):
            self.assertEqual(self.get(query, 400)["error"]["code"], "bad_parameter")

    def test_all_columns_are_few_enough(self):
        s = self.get(self.between(0, 9))
        self.assertIn("cpi", s["columns"])
        self.assertEqual(len(s["correlation"]["r"]), len(s["columns"]))
        self.assertIsNone(s["columns"]["cycles"]["stderr"])
        self.assertIsNone(s["columns"]["cycles"]["batches"])


class StoredSpan(unittest.TestCase):
    """Of a history on disk, whose older run is in no ring: against SQL."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.chmod(folder.name, 0o777)  # the server is not root
        self.path = os.path.join(folder.name, "history.db")

    def sql(self, text, *values):
        db = sqlite3.connect(f"file:{self.path}?mode=rw", uri=True)
        try:
            return db.execute(text, values).fetchall()
        except sqlite3.OperationalError:  # not there yet
            return [(0,)]
        finally:
            db.close()

    def serve(self, interval):
        return Server("--history", self.path, interval=interval)

    def grow(self, server, n):
        rows = self.sql("SELECT count(*) FROM samples")[0][0]
        self.assertTrue(wait_until(lambda: self.sql("SELECT count(*) FROM samples")[0][0] > rows + n), server.lines)

    def check(self, s):
        """A span's whole against the intervals that it says it covers."""
        n, total, seconds, runs = self.sql(
            "SELECT count(*), sum(context_switches), sum(seconds), count(DISTINCT run) FROM samples "
            "WHERE time > ? AND time <= ?", s["from"], s["to"])[0]
        c = s["columns"]["context_switches"]
        self.assertEqual(c["sum"], total)
        self.assertAlmostEqual(c["mean"] / (total / n), 1, delta=6e-6)
        self.assertAlmostEqual(s["seconds"] / seconds, 1, delta=1e-5)
        self.assertEqual(c["running"], 100)
        return n, runs

    def test_a_span_over_a_restart(self):
        with self.serve("10ms") as server:
            self.grow(server, 250)
        first, last = self.sql("SELECT min(time), max(time) FROM samples")[0]
        time.sleep(0.5)
        with self.serve("10ms") as server:
            self.grow(server, 150)
            newest = self.sql("SELECT max(time) FROM samples")[0][0]
            between = f"/api/span?from={first}&to={newest}&columns=context_switches,cpu_use"
            single = server.json(between)
            old = server.json(f"/api/span?from={first}&to={last}&columns=context_switches")
            # Up to what comes while it is asked for: the newest bucket is not complete yet.
            coarse = server.json(f"/api/span?from={first}&to={newest + 60000}&columns=context_switches&points=20")
            self.grow(server, 100)
        n, runs = self.check(single)
        self.assertEqual((single["buckets"], single["to"], runs), (n, newest, 2))
        values = [v for v, in self.sql("SELECT context_switches FROM samples WHERE time >= ? AND time <= ? ORDER BY id", first, newest)]
        c = single["columns"]["context_switches"]
        self.assertEqual((c["n"], c["min"], c["max"], c["first"], c["last"]), (n, min(values), max(values), values[0], values[-1]))
        self.assertAlmostEqual(c["stddev"] / statistics.stdev(values), 1, delta=6e-6)
        self.assertGreaterEqual(single["missing"], 40)  # half a second without a server
        self.assertEqual((self.check(old)[1], old["to"]), (1, last))
        # From a tier, in whole buckets of it.
        self.assertGreaterEqual(coarse["resolution_ms"], 100)
        self.assertLessEqual(coarse["buckets"], 20)
        self.assertEqual(self.check(coarse)[1], 2)

    def test_runs_with_other_intervals_are_weighed(self):
        with self.serve("20ms") as server:
            self.grow(server, 60)
        with self.serve("10ms") as server:
            self.grow(server, 150)
            first, newest = self.sql("SELECT min(time), max(time) FROM samples")[0]
            s = server.json(f"/api/span?from={first}&to={newest}&columns=context_switches")
        self.assertEqual(self.check(s)[1], 2)


if __name__ == "__main__":
    unittest.main()
