// SPDX-License-Identifier: Apache-2.0
// Levels of detail: a window of the store as the columns that uPlot draws, at most about two points a pixel.
//
// Where samples outnumber pixels, a bucket of samples becomes two points, its least and its greatest value in the order
// in which they came, so that no spike is lost. Bucket sizes are powers of two and their bounds are multiples of the size
// in the row's own number: a bucket holds the same samples in every frame, and the line does not shimmer as it moves.
//
// A gap stays a gap: a missing value is null, and between two rows farther apart than 2.5 intervals stands a null of its
// own (also inside a bucket, which is then cut in two there).

import type { Store } from "../data/store";

/** x, then one column for each key; lengths are equal. */
export type Columns = [x: number[], ...ys: (number | null)[][]];

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

/** How many rows go into one bucket; 1 when each row is drawn as it is. */
export function bucketSize(window: Window): number {
  const perPixel = (window.to - window.from) / window.interval / Math.max(1, window.pixels);
  if (!(perPixel > 2)) return 1;
  return 2 ** Math.ceil(Math.log2(perPixel));
}

export function decimate(store: Store, keys: readonly string[], window: Window): Columns {
  const size = bucketSize(window);
  const gap = GAP_INTERVALS * window.interval;
  // One bucket more on either side, so that lines run to the edges.
  const first = Math.max(store.first, Math.floor((store.lowerBound(window.from) - 1) / size) * size);
  const end = Math.min(store.end, Math.ceil((store.lowerBound(window.to) + 1) / size) * size);
  const out = new Output(store, keys);
  let previous = NaN;
  let runStart = -1;
  let bucket = -1;
  let last = -1;
  for (let i = first; i < end; i++) {
    if (!store.isPresent(i)) continue;
    const t = store.time(i);
    const apart = t - previous > gap;
    const b = Math.floor(i / size);
    if (runStart >= 0 && (apart || b !== bucket)) {
      out.bucket(runStart, last, size);
      runStart = -1;
    }
    if (apart) out.gap((previous + t) / 2);
    if (runStart < 0) {
      runStart = i;
      bucket = b;
    }
    last = i;
    previous = t;
  }
  if (runStart >= 0) out.bucket(runStart, last, size);
  return out.columns;
}

class Output {
  readonly columns: Columns;
  readonly #slots: (Float64Array | null)[];

  constructor(private readonly store: Store, keys: readonly string[]) {
    this.columns = [[], ...keys.map(() => [])];
    this.#slots = keys.map((key) => store.slots(key));
  }

  gap(t: number): void {
    this.columns[0].push(t);
    for (let k = 1; k < this.columns.length; k++) (this.columns[k] as (number | null)[]).push(null);
  }

  /** The rows from `a` to `b`, both included; the two points stand at the first and the middle row's times. */
  bucket(a: number, b: number, size: number): void {
    const { store, columns } = this;
    const single = size === 1 || a === b;
    columns[0].push(store.time(a));
    if (!single) columns[0].push(store.time(a + ((b - a + 1) >> 1)));
    for (let k = 0; k < this.#slots.length; k++) {
      const slots = this.#slots[k];
      const y = columns[k + 1] as (number | null)[];
      if (single) {
        const v = slots ? slots[a % store.capacity] : NaN;
        y.push(v === undefined || Number.isNaN(v) ? null : v);
        continue;
      }
      let low = Infinity;
      let high = -Infinity;
      let lowAt = 0;
      let highAt = 0;
      for (let i = a; slots && i <= b; i++) {
        const v = slots[i % store.capacity] as number;
        if (v < low) { low = v; lowAt = i; }
        if (v > high) { high = v; highAt = i; }
      }
      if (low === Infinity) y.push(null, null);
      else if (lowAt <= highAt) y.push(low, high);
      else y.push(high, low);
    }
  }
}
