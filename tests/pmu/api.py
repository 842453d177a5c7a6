# SPDX-License-Identifier: Apache-2.0
"""A small client of the program's HTTP interface (docs/api.md)."""
import http.client
import json
import time

TIMEOUT = 300  # s for an answer of a guest that may hardly run


class Api:
    def __init__(self, port):
        self.port = port

    def get(self, path, timeout=TIMEOUT):
        """(status, content type, body)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.getheader("Content-Type", ""), response.read()
        finally:
            connection.close()

    def json(self, path):
        status, _, body = self.get(path)
        if status != 200:
            raise AssertionError(f"GET {path}: {status} {body[:300]!r}")
        return json.loads(body)

    def wait(self, what, overdue):
        """Until what() is true or overdue() is; a server that does not answer yet counts as not. Returns the last answer."""
        while True:
            over = overdue()
            try:
                last = what()
            except (OSError, http.client.HTTPException, AssertionError, ValueError) as e:
                last = e
            if last and not isinstance(last, Exception) or over:
                return last
            time.sleep(0.2)

    def stream(self, path, least):
        """Server-sent events until there are so many samples, or in vain for TIMEOUT: [(event, id, data)]."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        events, event, ident, data = [], "message", None, []
        try:
            connection.request("GET", path, headers={"Accept": "text/event-stream"})
            response = connection.getresponse()
            if response.status != 200 or not response.getheader("Content-Type", "").startswith("text/event-stream"):
                raise AssertionError(f"GET {path}: {response.status} {response.getheader('Content-Type')}")
            end, samples = time.monotonic() + TIMEOUT, 0
            while samples < least and time.monotonic() < end:
                line = response.readline().decode().rstrip("\r\n")
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if name == "event":
                    event = value
                elif name == "id":
                    ident = value
                elif name == "data":
                    data.append(value)
                elif line == "" and data:
                    events.append((event, ident, json.loads("\n".join(data))))
                    samples += len(events[-1][2]) if event == "sample" else 0
                    event, data = "message", []
            return events
        finally:
            connection.close()
