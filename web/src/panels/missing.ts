// SPDX-License-Identifier: Apache-2.0
// What breaks in lines and hatched cells mean, as a small legend above the tracks: of those that are on the screen.

import type { Meta } from "../data/wire";
import { el, setAttribute } from "../lib/dom";
import type { Frame, Panel } from "./panel";

/** Why there is no value at some time on the screen. */
export type Missing = "gap" | "never ran" | "offline";

const KINDS: readonly { kind: Missing; label: string; help: string }[] = [
  { kind: "gap", label: "no sample", help: "Nothing was measured at this time: a break in every line, nothing in the heatmap." },
  { kind: "never ran", label: "never ran", help: "Not counted in these intervals, because other events held the counters: a break in its line, stripes in the heatmap." },
  { kind: "offline", label: "offline", help: "The CPU is offline: dots in the heatmap." },
];

/** Looked for at most so often. */
const EVERY_MS = 1000;

export class MissingLegend implements Panel {
  readonly element = el("p", { class: "missing", hidden: true }, "Missing:");
  readonly #items = KINDS.map(({ kind, label, help }) => {
    const item = el("span", { "data-kind": kind.replace(" ", "-"), title: help, tabindex: "0", role: "note", "aria-label": `${label}: ${help}`, hidden: true },
      el("i", { "aria-hidden": "true" }), label);
    this.element.append(" ", item);
    return { kind, item };
  });
  #at = -Infinity;

  constructor(private readonly look: () => ReadonlySet<Missing>) {}

  meta(_meta: Meta): void {
    // Changes with what is drawn only.
  }

  draw(frame: Frame): void {
    const now = performance.now();
    if (!frame.text || now - this.#at < EVERY_MS) return;
    this.#at = now;
    const found = this.look();
    setAttribute(this.element, "hidden", found.size === 0 ? "" : null);
    for (const { kind, item } of this.#items) setAttribute(item, "hidden", found.has(kind) ? null : "");
  }
}
