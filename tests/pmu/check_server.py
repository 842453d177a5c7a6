# SPDX-License-Identifier: Apache-2.0
"""The page, the stream, what the processes are allowed to do, and the file that other people's programs read."""
import re

import csvfile
from check_samples import ALWAYS


def check_page_and_meta(tap, served):
    name = served.name
    status, kind, body = served.api.get("/")
    tap.ok(status == 200 and kind.startswith("text/html") and b"<!doctype html" in body[:200].lower(),
           f"{name}: / is the page", f"{status} {kind} {body[:100]!r}")
    meta = served.api.json("/api/meta")
    tap.equal(meta["cpus"]["online"], [0, 1], f"{name}: /api/meta names both CPUs")
    tap.equal(meta["interval_ms"], 100, f"{name}: the interval is 100 ms")
    have = {c["id"] for c in meta["columns"]}
    tap.equal([c for c in ALWAYS if c not in have], [], f"{name}: /api/meta has every column of every run")


def check_stream(tap, served):
    """Every sample, each once and in order, on a grid of ten a second: one that this machine let the guest miss is not there."""
    name = served.name
    events = served.api.stream("/api/stream", 20)
    samples = [s for kind, _, data in events if kind == "sample" for s in data]
    numbers = [s["sequence"] for s in samples]
    tap.ok(len(numbers) >= 20 and numbers == list(range(numbers[0], numbers[0] + len(numbers))),
           f"{name}: /api/stream sends every sample once", numbers)
    steps = [b["timestamp"] - a["timestamp"] for a, b in zip(samples, samples[1:])]
    tap.ok(100 in steps and not any(step % 100 for step in steps), f"{name}: ten a second", steps)
    meta = served.api.json("/api/meta")
    ids = [ident for kind, ident, _ in events if kind == "sample"]
    tap.ok(ids and all(re.fullmatch(re.escape(meta["run"]) + r"\.\d+", i or "") for i in ids),
           f"{name}: its ids are run.sequence", ids[:3])
    latest = served.api.json("/api/latest")
    tap.ok(samples and latest["sequence"] >= numbers[-1] and latest.keys() >= samples[-1].keys() - {"quality"},
           f"{name}: /api/latest is such a sample", latest)


def status_fields(text):
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def check_processes(tap, served):
    """Whoever listens has no privilege left; whoever has privileges does not listen."""
    name, results = served.name, served.guest.results
    # /proc/net/tcp: sl local_address rem_address st … inode; 0A is LISTEN, 1388 is port 5000.
    lines = [line.split() for line in served.guest.text("tcp").splitlines()[1:]]
    listening = {f[9] for f in lines if f[3] == "0A" and f[1].endswith(":1388")}
    local = {f[1] for f in lines if f[3] == "0A" and f[1].endswith(":1388")}
    tap.equal(local, {"0100007F:1388"}, f"{name}: listens on 127.0.0.1:5000 only")
    servers, others = {}, {}
    for file in results:
        if m := re.fullmatch(r"process-(\d+)\.status", file):
            sockets = set(re.findall(r"socket:\[(\d+)\]", served.guest.text(f"process-{m[1]}.fd")))
            (servers if sockets & listening else others)[m[1]] = status_fields(served.guest.text(file))
    tap.ok(len(servers) == 1 and others, f"{name}: one process listens, another measures",
           f"listening: {list(servers)}, others: {list(others)}")
    for status in servers.values():
        for field, value in (("Seccomp", "2"), ("NoNewPrivs", "1")):
            tap.equal(status.get(field), value, f"{name}: the server's {field} is {value}")
        for field in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
            tap.equal(int(status[field], 16), 0, f"{name}: the server's {field} is empty")
        for field in ("Uid", "Gid"):
            tap.ok("0" not in status[field].split(), f"{name}: the server's {field} is not root's", status[field])
    tap.ok(any(s["Uid"].split()[1] == "0" for s in others.values()), f"{name}: the collector is root",
           [s["Uid"] for s in others.values()])


def check_consumer(tap, served, rows):
    """csv.DictReader and six conversions for every row, while every interval is counted."""
    name, text = served.name, served.guest.text("perf_data.csv")
    try:
        consumed, why = csvfile.original_consumer(text), ""
    except (KeyError, ValueError) as e:
        consumed, why = [], f"{type(e).__name__}: {e}"
    tap.ok(len(consumed) >= 40, f"{name}: the original consumer reads /tmp/perf_data.csv",
           why + f"; {len(consumed)} rows\n" + "\n".join(text.splitlines()[:4]))
    tap.equal(text.splitlines()[0].split(",")[:6] if text else [], csvfile.FIRST_COLUMNS,
              f"{name}: the six columns come first")
    times = [row[0] for row in consumed]
    tap.ok(times == sorted(set(times)), f"{name}: the CSV's timestamps increase", times[:20])
    # Both are whole numbers of the same interval.
    in_csv = {row[0]: row[1:5] for row in consumed}
    keys = ("cycles", "instructions", "cache_misses", "branch_misses")
    shared = [r for r in rows if round(r["timestamp"]) in in_csv]
    wrong = [r for r in shared if [r[k] for k in keys] != in_csv[round(r["timestamp"])]]
    tap.ok(len(shared) >= 0.9 * len(rows) > 0 and not wrong, f"{name}: the CSV and the API say the same",
           wrong[:2] or f"{len(shared)} of {len(rows)} samples are in the CSV")
