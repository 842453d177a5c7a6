// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, t975, welchDegrees } from "../src/data/compare";
import type { Statistics } from "../src/data/wire-answers";

function stats(mean: number | null, stderr: number | null, more: Partial<Statistics> = {}): Statistics {
  return {
    n: 100, sum: null, mean, stddev: null, stderr, batches: null, min: null, max: null, p50: null, p95: null, p99: null, running: 100, ...more,
  };
}

function near(actual: number | undefined, expected: number, within: number): void {
  assert.ok(actual !== undefined && Math.abs(actual - expected) <= within, `${actual} is not ${expected}`);
}

test("Student's t: the printed tables' values", () => {
  const table: [number, number][] = [[5, 2.571], [9, 2.262], [18, 2.101], [29, 2.045], [60, 2.0], [1000, 1.962]];
  for (const [degrees, t] of table) near(t975(degrees), t, 0.001);
});

test("Welch and Satterthwaite's degrees of freedom", () => {
  near(welchDegrees(4, 9, 4, 9), 18, 1e-9); // equal variances: all of them
  near(welchDegrees(4, 9, 0, 9), 9, 1e-9); // one without error: those of the other
  near(welchDegrees(1, 9, 9, 29), 100 / (1 / 9 + 81 / 29), 1e-9);
});

test("a difference with its 95 % interval", () => {
  // 20 batches each, equal errors: 38 degrees of freedom, t = 2.0244, error √2.
  const c = compare(stats(100, 1), stats(110, 1));
  assert.equal(c.difference, 10);
  near(c.differenceInterval?.low, 10 - 2.0244 * Math.SQRT2, 0.002);
  near(c.differenceInterval?.high, 10 + 2.0244 * Math.SQRT2, 0.002);
  assert.equal(c.verdict, "clear");
});

test("the ratio's interval by Fieller's theorem", () => {
  const c = compare(stats(100, 2, { batches: 30 }), stats(150, 3, { batches: 30 }));
  const t = t975(welchDegrees(4, 29, 9, 29));
  // The bounds ρ are where (b − ρa)² = t²(vb + ρ²va).
  for (const rho of [c.ratioInterval?.low ?? NaN, c.ratioInterval?.high ?? NaN]) {
    near((150 - rho * 100) ** 2, t ** 2 * (9 + rho ** 2 * 4), 1e-6);
  }
  assert.ok((c.ratioInterval?.low ?? 9) < 1.5 && (c.ratioInterval?.high ?? 0) > 1.5);
});

test("what is within the error is not called a difference", () => {
  const c = compare(stats(100, 5), stats(105, 5));
  assert.equal(c.verdict, "even");
  assert.ok((c.differenceInterval?.low ?? 1) < 0 && (c.ratioInterval?.low ?? 2) < 1 && (c.ratioInterval?.high ?? 0) > 1);
});

test("too few samples: the numbers without an interval", () => {
  const c = compare(stats(100, null), stats(200, 1));
  assert.deepEqual([c.verdict, c.difference, c.ratio, c.differenceInterval, c.ratioInterval], ["few", 100, 2, null, null]);
  assert.equal(compare(stats(100, 1, { batches: 5 }), stats(200, 1)).verdict, "few");
});

test("no value is no number", () => {
  assert.equal(compare(stats(null, null), stats(1, 1)).verdict, "absent");
  assert.equal(compare(undefined, stats(1, 1)).difference, null);
});

test("no ratio to zero, nor an interval of one whose A may be zero", () => {
  assert.equal(compare(stats(0, 0), stats(1, 0.1)).ratio, null);
  const c = compare(stats(1, 1), stats(5, 1));
  assert.equal(c.ratio, 5);
  assert.equal(c.ratioInterval, null);
});

test("values that never vary: any difference is clear, none is none", () => {
  assert.equal(compare(stats(1, 0), stats(2, 0)).verdict, "clear");
  assert.equal(compare(stats(1, 0), stats(1, 0)).verdict, "even");
});
