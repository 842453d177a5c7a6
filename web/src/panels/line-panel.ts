// SPDX-License-Identifier: Apache-2.0
// A track of the timeline: on the left what it is and the values (at the cursor, or the newest), on the right the lines.
// Where a machine cannot count any of its columns, the track is words: what, and why.

import { attachGestures } from "../chart/gestures";
import { decimate } from "../chart/lod";
import { LineChart, type Line, type ScaleKind } from "../chart/uplot";
import type { Range } from "../chart/view";
import { cellKey, type Store } from "../data/store";
import type { Column, Meta, Quality } from "../data/wire";
import { el, setAttribute, setText } from "../lib/dom";
import { formatDuration, formatValue, type Unit } from "../lib/format";
import type { Context, Frame, Panel } from "./panel";
import { columnOf, isAbsent, qualityAt, sharedReasons, showQuality, whyAbsent } from "./quality";

export interface LineSpec {
  id: string;
  title: string;
  unit: Unit;
  /** Under the title: what one value means. */
  subtitle(intervalMs: number): string;
  scale: ScaleKind;
  /** Of a log scale: up to here it is linear. By default one event per interval, as a rate. */
  linearBelow?: number;
  series: readonly { column: string; label: string; colour: string }[];
  /** A column of which each CPU gets a line as well. */
  perCpu?: string;
}

/** Lines for single CPUs beside the total; more cannot be told apart. */
export const CPUS_MOST = 16;
const CPU_COLOURS = 8;
/** With more lines than this, the legend is a dense grid of whole percents. */
const LEGEND_ROOMY = 4;

interface Row {
  key: string;
  column: Column | undefined;
  label: string;
  line: Line;
  cpu: number | null;
  item: HTMLElement;
  value: HTMLElement;
  quality: HTMLElement;
}

function makeRow(key: string, column: Column | undefined, label: string, line: Line, cpu: number | null): Row {
  const value = el("b", { class: "value" });
  const quality = el("span", { class: "quality" });
  const swatch = el("i", { class: line.dashed ? "swatch dashed" : "swatch" });
  swatch.style.setProperty("--c", `var(${line.colour})`);
  const item = el("li", { "data-column": key, title: column?.formula || undefined },
    swatch, el("span", { class: "label" }, label), quality, value);
  return { key, column, label, line, cpu, item, value, quality };
}

export class LinePanel implements Panel {
  readonly element: HTMLElement;
  chart: LineChart | null = null;

  readonly #title: HTMLElement;
  readonly #subtitle = el("span", { class: "subtitle" });
  readonly #words = el("p", { class: "words" });
  readonly #legend = el("ul", { class: "legend" });
  readonly #remark = el("p", { class: "remark" });
  readonly #plot = el("div", { class: "plot" });
  #rows: Row[] = [];
  #made = "";
  #dense = false;
  #visible = true;
  /** What the canvas shows; null: it has to be drawn. */
  #drawn: (Range & { store: Store; version: number }) | null = null;

