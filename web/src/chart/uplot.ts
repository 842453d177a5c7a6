// SPDX-License-Identifier: Apache-2.0
/*! This page contains uPlot 1.6.32, Copyright (c) 2025 Leon Sorokin, under the MIT licence (github.com/leeoniya/uPlot). */
// Our adapter around uPlot: the only file that knows it. A chart draws the columns and the range it is given; it neither
// zooms nor follows by itself, and its legend is ours (panels/line-panel.ts).

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { el } from "../lib/dom";
import { formatTick, formatTimeTick, type Unit } from "../lib/format";
import { colour } from "../lib/theme";
import type { Columns } from "./lod";
import { StableMax } from "./scale";
import type { Range } from "./view";

/**
 * auto: from 0 to a round number above the data. share: 0 to 100 %. log: zero, then decades, for rates of which one is a
 * thousand times another (asinh, so that zero has a place).
 */
export type ScaleKind = "auto" | "share" | "log";

export interface Line {
  /** A custom property of the stylesheet. */
  colour: string;
  /** CSS pixels. */
  width: number;
  dashed: boolean;
}

export interface ChartOptions {
  unit: Unit;
  scale: ScaleKind;
  /** Of a log scale: up to here it is linear. One event per interval, as a rate, is the least that can be seen. */
  linearBelow: number;
  lines: readonly Line[];
  /** The pointer is at this many CSS pixels from the plot's left edge; null when it is elsewhere. */
  onCursor(left: number | null): void;
}

/** Equal in all charts, so that their time axes lie below each other. */
const AXIS_WIDTH = 54;
const PAD_RIGHT = 10;
const PAD_TOP = 8;
const TIMES_HEIGHT = 22;
const NO_TIMES_HEIGHT = 5;
const FONT = "11px system-ui, sans-serif";
/** Least distance of two labels, CSS pixels. */
const TICK_SPACE = 26;
const TIME_SPACE = 90;
/** The top of a log scale when all is zero, above what is linear. */
const LOG_LEAST = 100;

export class LineChart {
  readonly #plot: uPlot;
  readonly #max = new StableMax();
  readonly #selection = el("div", { class: "selection", hidden: true });
  #showTimes = true;

