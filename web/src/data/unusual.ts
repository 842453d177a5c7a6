// SPDX-License-Identifier: Apache-2.0
// Whether a value of now is unusual, by nothing but the values before it.
//
// Time is cut into windows of a second (or of an interval, where that is longer), and each window has the mean of its samples. What
// is judged is the mean over the length of a window up to the newest sample. What it is judged by are the windows of the last ten
// minutes, without the newest tenth of them: so a change that lasts is not at once its own measure. Unusual is what lies
// outside of all of these, by more than their middle half is wide. So neither a record by a hair nor the peak that comes every
// minute is called unusual.
//
// Of the CPUs at one moment there are few, and several may be odd at once: apart from the others is what lies beyond the outer
// fence around all of them, three interquartile ranges from the quartiles (J. W. Tukey, Exploratory Data Analysis, 1977, which
// calls such values "far out").

import type { Store } from "./store";

const WINDOW_MS = 1000;
const WINDOWS_MOST = 600;
const NEWEST_SHARE = 0.1;
/** From fewer, quartiles say little. */
const WINDOWS_LEAST = 30;
const OUTER_FENCE = 3;
/** From fewer CPUs, quartiles say little. */
const CPUS_LEAST = 8;

/** The middle half and the whole of what was before. */
export interface Usual {
  q1: number;
  q3: number;
  least: number;
  most: number;
}

export interface Judgement {
  /** Mean over the newest window. */
  now: number;
  usual: Usual;
  /** null: not unusual. */
  verdict: "high" | "low" | null;
  /** How much time it was compared with, ms. */
  before: number;
}

/** Linear between the two nearest. `sorted` is not empty. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const a = sorted[low] as number;
  const b = sorted[Math.min(sorted.length - 1, low + 1)] as number;
  return a + (b - a) * (at - low);
}

export function usualOf(values: readonly number[]): Usual {
  const sorted = Float64Array.from(values).sort();
  return {
    q1: quantile(sorted, 0.25), q3: quantile(sorted, 0.75), least: sorted[0] as number, most: sorted[sorted.length - 1] as number,
  };
}

export function verdictOf(now: number, { q1, q3, least, most }: Usual): Judgement["verdict"] {
  const margin = q3 - q1;
  return now > most + margin ? "high" : now < least - margin ? "low" : null;
}

/** Mean of a column over from < t ≤ to; NaN without a value. */
function meanOf(store: Store, values: Float64Array, from: number, to: number): number {
  let sum = 0;
  let n = 0;
  for (let i = store.lowerBound(from + 0.001); i < store.end && store.time(i) <= to; i++) {
    const v = values[i % store.capacity] as number;
    if (v !== v || !store.isPresent(i)) continue;
    sum += v;
    n++;
  }
  return n > 0 ? sum / n : NaN;
}

/** Means of windows, each worked out once: a second brings one new window, not ten minutes of them. */
export class Windows {
  #store: Store | null = null;
  #version = -1;
  #length = 0;
  /** Rings: the number of the window in each slot, and its mean. */
  #columns = new Map<string, { numbers: Float64Array; means: Float64Array }>();

  /** Those that are over, newest first. Window n is n · length < t ≤ (n + 1) · length. */
  means(store: Store, key: string, length: number): number[] {
    const values = store.slots(key);
    const { oldestTime, newestTime } = store;
    if (!values || oldestTime === null || newestTime === null) return [];
    if (store !== this.#store || store.version !== this.#version || length !== this.#length) {
      this.#columns.clear();
      this.#store = store;
      this.#version = store.version;
      this.#length = length;
    }
    let column = this.#columns.get(key);
    if (!column) {
      column = { numbers: new Float64Array(WINDOWS_MOST).fill(NaN), means: new Float64Array(WINDOWS_MOST) };
      this.#columns.set(key, column);
    }
    const { numbers, means } = column;
    const last = Math.floor(newestTime / length) - 1;
    // The oldest window may have begun before the store.
    const first = Math.max(Math.floor(oldestTime / length) + 1, last - WINDOWS_MOST + 1);
    const out: number[] = [];
    for (let n = last; n >= first; n--) {
      const slot = n % WINDOWS_MOST;
      if (numbers[slot] !== n) {
        numbers[slot] = n;
        means[slot] = meanOf(store, values, n * length, (n + 1) * length);
      }
      out.push(means[slot] as number);
    }
    return out;
  }
}

/** null: there is no value now, or too little before it. */
export function judge(windows: Windows, store: Store, key: string, interval: number): Judgement | null {
  const length = Math.max(WINDOW_MS, interval);
  const values = store.slots(key);
  const newest = store.newestTime;
  if (!values || newest === null) return null;
  const now = meanOf(store, values, newest - length, newest);
  const means = windows.means(store, key, length);
  const before = means.slice(Math.max(1, Math.ceil(means.length * NEWEST_SHARE)));
  const some = before.filter((v) => v === v);
  if (now !== now || some.length < WINDOWS_LEAST) return null;
  const usual = usualOf(some);
  return { now, usual, verdict: verdictOf(now, usual), before: before.length * length };
}

/** Those of the CPUs' values (NaN: none) that are beyond the outer fence around all of them, farthest out first. */
export function apart(values: ArrayLike<number>): { cpus: number[]; usual: Usual } | null {
  const all = Array.from(values);
  const some = all.filter((v) => v === v);
  if (some.length < CPUS_LEAST) return null;
  const usual = usualOf(some);
  const reach = OUTER_FENCE * (usual.q3 - usual.q1);
  const [low, high] = [usual.q1 - reach, usual.q3 + reach];
  const out = (v: number): number => Math.max(v - high, low - v);
  const cpus = all.flatMap((v, cpu) => (out(v) > 0 ? [cpu] : []));
  return { cpus: cpus.sort((a, b) => out(all[b] as number) - out(all[a] as number)), usual };
}
