#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Packs a guest's file system: busybox, the kernel's modules that it needs, the program with its shared libraries,
# the workloads, and guest/ (init and the scenarios).
#
#   initrd.sh CACHE WORK ARCH PROGRAM      writes WORK/initrd-ARCH, and WORK/initrd-ARCH-perf, which has Debian's perf too
#
# Not compressed: the emulated processor would take seconds to undo it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=$1 work=$2 arch=$3 program=$4
debian=$cache/debian

case $arch in
amd64)
    # The binary that ships, with the very libraries that it runs with on this machine.
    library_dirs="/lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu"
    loader=/lib64/ld-linux-x86-64.so.2
    loader_from=$loader
    perf=/usr/bin/perf
    ;;
arm64)
    library_dirs="$debian/sysroot-arm64/lib/aarch64-linux-gnu $debian/sysroot-arm64/usr/lib/aarch64-linux-gnu"
    loader=/lib/ld-linux-aarch64.so.1
    loader_from=$debian/sysroot-arm64/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1
    perf=$debian/sysroot-arm64/usr/bin/perf
    ;;
esac

tree=$(mktemp -d "$work/tree.XXXXXX")
trap 'rm -rf "$tree" "$tree".*' EXIT
mkdir -p "$tree"/{bin,dev,etc,lib/guest,mods,proc,root,run,sys,tmp,usr/bin,var/lib,results} "$tree$(dirname "$loader")"
chmod 1777 "$tree/tmp"

# Modules, in the order in which init loads them. A name that the kernel has built in has no file, and needs none.
modules="virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_mmio virtio_blk
         failover net_failover virtio_net"
for module in $modules; do
    file=$(find "$debian/kernel-$arch/lib/modules" -name "$module.ko" | head -1)
    [ -z "$file" ] || { cp "$file" "$tree/mods/" && echo "$module" >>"$tree/mods/order"; }
done
[ "$arch" != amd64 ] || cp "$work/synthetic_pmu.ko" "$tree/mods/"

cp "$debian/tool-$arch/bin/busybox" "$tree/bin/"
cp "$work/workload-$arch"/* "$tree/usr/bin/"
cp -r "$here"/guest/* "$tree/lib/guest/"
mv "$tree/lib/guest/init" "$tree/init"
# The server gives root up for a system user, so there must be one.
printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'nobody:x:65534:65534:nobody:/:/bin/false' >"$tree/etc/passwd"
printf '%s\n' 'root:x:0:' 'nogroup:x:65534:' >"$tree/etc/group"
echo '127.0.0.1 localhost' >"$tree/etc/hosts"

# A program, and what it and its libraries name as NEEDED (or it is said to load later) and the guest does not have yet.
add_program() { # FILE NAME TREE [LIBRARIES]
    local folder queue=("$1") file name dir found
    folder=lib/$(basename "${library_dirs%% *}")
    mkdir -p "$3/usr/bin" "$3/$folder"
    cp "$1" "$3/usr/bin/$2"
    while [ ${#queue[@]} -gt 0 ]; do
        file=${queue[0]}
        queue=("${queue[@]:1}")
        for name in $(readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p') ${4:-}; do
            [ ! -e "$tree/$folder/$name" ] && [ ! -e "$3/$folder/$name" ] || continue
            found=
            for dir in $library_dirs; do
                [ ! -e "$dir/$name" ] || { found=$dir/$name && break; }
            done
            if [ -z "$found" ]; then
                echo "initrd: $2 needs $name, not found in $library_dirs (a line for packages.txt?)" >&2
                exit 1
            fi
            cp -L "$found" "$3/$folder/"
            queue+=("$found")
        done
    done
}

cp -L "$loader_from" "$tree$loader"
add_program "$program" cyclescope "$tree" "libpfm.so.4 libmicrohttpd.so.12"
# perf, which is the oracle of some groups only and large. Not on a disk: a guest whose time follows its instructions runs
# ahead while it waits for one, for many minutes of its time when this machine is busy.
add_program "$perf" perf "$tree.perf"

pack() { # TREE
    chmod -R a+rX "$1" # the guest has other users too, whatever this machine's umask is
    (cd "$1" && find . | cpio -o -H newc --quiet)
}
pack "$tree" >"$tree.initrd"
{ cat "$tree.initrd" && pack "$tree.perf"; } >"$tree.initrd-perf" # the kernel unpacks one after the other
mv "$tree.initrd" "$work/initrd-$arch"
mv "$tree.initrd-perf" "$work/initrd-$arch-perf"
