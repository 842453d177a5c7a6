# SPDX-License-Identifier: Apache-2.0
"""`cyclescope doctor`: what it says of this machine, as whom, and that the page is told the same."""

import ctypes
import errno
import json
import os
import pty
import re
import struct
import subprocess
import unittest

from program import PATIENCE, PROGRAM, Running, run, wait_until
from server_process import Server

STATUSES = {"pass", "limited", "fail", "unknown"}
CHECKS = {"hardware", "software", "permission", "container", "hypervisor", "kernel", "nmi-watchdog", "hybrid",
          "kernel-symbols", "cgroup", "descriptors", "memory", "clock", "priority"}


def expected_status(checks):
    """Exit 0 when hardware counters work, 3 when only software events do, 1 when nothing does."""
    works = {c["name"]: c["status"] in ("pass", "limited") for c in checks}
    return 0 if works["hardware"] else 3 if works["software"] else 1


def has_pmu():
    return any(name.startswith(("cpu", "armv")) for name in os.listdir("/sys/bus/event_source/devices"))


class Filter(ctypes.Structure):
    """struct sock_fprog of linux/filter.h."""
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def refuse_perf_event_open():
    """In a child: a seccomp filter as a container's, with which perf_event_open is EPERM."""
    number = {"x86_64": 298, "aarch64": 241}[os.uname().machine]
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in (
        (0x20, 0, 0, 0),  # load the number of the system call
        (0x15, 0, 1, number),  # if it is this one
        (0x06, 0, 0, 0x00050000 | errno.EPERM),
        (0x06, 0, 0, 0x7fff0000)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(Filter(4, code)), 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def in_terminal(**environment):
    """What `cyclescope doctor` writes into a terminal, and its exit status."""
    ours, theirs = pty.openpty()
    done = subprocess.Popen([PROGRAM, "doctor"], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                            env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", **environment})
    os.close(theirs)
    text = b""
    try:
        while part := os.read(ours, 4096):
            text += part
    except OSError:  # a terminal whose other side is closed
        pass
    os.close(ours)
    return text.decode().replace("\r\n", "\n"), done.wait(timeout=PATIENCE)


class Doctor(unittest.TestCase):
    def report(self, *command, **options):
        """The report as JSON, with the exit status that belongs to it."""
        done = subprocess.run([*command, PROGRAM, "doctor", "--json"], capture_output=True, text=True, check=False,
                              timeout=PATIENCE, **options)
        report = json.loads(done.stdout)
        self.assertEqual(done.stderr, "")
        self.assertEqual(set(report), {"checks", "at"})
        self.assertGreater(report["at"], 1.7e12)
        self.assertEqual({c["name"] for c in report["checks"]}, CHECKS)
        for check in report["checks"]:
            self.assertEqual(set(check), {"name", "status", "found", "cost", "remedy"})
            self.assertIn(check["status"], STATUSES)
            self.assertTrue(check["found"], check)
            if check["status"] in ("limited", "fail"):
                self.assertTrue(check["cost"] and check["remedy"], check)
        self.assertEqual(done.returncode, expected_status(report["checks"]))
        return {c["name"]: c for c in report["checks"]}, done.returncode

    @unittest.skipIf(os.geteuid() != 0, "counting the whole system needs root")
    @unittest.skipIf(has_pmu(), "this machine has a PMU")
    def test_root_without_a_pmu(self):
        checks, status = self.report()
        self.assertEqual(status, 3)
        self.assertEqual(checks["hardware"]["status"], "fail")
        self.assertEqual(checks["software"]["status"], "pass")
        self.assertIn("CAP_PERFMON", checks["permission"]["found"])

    @unittest.skipIf(os.geteuid() != 0, "needs root to become somebody else")
    def test_a_user_without_privileges(self):
        with open("/proc/sys/kernel/perf_event_paranoid", encoding="ascii") as f:
            level = int(f.read())
        checks, status = self.report("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        if level > 2:
            self.assertEqual((status, checks["permission"]["status"]), (1, "fail"))
        elif level > 0:
            self.assertEqual(checks["permission"]["status"], "limited")
            self.assertEqual(checks["software"]["status"], "limited")
        if level > 0:
            self.assertIn(f"perf_event_paranoid is {level}", checks["permission"]["found"])
            self.assertIn("`sudo cyclescope`", checks["permission"]["remedy"])

    @unittest.skipIf(os.geteuid() != 0, "needs root to take a limit away from it")
    def test_too_few_descriptors(self):
        checks, _ = self.report("prlimit", "--nofile=40:40")
        self.assertEqual(checks["descriptors"]["status"], "fail")
        self.assertIn("prlimit --nofile=", checks["descriptors"]["remedy"])

    def test_a_filter_like_a_containers(self):
        checks, status = self.report(preexec_fn=refuse_perf_event_open)
        self.assertEqual(status, 1)
        self.assertEqual(checks["container"]["status"], "fail")
        self.assertIn("seccomp filter", checks["container"]["found"])
        self.assertEqual(checks["software"]["status"], "fail")

    def test_words_in_a_pipe(self):
        done = run("doctor")
        self.assertTrue(done.stdout.isascii(), done.stdout)
        found = dict(re.findall(r"^(?:pass|limited|FAIL|unknown) +([a-z-]+) +(\S.*)$", done.stdout, re.MULTILINE))
        self.assertEqual(set(found), CHECKS)
        for line in done.stdout.splitlines():
            self.assertRegex(line, r"^(pass|limited|FAIL|unknown) |^ +(cost|remedy): |^[A-Z].*\.$|^$")

    def test_marks_in_a_terminal(self):
        text, status = in_terminal()
        self.assertEqual(status, run("doctor").returncode)
        self.assertIn("\x1b[32m✓ \x1b[0m", text)
        for line in re.sub(r"\x1b\[\d*m", "", text).splitlines():
            self.assertTrue(len(line) <= 80 or "`" in line, line)
        plain, _ = in_terminal(NO_COLOR="1")
        self.assertNotIn("\x1b", plain)
        self.assertIn("✓ ", plain)
        words, _ = in_terminal(LC_ALL="C")
        self.assertIn("pass", words)
        self.assertNotIn("✓", words)

    def test_usage(self):
        for arguments in (("doctor", "now"), ("doctor", "--listen", "x"), ("doctor", "-p", "1")):
            done = run(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertEqual(len(done.stderr.splitlines()), 1)
        done = run("doctor", "--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("--json", done.stdout)
        self.assertIn("3 only software events", done.stdout)
        self.assertNotIn("--listen", done.stdout)

    def test_a_full_disk_is_told(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = run("doctor", stdout=full)
        self.assertEqual(done.returncode, 1)
        self.assertIn("No space left", done.stderr)


class Page(unittest.TestCase):
    """/api/doctor says what the collector found, although the server has no privileges."""

    def same(self, answer):
        ours = json.loads(run("doctor", "--json").stdout)
        self.assertEqual(answer["checks"], ours["checks"])
        self.assertLessEqual(answer["at"], ours["at"])
        self.assertGreater(answer["at"], ours["at"] - 1000 * PATIENCE)

    def test_through_a_pipe(self):
        with Server() as server:
            self.same(wait_until(lambda: (a := server.json("/api/doctor"))["checks"] and a))

    def test_of_the_pair(self):
        with Running("--listen", "127.0.0.1:0", "--csv", "none") as program:
            self.same(wait_until(lambda: (a := program.get("/api/doctor")[1])["checks"] and a))

    def test_a_stream_without_it(self):
        # Nothing comes: nothing is known.
        with Running("serve", "-", "--listen", "127.0.0.1:0", stdin=subprocess.PIPE) as server:
            try:
                self.assertEqual(server.get("/api/doctor"), (200, {"checks": [], "at": None}))
            finally:
                server.process.stdin.close()


if __name__ == "__main__":
    unittest.main()
