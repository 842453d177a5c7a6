# SPDX-License-Identifier: Apache-2.0
"""What the server is after it gave up its privileges, as the kernel tells it."""

import os
import re
import unittest

from server_process import EventStream, Server


class Sandbox(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        with open(f"/proc/{cls.server.pid}/status", encoding="ascii") as f:
            cls.status = dict(re.findall(r"^(\w+):[ \t]*(.*)$", f.read(), re.M))

    def test_no_capabilities(self):
        names = ["CapInh", "CapPrm", "CapEff", "CapAmb"]
        if os.geteuid() == 0:
            names.append("CapBnd")  # who is not root may not drop it, and gains nothing by it
        for name in names:
            self.assertEqual(int(self.status[name], 16), 0, name)

    def test_not_root(self):
        for name in ("Uid", "Gid"):
            self.assertNotIn("0", self.status[name].split(), name)
        if os.geteuid() == 0:
            self.assertEqual(self.status["Groups"].strip(), "")

    def test_no_way_back(self):
        self.assertEqual(self.status["NoNewPrivs"], "1")
        if not os.environ.get("CYCLESCOPE_SANITIZED"):
            self.assertEqual(self.status["Seccomp"], "2")

    def test_every_thread_is_confined(self):
        for thread in os.listdir(f"/proc/{self.server.pid}/task"):
            with open(f"/proc/{self.server.pid}/task/{thread}/status", encoding="ascii") as f:
                status = dict(re.findall(r"^(\w+):[ \t]*(.*)$", f.read(), re.M))
            self.assertEqual(int(status["CapEff"], 16), 0)
            self.assertNotIn("0", status["Uid"].split())
            if not os.environ.get("CYCLESCOPE_SANITIZED"):
                self.assertEqual(status["Seccomp"], "2")

    def test_it_works_confined(self):
        with EventStream(self.server) as stream:
            stream.samples(3)
        self.assertEqual(self.server.request("/api/meta")[0], 200)
        self.assertEqual(self.server.close(), 0, self.server.lines)


if __name__ == "__main__":
    unittest.main()
