// SPDX-License-Identifier: Apache-2.0
// Whether a value of now is unusual, by nothing but the values before it.
//
// Time is cut, backwards from the newest sample, into windows of a second (or of an interval, where that is longer), and each
// window has the mean of its samples. The newest window is what is judged. What it is judged by are the windows of the last ten
// minutes without the newest tenth of them: so a change that lasts is not at once its own measure. Unusual is what lies
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

/** Means of the windows that end with the newest sample, newest first; NaN for one without a value. */
export function windowMeans(store: Store, key: string, window: number, most = WINDOWS_MOST): number[] {
  const values = store.slots(key);
  const newest = store.newestTime;
  if (!values || newest === null) return [];
  const means: number[] = [];
  let sum = 0;
  let n = 0;
  let k = 0;
  const close = (): void => {
    means.push(n > 0 ? sum / n : NaN);
    sum = n = 0;
    k++;
  };
  for (let i = store.end - 1; i >= store.first; i--) {
    if (!store.isPresent(i)) continue;
    const at = Math.floor((newest - store.time(i)) / window);
    while (k < at && k < most) close();
    if (k >= most) return means;
    const v = values[i % store.capacity] as number;
    if (v !== v) continue;
    sum += v;
    n++;
  }
  // The oldest window may have begun before the store: it is left out.
  return means;
}

/** null: there is no value now, or too little before it. */
export function judge(store: Store, key: string, interval: number): Judgement | null {
  const window = Math.max(WINDOW_MS, interval);
  const means = windowMeans(store, key, window);
  const now = means[0];
  const before = means.slice(Math.max(1, Math.ceil(means.length * NEWEST_SHARE)));
  const values = before.filter((v) => v === v);
  if (now === undefined || now !== now || values.length < WINDOWS_LEAST) return null;
  const usual = usualOf(values);
  return { now, usual, verdict: verdictOf(now, usual), before: before.length * window };
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
