// SPDX-License-Identifier: Apache-2.0
// One column of all CPUs, as the stream brings it: a ring of rows, each with a value and a quality byte for every CPU. Bounded
// by the number of cells, so that two CPUs have an hour of it and 512 have some ten minutes; what is older is asked for when it
// is looked at (tiles.ts).

import { lowerBound } from "../lib/search";
import { EXACT, qualityCode } from "./store";
import type { Sample } from "./wire";

/** 5 bytes each: 20 MB. */
const CELLS_MOST = 4 << 20;

export class CpuMatrix {
  readonly capacity: number;
  readonly values: Float32Array;
  readonly quality: Uint8Array;
  readonly #t: Float64Array;
  #first = 0;
  #end = 0;

  /** `rows`: more are not wanted, however few CPUs there are. */
  constructor(readonly column: string, readonly cpus: number, rows: number) {
    this.capacity = Math.max(1, Math.min(rows, Math.floor(CELLS_MOST / Math.max(1, cpus))));
    this.values = new Float32Array(this.capacity * cpus);
    this.quality = new Uint8Array(this.capacity * cpus);
    this.#t = new Float64Array(this.capacity);
  }

  /** Rows held: first ≤ i < end, oldest first. Row i begins at cell `row(i)`. */
  get first(): number { return this.#first; }
  get end(): number { return this.#end; }

  time(i: number): number {
    return this.#t[i % this.capacity] ?? NaN;
  }

  row(i: number): number {
    return (i % this.capacity) * this.cpus;
  }

  /** From this time on it can speak of all CPUs; null before its first row. */
  get since(): number | null {
    return this.#end > this.#first ? this.time(this.#first) : null;
  }

  /** Samples in order. A sample that is not newer than the newest row is dropped, unless the clock was set back. */
  push(samples: readonly Sample[]): void {
    for (const sample of samples) {
      if (this.#end > this.#first) {
        const newest = this.time(this.#end - 1);
        if (sample.timestamp <= newest) {
          if (newest - sample.timestamp < 60_000) continue;
          this.clear();
        }
      }
      const i = this.#end++;
      this.#first = Math.max(this.#first, this.#end - this.capacity);
      this.#t[i % this.capacity] = sample.timestamp;
      const at = this.row(i);
      this.values.fill(NaN, at, at + this.cpus);
      this.quality.fill(EXACT, at, at + this.cpus);
      for (const cpu in sample.cpus) {
        const c = Number(cpu);
        if (!(c < this.cpus)) continue;
        const value = sample.cpus[cpu]?.[this.column];
        if (value !== null && value !== undefined) this.values[at + c] = value;
        const quality = sample.cpuQuality[cpu]?.[this.column];
        if (quality) this.quality[at + c] = qualityCode(quality);
      }
    }
  }

  /** Rows in between are missing, and the server has them: what is here would hide them. */
  clear(): void {
    this.#first = this.#end;
  }

  /** The first row whose time is not before `t`; `end` when there is none. */
  lowerBound(t: number): number {
    return lowerBound(this.#first, this.#end, (i) => this.time(i), t);
  }
}
