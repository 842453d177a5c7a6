// SPDX-License-Identifier: Apache-2.0
// The tracks below each other, those that are chosen, in their order; those that cannot be measured here as words below.

import type { Placement } from "../chart/overlay";
import type { Meta } from "../data/wire";
import { el, setAttribute } from "../lib/dom";
import { isNarrow } from "../lib/text-size";
import { HeatPanel } from "./heat-panel";
import { LinePanel } from "./line-panel";
import type { Lacks } from "./missing";
import type { Context, Frame, Panel } from "./panel";
import { HEAT_TRACK, trackIds } from "./table";
import { lineSpec } from "./tracks";
import type { Track } from "./track";

export class Timeline implements Panel {
  readonly element: HTMLElement;
  readonly absent = el("div", { class: "absent" });
  readonly #list = el("div", { class: "tracks" });
  readonly #tracks = new Map<string, Track>();
  #shown: Track[] = [];
  #placement: Placement | null = null;
  /** The plot that the placement is of: it gives way to its axis when there is something to draw, which changes no size around it. */
  #measured: HTMLElement | null = null;
  readonly #sizes = new ResizeObserver(() => {
    this.#placement = null;
    this.context.redraw();
  });

  constructor(private readonly context: Context, overlay: HTMLElement) {
    this.element = el("div", { class: "timeline" }, this.#list, overlay);
    new ResizeObserver(() => this.#arrange()).observe(this.element);
  }

  meta(meta: Meta): void {
    this.#shown = trackIds(this.context.state.tracks.get(), meta).flatMap((id) => {
      let track = this.#tracks.get(id);
      if (!track) {
        const spec = id === HEAT_TRACK ? null : lineSpec(id, meta.columns);
        if (spec === undefined) return [];
        track = spec === null ? new HeatPanel(this.context) : new LinePanel(spec, this.context);
        this.#tracks.set(id, track);
      }
      return [track];
    });
    for (const track of this.#shown) track.meta(meta);
    this.#arrange();
  }

  draw(frame: Frame): void {
    for (const track of this.#shown) track.draw(frame);
    setAttribute(this.element, "data-from", String(frame.range.from));
    setAttribute(this.element, "data-to", String(frame.range.to));
  }

  /** What is missing in the tracks that are on the screen. */
  missing(): Lacks {
    const found: Lacks = { kinds: new Set(), coarse: null };
    for (const track of this.#shown) if (!track.absent) track.missing(found);
    return found;
  }

  forgetScale(): void {
    for (const track of this.#shown) track.forgetScale();
  }

  recolour(): void {
    for (const track of this.#tracks.values()) track.recolour();
  }

  /** Where the plots are, from the timeline's left edge. */
  placement(): Placement {
    if (this.#placement) return this.#placement;
    const over = this.#shown.find((t) => t.over && !t.absent)?.over;
    if (!over) return { left: 0, width: 0 };
    const box = over.getBoundingClientRect();
    if (box.width < 1) return { left: 0, width: 0 };
    if (over !== this.#measured) {
      this.#sizes.disconnect();
      this.#sizes.observe(over);
      this.#measured = over;
    }
    return (this.#placement = { left: box.left - this.element.getBoundingClientRect().left, width: box.width });
  }

  #arrange(): void {
    this.#placement = null;
    const drawn = this.#shown.filter((t) => !t.absent);
    place(this.#list, drawn);
    // Those that share their reason stand together, and it is read once.
    const absent = this.#shown.filter((t) => t.absent).map((t, i, all) => ({ t, first: all.findIndex((o) => o.words === t.words), i }))
      .sort((a, b) => a.first - b.first || a.i - b.i).map(({ t }) => t);
    place(this.absent, absent);
    absent.forEach((t, i) => setAttribute(t.element, "data-same", absent[i + 1]?.words === t.words ? "" : null));
    // One time axis, under the last track of lines; on a narrow page each has its own.
    const narrow = isNarrow();
    const last = drawn.filter((t) => t.chart).at(-1);
    for (const track of drawn) track.setShowTimes(narrow || track === last);
    for (const track of this.#shown) setAttribute(track.element, "data-last", track === last ? "" : null);
    this.context.redraw();
  }
}

function place(parent: HTMLElement, list: readonly Track[]): void {
  // Only when it differs: an element that is moved loses its observers' peace and the pointer.
  if (list.some((t, i) => parent.children[i] !== t.element) || parent.children.length !== list.length) {
    parent.replaceChildren(...list.map((t) => t.element));
  }
}
