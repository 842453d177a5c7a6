# SPDX-License-Identifier: Apache-2.0
"""Commands, targets that end, and targets that cannot be."""

import ctypes
import errno
import os
import re
import signal
import struct
import subprocess
import unittest

from program import PATIENCE, PROGRAM, Running, missed_ticks, run, wait_until
from workload import FAULTS, Folder, Workload, counts, perf_counts


class Command(Folder):
    def collect(self, *command, options=()):
        return run("collect", "--csv", self.csv, *options, "--", *command)

    def test_its_status_is_passed_on(self):
        self.assertEqual(self.collect("sh", "-c", "exit 7").returncode, 7)
        self.assertEqual(self.collect("true").returncode, 0)
        self.assertEqual(self.collect("sh", "-c", "kill -9 $$").returncode, 128 + 9)

    def test_what_cannot_be_started_is_one_line(self):
        for command, status, why in (("/nowhere/x", 127, "No such file"), ("/etc/passwd", 126, "Permission denied")):
            done = self.collect(command)
            self.assertEqual(done.returncode, status)
            said = [line for line in done.stderr.splitlines() if command in line]
            self.assertEqual(len(said), 1, done.stderr)
            self.assertIn(why, said[0])

    def test_it_is_as_if_we_were_not_there(self):
        # Signals, limits, descriptors and arguments are the caller's.
        show = ("grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status; ulimit -n; ls /proc/self/fd | wc -l; "
                "cat /proc/self/timerslack_ns; id -u; chrt -p $$; echo \"$1\"")
        words = ("sh", "-c", show, "sh", "--csv -- it's mine")
        ours = self.collect(*words)
        plain = subprocess.run(words, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, check=False, timeout=PATIENCE)
        strip = lambda text: re.sub(r"pid \d+", "pid", text)
        self.assertEqual(strip(ours.stdout), strip(plain.stdout))

    def test_the_stream_and_its_output_do_not_mix(self):
        done = run("collect", "--csv", "none", "-o", "-", "--", "echo", "from the command", text=False)
        self.assertEqual(done.returncode, 0)
        self.assertTrue(done.stdout.startswith(b"PERFILE2"))
        self.assertNotIn(b"from the command\n", done.stdout)
        self.assertIn(b"from the command\n", done.stderr)

    def test_counting_starts_at_its_exec(self):
        # `true` takes some hundred faults, a few more or less by where its memory lands; a Python that was forked from us
        # would take more.
        def ours():
            self.collect("true", options=("-e", "minor-faults"))
            return self.total("minor_faults")

        def theirs():
            done = subprocess.run(["perf", "stat", "-x,", "-e", "minor-faults", "true"], stderr=subprocess.PIPE, text=True,
                                  check=True, timeout=PATIENCE)
            return perf_counts(done.stderr)["minor-faults"]

        self.assertAlmostEqual(min(ours() for _ in range(4)), min(theirs() for _ in range(4)), delta=8)

    def test_the_rest_of_the_system_for_as_long_as_it_runs(self):
        done = self.collect("sh", "-c", "sleep 0.5; exit 3", options=("-a", "-e", "context-switches"))
        self.assertEqual(done.returncode, 3)
        # It starts at a point of the grid: four ticks and more are in its time.
        self.assertGreaterEqual(len(self.rows()) + missed_ticks(done.stderr.splitlines()), 4)

    def test_duration_ends_it(self):
        done = self.collect("sleep", "60", options=("--duration", "300ms"))
        self.assertEqual(done.returncode, 128 + signal.SIGTERM)

    def test_a_signal_is_passed_on_and_its_end_is_ours(self):
        # The trap says that it was reached; counts until its end are there.
        script = "trap 'echo caught; exit 5' TERM; echo up; while :; do sleep 0.05; done"
        with subprocess.Popen([PROGRAM, "collect", "--csv", self.csv, "--", "sh", "-c", script], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as p:
            self.assertEqual(p.stdout.readline(), "up\n")
            self.assertTrue(wait_until(lambda: len(self.rows()) > 1))
            p.send_signal(signal.SIGTERM)
            self.assertEqual(p.stdout.readline(), "caught\n")
            self.assertEqual(p.wait(timeout=PATIENCE), 5)

    def test_with_the_server_all_ends_with_it(self):
        with Running("--listen", "127.0.0.1:0", "--csv", "none", "--", "sh", "-c", "read end; exit 4", stdin=subprocess.PIPE) as r:
            r.port()
            r.process.stdin.close()
            self.assertEqual(r.process.wait(timeout=PATIENCE), 4)


class Ends(Folder):
    def test_one_process_ends_and_the_other_goes_on(self):
        with subprocess.Popen(["sleep", "60"]) as one, subprocess.Popen(["sleep", "60"]) as two:
            with Running("collect", "--csv", self.csv, "-p", f"{one.pid},{two.pid}") as r:
                self.assertTrue(wait_until(lambda: len(self.rows()) > 1))
                one.terminate()
                self.assertTrue(r.said(rf"process {one.pid} \(sleep\) has ended; 1 go on"), r.lines)
                n = len(self.rows())
                self.assertTrue(wait_until(lambda: len(self.rows()) > n + 2))
                two.terminate()
                self.assertTrue(r.said("has ended$"), r.lines)
                self.assertEqual(r.process.wait(timeout=PATIENCE), 0)

    def test_the_final_counts_of_a_process_that_ends_are_there(self):
        # An interval far longer than its life: all its faults are in the last row.
        with Workload() as work:
            with Running("collect", "--csv", self.csv, "-p", str(work.pid), "-I", "1h", "-e", "page-faults") as r:
                self.assertTrue(wait_until(lambda: counts(r.process.pid)), r.lines)
                work.go()
                work.process.stdin.close()
                self.assertEqual(r.process.wait(timeout=PATIENCE), 0, r.lines)
        self.assertGreaterEqual(self.total("page_faults"), FAULTS)

    def test_a_thread_that_ends(self):
        with Workload(threads=True) as work:
            with Running("collect", "--csv", self.csv, "-t", work.first) as r:
                self.assertTrue(wait_until(lambda: len(self.rows()) > 1))
                work.go()
                work.process.stdin.close()
                self.assertTrue(r.said(rf"thread {work.first} \(.*\) has ended"), r.lines)
                self.assertEqual(r.process.wait(timeout=PATIENCE), 0)


def deny_perf_event_open():
    """As the seccomp filter of a container does: EPERM, for this process and those that it starts."""
    number = {"x86_64": 298, "aarch64": 241}[os.uname().machine]
    load, equal, give = 0x20, 0x15, 0x06  # BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_RET|BPF_K
    allow, deny = 0x7fff0000, 0x00050000 | errno.EPERM  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO
    program = b"".join(struct.pack("HBBI", *i) for i in ((load, 0, 0, 0), (equal, 0, 1, number), (give, 0, 0, deny),
                                                        (give, 0, 0, allow)))
    instructions = ctypes.create_string_buffer(program, len(program))
    filter_program = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(instructions))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(22, 2, ctypes.c_char_p(filter_program), 0, 0):  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
        raise OSError(ctypes.get_errno(), "prctl")


