# SPDX-License-Identifier: Apache-2.0
"""The HTTP contract of docs/api.md, asked of the real program: answers, refusals, and clients that behave badly."""

import concurrent.futures
import http.client
import json
import os
import socket
import tempfile
import time
import unittest
import unittest.mock

from program import PATIENCE, wait_until
from server_process import EventStream, Server

HEAD_DEADLINE = 10  # seconds: WEB_HEAD_DEADLINE
# More than any number of stalled clients may cost. AddressSanitizer keeps the newest 256 MB that were freed, which a server fills
# with no client at all (measured: 147 MiB without, 157 with 20 of them; with 16 MB kept, 30 and 30).
MEMORY_GROWTH = (64 if os.environ.get("CYCLESCOPE_SANITIZED") else 16) << 20
HELD = 16 << 20  # HELD_MAX_BYTES
KEEP_LITTLE = {"ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:quarantine_size_mb=16"}


class SharedServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        assert wait_until(lambda: cls.server.json("/api/latest").get("sequence", 0) > 3), "no samples"

    def assert_error(self, answer, status, code=None):
        self.assertEqual(answer[0], status, answer[2])
        error = json.loads(answer[2])["error"]
        self.assertTrue(error["message"])
        if code:
            self.assertEqual(error["code"], code)


