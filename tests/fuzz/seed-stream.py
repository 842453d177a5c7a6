#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a seed corpus for fuzz-stream: `seed-stream.py FOLDER [FILE…]`.

One small stream with every record that the reader understands, each record on its own behind a file header, the same in
file mode, recordings of samples, and the first 64 KiB of each FILE (recordings of perf, if there are any).
"""
import pathlib
import struct
import sys

HEADER = struct.pack("<8sQ", b"PERFILE2", 16)


def record(kind, body):
    return struct.pack("<IHH", kind, 0, 8 + len(body)) + body


def text(value):
    padded = value.encode().ljust(64, b"\0")
    return struct.pack("<I", len(padded)) + padded


def attr(kind, config, *ids, read_format=3, flags=1, size=128):
    body = struct.pack("<IIQQQQQ", kind, size, config, 0, 0, read_format, flags)
    return record(64, body.ljust(size, b"\0") + b"".join(struct.pack("<Q", i) for i in ids))


def update(kind, event, data):
    return record(78, struct.pack("<QQ", kind, event) + data)


def feature(number, data):
    return record(80, struct.pack("<Q", number) + data)


def stat(event, cpu, thread, value):
    return record(76, struct.pack("<QIIQQQ", event, cpu, thread, value, 1000, 900))


HEAD = [
    attr(0, 0, 1, 2, read_format=15),
    attr(1, 3, 3, 4, read_format=15, flags=0),
    attr(3, 0x10002, size=136),
    attr(1, 9, 5),
    feature(3, text("host")),
    feature(7, struct.pack("<II", 4, 2)),
    feature(8, text("A CPU")),
    feature(17, struct.pack("<I", 1) + text("{anon_group}") + struct.pack("<II", 0, 2)),
    feature(29, struct.pack("<IIQQ", 1, 1, 10**18, 10**9)),
    update(0, 1, b"msec\0\0\0\0"),
    update(1, 1, struct.pack("<d", 1e-6)),
    update(2, 5, b"cpu-user\0\0\0\0\0\0\0\0"),
    update(0x6373, 1, b'{"a":1}\0'),
    record(75, struct.pack("<QQQQQ", 2, 0, 1, 1, 100)),
]
MAPS = [
    record(74, struct.pack("<HHHH", 0, 2, 0, 1)),
    record(74, struct.pack("<HBBHH", 2, 0, 0, 1, 3)),
    record(74, struct.pack("<HHHI", 1, 1, 4, 7)),
    record(74, struct.pack("<HHHIQ", 1, 1, 8, 0, 7)),
    record(74, struct.pack("<HHH", 0, 1, 0xFFFF)),
]
THREADS = record(73, struct.pack("<Qq16sq16s", 2, 4711, b"bash", -1, b""))
BODY = [
    stat(1, 0, 0, 10),
    stat(3, 1, 0, 20),
    stat(5, 0xFFFFFFFF, 1, 30),
    record(77, struct.pack("<QQ", 0, 100)),
    record(66, struct.pack("<I", 8)) + b"outside!",
    record(71, struct.pack("<QQQIIII", 8, 0, 0, 0, 0, 0, 0)) + b"outside!",
    record(81, b"compressed"),
    record(9, b"sample.."),
    record(68, b""),
    record(200, b"unknown."),
    record(77, struct.pack("<QQ", 1, 200)),
]


# Samples: IDENTIFIER | IP | TID | TIME | CPU | PERIOD, and a group read.
SAMPLE_TYPE = 1 << 16 | 1 | 2 | 4 | 128 | 256
READ_TYPE = SAMPLE_TYPE | 16


def sampler(config, event, sample_type=SAMPLE_TYPE, read_format=0):
    body = struct.pack("<IIQQQQQ", 0, 128, config, 4000, sample_type, read_format, 1).ljust(128, b"\0")
    return body, struct.pack("<Q", event)


def sample(event, cpu, time, period, tail=b""):
    return record(9, struct.pack("<QQIIQIIQ", event, 0x1000, 1, 1, time, cpu, 0, period) + tail)


SAMPLED = [
    record(73, struct.pack("<Qq16s", 1, -1, b"")),
    record(74, struct.pack("<HHHH", 0, 2, 0, 1)),
    sample(1, 0, 10**9, 4000),
    sample(2, 1, 10**9 + 10**8, 4001),
    record(68, b""),
    sample(1, 1, 10**9 + 5 * 10**7, 4000),
    record(2, struct.pack("<QQ", 1, 5)),
    record(13, struct.pack("<Q", 6)),
    record(5, struct.pack("<QQQ", 1, 1, 1)),
    record(68, b""),
    sample(1, 0, 3 * 10**9, 4000),
]
READS = struct.pack("<QQQQQQQ", 2, 5, 5, 100, 1, 200, 2)


def file_mode(attrs, data, features):
    """attrs: (attr, ids); features: {number: bytes}."""
    size = 104
    ids, entries, at = b"", b"", size
    for one, own in attrs:
        entries += one + struct.pack("<QQ", at + len(ids), len(own))
        ids += own
    begin = size + len(ids) + len(entries)
    bits = sum(1 << number for number in features)
    head = struct.pack("<8sQQQQQQQQQQQQ", b"PERFILE2", size, len(attrs[0][0]) + 16, size + len(ids), len(entries), begin,
                       len(data), 0, 0, bits, 0, 0, 0)
    at = begin + len(data) + 16 * len(features)
    table, tail = b"", b""
    for number in sorted(features):
        table += struct.pack("<QQ", at + len(tail), len(features[number]))
        tail += features[number]
    return head + ids + entries + data + table + tail


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for i, one in enumerate(MAPS):
        whole = HEADER + b"".join(HEAD) + one + (THREADS if i in (0, 4) else b"") + b"".join(BODY)
        (folder / f"whole-{i}").write_bytes(whole)
        (folder / f"map-{i}").write_bytes(HEADER + attr(1, 3, 3) + one + stat(3, 1, 0, 5))
    for i, one in enumerate(HEAD + BODY):
        (folder / f"record-{i}").write_bytes(HEADER + attr(0, 0, 1) + one)
    samplers = [sampler(0, 1), sampler(1, 2)]
    readers = [sampler(0, 1, READ_TYPE, 15), sampler(1, 2, READ_TYPE, 15)]
    names = struct.pack("<II", 2, 128) + b"".join(
        one + struct.pack("<I", 1) + text("cycles:u") + own for one, own in samplers)
    features = {3: text("host"), 7: struct.pack("<II", 4, 2), 12: names, 17: struct.pack("<I", 0),
                21: struct.pack("<QQ", 10**9, 3 * 10**9), 29: struct.pack("<IIQQ", 1, 1, 10**18, 10**9)}
    samples = b"".join(SAMPLED)
    group = sample(1, 0, 10**9, 4000, READS) + sample(1, 0, 10**9 + 1, 4000, READS)
    (folder / "file-mode").write_bytes(file_mode(samplers, samples, features))
    (folder / "file-mode-cut").write_bytes(file_mode(samplers, b"", {}) + samples)
    (folder / "file-mode-reads").write_bytes(file_mode(readers, group, {}))
    (folder / "pipe-samples").write_bytes(
        HEADER + b"".join(record(64, one + own) for one, own in samplers) + samples)
    for name in sys.argv[2:]:
        data = pathlib.Path(name).read_bytes()[:65536]
        (folder / f"file-{pathlib.Path(name).name}").write_bytes(data)


main()
