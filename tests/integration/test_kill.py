# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the collector, the server, or both, at random moments: what they leave behind is whole.

CYCLESCOPE_KILLS is how many times (50, some 40 s; 8 with a sanitizer); CYCLESCOPE_SEED repeats the run whose seed was printed.
"""

import contextlib
import csv
import os
import random
import signal
import sqlite3
import tempfile
import time
import unittest

from program import PATIENCE, Running, wait_until

KILLS = int(os.environ.get("CYCLESCOPE_KILLS", "8" if os.environ.get("CYCLESCOPE_SANITIZED") else "50"))
SEED = int(os.environ.get("CYCLESCOPE_SEED", str(random.randrange(1 << 30))))
INTERVAL = 10  # ms
HISTORY_MAY_LOSE = 1000 + 10 * INTERVAL  # ms; it is written once a second
# What is measured must exist on every machine, and be cheap enough for 10 ms.
EVENTS = "context-switches,minor-faults"


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Kill(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.chmod(folder.name, 0o777)  # a server of root's becomes another user, who keeps the history
        self.csv = os.path.join(folder.name, "x.csv")
        self.recording = os.path.join(folder.name, "x.data")
        self.history = os.path.join(folder.name, "history.db")

    def start(self):
        options = ["--history", self.history]
        r = Running("--csv", self.csv, "--csv-rows", "40", "-o", self.recording, "-I", f"{INTERVAL}ms", "-e", EVENTS,
                    "--listen", "127.0.0.1:0", *options)
        self.addCleanup(lambda: r.process.stderr.closed or r.stop())
        r.port()
        return r

    def csv_times(self):
        """The CSV's timestamps, after checking that all of it is whole."""
        with open(self.csv, encoding="ascii", newline="") as f:
            text = f.read()
        self.assertTrue(text.startswith("timestamp,cycles,") and text.endswith("\n"))
        rows = list(csv.reader(line for line in text.splitlines() if line))
        self.assertEqual({len(row) for row in rows}, {len(rows[0])})
        times = [int(row[0]) for row in rows[1:]]
        self.assertEqual(times, sorted(set(times)))
        self.assertLessEqual(len(times), 40)
        return times

    def stored(self):
        """The newest timestamp in the history's file, 0 before there is one."""
        try:
            with contextlib.closing(sqlite3.connect(f"file:{self.history}?mode=rw", uri=True)) as db:
                return db.execute("SELECT max(time) FROM samples").fetchone()[0] or 0
        except sqlite3.OperationalError:
            return 0

    def recorded_times(self):
        """The timestamps of the recording, read by the program itself."""
        with Running("serve", self.recording, "--listen", "127.0.0.1:0", "--history", "none") as r:
            port = r.port()
            self.assertTrue(wait_until(lambda: r.get("/api/meta", port)[1]["input"]["state"] == "ended"), r.lines)
            meta = r.get("/api/meta", port)[1]
            self.assertEqual(meta["health"]["skipped_records"], 0)
            return [s["timestamp"] for s in r.get("/api/data?columns=context_switches", port)[1]]

    def check_files(self, whole):
        """CSV and recording end with the same interval, or, after a kill, with its neighbour."""
        written, recorded = self.csv_times(), self.recorded_times()
        self.recorded = recorded
        self.assertEqual(recorded, sorted(set(recorded)))
        if not written:  # killed before its first interval, or just after a rotation of nothing
            return
        later = [t for t in written if t > recorded[-1]]
        self.assertLessEqual(len(later), 0 if whole else 1)
        self.assertLessEqual(set(t for t in written if t >= recorded[0]), set(recorded) | set(later))

    def kill_server_process(self, pid):
        """Ends it, and notes up to when it should have written all: a second ago, and the time that it waited for a CPU."""
        self.newest = self.csv_times()[-1]
        waited = 0
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
                waited += int(f.read().split()[1])
        self.written_up_to = self.newest - HISTORY_MAY_LOSE - waited // 1_000_000
        kill(pid)

    def check_history(self, last):
        """Everything but the end is there after a new start, each timestamp once."""
        r = self.start()
        port = r.port()
        self.assertTrue(wait_until(lambda: r.get("/api/latest", port)[1].get("timestamp", 0) > last), r.lines)
        times = [s["timestamp"] for s in r.get("/api/data?from=0&columns=context_switches", port)[1]]
        r.stop()
        self.assertEqual(times, sorted(set(times)))
        # Of what there was at the kill, up to some interval: nothing before it is missing.
        stored, there = set(times), [t for t in self.recorded if t <= self.newest]
        kept = [t for t in there if t in stored]
        self.assertEqual(kept, there[:len(kept)])
        self.kept += len(kept)
        due = [t for t in there if t <= self.written_up_to]
        if due:
            self.in_time.append(len(kept) >= len(due))

    def kill_collector(self, r):
        server = r.child()
        port = r.port()
        kill(r.process.pid)
        r.process.wait(timeout=PATIENCE)
        try:
            # The server goes on showing what it has, and says what became of the collector.
            self.assertTrue(wait_until(lambda: r.get("/api/latest", port)[1]))
            self.assertTrue(wait_until(lambda: r.ended(port)))
            shown = [s["timestamp"] for s in r.get("/api/data?columns=context_switches", port)[1]]
            self.assertLessEqual(len([t for t in self.csv_times() if t > shown[-1]]), 1)
            self.assertEqual(shown, sorted(set(shown)))
        finally:
            self.kill_server_process(server)
        self.check_files(whole=False)

    def kill_server(self, r):
        self.kill_server_process(r.child())
        self.assertTrue(wait_until(lambda: sum("listening on" in line for line in list(r.lines)) > 1), r.lines)
        before = self.csv_times()[-1]
        self.assertTrue(wait_until(lambda: self.csv_times()[-1] > before + 2 * INTERVAL))
        self.assertEqual(r.stop(), 0)
        self.check_files(whole=True)

    def kill_both(self, r):
        victims = [(kill, r.process.pid), (self.kill_server_process, r.child())]
        self.chance.shuffle(victims)
        # Else the collector may start another server between the two, which outlives it and this test.
        os.kill(r.process.pid, signal.SIGSTOP)
        for end, pid in victims:
            end(pid)
        r.process.wait(timeout=PATIENCE)
        self.check_files(whole=False)

    def test_what_is_left_is_whole(self):
        print(f"# CYCLESCOPE_SEED={SEED} CYCLESCOPE_KILLS={KILLS}", flush=True)
        self.chance = chance = random.Random(SEED)
        self.kept, self.in_time = 0, []
        for number in range(KILLS):
            victim = chance.choice([self.kill_collector, self.kill_server, self.kill_both])
            moment, late = chance.uniform(0.02, 0.7), number % 4 == 0
            with self.subTest(number=number, victim=victim.__name__, moment=moment, seed=SEED):
                r = self.start()
                # From its first interval on: rotations of a ring of 40 rows come every 0.2 s.
                self.assertTrue(wait_until(lambda: len(self.csv_times()) > 1))
                first = self.csv_times()[0]
                # Now and then so late that the history has something; and then another second of it.
                if late:
                    self.assertTrue(wait_until(lambda: self.stored() > first), r.lines)
                    time.sleep(0.5)
                time.sleep(moment)
                victim(r)
                self.check_history(self.csv_times()[-1])
        # The end is a second. Of a server that a disk or a host let wait, it is more: that befalls one or the other.
        self.assertGreaterEqual(2 * sum(self.in_time), len(self.in_time), self.in_time)
        self.assertTrue(self.kept)


if __name__ == "__main__":
    unittest.main()
