#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes files as C arrays: embed.py OUT.c NAME=FILE… gives `const unsigned char NAME[]` and `const size_t NAME_size`."""
import sys


def main() -> None:
    out, *pairs = sys.argv[1:]
    with open(out, "w", encoding="ascii") as c:
        c.write("#include \"web/page.h\"\n")
        for pair in pairs:
            name, path = pair.split("=", 1)
            with open(path, "rb") as f:
                data = f.read()
            c.write(f"const unsigned char {name}[] = {{\n")
            for i in range(0, len(data), 24):
                c.write(",".join(str(b) for b in data[i:i + 24]) + ",\n")
            c.write(f"}};\nconst size_t {name}_size = sizeof({name});\n")


main()
