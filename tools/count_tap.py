#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the tests of a TAP file: prints "PASSED FAILED SKIPPED".

Indented lines are subtests; a line that closes subtests (a file or a describe block of node's runner) is no test of its own,
unless it failed while all of them passed.
"""
import re
import sys

RESULT = re.compile(r"^( *)(not )?ok\b(.*)$")


def main() -> None:
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    pending: list[tuple[int, str]] = []  # results whose parent has not come yet: depth, outcome
    with open(sys.argv[1], encoding="utf-8", errors="replace") as f:
        for line in f:
            found = RESULT.match(line)
            if not found:
                continue
            depth = len(found[1])
            outcome = "skipped" if re.search(r"# SKIP", found[3], re.I) else "failed" if found[2] else "passed"
            children = [o for d, o in pending if d > depth]
            pending = [(d, o) for d, o in pending if d <= depth]
            for o in children:
                counts[o] += 1
            if not children or (outcome == "failed" and "failed" not in children):
                pending.append((depth, outcome))
    for _, o in pending:
        counts[o] += 1
    print(counts["passed"], counts["failed"], counts["skipped"])


main()
