#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing: install.sh run|test. Debian's packages, and the page's npm packages. Quiet when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-run}

packages=(gcc libc6-dev meson ninja-build pkg-config python3 libmicrohttpd-dev libseccomp-dev libcap-ng-dev
          libjansson-dev libpfm4-dev libzstd-dev libsqlite3-dev)
if [ "$what" = test ]; then
  packages+=(clang libclang-rt-14-dev
             libcmocka-dev linux-perf chromium procps mount
             qemu-system-arm qemu-system-x86 seabios ipxe-qemu cpio make xz-utils gcc-aarch64-linux-gnu
             libc6-dev-arm64-cross)
fi
# Any node of 18 or later with its npm will do, Debian's or another; without one, Debian's.
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then packages+=(nodejs npm); fi

# with_patience COMMAND…: what fetches fails now and then, for a mirror or the network is away for a moment.
with_patience() {
  local pause
  for pause in 5 20 60; do
    "$@" && return
    echo "install.sh: '$1' failed; once more in $pause s" >&2
    sleep "$pause"
  done
  "$@"
}

# One source that fails does not matter as long as the packages are found. Another apt is waited for: new machines often
# begin with one of their own.
apt_install() {
  local options=(-qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)
  "${as_root[@]}" apt-get "${options[@]}" update >&2 || echo "install.sh: apt-get update had errors" >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install -y --no-install-recommends "$@" >&2
}

npm_install() {
  (cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
}

missing=()
for p in "${packages[@]}"; do # a line for each architecture in which it is known
  grep -qx installed <<<"$(dpkg-query -W -f='${db:Status-Status}\n' "$p" 2>/dev/null)" || missing+=("$p")
done
if [ ${#missing[@]} -gt 0 ]; then
  as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "install.sh: as root: apt-get install ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
  fi
  echo "installing ${missing[*]}" >&2
  with_patience apt_install "${missing[@]}"
fi

if [ ! -e web/node_modules/.package-lock.json ] || [ web/package-lock.json -nt web/node_modules/.package-lock.json ]; then
  echo "installing the page's npm packages" >&2
  with_patience npm_install
  touch web/node_modules/.package-lock.json
fi
