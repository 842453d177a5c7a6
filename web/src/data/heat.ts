// SPDX-License-Identifier: Apache-2.0
// Every CPU's value over a stretch of time, in cells: buckets of equal length, one row a CPU. From the matrix where that has it,
// from fetched tiles before. A cell is the mean over its bucket.

import { EXACT } from "./store";
import type { CpuMatrix } from "./matrix";
import { levelFor, type Tiles } from "./tiles";

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
/** A CPU's history is fetched this fine when there are many: of 512 CPUs, a point for each pixel would be 50 MB. */
const POINTS_LEAST = 128;
const POINTS_OF_ALL = 8_192;

/** Buckets are named by their end: bucket b covers (b - 1) · length < t ≤ b · length. */
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

  fill(source: HeatSource): void {
    const { matrix } = source;
    // The first row of the matrix covers the interval before its time.
    const since = (matrix.since ?? Infinity) - source.interval;
    const begin = (this.first - 1) * this.length;
    const end = this.last * this.length;
    if (begin < since) this.#fromTiles(source, begin, Math.min(end, since));
    this.#fromMatrix(matrix, begin, end);
    for (let i = 0; i < this.mean.length; i++) {
      const n = this.#n[i] as number;
      if (n > 0) {
        this.mean[i] = (this.mean[i] as number) / n;
        this.kind[i] = Cell.Value;
      }
    }
  }

  #fromMatrix(matrix: CpuMatrix, begin: number, end: number): void {
    const { cpus } = this;
    const { values, quality } = matrix;
    for (let i = matrix.lowerBound(begin + 1e-3); i < matrix.end; i++) {
      const t = matrix.time(i);
      if (t > end) return;
      const to = this.#bucket(t) * cpus;
      const from = matrix.row(i);
      for (let cpu = 0; cpu < cpus; cpu++) {
        const v = values[from + cpu] as number;
        if (v === v) this.#add(to + cpu, v);
        else this.kind[to + cpu] = quality[from + cpu] === OFFLINE_CODE ? Cell.Offline : Cell.NeverRan;
      }
    }
  }

  #fromTiles({ matrix, tiles, oldest, interval, online }: HeatSource, begin: number, end: number): void {
    const from = Math.max(begin, (oldest ?? Infinity) - interval);
    if (!(from < end)) return;
    const pixels = Math.max(1, Math.min(this.buckets, Math.max(POINTS_LEAST, POINTS_OF_ALL / this.cpus)));
    const level = levelFor(this.buckets * this.length, pixels, interval);
    for (let cpu = 0; cpu < this.cpus; cpu++) {
      for (const [piece, a, b] of tiles.cover(cpu, [matrix.column], level, from, end)) {
        const column = piece.columns.get(matrix.column);
        if (!column) continue;
        for (let i = 0; i < piece.t.length; i++) {
          const t = piece.t[i] as number;
          if (t <= a || t - piece.resolution > b) continue;
          const v = column.mean[i] as number;
          const first = Math.max(this.first, this.#number(t - piece.resolution + 1e-3));
          const last = Math.min(this.last, this.#number(Math.min(b, t)));
          for (let bucket = first; bucket <= last; bucket++) {
            const at = (bucket - this.first) * this.cpus + cpu;
            if (v === v) this.#add(at, v);
            else if (this.kind[at] === Cell.Gap) this.kind[at] = online.has(cpu) ? Cell.NeverRan : Cell.Offline;
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
  return tiles.at(cpu, matrix.column, t);
}
