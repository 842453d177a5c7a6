# SPDX-License-Identifier: Apache-2.0
"""
The program as a user starts it, in guests whose time is the wall clock's, looked at through its HTTP interface: with
room for every event, multiplexed, with events missing, and with no PMU at all.
"""
import check_samples as samples
import check_server as server
from api import Api
from estimate import percentile
from truth import EVENTS, RATIOS, Truth

EACH = ("", "?cpu=0", "?cpu=1")  # the target's total, and each CPU


class Served:
    """A guest with the program in it, until the gate is opened at the end of the with block."""

    def __init__(self, tap, boot, name, **options):
        self.tap, self.name = tap, name
        self.guest = boot("amd64", "serve", name=name, cpus=2, port=0, **options)
        self.api = Api(self.guest.port)

    def __enter__(self):
        self.guest.__enter__()
        try:
            self.guest.wait_log("started cyclescope")
            answer = self.api.wait(lambda: self.api.get("/healthz")[0] == 200, self.guest.overdue)
            if not self.tap.ok(answer is True, f"{self.name}: /healthz says 200", answer or "another status"):
                raise self.guest.fail("no 200 from /healthz")
        except BaseException:
            self.guest.__exit__()
            raise
        return self

    def __exit__(self, kind, error, trace):
        try:
            if error is None:
                self.guest.finish()
                self.tap.equal(self.guest.text("program.status").strip(), "0", f"{self.name}: ends with 0 on SIGTERM")
        finally:
            self.guest.__exit__(kind, error, trace)

    def rows(self, least, query=""):
        """At least that many samples; fewer only when they do not come."""
        return self.api.wait(lambda: (rows := self.api.json("/api/data" + query)) and len(rows) >= least and rows,
                             self.guest.overdue) or self.api.json("/api/data" + query)

    def each(self, least):
        """The samples of the total and of each CPU, cut to the intervals that all three answers have."""
        answers = {query: self.rows(least, query) for query in EACH}
        last = min(rows[-1]["sequence"] for rows in answers.values())
        return {query: [r for r in rows if r["sequence"] <= last] for query, rows in answers.items()}


def check_doctor(tap, s, report, status, *says):
    """The doctor's exit status and what it says about the PMU; the page is told the same."""
    out = s.guest.text("doctor.out")
    tap.equal(s.guest.text("doctor.status").strip(), str(status), f"{s.name}: doctor exits with {status}")
    tap.ok(all(word in out for word in says), f"{s.name}: and says why", out)
    hardware = {c["name"]: c for c in report["checks"]}["hardware"]
    tap.equal(hardware["status"], "fail" if status else "pass", f"{s.name}: /api/doctor says so of the PMU")


def check_exact(tap, boot):
    """Eight counters: every event all the time. Also everything that does not depend on the PMU."""
    with Served(tap, boot, "http-exact", pmu={"counters": 8, "profile": "varying"}, environment={"record": "1"}) as s:
        server.check_page_and_meta(tap, s)
        server.check_stream(tap, s)
        answers = s.each(40)
        report = s.api.json("/api/doctor")
    check_doctor(tap, s, report, 0, "cycles and instructions count; 8 events at once")
    rows = answers[""]
    samples.check_shape(tap, s.name, rows)
    samples.check_hardware(tap, s.name, rows)
    tap.ok(not any(set(r.get("quality", {})) & set(EVENTS) for r in rows[1:]), f"{s.name}: every event is exact",
           rows[-1].get("quality"))
    samples.check_told_apart(tap, s, answers, Truth("varying"))
    samples.check_sums(tap, s.name, answers)
    server.check_processes(tap, s)
    server.check_consumer(tap, s, rows)
    samples.check_recorded_cpus(tap, s, Truth("varying"))


def check_scaled(tap, boot):
    """Four counters: multiplexed."""
    with Served(tap, boot, "http-scaled", pmu={"counters": 4, "profile": "varying"}) as s:
        answers = s.each(40)
        report = s.api.json("/api/doctor")
    check_doctor(tap, s, report, 0, "cycles and instructions count; 4 events at once")
    rows = answers[""]
    samples.check_shape(tap, s.name, rows)
    samples.check_hardware(tap, s.name, rows)
    for event in EVENTS:
        said = [r.get("quality", {}).get(event, "exact") for r in rows[1:]]
        shares = sorted(int(q.split()[1]) for q in said if q.startswith("scaled "))
        # Three groups on counters for two. One may have the whole of a short interval, and another none of it.
        tap.ok(len(shares) > len(said) / 2 and 40 <= percentile(shares, 0.5) <= 90,
               f"{s.name}: the quality of {event} is \"scaled N\"", sorted(set(said)))
    samples.check_told_apart(tap, s, answers, Truth("varying"))
    samples.check_sums(tap, s.name, answers)


def check_missing(tap, boot):
    """A PMU without the branch events (ids 4 and 5)."""
    with Served(tap, boot, "http-missing", pmu={"counters": 8, "hwmask": 0x3cf}) as s:
        rows = s.rows(10)
        columns = s.api.json("/api/meta")["columns"]
        events = s.api.stream("/api/stream", 5)
    sent = [sample for kind, _, data in events if kind == "sample" for sample in data]
    for column in ("branches", "branch_misses", "branch_miss_rate"):
        tap.equal({sample[column] for sample in sent}, {None}, f"{s.name}: /api/stream: {column} is null, never 0")
    samples.check_not_supported(tap, s.name, rows, columns, ("branches", "branch_misses", "branch_miss_rate"))
    samples.check_hardware(tap, s.name, rows, ("cycles", "instructions", "cache_references", "cache_misses"))


def check_no_pmu(tap, boot):
    """What most virtual machines are."""
    with Served(tap, boot, "http-none") as s:
        rows = s.rows(25)
        of_cpu = s.api.json("/api/latest?cpu=1")
        meta = s.api.json("/api/meta")
        report = s.api.json("/api/doctor")
    check_doctor(tap, s, report, 3, "gives this virtual machine no PMU", "a virtual machine under QEMU")
    samples.check_shape(tap, s.name, rows)
    samples.check_not_supported(tap, s.name, rows, meta["columns"], (*EVENTS, *RATIOS))
    uses = [r["cpu_use"] for r in rows[15:]]  # a share over the last second
    tap.ok(uses and all(u is not None and 0 <= u <= 1 for u in uses) and any(uses),
           f"{s.name}: CPU use has values from 0 to 1", uses)
    tap.ok(any(r["context_switches"] for r in rows), f"{s.name}: context switches are counted", rows[-1])
    tap.ok(any(of_cpu.get(g) is not None for g in ("cpu_idle", "cpu_user")), f"{s.name}: CPU time of each CPU", of_cpu)
    tap.ok(meta.get("notes"), f"{s.name}: /api/meta has a note about it", meta.get("notes"))
    output = s.guest.text("program.out") + s.guest.text("program.err")
    said = [line for line in output.splitlines() if "PMU" in line or "hardware" in line]
    tap.ok(len(said) == 1, f"{s.name}: says in one line what is missing", output)
