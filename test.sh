#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds, and runs all test suites, or those named: unit page integration sanitizers fuzz e2e pmu.
# Every suite speaks TAP; the last line is "N passed, N failed" (", N skipped" where some were, each with its reason above).
set -uo pipefail
cd "$(dirname "$0")"
all=(unit page integration sanitizers fuzz e2e pmu)
suites=("${@:-${all[@]}}")
results=build/test-results
export CMOCKA_MESSAGE_OUTPUT=TAP
# What other programs say is read: in one language, whoever's machine this is.
export LC_ALL=C.UTF-8
unset LANGUAGE

build() { # DIRECTORY [MESON-OPTION…] [-- TARGET…]: all there is, or these
  local directory=$1 options=()
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift $(($# > 0))
  # Always configured anew: that is how a new test file is found.
  local again=()
  [ ! -e "$directory/build.ninja" ] || again=(--reconfigure)
  meson setup "${again[@]}" "$directory" "${options[@]}" >&2 || return 1
  ninja -C "$directory" --quiet "$@" >&2
}

unit() { # PROGRAM: one of them, in half an hour of however busy a machine; what it prints comes in one piece
  local log=$results/${1##*/}.log
  { echo "# $1"; timeout 1800 "$1" 2>&1 || echo "not ok - $1 ended with status $?"; } >"$log"
  flock "$results" cat "$log"
}

units() { # BUILD-DIRECTORY [PROGRAM…]: these unit tests of that build
  local directory=$1
  shift
  printf '%s\n' "${@/#/$directory/}" | xargs -P "$(nproc)" -I{} "$BASH" -c 'unit "$1"' unit {}
}

# Of all unit tests, tests/test-NAME; those among them that start threads.
every=$(printf '%s\n' tests/unit/test-*.c | sed 's/unit.//; s/\.c$//')
threaded=$(grep -lE 'pthread_create|csv_ring_open|keeper_start|web_server_start' tests/unit/test-*.c | sed 's/unit.//; s/\.c$//')

fuzz() { # SCRIPT: one target, and what it said when it found something
  local log=$results/${1##*/}.log
  if "$1" "${FUZZ_SECONDS:-20}" >"$log" 2>&1; then echo "ok - $1 found nothing"
  else { echo "not ok - $1"; sed 's/^/# /' "$log" | tail -40; } | cat; fi
}
export -f unit fuzz
export results

run_suite() {
  case $1 in
    unit)
      # shellcheck disable=SC2086
      units build $every
      python3 tests/unit/include_rules.py ;;
    page) web/test.sh ;;
    integration) python3 tests/integration/run.py ;;
    sanitizers)
      # Twice the build and the tests: memory and undefined behaviour, then data races. Without the test of a file's size, which
      # writes 60,000 rows with what other tests run as well.
      # shellcheck disable=SC2086
      build build-asan -Db_sanitize=address,undefined -Dbuildtype=debugoptimized && units build-asan ${every/tests\/test-history-size/}
      # Without those that compare numbers with perf's and the kernel's: the same code runs in the others.
      local names
      names=$(cd tests/integration && ls test_*.py | grep -vE '^test_(beside_perf|pressure)' | sed 's/\.py$//')
      # shellcheck disable=SC2086
      CYCLESCOPE=build-asan/cyclescope CYCLESCOPE_SANITIZED=1 python3 tests/integration/run.py $names
      # There is no race where there is one thread.
      # shellcheck disable=SC2086
      build build-tsan -Db_sanitize=thread -Dbuildtype=debugoptimized -- cyclescope $threaded && units build-tsan $threaded
      CYCLESCOPE=build-tsan/cyclescope CYCLESCOPE_SANITIZED=1 python3 tests/integration/run.py test_http test_stream_perf ;;
    fuzz) # a short run of each target, two at a time; FUZZ_SECONDS=600 for a long one
      printf '%s\n' tests/fuzz/fuzz-*.sh | xargs -P 2 -I{} "$BASH" -c 'fuzz "$1"' fuzz {} ;;
    e2e) tests/e2e/run.sh ;;
    pmu) tests/pmu/run.sh ;;
    *) echo "not ok - there is no suite '$1'; there are: ${all[*]}" ;;
  esac
}

tools/install.sh test || { echo "0 passed, 1 failed"; exit 1; }
mkdir -p build && build build 2>build/configure.log || { tail -n 40 build/configure.log; echo "not ok - the build"; echo "0 passed, 1 failed"; exit 1; }
mkdir -p "$results"
passed=0 failed=0 skipped=0
for suite in "${suites[@]}"; do
  tap=$results/$suite.tap
  started=$SECONDS
  run_suite "$suite" >"$tap" 2>"$results/$suite.err" || suite_status=$?
  # A suite that fails without a test that says so has failed all the same.
  if [ "${suite_status:-0}" != 0 ] && ! grep -q '^ *not ok' "$tap"; then
    echo "not ok - suite $suite ended with status $suite_status" >>"$tap"
    tail -n 20 "$results/$suite.err" | sed 's/^/# /' >>"$tap"
  fi
  suite_status=0
  # Leaves only: node's runner also reports files and describe blocks, whose lines say "type: 'suite'".
  read -r p f s < <(python3 tools/count_tap.py "$tap")
  printf '%-12s %4d passed, %d failed, %d skipped  (%d s)\n' "$suite" "$p" "$f" "$s" $((SECONDS - started))
  if [ "$f" != 0 ]; then
    grep -A 25 '^ *not ok' "$tap" | grep -v '# SKIP' | head -150
    tail -n 15 "$results/$suite.err" | sed 's/^/  stderr: /'
  fi
  grep -E '# SKIP' "$tap" | sort | uniq -c | sed 's/^ */  skipped: /'
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
if [ "$passed" = 0 ] && [ "$failed" = 0 ]; then failed=1; fi
if [ "$skipped" != 0 ]; then
  echo "$passed passed, $failed failed, $skipped skipped"
else
  echo "$passed passed, $failed failed"
fi
[ "$failed" = 0 ]
