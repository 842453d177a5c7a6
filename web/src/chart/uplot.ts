// SPDX-License-Identifier: Apache-2.0
/*! This page contains uPlot 1.6.32, Copyright (c) 2025 Leon Sorokin, under the MIT licence (github.com/leeoniya/uPlot). */
// Our adapter around uPlot: the only file that knows it. uPlot has the scales and their ticks, and writes the values; the lines are
// ours (strokes.ts), because they have bands and because a stroke wider than one pixel costs ten times as much where there is no GPU.
// A chart draws the lines and the range it is given; it neither zooms nor follows by itself, and its legend is ours
// (panels/line-panel.ts).
//
// Following the live edge, nearly all of a picture is the one before, some pixels to the left. So that is moved, and only what is new
// is drawn, without uPlot: less than half the script of a frame. The times are then right to half a device pixel. What moves (grid,
// lines, times) is drawn by the same code whether all of it is or what is new, and stands where it stood when all was drawn, less
// what it has moved since: a tick on half a pixel goes to the same side in every frame.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { formatTick, formatTimeTick, type Unit } from "../lib/format";
import { textPx } from "../lib/text-size";
import { colour } from "../lib/theme";
import { noLines, type Lines } from "./lod";
import { StableMax } from "./scale";
import { drawLines, reach, xOf, yOf, type Placed, type Stroke } from "./strokes";
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
}

/** Equal in all tracks, so that their time axes lie below each other. CSS pixels. */
export const AXIS_WIDTH = textPx(54);
export const PAD_RIGHT = 10;
export const PAD_TOP = textPx(8);
export const NO_TIMES_HEIGHT = 5;
const TIMES_HEIGHT = textPx(22);
const TIMES_GAP = 4;
const FONT_PX = textPx(11);
const FONT_FAMILY = "system-ui, sans-serif";
const FONT = `${FONT_PX}px ${FONT_FAMILY}`;
/** Least distance of two labels, CSS pixels. */
const TICK_SPACE = textPx(26);
const TIME_SPACE = textPx(90);
const LABEL_HEIGHT = textPx(12);
/** Of a digit or a colon of FONT, CSS pixels; a little too wide rather than too narrow. */
const CHARACTER_WIDTH = textPx(64) / 10;
/** The top of a log scale when all is zero, above what is linear. */
const LOG_LEAST = 100;
/** Ticks farther apart are at midnights and full hours of local time, which are not evenly spaced. */
const EVEN_TICKS_MS = 3_600_000;
/** Left of the first new line, device pixels: its joints and dots reach so far. */
const JOINT = 4;

/** What the canvas shows: the range for which all was drawn, and how far that has moved to the left since. */
interface Shown extends Range {
  /** Device pixels, of a plot so many wide. */
  moved: number;
  width: number;
  max: number;
  banded: boolean;
}

export class LineChart {
  readonly #plot: uPlot;
  readonly #max = new StableMax();
  #lines: Lines = noLines(0);
  #showTimes = true;
  #shown: Shown | null = null;
  #times: { ticks: readonly number[]; increment: number } = { ticks: [], increment: 0 };
  #values: readonly number[] = [];

