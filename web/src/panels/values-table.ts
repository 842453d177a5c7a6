// SPDX-License-Identifier: Apache-2.0
// The visible values as a table for those who listen to the page: hidden from the eye, silent by itself (nobody wants to be
// told ten times a second), written anew at most every two seconds.

import type { Meta } from "../data/wire";
import { el, setText } from "../lib/dom";
import { formatClock, formatDay, formatValue } from "../lib/format";
import type { Context, Frame } from "./panel";
import { columnOf, isAbsent, qualityAt, qualityWords, whyAbsent } from "./quality";
import { meaningOf, unitOf } from "./units";

const EVERY_MS = 2000;

export class ValuesTable {
  readonly element: HTMLElement;
  readonly #caption = el("caption", {}, "Values");
  readonly #body = el("tbody");
  #rows = new Map<string, { value: HTMLElement; remark: HTMLElement }>();
  #made = "";
  #written = -Infinity;

  constructor(private readonly context: Context) {
    this.element = el("section", { class: "visually-hidden", "aria-label": "Values as a table", "aria-live": "off" },
      el("table", {}, this.#caption, el("thead", {}, el("tr", {},
        ...["Column", "Value", "Quality"].map((name) => el("th", { scope: "col" }, name)))), this.#body));
  }

  draw(frame: Frame, shown: readonly string[]): void {
    const now = performance.now();
    const meta = this.context.session.meta.get();
    if (!meta || document.hidden || now - this.#written < EVERY_MS) return;
    this.#written = now;
    this.#make(shown, meta);
    const { store } = this.context.session;
    setText(this.#caption, frame.row === null ? "No values"
      : `Values at ${formatDay(store.time(frame.row))}${formatClock(store.time(frame.row), true)}${frame.row === frame.newest ? ", the newest" : ""}`);
    for (const [id, { value, remark }] of this.#rows) {
      const column = columnOf(meta, id);
      const v = frame.row === null ? null : store.value(id, frame.row);
      setText(value, v === null ? "none" : `${formatValue(v, unitOf(column))} ${meaningOf(column, meta.intervalMs)}`);
      const words = qualityWords(qualityAt(store, id, frame.row, column), whyAbsent(column));
      setText(remark, isAbsent(column) ? words.sentence : words.short || "exact");
    }
  }

  #make(shown: readonly string[], meta: Meta): void {
    const made = shown.join();
    if (made === this.#made) return;
    this.#made = made;
    this.#rows = new Map();
    this.#body.replaceChildren(...shown.map((id) => {
      const value = el("td");
      const remark = el("td");
      this.#rows.set(id, { value, remark });
      return el("tr", {}, el("th", { scope: "row" }, columnOf(meta, id)?.name ?? id), value, remark);
    }));
  }
}
