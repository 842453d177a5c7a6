// SPDX-License-Identifier: Apache-2.0
// The samples that the page holds: a ring of columns, bounded by the number of rows.
//
// A row's index is its sequence number plus an offset, and its slot is the index modulo the capacity. So the history can
// arrive in any order (the newest first, older chunks later, a hole after a reconnect), a row that comes twice lands on
// itself, and a new run goes on behind the old one. A row that never came is a hole: absent, but with the time of the
// row before it, so that times never decrease and can be searched.
//
// Inside, a missing value is NaN, because a typed array of 36,000 numbers is a fifth of an array of boxed ones. Whoever
// draws gets null (uPlot draws across NaN).

import { lowerBound } from "../lib/search";
import type { Quality, Sample, Series } from "./wire";

/** A row's quality of one column, in a byte: 1 to 99 is the percent of a scaled value, and these. */
export const NEVER_RAN = 0;
export const EXACT = 100;
const CODES: Record<Quality["kind"], number> = {
  exact: EXACT, scaled: 50, "never ran": NEVER_RAN, "not supported": 101, denied: 102, offline: 103,
};
const KINDS = new Map<number, Quality["kind"]>([
  [EXACT, "exact"], [NEVER_RAN, "never ran"], [101, "not supported"], [102, "denied"], [103, "offline"],
]);

/** Rows that are added up once and kept so, for views in which a pixel holds many. */
export const BLOCK_ROWS = 16;

/** The values of one column, added up block by block: of each block how many, their sum, the least and the greatest. */
export interface Blocks {
  n: Uint8Array;
  sum: Float64Array;
  low: Float64Array;
  high: Float64Array;
  /** The block's rows when it was added up; 0: it was not. */
  version: Uint32Array;
}

function makeBlocks(number: number): Blocks {
  return {
    n: new Uint8Array(number), sum: new Float64Array(number), low: new Float64Array(number), high: new Float64Array(number),
    version: new Uint32Array(number),
  };
}

interface Cells {
  column: string;
  /** "" for the target's total. */
  cpu: string;
  values: Float64Array;
  /** Made when the first value comes that is not exact. */
  quality: Uint8Array | null;
  /** Made when they are first asked for. */
  blocks: Blocks | null;
  /** Rows before this index were there before the column was: they say nothing of it. */
  since: number;
}

/** The key of a column, or of a column on one CPU. */
export function cellKey(column: string, cpu?: number): string {
  return cpu === undefined ? column : `${column}@${cpu}`;
}

/** A byte for a quality, and back. */
export function qualityCode(q: Quality | undefined): number {
  return q === undefined ? EXACT : q.kind === "scaled" ? q.running : CODES[q.kind];
}

export function qualityOf(code: number): Quality {
  const kind = KINDS.get(code);
  return kind ? { kind, running: kind === "exact" ? 100 : 0 } : { kind: "scaled", running: code };
}

export class Store {
  #t: Float64Array;
  #present: Uint8Array;
  #cells = new Map<string, Cells>();
  #offset = 0;
  #first = 0;
  #end = 0;
  #run = "";
  #rows = 0;
  #version = 0;
  /** Of each block of rows: changes with its rows, and is 0 before its first. Blocks are a ring, too. */
  #blockVersions: Uint32Array;
  /** The greatest time between neighbours in a block, and the block's rows when it was looked for. */
  #steps: Float64Array;
  #stepVersions: Uint32Array;

  constructor(readonly capacity: number) {
    this.#t = new Float64Array(capacity);
    this.#present = new Uint8Array(capacity);
    // One more than the rows fill: they need not begin with a block.
    const blocks = Math.ceil(capacity / BLOCK_ROWS) + 1;
    this.#blockVersions = new Uint32Array(blocks);
    this.#steps = new Float64Array(blocks);
    this.#stepVersions = new Uint32Array(blocks);
  }

