# SPDX-License-Identifier: Apache-2.0
"""Running the program: commands that end, and the pair of collector and server."""

import http.client
import json
import os
import re
import signal
import subprocess
import threading
import time

PROGRAM = os.environ.get("CYCLESCOPE", "build/cyclescope")
PATIENCE = 180  # seconds that anything here may take on a loaded machine


def wait_until(condition, seconds=PATIENCE):
    """Polls until the condition is true; returns its last value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.02)


def gone(pid):
    """Has this process ended? (One whose parent has ended before it is left to init, which may take its time to reap it.)"""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def without_history(arguments):
    """A server's history is this machine's: only tests of it keep one, at a place of their own."""
    if "--listen" not in arguments or "--history" in arguments or arguments[0] == "collect":
        return arguments
    at = arguments.index("--listen")
    return (*arguments[:at], "--history", "none", *arguments[at:])


def run(*arguments, timeout=PATIENCE, **options):
    """Runs it to its end: status, stdout, stderr (text unless text=False)."""
    options.setdefault("text", True)
    options.setdefault("stdin", subprocess.DEVNULL)
    if "stdout" not in options:
        options["stdout"] = subprocess.PIPE
    return subprocess.run([PROGRAM, *without_history(arguments)], stderr=subprocess.PIPE, timeout=timeout, check=False, **options)


def wait_for_rows(path, n):
    """Until the CSV that the program writes there has so many rows. (Not one that another has left there.)"""
    def enough():
        try:
            with open(path, encoding="ascii") as f:
                return sum(line[:1].isdigit() for line in f) >= n
        except FileNotFoundError:
            return False
    if not wait_until(enough):
        raise AssertionError(f"{path} has fewer than {n} rows")


def missed_ticks(said):
    """How many it says that it missed, in what it said (lines): nothing is said of none."""
    found = (re.search(r"(\d+) ticks were missed", line) for line in said)
    return sum(int(m[1]) for m in found if m)


def check_intervals(test, n, most, said):
    """
    n intervals of a run whose --duration has room for `most`: each tick is one, or was missed, and that is said. (One that is
    late for the end may have missed some beyond it.) On a machine that stands still now and then there are fewer.
    """
    test.assertLessEqual(n, most)
    test.assertGreaterEqual(n + missed_ticks(said), most, said)


class Running:
    """The program with these arguments, running; its standard error is collected line by line. Use as a with-statement."""

    def __init__(self, *arguments, program=PROGRAM, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.DEVNULL)
        self.process = subprocess.Popen([program, *without_history(arguments)], stderr=subprocess.PIPE, text=True, **options)
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    def said(self, pattern, seconds=PATIENCE):
        """The first match in what it said, waiting for it."""
        def look():
            return next((m for m in (re.search(pattern, line) for line in list(self.lines)) if m), None)
        return wait_until(look, seconds)

    def port(self):
        found = self.said(r"listening on http://127\.0\.0\.1:(\d+)/")
        if not found:
            raise AssertionError(f"it does not listen: {self.lines}")
        return int(found[1])

    def get(self, path, port=None):
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port(), timeout=PATIENCE)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def ended(self, port=None):
        """Does the server say that its input has ended? (503 alone is also what it says of a collector that a busy machine kept
        silent for two seconds.)"""
        status, health = self.get("/healthz", port)
        return status == 503 and health["status"] == "ended"

    def child(self):
        """PID of the server that the collector started."""
        def look():
            with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as f:
                return [int(pid) for pid in f.read().split()]
        children = wait_until(look)
        if not children:
            raise AssertionError("it has no server")
        return children[0]

    def stop(self, with_signal=signal.SIGTERM):
        """Ends it; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        try:
            self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(timeout=PATIENCE)
        self.process.stderr.close()
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.process.stderr.closed:
            self.stop()
