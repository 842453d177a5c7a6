#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Resident memory of collector and server with an hour of history: 36,000 intervals, recorded at 1 ms and then served.

    bench/memory.py        as root; takes about 45 s
"""
import json
import os
import re
import subprocess
import tempfile
import time
import urllib.request

from figures import PROGRAM


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1]) / 1024


def main():
    with tempfile.TemporaryDirectory() as folder:
        recording = os.path.join(folder, "hour.data")
        collector = subprocess.Popen([PROGRAM, "collect", "-I", "1ms", "--duration", "37s", "-o", recording, "--csv",
                                      os.path.join(folder, "x.csv")], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(36)
        print(f"| collector, after 36,000 intervals | {resident(collector.pid):.1f} MiB |")
        collector.wait()
        server = subprocess.Popen([PROGRAM, "serve", recording, "--listen", "127.0.0.1:0"], stdin=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True)
        try:
            address = next(m[1] for m in (re.search(r"listening on (\S+)", x) for x in server.stderr) if m)
            while True:
                with urllib.request.urlopen(address + "api/meta") as answer:
                    meta = json.load(answer)
                if meta["input"]["state"] == "ended":
                    break
                time.sleep(0.1)
            print(f"| server, {meta['rows']} intervals of 2 CPUs held, before any request for them | {resident(server.pid):.1f} MiB |")
            with urllib.request.urlopen(address + "api/data") as answer:
                size = len(answer.read())
            time.sleep(1)
            print(f"| server, after /api/data of all of them ({size / 2**20:.1f} MiB) | {resident(server.pid):.1f} MiB |")
        finally:
            server.terminate()
            server.wait()


main()
