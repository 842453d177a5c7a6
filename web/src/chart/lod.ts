// SPDX-License-Identifier: Apache-2.0
// Levels of detail: a window of the store as lines, at most about two points a pixel.
//
// Where samples outnumber pixels, a bucket of samples becomes one point with its mean, its least and its greatest value, so
// that no spike is lost: the line is the mean, the band around it reaches from least to greatest. Bucket sizes are powers of two
// and their bounds are multiples of the size in the row's own number: a bucket holds the same samples in every frame, and the
// line does not shimmer as it moves. (The mean of a ratio is that of its samples here; the server's, for what the store does not
// hold, is the ratio of the sums.)
//
// A gap stays a gap: a missing value is null, and between two rows farther apart than 2.5 intervals stands a null of its
// own (also inside a bucket, which is then cut in two there).

import type { Store } from "../data/store";

export interface Curve {
  mean: (number | null)[];
  /** Equal to the mean where a point is one sample. */
  low: (number | null)[];
  high: (number | null)[];
}

/** Lines over the same times; all arrays are of the same length. A point stands at the end of what it covers. */
export interface Lines {
  t: number[];
  curves: Curve[];
  /** Some point is more than one sample. */
  banded: boolean;
}

export interface Window {
  from: number;
  to: number;
  /** Width of the plot in pixels. */
  pixels: number;
  /** Nominal time between rows, ms. */
  interval: number;
}

/** Rows farther apart than this many intervals are not neighbours. */
export const GAP_INTERVALS = 2.5;

export function noLines(curves: number): Lines {
  return { t: [], curves: Array.from({ length: curves }, () => ({ mean: [], low: [], high: [] })), banded: false };
}

/** A point without values: the lines on both sides of it are not joined. */
export function pushGap(lines: Lines, t: number): void {
  lines.t.push(t);
  for (const curve of lines.curves) {
    curve.mean.push(null);
    curve.low.push(null);
    curve.high.push(null);
  }
}

/** How many rows go into one bucket; 1 when each row is drawn as it is. */
export function bucketSize(window: Window): number {
  const perPixel = (window.to - window.from) / window.interval / Math.max(1, window.pixels);
  if (!(perPixel > 1)) return 1;
  return 2 ** Math.floor(Math.log2(perPixel));
}

/** Appends what the store holds after `after` (exclusive) in the window. */
export function decimate(store: Store, keys: readonly string[], window: Window, after = -Infinity, lines = noLines(keys.length)): Lines {
  const size = bucketSize(window);
  const gap = GAP_INTERVALS * window.interval;
  // One bucket more on either side, so that lines run to the edges.
  let first = Math.max(store.first, Math.floor((store.lowerBound(window.from) - 1) / size) * size);
  const end = Math.min(store.end, Math.ceil((store.lowerBound(window.to) + 1) / size) * size);
  while (first < end && store.time(first) <= after) first++;
  const slots = keys.map((key) => store.slots(key));
  let previous = lines.t.at(-1) ?? NaN;
  let runStart = -1;
  let bucket = -1;
  let last = -1;
  const flush = (): void => {
    if (runStart < 0) return;
    lines.t.push(store.time(last));
    if (last > runStart) lines.banded = true;
    slots.forEach((values, k) => put(lines.curves[k] as Curve, values, runStart, last, store.capacity));
    runStart = -1;
  };
  for (let i = first; i < end; i++) {
    if (!store.isPresent(i)) continue;
    const t = store.time(i);
    // Behind lines of another source, whose points are farther apart, a gap is theirs to say.
    const apart = last >= 0 && t - previous > gap;
    const b = Math.floor(i / size);
    if (apart || b !== bucket) flush();
    if (apart) pushGap(lines, (previous + t) / 2);
    if (runStart < 0) {
      runStart = i;
      bucket = b;
    }
    last = i;
    previous = t;
  }
  flush();
  return lines;
}

/** The rows from `a` to `b`, both included, as one point. */
function put(curve: Curve, values: Float64Array | null, a: number, b: number, capacity: number): void {
  let low = Infinity;
  let high = -Infinity;
  let sum = 0;
  let n = 0;
  for (let i = a; values && i <= b; i++) {
    const v = values[i % capacity] as number;
    if (v !== v) continue;
    sum += v;
    n++;
    if (v < low) low = v;
    if (v > high) high = v;
  }
  curve.mean.push(n > 0 ? sum / n : null);
  curve.low.push(n > 0 ? low : null);
  curve.high.push(n > 0 ? high : null);
}
