# SPDX-License-Identifier: Apache-2.0
"""Fetches and builds what the guests need; a second time there is little to do."""
import glob
import hashlib
import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
# Debian 12's packages of what is called here.
TOOLS = {"qemu-system-x86_64": "qemu-system-x86", "qemu-system-aarch64": "qemu-system-arm", "cpio": "cpio",
         "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu", "gcc": "gcc", "make": "make", "perf": "linux-perf", "meson": "meson",
         "ninja": "ninja-build", "pkg-config": "pkg-config", "readelf": "binutils", "apt-get": "apt", "dpkg": "dpkg"}


class PrepareError(Exception):
    pass


class Guests:
    """Where the pieces are, and `kernels`: architecture → kernel image."""

    def __init__(self, program=None):
        self.cache = os.environ.get("CYCLESCOPE_PMU_CACHE") or os.path.join(
            os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "cyclescope-pmu")
        # What is built belongs to this source tree; what was fetched, to all.
        self.work = os.path.join(self.cache, "work-" + hashlib.sha256(ROOT.encode()).hexdigest()[:12])
        self.program = program or os.environ.get("CYCLESCOPE_PMU_PROGRAM") or os.path.join(ROOT, "build", "cyclescope")
        self.kernels = {}

    def steps(self, architectures=("amd64", "arm64")):
        """[(what it does, function)]: to be called in this order."""
        steps = [("the tools are installed", self.check_tools), ("Debian's packages are fetched", self.fetch),
                 ("what goes into the guests is built", lambda: self.build(architectures))]
        steps += [(f"the {a} guest is packed", lambda a=a: self.pack(a)) for a in architectures]
        return steps

    def check_tools(self):
        missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
        if missing:
            raise PrepareError("install: apt-get install " + " ".join(missing))
        if os.uname().machine != "x86_64":
            raise PrepareError("these tests run the x86_64 program that was built here: they need an x86_64 machine")

    def fetch(self):
        self.run("fetch.sh", self.cache)
        for arch in ("amd64", "arm64"):
            self.kernels[arch] = glob.glob(os.path.join(self.cache, "debian", "kernel-" + arch, "boot", "vmlinuz-*"))[0]

    def build(self, architectures):
        self.run("build.sh", self.cache, ROOT, self.work, *architectures)

    def pack(self, arch):
        program = self.program if arch == "amd64" else os.path.join(self.work, "arm64", "cyclescope")
        if not os.path.exists(program):
            raise PrepareError(f"{program} does not exist: build it first (./run.sh or ./test.sh does)")
        self.run("initrd.sh", self.cache, self.work, arch, program)

    def run(self, script, *args):
        r = subprocess.run([os.path.join(HERE, script), *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
        if r.returncode:
            raise PrepareError(f"{script} ended with {r.returncode}:\n" + "\n".join(r.stdout.splitlines()[-30:]))
