#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The program on machines that have a PMU, in guests under software emulation. TAP on stdout.
#
#   tests/pmu/run.sh [GROUP…]       groups are listed in suite.py; all by default
#
# Needs build/cyclescope (or CYCLESCOPE_PMU_PROGRAM) and the tools that prepare.py lists. Fetched and built pieces
# are kept in CYCLESCOPE_PMU_CACHE (~/.cache/cyclescope-pmu). What cannot be had is a failure, not a skip, unless
# CYCLESCOPE_SKIP_PMU=1 says otherwise.
set -euo pipefail
if [ "${CYCLESCOPE_SKIP_PMU:-}" = 1 ]; then
    echo "ok 1 - pmu guests # SKIP because CYCLESCOPE_SKIP_PMU=1"
    echo "1..1"
    exit 0
fi
exec python3 -B "$(dirname "$0")/suite.py" "$@"