class Refused(Folder):
    def refused(self, *arguments, says, **options):
        done = run("collect", "--csv", "none", "--duration", "200ms", *arguments, **options)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, says)
        return done

    def test_nobody_there(self):
        self.refused("-p", "1,4194303", says="no process with PID 4194303")
        self.refused("-t", "4194303", says="no thread with TID 4194303")
        self.refused("-G", "no/such/group", says="there is no cgroup 'no/such/group' below /.*systemd-cgls")

    def test_a_zombie(self):
        with subprocess.Popen(["true"]) as gone:
            self.assertTrue(wait_until(lambda: open(f"/proc/{gone.pid}/stat", encoding="ascii").read().split()[2] == "Z"))
            self.refused("-p", str(gone.pid), says="no process with PID")

    def test_strict(self):
        self.refused("-e", "rffffffffffffffff,context-switches", "--strict", says="--strict: rffffffffffffffff: ")
        self.assertEqual(run("collect", "--csv", "none", "--duration", "100ms", "-e", "context-switches",
                             "--strict").returncode, 0)

    def test_too_few_descriptors(self):
        self.refused("-e", "{" + ",".join(["page-faults"] * 30) + "}", says="ulimit -n",
                     preexec_fn=lambda: __import__("resource").setrlimit(__import__("resource").RLIMIT_NOFILE, (40, 40)))

    def test_absent_cpus(self):
        self.refused("-C", "4095", says="CPU 4095 is not online")

    def as_nobody(self, *arguments, capabilities=(), command=("collect", "--csv", "none", "--strict")):
        if os.geteuid() != 0:
            self.skipTest("needs root, to give it up")
        return subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *capabilities, PROGRAM,
                               *command, "--duration", "100ms", *arguments],
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False)

    def test_without_privileges(self):
        with open("/proc/sys/kernel/perf_event_paranoid", encoding="ascii") as f:
            if int(f.read()) < 1:
                self.skipTest("needs perf_event_paranoid 1 or more")
        done = self.as_nobody("-a", "-e", "context-switches")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"context-switches: .*perf_event_paranoid.*sudo")
        # Init is somebody else's.
        done = self.as_nobody("-p", "1", "-e", "page-faults:u")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"page-faults:u: .*that process.*sudo")
        # Without --strict, numbers that nobody can have are a failure all the same.
        done = self.as_nobody("-p", "1", "-e", "page-faults:u", command=("stat", "--json"))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\Acyclescope: not permitted: page-faults:u; .*that process.*sudo\n\Z")

    def test_cap_perfmon_is_enough(self):
        perfmon = ("--inh-caps=+perfmon", "--ambient-caps=+perfmon")
        done = self.as_nobody("-a", "-e", "context-switches,page-faults", capabilities=perfmon)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_container_that_denies_the_call(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, which is refused here")
        done = run("collect", "--csv", "none", "--duration", "100ms", "--strict", "-e", "page-faults",
                   preexec_fn=deny_perf_event_open)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, "page-faults: not permitted, though this is root: .*seccomp.*outside")

    def test_dry_run_says_what_it_would_cost(self):
        done = run("--dry-run", "-e", "{context-switches,page-faults},cpu-clock", "-I", "10ms", "-C", "0")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"context-switches, page-faults +\(2 descriptors\)")
        self.assertRegex(done.stdout, r"descriptors +4\nreads +2 a tick, 200 a second\nopened in +[0-9.]+ ms, enabled in [0-9.]+ ms\n$")

    def test_dry_run_has_a_line_for_each_reason(self):
        done = run("--dry-run", "-e", "context-switches:u,page-faults,cpu-migrations:u", "-C", "0")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"\nwithout +context-switches:u, cpu-migrations:u: it happens in the kernel")


if __name__ == "__main__":
    unittest.main()