  constructor(parent: HTMLElement, private readonly options: ChartOptions) {
    const axis = { stroke: () => colour("--text-dim"), font: FONT, ticks: { show: false } };
    const grid = { stroke: () => colour("--grid"), width: 1 };
    const opts: uPlot.Options = {
      width: 300,
      height: 100,
      ms: 1,
      padding: [PAD_TOP, PAD_RIGHT, 0, 0],
      legend: { show: false },
      select: { show: false, left: 0, top: 0, width: 0, height: 0 },
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: false, y: false, setScale: false },
        sync: { key: "cyclescope", setSeries: false, scales: ["x", null] },
        // Panning, zooming and selecting are ours (gestures.ts).
        bind: { mousedown: () => null, mouseup: () => null, dblclick: () => null },
      },
      scales: { x: { time: true, auto: false, range: (_, min, max) => [min, max] }, y: this.#yScale() },
      axes: [
        {
          ...axis, grid, space: TIME_SPACE, gap: 4,
          size: () => (this.#showTimes ? TIMES_HEIGHT : NO_TIMES_HEIGHT),
          values: (_, splits, __, ___, increment) =>
            splits.map((t) => (this.#showTimes ? formatTimeTick(t, increment) : "")),
        },
        this.#yAxis({ ...axis, grid, size: AXIS_WIDTH, space: TICK_SPACE, gap: 6 }),
      ],
      series: [{}, ...options.lines.map((line): uPlot.Series => ({
        stroke: () => colour(line.colour),
        width: line.width,
        ...(line.dashed ? { dash: [4, 3] } : {}),
        points: { show: false, size: 3, filter: isolated },
      }))],
      hooks: {
        setCursor: [(u) => {
          const left = u.cursor.left ?? -1;
          options.onCursor(left >= 0 ? left : null);
        }],
      },
    };
    this.#plot = new uPlot(opts, [[], ...options.lines.map(() => [])] as uPlot.AlignedData, parent);
    // uPlot's own selection goes away with every move of the cursor that it does not count as its drag.
    this.#plot.over.append(this.#selection);
  }

  /** The element over the plot area that gets the pointer's events. */
  get over(): HTMLElement {
    return this.#plot.over;
  }

  /** Width of the plot area in device pixels: the resolution that decimation needs. */
  get pixels(): number {
    return this.#plot.bbox.width;
  }

  /** Width of the plot area in CSS pixels. */
  get width(): number {
    return this.#plot.bbox.width / devicePixelRatio;
  }

  setSize(width: number, height: number): void {
    this.#plot.setSize({ width, height });
  }

  /** Only one of the charts below each other labels the times. */
  setShowTimes(show: boolean): void {
    if (show === this.#showTimes) return;
    this.#showTimes = show;
    this.#plot.setSize({ width: this.#plot.width, height: this.#plot.height });
  }

  draw(columns: Columns, range: Range): void {
    this.#plot.batch(() => {
      this.#plot.setData(columns as uPlot.AlignedData, false);
      // Setting the x scale, even to what it was, is what makes uPlot draw the new data.
      this.#plot.setScale("x", { min: range.from, max: range.to });
    });
  }

  /** The view jumped: the vertical scale may do the same. */
  forgetScale(): void {
    this.#max.reset();
  }

  /** Marks a span of the plot area, CSS pixels; a width of 0 marks nothing. */
  select(left: number, width: number): void {
    this.#selection.hidden = width <= 0;
    this.#selection.style.left = left + "px";
    this.#selection.style.width = width + "px";
  }

  recolour(): void {
    this.#plot.redraw(false, true);
  }

  destroy(): void {
    this.#plot.destroy();
  }

  #yScale(): uPlot.Scale {
    switch (this.options.scale) {
      case "share":
        return { auto: true, range: () => [0, 1] };
      case "log":
        return {
          auto: true, distr: 4, asinh: this.options.linearBelow,
          range: (_, __, max) => [0, this.#logTop(this.#max.next(max))],
        };
      case "auto":
        return { auto: true, range: (_, __, max) => [0, this.#max.next(max)] };
    }
  }

  #yAxis(base: uPlot.Axis): uPlot.Axis {
    const axis: uPlot.Axis = { ...base, values: (_, splits) => splits.map((v) => formatTick(v, this.options.unit)) };
    if (this.options.scale !== "log") return axis;
    return {
      ...axis,
      filter: (_, splits) => splits,
      splits: (u, _, __, max) => {
        const top = Math.round(Math.log10(max));
        const least = Math.ceil(Math.log10(this.options.linearBelow) - 1e-9);
        const step = Math.max(1, Math.ceil((top - least + 2) * TICK_SPACE * 0.7 / Math.max(1, u.over.clientHeight)));
        const splits = [];
        for (let e = top; e >= least; e -= step) splits.unshift(10 ** e);
        return [0, ...splits];
      },
    };
  }

  /** The next decade, and at least two above what is linear. */
  #logTop(max: number): number {
    return 10 ** Math.ceil(Math.log10(Math.max(LOG_LEAST * this.options.linearBelow, max)) - 1e-9);
  }
}

/** A value between two gaps has no line to be part of: it is drawn as a point. */
function isolated(u: uPlot, series: number, _show: boolean): number[] | null {
  const y = u.data[series];
  if (!y) return null;
  const [from, to] = u.series[series]?.idxs ?? [0, -1];
  let found: number[] | null = null;
  for (let i = from ?? 0; i <= (to ?? -1); i++) {
    if (y[i] != null && (i === 0 || y[i - 1] == null) && (i === y.length - 1 || y[i + 1] == null)) (found ??= []).push(i);
  }
  return found;
}