class Answers(SharedServer):
    def test_latest(self):
        begin = time.time() * 1000
        # It follows the machine: one comes that is newer than now, and none is of the future.
        self.assertTrue(wait_until(lambda: self.server.json("/api/latest")["timestamp"] > begin))
        sample = self.server.json("/api/latest")
        self.assertLess(sample["timestamp"], time.time() * 1000 + 100)
        for key in ("timestamp", "seconds", "sequence", "cycles", "instructions", "cache_misses",
                    "branch_misses", "cpi", "context_switches", "cpu_use"):
            self.assertIn(key, sample)
        for key, quality in sample.get("quality", {}).items():
            self.assertRegex(quality, r"^(scaled [1-9]\d?|never ran|not supported|denied|offline)$")
            if not quality.startswith("scaled"):
                self.assertIsNone(sample[key])

    def test_latest_moves_on(self):
        before = self.server.json("/api/latest")["sequence"]
        self.assertTrue(wait_until(lambda: self.server.json("/api/latest")["sequence"] > before))

    def test_latest_columns_and_cpu(self):
        sample = self.server.json("/api/latest?columns=cpi,context_switches&cpu=0")
        self.assertEqual([k for k in sample if k != "quality"],
                         ["timestamp", "seconds", "sequence", "cpi", "context_switches"])

    def test_data(self):
        rows = self.server.json("/api/data")
        self.assertGreater(len(rows), 2)
        self.assertEqual([r["sequence"] for r in rows],
                         list(range(rows[0]["sequence"], rows[0]["sequence"] + len(rows))))
        stamps = [r["timestamp"] for r in rows]
        self.assertEqual(stamps, sorted(set(stamps)))

    def test_data_range_is_inclusive(self):
        stamps = [r["timestamp"] for r in self.server.json("/api/data")]
        rows = self.server.json(f"/api/data?from={stamps[1]}&to={stamps[2]}")
        self.assertEqual([r["timestamp"] for r in rows], stamps[1:3])
        rows = self.server.json(f"/api/data?from={stamps[1]}.5&to={stamps[2]}.5")
        self.assertEqual([r["timestamp"] for r in rows], stamps[2:3])

    def test_data_points_sums_counts(self):
        wait_until(lambda: self.server.json("/api/latest")["sequence"] > 25)
        rows = self.server.json("/api/data?columns=context_switches")
        thin = self.server.json(f"/api/data?columns=context_switches&points=3&to={rows[-1]['timestamp']}")
        self.assertLessEqual(len(thin), 3)
        self.assertEqual(sum(r["context_switches"] for r in thin),
                         sum(r["context_switches"] for r in rows))
        self.assertAlmostEqual(sum(r["seconds"] for r in thin), sum(r["seconds"] for r in rows), places=3)

    def test_series(self):
        wait_until(lambda: self.server.json("/api/latest")["sequence"] > 25)
        series = self.server.json("/api/series?columns=context_switches,cpu_use&points=4")
        self.assertEqual(list(series["columns"]), ["context_switches", "cpu_use"])
        self.assertLessEqual(len(series["t"]), 4)
        for line in series["columns"].values():
            for key in ("mean", "min", "max", "running"):
                self.assertEqual(len(line[key]), len(series["t"]))
        line = series["columns"]["context_switches"]
        for low, mean, high in zip(line["min"], line["mean"], line["max"]):
            self.assertTrue(low <= mean <= high)

    def test_series_of_all_cpus(self):
        # Well before the live edge, where buckets are not complete and grow between two answers.
        to = self.server.json("/api/latest")["timestamp"] + 500
        self.assertTrue(wait_until(lambda: self.server.json("/api/latest")["timestamp"] > to + 1500))
        for points in (4, 1000):
            span = f"from={to - 1000}&to={to}&points={points}"
            possible = self.server.json("/api/meta")["cpus"]["possible"]

            def at_once():
                """All of them, and each; nothing if a busy machine added more to a bucket meanwhile."""
                every, *ones, again = (self.server.json(f"/api/series?cpu={cpu}&columns=cpu_user&{span}")
                                       for cpu in ("all", *range(possible), "all"))
                return every == again and (every, ones)

            every, ones = wait_until(at_once)
            self.assertEqual(list(every["cpus"]), [str(c) for c in range(possible)])
            self.assertLessEqual(len(every["t"]), points)
            for means, one in zip(every["cpus"].values(), ones):
                for key in ("t", "interval_ms", "resolution_ms", "per_bucket"):
                    self.assertEqual(every[key], one[key], key)
                self.assertEqual(len(means), len(one["columns"]["cpu_user"]["mean"]))
                for a, b in zip(means, one["columns"]["cpu_user"]["mean"]):
                    self.assertEqual(a is None, b is None)
                    if a is not None:
                        self.assertAlmostEqual(a, b, delta=1e-5 * abs(b))
        # Of the whole machine only: no value per CPU, and so null.
        whole = self.server.json(f"/api/series?cpu=all&columns=run_queue&from={to - 1000}&to={to}")
        self.assertEqual({v for means in whole["cpus"].values() for v in means}, {None})
        nothing = self.server.json("/api/series?cpu=all&columns=cpu_use&from=0&to=1")
        self.assertEqual(nothing["t"], [])
        self.assertEqual({len(means) for means in nothing["cpus"].values()}, {0})

    def test_meta(self):
        meta = self.server.json("/api/meta")
        self.assertEqual(meta["program"], "cyclescope")
        self.assertEqual(meta["input"]["state"], "live")
        ids = [c["id"] for c in meta["columns"]]
        self.assertEqual(len(ids), len(set(ids)))
        for column in meta["columns"]:
            if column["quality"] in ("not supported", "denied"):
                self.assertTrue(column["why"], column["id"])
        self.assertGreater(meta["health"]["server"]["rss_bytes"], 0)
        sample = self.server.json("/api/latest")
        self.assertEqual(set(ids), set(sample) - {"timestamp", "seconds", "sequence", "quality"})

    def test_health(self):
        def health():
            status, _, body = self.server.request("/healthz")
            return status, json.loads(body)

        # A collector that a busy machine keeps silent for two seconds is told, until it goes on.
        self.assertTrue(wait_until(lambda: health() == (200, {"status": "ok"})), health())

    def test_page(self):
        status, headers, plain = self.server.request("/")
        self.assertEqual(status, 200)
        self.assertTrue(headers["Content-Type"].startswith("text/html"))
        self.assertIn("frame-ancestors 'none'", headers["Content-Security-Policy"])
        status, headers, packed = self.server.request("/", headers={"Accept-Encoding": "br, gzip"})
        self.assertEqual((status, headers["Content-Encoding"]), (200, "gzip"))
        self.assertNotEqual(packed, plain)
        status, _, body = self.server.request(
            "/", headers={"Accept-Encoding": "gzip", "If-None-Match": headers["ETag"]})
        self.assertEqual((status, body), (304, b""))
        status, headers, _ = self.server.request("/", headers={"Accept-Encoding": "gzip;q=0"})
        self.assertIsNone(headers["Content-Encoding"])

    def test_security_headers(self):
        for path in ("/", "/api/latest", "/api/data", "/nowhere"):
            headers = self.server.request(path)[1]
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(headers["Referrer-Policy"], "no-referrer")
            self.assertEqual(headers["Cross-Origin-Resource-Policy"], "same-origin")
            if path != "/":
                self.assertEqual(headers["Cache-Control"], "no-store")

    def test_head(self):
        for path in ("/", "/api/latest", "/api/data", "/api/stream", "/api/meta"):
            status, headers, body = self.server.request(path, method="HEAD")
            self.assertEqual((status, body), (200, b""), path)
            self.assertTrue(headers["Content-Type"])

    def test_keep_alive_and_pipelining(self):
        one = b"GET /api/latest HTTP/1.1\r\nHost: localhost\r\n\r\n"
        answers = self.server.raw(one * 50, lambda got: got.count(b"HTTP/1.1 200 OK") == 50)
        self.assertEqual(answers.count(b"HTTP/1.1 200 OK"), 50)


