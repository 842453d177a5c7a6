# SPDX-License-Identifier: Apache-2.0
"""Recordings that ask for as much memory as each bound of the reader lets them: the server stays small, and says what it
refuses."""

import ctypes
import os
import re
import struct
import subprocess
import tempfile
import unittest

from program import PROGRAM, Running, wait_until

MOST = 128 << 20  # bytes resident, at the default --memory of 32 MiB
EVENTS, IDS = 1024, 3 << 18
PIECE = 60000  # bytes of zstd in a record
SANITIZED = "CYCLESCOPE_SANITIZED" in os.environ  # its runtime takes memory of its own


def record(kind, body):
    body += b"\0" * (-len(body) % 8)
    return struct.pack("<IHH", kind, 0, 8 + len(body)) + body


def header():
    return b"PERFILE2" + struct.pack("<Q", 16)


def attrs(events, ids_each, read_format=3, disabled=1, sample=False):
    """Software events, with ids from 1 on."""
    out = []
    for event in range(events):
        ids = range(1 + event * ids_each, 1 + (event + 1) * ids_each)
        # type, size, config, period, sample_type (IDENTIFIER, TIME, CPU, PERIOD), read_format, flags
        attr = struct.pack("<IIQQQQQ", 1, 128, 3, 1000 if sample else 0, 0x10184 if sample else 0, read_format, disabled)
        out.append(record(64, attr.ljust(128, b"\0") + struct.pack(f"<{ids_each}Q", *ids)))
    return b"".join(out)


def names(events, ids_each):
    return b"".join(record(78, struct.pack("<QQ", 2, 1 + e * ids_each) + f"{e:-<120}".encode()) for e in range(events))


def cpus(n):
    return record(74, struct.pack("<HBBHH", 2, 0, 0, 0, n - 1))


def round_of(events, ids_each, n_cpus, time):
    """Every event on every CPU."""
    one = struct.Struct("<IHHQIIQQQ").pack
    ns = time * 10**8
    return b"".join(one(76, 0, 48, 1 + event * ids_each, cpu, 0, time * 1000003 * (event + 1), ns, ns)
                    for event in range(events) for cpu in range(n_cpus)) + record(77, struct.pack("<QQ", 0, ns))


class Zstd:
    """One stream, as perf packs it, with a window of 2^log bytes."""

    def __init__(self, log):
        self.library = ctypes.CDLL("libzstd.so.1")
        self.library.ZSTD_createCCtx.restype = ctypes.c_void_p
        self.library.ZSTD_compressStream2.restype = ctypes.c_size_t
        self.context = ctypes.c_void_p(self.library.ZSTD_createCCtx())
        for parameter, value in ((100, 1), (101, log)):  # compressionLevel, windowLog
            self.library.ZSTD_CCtx_setParameter(self.context, parameter, value)

    def pack(self, data):
        class Buffer(ctypes.Structure):
            _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t), ("at", ctypes.c_size_t)]

        room = ctypes.create_string_buffer(len(data) + (1 << 20))
        to = Buffer(ctypes.addressof(room), len(room), 0)
        come = Buffer(ctypes.cast(data, ctypes.c_void_p), len(data), 0)
        left = self.library.ZSTD_compressStream2(self.context, ctypes.byref(to), ctypes.byref(come), 1)  # flush
        assert left == 0 and come.at == len(data)
        pieces = [room[i:min(i + PIECE, to.at)] for i in range(0, to.at, PIECE)]
        return b"".join(struct.pack("<IHH", 81, 0, 8 + len(p)) + p for p in pieces)


def compression():
    return record(80, struct.pack("<QIIIII", 27, 1, 1, 1, 0, 65536))


