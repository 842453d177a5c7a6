// SPDX-License-Identifier: Apache-2.0
// The line above the tracks: what is selected and what can be done with it. It is there always, so that nothing jumps.

import type { Meta } from "../data/wire";
import { button, el, setAttribute, setText } from "../lib/dom";
import { formatDuration, formatRange } from "../lib/format";
import { zoomToSelection } from "./keys";
import type { Context, Frame, Panel } from "./panel";

const HINT = "Drag to move in time, wheel to zoom";
const TOUCH_HINT = "Two fingers zoom, long press selects";

export class SelectionBar implements Panel {
  readonly element: HTMLElement;
  readonly #text = el("span", { class: "selected", role: "status" });
  readonly #select: HTMLButtonElement;
  readonly #zoom: HTMLButtonElement;
  readonly #clear: HTMLButtonElement;
  readonly #cpu: HTMLButtonElement;
  readonly #marks: HTMLButtonElement;
  readonly #touch = matchMedia("(pointer: coarse)");

  constructor(private readonly context: Context) {
    const { state, view } = context;
    this.#select = button("Select", "Select a span with the next drag (b, or Shift and drag)", () => state.brush.set(!state.brush.get()));
    this.#zoom = button("Zoom to it", "Show the selected span only (z)", () => zoomToSelection({ view, state }));
    this.#clear = button("Clear", "Drop the selection (Esc)", () => state.selection.set(null));
    this.#cpu = button("", "Show all CPUs again", () => state.cpu.set(null));
    this.#select.id = "select";
    this.#zoom.id = "zoom-selection";
    this.#clear.id = "clear-selection";
    this.#cpu.id = "all-cpus";
    this.#marks = button("", "Points chosen in the scatter plot are marked on the timeline; take the marks away (Esc)", () => state.marks.set([]));
    this.#marks.id = "clear-timeline-marks";
    this.element = el("div", { class: "selection-bar" }, this.#text, this.#select, this.#zoom, this.#clear, this.#marks, this.#cpu);
    state.brush.watch((on) => {
      setAttribute(this.#select, "aria-pressed", String(on));
      setAttribute(document.documentElement, "data-brush", on ? "" : null);
    });
    for (const s of [state.selection, state.brush, state.cpu, state.marks]) s.watch(() => this.#show());
  }

  meta(_meta: Meta): void {
    // Changes with the selection only.
  }

  draw(_frame: Frame): void {
    // As above.
  }

  #show(): void {
    const { state } = this.context;
    const span = state.selection.get();
    const cpu = state.cpu.get();
    const length = span ? span.to - span.from : 0;
    setText(this.#text, state.brush.get() ? "Drag over the timeline"
      : span ? `${formatDuration(length)} selected: ${formatRange(span.from, span.to, length < 10_000)}` : this.#touch.matches ? TOUCH_HINT : HINT);
    setAttribute(this.#text, "data-hint", span ? null : "");
    setAttribute(this.#zoom, "hidden", span ? null : "");
    setAttribute(this.#clear, "hidden", span ? null : "");
    const marks = state.marks.get().length;
    setAttribute(this.#marks, "hidden", marks > 0 ? null : "");
    setText(this.#marks, marks > 0 ? `${marks} marked \u00d7` : "");
    setAttribute(this.#cpu, "hidden", cpu === null ? "" : null);
    setText(this.#cpu, cpu === null ? "" : `CPU ${cpu} \u00d7`);
    setAttribute(this.#cpu, "aria-label", cpu === null ? null : `Charts show CPU ${cpu}; show all CPUs again`);
  }
}
