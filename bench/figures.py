# SPDX-License-Identifier: Apache-2.0
"""What all benchmarks share: the program, load on all cores, and figures with their spread."""

import contextlib
import os
import statistics
import subprocess

PROGRAM = os.environ.get("CYCLESCOPE", "build/cyclescope")


def spread(values):
    """"median (least – most)" in four significant digits."""
    return f"{statistics.median(values):.4g} ({min(values):.4g} – {max(values):.4g})"


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


@contextlib.contextmanager
def full_load():
    """A busy loop on every core, at ordinary priority."""
    busy = [subprocess.Popen(["python3", "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()