  constructor(readonly spec: LineSpec, private readonly context: Context) {
    this.#title = el("h2", {}, spec.title);
    this.element = el("section", { class: "panel track", "data-panel": spec.id, "aria-label": spec.title },
      el("div", { class: "side" }, el("header", {}, this.#title, this.#subtitle), this.#words, this.#legend, this.#remark),
      this.#plot);
    new IntersectionObserver((entries) => {
      this.#visible = entries.at(-1)?.isIntersecting ?? true;
      if (this.#visible) context.redraw();
    }, { rootMargin: "150px" }).observe(this.element);
    new ResizeObserver(() => this.#fit()).observe(this.#plot);
  }

  get absent(): boolean {
    return this.element.hasAttribute("data-absent");
  }

  meta(meta: Meta): void {
    setText(this.#subtitle, this.spec.subtitle(meta.intervalMs));
    const rows = this.spec.series.map((s) => {
      const line = { colour: s.colour, width: this.spec.perCpu ? 2 : 1.5, dashed: false };
      return makeRow(s.column, columnOf(meta, s.column), s.label, line, null);
    });
    const cpus = this.spec.perCpu === undefined ? [] : this.context.session.cpus;
    this.#dense = cpus.length > LEGEND_ROOMY;
    cpus.forEach((cpu, n) => {
      const line = { colour: `--cpu-${(n % CPU_COLOURS) + 1}`, width: 1, dashed: n >= CPU_COLOURS };
      const id = this.spec.perCpu ?? "";
      rows.push(makeRow(cellKey(id, cpu), columnOf(meta, id), this.#dense ? String(cpu) : `CPU ${cpu}`, line, cpu));
    });
    const absent = rows.every((r) => isAbsent(r.column));
    this.#say(absent, rows, meta);
    const hidden = meta.online.length - cpus.length;
    setText(this.#remark, cpus.length > 0 && hidden > 0
      ? `${cpus.length} of ${meta.online.length} CPUs are drawn; the total covers all.` : "");

    // The chart is made anew only when its lines have changed, not with every reading of /api/meta.
    const made = absent ? "absent" : rows.map((r) => `${r.key}:${isAbsent(r.column)}`).join() + meta.intervalMs;
    if (made === this.#made) {
      for (const row of this.#rows) row.column = rows.find((r) => r.key === row.key)?.column;
      return;
    }
    this.#made = made;
    this.#legend.replaceChildren(...(absent ? [] : rows.map((r) => r.item)));
    setAttribute(this.element, "data-dense", this.#dense ? "" : null);
    // What comes last is drawn on top: the total above the single CPUs, the first series above the others.
    this.#rows = rows.reverse();
    this.chart?.destroy();
    this.chart = null;
    this.#plot.replaceChildren();
    if (!absent) this.#make(meta.intervalMs);
  }

  draw(frame: Frame): void {
    const { chart, context } = this;
    if (!chart || !this.#visible) return;
    const { store } = context.session;
    const interval = context.session.meta.get()?.intervalMs ?? 100;
    if (!this.#isDrawn(frame.range, chart)) {
      const keys = this.#rows.map((r) => r.key);
      chart.draw(decimate(store, keys, { ...frame.range, pixels: chart.pixels, interval }), frame.range);
      this.#drawn = { ...frame.range, store, version: store.version };
    }
    if (!frame.text) return;
    for (const row of this.#rows) {
      const value = frame.row === null ? null : store.value(row.key, frame.row);
      setText(row.value, this.#dense && row.cpu !== null && value !== null
        ? Math.round(value * 100) + "\u00a0%" : formatValue(value, this.spec.unit));
      showQuality(row.quality, this.#quality(row, frame.row, value), whyAbsent(row.column));
    }
  }

  /** What is on the canvas is right to half a pixel: a view of an hour need not be drawn ten times a second. */
  #isDrawn(range: Range, chart: LineChart): boolean {
    const drawn = this.#drawn;
    const { store } = this.context.session;
    if (!drawn || drawn.store !== store || drawn.version !== store.version) return false;
    const tolerance = (range.to - range.from) / Math.max(1, chart.pixels) / 2;
    // The ends separately: a zoom moves them apart.
    return range.to === drawn.to ? range.from === drawn.from
      : Math.abs(range.to - drawn.to) < tolerance && Math.abs(range.from - drawn.from) < tolerance;
  }

  #quality(row: Row, at: number | null, value: number | null): Quality {
    const { session } = this.context;
    if (row.cpu !== null && value === null && !session.meta.get()?.online.includes(row.cpu)) {
      return { kind: "offline", running: 0 };
    }
    return qualityAt(session.store, row.key, at, row.column);
  }

  #make(intervalMs: number): void {
    this.#drawn = null;
    this.chart = new LineChart(this.#plot, {
      unit: this.spec.unit,
      scale: this.spec.scale,
      linearBelow: this.spec.linearBelow ?? 1000 / intervalMs,
      lines: this.#rows.map((r) => r.line),
      onCursor: this.context.onCursor,
    });
    attachGestures(this.chart, this.context.view, (from, to) => this.context.state.selection.set({ from, to }));
    this.#fit();
  }

  /** What cannot be counted here, and why, in words instead of an empty chart. */
  #say(absent: boolean, rows: readonly Row[], meta: Meta): void {
    setAttribute(this.element, "data-absent", absent ? "" : null);
    if (!absent) {
      setText(this.#words, "");
      return;
    }
    const reasons = sharedReasons(rows.map((r) => r.column), meta);
    const denied = rows.some((r) => r.column?.quality.kind === "denied");
    setText(this.#words, `${denied ? "Not permitted" : "Cannot be counted"} here: ${reasons}`);
  }

  #fit(): void {
    if (!this.chart) return;
    const { clientWidth, clientHeight } = this.#plot;
    if (clientWidth < 1 || clientHeight < 1) return;
    this.#drawn = null;
    this.chart.setSize(clientWidth, clientHeight);
    this.context.redraw();
  }
}

/** For subtitles: `per interval of 100 ms`. */
export function perInterval(intervalMs: number): string {
  return `per ${formatDuration(intervalMs)}`;
}
