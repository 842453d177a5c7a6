# SPDX-License-Identifier: Apache-2.0
"""Workloads of known size, and perf stat beside us: what the tests of targets share."""

import csv
import functools
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest

from program import PATIENCE, wait_until

ROUNDS, PAGES = 300, 10
FAULTS = ROUNDS * PAGES  # that a workload makes; its start adds some dozens, a thousand with an interpreter's

# A round of work touches pages, sleeps once and computes for a while: faults, context switches and CPU time.
WORK = f"""
import mmap, sys, time
def work(rounds={ROUNDS}):
    m = mmap.mmap(-1, rounds * {PAGES} * 4096)
    m.madvise(mmap.MADV_NOHUGEPAGE)
    for i in range(rounds):
        for page in range(i * {PAGES}, (i + 1) * {PAGES}):
            m[page * 4096] = 1
        time.sleep(0.0005)
        end = time.thread_time() + 0.001
        while time.thread_time() < end:
            pass
"""
# Waits for a line, works, says so, and waits again.
WORKLOAD = WORK + """
print('up', flush=True)
sys.stdin.readline()
work()
print('done', flush=True)
sys.stdin.readline()
"""


# The same; a second thread, whose TID it says, works and then waits for ever.
THREADED = WORK + """
import threading
go, done = threading.Event(), threading.Event()
t = threading.Thread(target=lambda: (go.wait(), work(), done.set(), go.clear(), go.wait()), daemon=True)
t.start()
print(t.native_id, flush=True)
sys.stdin.readline()
go.set()
done.wait()
print('done', flush=True)
sys.stdin.readline()
"""


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.csv = os.path.join(self.folder.name, "data.csv")

    def begin_anew(self):
        if os.path.exists(self.csv):
            os.unlink(self.csv)

    def rows(self):
        if not os.path.exists(self.csv):
            return []
        with open(self.csv, encoding="ascii") as f:
            return list(csv.DictReader(line.rstrip(" \n") for line in f if line.strip()))

    def total(self, column, first=0):
        """From that row on."""
        return sum(int(row[column]) for row in self.rows()[first:] if row[column])

    def more_rows(self, r, n=2):
        """Waits until that many more have been written, and returns how many there are: all that happened before is in
        those. n is 2 because the next one's reading may have begun."""
        least = len(self.rows()) + n
        self.assertTrue(wait_until(lambda: len(self.rows()) >= least), r.lines)
        return len(self.rows())


class Disturbed(AssertionError):
    """
    Perf and we saw the same work, and not quite alike. The kernel switches their events one after the other: a host that lets
    this machine stand still between the two adds that time to one of them. So does a preemption. A fault does it each time.
    """


def again_if_disturbed(test):
    """Three tries."""
    @functools.wraps(test)
    def tries(self):
        for _ in range(2):
            try:
                return test(self)
            except Disturbed as e:
                print(f"# once more: {e}", flush=True)
        return test(self)
    return tries


def near(name, ours, theirs, apart):
    if abs(ours - theirs) > apart * theirs:
        raise Disturbed(f"{name}: {ours}, and perf's {theirs}")


def perf_counts(text):
    """event → count, of perf stat -x,"""
    counts = {}
    for line in text.splitlines():
        fields = line.split(",")
        if len(fields) > 3 and re.fullmatch(r"[\d.]+", fields[0]):
            counts[fields[2]] = float(fields[0])
    return counts


def asleep(pid):
    """Does every thread of it wait?"""
    def state(task):
        with open(f"/proc/{pid}/task/{task}/stat", encoding="utf-8", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0]
    return all(state(task) == "S" for task in os.listdir(f"/proc/{pid}/task"))


def counts(pid):
    """Does this collector, of an interval far longer than its start, count? Its clock has begun (the next tick is far off), and
    it has done what it does then: it waits."""
    folder = f"/proc/{pid}/fd"
    try:
        for fd in os.listdir(folder):
            if "timerfd" in os.readlink(os.path.join(folder, fd)):
                with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as f:
                    timer = f.read()
                return bool(re.search(r"ticks: 0\n(.*\n)*it_value: \(\d{3,},", timer)) and asleep(pid)
    except FileNotFoundError:  # one that was closed meanwhile
        pass
    return False


class Workload:
    """A program that waits for go(), works (so many times), and waits for the end. `threads`: a second thread does the work."""

    def __init__(self, prefix=(), threads=False, times=1):
        script = (THREADED if threads else WORKLOAD).replace("work()", f"[work() for _ in range({times})]")
        self.process = subprocess.Popen([*prefix, "python3", "-S", "-c", script], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.first = self.process.stdout.readline().strip()
        self.pid = self.process.pid

    def go(self):
        """When it returns, the work is done and nothing more happens."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"
        assert wait_until(lambda: asleep(self.pid))

    def __enter__(self):
        assert wait_until(lambda: asleep(self.pid))
        return self

    def __exit__(self, failed, *_):
        if failed:
            self.process.kill()
        self.process.stdin.close()
        self.process.wait(timeout=PATIENCE)
        self.process.stdout.close()


class Perf:
    """perf stat beside us, which counts from enable() to disable(); both return the span in which it happened."""

    def __init__(self, *arguments):
        control, self.control = os.pipe()
        self.ack, ack = os.pipe()
        self.output = tempfile.NamedTemporaryFile("r", encoding="ascii")
        self.process = subprocess.Popen(
            ["perf", "stat", "-x,", "-o", self.output.name, "-D", "-1", "--control", f"fd:{control},{ack}", *arguments],
            pass_fds=(control, ack), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(control)
        os.close(ack)

    def ask(self, word):
        before = time.time()
        os.write(self.control, word)
        assert os.read(self.ack, 16).startswith(b"ack")
        return before, time.time()

    def enable(self):
        return self.ask(b"enable\n")

    def disable(self):
        return self.ask(b"disable\n")

    def counts(self):
        """It is ended, or ends by itself with its target."""
        if wait_until(lambda: self.process.poll() is not None, 0) is False:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=PATIENCE)
        return perf_counts(self.output.read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.output.close()
        os.close(self.control)
        os.close(self.ack)
