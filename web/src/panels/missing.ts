// SPDX-License-Identifier: Apache-2.0
// What breaks in lines and hatched cells mean, as a small legend above the tracks: of those that are on the screen. And from when on
// the lines are finer, where a part of them is coarser than the rest.

import type { Lines } from "../chart/lod";
import type { Meta } from "../data/wire";
import { el, setAttribute, setText } from "../lib/dom";
import { formatClock, formatDay, formatDuration } from "../lib/format";
import type { Frame, Panel } from "./panel";

/** Why there is no value at some time on the screen. */
export type Missing = "gap" | "never ran" | "offline";

/** What tracks find in the part that they show. */
export interface Lacks {
  kinds: Set<Missing>;
  coarse: Lines["coarse"];
}

const KINDS: readonly { kind: Missing; label: string; help: string }[] = [
  { kind: "gap", label: "no sample", help: "Nothing was measured at this time: a break in every line, nothing in the heatmap." },
  { kind: "never ran", label: "never ran", help: "Not counted in these intervals, because other events held the counters: a break in its line, stripes in the heatmap." },
  { kind: "offline", label: "offline", help: "The CPU is offline: dots in the heatmap." },
];

/** Looked for at most so often. */
const EVERY_MS = 1000;

export class MissingLegend implements Panel {
  readonly #coarse = el("span", { tabindex: "0", role: "note", title: "Finer values of that time are not kept: the line is their mean, the band from their least to their greatest." });
  readonly #lead = el("b", {}, "Missing:");
  readonly element = el("p", { class: "missing", hidden: true }, this.#coarse, this.#lead);
  readonly #items = KINDS.map(({ kind, label, help }) => {
    const item = el("span", { "data-kind": kind.replace(" ", "-"), title: help, tabindex: "0", role: "note", "aria-label": `${label}: ${help}`, hidden: true },
      el("i", { "aria-hidden": "true" }), label);
    this.element.append(" ", item);
    return { kind, item };
  });
  #at = -Infinity;

  constructor(private readonly look: () => Lacks) {}

  meta(_meta: Meta): void {
    // Changes with what is drawn only.
  }

  draw(frame: Frame): void {
    const now = performance.now();
    if (!frame.text || now - this.#at < EVERY_MS) return;
    this.#at = now;
    const { kinds, coarse } = this.look();
    setAttribute(this.element, "hidden", kinds.size === 0 && !coarse ? "" : null);
    setAttribute(this.#lead, "hidden", kinds.size === 0 ? "" : null);
    for (const { kind, item } of this.#items) setAttribute(item, "hidden", kinds.has(kind) ? null : "");
    setAttribute(this.#coarse, "hidden", coarse ? null : "");
    if (coarse) setText(this.#coarse, `Before ${formatDay(coarse.until)}${formatClock(coarse.until)}: a value each ${formatDuration(coarse.resolution)}`);
  }
}
