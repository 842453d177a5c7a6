#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks which folder of src/ includes which (the table of ARCHITECTURE.md), and prints TAP."""

import pathlib
import re
import sys

MAY_INCLUDE = {
    "base": set(),
    "model": {"base"},
    "stream": {"base", "model"},
    "collect": {"base", "model", "stream"},
    "sample_stacks": {"base", "model", "stream"},
    "history": {"base", "model", "stream"},
    "profile": {"base", "model", "stream"},
    "output": {"base", "model", "history", "profile"},
    "web": {"base"},
    "api": {"base", "model", "history", "profile", "output", "web"},
}
MAY_INCLUDE["cmd"] = set(MAY_INCLUDE)

GENERATED = {"config.h"}
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def folder_of(path):
    """The folder of a path below src/; main.c counts as cmd."""
    return path.split("/")[0] if "/" in path else "cmd"


def violations(path, text, exists):
    """What is wrong with the includes of src/<path>."""
    folder = folder_of(path)
    if folder not in MAY_INCLUDE:
        yield f"{path}: the folder {folder} is not in the table"
        return
    for included in INCLUDE.findall(text):
        if included in GENERATED:
            continue
        if "/" not in included or ".." in included.split("/"):
            yield f'{path}: "{included}" does not name its folder'
        elif not exists(included):
            yield f'{path}: "{included}" is not in src/'
        elif folder_of(included) not in MAY_INCLUDE[folder] | {folder}:
            yield f'{path}: {folder} may not include "{included}"'


def check_rules_find_violations():
    """The check itself: what it must find, and what it must let pass."""
    def found(path, include):
        return list(violations(path, f'#include "{include}"\n', lambda _: True))

    for path, include in [("base/x.c", "model/event.h"), ("web/x.c", "model/event.h"),
                          ("output/x.c", "web/sse.h"), ("collect/x.c", "cmd/command.h"),
                          ("model/x.h", "stream/reader.h"), ("history/x.c", "output/csv.h"),
                          ("api/x.c", "x.h"), ("api/x.c", "../base/buf.h"), ("odd/x.c", "base/buf.h")]:
        if not found(path, include):
            yield f"{path} including {include} was let pass"
    for path, include in [("main.c", "cmd/command.h"), ("main.c", "web/server.h"),
                          ("cmd/run.c", "config.h"), ("cmd/run.c", "collect/tick.h"),
                          ("api/x.c", "web/server.h"), ("base/x.c", "base/buf.h")]:
        yield from found(path, include)
    if list(violations("base/x.c", "#include <a/b.h>\n", lambda _: False)):
        yield "a system header was taken for one of ours"


def main():
    src = pathlib.Path(sys.argv[1] if len(sys.argv) > 1
                       else pathlib.Path(__file__).resolve().parents[2] / "src")
    files = sorted(p for p in src.rglob("*.[ch]"))
    cases = [("the check finds violations", list(check_rules_find_violations()))]
    for folder in sorted({folder_of(p.relative_to(src).as_posix()) for p in files}):
        wrong = []
        for file in files:
            path = file.relative_to(src).as_posix()
            if folder_of(path) == folder:
                wrong += violations(path, file.read_text(), lambda i: (src / i).is_file())
        cases.append((f"{folder} includes only what it may", wrong))

    print(f"1..{len(cases)}")
    for number, (name, wrong) in enumerate(cases, 1):
        print(f"{'not ok' if wrong else 'ok'} {number} - {name}")
        for line in wrong:
            print(f"# {line}")
    return any(wrong for _, wrong in cases)


if __name__ == "__main__":
    sys.exit(main())
