#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Requests a second on /api/latest with 16, 256 and 1,000 connections (wrk), and what 200 stream clients cost.

    bench/requests.py [ROUNDS]        3 rounds of 5 s each by default; needs wrk

Everything runs on this machine: wrk takes its share of the same cores.
"""
import os
import re
import socket
import subprocess
import sys
import threading
import time

from figures import PROGRAM, spread

CLIENTS = 200


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def requests_per_second(port, connections):
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", "-d5s", f"http://127.0.0.1:{port}/api/latest"],
                         stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def drain(sockets, stop):
    while not stop.is_set():
        for s in sockets:
            try:
                s.recv(65536)
            except BlockingIOError:
                pass
        time.sleep(0.02)


def stream_cost(port, server, seconds=10):
    """Percent of a core that the server takes for CLIENTS streams at 10 events a second."""
    sockets = []
    for _ in range(CLIENTS):
        s = socket.create_connection(("127.0.0.1", port))
        s.sendall(b"GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        s.setblocking(False)
        sockets.append(s)
    stop = threading.Event()
    reader = threading.Thread(target=drain, args=(sockets, stop))
    reader.start()
    time.sleep(1)
    before = cpu_seconds(server)
    time.sleep(seconds)
    cost = 100 * (cpu_seconds(server) - before) / seconds
    stop.set()
    reader.join()
    for s in sockets:
        s.close()
    return cost


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    program = subprocess.Popen([PROGRAM, "--listen", "127.0.0.1:0", "--csv", "none"], stdin=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    try:
        port = int(next(m[1] for m in (re.search(r"listening on http://127\.0\.0\.1:(\d+)", x) for x in program.stderr) if m))
        with open(f"/proc/{program.pid}/task/{program.pid}/children", encoding="ascii") as f:
            server = int(f.read().split()[0])
        time.sleep(1)
        for connections in (16, 256, 1000):
            print(f"| /api/latest, {connections} connections | {spread([requests_per_second(port, connections) for _ in range(rounds)])} "
                  "requests/s |", flush=True)
        print(f"| {CLIENTS} stream clients, 10 events/s | {spread([stream_cost(port, server) for _ in range(rounds)])} % of a core |")
    finally:
        program.terminate()
        program.wait()


main()
