# SPDX-License-Identifier: Apache-2.0
"""`serve` on a CSV: the bridge's, and files of other people's programs that are appended to, replaced and emptied."""

import csv
import os
import re
import signal
import tempfile
import time
import unittest

from program import PROGRAM, Running, gone, run, wait_until

HEADER = "timestamp,cycles,instructions,temperature\n"


def row(k, start):
    return f"{start + 100 * k},{1000 + k},{500},{40.5 + k}\n"


class Following(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        # A server of root's becomes another user, who must still be able to come here.
        os.chmod(folder.name, 0o755)
        self.folder = folder.name
        self.path = os.path.join(self.folder, "x.csv")
        self.start = int(time.time()) * 1000 - 5000

    def serve(self, *options):
        r = Running("serve", self.path, "--listen", "127.0.0.1:0", *options)
        self.addCleanup(lambda: r.process.stderr.closed or r.stop())
        self.port = r.port()
        return r

    def write(self, text, mode="a", path=None):
        with open(path or self.path, mode, encoding="ascii") as f:
            f.write(text)

    def rows(self, r):
        return [(s["timestamp"], s["cycles"]) for s in r.get("/api/data?columns=cycles", self.port)[1]]

    def has(self, r, numbers):
        """It shows exactly the rows of these numbers."""
        wanted = [(self.start + 100 * k, 1000 + k) for k in numbers]
        self.assertTrue(wait_until(lambda: self.rows(r) == wanted), (self.rows(r), r.lines))

    def state(self, r):
        return r.get("/api/meta", self.port)[1]["input"]

    def test_rows_that_are_appended_also_in_halves(self):
        self.write(HEADER + row(1, self.start) + row(2, self.start))
        r = self.serve()
        self.has(r, [1, 2])
        half = row(3, self.start)
        self.write(half[:17])
        time.sleep(0.2)
        self.has(r, [1, 2])
        self.write(half[17:] + row(4, self.start))
        self.has(r, [1, 2, 3, 4])
        latest = r.get("/api/latest", self.port)[1]
        self.assertEqual(latest["temperature"], 44.5)
        self.assertEqual(latest["cpi"], 2.008)
        self.assertIsNone(latest["cache_misses"])
        self.assertEqual(self.state(r)["kind"], "csv")
        self.assertEqual(r.get("/api/meta", self.port)[1]["interval_ms"], 100)

    def test_a_file_that_is_replaced(self):
        self.write(HEADER + "".join(row(k, self.start) for k in range(1, 9)))
        r = self.serve()
        self.has(r, range(1, 9))
        run_id = r.get("/api/meta", self.port)[1]["run"]
        other = self.path + ".new"
        for first in (5, 8, 12):
            # The ring's way: the newer rows again, and later ones.
            self.write(HEADER + "".join(row(k, self.start) for k in range(first, first + 6)), "w", other)
            os.rename(other, self.path)
            self.has(r, range(1, first + 6))
        self.write(row(18, self.start))
        self.has(r, range(1, 19))
        self.assertEqual(r.get("/api/meta", self.port)[1]["run"], run_id)

    def test_a_file_that_is_emptied_and_written_anew(self):
        self.write(HEADER + "".join(row(k, self.start) for k in range(1, 9)))
        r = self.serve()
        self.has(r, range(1, 9))
        self.write(HEADER, "w")
        time.sleep(0.2)
        self.write(row(9, self.start))
        self.has(r, range(1, 10))
        # At once, and longer than before: its size tells nothing.
        self.write(HEADER + "".join(row(k, self.start) for k in range(10, 40)), "w")
        self.has(r, range(1, 40))

    def test_other_columns_are_another_run(self):
        self.write(HEADER + row(1, self.start) + row(2, self.start))
        r = self.serve()
        self.has(r, [1, 2])
        self.write("fan,timestamp\n" + "".join(f"{k},{self.start + 100 * k}\n" for k in (3, 4)))
        self.assertTrue(wait_until(lambda: [s.get("fan") for s in r.get("/api/data", self.port)[1]] == [3, 4]))

    def test_silence_is_told_and_ends(self):
        self.write(HEADER + row(1, self.start) + row(2, self.start))
        r = self.serve()
        self.assertTrue(wait_until(lambda: self.state(r)["state"] == "ended"))
        self.assertRegex(self.state(r)["reason"], r"^no row for more than \d+ s$")
        status, health = r.get("/healthz", self.port)
        self.assertEqual((status, health["status"]), (503, "ended"))
        # One of them is seen before a busy machine lets it grow old.
        rows = iter(range(3, 1 << 20))
        self.assertTrue(wait_until(lambda: (self.write(row(next(rows), self.start)), self.state(r)["state"] == "live")[1]))

    def test_garbage_in_its_place_and_a_csv_again(self):
        self.write(HEADER + row(1, self.start) + row(2, self.start))
        r = self.serve()
        self.has(r, [1, 2])
        with open(self.path + ".new", "wb") as f:
            f.write(os.urandom(100000))
        os.rename(self.path + ".new", self.path)
        self.assertTrue(r.said("what came before stays on the page"), r.lines)
        self.assertEqual(self.state(r)["state"], "failed")
        self.write(HEADER + row(3, self.start), "w", self.path + ".new")
        os.rename(self.path + ".new", self.path)
        self.has(r, [1, 2, 3])
        # Garbage in the same file, and then a CSV that is longer than it was.
        self.write("no,csv\n", "w")
        self.assertTrue(wait_until(lambda: self.state(r)["state"] == "failed"))
        self.write(HEADER + row(4, self.start), "w")
        self.has(r, [1, 2, 3, 4])
        self.assertIn(self.state(r)["state"], ("live", "ended"))  # it has ended again where nothing came for a while

    def test_what_cannot_be_read_is_waited_out(self):
        self.write(HEADER + row(1, self.start) + row(2, self.start))
        r = self.serve()
        self.has(r, [1, 2])
        os.unlink(self.path)
        os.mkfifo(self.path)
        self.assertTrue(r.said("is not a regular file"), r.lines)
        os.unlink(self.path)
        self.write(HEADER + row(3, self.start))
        self.has(r, [1, 2, 3])
        self.assertEqual(sum("regular" in line for line in r.lines), 1)

    def keep_from_the_server(self, path=None):
        """A file that only its owner, root, may read, in root's own folder."""
        os.chmod(path or self.path, 0o600)
        os.chmod(self.folder, 0o700)

    @unittest.skipUnless(os.geteuid() == 0, "only a server of root's becomes another user")
    def test_what_only_root_may_read(self):
        self.write(HEADER + row(1, self.start) + row(2, self.start))
        self.keep_from_the_server()
        r = self.serve()
        self.has(r, [1, 2])
        self.write(row(3, self.start))
        self.has(r, [1, 2, 3])
        self.write(HEADER + "".join(row(k, self.start) for k in range(4, 20)), "w")
        self.has(r, range(1, 20))
        new = self.path + ".new"
        for first in (20, 30):
            self.write(HEADER + "".join(row(k, self.start) for k in range(first, first + 10)), "w", new)
            self.keep_from_the_server(new)
            os.rename(new, self.path)
            self.has(r, range(1, first + 10))
        self.assertEqual([line for line in r.lines if "listening" not in line], [])

    @unittest.skipUnless(os.geteuid() == 0, "only a server of root's becomes another user")
    def test_who_opens_for_the_server_may_be_late(self):
        """Later than it is waited for, as on a machine that stands still for some seconds: the file comes all the same."""
        self.write(HEADER + row(1, self.start) + row(2, self.start))
        self.keep_from_the_server()
        r = self.serve()
        self.has(r, [1, 2])
        door, new = r.child(), self.path + ".new"
        for k in (2, 3):
            os.kill(door, signal.SIGSTOP)
            try:
                self.write(HEADER + row(k, self.start), "w", new)
                self.keep_from_the_server(new)
                os.rename(new, self.path)
                self.assertTrue(wait_until(lambda: "has not answered" in (self.state(r)["reason"] or "")), self.state(r))
                os.unlink(self.path)  # what it is asked for has gone by the time it answers
                self.write(HEADER + row(10 * k, self.start))
                self.keep_from_the_server()
            finally:
                os.kill(door, signal.SIGCONT)
            self.has(r, [1, 2, 20, 30][:k + 1])
        self.assertEqual([line for line in r.lines if "listening" not in line], [])

    @unittest.skipUnless(os.geteuid() == 0, "only a server of root's becomes another user")
    def test_nobody_can_have_root_open_something_else(self):
        self.write(HEADER + row(1, self.start) + row(2, self.start))
        self.keep_from_the_server()
        r = self.serve()
        self.has(r, [1, 2])
        secret = os.path.join(self.folder, "secret")
        self.write(HEADER + row(3, self.start), "w", secret)
        self.keep_from_the_server(secret)

        def plant(how, word):
            os.unlink(self.path)
            how()
            self.assertTrue(r.said(word), r.lines)
            self.assertTrue(wait_until(lambda: word in (self.state(r)["reason"] or "")), self.state(r))
            self.has(r, [1, 2])

        plant(lambda: os.symlink(secret, self.path), "is a symbolic link")
        plant(lambda: os.link(secret, self.path), "has a second name")
        os.chown(self.path, 12345, 12345)  # before it is root's, and its only name
        os.unlink(secret)
        self.assertTrue(r.said("is another user's"), r.lines)
        plant(lambda: os.mkfifo(self.path), "is not a regular file")
        os.unlink(self.path)
        self.write(HEADER + row(4, self.start))
        self.keep_from_the_server()
        self.has(r, [1, 2, 4])

    @unittest.skipUnless(os.geteuid() == 0, "only a server of root's becomes another user")
    def test_who_opens_for_the_server_has_no_other_right_and_ends_with_it(self):
        self.write(HEADER + row(1, self.start) + row(2, self.start))
        r = self.serve()
        door = r.child()
        with open(f"/proc/{door}/status", encoding="ascii") as f:
            status = dict(re.findall(r"^(\w+):[ \t]*(.*)$", f.read(), re.M))
        self.assertEqual(int(status["CapEff"], 16) & ~0b110, 0)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        self.assertEqual(status["CapEff"], status["CapPrm"])
        self.assertEqual(status["NoNewPrivs"], "1")
        if not os.environ.get("CYCLESCOPE_SANITIZED"):
            self.assertEqual(status["Seccomp"], "2")
        r.stop()
        self.assertTrue(wait_until(lambda: gone(door)))

    def test_rows_that_memory_does_not_hold_are_counted(self):
        self.write("timestamp,cycles\n" + "".join(f"{self.start + 10 * k},{k}\n" for k in range(1, 40001)))
        r = self.serve()
        self.assertTrue(wait_until(lambda: r.get("/api/latest", self.port)[1].get("cycles") == 40000), r.lines)
        meta = r.get("/api/meta", self.port)[1]
        self.assertEqual((meta["rows"], meta["history"]["lost"], meta["history"]["first"]), (36000, 4000, self.start + 40010))
        self.assertEqual((meta["history"]["state"], meta["history"]["path"]), ("off", None))
        self.assertIn("its newest 36,000 rows", meta["history"]["reason"])

    def test_a_torn_row_does_no_harm(self):
        self.write(HEADER + row(1, self.start) + "17638300,\n\x00\x01,,,\n" + row(2, self.start))
        r = self.serve()
        self.has(r, [1, 2])
        self.assertEqual(r.get("/api/meta", self.port)[1]["health"]["skipped_records"], 2)

    def test_the_bridge_of_a_collector_row_by_row(self):
        """Rotations at 1 ms under the eyes of a server: every row once, in order, with its values."""
        with Running("collect", "--csv", self.path, "--csv-rows", "400", "-I", "1ms") as collector:
            self.assertTrue(wait_until(lambda: os.path.exists(self.path)))
            r = self.serve()
            self.assertTrue(wait_until(lambda: len(self.rows(r)) > 2000), r.lines)
            collector.stop()
        with open(self.path, encoding="ascii", newline="") as f:
            written = {int(line["timestamp"]): line for line in csv.DictReader(f)}
        self.assertTrue(wait_until(lambda: r.get("/api/latest", self.port)[1]["timestamp"] == max(written)))
        samples = r.get("/api/data", self.port)[1]
        times = [s["timestamp"] for s in samples]
        self.assertEqual(times, sorted(set(times)))
        shown = {s["timestamp"]: s for s in samples}
        for t, line in written.items():
            for column in ("context_switches", "minor_faults"):
                self.assertEqual(shown[t][column], int(line[column]))
        # None is missing but where the collector itself missed ticks: each says how long it was.
        self.assertAlmostEqual(sum(s["seconds"] for s in samples[1:]), (times[-1] - times[0]) / 1000, delta=0.001)
        self.assertEqual(r.get("/api/meta", self.port)[1]["health"]["skipped_records"], 0)

    @unittest.skipUnless(os.geteuid() == 0, "a /tmp of its own needs root")
    def test_without_input_the_bridge_also_when_it_comes_later(self):
        program = os.open(PROGRAM, os.O_RDONLY)
        self.addCleanup(os.close, program)
        shell = f"mount -t tmpfs -o mode=1777 none /tmp && exec /dev/fd/{program} serve --listen 127.0.0.1:0 --history none"
        r = Running("-m", "sh", "-c", shell, program="unshare", pass_fds=[program])
        self.addCleanup(lambda: r.process.stderr.closed or r.stop())
        self.port = r.port()
        self.assertTrue(r.said("/tmp/perf_data.csv: is not there yet"), r.lines)
        self.assertEqual(self.state(r), {"kind": "csv", "text": "/tmp/perf_data.csv", "state": "waiting",
                                           "reason": "the file is not there yet; it is shown as soon as somebody writes it"})
        self.assertEqual(r.get("/api/latest", self.port)[1], {})
        inside = f"/proc/{r.process.pid}/root/tmp/"
        self.write(HEADER + row(7, self.start) + row(8, self.start), path=inside + "planted")
        os.symlink("/tmp/planted", inside + "perf_data.csv")
        self.assertTrue(r.said("is a symbolic link, which is not followed"), r.lines)
        os.unlink(inside + "perf_data.csv")
        self.write(HEADER + row(1, self.start), path=inside + "perf_data.csv.new")
        os.chmod(inside + "perf_data.csv.new", 0o600)
        os.rename(inside + "perf_data.csv.new", inside + "perf_data.csv")
        # Without INPUT nobody opens for the server what it may not.
        self.assertTrue(r.said("may not be opened by the server, user .*chmod a"), r.lines)
        self.assertTrue(wait_until(lambda: "chmod" in (self.state(r)["reason"] or "")), self.state(r))
        self.assertEqual(self.state(r)["state"], "waiting")
        os.chmod(inside + "perf_data.csv", 0o644)
        self.write(row(2, self.start), path=inside + "perf_data.csv")
        self.has(r, [1, 2])
        self.assertNotIn("chmod", self.state(r)["reason"] or "")

    def test_rows_closer_than_the_interval_make_no_more_points_than_asked_for(self):
        """As after a clock that was set back: the span is short, and has many rows."""
        self.write("timestamp,cycles\n" + "".join(f"{self.start + k},1\n" for k in range(3000)))
        self.write("".join(f"{self.start + 3000 + 1000 * k},1\n" for k in range(1, 40)))  # the newest say how far apart they are
        r = self.serve()
        self.assertTrue(wait_until(lambda: r.get("/api/meta", self.port)[1]["rows"] == 3039), r.lines)
        self.assertEqual(r.get("/api/meta", self.port)[1]["interval_ms"], 1000)
        series = r.get("/api/series?columns=cycles&points=100", self.port)[1]
        self.assertLessEqual(len(series["t"]), 100)
        self.assertEqual(sum(series["columns"]["cycles"]["max"]), len(series["t"]))
        span = r.get("/api/span?columns=cycles", self.port)[1]
        self.assertEqual(span["columns"]["cycles"]["sum"], 3039)

    def test_a_csv_that_is_none(self):
        for text in ("a,b\n1,2\n", "\x01\x02\x03", "PERFILE"):
            with self.subTest(text=text):
                self.write(text, "w")
                done = run("serve", self.path, "--listen", "127.0.0.1:0")
                self.assertEqual(done.returncode, 1)
                self.assertEqual(len([x for x in done.stderr.splitlines() if "listening" not in x]), 1, done.stderr)


if __name__ == "__main__":
    unittest.main()
