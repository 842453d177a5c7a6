// SPDX-License-Identifier: Apache-2.0
// Rows of the process table: their order, the filter, and an order that holds still while someone points at it.

import type { ProcessRow } from "./wire-answers";

export type SortKey = "comm" | "pid" | "cpu" | "share" | "life";

export interface Sort {
  key: SortKey;
  descending: boolean;
}

/** `gone`: it was listed when the order was frozen, and did not run since. */
export interface TableRow extends ProcessRow {
  key: string;
  gone: boolean;
}

/** A process that takes another name is listed for each; equal ones are told apart by their place. */
export function keyed(rows: readonly ProcessRow[]): TableRow[] {
  const seen = new Map<string, number>();
  return rows.map((row) => {
    const key = `${row.pid} ${row.comm}`;
    const n = seen.get(key) ?? 0;
    seen.set(key, n + 1);
    return { ...row, key: n === 0 ? key : `${key} ${n}`, gone: false };
  });
}

export function lifeOf(row: ProcessRow): string {
  return [row.born ? "born" : "", row.ended ? "ended" : ""].filter((s) => s !== "").join(", ");
}

function order(a: TableRow, b: TableRow, key: SortKey): number {
  switch (key) {
    case "comm": return a.comm.localeCompare(b.comm);
    case "pid": return a.pid - b.pid;
    case "cpu": return a.cpuTimeMs - b.cpuTimeMs;
    case "share": return (a.share ?? -1) - (b.share ?? -1);
    case "life": return Number(a.born) + 2 * Number(a.ended) - Number(b.born) - 2 * Number(b.ended);
  }
}

export function sorted(rows: readonly TableRow[], sort: Sort): TableRow[] {
  const sign = sort.descending ? -1 : 1;
  // Ties by PID, so that equal rows do not change places.
  return [...rows].sort((a, b) => sign * order(a, b, sort.key) || a.pid - b.pid || (a.key < b.key ? -1 : 1));
}

/** By a part of the name or of the PID. */
export function filtered(rows: readonly TableRow[], text: string): TableRow[] {
  const wanted = text.trim().toLowerCase();
  return wanted === "" ? [...rows] : rows.filter((r) => r.comm.toLowerCase().includes(wanted) || String(r.pid).includes(wanted));
}

/** New values in the old order: who is new comes last, who is gone keeps its place. */
export function heldStill(before: readonly TableRow[], now: readonly TableRow[]): TableRow[] {
  const fresh = new Map(now.map((row) => [row.key, row]));
  const kept = before.map((row): TableRow => {
    const row2 = fresh.get(row.key);
    fresh.delete(row.key);
    return row2 ?? { ...row, gone: true };
  });
  return [...kept, ...fresh.values()];
}

/** As tab-separated text, for a spreadsheet or a report. Control characters would break its lines. */
export function tableText(rows: readonly TableRow[]): string {
  const clean = (s: string): string => s.replaceAll(/[\u0000-\u001f\u007f]/g, " ");
  return ["name\tPID\tCPU time (ms)\tshare of one CPU\tlife",
    ...rows.map((r) => [clean(r.comm), r.pid, r.cpuTimeMs, r.share ?? "", lifeOf(r)].join("\t"))].join("\n") + "\n";
}
