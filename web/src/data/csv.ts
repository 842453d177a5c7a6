// SPDX-License-Identifier: Apache-2.0
// Samples of /api/data as CSV, in the form of the CSV bridge: a row an interval, an empty field where there is no value, and for
// each column that was not exact throughout, a column with the percent of the time in which it was counted.

import { parseSample, type Sample } from "./wire";

function field(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csvOf(rows: readonly unknown[]): string {
  // What another run measured has no number of this one.
  const samples = rows.map((row) => parseSample({ ...(row as object), sequence: 0 })).filter((s): s is Sample => s !== null);
  // A day has 864,000 rows of 50 columns: no list of all their names is made.
  const columns = new Set<string>();
  const inexact = new Set<string>();
  for (const s of samples) {
    for (const id in s.values) columns.add(id);
    for (const id in s.quality) if (id in s.values) inexact.add(id);
  }
  const lines = [["timestamp", "seconds", ...columns, ...[...inexact].map((id) => id + "_running")].map(field).join(",")];
  for (const s of samples) {
    const cells = [String(s.timestamp), s.seconds === null ? "" : String(s.seconds)];
    for (const id of columns) cells.push(String(s.values[id] ?? ""));
    for (const id of inexact) cells.push(String(s.quality[id]?.running ?? 100));
    lines.push(cells.join(","));
  }
  return lines.join("\n") + "\n";
}
