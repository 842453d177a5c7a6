# SPDX-License-Identifier: Apache-2.0
"""A small disk that fills up and is freed again under measurement: CSV, recording and history each pause, say so once, and
resume; what they have written stays whole."""

import os
import shutil
import subprocess
import tempfile
import unittest

from program import PATIENCE, Running, wait_until

# What is written here does not fill it by itself within minutes.
SIZE = "size=64m,mode=1777"


@unittest.skipUnless(os.geteuid() == 0, "mounting a small tmpfs needs root")
class DiskFull(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.chmod(folder.name, 0o755)
        self.folder = folder.name
        self.disk = os.path.join(folder.name, "disk")
        os.mkdir(self.disk)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", SIZE, "tmpfs", self.disk], stderr=subprocess.PIPE,
                              text=True, timeout=PATIENCE, check=False)
        if done.returncode != 0:
            self.skipTest(f"no tmpfs can be mounted here: {done.stderr.strip()}")
        self.addCleanup(lambda: subprocess.run(["umount", self.disk], check=True, timeout=PATIENCE))
        self.csv = os.path.join(self.disk, "x.csv")
        self.recording = os.path.join(self.disk, "x.data")
        self.filler = os.path.join(self.disk, "filler")

    def fill(self):
        with open(self.filler, "ab", buffering=0) as f:
            try:
                while f.write(bytes(4096)):
                    pass
            except OSError:
                pass

    def turns(self, r, path):
        """How often it has said that this pauses, or goes on: by turns, each once. An odd number: it pauses."""
        said = ["writing again" in x for x in list(r.lines) if f" {path}: " in x]
        self.assertEqual(said, [i % 2 == 1 for i in range(len(said))], r.lines)
        return len(said)

    def both_pause(self, r, pause):
        return all(self.turns(r, path) % 2 == pause for path in (self.csv, self.recording))

    def csv_times(self):
        with open(self.csv, encoding="ascii") as f:
            text = f.read()
        self.assertTrue(text.endswith("\n"))
        lines = [line for line in text.splitlines() if line]
        self.assertEqual({line.count(",") for line in lines}, {lines[0].count(",")})
        times = [int(line.split(",")[0]) for line in lines[1:]]
        self.assertEqual(times, sorted(set(times)))
        return times

    def recorded_times(self):
        """Of a copy, elsewhere, of the recording as it is now. (While it is written, the copy can end in half a record.)"""
        copy = os.path.join(self.folder, "copy.data")
        shutil.copyfile(self.recording, copy)
        with Running("serve", copy, "--listen", "127.0.0.1:0", "--history", "none") as r:
            port = r.port()
            self.assertTrue(wait_until(lambda: r.get("/api/meta", port)[1]["input"]["state"] == "ended"), r.lines)
            self.assertEqual(r.get("/api/meta", port)[1]["health"]["skipped_records"], 0)
            return [s["timestamp"] for s in r.get("/api/data?columns=context_switches", port)[1]]

    def test_csv_and_recording(self):
        self.fill_up_and_free()

    def test_compressed_recording(self):
        self.fill_up_and_free("-z")

    def fill_up_and_free(self, *options):
        with Running("collect", "--csv", self.csv, "--csv-rows", "500", "-o", self.recording, "-I", "10ms", *options) as r:
            self.assertTrue(wait_until(lambda: os.path.exists(self.csv) and len(self.csv_times()) > 30))
            for _ in range(2):
                self.fill()
                self.assertTrue(wait_until(lambda: self.both_pause(r, True)), r.lines)
                # As it is on the full disk: whole, and with what was there before.
                written, recorded = self.csv_times(), self.recorded_times()
                self.assertGreater(len(recorded), 20)
                os.unlink(self.filler)
                self.assertTrue(wait_until(lambda: self.both_pause(r, False)), r.lines)
                self.assertTrue(wait_until(lambda: self.csv_times()[-1] > written[-1] + 100))
            self.assertEqual(r.stop(), 0)
        for path in (self.csv, self.recording):
            self.assertGreaterEqual(self.turns(r, path), 4, r.lines)
        # Nothing was lost of the recording: it was held while the disk was full.
        again = self.recorded_times()
        self.assertEqual(again[:len(recorded)], recorded)
        self.assertGreaterEqual(again[-1], self.csv_times()[-1])
        self.assertTrue(all("; 0 intervals were dropped" in x for x in r.lines if "x.data: writing again" in x), r.lines)
        with open(self.recording, "rb") as f:
            self.assertEqual(f.read(8), b"PERFILE2")

    def test_history(self):
        with Running("--csv", "none", "-I", "10ms", "--listen", "127.0.0.1:0", "--retain", "4MiB", "--history",
                     os.path.join(self.disk, "history.db")) as r:
            port = r.port()

            def state():
                return r.get("/api/meta", port)[1]["history"]["state"]

            self.assertTrue(wait_until(lambda: state() == "ok"), r.lines)
            before = wait_until(lambda: r.get("/api/latest", port)[1].get("timestamp"))
            said = len(r.lines)
            self.fill()
            # Memory goes on whatever the disk does.
            self.assertTrue(wait_until(lambda: state() == "failed"), r.lines)
            self.assertTrue(wait_until(lambda: r.get("/api/latest", port)[1]["timestamp"] > before + 1000), r.lines)
            os.unlink(self.filler)
            self.assertTrue(wait_until(lambda: state() == "ok"), r.lines)
            self.assertLessEqual(len(r.lines) - said, 2, r.lines)  # that it pauses, and that it goes on


if __name__ == "__main__":
    unittest.main()
