# SPDX-License-Identifier: Apache-2.0
"""Pressure beside the counters: what the API says is what the kernel's files say."""

import os
import subprocess
import time
import unittest

from program import wait_until
from server_process import Server

PSI = {"psi_cpu_some": ("cpu", "some"), "psi_io_some": ("io", "some"), "psi_io_full": ("io", "full"),
       "psi_memory_some": ("memory", "some"), "psi_memory_full": ("memory", "full")}


def psi_total(resource, kind):
    """Seconds, or None where the kernel has no PSI."""
    try:
        with open(f"/proc/pressure/{resource}", encoding="ascii") as f:
            for line in f:
                if line.startswith(kind):
                    return int(line.rsplit("total=", 1)[1]) / 1e6
    except OSError:
        pass
    return None


class Pressure(unittest.TestCase):
    def test_columns_are_there_or_say_why(self):
        with Server(interval="100ms") as server:
            self.assertTrue(wait_until(lambda: server.json("/api/latest")))
            columns = {c["id"]: c for c in server.json("/api/meta")["columns"]}
            present = {name: psi_total(*file) is not None for name, file in PSI.items()}
            present["run_delay"] = os.path.exists("/proc/schedstat")
            present["run_queue"] = True
            for name, there in present.items():
                column = columns[name]
                self.assertEqual(column["kind"], "gauge")
                self.assertEqual(column["unit"], "ns")
                self.assertEqual(column["quality"], "exact" if there else "not supported", name)
                self.assertEqual(column["why"] is None, there)
                self.assertEqual(column["per_cpu"], name == "run_delay")
            self.assertFalse(columns["pressure_cpu_some"]["per_cpu"])
            self.assertIsNone(server.json("/api/latest?cpu=0")["run_queue"])

    def test_more_tasks_than_cpus(self):
        """A task more than there are CPUs: the run queue has them, and some task waits all the time."""
        cpus = len(os.sched_getaffinity(0))
        busy = [subprocess.Popen(["python3", "-c", "while True: pass"]) for _ in range(cpus + 1)]
        try:
            with Server(interval="100ms") as server:
                self.assertTrue(wait_until(lambda: server.json("/api/latest").get("sequence", 0) > 5))
                before, began = psi_total("cpu", "some"), time.monotonic()
                first = server.json("/api/latest")["timestamp"]
                time.sleep(4)
                after, ended = psi_total("cpu", "some"), time.monotonic()
                last = server.json("/api/latest")
                rows = server.json(f"/api/data?from={first}&to={last['timestamp']}")
                self.assertGreaterEqual(last["run_queue_length"], cpus)
                if before is None:
                    self.skipTest("this kernel has no PSI")
                # Read once a second: each value is the increase since the row that had one before.
                read = [row for row in rows if row["psi_cpu_some"] is not None]
                ours = sum(row["psi_cpu_some"] for row in read[1:]) / 1e6 / (read[-1]["timestamp"] - read[0]["timestamp"])
                self.assertAlmostEqual(ours, (after - before) / (ended - began), delta=0.2)
                self.assertGreater(last["pressure_cpu_some"], 0.3)
                self.assertLess(last["pressure_cpu_some"], 1.05)
        finally:
            for process in busy:
                process.kill()
                process.wait()