  /** Indices of the rows held: first ≤ i < end. Some may be holes. */
  get first(): number { return this.#first; }
  get end(): number { return this.#end; }
  get run(): string { return this.#run; }
  /** Rows that are present. */
  get rows(): number { return this.#rows; }

  /** Changes when something other than a newest row has: history that was filled in, or rows that were dropped. */
  get version(): number { return this.#version; }

  get oldestTime(): number | null { return this.#end > this.#first ? this.time(this.#first) : null; }
  get newestTime(): number | null { return this.#end > this.#first ? this.time(this.#end - 1) : null; }
  /** Of the newest row of this run; null before its first. */
  get newestSequence(): number | null {
    const sequence = this.#end - 1 - this.#offset;
    return this.#end > this.#first && sequence >= 1 ? sequence : null;
  }

  /** Makes room for columns. Rows that are here already have no value in them. */
  addKeys(keys: Iterable<string>): void {
    for (const key of keys) {
      if (this.#cells.has(key)) continue;
      const at = key.indexOf("@");
      this.#cells.set(key, {
        column: at < 0 ? key : key.slice(0, at), cpu: at < 0 ? "" : key.slice(at + 1),
        values: new Float64Array(this.capacity).fill(NaN), quality: null, blocks: null, since: this.#end,
      });
    }
  }

  /** Keeps only these columns. */
  keepKeys(keys: ReadonlySet<string>): void {
    for (const key of this.#cells.keys()) if (!keys.has(key)) this.#cells.delete(key);
  }

  /** From this time on the store can speak of a column: null when it cannot at all. */
  since(key: string): number | null {
    const cells = this.#cells.get(key);
    if (!cells || this.#end === this.#first || cells.since >= this.#end) return null;
    return this.time(Math.max(this.#first, cells.since));
  }

  /**
   * A new run begins; its sequence numbers begin anew, behind the rows that are held. If its times do not go on from
   * theirs (its latest is older: the clock was set back), those rows are dropped.
   */
  startRun(run: string, latest: number | null): void {
    const newest = this.newestTime;
    if (newest !== null && latest !== null && latest < newest) this.clear();
    this.#run = run;
    // Sequence numbers are from 1. One index stays empty: the two runs are not neighbours.
    this.#offset = this.#end;
  }

  clear(): void {
    this.#version++;
    this.#present.fill(0);
    this.#stepVersions.fill(0);
    for (const cells of this.#cells.values()) {
      cells.values.fill(NaN);
      cells.since = 0;
      cells.blocks = null;
    }
    this.#first = this.#end = this.#offset = this.#rows = 0;
  }

  /** Takes samples of the current run, oldest first. */
  push(samples: readonly Sample[]): void {
    let low = Infinity;
    let high = -1;
    for (const sample of samples) {
      const slot = this.#claim(sample.sequence, sample.timestamp);
      if (slot < 0) continue;
      const index = sample.sequence + this.#offset;
      low = Math.min(low, index);
      high = Math.max(high, index);
      for (const cells of this.#cells.values()) {
        const { column, cpu } = cells;
        if (cpu === "") {
          this.#write(cells, slot, sample.values[column] ?? null, qualityCode(sample.quality[column]));
        } else {
          const value = sample.cpus[cpu]?.[column];
          if (value !== undefined) this.#write(cells, slot, value, qualityCode(sample.cpuQuality[cpu]?.[column]));
        }
      }
    }
    if (high >= 0) this.#settle(low, high);
  }

  /** Takes a chunk of history of the current run: all columns of it, on one CPU or (undefined) of the whole target. */
  merge(series: Series, cpu?: number): void {
    const columns = Object.entries(series.columns).flatMap(([id, column]) => {
      const cells = this.#cells.get(cellKey(id, cpu));
      return cells ? [{ cells, column }] : [];
    });
    let low = Infinity;
    let high = -1;
    // Rows of an earlier run have other numbers; only what follows the last step back is of this one.
    let start = 0;
    for (let i = 1; i < series.sequence.length; i++) {
      if ((series.sequence[i] ?? NaN) <= (series.sequence[i - 1] ?? NaN)) start = i;
    }
    for (let i = start; i < series.t.length; i++) {
      const sequence = series.sequence[i] ?? NaN;
      const t = series.t[i] ?? NaN;
      if (!Number.isFinite(sequence) || !Number.isFinite(t)) continue;
      const slot = this.#claim(sequence, t);
      if (slot < 0) continue;
      low = Math.min(low, sequence + this.#offset);
      high = Math.max(high, sequence + this.#offset);
      for (const { cells, column } of columns) {
        const running = column.running[i] ?? null;
        this.#write(cells, slot, column.mean[i] ?? null, running === null ? EXACT : Math.round(running));
      }
    }
    if (high >= 0) this.#settle(low, high);
    this.#version++;
  }

  time(index: number): number {
    return this.#t[index % this.capacity] ?? NaN;
  }

  isPresent(index: number): boolean {
    return index >= this.#first && index < this.#end && this.#present[index % this.capacity] === 1;
  }

  /** The first index whose time is not before `t`; `end` when there is none. */
  lowerBound(t: number): number {
    return lowerBound(this.#first, this.#end, (i) => this.time(i), t);
  }

  /** The row nearest to a time, not farther than `within` ms; null in a gap. */
  nearest(t: number, within: number): number | null {
    let right = this.lowerBound(t);
    while (right < this.#end && !this.isPresent(right)) right++;
    let left = Math.min(right, this.#end) - 1;
    while (left >= this.#first && !this.isPresent(left)) left--;
    const dl = left >= this.#first ? t - this.time(left) : Infinity;
    const dr = right < this.#end ? this.time(right) - t : Infinity;
    if (Math.min(dl, dr) > within) return null;
    return dl <= dr ? left : right;
  }

  value(key: string, index: number): number | null {
    const v = this.#cells.get(key)?.values[index % this.capacity];
    return v === undefined || Number.isNaN(v) || !this.isPresent(index) ? null : v;
  }

  quality(key: string, index: number): Quality {
    return qualityOf(this.#cells.get(key)?.quality?.[index % this.capacity] ?? EXACT);
  }

  /** For the drawing loop only: a column's slots (NaN is missing), to be indexed modulo the capacity. */
  slots(key: string): Float64Array | null {
    return this.#cells.get(key)?.values ?? null;
  }

  /** The greatest time between neighbours in the block of rows that begins at `index`; Infinity when one is missing. */
  blockStep(index: number): number {
    const at = this.#blockAt(index);
    const version = this.#blockVersions[at] as number;
    if (version === 0 || this.#stepVersions[at] !== version) {
      let step = 0;
      for (let i = index; i < index + BLOCK_ROWS; i++) {
        if (!this.isPresent(i)) step = Infinity;
        else if (i > index) step = Math.max(step, this.time(i) - this.time(i - 1));
      }
      this.#steps[at] = step;
      this.#stepVersions[at] = version;
    }
    return this.#steps[at] as number;
  }

  /** For the drawing loop only: a column's blocks, each of which is to be added up before it is read. */
  blocks(key: string): Blocks | null {
    const cells = this.#cells.get(key);
    return cells ? (cells.blocks ??= makeBlocks(this.#blockVersions.length)) : null;
  }

  /** Adds up the block of rows that begins at `index`, where that has changed, from a column's slots; its place among the blocks. */
  addUp(blocks: Blocks, values: Float64Array, index: number): number {
    const at = this.#blockAt(index);
    const version = this.#blockVersions[at] as number;
    if (blocks.version[at] === version) return at;
    let n = 0;
    let sum = 0;
    let low = Infinity;
    let high = -Infinity;
    for (let i = index; i < index + BLOCK_ROWS; i++) {
      const v = values[i % this.capacity] as number;
      if (v !== v) continue;
      n++;
      sum += v;
      if (v < low) low = v;
      if (v > high) high = v;
    }
    blocks.n[at] = n;
    blocks.sum[at] = sum;
    blocks.low[at] = low;
    blocks.high[at] = high;
    blocks.version[at] = version;
    return at;
  }

  #blockAt(index: number): number {
    return Math.floor(index / BLOCK_ROWS) % this.#blockVersions.length;
  }

  #touch(index: number): void {
    const at = this.#blockAt(index);
    this.#blockVersions[at] = (this.#blockVersions[at] as number) + 1;
  }

  /** The slot of a row, made its own; -1 for a row older than the ring reaches. */
  #claim(sequence: number, t: number): number {
    const index = sequence + this.#offset;
    if (!Number.isInteger(index) || index < 0 || index < this.#end - this.capacity) return -1;
    if (this.#end === this.#first) {
      this.#first = index;
      this.#end = index;
    }
    if (index >= this.#end) {
      if (index - this.#end >= this.capacity) {
        const offset = this.#offset;
        this.clear();
        this.#offset = offset;
        this.#first = this.#end = index;
      }
      for (let i = this.#end; i <= index; i++) {
        this.#empty(i % this.capacity);
        this.#touch(i);
      }
      this.#end = index + 1;
      this.#first = Math.max(this.#first, this.#end - this.capacity);
    } else if (index < this.#first) {
      this.#first = index;
    }
    const slot = index % this.capacity;
    if (this.#present[slot] === 0) this.#rows++;
    this.#present[slot] = 1;
    this.#t[slot] = t;
    this.#touch(index);
    return slot;
  }

  #empty(slot: number): void {
    if (this.#present[slot] === 1) this.#rows--;
    this.#present[slot] = 0;
    for (const cells of this.#cells.values()) {
      cells.values[slot] = NaN;
      if (cells.quality) cells.quality[slot] = EXACT;
    }
  }

  /** Gives the holes in and next to a range of new rows the time of the row before them. */
  #settle(low: number, high: number): void {
    this.#trim();
    let start = Math.max(low, this.#first);
    while (start > this.#first && !this.isPresent(start - 1)) start--;
    let before = start > this.#first ? this.time(start - 1) : NaN;
    for (let i = start; i < this.#end; i++) {
      const slot = i % this.capacity;
      if (this.#present[slot] === 1) {
        if (i > high) return;
        before = this.#t[slot] ?? NaN;
      } else {
        this.#t[slot] = before;
      }
    }
  }

  /** The oldest row held is always a present one, so that the oldest time is a time. */
  #trim(): void {
    while (this.#first < this.#end && !this.isPresent(this.#first)) this.#first++;
  }

  #write(cells: Cells, slot: number, value: number | null, quality: number): void {
    cells.values[slot] = value ?? NaN;
    if (quality !== EXACT && !cells.quality) cells.quality = new Uint8Array(this.capacity).fill(EXACT);
    if (cells.quality) cells.quality[slot] = Math.min(255, Math.max(0, quality));
  }
}
