#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Gets what the guests are made of (packages.txt), without touching this machine's packages: a private apt state for
# each architecture, and "dpkg -x" instead of an installation.
#
#   fetch.sh CACHE      leaves CACHE/debian/{kernel,headers,tool,sysroot}-{amd64,arm64}/
#
# The cache is keyed by the exact files that apt would download, so a kernel update or a changed package list
# renews it, and otherwise nothing is downloaded.
set -euo pipefail
export LC_ALL=C # what apt says is read here
umask 022       # what is unpacked goes into guests, for their users too
here=$(cd "$(dirname "$0")" && pwd)
cache=$1
lists_max_age_min=$((12 * 60))
say() { echo "fetch: $*" >&2; }

# apt for one architecture, in its own world.
private_apt() { # ARCH TOOL ARGS…
    local state=$cache/apt-$1 tool=$2
    shift 2
    "$tool" -c "$state/apt.conf" "$@"
}

prepare_apt() { # ARCH
    local state=$cache/apt-$1
    mkdir -p "$state"/{lists/partial,archives/partial,sources}
    : >"$state/status"
    python3 "$here/apt_sources.py" "$state/sources"
    # The hooks are cleared because a hook of the machine's would clean the machine's own cache.
    cat >"$state/apt.conf" <<EOF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
#clear APT::Architectures;
APT::Architecture "$1";
APT::Architectures { "$1"; };
APT::Sandbox::User "root";
APT::Get::List-Cleanup "true";
APT::Install-Recommends "false";
Dir::State "$state";
Dir::State::status "$state/status";
Dir::State::Lists "$state/lists";
Dir::Cache "$state";
Dir::Cache::archives "$state/archives";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$state/sources";
Dir::Log "$state";
Acquire::Languages "none";
Acquire::Retries "3";
Debug::NoLocking "true";
EOF
}

update() { # ARCH
    # One source that fails does not matter as long as the packages are found; that is asked next.
    if private_apt "$1" apt-get -qq update >&2; then
        find "$cache/apt-$1/lists" -name '*Packages*' -exec touch {} +
    else
        say "apt-get update for $1 had errors"
    fi
}

update_if_old() { # ARCH
    [ -n "$(find "$cache/apt-$1/lists" -name '*Packages*' -mmin -$lists_max_age_min | head -1)" ] || update "$1"
}

packages() { # ARCH USE
    awk -v a="$1" -v u="$2" '$1 == a && $2 == u { print $3 }' "$here/packages.txt"
}

# The package that a meta package stands for today: linux-image-cloud-arm64 → linux-image-6.1.0-NN-cloud-arm64.
real_name() { # ARCH META PREFIX
    private_apt "$1" apt-cache depends --important "$2" |
        awk -v p="$3" '$1 == "Depends:" && $2 ~ "^" p "-[0-9]" { print $2 }'
}

# What to unpack into USE-ARCH, as package names; for a sysroot apt adds the dependencies itself.
wanted() { # ARCH USE
    local meta name
    case $2 in
    kernel)
        for meta in $(packages "$1" kernel); do real_name "$1" "$meta" linux-image; done
        ;;
    headers)
        for meta in $(packages "$1" headers); do
            name=$(real_name "$1" "$meta" linux-headers)
            echo "$name"
            # The headers' own dependencies, but not the compiler: this machine's gcc is used.
            private_apt "$1" apt-cache depends --important "$name" |
                awk '$1 == "Depends:" && $2 ~ /^linux-(headers|kbuild)-/ { print $2 }'
        done
        ;;
    *) packages "$1" "$2" ;;
    esac
}

uris() { # ARCH USE: 'URI' FILE SIZE HASH
    local names
    names=$(wanted "$1" "$2")
    # Nothing is wanted, or apt does not know what was wanted.
    [ -n "$names" ] || { [ -z "$(packages "$1" "$2")" ]; return; }
    if [ "$2" = sysroot ]; then
        # shellcheck disable=SC2086
        private_apt "$1" apt-get -qq -y --print-uris install $names
    else
        # shellcheck disable=SC2086
        private_apt "$1" apt-get -qq --print-uris download $names
    fi
}

unpack() { # ARCH USE FOLDER
    local names debs=$3/.debs deb
    names=$(wanted "$1" "$2")
    # Nothing is wanted, or apt does not know what was wanted.
    [ -n "$names" ] || { [ -z "$(packages "$1" "$2")" ]; return; }
    mkdir -p "$debs/partial"
    say "downloading $1 $2: ${names//$'\n'/ }"
    if [ "$2" = sysroot ]; then
        # shellcheck disable=SC2086
        private_apt "$1" apt-get -qq -y -o Dir::Cache::archives="$debs" --download-only install $names >&2 || return 1
    else
        # shellcheck disable=SC2086
        (cd "$debs" && private_apt "$1" apt-get -qq download $names >&2) || return 1
    fi
    for deb in "$debs"/*.deb; do dpkg -x "$deb" "$3" || return 1; done
    rm -rf "$debs"
}

key() { # of everything that is wanted
    local arch use
    {
        for arch in $architectures; do
            for use in $uses; do uris "$arch" "$use" || return 1; done
        done
        cat "$here/packages.txt"
    } | sha256sum | cut -c1-16
}

# Fills CACHE/debian if it is not what apt would give now. What was there stays until all of the new is.
renew() {
    local key arch use
    if ! key=$(key); then
        say "apt cannot name the packages"
        return 1
    fi
    [ "$(cat "$cache/debian/key" 2>/dev/null)" != "$key" ] || return 0
    rm -rf "$cache/debian.new"
    for arch in $architectures; do
        for use in $uses; do
            mkdir -p "$cache/debian.new/$use-$arch"
            unpack "$arch" "$use" "$cache/debian.new/$use-$arch" || return 1
        done
    done
    cp "$here/packages.txt" "$cache/debian.new/"
    echo "$key" >"$cache/debian.new/key"
    rm -rf "$cache/debian"
    mv "$cache/debian.new" "$cache/debian"
}

# A mirror, or the network, that is away for a moment is no failure; lists of some hours ago may also name a package that has
# since been replaced: then once more with new ones.
renew_with_patience() {
    local pause arch
    for pause in 0 5 20 60; do
        ! renew || return 0
        # Without any network what was fetched before will do, if it is what was asked for.
        if [ $pause != 0 ] && cmp -s "$here/packages.txt" "$cache/debian/packages.txt"; then
            say "with what was fetched before"
            return 0
        fi
        say "once more with new lists in $pause s"
        sleep $pause
        for arch in $architectures; do update "$arch"; done
    done
    renew
}

architectures="amd64 arm64"
uses="kernel headers tool sysroot"
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
for arch in $architectures; do
    prepare_apt "$arch"
    update_if_old "$arch"
done
renew_with_patience
for arch in $architectures; do say "$arch: $(basename "$cache/debian/kernel-$arch"/boot/vmlinuz-*)"; done
