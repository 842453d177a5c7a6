# SPDX-License-Identifier: Apache-2.0
"""Reads the program's CSV as other people's programs do: with csv.DictReader."""
import csv
import io

FIRST_COLUMNS = ["timestamp", "cycles", "instructions", "cache_misses", "branch_misses", "cpi"]
CONVERSIONS = [int, int, int, int, int, float]


def rows(text):
    """Rows as dicts; fields without the padding that the contract allows."""
    return [{k: (v or "").strip() for k, v in row.items() if k} for row in csv.DictReader(io.StringIO(text))]


def original_consumer(text):
    """What the first consumer of this file does. Raises ValueError or KeyError where it would have."""
    return [[convert(row[name]) for name, convert in zip(FIRST_COLUMNS, CONVERSIONS, strict=True)]
            for row in csv.DictReader(io.StringIO(text))]


def values(table, *names):
    """The numbers of the first of these columns that exists, None where a field is empty."""
    for name in names:
        if table and name in table[0]:
            return [float(row[name]) if row[name] else None for row in table]
    raise KeyError(f"no column {' or '.join(names)} in {list(table[0]) if table else 'an empty file'}")
