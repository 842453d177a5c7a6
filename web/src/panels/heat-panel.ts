// SPDX-License-Identifier: Apache-2.0
// The track of all CPUs: a heatmap of one column, which can be chosen; a click on a row chooses that CPU for the other tracks.

import { attachGestures } from "../chart/gestures";
import { Heatmap } from "../chart/heatmap";
import type { Range } from "../chart/view";
import { Cell, heatAt, whoseOf, type HeatSource } from "../data/heat";
import { qualityOf } from "../data/store";
import type { Column, Meta } from "../data/wire";
import { el, setAttribute, setText } from "../lib/dom";
import { NOTHING, formatClock, formatTick, formatValue, type Unit } from "../lib/format";
import { isNarrow } from "../lib/text-size";
import type { Lacks, Missing } from "./missing";
import type { Context, Frame } from "./panel";
import type { Track } from "./track";
import { columnOf, isAbsent, isCounted, showGap, showQuality, whyAbsent } from "./quality";
import { unitOf } from "./units";

/** What is shown unless something else was chosen: the first of these that the machine has. */
const DEFAULTS = ["cpu_use", "cycles"];

const HATCHES: readonly (readonly [Missing, string])[] = [
  ["never ran", "stripes: never ran"], ["offline", "dots: offline"], ["gap", "blank: no sample"],
];

/** The column that the heatmap shows. */
export function heatColumn(meta: Meta | null, chosen: string | null): string {
  const has = (id: string): boolean => meta === null || (columnOf(meta, id)?.perCpu ?? false);
  if (chosen !== null && has(chosen)) return chosen;
  return DEFAULTS.find((id) => has(id) && !isAbsent(meta ? columnOf(meta, id) : undefined)) ?? DEFAULTS[0] ?? "";
}

export class HeatPanel implements Track {
  readonly element: HTMLElement;
  readonly chart = null;

