#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Types and unit tests of the page. TAP on stdout; exit status 0 when all pass. Needs `npm ci` in this folder.
set -eu
cd "$(dirname "$0")"
node_modules/.bin/tsc --noEmit 1>&2
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
node_modules/.bin/esbuild test/*.test.ts --bundle --platform=node --format=esm --target=node18 --out-extension:.js=.mjs \
  --log-level=warning --outdir="$out" 1>&2
# Files are named one by one: node 18 takes no patterns.
node --test --test-reporter=tap "$out"/*.test.mjs
