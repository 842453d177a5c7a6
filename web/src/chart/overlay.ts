// SPDX-License-Identifier: Apache-2.0
// What lies over all tracks at the same time: the cursor, the selected span with its handles, the span held as A, and the times
// that another panel points at. One element each for the whole timeline, however many tracks there are.

import type { PageState, Span } from "../data/state";
import { el, setAttribute } from "../lib/dom";
import { formatClock, formatDuration } from "../lib/format";
import { colour } from "../lib/theme";
import type { Range, View } from "./view";

/** One key press moves a handle by this share of the view; with Shift by the other. */
const STEP = 0.01;
const STEP_FAR = 0.1;

/** Where the plots are in the timeline, CSS pixels. */
export interface Placement {
  left: number;
  width: number;
}

export class Overlay {
  readonly element: HTMLElement;
  readonly #cursor = el("div", { class: "cursor", hidden: true });
  readonly #selection = el("div", { class: "selection", hidden: true });
  /** Beside a span that is held as A, the selection is B. */
  readonly #letter = el("span", { "aria-hidden": "true", hidden: true }, "B");
  readonly #held = el("div", { class: "held", hidden: true }, el("span", { "aria-hidden": "true" }, "A"));
  readonly #marks = el("canvas", { class: "marks", hidden: true });
  readonly #handles: readonly HTMLElement[];
  #marksDrawn = "";

  constructor(private readonly view: View, private readonly state: PageState) {
    this.#handles = (["from", "to"] as const).map((edge) => this.#makeHandle(edge));
    this.#selection.append(this.#letter, ...this.#handles);
    this.element = el("div", { class: "overlay" }, this.#marks, this.#held, this.#selection, this.#cursor);
  }

  /** The handle for the keyboard. */
  focusHandle(): void {
    this.#handles[1]?.focus();
  }

  draw(range: Range, at: Placement, cursorLeft: number | null): void {
    this.element.style.left = at.left + "px";
    this.element.style.width = at.width + "px";
    setAttribute(this.#cursor, "hidden", cursorLeft === null ? "" : null);
    if (cursorLeft !== null) this.#cursor.style.transform = `translateX(${Math.round(cursorLeft)}px)`;
    this.#place(this.#selection, this.state.selection.get(), range, at.width);
    this.#place(this.#held, this.state.held.get(), range, at.width);
    setAttribute(this.#letter, "hidden", this.state.held.get() ? null : "");
    this.#drawMarks(range, at.width);
    const selection = this.state.selection.get();
    if (!selection) return;
    this.#handles.forEach((handle, i) => {
      const t = i === 0 ? selection.from : selection.to;
      setAttribute(handle, "aria-valuenow", String(Math.round(t)));
      setAttribute(handle, "aria-valuetext", `${formatClock(t, true)}, ${formatDuration(selection.to - selection.from)} selected`);
    });
  }

  #place(node: HTMLElement, span: Span | null, range: Range, width: number): void {
    const perMs = width / (range.to - range.from);
    const from = span ? Math.max(-20, (span.from - range.from) * perMs) : 0;
    const to = span ? Math.min(width + 20, (span.to - range.from) * perMs) : 0;
    const shown = span !== null && to > -20 && from < width + 20;
    setAttribute(node, "hidden", shown ? null : "");
    if (!shown) return;
    node.style.left = from.toFixed(1) + "px";
    node.style.width = Math.max(0, to - from).toFixed(1) + "px";
  }

  #makeHandle(edge: "from" | "to"): HTMLElement {
    const handle = el("div", {
      class: "handle " + edge, role: "slider", tabindex: "0", "aria-orientation": "horizontal",
      "aria-label": edge === "from" ? "Start of the selection" : "End of the selection",
    });
    const move = (t: number): void => {
      const span = this.state.selection.get();
      if (!span) return;
      const other = edge === "from" ? span.to : span.from;
      if (t === other) return;
      // Past the other end, the two change places; the pointer keeps the one that it has.
      this.state.selection.set({ from: Math.min(t, other), to: Math.max(t, other) });
    };
    let dragging: { other: number } | null = null;
    handle.addEventListener("pointerdown", (event) => {
      const span = this.state.selection.get();
      if (event.button !== 0 || !span) return;
      event.preventDefault();
      event.stopPropagation();
      handle.setPointerCapture(event.pointerId);
      handle.focus({ preventScroll: true });
      dragging = { other: edge === "from" ? span.to : span.from };
    });
    handle.addEventListener("pointermove", (event) => {
      if (!dragging) return;
      const box = this.element.getBoundingClientRect();
      const { from, to } = this.view.range();
      const t = from + Math.min(1, Math.max(0, (event.clientX - box.left) / Math.max(1, box.width))) * (to - from);
      const { other } = dragging;
      if (t !== other) this.state.selection.set({ from: Math.min(t, other), to: Math.max(t, other) });
    });
    const release = (): void => { dragging = null; };
    handle.addEventListener("pointerup", release);
    handle.addEventListener("pointercancel", release);
    handle.addEventListener("keydown", (event) => {
      const span = this.state.selection.get();
      if (!span || event.ctrlKey || event.altKey || event.metaKey) return;
      const step = (event.shiftKey ? STEP_FAR : STEP) * this.view.span;
      const sign = event.key === "ArrowLeft" || event.key === "ArrowDown" ? -1 : event.key === "ArrowRight" || event.key === "ArrowUp" ? 1 : 0;
      if (sign === 0) return;
      event.preventDefault();
      event.stopPropagation();
      const t = span[edge] + sign * step;
      // By keys an end stops at the other one.
      move(edge === "from" ? Math.min(t, span.to - 1) : Math.max(t, span.from + 1));
    });
    return handle;
  }

  #drawMarks(range: Range, width: number): void {
    const marks = this.state.marks.get();
    setAttribute(this.#marks, "hidden", marks.length === 0 ? "" : null);
    if (marks.length === 0) return;
    const k = devicePixelRatio;
    const w = Math.round(width * k);
    const height = this.element.clientHeight;
    const drawn = `${marks.length} ${marks[0]} ${marks.at(-1)} ${range.from} ${range.to} ${w} ${height} ${colour("--mark")}`;
    if (drawn === this.#marksDrawn) return;
    this.#marksDrawn = drawn;
    this.#marks.width = w;
    this.#marks.height = Math.round(height * k);
    const ctx = this.#marks.getContext("2d");
    if (!ctx) return;
    ctx.fillStyle = colour("--mark");
    const seen = new Set<number>();
    for (const t of marks) {
      const x = Math.round(((t - range.from) / (range.to - range.from)) * w);
      if (x < 0 || x >= w || seen.has(x)) continue;
      seen.add(x);
      ctx.fillRect(x, 0, 1, this.#marks.height);
    }
  }
}
