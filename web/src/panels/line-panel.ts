// SPDX-License-Identifier: Apache-2.0
// A track of the timeline: on the left what it is and the values (at the cursor, or the newest), on the right the lines.
// Where a machine cannot count any of its columns, the track is words: what, and why.

import { attachGestures } from "../chart/gestures";
import { linesOf } from "../chart/lines";
import { noLines, type Lines } from "../chart/lod";
import { LineChart, type Line, type ScaleKind } from "../chart/uplot";
import type { Range } from "../chart/view";
import type { Session } from "../data/session";
import { EXACT, NEVER_RAN, cellKey, qualityOf, type Store } from "../data/store";
import type { Column, Meta, Quality } from "../data/wire";
import { el, setAttribute, setText } from "../lib/dom";
import { NOTHING, formatDuration, formatValue, type Unit } from "../lib/format";
import { lowerBound } from "../lib/search";
import type { Context, Frame } from "./panel";
import type { Lacks } from "./missing";
import { columnOf, isAbsent, isCounted, measuresTasks, qualityAt, sharedReasons, showGap, showQuality, showUnmeasured, whyAbsent } from "./quality";
import type { Track } from "./track";

export interface LineSpec {
  id: string;
  title: string;
  unit: Unit;
  /** Under the title: what one value means. */
  subtitle(intervalMs: number, ofTasks?: boolean): string;
  scale: ScaleKind;
  /** Of a log scale: up to here it is linear. By default one event per interval, as a rate. */
  linearBelow?: number;
  series: readonly { column: string; label: string; colour: string }[];
}

interface Row {
  id: string;
  column: Column | undefined;
  line: Line;
  item: HTMLElement;
  value: HTMLElement;
  quality: HTMLElement;
}

function makeRow(column: Column | undefined, spec: LineSpec["series"][number]): Row {
  const value = el("b", { class: "value" });
  const quality = el("span", { class: "quality" });
  const swatch = el("i", { class: "swatch" });
  swatch.style.setProperty("--c", `var(${spec.colour})`);
  const item = el("li", { "data-column": spec.column, title: column?.formula || undefined },
    swatch, el("span", { class: "label" }, spec.label), quality, value);
  return { id: spec.column, column, line: { colour: spec.colour, width: 1.5, dashed: false }, item, value, quality };
}

export class LinePanel implements Track {
  readonly element: HTMLElement;
  chart: LineChart | null = null;

  readonly #title: HTMLElement;
  readonly #subtitle = el("span", { class: "subtitle" });
  /** Which CPU the values are of, when one is chosen. */
  readonly #of = el("span", { class: "of" });
  readonly #words = el("p", { class: "words" });
  readonly #legend = el("ul", { class: "legend" });
  readonly #plot = el("div", { class: "plot" });
  #rows: Row[] = [];
  #made = "";
  #visible = true;
  /** What the canvas shows; null: it has to be drawn. */
  #drawn: (Range & { store: Store; version: number; fetched: number; cpu: number | null }) | null = null;
  #lines: Lines = noLines(0);

