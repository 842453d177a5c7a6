// SPDX-License-Identifier: Apache-2.0
// How two spans differ in one column, and how sure one can be of it.
//
// Each span gives a mean and its standard error. Intervals next to each other resemble each other, so the server takes the
// standard error from the means of batches of neighbours instead of from the single intervals (batch means: Conway, Some
// Tactical Problems in Digital Simulation, Management Science 10, 1963). From those:
//
// - the 95 % interval of the difference by Welch's method for unequal variances, with the Welch–Satterthwaite degrees of freedom
//   (B. L. Welch, The generalization of "Student's" problem when several different population variances are involved,
//   Biometrika 34, 1947);
// - the 95 % interval of the ratio by Fieller's theorem (E. C. Fieller, Some problems in interval estimation, Journal of the
//   Royal Statistical Society B 16, 1954), for two independent means; there is none when A cannot be told from 0.

import type { Statistics } from "./wire-answers";

export interface Interval {
  low: number;
  high: number;
}

/**
 * clear: the interval of the difference leaves out 0. even: it does not. few: there are not enough samples for an interval.
 * absent: one of the two has no value at all.
 */
export type Verdict = "clear" | "even" | "few" | "absent";

export interface Comparison {
  a: number | null;
  b: number | null;
  /** B − A. */
  difference: number | null;
  differenceInterval: Interval | null;
  /** B / A. */
  ratio: number | null;
  ratioInterval: Interval | null;
  verdict: Verdict;
}

/** The server's number of batches, where it does not say it (docs/api.md, /api/span). */
const BATCHES = 20;
/** From fewer batches no interval is made: t975 is not right there, and the interval would say next to nothing. */
const BATCHES_USABLE = 6;
const NORMAL_975 = 1.959963984540054;

/**
 * The 97.5 % quantile of Student's t distribution: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5. Right to
 * 0.001 from 5 degrees of freedom on.
 */
export function t975(degrees: number): number {
  const x = NORMAL_975;
  const v = degrees;
  const g1 = (x ** 3 + x) / 4;
  const g2 = (5 * x ** 5 + 16 * x ** 3 + 3 * x) / 96;
  const g3 = (3 * x ** 7 + 19 * x ** 5 + 17 * x ** 3 - 15 * x) / 384;
  const g4 = (79 * x ** 9 + 776 * x ** 7 + 1482 * x ** 5 - 1920 * x ** 3 - 945 * x) / 92160;
  return x + g1 / v + g2 / v ** 2 + g3 / v ** 3 + g4 / v ** 4;
}

function degreesOf(s: Statistics): number {
  return (s.batches ?? BATCHES) - 1;
}

/** Welch and Satterthwaite's degrees of freedom, from two variances of means. */
export function welchDegrees(va: number, da: number, vb: number, db: number): number {
  const both = va ** 2 / da + vb ** 2 / db;
  return both > 0 ? (va + vb) ** 2 / both : da + db;
}

/** The 95 % interval of b / a; null when a is too near to 0 for one. */
function fieller(a: number, b: number, va: number, vb: number, t: number): Interval | null {
  const g = (t ** 2 * va) / a ** 2;
  if (!(g < 1)) return null;
  const ratio = b / a;
  const half = (t / Math.abs(a)) * Math.sqrt(Math.max(0, vb + ratio ** 2 * va - g * vb));
  return { low: (ratio - half) / (1 - g), high: (ratio + half) / (1 - g) };
}

export function compare(a: Statistics | undefined, b: Statistics | undefined): Comparison {
  const ma = a?.mean ?? null;
  const mb = b?.mean ?? null;
  const none = { a: ma, b: mb, difference: null, differenceInterval: null, ratio: null, ratioInterval: null };
  if (!a || !b || ma === null || mb === null) return { ...none, verdict: "absent" };
  const difference = mb - ma;
  const ratio = ma === 0 ? null : mb / ma;
  const few = (s: Statistics): boolean => s.batches !== null && s.batches < BATCHES_USABLE;
  if (a.stderr === null || b.stderr === null || few(a) || few(b)) return { ...none, difference, ratio, verdict: "few" };
  const va = a.stderr ** 2;
  const vb = b.stderr ** 2;
  const t = t975(welchDegrees(va, degreesOf(a), vb, degreesOf(b)));
  const half = t * Math.sqrt(va + vb);
  return {
    a: ma, b: mb, difference, ratio,
    differenceInterval: { low: difference - half, high: difference + half },
    ratioInterval: ratio === null ? null : fieller(ma, mb, va, vb, t),
    verdict: Math.abs(difference) > half ? "clear" : "even",
  };
}
