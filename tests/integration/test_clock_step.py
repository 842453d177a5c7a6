# SPDX-License-Identifier: Apache-2.0
"""A wall clock that is set back and forward under measurement: every interval is kept, in its order, with its values."""

import os
import sqlite3
import struct
import subprocess
import tempfile
import unittest

from program import Running, wait_for_rows, wait_until

STAT_ROUND, HEADER_FEATURE, CLOCK_DATA = 77, 80, 29
SECOND = 10 ** 9
COLUMNS = "context_switches,minor_faults"


def records(stream):
    """The records of a stream in pipe mode."""
    at = struct.unpack_from("<QQ", stream)[1]
    while at < len(stream):
        kind, _, size = struct.unpack_from("<IHH", stream, at)
        yield kind, stream[at:at + size]
        at += size


def is_clock(kind, record):
    return kind == HEADER_FEATURE and struct.unpack_from("<Q", record, 8)[0] == CLOCK_DATA


def stepped(stream, *steps):
    """The stream as its collector writes it when the wall clock is set by so many seconds, at equal distances."""
    parts = list(records(stream))
    clock = next(record for kind, record in parts if is_clock(kind, record))
    rounds = sum(kind == STAT_ROUND for kind, _ in parts)
    wall, = struct.unpack_from("<Q", clock, 24)
    out, seen, todo = stream[:16], 0, list(steps)
    for kind, record in parts:
        out += record
        seen += kind == STAT_ROUND
        if kind == STAT_ROUND and todo and seen == rounds * (len(steps) - len(todo) + 1) // (len(steps) + 1):
            wall += int(todo.pop(0) * SECOND)
            out += clock[:24] + struct.pack("<Q", wall) + clock[32:]
    assert not todo
    return out


class ClockStep(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.chmod(folder.name, 0o777)  # the server is not root
        self.folder = folder.name
        self.path = os.path.join(self.folder, "history.db")

    def record(self):
        path, bridge = os.path.join(self.folder, "r.data"), os.path.join(self.folder, "r.csv")
        with Running("collect", "-o", path, "--csv", bridge, "-I", "10ms") as collector:
            wait_for_rows(bridge, 250)
            self.assertEqual(collector.stop(), 0, collector.lines)
        os.unlink(bridge)
        with open(path, "rb") as f:
            return f.read()

    def served(self, stream, history):
        """/api/data and the span of the whole, of a stream from a pipe."""
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as pipe:
            with Running("serve", "-", "--listen", "127.0.0.1:0", "--history", history, stdin=pipe.stdout) as server:
                pipe.stdin.write(stream)
                pipe.stdin.close()
                self.assertTrue(wait_until(lambda: server.get("/api/meta")[1]["input"]["state"] == "ended"), server.lines)
                data = self.all_data(server)
                span = server.get(f"/api/span?columns={COLUMNS}")[1]
            return data, span

    def all_data(self, server):
        """In pieces: an answer goes back by as long as 36,000 intervals are, which are six minutes."""
        meta = server.get("/api/meta")[1]
        begin, end = meta["history"]["first"] or meta["first"], server.get("/api/latest")[1]["timestamp"]
        data = []
        for at in range(begin, end + 1, 300000):
            data += server.get(f"/api/data?from={at}&to={at + 299999}")[1]
        return data

    def stored(self):
        db = sqlite3.connect(self.path)
        try:
            rows = db.execute(f"SELECT time, {COLUMNS} FROM samples ORDER BY id").fetchall()
            kept = db.execute("SELECT sum(intervals), sum(context_switches) FROM samples_1s").fetchone()
            of = db.execute("SELECT count(*), sum(context_switches) FROM samples "
                            "WHERE time <= (SELECT max(time) FROM samples_1s)").fetchone()
            return rows, kept, of
        finally:
            db.close()

    def values(self, data):
        return [tuple(row[c] for c in COLUMNS.split(",")) for row in data]

    def check(self, data, span, rows):
        times = [row["timestamp"] for row in data]
        self.assertEqual(times, sorted(set(times)))
        self.assertEqual([row["sequence"] for row in data], list(range(1, len(data) + 1)))
        self.assertEqual(rows, [(t, *v) for t, v in zip(times, self.values(data))])
        for column in COLUMNS.split(","):
            self.assertEqual(span["columns"][column]["sum"], sum(row[column] for row in data))

    def test_back_and_forward(self):
        stream = self.record()
        plain, _ = self.served(stream, "none")
        self.assertGreater(len(plain), 100)
        for steps in ((-10, 3600), (3600, -3600), (-10,)):
            with self.subTest(steps=steps):
                self.path = os.path.join(self.folder, f"{steps}.db")
                data, span = self.served(stepped(stream, *steps), self.path)
                rows, kept, of = self.stored()
                self.assertEqual(self.values(data), self.values(plain))
                self.assertEqual([row["seconds"] for row in data], [row["seconds"] for row in plain])
                self.check(data, span, rows)
                self.assertEqual(kept, of)
                if max(steps) > 0:
                    self.assertGreater(data[-1]["timestamp"] - plain[-1]["timestamp"], 3500 * 1000)

    def test_the_next_run_comes_after_a_clock_that_was_ahead(self):
        first, _ = self.served(stepped(self.record(), 3500), self.path)
        stream = self.record()
        plain, _ = self.served(stream, "none")
        both, _ = self.served(stream, self.path)
        times = [row["timestamp"] for row in both]
        self.assertEqual(times, sorted(set(times)))
        self.assertEqual(self.values(both), self.values(first) + self.values(plain))
        self.assertEqual(times[:len(first)], [row["timestamp"] for row in first])
        rows, kept, of = self.stored()
        self.assertEqual(rows, [(t, *v) for t, v in zip(times, self.values(both))])
        self.assertEqual(kept, of)


if __name__ == "__main__":
    unittest.main()
