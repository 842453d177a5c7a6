// SPDX-License-Identifier: Apache-2.0
// Lines onto a canvas. Where a canvas is drawn by the CPU, a stroke one device pixel wide is a tenth of the price of any wider
// one, and a filled shape of a thousand corners is dearer still; so a wider line is the same hairline a few times, half a pixel
// apart, and a band is one vertical hairline per column of pixels.

import { lowerBound } from "../lib/search";
import type { Lines } from "./lod";

export interface Stroke {
  /** As CSS writes it. */
  colour: string;
  /** CSS pixels. */
  width: number;
  dashed: boolean;
}

/**
 * Where the plot is on the canvas, device pixels, and where times and values are on it. Numbers, and no functions: each picture asks for
 * tens of thousands of places.
 */
export interface Placed {
  left: number;
  top: number;
  width: number;
  height: number;
  /** The time at the left edge, before the picture has moved so many pixels to the left; pixels of a millisecond. */
  from: number;
  moved: number;
  perMs: number;
  /** Where the highest value is, and how far below it 0 is. */
  upper: number;
  rise: number;
  /** The highest value; where values are drawn as their asinh, that of it. Those below `linear` are then nearly evenly apart. */
  full: number;
  linear: number | null;
}

export function xOf({ left, from, moved, perMs }: Placed, t: number): number {
  return left + (t - from) * perMs - moved;
}

export function yOf({ upper, rise, full, linear }: Placed, v: number): number {
  return upper + rise * (1 - (linear === null ? v : Math.asinh(v / linear)) / full);
}

const BAND_ALPHA = 0.3;
const DASH = [4, 3];
const SOLID: number[] = [];
/** Of a value that has no neighbour to draw a line to. */
const DOT = 3;
/** A line along the plot's upper or lower edge (100 %, or 0) is drawn whole: CSS pixels above and below. */
const EDGE = 2;

/** The part of the canvas that lines reach, from top to bottom, device pixels. */
export function reach({ top, height }: Pick<Placed, "top" | "height">): { top: number; height: number } {
  const edge = Math.round(EDGE * devicePixelRatio);
  return { top: top - edge, height: height + 2 * edge };
}

/** `since`: what lies left of this (device pixels) stays as it is. */
export function drawLines(ctx: CanvasRenderingContext2D, lines: Lines, strokes: readonly Stroke[], at: Placed, since = at.left): void {
  ctx.save();
  ctx.beginPath();
  const { top: upper, height } = reach(at);
  ctx.rect(since, upper, at.left + at.width - since, height);
  ctx.clip();
  ctx.lineJoin = "bevel";
  ctx.lineWidth = 1;
  const { t } = lines;
  // A line enters from the point before, and whether that one is a lone dot says the one before it.
  const first = since > at.left ? Math.max(0, lowerBound(0, t.length, (i) => xOf(at, t[i] as number), since) - 2) : 0;
  const xs = new Float64Array(t.length);
  for (let i = Math.max(0, first - 1); i < xs.length; i++) xs[i] = xOf(at, t[i] as number);
  if (lines.banded) {
    ctx.globalAlpha = BAND_ALPHA;
    strokes.forEach((stroke, k) => {
      ctx.strokeStyle = stroke.colour;
      ctx.stroke(band(lines, k, xs, at, first));
    });
    ctx.globalAlpha = 1;
  }
  strokes.forEach((stroke, k) => {
    const { path, dots } = line(lines, k, xs, at, first);
    ctx.strokeStyle = ctx.fillStyle = stroke.colour;
    if (stroke.dashed) ctx.setLineDash(DASH.map((d) => d * devicePixelRatio));
    else ctx.setLineDash(SOLID);
    // Within a band a hairline does.
    const width = lines.banded ? Math.max(1, devicePixelRatio) : Math.max(1, stroke.width * devicePixelRatio);
    const times = Math.max(1, Math.ceil(width - 0.01));
    // Half a pixel: a horizontal line one device pixel wide lies on one row of pixels.
    const top = -(width - 1) / 2;
    const step = times > 1 ? (width - 1) / (times - 1) : 0;
    for (let n = 0; n < times; n++) {
      ctx.setTransform(1, 0, 0, 1, 0, top + n * step);
      ctx.stroke(path);
    }
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    const size = DOT * devicePixelRatio;
    for (const [x, y] of dots) ctx.fillRect(x - size / 2, y - size / 2, size, size);
  });
  ctx.restore();
}

function line(lines: Lines, k: number, xs: Float64Array, at: Placed, first: number): { path: Path2D; dots: [number, number][] } {
  const path = new Path2D();
  const dots: [number, number][] = [];
  const mean = lines.curves[k]?.mean ?? [];
  let open = first > 0 && mean[first - 1] != null;
  if (open) path.moveTo(xs[first - 1] as number, yOf(at, mean[first - 1] as number));
  for (let i = first; i < mean.length; i++) {
    const v = mean[i];
    if (v == null) {
      open = false;
      continue;
    }
    const x = xs[i] as number;
    const y = yOf(at, v);
    if (open) path.lineTo(x, y);
    else if (mean[i + 1] == null) dots.push([x, y]); // a line from nothing to nothing
    else path.moveTo(x, y);
    open = true;
  }
  return { path, dots };
}

/** From the least to the greatest value of each column of pixels. */
function band(lines: Lines, k: number, xs: Float64Array, at: Placed, first: number): Path2D {
  const path = new Path2D();
  const curve = lines.curves[k];
  if (!curve) return path;
  const left = Math.floor(at.left);
  const columns = Math.ceil(at.left + at.width) - left;
  const lows = new Float64Array(columns).fill(Infinity);
  const highs = new Float64Array(columns).fill(-Infinity);
  let before = NaN;
  for (let i = first; i < xs.length; i++) {
    const l = curve.low[i];
    const h = curve.high[i];
    if (l == null || h == null) {
      before = NaN;
      continue;
    }
    // A point covers what is between the one before it and itself.
    const to = Math.floor(xs[i] as number) - left;
    const from = before === before ? Math.min(to, before + 1) : to;
    for (let c = Math.max(0, from), end = Math.min(columns - 1, to); c <= end; c++) {
      if (l < (lows[c] as number)) lows[c] = l;
      if (h > (highs[c] as number)) highs[c] = h;
    }
    before = to;
  }
  for (let c = 0; c < columns; c++) {
    const low = lows[c] as number;
    const high = highs[c] as number;
    if (!(high - low > 0)) continue;
    path.moveTo(left + c + 0.5, yOf(at, low));
    path.lineTo(left + c + 0.5, yOf(at, high));
  }
  return path;
}
