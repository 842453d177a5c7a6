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

/** The values of one column in a block of rows. */
export interface Block {
  n: number;
  sum: number;
  low: number;
  high: number;
  /** The block's rows when it was added up. */
  version: number;
}

interface Cells {
  column: string;
  /** "" for the target's total. */
  cpu: string;
  values: Float64Array;
  /** Made when the first value comes that is not exact. */
  quality: Uint8Array | null;
  blocks: Block[];
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
  /** Of each block of rows: changes with its rows. Blocks are a ring, too. */
  #blockVersions: Uint32Array;
  #steps: { version: number; step: number }[] = [];

  constructor(readonly capacity: number) {
    this.#t = new Float64Array(capacity);
    this.#present = new Uint8Array(capacity);
    // One more than the rows fill: they need not begin with a block.
    this.#blockVersions = new Uint32Array(Math.ceil(capacity / BLOCK_ROWS) + 1);
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
        values: new Float64Array(this.capacity).fill(NaN), quality: null, blocks: [], since: this.#end,
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
    this.#steps = [];
    for (const cells of this.#cells.values()) {
      cells.values.fill(NaN);
      cells.since = 0;
      cells.blocks = [];
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
    let known = this.#steps[at];
    if (!known || known.version !== version) {
      let step = 0;
      for (let i = index; i < index + BLOCK_ROWS; i++) {
        if (!this.isPresent(i)) step = Infinity;
        else if (i > index) step = Math.max(step, this.time(i) - this.time(i - 1));
      }
      known = this.#steps[at] = { version, step };
    }
    return known.step;
  }

  /** A column's values in the block of rows that begins at `index`. */
  block(key: string, index: number): Block | null {
    const cells = this.#cells.get(key);
    if (!cells) return null;
    const at = this.#blockAt(index);
    const version = this.#blockVersions[at] as number;
    const known = cells.blocks[at];
    if (known?.version === version) return known;
    const block: Block = { n: 0, sum: 0, low: Infinity, high: -Infinity, version };
    for (let i = index; i < index + BLOCK_ROWS; i++) {
      const v = cells.values[i % this.capacity] as number;
      if (v !== v) continue;
      block.n++;
      block.sum += v;
      if (v < block.low) block.low = v;
      if (v > block.high) block.high = v;
    }
    return (cells.blocks[at] = block);
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