class Hostile(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.chmod(folder.name, 0o755)
        self.path = os.path.join(folder.name, "x.data")

    def write(self, *pieces):
        with open(self.path, "wb") as f:
            for piece in pieces:
                f.write(piece)

    def is_small(self, r):
        """Was, at all times."""
        if SANITIZED:
            return
        with open(f"/proc/{r.process.pid}/status", encoding="ascii") as f:
            peak = int(re.search(r"VmHWM:\s+(\d+) kB", f.read())[1]) * 1024
        print(f"# {peak >> 20} MiB at the most", flush=True)
        self.assertLess(peak, MOST)

    def is_refused(self, *words):
        """In one line that has these, after little memory was taken."""
        process = subprocess.Popen([PROGRAM, "serve", self.path, "--listen", "127.0.0.1:0", "--history", "none"],
                                   stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        said = [line for line in process.stderr if "listening" not in line]
        process.stderr.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual((process.returncode, len(said)), (1, 1), said)
        for word in words:
            self.assertIn(word, said[0])
        if not SANITIZED:
            self.assertLess(usage.ru_maxrss * 1024, MOST)

    def is_shown(self, events, ids_each, n_cpus, log, rounds=20):
        """With all that it has, in little memory."""
        packed = Zstd(log)
        self.write(header(), attrs(events, ids_each), names(events, ids_each), cpus(n_cpus), compression(),
                   *(packed.pack(round_of(events, ids_each, n_cpus, t)) for t in range(1, rounds + 1)))
        first = "0".ljust(120, "_")
        with Running("serve", self.path, "--listen", "127.0.0.1:0") as r:
            port = r.port()
            self.assertTrue(wait_until(lambda: r.get("/api/meta", port)[1]["input"]["state"] == "ended", 300), r.lines)
            self.assertEqual(r.get("/api/meta", port)[1]["health"]["skipped_records"], 0)
            data = r.get("/api/data?columns=" + first, port)[1]
            self.assertEqual([row[first] for row in data], [1000003 * n_cpus] * rounds)
            self.assertEqual(r.get(f"/api/span?cpu={n_cpus - 1}&columns={first}", port)[0], 200)
            self.is_small(r)

    def test_as_many_events_and_cpus_as_are_let_in(self):
        self.is_shown(160, 1, 512, log=20)

    def test_as_many_ids_and_as_large_a_window_as_are_let_in(self):
        self.is_shown(128, IDS // 128, 64, log=25, rounds=90)  # 35 MB of readings: more than the window

    def test_more_events_and_cpus_are_refused_with_what_would_let_them_in(self):
        self.write(header(), attrs(EVENTS, IDS // EVENTS), names(EVENTS, IDS // EVENTS), cpus(512),
                   record(77, struct.pack("<QQ", 0, 10**8)))
        self.is_refused("1024 events of 512 CPUs", "MiB of memory", "--memory 209MiB")

    def test_more_than_any_memory_lets_in(self):
        self.write(header(), attrs(EVENTS, 1), cpus(1024), record(77, struct.pack("<QQ", 0, 10**8)))
        self.is_refused("goes beyond the bounds", "readings an interval")

    def test_more_ids_than_there_are_events_and_cpus(self):
        self.write(header(), attrs(EVENTS, IDS // EVENTS + 1))
        self.is_refused("goes beyond the bounds", f"{IDS} ids")

    def test_a_machine_of_four_billion_cpus(self):
        stat = struct.pack("<IHHQIIQQQ", 76, 0, 48, 1, 2**32 - 1, 0, 5, 7, 7)
        self.write(header(), attrs(1, 1), record(80, struct.pack("<QII", 7, 2**32 - 1, 2**32 - 1)),
                   record(73, struct.pack("<QQ16s", 1, 42, b"victim")), record(74, struct.pack("<HHH", 0, 1, 0xffff)),
                   record(78, struct.pack("<QQ", 0x6373, 1) + b'{"cs":"online","online":"0-1"}'),
                   stat, record(77, struct.pack("<QQ", 0, 10**8)))
        with Running("serve", self.path, "--listen", "127.0.0.1:0") as r:
            port = r.port()
            self.assertTrue(wait_until(lambda: len(r.get("/api/data", port)[1]) == 1), r.lines)
            self.assertEqual(r.get("/api/meta", port)[1]["health"]["skipped_records"], 1)
            self.is_small(r)

    def test_a_window_that_takes_more_than_all_else(self):
        for log, fits in ((25, True), (26, False)):
            self.write(header(), attrs(1, 1), cpus(1), compression(), Zstd(log).pack(round_of(1, 1, 1, 1)))
            if not fits:
                self.is_refused("cannot be decompressed", "--memory")
                continue
            with Running("serve", self.path, "--listen", "127.0.0.1:0") as r:
                port = r.port()
                self.assertTrue(wait_until(lambda: len(r.get("/api/data", port)[1]) == 1), r.lines)


if __name__ == "__main__":
    unittest.main()
