# SPDX-License-Identifier: Apache-2.0
"""What a person sees who types it wrongly: one clear line, and the right exit status."""

import os
import tempfile
import unittest

from program import missed_ticks, run


class Usage(unittest.TestCase):
    def refused(self, *arguments, says, status=2):
        done = run(*arguments)
        self.assertEqual(done.returncode, status, done.stderr)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertTrue(lines[0].startswith("cyclescope: "), lines[0])
        for word in says if isinstance(says, tuple) else (says,):
            self.assertIn(word, lines[0])

    def test_help_lists_commands_and_options(self):
        done = run("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ("collect", "serve", "list", "--interval", "--csv-rows", "--listen", "--token-file"):
            self.assertIn(word, done.stdout)

    def test_each_command_has_help(self):
        for command, has, has_not in (("collect", "--csv", "--listen"), ("serve", "--listen", "--csv"),
                                       ("list", "--json", "--event")):
            done = run(command, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn(has, done.stdout)
            self.assertNotIn(has_not, done.stdout)

    def test_version(self):
        self.assertRegex(run("--version").stdout, r"^cyclescope \d+\.\d+\.\d+\n$")

    def test_unknown_command(self):
        self.refused("colect", says=("colect", "the nearest name is 'collect'", "--help"))
        self.refused("frobnicate", says="'frobnicate' is not a command; cyclescope --help lists them (a program")

    def test_unknown_option(self):
        self.refused("--frobnicate", says="--frobnicate: no such option; cyclescope --help lists them")
        self.refused("--dryrun", says="--dryrun: no such option; the nearest name is '--dry-run'; cyclescope --help")
        self.refused("stat", "--intervall=1s", says=("--intervall: no such option of this command", "'--interval'",
                                                     "cyclescope stat --help"))
        self.refused("collect", "-Z", says="-Z")

    def test_option_of_the_other_command(self):
        self.refused("collect", "--listen", "127.0.0.1:0", says="--listen")

    def test_value_of_an_option_that_has_none(self):
        self.refused("stat", "--csv=x", says="--csv takes no value")
        self.refused("--help=x", says="--help takes no value")

    def test_nothing_would_be_kept(self):
        done = run("collect", "--csv", "none", "--duration", "20ms", "-e", "page-faults")
        said = [line for line in done.stderr.splitlines() if not missed_ticks([line])]
        self.assertEqual((done.returncode, said), (0, ["cyclescope: neither -o nor --csv: what is measured goes nowhere"]))

    def test_missing_value(self):
        self.refused("--interval", says="needs a value")

    def test_bad_values(self):
        for arguments, word in (
            (("-I", "fast"), "100ms"), (("-I", "0ms"), "1ms"), (("-I", "10"), "its unit: 100ms"), (("-I", "1us"), "100ms"),
            (("-p", "0"), "positive"), (("-p", "-5"), "positive"), (("-p", "x"), "positive"),
            (("-p", "00000000419430301"), "positive"),
            (("-F", "99"), "not built"), (("--duration", "0s"), "10s"), (("--csv-rows", "3"), "16"),
            (("--memory", "12"), "MiB"), (("--memory", "1TB"), "MiB"), (("-e", "cycels"), "cycles"),
            (("-e", "{cycles"), "braces"), (("-e", "cycles:q"), "modifier"), (("-e", ""), "missing"),
            (("-e", "page-faults,,cpu-clock"), "missing in 'page-faults,,cpu-clock'"), (("-p", ""), "--pid '':"),
            (("-C", "9-2"), "CPU list"), (("-C", "0", "-p", "1"), "exclude"), (("sleep",), "command"),
            (("-p", "1", "-t", "1"), "exclude"), (("-G", "x", "-a"), "exclude"), (("-p", "1,,2"), "commas"),
            (("--listen", "nowhere:80"), "127.0.0.1:5000"), (("-z",), "-o FILE"),
        ):
            with self.subTest(arguments=arguments):
                done = run(*arguments, "--csv", "none") if arguments[0] not in ("sleep", "--") else run(*arguments)
                said = [line for line in done.stderr.splitlines() if "PMU" not in line and "not permitted" not in line]
                status = 1 if arguments[0] == "-C" and arguments[1] == "9-2" else 2
                self.assertEqual(done.returncode, status, done.stderr)
                self.assertEqual(len(said), 1, done.stderr)
                self.assertIn(word, said[0])

    def test_no_such_process(self):
        self.refused("-p", "4194303", "--csv", "none", says="no process with PID 4194303", status=1)

    def test_cpu_that_is_not_there(self):
        self.refused("collect", "-C", "9999", "--csv", "none", says="CPU 9999 is not online", status=1)

    def test_serve_inputs(self):
        self.refused("serve", "a", "b", says="one INPUT")
        self.refused("serve", "/nonexistent/x", says="No such file or directory; INPUT is a recording, a CSV", status=1)
        self.refused("serve", "/", says="Is a directory; INPUT is", status=1)
        self.refused("report", "/nonexistent/x", says="No such file or directory; INPUT is a recording", status=1)

    def test_output_places(self):
        done = run("collect", "--csv", "none", "-o", "/nonexistent/x")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nonexistent/x: No such file or directory", done.stderr)

    def test_not_on_loopback_without_token(self):
        done = run("serve", "/dev/null", "--listen", "0.0.0.0:0")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("--token-file", done.stderr)

    def test_token_file(self):
        with tempfile.TemporaryDirectory() as d:
            short = os.path.join(d, "short")
            with open(short, "w", encoding="ascii") as f:
                f.write("abc\n")
            self.refused("serve", "/dev/null", "--token-file", short, says="16", status=1)
            self.refused("serve", "/dev/null", "--token-file", os.path.join(d, "none"), says="whose first line is the token", status=1)

    def test_names_do_not_steer_the_terminal(self):
        done = run("serve", "/nonexistent/\x1b[31mred\x9b1m")
        self.assertNotIn("\x1b", done.stderr)
        self.assertNotIn("\x9b", done.stderr)

    def test_a_recordings_names_do_not_steer_the_terminal(self):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "run.data")
            self.assertEqual(run("collect", "-o", path, "--csv", "none", "-e", "page-faults", "--duration", "200ms").returncode, 0)
            with open(path, "rb") as f:
                recording = f.read()
            with open(path, "wb") as f:
                f.write(recording.replace(b"page-faults", b"\x1b]0;x\x07\xc2\x9b31m"))
            done = run("report", path, text=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(b"?]0;x???31m", done.stdout)
            self.assertFalse(any(c < 32 and c != 10 for c in done.stdout), done.stdout)

    def test_a_process_does_not_steer_the_terminal(self):
        with open("/proc/self/comm", encoding="ascii") as f:
            before = f.read()
        try:
            with open("/proc/self/comm", "w", encoding="ascii") as f:
                f.write("\x1b[31mred")
            done = run("--dry-run", "-p", str(os.getpid()), "-e", "page-faults")
        finally:
            with open("/proc/self/comm", "w", encoding="ascii") as f:
                f.write(before)
        self.assertIn("?[31mred", done.stdout)
        self.assertNotIn("\x1b", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
