// SPDX-License-Identifier: Apache-2.0
// Every CPU's value over a stretch of time, in cells: buckets of equal length, one row a CPU. From the matrix where that has it,
// from fetched tiles before. A cell is the mean over its bucket.

import { lowerBound } from "../lib/search";
import { EXACT, NEVER_RAN } from "./store";
import type { CpuMatrix } from "./matrix";
import { TILE_POINTS, levelFor, type Piece, type Tiles, type Whose } from "./tiles";

export interface HeatSource {
  matrix: CpuMatrix;
  tiles: Tiles;
  /** Of all that can be asked for. */
  oldest: number | null;
  interval: number;
  online: ReadonlySet<number>;
  /** The column comes of counters, which events may hold in turns: what has no value was not counted. Of others there is none yet. */
  counted: boolean;
}

/** Why a cell has no value. */
export const enum Cell { Gap, Value, NeverRan, Offline }

const OFFLINE_CODE = 103;
/** Numbers in one answer: with many CPUs it has fewer points than there are pixels. */
const NUMBERS_MOST = 65_536;
const POINTS_LEAST = 16;

/** Points of which every CPU may have a value, and the buckets that each touches: from[n] … to[n]. */
interface Run {
  from: Int32Array;
  to: Int32Array;
  /** A bucket is touched by one or two of them, rather than holding many. */
  wide: boolean;
  /** The n-th point's value of a CPU is number start + n · step of these; null: the CPU has none. */
  values(cpu: number): { list: Float32Array; start: number; step: number } | null;
  /** What a CPU is that has no value in the n-th point. */
  nothing(cpu: number, n: number): Cell;
}

/** A row as it is added up. */
class Sums {
  readonly #sum: Float32Array;
  readonly #n: Uint16Array;
  readonly #kind: Uint8Array;

  /** Of buckets low … high. */
  constructor(buckets: number, private readonly low: number, private readonly high: number) {
    this.#sum = new Float32Array(buckets);
    this.#n = new Uint16Array(buckets);
    this.#kind = new Uint8Array(buckets);
  }

  /** Points, each of which has a value, or is the kind of nothing that `nothing` says. */
  add({ from, to }: Run, list: Float32Array, start: number, step: number, nothing: (n: number) => Cell): void {
    const [sum, count, kind] = [this.#sum, this.#n, this.#kind];
    for (let i = 0, at = start; i < from.length; i++, at += step) {
      // Of a ring, rows behind its end are before the others.
      if (at >= list.length) at -= list.length;
      const v = list[at] as number;
      for (let b = from[i] as number, last = to[i] as number; b <= last; b++) {
        if (v === v) {
          sum[b] = (sum[b] as number) + v;
          count[b] = (count[b] as number) + 1;
        } else {
          kind[b] = nothing(i);
        }
      }
    }
  }

  /** Into a row that begins at cell `row`, where that has less; and this is empty again. */
  fold(row: number, mean: Float32Array, kinds: Uint8Array): void {
    const [sum, count, kind] = [this.#sum, this.#n, this.#kind];
    for (let b = this.low; b <= this.high; b++) {
      const at = row + b;
      const n = count[b] as number;
      const had = kinds[at] as Cell;
      if (n > 0) {
        const v = (sum[b] as number) / n;
        if (had !== Cell.Value || v > (mean[at] as number)) mean[at] = v;
        kinds[at] = Cell.Value;
        sum[b] = count[b] = 0;
      } else if (had !== Cell.Value && (kind[b] as number) > had) {
        kinds[at] = kind[b] as number;
      }
      kind[b] = Cell.Gap;
    }
  }
}

/**
 * Buckets are named by their end: bucket b covers (b - 1) · length < t ≤ b · length. The cell of a row and the n-th bucket is number
 * row · buckets + n. A row has the highest value of the `group` CPUs that share it; where none has a value, what is worst.
 */
export class HeatCells {
  readonly mean: Float32Array;
  readonly kind: Uint8Array;
  readonly buckets: number;
  readonly rows: number;

  constructor(readonly cpus: number, readonly first: number, readonly last: number, readonly length: number, readonly group = 1) {
    this.buckets = last - first + 1;
    this.rows = Math.ceil(cpus / group);
    this.mean = new Float32Array(this.buckets * this.rows);
    this.kind = new Uint8Array(this.buckets * this.rows);
  }

  /** `view`: length of all that is looked at, of which this may be a part. */
  fill(source: HeatSource, view = this.buckets * this.length): void {
    const { matrix } = source;
    // The first row of the matrix covers the interval before its time.
    const since = (matrix.since ?? Infinity) - source.interval;
    const begin = (this.first - 1) * this.length;
    const end = this.last * this.length;
    const runs = begin < since ? this.#ofTiles(source, view, begin, Math.min(end, since)) : [];
    runs.push(this.#ofMatrix(source, begin, end));
    const used = runs.filter((r) => r.from.length > 0);
    this.#fillWide(used.filter((r) => r.wide));
    this.#fillFine(used.filter((r) => !r.wide));
  }

  /** The highest of a row's CPUs for each point, and that into the buckets: they are many times more than the points. */
  #fillWide(runs: readonly Run[]): void {
    if (runs.length === 0) return;
    const sums = this.#sums(runs);
    const highest = runs.map((r) => new Float32Array(r.from.length));
    const worst = runs.map((r) => new Uint8Array(r.from.length));
    for (let row = 0; row < this.rows; row++) {
      runs.forEach((run, k) => {
        const [high, kind] = [highest[k] as Float32Array, worst[k] as Uint8Array];
        high.fill(NaN);
        kind.fill(Cell.Gap);
        for (let cpu = row * this.group; cpu < Math.min(this.cpus, (row + 1) * this.group); cpu++) raise(run, cpu, high, kind);
        sums.add(run, high, 0, 1, (n) => kind[n] as Cell);
      });
      sums.fold(row * this.buckets, this.mean, this.kind);
    }
  }

  /** The mean of each CPU in each bucket, and the highest of those. */
  #fillFine(runs: readonly Run[]): void {
    if (runs.length === 0) return;
    const sums = this.#sums(runs);
    for (let cpu = 0; cpu < this.cpus; cpu++) {
      for (const run of runs) {
        const found = run.values(cpu);
        if (found) sums.add(run, found.list, found.start, found.step, (n) => run.nothing(cpu, n));
      }
      sums.fold(Math.floor(cpu / this.group) * this.buckets, this.mean, this.kind);
    }
  }

  #sums(runs: readonly Run[]): Sums {
    return new Sums(this.buckets, Math.min(...runs.map((r) => r.from[0] as number)), Math.max(...runs.map((r) => r.to.at(-1) as number)));
  }