class Refusals(SharedServer):
    def test_not_found(self):
        for path in ("/nowhere", "/api", "/api/", "/api/latest/", "/api/nurse", "/../etc/passwd", "/%2e%2e/"):
            self.assert_error(self.server.request(path), 404, "not_found")

    def test_method(self):
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"):
            answer = self.server.request("/api/latest", method=method)
            self.assert_error(answer, 405, "method_not_allowed")
            self.assertEqual(answer[1]["Allow"], "GET, HEAD")

    def test_body(self):
        self.assert_error(self.server.request("/api/latest", body=b"x" * 100), 413)
        head = b"GET /api/latest HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.assertIn(b" 413 ", self.server.status_line(head))

    def test_long_target(self):
        self.assert_error(self.server.request("/api/latest?columns=" + "a" * 5000), 414)
        self.assertIn(b" 414 ", self.server.status_line(b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"))

    def test_bad_parameters(self):
        bad = {
            "/api/latest?cpu=x": "cpu", "/api/latest?cpu=-1": "cpu", "/api/latest?cpu=100000": "cpu",
            "/api/latest?cpu=": "cpu", "/api/latest?columns=": "columns",
            "/api/latest?columns=nonsense": "columns", "/api/latest?columns=cpi,,ipc": "columns",
            "/api/data?from=x": "from", "/api/data?to=1e5": "to", "/api/data?from=nan": "from",
            "/api/data?from=2&to=1": "from", "/api/data?from=": "from", "/api/data?from=0x10": "from",
            "/api/data?points=0": "points", "/api/data?points=10001": "points",
            "/api/data?points=1.5": "points", "/api/series?points=-1": "points",
            "/api/series?points=99999999999999999999999": "points",
            "/api/series?cpu=all": "columns", "/api/series?cpu=all&columns=cpu_use,ipc": "columns",
            "/api/series?cpu=all&columns=nonsense": "columns", "/api/series?cpu=all&columns=": "columns",
            "/api/series?cpu=all&columns=cpu_use&points=1048577": "points",
            "/api/stream?every=19": "every", "/api/stream?every=60001": "every",
            "/api/stream?cpu=1-": "cpu", "/api/stream?cpu=": "cpu", "/api/stream?cpu=60000": "cpu",
            "/api/stream?last=x": "last", "/api/stream?columns=x": "columns",
            "/api/stream?cpu=all&cpu_columns=x": "cpu_columns", "/api/stream?cpu=all&cpu_columns=": "cpu_columns",
            "/api/stream?cpu=all&cpu_columns=cpi&focus=x": "focus",
        }
        for path, name in bad.items():
            with self.subTest(path):
                answer = self.server.request(path)
                self.assert_error(answer, 400, "bad_parameter")
                self.assertTrue(json.loads(answer[2])["error"]["message"].startswith(name + ":"))

    def test_nul_byte(self):
        self.assert_error(self.server.request("/api/latest%00x"), 400)
        self.assert_error(self.server.request("/api/latest?columns=cpi%00x"), 400)

    def test_host(self):
        port = self.server.port
        for host in (f"localhost:{port}", "LOCALHOST", f"127.0.0.1:{port}", f"[::1]:{port}"):
            self.assertEqual(self.server.request("/api/latest", headers={"Host": host})[0], 200, host)
        for host in ("evil.example", f"evil.example:{port}", "localhost.evil.example", "127.0.0.1.nip.io",
                     "127.0.0.2"):
            self.assert_error(self.server.request("/", headers={"Host": host}), 421, "wrong_host")
        for host in ("", "localhost:x", "[::1", "localhost:123456"):
            self.assert_error(self.server.request("/", headers={"Host": host}), 400, "bad_host")
        self.assertIn(b" 400 ", self.server.status_line(b"GET / HTTP/1.1\r\n\r\n"))
        self.assertIn(b" 400 ", self.server.status_line(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"))

    def test_other_sites(self):
        port = self.server.port
        host = {"Host": f"localhost:{port}"}
        ask = lambda path, **h: self.server.request(path, headers=host | {k.replace("_", "-"): v for k, v in h.items()})
        self.assertEqual(ask("/api/latest", Origin=f"http://localhost:{port}")[0], 200)
        for origin in ("http://evil.example", f"http://127.0.0.1:{port}", "http://localhost:1", "null"):
            self.assert_error(ask("/api/latest", Origin=origin), 403, "cross_site")
        self.assertEqual(ask("/api/latest", Sec_Fetch_Site="same-origin")[0], 200)
        self.assertEqual(ask("/api/latest", Sec_Fetch_Site="none")[0], 200)
        self.assert_error(ask("/api/latest", Sec_Fetch_Site="cross-site"), 403)
        self.assertEqual(ask("/", Sec_Fetch_Site="cross-site")[0], 200)

    def test_garbage(self):
        for data in (b"\0" * 1000, os.urandom(5000), b"GET\r\n\r\n", b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
                     b"\r\n\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
                     b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 100000 + b"\r\n\r\n",
                     b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
            self.server.raw(data, lambda got: False, 0.5)
        self.assertEqual(self.server.request("/api/latest")[0], 200)

    def test_connection_that_is_cut(self):
        for path in ("/api/data", "/api/stream", "/"):
            for _ in range(20):
                with self.server.connect() as s:
                    s.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self.assertEqual(self.server.request("/api/latest")[0], 200)


class Streams(SharedServer):
    def test_every_sample_once(self):
        with EventStream(self.server) as stream:
            samples, identity = stream.samples(20)
        self.assertEqual([s["sequence"] for s in samples],
                         list(range(samples[0]["sequence"], samples[0]["sequence"] + len(samples))))
        run, sequence = identity.split(".")
        self.assertEqual(run, self.server.json("/api/meta")["run"])
        self.assertEqual(int(sequence), samples[-1]["sequence"])

    def test_resume(self):
        with EventStream(self.server) as stream:
            before, identity = stream.samples(5)
        time.sleep(1)
        for path, headers in (("/api/stream", {"Last-Event-ID": identity}), (f"/api/stream?last={identity}", {})):
            with EventStream(self.server, path, headers) as stream:
                after, _ = stream.samples(10)
            self.assertEqual(after[0]["sequence"], before[-1]["sequence"] + 1)
            self.assertEqual([s["sequence"] for s in after],
                             list(range(after[0]["sequence"], after[0]["sequence"] + len(after))))

    def test_foreign_event_id_is_no_error(self):
        for identity in ("nonsense", "ffffffff.12", "." * 500):
            with EventStream(self.server, headers={"Last-Event-ID": identity}) as stream:
                self.assertEqual(stream.answer.status, 200)
                stream.samples(2)

    def test_every(self):
        asked = time.monotonic()
        with EventStream(self.server, "/api/stream?every=500&columns=cpi") as stream:
            events = iter(stream)
            next(events)
            together = []
            while sum(together) < 30 or len(together) < 3:
                event, _, data = next(events)
                self.assertEqual(event, "sample")
                self.assertEqual(set(data[0]) - {"quality"}, {"timestamp", "seconds", "sequence", "cpi"})
                together.append(len(data))
            # Events are half a second apart, however many samples come in each; without it 50 ms.
            self.assertGreaterEqual(time.monotonic() - asked, 0.5 * (len(together) - 1), together)

    def test_cpus(self):
        with EventStream(self.server, "/api/stream?cpu=all&columns=context_switches") as stream:
            samples, _ = stream.samples(3)
        self.assertIn("context_switches", samples[0]["cpus"]["0"])
        with EventStream(self.server, "/api/stream?cpu=0") as stream:
            samples, _ = stream.samples(3)
        self.assertEqual(list(samples[0]["cpus"]), ["0"])

    def test_columns_of_cpus(self):
        fixed = {"timestamp", "seconds", "sequence", "cpus", "quality"}
        path = "/api/stream?columns=cpu_use,context_switches&cpu=all&cpu_columns=cpu_use"
        for focus in ("", "&focus=0"):
            with EventStream(self.server, path + focus) as stream:
                samples, _ = stream.samples(3)
            for sample in samples:
                self.assertEqual(set(sample) - fixed, {"cpu_use", "context_switches"})
                for cpu, values in sample["cpus"].items():
                    wanted = {"cpu_use", "context_switches"} if focus and cpu == "0" else {"cpu_use"}
                    self.assertEqual(set(values) - {"quality"}, wanted)
        self.assertGreaterEqual(len(samples[0]["cpus"]), 1)

    def test_many_streams(self):
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            def one(_):
                with EventStream(self.server) as stream:
                    return stream.samples(10)[0]
            for samples in pool.map(one, range(100)):
                self.assertEqual(len({s["sequence"] for s in samples}), len(samples))

    def test_many_connections(self):
        connections = [http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE) for _ in range(300)]
        try:
            for _ in range(3):
                for c in connections:
                    c.request("GET", "/api/latest")
                for c in connections:
                    answer = c.getresponse()
                    self.assertEqual(answer.status, 200)
                    answer.read()
        finally:
            for c in connections:
                c.close()


class BadClients(unittest.TestCase):
    def test_trickling_heads(self):
        with Server() as server:
            def trickle(data):
                """How long it lasted, or None when all of it could be sent."""
                started = time.monotonic()
                with server.connect() as s:
                    try:
                        for byte in data:
                            s.sendall(bytes([byte]))
                            s.settimeout(1)
                            try:
                                if not s.recv(1000):
                                    return time.monotonic() - started
                            except socket.timeout:
                                pass
                    except (BrokenPipeError, ConnectionResetError):
                        return time.monotonic() - started
                return None
            head = b"GET /api/latest HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 60
            with concurrent.futures.ThreadPoolExecutor(20) as pool:
                lasted = list(pool.map(trickle, [head] * 20))
            # To send it all takes ten times as long.
            self.assertNotIn(None, lasted)
            self.assertGreater(min(lasted), HEAD_DEADLINE - 2)
            self.assertEqual(server.request("/api/latest")[0], 200)

    def test_stalled_streams(self):
        with unittest.mock.patch.dict(os.environ, KEEP_LITTLE):
            # Its ring is full within the first minute: what it holds of the machine grows no more, however long this takes.
            server = Server("--memory", "1MiB", interval="10ms")
        with server:
            before = server.memory()
            stalled = [server.connect(receive_buffer=4096) for _ in range(20)]
            for s in stalled:
                s.sendall(b"GET /api/stream?cpu=all&every=20 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with EventStream(server) as good:
                samples, _ = good.samples(100)

                def dropped():
                    """How many by now; who reads on is none of them."""
                    samples.extend(good.samples(1)[0])
                    return server.json("/api/meta")["health"]["clients_dropped"]

                self.assertTrue(wait_until(lambda: dropped() == len(stalled)), dropped())
                self.assertLess(server.memory() - before, MEMORY_GROWTH)
                more, _ = good.samples(100)
                self.assertEqual(len({s["sequence"] for s in samples + more}), len(samples) + len(more))
                self.assertEqual(server.json("/api/meta")["health"]["stream_clients"], 1)
            for s in stalled:
                s.close()

    def test_clients_that_do_not_take_their_answers(self):
        """What they have not taken is bounded. More of it is refused for now, short answers are not."""
        # Of a file, so that each answer is as long as the last: of short ones there would be hundreds, and as many connections.
        with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="ascii") as f:
            f.write("timestamp" + "".join(f",event{i}" for i in range(40)) + "\n")
            f.writelines(f"{1_000_000_000_000 + 100 * k}" + "".join(f",{k * 7919 % 9973 + 10_000 * i}" for i in range(40)) + "\n"
                         for k in range(1000))
            f.flush()
            os.chmod(f.name, 0o644)  # the server of root becomes another user
            self.hold_answers(f.name)

    def hold_answers(self, data):
        with unittest.mock.patch.dict(os.environ, KEEP_LITTLE):
            server = Server(data=data)
        with server:
            path, clients, answers = "/api/series?points=2000", [], []
            length = lambda: len(server.request(path)[2])
            self.assertTrue(wait_until(lambda: length() > 900_000), length())
            before = server.memory()

            def busy():
                """One client more; once that is refused, what another one gets if it is, too. (On a slow machine the first may
                have been dropped by then, which takes ten seconds: so more and more of them.)"""
                clients.append(server.connect(receive_buffer=4096))
                clients[-1].sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                answers.append(clients[-1].recv(15).decode())
                answer = answers[-1] == "HTTP/1.1 503 Se" and server.request(path)
                return answer and answer[0] == 503 and answer

            answer = wait_until(busy)
            self.assertTrue(answer, answers)
            grown = server.memory() - before
            self.assertEqual(json.loads(answer[2])["error"]["code"], "busy")
            self.assertEqual(answer[1]["Retry-After"], "1")
            for short in ("/api/latest", "/api/series?columns=event1&points=20", "/api/meta"):
                self.assertEqual(server.request(short)[0], 200)
            self.assertEqual(set(answers), {"HTTP/1.1 200 OK", "HTTP/1.1 503 Se"})
            self.assertGreater(len(answers), 8)
            self.assertLess(grown, HELD + MEMORY_GROWTH)
            for c in clients:
                c.close()
            self.assertTrue(wait_until(lambda: server.request(path)[0] == 200))

    def test_end_with_clients(self):
        server = Server()
        streams = [EventStream(server) for _ in range(10)]
        idle = server.connect()
        try:
            streams[0].samples(2)
            self.assertEqual(server.close(), 0, server.lines)
        finally:
            server.close()
            idle.close()
            for s in streams:
                s.close()


class Access(unittest.TestCase):
    def test_token(self):
        with tempfile.NamedTemporaryFile("w", suffix=".token") as f:
            f.write("s3cret-token-of-22-chars\n")
            f.flush()
            os.chmod(f.name, 0o600)
            with Server("--token-file", f.name) as server:
                self.assertEqual(server.request("/")[0], 200)
                self.assertIn(server.request("/healthz")[0], (200, 503))
                for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic s3cret-token-of-22-chars"},
                               {"Authorization": "Bearer s3cret-token-of-22-charsX"}, {"Authorization": "Bearer s3cret-token-of-22-char"},
                               {"Authorization": "Bearer "}):
                    for path in ("/api/latest", "/api/stream", "/nowhere"):
                        status, headers, _ = server.request(path, headers=header)
                        self.assertEqual((status, headers["WWW-Authenticate"]), (401, "Bearer"))
                right = {"Authorization": "Bearer s3cret-token-of-22-chars"}
                self.assertEqual(server.request("/api/latest", headers=right)[0], 200)
                with EventStream(server, headers=right) as stream:
                    stream.samples(2)

    def test_allow_host(self):
        with Server("--allow-host", "perf.example") as server:
            self.assertEqual(server.request("/", headers={"Host": "perf.example:8443"})[0], 200)
            self.assertEqual(server.request("/", headers={"Host": "other.example"})[0], 421)


if __name__ == "__main__":
    unittest.main()
