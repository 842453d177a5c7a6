# SPDX-License-Identifier: Apache-2.0
"""A collector and a server of the real program, joined by a pipe, and the few HTTP words that tests need."""

import http.client
import json
import os
import re
import socket
import subprocess
import threading

PROGRAM = os.environ.get("CYCLESCOPE", "build/cyclescope")
START_SECONDS = 10


class Server:
    """`cyclescope collect -o - | cyclescope serve -` on a port of its own. Ends with the with-statement."""

    def __init__(self, *options, interval="50ms"):
        self.collector = subprocess.Popen(
            [PROGRAM, "collect", "-o", "-", "--csv", "none", "--interval", interval],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "-", "--listen", "127.0.0.1:0", *options],
            stdin=self.collector.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.collector.stdout.close()
        self.pid = self.process.pid
        self.lines = []
        self.reader = None
        self.port = self._read_port()
        # Nobody may block the program by not reading what it says.
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stderr), daemon=True)
        self.reader.start()

    def _read_port(self):
        timer = threading.Timer(START_SECONDS, self.process.kill)
        timer.start()
        try:
            for line in self.process.stderr:
                self.lines.append(line)
                found = re.search(r"listening on http://127\.0\.0\.1:(\d+)/", line)
                if found:
                    return int(found.group(1))
        finally:
            timer.cancel()
        self.close()
        raise RuntimeError(f"the server did not start: {''.join(self.lines)}")

    def close(self):
        """Ends both; returns the server's exit status."""
        for process in (self.process, self.collector):
            if process.poll() is None:
                process.terminate()
        for process in (self.process, self.collector):
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self.reader:
            self.reader.join(timeout=10)
        self.process.stderr.close()
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def request(self, path, method="GET", headers=None, body=None):
        """(status, headers, body) of one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def json(self, path):
        status, _, body = self.request(path)
        if status != 200:
            raise AssertionError(f"{path}: {status} {body!r}")
        return json.loads(body)

    def connect(self, receive_buffer=None):
        s = socket.socket()
        if receive_buffer:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        s.settimeout(20)
        s.connect(("127.0.0.1", self.port))
        return s

    def raw(self, data):
        """What comes back for these bytes until the server closes or is silent for half a second."""
        with self.connect() as s:
            s.sendall(data)
            s.settimeout(0.5)
            got = b""
            try:
                while chunk := s.recv(65536):
                    got += chunk
            except (socket.timeout, ConnectionResetError):
                pass
            return got

    def memory(self):
        """Resident bytes of the server."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+) kB", f.read()).group(1)) * 1024


class EventStream:
    """A reader of server-sent events: iterate over (event, id, data)."""

    def __init__(self, server, path="/api/stream", headers=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        self.connection.request("GET", path, headers=headers or {})
        self.answer = self.connection.getresponse()

    def __iter__(self):
        event, identity, data = "message", None, []
        for line in self.answer:
            line = line.decode().rstrip("\n")
            if not line:
                if data:
                    yield event, identity, json.loads("\n".join(data))
                event, identity, data = "message", None, []
                continue
            field, _, value = line.partition(": ")
            if field == "event":
                event = value
            elif field == "id":
                identity = value
            elif field == "data":
                data.append(value)

    def samples(self, count):
        """The first `count` samples, and the id of the event that brought the last of them."""
        found = []
        for event, identity, data in self:
            if event == "sample":
                found += data
            if len(found) >= count:
                return found, identity
        raise AssertionError(f"the stream ended after {len(found)} samples")

    def close(self):
        self.answer.close()
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
