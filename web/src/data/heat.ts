// SPDX-License-Identifier: Apache-2.0
// Every CPU's value over a stretch of time, in cells: buckets of equal length, one row a CPU. From the matrix where that has it,
// from fetched tiles before. A cell is the mean over its bucket.

import { lowerBound } from "../lib/search";
import { EXACT } from "./store";
import type { CpuMatrix } from "./matrix";
import { TILE_POINTS, levelFor, type Piece, type Tiles, type Whose } from "./tiles";

export interface HeatSource {
  matrix: CpuMatrix;
  tiles: Tiles;
  /** Of all that can be asked for. */
  oldest: number | null;
  interval: number;
  online: ReadonlySet<number>;
}

/** Why a cell has no value. */
export const enum Cell { Gap, Value, NeverRan, Offline }

const OFFLINE_CODE = 103;
/** Numbers in one answer: with many CPUs it has fewer points than there are pixels. */
const NUMBERS_MOST = 65_536;
const POINTS_LEAST = 16;

/**
 * Buckets are named by their end: bucket b covers (b - 1) · length < t ≤ b · length. The cell of a CPU and the n-th bucket is number
 * CPU · buckets + n: what is read of one CPU, and drawn in one row, lies together.
 */
export class HeatCells {
  readonly mean: Float32Array;
  readonly kind: Uint8Array;
  readonly #n: Uint16Array;
  readonly buckets: number;

  constructor(readonly cpus: number, readonly first: number, readonly last: number, readonly length: number) {
    this.buckets = last - first + 1;
    const cells = this.buckets * cpus;
    this.mean = new Float32Array(cells);
    this.kind = new Uint8Array(cells);
    this.#n = new Uint16Array(cells);
  }

  /** `view`: length of all that is looked at, of which this may be a part. */
  fill(source: HeatSource, view = this.buckets * this.length): void {
    const { matrix } = source;
    // The first row of the matrix covers the interval before its time.
    const since = (matrix.since ?? Infinity) - source.interval;
    const begin = (this.first - 1) * this.length;
    const end = this.last * this.length;
    if (begin < since) this.#fromTiles(source, view, begin, Math.min(end, since));
    this.#fromMatrix(matrix, begin, end);
    for (let i = 0; i < this.mean.length; i++) {
      const n = this.#n[i] as number;
      if (n === 0) continue;
      if (n > 1) this.mean[i] = (this.mean[i] as number) / n;
      this.kind[i] = Cell.Value;
    }
  }

  #fromMatrix(matrix: CpuMatrix, begin: number, end: number): void {
    const { cpus, buckets } = this;
    const { values, quality } = matrix;
    for (let i = matrix.lowerBound(begin + 1e-3); i < matrix.end; i++) {
      const t = matrix.time(i);
      if (t > end) return;
      const to = this.#bucket(t);
      const from = matrix.row(i);
      for (let cpu = 0; cpu < cpus; cpu++) {
        const v = values[from + cpu] as number;
        const at = cpu * buckets + to;
        if (v === v) this.#add(at, v);
        else this.kind[at] = quality[from + cpu] === OFFLINE_CODE ? Cell.Offline : Cell.NeverRan;
      }
    }
  }

  #fromTiles(source: HeatSource, view: number, begin: number, end: number): void {
    const { online } = source;
    const { cpus, buckets } = this;
    for (const [piece, a, b] of piecesOf(source, view, this.length, begin, end)) {
      const { t, resolution } = piece;
      const from = lowerBound(0, t.length, (i) => t[i] as number, a + 1e-3);
      const to = lowerBound(from, t.length, (i) => (t[i] as number) - resolution, b + 1e-3);
      for (let cpu = 0; cpu < cpus; cpu++) {
        const mean = piece.columns.get(String(cpu))?.mean;
        if (!mean) continue;
        const nothing = online.has(cpu) ? Cell.NeverRan : Cell.Offline;
        for (let i = from; i < to; i++) {
          const v = mean[i] as number;
          const first = Math.max(this.first, this.#number((t[i] as number) - resolution + 1e-3));
          const last = Math.min(this.last, this.#number(Math.min(b, t[i] as number)));
          const row = cpu * buckets - this.first;
          for (let at = row + first; at <= row + last; at++) {
            if (v === v) this.#add(at, v);
            else if (this.kind[at] === Cell.Gap) this.kind[at] = nothing;
          }
        }
      }
    }
  }

  #add(at: number, v: number): void {
    this.mean[at] = (this.mean[at] as number) + v;
    this.#n[at] = (this.#n[at] as number) + 1;
  }

  #number(t: number): number {
    return Math.ceil(t / this.length - 1e-9);
  }

  #bucket(t: number): number {
    return Math.min(this.buckets - 1, Math.max(0, this.#number(t) - this.first));
  }
}

function whoseOf({ column, cpus }: CpuMatrix): Exclude<Whose, number | null> {
  return { every: column, points: Math.max(POINTS_LEAST, Math.min(TILE_POINTS, Math.floor(NUMBERS_MOST / Math.max(1, cpus)))) };
}

/** What the tiles have of a part of a view that is so long and has buckets of this length. */
function piecesOf(source: HeatSource, view: number, length: number, begin: number, end: number): [Piece, number, number][] {
  const { matrix, tiles, oldest, interval } = source;
  const from = Math.max(begin, (oldest ?? Infinity) - interval);
  if (!(from < end)) return [];
  const whose = whoseOf(matrix);
  return tiles.cover(whose, [], levelFor(view, Math.min(view / length, whose.points), interval, whose.points), from, end);
}

/** The greatest value of a range; of very many, a few hundred rows are enough to know. */
export function highestOf(source: HeatSource, from: number, to: number, length: number): number | null {
  const { matrix } = source;
  const first = matrix.lowerBound(from);
  const end = matrix.lowerBound(to);
  const step = Math.max(1, Math.floor(((end - first) * matrix.cpus) / 65_536));
  let high = -Infinity;
  for (let i = first; i < end; i += step) {
    const at = matrix.row(i);
    for (let c = 0; c < matrix.cpus; c++) {
      const v = matrix.values[at + c] as number;
      if (v > high) high = v;
    }
  }
  const since = (matrix.since ?? Infinity) - source.interval;
  if (from < since) {
    for (const [piece, a, b] of piecesOf(source, to - from, length, from, Math.min(to, since))) {
      const start = lowerBound(0, piece.t.length, (i) => piece.t[i] as number, a);
      for (const { mean } of piece.columns.values()) {
        for (let i = start; i < mean.length && (piece.t[i] as number) - piece.resolution <= b; i++) {
          const v = mean[i] as number;
          if (v > high) high = v;
        }
      }
    }
  }
  return high === -Infinity ? null : high;
}

/** One CPU's value at a time, with its quality as a byte: of the sample that covers it. */
export function heatAt(source: HeatSource, cpu: number, t: number): { time: number; value: number | null; quality: number } | null {
  const { matrix, tiles, interval } = source;
  const i = matrix.lowerBound(t);
  if (i < matrix.end && matrix.time(i) - t <= 1.5 * interval) {
    const at = matrix.row(i) + cpu;
    const v = matrix.values[at] as number;
    return { time: matrix.time(i), value: v === v ? v : null, quality: matrix.quality[at] ?? EXACT };
  }
  if (matrix.since !== null && t >= matrix.since) return null;
  return tiles.at(whoseOf(matrix), String(cpu), t);
}