  readonly #metric = el("select", { "aria-label": "Column of the heatmap", id: "heat-metric" });
  readonly #cpu = el("select", { "aria-label": "CPU of the other charts", id: "heat-cpu" });
  readonly #legend = el("div", { class: "heat-legend" });
  readonly #least = el("span", {}, "0");
  readonly #most = el("span");
  readonly #where = el("span", { class: "label" });
  readonly #value = el("b", { class: "value" });
  readonly #quality = el("span", { class: "quality" });
  readonly #words = el("p", { class: "words" });
  readonly #remark = el("p", { class: "remark" });
  readonly #plot = el("div", { class: "plot heat" });
  /** Beside the rows of the CPUs that are apart from the others. */
  readonly #apart = el("div", { class: "apart", "aria-hidden": "true" });
  readonly #map: Heatmap;
  #column: Column | undefined;
  #cpus = 0;
  #online: ReadonlySet<number> = new Set();
  #options = "";
  #cpuOptions = "";
  #pointer: { x: number; y: number } | null = null;
  #visible = true;
  #drawn: { range: Range; key: string } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly context: Context) {
    const { state } = context;
    this.#map = new Heatmap(this.#plot);
    this.#plot.append(this.#apart);
    context.apart.watch(() => this.#markApart());
    this.#metric.addEventListener("change", () => state.heat.set(this.#metric.value));
    this.#cpu.addEventListener("change", () => state.cpu.set(this.#cpu.value === "" ? null : Number(this.#cpu.value)));
    const gradient = el("div", { class: "gradient", "aria-hidden": "true" });
    this.#legend.append(this.#least, gradient, this.#most);
    this.element = el("section", { class: "panel track heat-track", "data-panel": "cpus", "aria-label": "All CPUs" },
      el("div", { class: "side" },
        el("header", {}, el("h2", {}, "CPUs"), this.#metric),
        this.#words, this.#legend,
        el("p", { class: "readout" }, this.#where, this.#quality, this.#value),
        el("label", { class: "choose" }, "Charts of ", this.#cpu),
        this.#remark),
      this.#plot);
    attachGestures({
      over: this.#map.over,
      point: (at) => {
        this.#pointer = at;
        context.onCursor(at?.x ?? null);
        context.redraw();
      },
      click: ({ x, y }) => {
        const { from, to } = context.view.range();
        const source = this.#source();
        const cpu = source ? this.#under(source, y, from + (x / this.#map.plotWidth) * (to - from)).cpu : this.#map.cpuAt(y, this.#cpus);
        state.cpu.set(state.cpu.get() === cpu ? null : cpu);
      },
    }, context);
    new IntersectionObserver((entries) => {
      this.#visible = entries.at(-1)?.isIntersecting ?? true;
      if (this.#visible) context.redraw();
    }, { rootMargin: "150px" }).observe(this.element);
    new ResizeObserver(() => {
      const { clientWidth, clientHeight } = this.#plot;
      if (clientWidth < 1 || clientHeight < 1) return;
      this.#map.setSize(clientWidth, clientHeight);
      this.#drawn = null;
      this.#markApart();
      context.redraw();
    }).observe(this.#plot);
  }

  get absent(): boolean {
    return this.element.hasAttribute("data-absent");
  }

  get words(): string {
    return this.#words.textContent;
  }

  get over(): HTMLElement | null {
    return this.absent ? null : this.#map.over;
  }

  setShowTimes(): void {
    // The times are under a track of lines.
  }

  forgetScale(): void {
    this.#map.forgetScale();
  }

  recolour(): void {
    this.#map.forget();
    this.#drawn = null;
  }

  meta(meta: Meta): void {
    const { state } = this.context;
    const per = meta.columns.filter((c) => c.perCpu && !isAbsent(c));
    const chosen = heatColumn(meta, state.heat.get());
    this.#column = columnOf(meta, chosen);
    this.#cpus = meta.possible;
    this.#online = new Set(meta.online);
    const absent = per.length === 0 || isAbsent(this.#column) || meta.possible === 0;
    setAttribute(this.element, "data-absent", absent ? "" : null);
    setText(this.#words, absent ? `No values of single CPUs: ${per.length === 0 ? "this target has none." : whyAbsent(this.#column)}` : "");
    const options = JSON.stringify(per.map((c) => [c.id, c.name]));
    if (options !== this.#options) {
      this.#options = options;
      this.#metric.replaceChildren(...per.map((c) => el("option", { value: c.id }, c.name)));
    }
    this.#metric.value = chosen;
    const cpus = Array.from({ length: meta.possible }, (_, i) => i);
    const cpuOptions = JSON.stringify([meta.possible, meta.online]);
    if (cpuOptions !== this.#cpuOptions) {
      this.#cpuOptions = cpuOptions;
      this.#cpu.replaceChildren(el("option", { value: "" }, "all CPUs"),
        ...cpus.map((c) => el("option", { value: String(c) }, this.#online.has(c) ? `CPU ${c}` : `CPU ${c} (offline)`)));
    }
    this.#cpu.value = String(state.cpu.get() ?? "");
    this.element.style.setProperty("--rows", String(meta.possible));
    this.#drawn = null;
  }

  draw(frame: Frame): void {
    const { session, state } = this.context;
    const source = this.#source();
    if (this.absent || !this.#visible || !source || !this.#column) return;
    const { matrix } = source;
    const unit = unitOf(this.#column);
    const chosen = state.cpu.get();
    const { from, to } = frame.range;
    const fetched = session.tiles.version(whoseOf(matrix));
    const key = `${matrix.end} ${fetched} ${chosen}`;
    const still = this.#drawn !== null && this.#drawn.range.from === from && this.#drawn.range.to === to && this.#drawn.key === key;
    if (!still && !this.#almost(frame.range, fetched, chosen)) {
      const again = this.#map.draw(source, frame.range, unit === "share", chosen);
      this.#drawn = { range: frame.range, key };
      clearTimeout(this.#timer);
      if (again !== null) {
        this.#timer = setTimeout(() => {
          this.#drawn = null;
          this.context.redraw();
        }, again);
      }
    }
    if (!frame.text) return;
    setText(this.#most, formatTick(this.#map.max, unit));
    setText(this.#remark, [this.#map.group > 1 ? `${this.#map.group} CPUs a row: the highest` : "", isNarrow() ? this.#hatches() : ""]
      .filter((s) => s !== "").join(" \u00b7 "));
    this.#read(source, frame, unit);
  }

  missing(found: Lacks): void {
    const { session } = this.context;
    const { newestTime } = session.store;
    if (!this.#visible || !this.#drawn || session.oldestTime === null || newestTime === null) return;
    const { from, to } = this.#drawn.range;
    const kinds = this.#map.missing({ from: Math.max(from, session.oldestTime), to: Math.min(to, newestTime) });
    if (kinds.has(Cell.NeverRan)) found.kinds.add("never ran");
    if (kinds.has(Cell.Offline)) found.kinds.add("offline");
    // What has been asked for is no gap yet.
    if (kinds.has(Cell.Gap) && !session.tiles.busy) found.kinds.add("gap");
  }

  /** Where the legend above the tracks is out of sight. */
  #hatches(): string {
    const found: Lacks = { kinds: new Set(), coarse: null };
    this.missing(found);
    return HATCHES.filter(([kind]) => found.kinds.has(kind)).map(([, words]) => words).join(", ");
  }

  #markApart(): void {
    this.#apart.replaceChildren(...this.context.apart.get().filter((cpu) => cpu < this.#cpus).map((cpu) => {
      const mark = el("i", {}, "\u25c2");
      mark.style.top = `${this.#map.middleOf(cpu, this.#cpus)}px`;
      return mark;
    }));
  }

  /** Moved by less than half a pixel, and nothing else: a view of an hour need not be drawn ten times a second. */
  #almost(range: Range, fetched: number, chosen: number | null): boolean {
    const drawn = this.#drawn;
    if (!drawn || !drawn.key.endsWith(` ${fetched} ${chosen}`)) return false;
    const half = (range.to - range.from) / this.#map.plotWidth / devicePixelRatio / 2;
    return range.to !== drawn.range.to && Math.abs(range.to - drawn.range.to) < half && Math.abs(range.from - drawn.range.from) < half;
  }

  /** What there is of the column; null while that is another one's. */
  #source(): HeatSource | null {
    const { session } = this.context;
    const { matrix } = session;
    const meta = session.meta.get();
    if (!meta || !matrix || matrix.column !== this.#column?.id) return null;
    const counted = isCounted(this.#column, meta);
    return { matrix, tiles: session.tiles, oldest: session.oldestTime, interval: meta.intervalMs, online: this.#online, counted };
  }

  /** The CPU at a height of the plot; where several share the row, the one whose value is its colour. */
  #under(source: HeatSource, y: number, t: number): { cpu: number; found: ReturnType<typeof heatAt> } {
    const { group } = this.#map;
    const first = Math.floor(this.#map.cpuAt(y, this.#cpus) / group) * group;
    let best = { cpu: first, found: heatAt(source, first, t) };
    for (let cpu = first + 1; cpu < Math.min(this.#cpus, first + group); cpu++) {
      const found = heatAt(source, cpu, t);
      if ((found?.value ?? -Infinity) > (best.found?.value ?? -Infinity)) best = { cpu, found };
    }
    return best;
  }

  /** Under the pointer: that CPU and time. Else the CPU that has most now. */
  #read(source: HeatSource, frame: Frame, unit: Unit): void {
    const { matrix } = source;
    if (this.#pointer && frame.cursorTime !== null) {
      const { cpu, found } = this.#under(source, this.#pointer.y, frame.cursorTime);
      setText(this.#where, `CPU ${cpu} at ${formatClock(frame.cursorTime, true)}`);
      setText(this.#value, found ? formatValue(found.value, unit) : NOTHING);
      const kind = found?.value == null && !this.#online.has(cpu) ? { kind: "offline" as const, running: 0 } : qualityOf(found?.quality ?? 100);
      const { newestTime } = this.context.session.store;
      const gap = found === null && kind.kind === "exact" && !source.tiles.busy
        && frame.cursorTime > (source.oldest ?? Infinity) && frame.cursorTime < (newestTime ?? -Infinity);
      if (gap) showGap(this.#quality);
      else showQuality(this.#quality, kind, "");
      return;
    }
    let best = -1;
    let high = -Infinity;
    const at = matrix.end > matrix.first ? matrix.row(matrix.end - 1) : -1;
    for (let c = 0; at >= 0 && c < matrix.cpus; c++) {
      const v = matrix.values[at + c] as number;
      if (v > high) {
        high = v;
        best = c;
      }
    }
    setText(this.#where, best < 0 ? "" : `most now: CPU ${best}`);
    setText(this.#value, best < 0 ? "" : formatValue(high, unit));
    showQuality(this.#quality, { kind: "exact", running: 100 }, "");
  }
}
