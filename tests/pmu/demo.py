# SPDX-License-Identifier: Apache-2.0
"""See demo.sh."""
import argparse
import signal
import subprocess
import sys

from api import Api
from guest import Guest, GuestError
from prepare import Guests, PrepareError


def main():
    p = argparse.ArgumentParser(prog="demo.sh",
                                description="The program in a guest whose PMU is synthetic, for a browser here.")
    p.add_argument("--port", type=int, default=5050, help="port of 127.0.0.1 to look at it (default 5050)")
    p.add_argument("--seconds", type=int, default=0, help="stop after this long (default: until Ctrl-C)")
    p.add_argument("--counters", type=int, default=8, help="counters of the PMU: 4 or fewer multiplexes (default 8)")
    p.add_argument("--profile", default="varying", choices=("fixed", "varying", "bursty"))
    p.add_argument("--hwmask", type=lambda text: int(text, 0), default=0x3ff,
                   help="hardware events that exist, a bit each")
    p.add_argument("--no-pmu", action="store_true", help="without the synthetic PMU")
    p.add_argument("--options", default="", help="further options of the program, with commas for blanks")
    args = p.parse_args()
    guests = Guests()
    try:
        for name, step in guests.steps(["amd64"]):
            print(name, "…", flush=True)
            step()
        pmu = {"counters": args.counters, "profile": args.profile, "hwmask": args.hwmask}
        options = {"options": args.options} if args.options else {}
        with Guest(guests.work, guests.kernels, "amd64", "demo", name=f"demo-{args.port}", cpus=2, port=args.port,
                   pmu=None if args.no_pmu else pmu, environment=options) as guest:
            if not Api(args.port).wait(lambda: Api(args.port).get("/healthz")[0] == 200, guest.overdue):
                raise guest.fail("no answer from the program")
            print(f"http://127.0.0.1:{args.port}/   the guest's console: {guest.log_path}", flush=True)
            guest.process.wait(args.seconds or None)
            raise guest.fail("ended")
    except (GuestError, PrepareError) as e:
        raise SystemExit(f"demo.sh: {e}") from None


# So that the guest is ended too.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
try:
    main()
except (KeyboardInterrupt, subprocess.TimeoutExpired):
    pass
