# SPDX-License-Identifier: Apache-2.0
"""Which processes ran: their CPU time is that of their own clocks, whatever they call themselves."""

import os
import signal
import subprocess
import sys
import unittest

from program import Running, wait_until
from server_process import Server

# Calls itself by a name, waits for a line, burns CPU time until its own clock says SECONDS, prints what it then says, and
# waits for another line.
CHILD = """
import ctypes, sys, time
ctypes.CDLL(None).prctl(15, bytes.fromhex(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
start = time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID)
while time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID) < start + float(sys.argv[1]):
    pass
print(time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID) - start, flush=True)
sys.stdin.readline()
"""


class Child:
    def __init__(self, test, seconds, name):
        self.process = subprocess.Popen([sys.executable, "-c", CHILD, str(seconds), name.hex()], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        test.addCleanup(self.end)
        test.assertEqual(self.process.stdout.readline(), "ready\n")
        self.pid = self.process.pid

    def go(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def used(self):
        """Seconds of CPU time by its own clock."""
        return float(self.process.stdout.readline())

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def rows_of(server, pid):
    return [p for p in server.json("/api/processes?limit=10000")["processes"] if p["pid"] == pid]


class Processes(unittest.TestCase):
    def test_cpu_time_is_exact(self):
        child = Child(self, 1.5, b"busy child")
        with Server(interval="100ms") as server:
            self.assertTrue(wait_until(lambda: server.json("/api/processes")["seconds"] > 0))
            child.go()
            used = child.used()
            self.assertTrue(wait_until(lambda: rows_of(server, child.pid)))
            wait_until(lambda: rows_of(server, child.pid)[0]["cpu_time_ms"] >= used * 950)
            whole = server.json("/api/processes?limit=10000")
            row, = (p for p in whole["processes"] if p["pid"] == child.pid)
            self.assertAlmostEqual(row["cpu_time_ms"] / 1000, used, delta=0.05 * used)
            self.assertEqual(row["comm"], "busy child")
            self.assertFalse(row["born"] or row["ended"])
            self.assertAlmostEqual(row["share"], row["cpu_time_ms"] / 1000 / whole["seconds"], delta=0.01)
            # A span before it ran has none of it.
            before = server.json(f"/api/processes?to={row['first_seen'] - 1}&limit=10000")
            self.assertNotIn(child.pid, [p["pid"] for p in before["processes"]])
            child.end()
            self.assertTrue(wait_until(lambda: rows_of(server, child.pid)[0]["ended"]))

    def test_births_are_seen_and_forks_counted(self):
        with Server(interval="20ms") as server:
            self.assertTrue(wait_until(lambda: server.json("/api/processes")["seconds"] > 0))
            for _ in range(30):
                subprocess.run(["true"], check=True)
            child = Child(self, 0.2, b"newborn")
            child.go()
            child.used()
            self.assertTrue(wait_until(lambda: any(p["born"] for p in rows_of(server, child.pid))))
            self.assertGreaterEqual(server.json("/api/processes")["forks"], 31)

    def test_what_lives_for_a_moment_is_seen(self):
        """Each of them lives for some ms, between two looks; the kernel tells of them at their end."""
        if os.geteuid() != 0 or os.stat("/proc/self/ns/pid").st_ino != 0xEFFFFFFC:
            self.skipTest("the kernel tells of ends in the first PID namespace, and only with CAP_NET_ADMIN")
        burn = "import time\nwhile time.process_time() < 0.1: pass"
        with Server(interval="100ms") as server:
            self.assertTrue(wait_until(lambda: server.json("/api/processes")["seconds"] > 0))
            used, pids = {}, []
            for _ in range(50):
                process = subprocess.Popen(["true"])
                process.wait()
                pids.append(process.pid)
            for _ in range(3):
                pid = os.posix_spawn(sys.executable, [sys.executable, "-c", burn], os.environ)
                usage = os.wait4(pid, 0)[2]
                used[pid] = usage.ru_utime + usage.ru_stime
            def seen():
                return {p["pid"]: p for p in server.json("/api/processes?limit=10000")["processes"]}
            self.assertTrue(wait_until(lambda: set(pids) | set(used) <= set(seen()) and
                                       all(seen()[pid]["ended"] for pid in used)))
            found = seen()
            self.assertTrue(all(found[pid]["born"] and found[pid]["ended"] for pid in pids))
            for pid, seconds in used.items():
                self.assertGreaterEqual(seconds, 0.1)
                # Told just before its end: what it had until then, and no more than it had in all.
                self.assertGreaterEqual(found[pid]["cpu_time_ms"], 100)
                self.assertLess(found[pid]["cpu_time_ms"], seconds * 1000 + 1)

    def test_hostile_names(self):
        names = {b'"<script>': '"<script>', b"a) R 1 (b": "a) R 1 (b", b"\xff\xfe\x80": "\ufffd\ufffd\ufffd",
                 b"new\nline\x01": "new\nline\x01", b"\\u0041": "\\u0041"}
        children = {Child(self, 0.1, name): shown for name, shown in names.items()}
        with Server(interval="100ms") as server:
            self.assertTrue(wait_until(lambda: server.json("/api/processes")["seconds"] > 0))
            for child in children:
                child.go()
                child.used()
            for child, shown in children.items():
                self.assertTrue(wait_until(lambda: rows_of(server, child.pid)), shown)
                self.assertEqual(rows_of(server, child.pid)[0]["comm"], shown)

    def test_a_process_and_its_children(self):
        parent = subprocess.Popen(["sh", "-c", "read go; (while :; do :; done) & wait"], stdin=subprocess.PIPE)
        self.addCleanup(parent.wait)
        other = Child(self, 30, b"other")
        other.go()
        running = Running("-p", str(parent.pid), "--csv", "none", "--listen", "127.0.0.1:0")
        self.addCleanup(running.stop)
        port = running.port()
        self.assertTrue(wait_until(lambda: running.get("/api/latest", port)[1]))
        parent.stdin.write(b"go\n")
        parent.stdin.close()
        try:
            def found():
                return running.get("/api/processes", port)[1]["processes"]
            self.assertTrue(wait_until(lambda: any(p["cpu_time_ms"] > 300 for p in found())))
            self.assertNotIn(other.pid, [p["pid"] for p in found()])
            self.assertTrue(any(p["born"] for p in found()))
        finally:
            with open(f"/proc/{parent.pid}/task/{parent.pid}/children", encoding="ascii") as f:
                for pid in f.read().split():
                    os.kill(int(pid), signal.SIGKILL)

    def test_limits(self):
        with Server(interval="100ms") as server:
            self.assertTrue(wait_until(lambda: server.json("/api/processes")["count"] > 1))
            one = server.json("/api/processes?limit=1")
            self.assertEqual(len(one["processes"]), 1)
            self.assertTrue(one["truncated"])
            times = [p["cpu_time_ms"] for p in server.json("/api/processes")["processes"]]
            self.assertEqual(times, sorted(times, reverse=True))
            for query in ("limit=0", "limit=x", "from=x", "from=2&to=1"):
                self.assertEqual(server.request(f"/api/processes?{query}")[0], 400, query)
