# SPDX-License-Identifier: Apache-2.0
"""
The counters of a perf.data stream in pipe mode, read independently of the program: only the records of `perf stat
record`. Format: linux, tools/perf/Documentation/perf.data-file-format.txt, tools/lib/perf/include/perf/event.h.
"""
import struct
from dataclasses import dataclass, field

MAGIC = b"PERFILE2"
HEADER_ATTR, STAT, STAT_ROUND, EVENT_UPDATE, HEADER_FEATURE = 64, 76, 77, 78, 80
UPDATE_NAME, FEATURE_CLOCK_DATA = 2, 29
HARDWARE = ("cycles", "instructions", "cache_references", "cache_misses", "branches", "branch_misses")


class RecordingError(Exception):
    pass


@dataclass(frozen=True)
class Reading:
    """Cumulative since the event was enabled; times in ns."""
    value: int
    enabled: int
    running: int


@dataclass
class Round:
    time: int  # CLOCK_MONOTONIC, ns (perf's own recordings: since its start)
    readings: dict = field(default_factory=dict)  # (column, cpu) → Reading


class Recording:
    def __init__(self, data):
        self.names, self.rounds, self.reference = {}, [], 0
        pending = {}
        if data[:8] != MAGIC or struct.unpack_from("<Q", data, 8)[0] != 16:
            raise RecordingError("not a perf.data stream in pipe mode")
        at = 16
        while at + 8 <= len(data):
            kind, _, size = struct.unpack_from("<IHH", data, at)
            body = data[at + 8:at + size]
            if size < 8 or at + size > len(data):
                raise RecordingError(f"record of type {kind} and size {size} at {at} of {len(data)} bytes")
            if kind == HEADER_ATTR:
                self.attr(body)
            elif kind == EVENT_UPDATE:
                update, event = struct.unpack_from("<QQ", body)
                if update == UPDATE_NAME:
                    self.names[event] = column_id(body[16:].split(b"\0")[0].decode())
            elif kind == HEADER_FEATURE and struct.unpack_from("<Q", body)[0] == FEATURE_CLOCK_DATA:
                # version, clock id, wall ns, reference ns; said again when the wall clock steps
                self.reference = struct.unpack_from("<IIQQ", body, 8)[3]
            elif kind == STAT:
                event, cpu, _, *reading = struct.unpack_from("<QII3Q", body)
                pending[self.names.get(event, str(event)), cpu] = Reading(*reading)
            elif kind == STAT_ROUND:
                self.rounds.append(Round(self.reference + struct.unpack_from("<QQ", body)[1], pending))
                pending = {}
            at += size
        if at != len(data):
            raise RecordingError(f"{len(data) - at} bytes after the last record")

    def attr(self, body):
        """The ids that follow an attr; generic hardware events may come without a name of their own."""
        kind, size, config = struct.unpack_from("<IIQ", body)
        for (event,) in struct.iter_unpack("<Q", body[size:]):
            if kind == 0 and config < len(HARDWARE):
                self.names.setdefault(event, HARDWARE[config])

    def series(self, column, cpu):
        """[(time, Reading)] of the rounds that have one."""
        return [(r.time, r.readings[column, cpu]) for r in self.rounds if (column, cpu) in r.readings]


def column_id(name):
    return "".join(c if c.isascii() and c.isalpha() or c.isdigit() else "_" for c in name.lower())
