# SPDX-License-Identifier: Apache-2.0
# The program with its defaults and something to look at: work that comes and goes, with faults and context switches.

# shellcheck shell=dash disable=SC2046,SC2154,SC3028
forward 5001 5000 &
(while :; do gzip -c /bin/busybox >/dev/null; sleep 0.$((RANDOM % 9)); done) &
(while :; do find /sys/devices 2>/dev/null | sort | md5sum >/dev/null; sleep $((RANDOM % 5 + 1)); done) &
(while :; do dd if=/dev/zero bs=64k count=200 2>/dev/null | cat | cat >/dev/null; sleep 0.3; done) &
cyclescope $(echo "$options" | tr , ' ') </dev/null
