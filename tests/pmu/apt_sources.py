#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Copies the Debian lines of this machine's apt sources into a folder: apt_sources.py FOLDER

The guests' packages come from wherever this machine gets its own, so no host name of a mirror is written here. Other
vendors' sources are left out: they may have no arm64, no key in a private apt, and nothing that a guest needs.
Debian's own are told by suite (this release, its updates, its security) and by having the component "main".
"""
import glob
import os
import re
import sys


def codename():
    with open("/etc/os-release", encoding="utf-8") as f:
        for line in f:
            if line.startswith("VERSION_CODENAME="):
                return line.split("=", 1)[1].strip().strip('"')
    sys.exit("apt_sources.py: /etc/os-release has no VERSION_CODENAME")


def is_debian(suites, components, release):
    return ("main" in components
            and any(s in (release, release + "-updates", release + "-security") for s in suites))


def from_deb822(text, release):
    """The stanzas of a .sources file that are Debian's, as text."""
    for stanza in re.split(r"\n\s*\n", text):
        lines = [line for line in stanza.splitlines() if line and not line.startswith("#")]
        fields, key = {}, None
        for line in lines:
            if line[0] in " \t" and key:
                fields[key] += " " + line.strip()
            elif ":" in line:
                key, value = line.split(":", 1)
                key = key.lower()
                fields[key] = value.strip()
        if fields.get("enabled", "yes").lower() in ("no", "false"):
            continue
        if "deb" not in fields.get("types", "").split():
            continue
        if is_debian(fields.get("suites", "").split(), fields.get("components", "").split(), release):
            # An "Architectures: amd64" line would hide arm64.
            yield "\n".join(line for line in lines if not line.lower().startswith("architectures:"))


def from_one_line(text, release):
    """The "deb …" lines of a .list file that are Debian's."""
    for line in text.splitlines():
        m = re.match(r"deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s+([^#]*)", line.strip())
        if not m or not is_debian([m[3]], m[4].split(), release):
            continue
        options = " ".join(o for o in (m[1] or "").split() if not o.startswith("arch"))
        yield "deb " + (f"[{options}] " if options else "") + f"{m[2]} {m[3]} {m[4].strip()}"


def main():
    folder, release = sys.argv[1], codename()
    stanzas, lines = [], []
    for path in ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*"))]:
        if not os.path.isfile(path) or not path.endswith((".list", ".sources")):
            continue
        with open(path, encoding="utf-8") as f:
            text = f.read()
        if path.endswith(".sources"):
            stanzas += from_deb822(text, release)
        else:
            lines += from_one_line(text, release)
    if not stanzas and not lines:
        sys.exit(f"apt_sources.py: no apt source of Debian {release} on this machine")
    with open(os.path.join(folder, "debian.sources"), "w", encoding="utf-8") as f:
        f.write("\n\n".join(dict.fromkeys(stanzas)) + "\n")
    with open(os.path.join(folder, "debian.list"), "w", encoding="utf-8") as f:
        f.write("\n".join(dict.fromkeys(lines)) + "\n")


main()