  constructor(parent: HTMLElement, private readonly options: ChartOptions) {
    const axis = { stroke: () => colour("--text-dim"), font: FONT, ticks: { show: false } };
    const grid = { show: false };
    const opts: uPlot.Options = {
      width: 300,
      height: 100,
      ms: 1,
      padding: [PAD_TOP, PAD_RIGHT, 0, 0],
      legend: { show: false },
      select: { show: false, left: 0, top: 0, width: 0, height: 0 },
      // Pointing, panning, zooming and selecting are ours (gestures.ts, overlay.ts).
      cursor: { show: false },
      drawOrder: ["axes"] as unknown as uPlot.DrawOrderKey[], // a const enum of strings
      scales: { x: { time: true, auto: false, range: (_, min, max) => [min, max] }, y: this.#yScale() },
      axes: [
        {
          ...axis, grid, space: TIME_SPACE, gap: TIMES_GAP,
          size: () => (this.#showTimes ? TIMES_HEIGHT : NO_TIMES_HEIGHT),
          values: (_, ticks, __, ___, increment) => {
            this.#times = { ticks, increment };
            return ticks.map(() => null);
          },
        },
        this.#yAxis({ ...axis, grid, size: AXIS_WIDTH, space: TICK_SPACE, gap: 6 }),
      ],
      // One series without data, for the sake of its scale.
      series: [{}, {}],
      hooks: { draw: [() => this.#drawWhole()] },
    };
    this.#plot = new uPlot(opts, [[], []], parent);
  }

  /** The element over the plot area that gets the pointer's events. */
  get over(): HTMLElement {
    return this.#plot.over;
  }

  /** Width of the plot area in device pixels: the resolution that decimation needs. */
  get pixels(): number {
    return this.#box.width;
  }

  /** Width of the plot area in CSS pixels. */
  get width(): number {
    return this.#box.width / devicePixelRatio;
  }

  /** The plot area, whole device pixels: uPlot's may begin between two, and a picture that is moved would fade at its ends. */
  get #box(): { left: number; top: number; width: number; height: number } {
    const { bbox } = this.#plot;
    const left = Math.round(bbox.left);
    const top = Math.round(bbox.top);
    return { left, top, width: Math.round(bbox.left + bbox.width) - left, height: Math.round(bbox.top + bbox.height) - top };
  }

  setSize(width: number, height: number): void {
    this.#plot.setSize({ width, height });
  }

  /** Only one of the charts below each other labels the times. */
  setShowTimes(show: boolean): void {
    if (show === this.#showTimes) return;
    this.#showTimes = show;
    this.#plot.setSize({ width: this.#plot.width, height: this.#plot.height });
    this.recolour();
  }

  /** `since`: up to this time the lines are those of the last call; -Infinity: none of them are. */
  draw(lines: Lines, range: Range, since: number): void {
    this.#lines = lines;
    const max = this.#top(highest(lines, range));
    const { from, to } = range;
    if (!this.#scroll(range, max, since)) this.#drawAll({ from, to, moved: 0, width: this.pixels, max, banded: lines.banded });
  }

  #drawAll(shown: Shown): void {
    this.#shown = shown;
    const { from, to } = onScreen(shown);
    this.#plot.batch(() => {
      // Setting a scale, even to what it was, is what makes uPlot draw.
      this.#plot.setScale("y", { min: 0, max: shown.max });
      // Only to find the ticks: those of a view that begins between two milliseconds would be one too early.
      this.#plot.setScale("x", { min: Math.floor(from), max: Math.ceil(to) });
    });
  }

  /** The view jumped: the vertical scale may do the same. */
  forgetScale(): void {
    this.#max.reset();
  }

  /** uPlot does not know how far the picture has moved since it drew. */
  recolour(): void {
    if (this.#shown) this.#drawAll(this.#shown);
  }

  destroy(): void {
    this.#plot.destroy();
  }

  #yScale(): uPlot.Scale {
    const scale: uPlot.Scale = { auto: false, range: (_, min, max) => [min, max] };
    return this.options.scale === "log" ? { ...scale, distr: 4, asinh: this.options.linearBelow } : scale;
  }

  /** The scale's upper end for data whose greatest value is `high`. */
  #top(high: number | null): number {
    if (this.options.scale === "share") return 1;
    const max = this.#max.next(high);
    return this.options.scale === "log" ? this.#logTop(max) : max;
  }

  /** uPlot draws, because it was asked to or because the size has changed. */
  #drawWhole(): void {
    const shown = this.#shown;
    if (!shown) return;
    const { left, width } = this.#box;
    if (width < 1) this.#shown = null;
    else this.#drawFrom(left, width === shown.width ? shown : (this.#shown = { ...shown, ...onScreen(shown), moved: 0, width }));
  }

  /** All that moves with time; what lies left of `strip` (device pixels) stays as it is. */
  #drawFrom(strip: number, shown: Shown): void {
    const { ctx } = this.#plot;
    const place = this.#place(shown);
    const ticks = this.#ticks(onScreen(shown));
    const right = place.left + place.width;
    const hair = Math.max(1, Math.round(devicePixelRatio));
    const before = Math.floor(hair / 2);
    ctx.save(); // uPlot remembers what it has set
    ctx.fillStyle = colour("--grid");
    for (const v of this.#values) ctx.fillRect(strip, Math.round(yOf(place, v)) - before, right - strip, hair);
    for (const t of ticks) {
      // One at an end of the plot lies within it by halves.
      const x = Math.round(xOf(place, t)) - before;
      const from = Math.max(strip, x);
      const to = Math.min(right, x + hair);
      if (to > from) ctx.fillRect(from, place.top, to - from, place.height);
    }
    ctx.restore();
    drawLines(ctx, this.#lines, this.#strokes(), place, strip);
    if (this.#showTimes) this.#drawTimes(place, ticks);
  }

  #strokes(): Stroke[] {
    return this.options.lines.map((line) => ({ ...line, colour: colour(line.colour) }));
  }

  #place({ from, to, moved, max }: Shown): Placed {
    const { left, top, width, height } = this.#box;
    const linear = this.options.scale === "log" ? this.options.linearBelow : null;
    const full = linear === null ? max : Math.asinh(max / linear);
    return { left, top, width, height, from, moved, perMs: width / (to - from), upper: top, rise: height, full, linear };
  }

