# SPDX-License-Identifier: Apache-2.0
"""A collector and a server of the real program, joined by a pipe, and the few HTTP words that tests need."""

import http.client
import json
import os
import re
import socket

from program import PATIENCE, Running


class Server:
    """
    `cyclescope collect -o - | cyclescope serve -` on a port of its own. Ends with the with-statement. With start=False
    nothing is measured before begin(). With a file's path as data that is served in place of measurements: nothing of it
    changes while a test looks.
    """

    def __init__(self, *options, interval="50ms", start=True, data=None):
        self.interval = interval
        self.collector = None
        end, self.pipe = os.pipe()
        if start and not data:
            self.begin()
        self.server = Running("serve", data or "-", "--listen", "127.0.0.1:0", *options, stdin=end)
        os.close(end)
        self.pid = self.server.process.pid
        self.lines = self.server.lines
        try:
            self.port = self.server.port()
        except AssertionError:
            self.close()
            raise

    def begin(self):
        self.collector = Running("collect", "-o", "-", "--csv", "none", "--interval", self.interval, stdout=self.pipe)
        os.close(self.pipe)
        self.pipe = None

    def close(self):
        """Ends both; returns the server's exit status."""
        for running in (self.server, self.collector):
            if running and not running.process.stderr.closed:
                running.stop()
        if self.pipe is not None:
            os.close(self.pipe)
            self.pipe = None
        return self.server.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def request(self, path, method="GET", headers=None, body=None):
        """(status, headers, body) of one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
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
        s.settimeout(PATIENCE)
        s.connect(("127.0.0.1", self.port))
        return s

    def raw(self, data, enough, patience=PATIENCE):
        """What comes back for these bytes until it is enough, or the server closes, or is silent for so many seconds."""
        with self.connect() as s:
            got = b""
            try:
                s.sendall(data)
                s.settimeout(patience)
                while not enough(got) and (chunk := s.recv(65536)):
                    got += chunk
            except (socket.timeout, BrokenPipeError, ConnectionResetError):
                pass
            return got

    def status_line(self, data):
        """The first line of the answer to these bytes."""
        return self.raw(data, lambda got: b"\r\n" in got).split(b"\r\n")[0]

    def memory(self):
        """Resident bytes of the server."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+) kB", f.read()).group(1)) * 1024


class EventStream:
    """A reader of server-sent events: iterate over (event, id, data)."""

    def __init__(self, server, path="/api/stream", headers=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
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
