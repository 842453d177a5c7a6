# SPDX-License-Identifier: Apache-2.0
"""Pressure beside the counters: what the API says is what the kernel's files say."""

import os
import subprocess
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
                # It is over a second: there is none before that, and the first may have begun before they did.
                length = lambda: server.json("/api/latest")["run_queue_length"] or 0
                self.assertTrue(wait_until(lambda: length() >= cpus), length())
                if psi_total("cpu", "some") is None:
                    self.skipTest("this kernel has no PSI")

                def read():
                    """The rows for which it was read, which is once a second: each value is the increase since the one before."""
                    return [row for row in server.json("/api/data") if row["psi_cpu_some"] is not None]

                def more(n):
                    """Waits until it was read so often again, and returns how often it was."""
                    least = len(read()) + n
                    self.assertTrue(wait_until(lambda: len(read()) >= least))
                    return least

                # What the kernel's file says before and after readings is around their sum, however far apart they are.
                around = psi_total("cpu", "some")
                first = more(2)  # the next one may have begun
                begin = psi_total("cpu", "some")
                more(2)
                end = psi_total("cpu", "some")
                last = more(2)
                around = psi_total("cpu", "some") - around
                rows = read()[first:last]
                ours = sum(row["psi_cpu_some"] for row in rows) / 1e9
                self.assertGreater(end - begin, 0)
                self.assertLessEqual(end - begin, ours)
                self.assertLessEqual(ours, around)
                self.assertGreater(rows[-1]["pressure_cpu_some"], 0.3)
                self.assertLess(rows[-1]["pressure_cpu_some"], 1.05)
        finally:
            for process in busy:
                process.kill()
                process.wait()
