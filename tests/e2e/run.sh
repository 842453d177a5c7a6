#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The page in a real browser. TAP on stdout; exit status 0 when all pass. Needs `npm ci` in web/ and Debian's chromium.
#
#   run.sh [FILE…]       the named test files, or all: program and bad-days are against the real program (CYCLESCOPE, by default
#                        build/cyclescope), the others against mock servers
#
# E2E_SLOWDOWN=6 slows the page's main thread down so many times: what holds then, and with busy loops beside it, holds in CI.
set -eu
cd "$(dirname "$0")"
if [ $# -eq 0 ]; then set -- *.test.mjs; fi
# One file after the other: two browsers on two cores only wait for each other.
node --test --test-reporter=tap --test-concurrency=1 "$@"
