#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds build/cyclescope, and starts it with the arguments given here.
set -euo pipefail
top=$(cd "$(dirname "$0")" && pwd)
"$top/tools/install.sh" run
[ -e "$top/build/build.ninja" ] || meson setup "$top/build" "$top" >&2
ninja -C "$top/build" --quiet cyclescope >&2
exec "$top/build/cyclescope" "$@"
