# SPDX-License-Identifier: Apache-2.0
"""Boots a guest and gets its results: a context manager around one run of qemu."""
import io
import os
import random
import re
import socket
import subprocess
import tarfile
import time

RESULT_BYTES = 64 << 20  # the disk that a guest writes its results to; a recording of some seconds is far smaller
MACHINES = {
    "amd64": ["qemu-system-x86_64", "-M", "pc", "-cpu", "max", "-accel", "tcg"],
    "arm64": ["qemu-system-aarch64", "-M", "virt", "-cpu", "neoverse-n1", "-accel", "tcg"],
}
CONSOLES = {"amd64": "ttyS0", "arm64": "ttyAMA0"}
# A guest has done its work in a minute or less of a processor, which may take a busy machine many minutes. One that hangs
# without end takes either all of the first limit or all of the second, s.
CPU_LIMIT, WALL_LIMIT = 900, 1800
TICK = os.sysconf("SC_CLK_TCK")
# The ports of the guest that the host may reach: the program through workload/forward.c, and guest/serve.sh's gate.
HTTP_PORT, GATE_PORT = 5001, 5009


class GuestError(Exception):
    """The guest did not do what was asked; says what, with the end of its log."""


def free_port():
    """One that is free now, and that the kernel gives to nobody who asks for any (it gives from 32768 on) before qemu has it."""
    for port in random.sample(range(20000, 32768), 100):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise GuestError("of a hundred ports none is free")


class Guest:
    """
    arch: amd64 or arm64.  scenario: guest/NAME.sh.  pmu: parameters of the synthetic PMU, None for none.
    icount: a qemu -icount value: time then follows the instructions executed, not this machine's load.
    port: forward this port of 127.0.0.1 (0 picks one) to the program's page.
    perf: with Debian's perf in it.
    """

    running = set()

    def __init__(self, work, kernels, arch, scenario, *, name=None, cpus=1, pmu=None, icount=None, port=None,
                 perf=False, environment=None):
        self.arch, self.scenario = arch, scenario
        self.name = name or scenario
        self.log_path = os.path.join(work, "logs", self.name + ".log")
        self.disk = os.path.join(work, "logs", f"{self.name}.{os.getpid()}.disk")
        self.port = self.gate = None
        self.results, self.process, self.seconds = {}, None, 0.0
        words = {"scenario": scenario, **(environment or {})}
        if pmu:
            words["pmu"] = ",".join(f"{k}={v}" for k, v in pmu.items())
        self.argv = [*MACHINES[arch], "-smp", str(cpus), "-m", "512", "-nographic", "-no-reboot",
                     "-kernel", kernels[arch], "-initrd", os.path.join(work, f"initrd-{arch}" + "-perf" * perf),
                     "-drive", f"file={self.disk},if=virtio,format=raw"]
        if icount:
            self.argv += ["-icount", icount]
        if port is None:
            self.argv += ["-nic", "none"]
        else:
            words["net"] = "1"
            self.port, self.gate = port or free_port(), free_port()
            forward = ",".join(f"hostfwd=tcp:127.0.0.1:{host}-:{guest}"
                               for host, guest in ((self.port, HTTP_PORT), (self.gate, GATE_PORT)))
            device = "virtio-net-device" if arch == "arm64" else "virtio-net-pci"
            self.argv += ["-netdev", f"user,id=n,restrict=on,{forward}", "-device", f"{device},netdev=n,romfile="
                          if arch == "amd64" else f"{device},netdev=n"]
        # Without tsc=reliable two emulated CPUs find their time stamp counters apart and time becomes coarse. The timer is
        # there, though on a busy machine a guest that looks whether it ticks may not see it.
        tsc = "tsc=reliable no_timer_check " if arch == "amd64" else ""
        if arch == "amd64" and not icount:
            tsc += f"tsc_early_khz={subprocess.check_output(os.path.join(work, 'tsc'), text=True).strip()} "
        fixed = f"console={CONSOLES[arch]} quiet oops=panic panic=-1 {tsc}"
        self.argv += ["-append", fixed + " ".join(f"{k}={v}" for k, v in words.items())]

    def __enter__(self):
        os.makedirs(os.path.dirname(self.log_path), exist_ok=True)
        with open(self.disk, "wb") as f:
            f.truncate(RESULT_BYTES)
        self.started = time.monotonic()
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        Guest.running.add(self)
        return self

    def __exit__(self, *exc):
        Guest.running.discard(self)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.seconds = time.monotonic() - self.started
        if os.path.exists(self.disk):
            os.unlink(self.disk)

    @classmethod
    def kill_all(cls):
        """From another thread: whoever waits for one finds it ended."""
        for guest in list(cls.running):
            guest.process.kill()

    def log(self):
        with open(self.log_path, "rb") as f:
            return f.read().decode(errors="replace").replace("\r", "")

    def fail(self, why):
        tail = "\n".join(self.log().splitlines()[-25:])
        return GuestError(f"guest {self.name}: {why}; the end of {self.log_path}:\n{tail}")

    def wait_log(self, marker):
        """Until the guest printed marker."""
        while marker not in self.log():
            if self.overdue():
                raise self.fail(f"has not said {marker!r}")
            time.sleep(0.1)

    def cpu_seconds(self):
        """What it has had of this machine's processors."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as f:
            user, system = f.read().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / TICK

    def overdue(self):
        """Why nothing more is to be expected of it, if so: it is over, or has had more than enough time."""
        if self.process.poll() is not None:
            return "is over"
        wall, cpu = time.monotonic() - self.started, self.cpu_seconds()
        if wall <= WALL_LIMIT and cpu <= CPU_LIMIT:
            return None
        return f"still ran after {wall:.0f} s, in which it had {cpu:.0f} s of a processor"

    def finish(self):
        """Opens the gate if the scenario has one, waits for the end and reads the results."""
        if self.gate:
            try:
                socket.create_connection(("127.0.0.1", self.gate), timeout=10).close()
            except OSError:
                pass  # a scenario that is over by itself
        while not (why := self.overdue()):
            time.sleep(0.1)
        if self.process.poll() is None:
            raise self.fail(why)
        end = re.search(r"PMU-GUEST-END status=(\d+)", self.log())
        if not end:
            raise self.fail("has no END marker")
        with open(self.disk, "rb") as f:
            data = f.read()
        try:
            with tarfile.open(fileobj=io.BytesIO(data)) as tar:
                self.results = {os.path.normpath(m.name): tar.extractfile(m).read() for m in tar if m.isfile()}
        except tarfile.TarError as e:
            raise self.fail(f"results are not readable ({e})") from None
        if end[1] != "0":
            raise self.fail(f"its scenario ended with {end[1]}")
        return self

    def text(self, name):
        """A result as text; "" when the scenario left none."""
        return self.results.get(name, b"").decode(errors="replace")
