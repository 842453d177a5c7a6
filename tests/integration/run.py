#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the integration tests (all modules beside it, or those named) and prints TAP.

    run.py [-j JOBS] [test_http …]      CYCLESCOPE=build/cyclescope names the program

Most tests wait, so several modules run at a time, each in a process of its own; those that compare our numbers with
somebody else's of the whole machine run when nothing else does.
"""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ALONE = ("test_beside_perf", "test_pressure")
LONGEST_FIRST = ("test_kill", "test_history", "test_http", "test_recording")  # so that none of them is the last


class TapResult(unittest.TestResult):
    """A line for each test as it ends; what went wrong as comments below it."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def _line(self, ok, test, tail=""):
        self.count += 1
        name = test.id() if isinstance(test, unittest.TestCase) else str(test)
        print(f"{'ok' if ok else 'not ok'} {self.count} - {name}{tail}", flush=True)

    def _trouble(self, test, err):
        self._line(False, test)
        for line in self._exc_info_to_string(err, test).splitlines():
            print(f"#   {line}", flush=True)

    def addSuccess(self, test):
        self._line(True, test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._line(True, test, f" # SKIP {reason}")

    def addError(self, test, err):
        super().addError(test, err)
        self._trouble(test, err)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._trouble(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self._trouble(subtest, err)


def run_here(names):
    result = TapResult()
    unittest.defaultTestLoader.loadTestsFromNames(names).run(result)
    print(f"1..{result.count}")
    return result.wasSuccessful()


def run_apart(name):
    """(TAP, status) of one module in a process of its own, which sees to its clean-ups and threads."""
    started = time.monotonic()
    done = subprocess.run([sys.executable, os.path.abspath(__file__), "-j", "1", name], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True, errors="replace", check=False)
    return f"{done.stdout}# {name}: {time.monotonic() - started:.0f} s\n", done.returncode


def run_side_by_side(names, jobs):
    first = [n for n in LONGEST_FIRST if n in names]
    together = first + [n for n in names if n not in first and n not in ALONE]
    count, failed = 0, False

    def show(name, tap, status):
        nonlocal count, failed
        for line in tap.splitlines():
            if found := re.match(r"(ok|not ok) \d+(.*)", line):
                count += 1
                line = f"{found[1]} {count}{found[2]}"
            elif line.startswith("1.."):
                continue
            print(line, flush=True)
        if status and not re.search("^not ok", tap, re.M):
            count += 1
            print(f"not ok {count} - {name} ended with status {status}", flush=True)
        failed = failed or status != 0

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(run_apart, name): name for name in together}
        for done in concurrent.futures.as_completed(running):
            show(running[done], *done.result())
    for name in names:
        if name in ALONE:
            show(name, *run_apart(name))
    print(f"1..{count}")
    return not failed


def main():
    options = argparse.ArgumentParser()
    options.add_argument("-j", "--jobs", type=int, default=min(3, 1 + (os.cpu_count() or 1)))
    options.add_argument("names", nargs="*")
    options = options.parse_args()
    os.chdir(os.path.join(HERE, "..", ".."))
    os.environ.setdefault("CYCLESCOPE", "build/cyclescope")
    os.environ["CYCLESCOPE"] = os.path.abspath(os.environ["CYCLESCOPE"])
    sys.path.insert(0, HERE)
    names = options.names or sorted(f[:-3] for f in os.listdir(HERE) if f.startswith("test_") and f.endswith(".py"))
    if options.jobs == 1 or len(names) == 1:
        good = run_here(names)
    else:
        good = run_side_by_side(names, options.jobs)
    sys.exit(0 if good else 1)


main()
