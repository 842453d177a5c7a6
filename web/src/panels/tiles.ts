// SPDX-License-Identifier: Apache-2.0
// The newest values at a glance, each with its last minute as a small line, and its quality when it is not exact.

import type { Meta } from "../data/wire";
import { el, setAttribute, setText } from "../lib/dom";
import { decimate } from "../chart/lod";
import { drawLines } from "../chart/strokes";
import { colour } from "../lib/theme";
import { NOTHING, formatRate, formatRatio, formatShare } from "../lib/format";
import type { Context, Frame, Panel } from "./panel";
import { columnOf, isAbsent, qualityAt, showQuality, showUnmeasured, whyAbsent } from "./quality";

/** Reads a column of the newest row. */
type Read = (column: string) => number | null;

interface Given {
  read: Read;
  /** Measured length of the newest interval. */
  seconds: number;
  cpus: number;
}

interface TileSpec {
  /** Takes this one's place where its column is measured. */
  of?: string;
  id: string;
  title: string;
  /** The column whose quality is the tile's. */
  column: string;
  main(given: Given): number | null;
  format(value: number): string;
  /** The small line below. */
  sub(given: Given): string;
  /** What it means, where that is not plain. */
  subHelp?: string;
}

function per(read: Read, column: string, seconds: number): number | null {
  const value = read(column);
  return value === null ? null : value / seconds;
}

function words(value: number | null, format: (v: number) => string, label: string): string {
  return value === null ? "" : `${label} ${format(value)}`;
}

const TILES: readonly TileSpec[] = [
  {
    id: "ipc", title: "IPC", column: "ipc",
    main: ({ read }) => read("ipc"), format: formatRatio,
    sub: ({ read }) => words(read("cpi"), formatRatio, "CPI"),
  },
  {
    id: "cycles", title: "Clock", column: "ghz",
    main: ({ read }) => read("ghz"), format: (v) => `${v.toFixed(2)}\u00a0GHz`,
    sub: ({ read, seconds }) => words(per(read, "cycles", seconds), formatRate, "cycles"),
  },
  {
    id: "cache", title: "Cache-miss rate", column: "cache_miss_rate",
    main: ({ read }) => read("cache_miss_rate"), format: formatShare,
    sub: ({ read, seconds }) => words(per(read, "cache_misses", seconds), formatRate, "misses"),
  },
  {
    id: "branch", title: "Branch-miss rate", column: "branch_miss_rate",
    main: ({ read }) => read("branch_miss_rate"), format: formatShare,
    sub: ({ read, seconds }) => words(per(read, "branch_misses", seconds), formatRate, "misses"),
  },
  {
    id: "cpu", title: "CPU use", column: "cpu_use",
    main: ({ read }) => read("cpu_use"), format: formatShare,
    sub: ({ read, cpus }) => words(read("pressure_cpu_some"), formatShare, "pressure")
      || (cpus === 0 ? "" : `of ${cpus} ${cpus === 1 ? "CPU" : "CPUs"}`),
    subHelp: "Pressure: the share of time in which some task waited for a CPU",
  },
  {
    of: "cpu", id: "tasks-cpu", title: "CPUs utilized", column: "cpus_utilized",
    main: ({ read }) => read("cpus_utilized"), format: formatRatio,
    sub: ({ read }) => words(read("cpu_use"), formatShare, "machine"),
    subHelp: "CPU use of the whole machine",
  },
  {
    id: "switches", title: "Context switches", column: "context_switches_per_second",
    main: ({ read }) => read("context_switches_per_second"), format: formatRate,
    sub: ({ read }) => words(read("cpu_migrations_per_second"), formatRate, "migrations"),
  },
];

/** Columns that tiles read. */
export const TILE_COLUMNS: readonly string[] = [
  "ipc", "cpi", "ghz", "cycles", "cache_miss_rate", "cache_misses", "branch_miss_rate", "branch_misses", "cpu_use",
  "cpus_utilized", "pressure_cpu_some", "context_switches_per_second", "cpu_migrations_per_second",
];

/** What a sparkline shows. */
const SPARK_MS = 60_000;

interface Tile {
  spec: TileSpec;
  spark: HTMLCanvasElement;
  /** Of the sparkline, CSS pixels: to ask for them in a frame that has written texts would lay the page out twice. */
  width: number;
  height: number;
  /** What the sparkline shows. */
  drawn: string;
  root: HTMLElement;
  value: HTMLElement;
  sub: HTMLElement;
  quality: HTMLElement;
  /** That it is unusual. */
  mark: HTMLElement;
}

function makeTile(spec: TileSpec): Tile {
  const value = el("div", { class: "value" }, NOTHING);
  const sub = el("div", { class: "sub", title: spec.subHelp });
  const mark = el("span", { class: "mark" }, el("span"), el("span"));
  const quality = el("span", { class: "quality" });
  const spark = el("canvas", { class: "spark", "aria-hidden": "true" });
  const root = el("div", { class: "tile", "data-tile": spec.id, hidden: spec.of !== undefined },
    el("div", { class: "name" }, el("span", {}, spec.title), mark),
    el("div", { class: "row" }, value, spark), el("div", { class: "foot" }, sub, quality));
  return { spec, root, value, sub, quality, mark, spark, width: 0, height: 0, drawn: "" };
}