  /** Moves what is shown to the left and draws what is new; false: all has to be drawn. */
  #scroll(range: Range, max: number, since: number): boolean {
    const before = this.#shown;
    const { ctx } = this.#plot;
    const { left, width } = this.#box;
    if (!before || before.width !== width || before.max !== max || before.banded !== this.#lines.banded || this.#isUneven) return false;
    const span = before.to - before.from;
    if (Math.abs(range.to - range.from - span) > 1e-6 * span) return false;
    const shown = { ...before, moved: Math.round(((range.to - before.to) / span) * width) };
    const by = shown.moved - before.moved;
    const right = left + width;
    const strip = Math.max(left, Math.min(right - by, Math.floor(xOf(this.#place(shown), since)) - JOINT));
    if (by < 0 || !(right - strip < width / 2)) return false;
    this.#shown = shown;
    const lines = reach(this.#box);
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, lines.top, width, lines.height);
    ctx.clip();
    if (by > 0) {
      ctx.globalCompositeOperation = "copy";
      // The whole canvas, though only the clip changes: of a part of one, Chromium without a GPU computes pixel by pixel.
      ctx.drawImage(ctx.canvas, -by, 0);
      ctx.globalCompositeOperation = "source-over";
    }
    ctx.clearRect(strip, lines.top, right - strip, lines.height);
    ctx.restore();
    this.#drawFrom(strip, shown);
    return true;
  }

  get #isUneven(): boolean {
    return this.#times.increment >= EVEN_TICKS_MS;
  }

  /** Those of a range, and one more on either side: from those of one before it, where uPlot has not just found them. */
  #ticks({ from, to }: Range): readonly number[] {
    const { ticks, increment } = this.#times;
    const some = ticks[0];
    if (this.#isUneven || some === undefined || !(increment > 0)) return ticks;
    const out = [];
    for (let n = Math.floor((from - some) / increment); some + (n - 1) * increment < to; n++) out.push(some + n * increment);
    return out;
  }

  #drawTimes(place: Placed, ticks: readonly number[]): void {
    const { ctx } = this.#plot;
    const k = devicePixelRatio;
    const gap = Math.round(TIMES_GAP * k);
    const y = place.top + place.height + gap;
    // Of a text, a trace may lie above.
    const upper = y - Math.floor(gap / 2);
    ctx.save();
    ctx.clearRect(place.left, upper, ctx.canvas.width, ctx.canvas.height - upper);
    ctx.font = `${FONT_PX * k}px ${FONT_FAMILY}`;
    ctx.fillStyle = colour("--text-dim");
    ctx.textAlign = "center";
    ctx.textBaseline = "top";
    for (const t of ticks) {
      const x = Math.round(xOf(place, t));
      const text = formatTimeTick(t, this.#times.increment);
      // A label that would reach over an end of the plot would be cut off there, or touch the lowest value.
      const half = (text.length * CHARACTER_WIDTH * k) / 2;
      if (x - half >= place.left && x + half <= place.left + place.width + PAD_RIGHT * k) ctx.fillText(text, x, y);
    }
    ctx.restore();
  }

  #yAxis(base: uPlot.Axis): uPlot.Axis {
    const axis: uPlot.Axis = {
      ...base,
      values: (_, splits) => {
        this.#values = splits;
        return splits.map((v) => formatTick(v, this.options.unit));
      },
    };
    if (this.options.scale !== "log") return axis;
    return {
      ...axis,
      filter: (_, splits) => splits,
      splits: (u, _, __, max) => {
        const top = Math.round(Math.log10(max));
        const least = Math.ceil(Math.log10(this.options.linearBelow) - 1e-9);
        const step = Math.max(1, Math.ceil((top - least + 2) * TICK_SPACE * 0.7 / Math.max(1, u.bbox.height / devicePixelRatio)));
        const splits = [];
        const { linearBelow } = this.options;
        const height = u.bbox.height / devicePixelRatio;
        // The least decades may be too near to zero for a label.
        const above = (v: number): number => height * Math.asinh(v / linearBelow) / Math.asinh(max / linearBelow);
        for (let e = top; e >= least && above(10 ** e) > LABEL_HEIGHT; e -= step) splits.unshift(10 ** e);
        return [0, ...splits];
      },
    };
  }

  /** The next decade, and at least two above what is linear. */
  #logTop(max: number): number {
    return 10 ** Math.ceil(Math.log10(Math.max(LOG_LEAST * this.options.linearBelow, max)) - 1e-9);
  }
}

/** What a picture that has moved shows. */
function onScreen({ from, to, moved, width }: Shown): Range {
  const by = moved === 0 ? 0 : (moved / width) * (to - from);
  return { from: from + by, to: to + by };
}

/** The greatest value on the screen, and of the points that its lines come from and go to. */
function highest(lines: Lines, range: Range): number | null {
  let high = -Infinity;
  for (let i = 0; i < lines.t.length; i++) {
    if ((lines.t[i + 1] ?? Infinity) < range.from || (lines.t[i - 1] ?? -Infinity) > range.to) continue;
    for (const curve of lines.curves) {
      const v = curve.high[i];
      if (v != null && v > high) high = v;
    }
  }
  return high === -Infinity ? null : high;
}
