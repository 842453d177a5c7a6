# SPDX-License-Identifier: Apache-2.0
"""The Test Anything Protocol, printed as the checks are made."""


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def ok(self, passed, name, why=""):
        """One check. why: what was found instead, printed when it failed; any object."""
        self.count += 1
        if not passed:
            self.failed += 1
        print(f"{'ok' if passed else 'not ok'} {self.count} - {name}", flush=True)
        if not passed and why != "":
            self.note(why)
        return bool(passed)

    def equal(self, found, expected, name):
        return self.ok(found == expected, name, f"found {found!r}, expected {expected!r}")

    def note(self, text):
        for line in str(text).splitlines():
            print("# " + line, flush=True)

    def end(self):
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed or not self.count else 0


class Later(Tap):
    """Checks that are printed when replay() is called: of a group that runs beside another one."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def ok(self, passed, name, why=""):
        self.calls.append(("ok", (passed, name, why)))
        return bool(passed)

    def note(self, text):
        self.calls.append(("note", (text,)))

    def replay(self, tap):
        for method, arguments in self.calls:
            getattr(tap, method)(*arguments)
