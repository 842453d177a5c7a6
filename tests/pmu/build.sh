#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds what goes into the guests, in the cache, never in the source tree:
#
#   build.sh CACHE ROOT WORK ARCH…
#
#   WORK/synthetic_pmu.ko            the PMU module, for Debian's cloud kernel
#   WORK/workload-{amd64,arm64}/…    the static programs of workload/
#   WORK/tsc                         tsc.c, for this machine
#   WORK/arm64/cyclescope            the program, cross-built from ROOT
#
# The amd64 program is not built here: the guest runs the one that ROOT/build has, the binary that ships.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=$1 root=$2 work=$3
shift 3
debian=$cache/debian
sysroot=$debian/sysroot-arm64
say() { echo "build: $*" >&2; }

build_module() {
    local src=$debian/headers-amd64/usr/src headers
    headers=$(echo "$src"/linux-headers-*-cloud-amd64)
    # The headers' Makefile names its other half by the path of an installed package.
    sed -i "s#^include /usr/src/#include $src/#" "$headers/Makefile"
    mkdir -p "$work/module"
    cp -u "$here"/synthetic/* "$work/module/"
    # objtool wants libelf, which this machine need not have.
    LD_LIBRARY_PATH=$debian/tool-amd64/usr/lib/x86_64-linux-gnu \
        make -s -C "$headers" M="$work/module" CC="${HOSTCC:-gcc}" modules >&2
    strip --strip-debug -o "$work/synthetic_pmu.ko" "$work/module/synthetic_pmu.ko"
}

build_workloads() { # ARCH COMPILER…
    local arch=$1 source
    shift
    mkdir -p "$work/workload-$arch"
    for source in "$here"/workload/*.c; do
        "$@" -std=gnu17 -O1 -Wall -Wextra -Werror -static -o "$work/workload-$arch/$(basename "$source" .c)" "$source"
    done
}

write_cross_file() {
    local lib=$sysroot/usr/lib/aarch64-linux-gnu
    cat >"$work/arm64.ini.new" <<EOF
[binaries]
c = ['aarch64-linux-gnu-gcc']
ar = ['aarch64-linux-gnu-ar']
strip = ['aarch64-linux-gnu-strip']
pkgconfig = ['pkg-config']

[built-in options]
c_args = ['--sysroot=$sysroot']
c_link_args = ['--sysroot=$sysroot']

[properties]
needs_exe_wrapper = true
sys_root = '$sysroot'
pkg_config_libdir = ['$lib/pkgconfig', '$sysroot/usr/share/pkgconfig']

[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
EOF
    cmp -s "$work/arm64.ini.new" "$work/arm64.ini" || mv "$work/arm64.ini.new" "$work/arm64.ini"
}

# The sysroot may have been renewed since the last time, with other library versions: its key is part of the folder.
build_program() {
    local build
    build=$work/arm64-$(cat "$debian/key")
    write_cross_file
    [ -f "$build/build.ninja" ] ||
        meson setup --cross-file "$work/arm64.ini" --buildtype=release "$build" "$root" >&2
    ninja -C "$build" cyclescope >&2
    mkdir -p "$work/arm64"
    aarch64-linux-gnu-strip -o "$work/arm64/cyclescope" "$build/cyclescope"
}

mkdir -p "$work"
exec 9>"$work/lock"
flock 9
for arch in "$@"; do
    case $arch in
    amd64)
        build_module
        build_workloads amd64 gcc
        gcc -std=gnu17 -O1 -Wall -Wextra -Werror -o "$work/tsc" "$here/tsc.c"
        ;;
    arm64)
        build_workloads arm64 aarch64-linux-gnu-gcc "--sysroot=$sysroot"
        build_program
        ;;
    esac
done
say "done in $work"
