// SPDX-License-Identifier: Apache-2.0
// How far a number can be trusted, in words: beside the number (short), and on hover (the sentence).

import { setAttribute, setText } from "../lib/dom";
import type { Store } from "../data/store";
import type { Column, Meta, Quality } from "../data/wire";

const EXACT: Quality = { kind: "exact", running: 100 };

/** Nothing will come of this column here, as opposed to: nothing came now. */
export function isAbsent(column: Column | undefined): boolean {
  return column === undefined || column.quality.kind === "not supported" || column.quality.kind === "denied";
}

export function whyAbsent(column: Column | undefined): string {
  if (!column) return "Not in what was measured.";
  if (column.why) return column.why;
  return column.quality.kind === "denied" ? "The kernel did not permit it." : "This machine cannot count it.";
}

/** Tasks are measured, not CPUs: what comes from /proc/stat and /proc/pressure is of the whole machine then. */
export function measuresTasks(meta: Meta | null): boolean {
  return ["process", "thread", "command", "cgroup"].includes(meta?.targetKind ?? "");
}

/**
 * The reasons of several columns as one text, each once. The server's sentences begin with the event that they are about
 * (`cycles: …`, `needs cycles: …`); without that, a reason that all share is one reason.
 */
export function sharedReasons(columns: readonly (Column | undefined)[], meta: Meta): string {
  const names = new Set(meta.columns.flatMap((c) => [c.name, c.id]));
  const reasons = columns.map((column) => {
    let why = whyAbsent(column).trim();
    for (;;) {
      const prefix = /^(?:needs )?([^\s:]+): +/.exec(why);
      if (!prefix || !names.has(prefix[1] ?? "")) break;
      why = why.slice(prefix[0].length);
    }
    return /[.!?]$/.test(why) ? why : why + ".";
  });
  return [...new Set(reasons)].join(" ");
}

export function columnOf(meta: Meta, id: string): Column | undefined {
  return meta.columns.find((c) => c.id === id);
}

/** It comes of counters, which events may hold in turns. Gauges have none. */
export function isCounted(column: Column, meta: Meta): boolean {
  return column.kind === "metric" ? column.inputs.length === 0 || column.inputs.some((id) => columnOf(meta, id)?.kind !== "gauge")
    : column.kind !== "gauge";
}

/** Quality of a column in one row; of the column as a whole where there is no row. */
export function qualityAt(store: Store, key: string, row: number | null, column: Column | undefined): Quality {
  if (isAbsent(column)) return column?.quality ?? { kind: "not supported", running: 0 };
  if (row === null) return column?.quality ?? EXACT;
  return store.quality(key, row);
}

function short(q: Quality): string {
  return q.kind === "exact" ? "" : q.kind === "scaled" ? `scaled ${q.running}\u00a0%` : q.kind;
}

function sentence(q: Quality, why: string): string {
  switch (q.kind) {
    case "exact": return "";
    case "scaled":
      return `Estimated: it shared its counter with other events and was counted ${q.running} % of the time.`;
    case "never ran": return "It was not counted in this interval: other events held the counters.";
    case "offline": return "The CPU is offline.";
    default: return why;
  }
}

/** A quality as text: beside the number, and the explanation. Empty when exact. */
export function qualityWords(q: Quality, why: string): { short: string; sentence: string } {
  return { short: short(q), sentence: sentence(q, why) };
}

/** Writes a quality into its place: words, a kind for the stylesheet, the explanation on hover. */
export function showQuality(node: HTMLElement, q: Quality, why: string): void {
  show(node, short(q), q.kind === "exact" ? null : q.kind.replace(" ", "-"), sentence(q, why));
}

/** The same for a column that there is not. */
export function showUnmeasured(node: HTMLElement): void {
  show(node, "not measured", "not-supported", whyAbsent(undefined));
}

/** The same for a time at which there is no sample at all. */
export function showGap(node: HTMLElement): void {
  show(node, "no sample", "gap", "Nothing was measured at this time.");
}

function show(node: HTMLElement, words: string, kind: string | null, title: string): void {
  setText(node, words);
  setAttribute(node, "data-quality", kind);
  setAttribute(node, "title", title === "" ? null : title);
  // Also for those who have no pointer to hover with.
  setAttribute(node, "tabindex", title === "" ? null : "0");
  setAttribute(node, "aria-label", title === "" ? null : `${words}: ${title}`);
}
