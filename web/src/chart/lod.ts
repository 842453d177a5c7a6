// SPDX-License-Identifier: Apache-2.0
// Levels of detail: a window of the store as lines, about a point a pixel.
//
// Where samples outnumber pixels, a bucket of samples becomes one point with its mean, its least and its greatest value, so
// that no spike is lost: the line is the mean, the band around it reaches from least to greatest. Bucket sizes are powers of two
// and their bounds are multiples of the size in the row's own number: a bucket holds the same samples in every frame, and the
// line does not shimmer as it moves. (The mean of a ratio is that of its samples here; the server's, for what the store does not
// hold, is the ratio of the sums.)
//
// A gap stays a gap: a missing value is null, and between two rows farther apart than 2.5 intervals stands a null of its
// own (also inside a bucket, which is then cut in two there).

import { BLOCK_ROWS, type Store } from "../data/store";

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
  /** Not all of it is in the store: it may become finer. */
  fetched: boolean;
  /** Up to this time points are so many ms apart, which is coarser than what follows: finer ones are not kept, or not here yet. */
  coarse: { until: number; resolution: number } | null;
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
  return { t: [], curves: Array.from({ length: curves }, () => ({ mean: [], low: [], high: [] })), banded: false, fetched: false, coarse: null };
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
  return 2 ** Math.round(Math.log2(perPixel));
}

/** Appends what the store holds after `after` (exclusive) in the window. */
export function decimate(store: Store, keys: readonly string[], window: Window, after = -Infinity, lines = noLines(keys.length)): Lines {
  const size = bucketSize(window);
  const gap = GAP_INTERVALS * window.interval;
  // One bucket more on either side, so that lines run to the edges.
  let first = Math.max(store.first, Math.floor((store.lowerBound(window.from) - 1) / size) * size);
  const end = Math.min(store.end, Math.ceil((store.lowerBound(window.to) + 1) / size) * size);
  while (first < end && store.time(first) <= after) first++;
  if (size === 1 && lines.t.length === 0) return each(store, keys.map((key) => store.slots(key)), first, end, gap, lines);
  const { starts, lasts } = cut(store, first, end, size, gap, lines);
  keys.forEach((key, k) => addUp(store, key, starts, lasts, lines.curves[k] as Curve));
  return lines;
}

/** The first and the last row of each bucket, -1 where a gap stands; and their times into the lines. */
function cut(store: Store, from: number, end: number, size: number, gap: number, lines: Lines): { starts: number[]; lasts: number[] } {
  const starts: number[] = [];
  const lasts: number[] = [];
  // Where the store begins in the middle of a bucket, a few rows would stand out as a spike: they go with the next one.
  const head = from % size > size / 2 ? Math.floor(from / size) + 1 : -1;
  let previous = lines.t.at(-1) ?? NaN;
  let rows = 0;
  let start = -1;
  let bucket = -1;
  let last = -1;
  const flush = (): void => {
    if (rows === 0) return;
    lines.t.push(store.time(last));
    starts.push(start);
    lasts.push(last);
    if (rows > 1) lines.banded = true;
    rows = 0;
  };
  for (let i = from; i < end; i++) {
    if (!store.isPresent(i)) continue;
    const t = store.time(i);
    // Behind lines of another source, whose points are farther apart, a gap is theirs to say.
    const apart = last >= 0 && t - previous > gap;
    const b = Math.max(head, Math.floor(i / size));
    if (apart || b !== bucket) flush();
    if (apart) {
      lines.t.push((previous + t) / 2);
      starts.push(-1);
      lasts.push(-1);
    }
    bucket = b;
    if (rows === 0) start = i;
    const whole = size >= BLOCK_ROWS && i % BLOCK_ROWS === 0 && i + BLOCK_ROWS <= end && store.blockStep(i) <= gap;
    const taken = whole ? BLOCK_ROWS : 1;
    rows += taken;
    i += taken - 1;
    last = i;
    previous = store.time(i);
  }
  flush();
  return { starts, lasts };
}

/** The buckets of one column: whole blocks of rows are added up once and kept so. */
function addUp(store: Store, key: string, starts: readonly number[], lasts: readonly number[], curve: Curve): void {
  const values = store.slots(key);
  const blocks = store.blocks(key);
  const { capacity } = store;
  for (let p = 0; p < starts.length; p++) {
    const end = (lasts[p] as number) + 1;
    let sum = 0;
    let n = 0;
    let low = Infinity;
    let high = -Infinity;
    for (let i = starts[p] as number; values && blocks && i >= 0 && i < end;) {
      if (i % BLOCK_ROWS === 0 && i + BLOCK_ROWS <= end) {
        const at = store.addUp(blocks, values, i);
        n += blocks.n[at] as number;
        sum += blocks.sum[at] as number;
        low = Math.min(low, blocks.low[at] as number);
        high = Math.max(high, blocks.high[at] as number);
        i += BLOCK_ROWS;
        continue;
      }
      const v = values[i % capacity] as number;
      i++;
      if (v !== v) continue;
      n++;
      sum += v;
      if (v < low) low = v;
      if (v > high) high = v;
    }
    curve.mean.push(n > 0 ? sum / n : null);
    curve.low.push(n > 0 ? low : null);
    curve.high.push(n > 0 ? high : null);
  }
}

/** Every row a point, as most updates have it: what is least and greatest is the mean itself. */
function each(store: Store, slots: readonly (Float64Array | null)[], first: number, end: number, gap: number, lines: Lines): Lines {
  const { t } = lines;
  const rows: number[] = [];
  let previous = NaN;
  for (let i = first; i < end; i++) {
    if (!store.isPresent(i)) continue;
    const at = store.time(i);
    if (at - previous > gap) {
      t.push((previous + at) / 2);
      rows.push(-1);
    }
    t.push(at);
    rows.push(i % store.capacity);
    previous = at;
  }
  slots.forEach((values, k) => {
    const mean = new Array<number | null>(rows.length);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number;
      const v = row < 0 || !values ? NaN : (values[row] as number);
      mean[i] = v === v ? v : null;
    }
    lines.curves[k] = { mean, low: mean, high: mean };
  });
  return lines;
}
