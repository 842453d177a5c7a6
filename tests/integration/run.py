#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the integration tests (all modules beside it, or those named) and prints TAP.

    run.py [test_http …]      CYCLESCOPE=build/cyclescope names the program
"""
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


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


def main():
    os.chdir(os.path.join(HERE, "..", ".."))
    os.environ.setdefault("CYCLESCOPE", "build/cyclescope")
    os.environ["CYCLESCOPE"] = os.path.abspath(os.environ["CYCLESCOPE"])
    sys.path.insert(0, HERE)
    names = sys.argv[1:] or sorted(f[:-3] for f in os.listdir(HERE) if f.startswith("test_") and f.endswith(".py"))
    result = TapResult()
    unittest.defaultTestLoader.loadTestsFromNames(names).run(result)
    print(f"1..{result.count}")
    sys.exit(0 if result.wasSuccessful() else 1)


main()