  #ofMatrix({ matrix, counted }: HeatSource, begin: number, end: number): Run {
    const first = matrix.lowerBound(begin + 1e-3);
    const at = new Int32Array(matrix.lowerBound(end + 1e-3) - first);
    for (let n = 0; n < at.length; n++) at[n] = this.#bucket(matrix.time(first + n));
    const { values, quality } = matrix;
    return {
      from: at, to: at, wide: false,
      values: (cpu) => ({ list: values, start: matrix.row(first) + cpu, step: matrix.cpus }),
      nothing: (cpu, n) => {
        const code = quality[matrix.row(first + n) + cpu];
        return code === OFFLINE_CODE ? Cell.Offline : counted || code === NEVER_RAN ? Cell.NeverRan : Cell.Gap;
      },
    };
  }

  #ofTiles(source: HeatSource, view: number, begin: number, end: number): Run[] {
    const { online, counted } = source;
    return piecesOf(source, view, this.length, begin, end).map(([piece, a, b]) => {
      const { t, resolution } = piece;
      const start = lowerBound(0, t.length, (i) => t[i] as number, a + 1e-3);
      const points = lowerBound(start, t.length, (i) => (t[i] as number) - resolution, b + 1e-3) - start;
      const from = new Int32Array(points);
      const to = new Int32Array(points);
      for (let n = 0; n < points; n++) {
        const at = t[start + n] as number;
        from[n] = this.#bucket(at - resolution + 1e-3);
        to[n] = this.#bucket(Math.min(b, at));
      }
      return {
        from, to, wide: resolution >= this.length,
        values: (cpu) => {
          const list = piece.columns.get(String(cpu))?.mean;
          return list ? { list, start, step: 1 } : null;
        },
        nothing: (cpu) => (!online.has(cpu) ? Cell.Offline : counted ? Cell.NeverRan : Cell.Gap),
      };
    });
  }

  #bucket(t: number): number {
    return Math.min(this.buckets - 1, Math.max(0, Math.ceil(t / this.length - 1e-9) - this.first));
  }
}

/** The highest value of each point so far, and what is worst where there is none. */
function raise(run: Run, cpu: number, high: Float32Array, kind: Uint8Array): void {
  const found = run.values(cpu);
  if (!found) return;
  const { list, start, step } = found;
  for (let n = 0; n < high.length; n++) {
    const v = list[start + n * step] as number;
    const before = high[n] as number;
    if (v > before || before !== before) high[n] = v;
    if (v !== v) kind[n] = Math.max(kind[n] as number, run.nothing(cpu, n));
  }
}

export function whoseOf({ column, cpus }: CpuMatrix): Exclude<Whose, number | null> {
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
  const found = tiles.at(whoseOf(matrix), String(cpu), t);
  return found?.value === null && !source.counted ? { ...found, quality: EXACT } : found;
}
