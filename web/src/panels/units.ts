// SPDX-License-Identifier: Apache-2.0
// How the values of a column are written, and what one of them means in words.

import type { Column } from "../data/wire";
import { formatDuration, formatShare, formatValue, type Unit } from "../lib/format";

export function unitOf(column: Column | undefined): Unit {
  if (!column) return "ratio";
  if (column.unit === "ns") return "time";
  if (column.kind !== "metric") return "count";
  if (column.unit === "share") return "share";
  if (column.unit === "per second") return "rate";
  return "ratio";
}

/** `per 100 ms`, `per second`, `share`, `GHz`, … */
export function meaningOf(column: Column | undefined, intervalMs: number): string {
  if (!column) return "";
  if (column.kind === "metric") return column.unit;
  const what = column.unit === "" || column.unit === "ns" ? "" : column.unit + " ";
  return `${what}per ${formatDuration(intervalMs)}`;
}

/** On hover: the whole name, which may be cut off, and how it is computed. */
export function titleOf(column: Column, intervalMs: number): string {
  const name = [column.name, meaningOf(column, intervalMs)].filter((s) => s !== "").join(", ");
  return column.formula === "" ? name : `${name} = ${column.formula}`;
}

/** A value below a heading that says "per second" does not say it again. */
export function formatUnder(value: number | null, unit: Unit): string {
  const text = formatValue(value, unit);
  return unit === "rate" ? text.replace(/\u00a0?\/s$/, "") : text;
}

/** Only what is counted adds up to a sum that means something. */
export function hasSum(column: Column): boolean {
  return column.kind !== "metric";
}

/** A difference of two values, without its sign. Of shares in percentage points: 2 % more is not 2 points more. */
export function formatDifference(magnitude: number, unit: Unit): string {
  return unit === "share" ? formatShare(magnitude).replace("%", "pp") : formatUnder(magnitude, unit);
}
