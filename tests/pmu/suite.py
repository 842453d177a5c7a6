#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Boots every guest and prints what they prove as TAP. suite.py [NAME…]: only those groups."""
import os
import signal
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import check_accuracy
import check_arm64
import check_events
import check_hotplug
import check_http
import check_kinds
import check_regroup
import check_targets
from guest import Guest, GuestError
from prepare import Guests, PrepareError
from tap import Later, Tap

GROUPS = {
    "arm64-exact": check_arm64.check_exact,
    "arm64-ratio": check_arm64.check_ratio,
    "accuracy": check_accuracy.check,
    "events": check_events.check,
    "kinds": check_kinds.check,
    "regroup": check_regroup.check,
    "targets": check_targets.check,
    "hotplug": check_hotplug.check,
    "http-exact": check_http.check_exact,
    "http-scaled": check_http.check_scaled,
    "http-missing": check_http.check_missing,
    "http-none": check_http.check_no_pmu,
}


# Their time follows the instructions executed: whatever runs beside them is nothing to them. The others' is the wall clock's,
# and they have both processors to themselves.
SIDE_BY_SIDE = ("arm64-exact", "arm64-ratio", "accuracy", "events", "kinds", "regroup")


def run(tap, name, function, *args):
    """One group: what it raises is a failure of its own, and the other groups still run."""
    started = time.monotonic()
    try:
        function(*args)
    except (GuestError, PrepareError) as e:
        tap.ok(False, name, e)
    except Exception:
        tap.ok(False, name, traceback.format_exc())
    else:
        tap.note(f"{name}: {time.monotonic() - started:.1f} s")
        return True
    return False


def run_side_by_side(tap, names, boot):
    """As many at once as there are processors; printed in their order, each when it is over."""
    with ThreadPoolExecutor(max_workers=len(os.sched_getaffinity(0))) as pool:
        taps = [Later() for _ in names]
        futures = [pool.submit(run, t, name, GROUPS[name], t, boot) for t, name in zip(taps, names)]
        try:
            for later, future in zip(taps, futures):
                future.result()
                later.replay(tap)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            Guest.kill_all()
            raise


def main():
    names = sys.argv[1:] or list(GROUPS)
    if unknown := [n for n in names if n not in GROUPS]:
        sys.exit(f"suite.py: no group {unknown[0]}; there are {', '.join(GROUPS)}")
    tap, guests = Tap(), Guests()
    architectures = sorted({"arm64" if n.startswith("arm64") else "amd64" for n in names})
    for name, step in guests.steps(architectures):
        if not run(tap, name, step):
            return tap.end()
        tap.ok(True, name)

    def boot(arch, scenario, **options):
        return Guest(guests.work, guests.kernels, arch, scenario, **options)

    run_side_by_side(tap, [n for n in names if n in SIDE_BY_SIDE], boot)
    for name in names:
        if name not in SIDE_BY_SIDE:
            run(tap, name, GROUPS[name], tap, boot)
    return tap.end()


# So that a guest is ended too, by its with block.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
sys.exit(main())