export class TilesPanel implements Panel {
  readonly element: HTMLElement;
  readonly #tiles = TILES.map(makeTile);
  /** Sparklines are drawn in turn, one each time that numbers are written: each moves by a pixel a second. null: all at once. */
  #spark: number | null = null;

  constructor(private readonly context: Context) {
    this.element = el("section", { class: "tiles", "aria-label": "Newest values" }, ...this.#tiles.map((t) => t.root));
    const sizes = new ResizeObserver((entries) => {
      for (const { target, contentRect: { width, height } } of entries) {
        const tile = this.#tiles.find((t) => t.spark === target);
        if (tile) Object.assign(tile, { width, height, drawn: "" });
      }
      this.#spark = null;
      context.redraw();
    });
    for (const tile of this.#tiles) sizes.observe(tile.spark);
  }

  meta(meta: Meta): void {
    const has = (id: string): boolean => !isAbsent(columnOf(meta, id));
    // Tiles with values come first.
    for (const tile of this.#tiles) {
      const { spec } = tile;
      const unfit = spec.of !== undefined ? !has(spec.column) : TILES.some((t) => t.of === spec.id && has(t.column));
      setAttribute(tile.root, "hidden", unfit ? "" : null);
      setAttribute(tile.root, "data-absent", isAbsent(columnOf(meta, tile.spec.column)) ? "" : null);
      const column = columnOf(meta, tile.spec.column);
      setAttribute(tile.value, "title", column?.formula ? `${column.name} = ${column.formula}` : null);
    }
  }

  recolour(): void {
    this.#spark = null;
  }

  draw(frame: Frame): void {
    const { session } = this.context;
    const meta = session.meta.get();
    if (!frame.text || !meta) return;
    const row = frame.newest;
    const turn = this.#spark;
    this.#spark = ((turn ?? 0) + 1) % this.#tiles.length;
    const given: Given = {
      read: (column) => (row === null ? null : session.store.value(column, row)),
      seconds: session.latest?.seconds ?? meta.intervalMs / 1000,
      cpus: meta.online.length,
    };
    this.#tiles.forEach((tile, i) => {
      if (tile.root.hidden) return;
      const { spec } = tile;
      const column = columnOf(meta, spec.column);
      const value = spec.main(given);
      setText(tile.value, value === null ? NOTHING : spec.format(value));
      setText(tile.sub, spec.sub(given));
      this.#mark(tile);
      if (column) showQuality(tile.quality, qualityAt(session.store, spec.column, row, column), whyAbsent(column));
      else showUnmeasured(tile.quality);
      if ((turn === null || turn === i) && !isAbsent(column)) this.#drawSpark(tile, meta.intervalMs);
    });
  }

  #mark({ spec, mark, root }: Tile): void {
    const found = this.context.unusual.get().get(spec.column);
    // The word goes where the tile is narrow: not the name.
    const [sign, word] = mark.children;
    if (sign && word) {
      setText(sign, !found ? "" : found.verdict === "high" ? "\u25b2" : "\u25bc");
      setText(word, !found ? "" : found.verdict === "high" ? "\u00a0high" : "\u00a0low");
    }
    setAttribute(root, "data-unusual", found?.verdict ?? null);
    setAttribute(mark, "title", found?.why ?? null);
    // Also for those who have no pointer to hover with.
    setAttribute(mark, "tabindex", found ? "0" : null);
    setAttribute(mark, "role", found ? "note" : null);
    setAttribute(mark, "aria-label", found?.why ?? null);
  }

  /** From 0 to the greatest of the minute. */
  #drawSpark(tile: Tile, interval: number): void {
    const { spec, spark } = tile;
    const { store } = this.context.session;
    const to = store.newestTime;
    const k = devicePixelRatio;
    const drawn = `${to} ${store.version} ${k} ${colour("--accent")}`;
    if (drawn === tile.drawn) return;
    const ctx = spark.getContext("2d");
    if (to === null || !ctx) return;
    const [width, height] = [Math.round(tile.width * k), Math.round(tile.height * k)];
    if (width < 2) return;
    tile.drawn = drawn;
    if (spark.width !== width || spark.height !== height) Object.assign(spark, { width, height });
    else ctx.clearRect(0, 0, width, height);
    const from = to - SPARK_MS;
    const lines = decimate(store, [spec.column], { from, to, pixels: width, interval });
    const most = lines.curves[0]?.high.reduce<number>((a, v) => Math.max(a, v ?? 0), 0) ?? 0;
    drawLines(ctx, lines, [{ colour: colour("--accent"), width: 1, dashed: false }], {
      left: 0, top: 0, width, height, from, moved: 0, perMs: width / SPARK_MS,
      upper: 2, rise: height - 3, full: most > 0 ? most : Infinity, linear: null,
    });
  }
}
