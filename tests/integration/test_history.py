# SPDX-License-Identifier: Apache-2.0
"""The history on disk, from outside: SQL, restarts, kills, its bound, who may have it, and a disk that is full."""

import fcntl
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

from program import PATIENCE, PROGRAM, Running, run, wait_until
from server_process import EventStream, Server

FILL = os.path.join(os.path.dirname(PROGRAM), "tests/history-fill")


def fill_disk(path):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(fd, bytes(4096))
    except OSError:
        pass
    finally:
        os.close(fd)


class Both:
    """The server of `cyclescope` without a command: the newest, where it was started again."""

    def __init__(self, program):
        self.program = program
        program.port()

    def ports(self):
        return [line.rsplit(":", 1)[1].rstrip("/") for line in self.program.lines if "listening on" in line]

    @property
    def port(self):
        return int(self.ports()[-1])

    def json(self, path):
        status, answer = self.program.get(path, self.port)
        return answer if status == 200 else None


class History(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        os.chmod(self.folder, 0o777)  # the server is not root
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = os.path.join(self.folder, "history.db")

    def sql(self, text):
        db = sqlite3.connect(f"file:{self.path}?mode=rw", uri=True)  # never makes it
        try:
            return db.execute(text).fetchall()
        finally:
            db.close()

    def rows(self, tier="samples"):
        try:
            return self.sql(f"SELECT count(*) FROM {tier}")[0][0]
        except sqlite3.OperationalError:
            return 0

    def serve(self, *options, interval="20ms"):
        return Server("--history", self.path, *options, interval=interval)

    def fill(self, n=100, **options):
        """Runs until that many more intervals are in the file."""
        before = self.rows()
        with self.serve(**options) as server:
            self.assertTrue(wait_until(lambda: self.rows() >= before + n), server.lines)

    def times(self):
        return [row[0] for row in self.sql("SELECT time FROM samples ORDER BY id")]

    def test_sql_sees_what_the_page_sees(self):
        with self.serve() as server:
            self.assertTrue(wait_until(lambda: self.rows("samples_1s") >= 2 and self.rows() > 50), server.lines)
            data = {row["timestamp"]: row for row in server.json("/api/data")}
            meta = server.json("/api/meta")
            stored = self.sql("SELECT time, seconds, context_switches, cpu_use FROM samples")
        self.assertEqual(meta["history"]["path"], self.path)
        self.assertEqual(meta["history"]["state"], "ok")
        self.assertEqual(meta["history"]["first"], stored[0][0])
        self.assertGreater(len(stored), 50)
        for time_ms, seconds, switches, use in stored:
            if time_ms in data:
                self.assertEqual(data[time_ms]["context_switches"], switches)
                self.assertAlmostEqual(data[time_ms]["seconds"], seconds, 5)
                self.assertEqual(data[time_ms]["cpu_use"] is None, use is None)
        sums = self.sql("SELECT sum(context_switches), sum(intervals) FROM samples_1s")[0]
        rows = self.sql("SELECT sum(context_switches), count(*) FROM samples "
                        "WHERE time <= (SELECT max(time) FROM samples_1s)")[0]
        self.assertEqual(sums, rows)

    def test_a_restart_goes_on(self):
        self.fill()
        first = self.times()
        time.sleep(0.5)
        with self.serve() as server:
            self.assertTrue(wait_until(lambda: self.rows() > len(first) + 50), server.lines)
            series = server.json("/api/series?columns=context_switches&points=10000")
            meta = server.json("/api/meta")
        self.assertEqual(meta["history"]["first"], first[0])
        self.assertEqual([t for t in series["t"] if t <= first[-1]], first)
        gap = min(t for t in series["t"] if t > first[-1]) - first[-1]
        self.assertGreater(gap, 1.5 * series["resolution_ms"])
        self.assertEqual([s for t, s in zip(series["t"], series["sequence"]) if t <= first[-1]], [None] * len(first))
        self.assertEqual(self.sql("SELECT count(DISTINCT run) FROM samples")[0][0], 2)

    def test_killed_it_loses_a_second_at_most(self):
        newest, lost = 0, []
        for _ in range(5):
            with self.serve() as server:
                rows = self.rows()
                self.assertTrue(wait_until(lambda: self.rows() > rows + 60), server.lines)
                written = set(self.times())
                latest = server.json("/api/latest")["timestamp"]
                os.kill(server.pid, signal.SIGKILL)
                server.server.process.wait()
            times = self.times()
            self.assertEqual(written - set(times), set())
            self.assertEqual(times, sorted(set(times)))
            self.assertGreater(times[-1], newest)
            lost.append(latest - times[-1])
            newest = times[-1]
        # A second, and the time to write it; one that a busy machine let wait has more to lose, but not each of them.
        self.assertLess(min(lost), 1500, lost)
        self.assertEqual(self.sql("PRAGMA integrity_check"), [("ok",)])
        # The coarser tiers were made up from the finer ones.
        self.fill()
        self.assertEqual(self.sql("SELECT sum(intervals) FROM samples_1s"),
                         self.sql("SELECT count(*) FROM samples WHERE time <= (SELECT max(time) FROM samples_1s)"))

    def numbers(self, server, last, count):
        with EventStream(server, f"/api/stream?columns=cpu_use&every=20&last={last}") as stream:
            samples, _ = stream.samples(count)
        return [sample["sequence"] for sample in samples]

    def test_the_stream_resumes_beyond_the_memory(self):
        # At the first of these intervals at which this machine writes them before they leave the memory, as it says.
        for interval in ("2ms", "10ms", "50ms"):
            with self.serve("--memory", "1MiB", interval=interval) as server:
                with EventStream(server, "/api/stream?columns=cpu_use") as stream:
                    samples, last = stream.samples(1)
                known = int(last.split(".")[1])
                self.assertEqual(samples[-1]["sequence"], known)

                def fell_out():
                    meta = server.json("/api/meta")
                    return meta["first"] > samples[-1]["timestamp"] + 1000
                self.assertTrue(wait_until(fell_out), server.lines)
                found = self.numbers(server, last, 1500)
                if server.json("/api/meta")["history"]["lost"] == 0:
                    break
        self.assertEqual(found, list(range(known + 1, known + 1 + len(found))))

    def test_the_stream_resumes_across_a_restart_of_the_server(self):
        program = Running("--listen", "127.0.0.1:0", "--csv", "none", "-I", "10ms", "--history", self.path)
        with program:
            server = Both(program)
            with EventStream(server, "/api/stream?columns=cpu_use") as stream:
                _, last = stream.samples(5)
            known = int(last.split(".")[1])
            self.assertTrue(wait_until(lambda: self.rows() > known + 50), program.lines)
            os.kill(program.child(), signal.SIGKILL)
            self.assertTrue(wait_until(lambda: len(server.ports()) == 2), program.lines)
            self.assertTrue(wait_until(lambda: server.json("/api/meta")["rows"] > 0))
            with EventStream(server, "/api/stream?columns=cpu_use") as stream:
                _, newest = stream.samples(1)
            self.assertEqual(newest.split(".")[0], last.split(".")[0])
            found = self.numbers(server, last, int(newest.split(".")[1]) - known)
            self.assertEqual(found, list(range(known + 1, known + 1 + len(found))))
        times = self.times()
        self.assertEqual(times, sorted(set(times)))

    def test_what_a_stream_missed_has_the_cpus_that_were_asked_for(self):
        """A server that is started again in a run, and clients that come before its first interval, when any CPU could be."""
        recording, rows = os.path.join(self.folder, "run.data"), os.path.join(self.folder, "run.csv")
        with Running("collect", "-o", recording, "--csv", rows, "-I", "10ms") as collector:
            self.assertTrue(wait_until(lambda: os.path.exists(rows) and open(rows, encoding="ascii").read().count("\n") > 110))
            self.assertEqual(collector.stop(), 0, collector.lines)
        with open(recording, "rb") as f:
            stream = f.read()

        def serve():
            reader, writer = os.pipe()
            program = Running("serve", "-", "--listen", "127.0.0.1:0", "--history", self.path, stdin=reader)
            os.close(reader)
            program.port()
            return program, os.fdopen(writer, "wb")

        def paths(last):
            yield f"/api/stream?columns=cpu_use,cpu_user&cpu=0,60000&last={last}"
            yield f"/api/stream?columns=cpu_use,cpu_user&cpu=0&cpu_columns=cpu_use&last={last}"
            yield f"/api/stream?columns=cpu_use,cpu_user&cpu=0&cpu_columns=cpu_use&focus=0&last={last}"

        program, pipe = serve()
        with program, pipe:
            pipe.write(stream)
            pipe.close()
            self.assertTrue(wait_until(lambda: self.rows() > 50), program.lines)
            name = program.get("/api/meta")[1]["run"]
        program, pipe = serve()
        with program, pipe:
            server = type("At", (), {"port": program.port()})
            clients = [EventStream(server, path) for path in paths(f"{name}.1")]
            pipe.write(stream)
            pipe.flush()
            for client, columns in zip(clients, ({"cpu_use", "cpu_user"}, {"cpu_use"}, {"cpu_use", "cpu_user"})):
                samples, _ = client.samples(80)  # some of the file, the others of memory
                self.assertEqual([s["sequence"] for s in samples], list(range(2, 2 + len(samples))))
                for sample in samples:
                    self.assertEqual(list(sample["cpus"]), ["0"])
                    self.assertEqual(set(sample["cpus"]["0"]) - {"quality"}, columns, sample)
                client.close()

    def test_samples_of_a_span_that_has_sums_only(self):
        """Intervals are kept for 6 hours. Of what is older there are rows all the same, which say how long they are."""
        subprocess.run([FILL, self.path, "2", "500", str(7 * 7200)], check=True, stdout=subprocess.DEVNULL)  # 7 h
        os.chmod(self.path, 0o666)
        # Of a stream that has ended: nothing grows older than that while it is asked for.
        recording = os.path.join(self.folder, "run.data")
        self.assertEqual(run("collect", "-o", recording, "--csv", "none", "-I", "500ms", "--duration", "1s").returncode, 0)
        with subprocess.Popen(["cat", recording], stdout=subprocess.PIPE) as stream, \
                Running("serve", "-", "--listen", "127.0.0.1:0", "--history", self.path, stdin=stream.stdout) as server:
            json = lambda path: server.get(path)[1]
            self.assertTrue(wait_until(lambda: json("/api/meta")["input"]["state"] == "ended"), server.lines)
            latest = json("/api/latest")["timestamp"]
            self.assertTrue(wait_until(lambda: self.sql("SELECT max(time) FROM samples")[0][0] == latest), server.lines)
            self.assertTrue(wait_until(lambda: json("/api/meta")["history"]["tiers"][0]["first"]
                                       == self.sql("SELECT min(time) FROM samples")[0][0]), server.lines)
            first = json("/api/meta")["history"]["tiers"][0]["first"]
            ask = lambda begin, end: json(f"/api/data?columns=cycles&from={begin}&to={end}")
            old = ask(first - 1_800_000, first - 600_000)
            across = ask(first - 60_000, first + 60_000)
            fine = ask(first, first + 60_000)
            begin_not_asked = json(f"/api/data?columns=cycles&to={first + 60_000}")
            all_old = json(f"/api/data?columns=cycles&to={first - 600_000}")
            newest = ask(first - 1_800_000, first + 7 * 3_600_000)
            series = json(f"/api/series?columns=cycles&points=10000&from={old[0]['timestamp']}&to={old[-1]['timestamp']}")
        self.assertEqual({row.get("resolution_ms") for row in old}, {1000})
        self.assertAlmostEqual(len(old), 1200, delta=2)
        self.assertTrue(all(first - 1_800_000 <= row["timestamp"] <= first - 600_000 + 999 for row in old))
        self.assertAlmostEqual(sum(row["seconds"] for row in old), 1200, delta=3)
        self.assertEqual([row["timestamp"] for row in old], series["t"])
        for row, mean in zip(old[:-1], series["columns"]["cycles"]["mean"]):  # of two intervals
            self.assertAlmostEqual(row["cycles"] / (2 * mean), 1, 4)
        # A span with both is told in one resolution, from its begin.
        self.assertEqual({row.get("resolution_ms") for row in across}, {1000})
        self.assertAlmostEqual(len(across), 120, delta=2)
        # Single intervals where there are any for the whole span, where no begin was asked for, and where they are as many as
        # there can be rows.
        for rows in (fine, begin_not_asked, newest):
            self.assertEqual({row.get("resolution_ms") for row in rows}, {None})
        self.assertEqual([row["timestamp"] for row in begin_not_asked], [row["timestamp"] for row in fine])
        self.assertEqual(len(newest), 36_000)
        self.assertEqual({row.get("resolution_ms") for row in all_old}, {1000})
        self.assertAlmostEqual(all_old[-1]["timestamp"], first - 600_000, delta=1000)

    def test_the_bound(self):
        most = 0

        def look(done):
            nonlocal most
            size = sum(os.stat(self.path + s).st_size for s in ("", "-wal", "-shm") if os.path.exists(self.path + s))
            most = max(most, size)
            return done()

        with self.serve("--retain", "4MiB", interval="1ms") as server:
            full = wait_until(lambda: look(lambda: self.sql_first() > 0))
            self.assertTrue(full, server.lines)
            meta = server.json("/api/meta")["history"]
        self.assertLessEqual(most, 4 << 20)
        self.assertEqual(meta["bound_bytes"], 4 << 20)
        self.assertEqual(self.sql("PRAGMA integrity_check"), [("ok",)])

    def sql_first(self):
        """How far the oldest interval is behind the oldest second: more than 0 once intervals had to go."""
        try:
            return self.sql("SELECT (SELECT min(id) FROM samples) - (SELECT min(id) FROM samples_100ms)")[0][0] or 0
        except sqlite3.OperationalError:
            return 0

    def test_a_second_server_gets_none(self):
        with self.serve() as first:
            self.assertTrue(wait_until(lambda: self.rows() > 0), first.lines)
            with self.serve() as second:
                self.assertTrue(second.server.said("another cyclescope writes it"), second.lines)
                history = second.json("/api/meta")["history"]
                self.assertEqual((history["path"], history["state"]), (None, "off"))
                self.assertIn("another", history["reason"])
                self.assertEqual(second.request("/healthz")[0] in (200, 503), True)

    @unittest.skipUnless(os.geteuid() == 0, "becomes another user")
    def test_who_may_only_read_it_keeps_nobody_from_writing(self):
        with self.serve() as server:
            self.assertTrue(wait_until(lambda: self.rows() > 0), server.lines)
        heard, told = os.pipe()
        pid = os.fork()  # another user cannot run every python3
        if pid == 0:
            try:
                os.setuid(12345)
                with open(self.path, "rb") as f:
                    fcntl.flock(f, fcntl.LOCK_EX)
                    fcntl.lockf(f, fcntl.LOCK_SH, 1, 1 << 62)
                    os.write(told, b"x")
                    signal.pause()
            finally:
                os._exit(1)
        self.addCleanup(lambda: (os.kill(pid, signal.SIGKILL), os.waitpid(pid, 0)))
        os.close(told)
        self.assertEqual(os.read(heard, 1), b"x")
        os.close(heard)
        before = self.rows()
        with self.serve() as server:
            self.assertTrue(wait_until(lambda: self.rows() > before), server.lines)

    def test_links_and_others_files_are_left_alone(self):
        precious = os.path.join(self.folder, "precious")
        with open(precious, "w", encoding="ascii") as f:
            f.write("precious")
        os.symlink(precious, self.path)
        with self.serve() as server:
            self.assertTrue(server.server.said("symbolic link"), server.lines)
        os.unlink(self.path)
        os.link(precious, self.path)
        with self.serve() as server:
            self.assertTrue(server.server.said("not this user's own"), server.lines)
        os.unlink(self.path)
        os.mkfifo(self.path)
        with self.serve() as server:
            self.assertTrue(server.server.said("not this user's own"), server.lines)
        with open(precious, encoding="ascii") as f:
            self.assertEqual(f.read(), "precious")

    @unittest.skipUnless(os.geteuid() == 0, "gives a file away")
    def test_anothers_file_is_left_alone(self):
        with open(self.path, "w", encoding="ascii"):
            pass
        os.chown(self.path, 12345, 12345)
        with self.serve() as server:
            self.assertTrue(server.server.said("not this user's own"), server.lines)
        self.assertEqual(os.stat(self.path).st_size, 0)

    @unittest.skipUnless(os.geteuid() == 0, "as root the server becomes another user")
    def test_root_gives_it_to_the_servers_user(self):
        with open(self.path, "w", encoding="ascii"):
            pass
        self.fill(20)
        with self.serve() as server:
            with open(f"/proc/{server.pid}/status", encoding="ascii") as f:
                uid = int(next(line for line in f if line.startswith("Uid:")).split()[1])
        self.assertNotEqual(uid, 0)
        self.assertEqual(os.stat(self.path).st_uid, uid)

    def test_damage_is_set_aside(self):
        self.fill(20)
        with open(self.path, "r+b") as f:
            f.write(b"nothing that a database begins with")
        for suffix in ("-wal", "-shm"):
            if os.path.exists(self.path + suffix):
                os.unlink(self.path + suffix)
        with self.serve() as server:
            self.assertTrue(server.server.said("set aside as history.db.damaged-"), server.lines)
            self.assertTrue(wait_until(lambda: self.rows() > 20), server.lines)
        self.assertTrue(any(name.startswith("history.db.damaged-") for name in os.listdir(self.folder)))

    def holding(self, how):
        """Another program, which begins a transaction of its own."""
        other = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(other.close)
        other.execute(f"BEGIN {how}")
        return other

    def test_another_program_is_waited_for(self):
        for how in ("EXCLUSIVE", "IMMEDIATE"):  # a file without tables, and one with a log
            before = self.rows()
            other = self.holding(how)
            with self.serve() as server:
                self.assertTrue(server.server.said(f"another program, process {os.getpid()}, keeps it busy; waiting for it"), server.lines)
                other.execute("ROLLBACK")
                self.assertTrue(wait_until(lambda: server.json("/api/meta")["rows"] > 0), server.lines)
                first = server.json("/api/meta")["first"]
                self.assertTrue(wait_until(lambda: self.rows() > before + 20), server.lines)
                self.assertEqual(server.json("/api/meta")["history"]["state"], "ok")
            self.assertEqual(self.times()[before], first)  # nothing was lost

    def in_memory(self, server, reason):
        self.assertTrue(server.server.said(reason + "; what is measured now stays in memory only"), server.lines)
        self.assertTrue(wait_until(lambda: server.json("/api/meta")["history"]["tiers"][1]["first"]), server.lines)
        history = server.json("/api/meta")["history"]
        self.assertEqual((history["path"], history["state"], history["reason"]), (None, "failed", reason))
        series = server.json("/api/series?columns=cpu_use&points=3")
        self.assertTrue(0 < len(series["t"]) <= 3, series)
        self.assertTrue(wait_until(lambda: server.request("/healthz")[0] == 200))

    def test_another_program_that_lets_go_late_is_followed(self):
        self.fill(20)
        before = self.rows()
        other = self.holding("IMMEDIATE")
        reason = f"another program, process {os.getpid()}, keeps it busy"
        with self.serve() as server:
            self.assertTrue(server.server.said(reason + "; what is measured now waits in memory until it can be written"), server.lines)
            self.assertTrue(wait_until(lambda: server.json("/api/meta")["rows"] > 100), server.lines)
            history = server.json("/api/meta")["history"]
            self.assertEqual((history["path"], history["state"], history["reason"]), (self.path, "failed", reason))
            self.assertTrue(0 < len(server.json("/api/series?columns=cpu_use&points=3")["t"]) <= 3)
            first = server.json("/api/meta")["first"]
            other.execute("ROLLBACK")
            self.assertTrue(wait_until(lambda: self.rows() > before + 100), server.lines)
            self.assertTrue(server.server.said("history: goes on"), server.lines)
            # One history: what was there before, and what was measured while it was kept busy.
            self.assertTrue(wait_until(lambda: server.json("/api/meta")["history"]["first"] < first), server.lines)
            history = server.json("/api/meta")["history"]
            self.assertEqual((history["state"], history["lost"]), ("ok", 0))
        self.assertEqual(self.times()[before], first)

    def nothing_was_lost(self, server, hold):
        """What is measured while others keep it from writing is there afterwards, and both is said once."""
        def history():
            return server.json("/api/meta")["history"]

        self.assertTrue(wait_until(lambda: self.rows() > 20), server.lines)
        pid, let_go = hold()
        self.assertTrue(wait_until(lambda: history()["state"] == "failed"), server.lines)
        self.assertEqual(history()["reason"], f"another program, process {pid}, keeps it busy")
        stopped = server.json("/api/latest")["sequence"]
        self.assertTrue(wait_until(lambda: server.json("/api/latest")["sequence"] > stopped + 100), server.lines)
        let_go()
        last = server.json("/api/latest")["timestamp"]
        self.assertTrue(wait_until(lambda: history()["state"] == "ok"), server.lines)
        self.assertTrue(wait_until(lambda: (self.times() or [0])[-1] >= last), server.lines)
        self.assertEqual(history()["lost"], 0)
        times, shown = self.times(), [s["timestamp"] for s in server.json("/api/data?columns=cpu_use")]
        self.assertEqual(times[-100:], [t for t in shown if t <= times[-1]][-100:])
        # By turns, each once. (More than two, where this test itself was kept from ending a query for some seconds.)
        said = ["goes on" in line for line in server.lines if "history: " in line]
        self.assertGreaterEqual(len(said), 2, server.lines)
        self.assertEqual(said, [i % 2 == 1 for i in range(len(said))], server.lines)

    def test_who_reads_for_long(self):
        def hold():
            other = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, isolation_level=None)
            self.addCleanup(other.close)
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM samples").fetchall()
            return os.getpid(), lambda: other.execute("ROLLBACK")

        # The log may take an eighth of that.
        with self.serve("--retain", "4MiB", interval="10ms") as server:
            self.nothing_was_lost(server, hold)

    @unittest.skipUnless(os.geteuid() == 0, "becomes another user")
    def test_who_may_only_read_it_and_locks_its_index(self):
        def hold():
            heard, told = os.pipe()
            pid = os.fork()  # another user cannot run every python3
            if pid == 0:
                try:
                    os.setuid(12345)
                    with open(self.path + "-shm", "rb") as f:
                        fcntl.lockf(f, fcntl.LOCK_SH, 1, 120)  # of who writes
                        os.write(told, b"x")
                        signal.pause()
                finally:
                    os._exit(1)
            os.close(told)
            self.assertEqual(os.read(heard, 1), b"x")
            os.close(heard)
            return pid, lambda: (os.kill(pid, signal.SIGKILL), os.waitpid(pid, 0))

        with self.serve() as server:
            self.nothing_was_lost(server, hold)

    @unittest.skipUnless(os.geteuid() == 0, "the server is another user then")
    def test_a_log_of_another_user_is_done_without(self):
        self.fill(20)
        with Server("--history", self.path, interval="20ms", start=False) as server:
            self.holding("IMMEDIATE").execute("ROLLBACK")  # has made the log anew
            for suffix in ("-wal", "-shm"):
                os.chown(self.path + suffix, 0, 0)
            server.begin()
            self.in_memory(server, "attempt to write a readonly database")

    def test_none_keeps_nothing(self):
        with Server("--history", "none") as server:
            self.assertTrue(wait_until(lambda: server.json("/api/meta")["rows"] > 30))
            history = server.json("/api/meta")["history"]
            self.assertEqual((history["path"], history["state"], history["reason"]), (None, "off", None))
            self.assertLessEqual(len(server.json("/api/series?columns=cpu_use&points=3")["t"]), 3)

    def test_a_recording_is_not_this_machines_history(self):
        recording = os.path.join(self.folder, "r.data")
        run("collect", "-o", recording, "--csv", "none", "-I", "5ms", "--duration", "2s")
        with Running("serve", recording, "--listen", "127.0.0.1:0") as server:
            self.assertTrue(wait_until(lambda: server.get("/api/meta")[1]["input"]["state"] == "ended"))
            self.assertIsNone(server.get("/api/meta")[1]["history"]["path"])
            data = server.get("/api/data")[1]
        # Asked to, it becomes one.
        with Running("serve", recording, "--listen", "127.0.0.1:0", "--history", self.path) as server:
            self.assertTrue(wait_until(lambda: self.rows() == len(data)), server.lines)
        self.assertEqual(self.times(), [row["timestamp"] for row in data])

    @unittest.skipUnless(os.geteuid() == 0, "mounts a small disk")
    def test_a_full_disk_pauses_it(self):
        disk = os.path.join(self.folder, "disk")
        os.mkdir(disk)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=777", "none", disk], check=False).returncode:
            self.skipTest("this user may not mount")
        self.addCleanup(subprocess.run, ["umount", disk], check=False)
        self.path = os.path.join(disk, "history.db")
        filler = os.path.join(disk, "filler")
        with self.serve("--retain", "4MiB") as server:
            self.assertTrue(wait_until(lambda: self.rows() > 20), server.lines)
            fill_disk(filler)
            self.assertTrue(server.server.said("history: paused: the disk is full"), server.lines)
            self.assertEqual(server.json("/api/meta")["history"]["state"], "failed")
            self.assertTrue(wait_until(lambda: server.request("/healthz")[0] == 200))
            before = server.json("/api/latest")["timestamp"]
            os.unlink(filler)
            self.assertTrue(server.server.said("history: goes on"), server.lines)
            self.assertTrue(wait_until(lambda: self.times()[-1] > before), server.lines)
            # What was measured meanwhile was in memory, and is there.
            times = self.times()
            shown = {row["timestamp"] for row in server.json(f"/api/data?to={before}&columns=cpu_use")}
            self.assertIn(before, shown)
            self.assertEqual(shown - set(times), set())
            self.assertEqual(sum("paused" in line for line in server.lines), 1)


if __name__ == "__main__":
    unittest.main()