  constructor(private readonly spec: LineSpec, private readonly context: Context) {
    this.#title = el("h2", {}, spec.title);
    this.element = el("section", { class: "panel track", "data-panel": spec.id, "aria-label": spec.title },
      el("div", { class: "side" }, el("header", {}, this.#title, this.#of, this.#subtitle), this.#words, this.#legend),
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

  get words(): string {
    return this.#words.textContent;
  }

  get over(): HTMLElement | null {
    return this.chart?.over ?? null;
  }

  setShowTimes(show: boolean): void {
    this.chart?.setShowTimes(show);
  }

  forgetScale(): void {
    this.chart?.forgetScale();
  }

  recolour(): void {
    this.chart?.recolour();
  }

  meta(meta: Meta): void {
    const rows = this.spec.series.map((s) => makeRow(columnOf(meta, s.column), s));
    const absent = rows.every((r) => isAbsent(r.column));
    this.#say(absent, rows, meta);
    setText(this.#subtitle, this.spec.subtitle(meta.intervalMs, measuresTasks(meta)));

    // The chart is made anew only when its lines have changed, not with every reading of /api/meta.
    const made = absent ? "absent" : rows.map((r) => `${r.id}:${r.column ? isAbsent(r.column) : "unknown"}`).join() + meta.intervalMs;
    if (made === this.#made) {
      for (const row of this.#rows) row.column = rows.find((r) => r.id === row.id)?.column;
      return;
    }
    this.#made = made;
    this.element.style.setProperty("--series", String(rows.length));
    this.#legend.replaceChildren(...(absent ? [] : rows.map((r) => r.item)));
    // What the server does not know cannot be asked for: one such column would take the others along.
    for (const row of rows.filter((r) => r.column === undefined)) {
      setText(row.value, NOTHING);
      showUnmeasured(row.quality);
    }
    // What comes last is drawn on top: the first series above the others.
    this.#rows = rows.filter((r) => r.column !== undefined).reverse();
    this.chart?.destroy();
    this.chart = null;
    this.#plot.replaceChildren();
    if (!absent) this.#make(meta.intervalMs);
  }

  draw(frame: Frame): void {
    const { chart, context } = this;
    if (!chart || !this.#visible) return;
    const { session } = context;
    const { history } = session;
    const interval = session.meta.get()?.intervalMs ?? 100;
    const cpu = this.#cpu();
    if (!this.#isDrawn(frame.range, chart, cpu)) {
      // The newest point may have been one of an unfinished bucket.
      const since = this.#sameData(cpu) ? this.#lines.t.at(-2) ?? -Infinity : -Infinity;
      this.#lines = linesOf(history, this.#rows.map((r) => r.id), cpu, { ...frame.range, pixels: chart.pixels, interval });
      chart.draw(this.#lines, frame.range, since);
      const { store, tiles } = history;
      this.#drawn = { ...frame.range, store, version: store.version, fetched: tiles.version(cpu), cpu };
    }
    if (!frame.text) return;
    setAttribute(this.element, "data-cpu", cpu === null ? null : String(cpu));
    setText(this.#of, cpu !== null ? `CPU ${cpu}` : context.state.cpu.get() !== null ? "all CPUs" : "");
    this.#rows.forEach((row, k) => {
      const key = cellKey(row.id, cpu ?? undefined);
      const { value, quality, gap } = this.#read(frame, row, key, k, interval);
      setText(row.value, formatValue(value, this.spec.unit));
      if (gap) showGap(row.quality);
      else showQuality(row.quality, quality, whyAbsent(row.column));
    });
  }

  missing(found: Lacks): void {
    const drawn = this.#drawn;
    const { session } = this.context;
    if (!this.#visible || !drawn || session.tiles.busy) return;
    const interval = session.meta.get()?.intervalMs ?? 100;
    const cpu = this.#cpu();
    found.coarse ??= this.#lines.coarse;
    this.#rows.forEach((row, k) => {
      if (isAbsent(row.column)) return; // its place in the legend says so
      for (const t of breaksIn(this.#lines, k, drawn)) {
        if (!isBetween(session, t)) continue;
        const at = { range: drawn, row: session.store.nearest(t, interval), newest: null, cursorTime: t, text: true };
        const { value, quality, gap } = this.#read(at, row, cellKey(row.id, cpu ?? undefined), k, interval);
        if (value === null && (quality.kind === "never ran" || quality.kind === "offline")) found.kinds.add(quality.kind);
        else if (value === null && (gap || at.row === null)) found.kinds.add("gap");
      }
    });
  }

  /** The CPU that the lines are of; null: the target's total, also when some column has no values of single CPUs. */
  #cpu(): number | null {
    return this.#rows.every((r) => r.column?.perCpu ?? true) ? this.context.state.cpu.get() : null;
  }

  /** Value and quality in the frame's row, or at its cursor in what the store does not hold. */
  #read(frame: Frame, row: Row, key: string, k: number, interval: number): { value: number | null; quality: Quality; gap?: boolean } {
    const { session } = this.context;
    const { store } = session;
    const since = store.since(key);
    if (frame.row !== null && since !== null && store.time(frame.row) >= since) {
      const value = store.value(key, frame.row);
      const cpu = this.#cpu();
      if (value === null && cpu !== null && !session.meta.get()?.online.includes(cpu)) return { value, quality: { kind: "offline", running: 0 } };
      return { value, quality: qualityAt(store, key, frame.row, row.column) };
    }
    const t = frame.cursorTime ?? frame.range.to;
    const value = pointAt(this.#lines, k, t, interval);
    if (isAbsent(row.column)) return { value, quality: qualityAt(store, key, null, row.column) };
    const meta = session.meta.get();
    const counted = !row.column || !meta || isCounted(row.column, meta);
    const running = counted ? session.tiles.at(this.#cpu(), row.id, t)?.quality ?? EXACT : EXACT;
    const gap = value === null && running === EXACT && frame.cursorTime !== null && isBetween(session, t) && !session.tiles.busy;
    return { value, quality: qualityOf(running === NEVER_RAN && value !== null ? EXACT : running), gap };
  }

  /** Newer samples may have come; what was there when it was drawn is there still. */
  #sameData(cpu: number | null): boolean {
    const drawn = this.#drawn;
    const { store, tiles } = this.context.session;
    return drawn?.store === store && drawn.version === store.version && drawn.cpu === cpu
      && (!this.#lines.fetched || drawn.fetched === tiles.version(cpu));
  }

  /** What is on the canvas is right to half a pixel: a view of an hour need not be drawn ten times a second. */
  #isDrawn(range: Range, chart: LineChart, cpu: number | null): boolean {
    const drawn = this.#drawn;
    if (!drawn || !this.#sameData(cpu)) return false;
    const tolerance = (range.to - range.from) / Math.max(1, chart.pixels) / 2;
    // The ends separately: a zoom moves them apart.
    return range.to === drawn.to ? range.from === drawn.from
      : Math.abs(range.to - drawn.to) < tolerance && Math.abs(range.from - drawn.from) < tolerance;
  }

  #make(intervalMs: number): void {
    this.#drawn = null;
    this.chart = new LineChart(this.#plot, {
      unit: this.spec.unit,
      scale: this.spec.scale,
      linearBelow: this.spec.linearBelow ?? 1000 / intervalMs,
      lines: this.#rows.map((r) => r.line),
    });
    attachGestures({ over: this.chart.over }, this.context);
    this.#fit();
  }

  /** What cannot be counted here, and why, in words instead of an empty chart. */
  #say(absent: boolean, rows: readonly Row[], meta: Meta): void {
    setAttribute(this.element, "data-absent", absent ? "" : null);
    if (!absent) {
      setText(this.#words, "");
      return;
    }
    // What the input does not have is no fault of this machine.
    if (rows.every((r) => r.column === undefined)) {
      setText(this.#words, whyAbsent(undefined));
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

/** So many stretches without a value are looked at, evenly over the view: what interrupts a line all the time does so everywhere. */
const BREAKS_MOST = 32;

/** A time in each stretch of a line that has no value, as far as it is shown. */
function breaksIn({ t, curves }: Lines, k: number, { from, to }: Range): number[] {
  const mean = curves[k]?.mean ?? [];
  const times: number[] = [];
  for (let i = lowerBound(0, t.length, (n) => t[n] as number, from); i < t.length && (t[i] as number) <= to; i++) {
    if (mean[i] == null && (mean[i - 1] != null || times.length === 0)) times.push(t[i] as number);
  }
  const every = Math.ceil(times.length / BREAKS_MOST);
  return times.filter((_, i) => i % every === 0);
}

/** Within the history: before and behind it there is nothing to miss. */
function isBetween({ oldestTime, store }: Session, t: number): boolean {
  return oldestTime !== null && store.newestTime !== null && t > oldestTime && t < store.newestTime;
}

/** The mean of the point that covers a time; null where there is none. */
function pointAt(lines: Lines, k: number, t: number, interval: number): number | null {
  const { t: times } = lines;
  const low = lowerBound(0, times.length, (i) => times[i] as number, t);
  if (low >= times.length) return null;
  const mean = lines.curves[k]?.mean ?? [];
  // Behind a gap, a point covers what one like it covers.
  const at = times[low] as number;
  const apart = mean[low + 1] != null ? (times[low + 1] as number) - at : interval;
  const before = low > 0 && mean[low - 1] != null ? (times[low - 1] as number) : at - apart;
  return t > before ? mean[low] ?? null : null;
}

/** For subtitles: `per interval of 100 ms`. */
export function perInterval(intervalMs: number): string {
  return `per ${formatDuration(intervalMs)}`;
}
