#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Boots the x86_64 guest with the synthetic PMU and a mixed workload, and shows its page on a port of this machine: for
# screenshots, and to develop the page on a machine without a PMU.
#
#   tests/pmu/demo.sh [--port 5050] [--seconds N] [--counters 8] [--profile varying] [--hwmask 0x3ff] [--no-pmu]
exec python3 -B "$(dirname "$0")/demo.py" "$@"
