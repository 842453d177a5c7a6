// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { bucketSize, decimate, type Lines } from "../src/chart/lod";
import { roundUp, StableMax } from "../src/chart/scale";
import { Store } from "../src/data/store";
import { parseSeries } from "../src/data/wire";

const INTERVAL = 100;

function filled(rows: number, value: (n: number) => number | null, time = (n: number): number => n * INTERVAL): Store {
  const s = new Store(Math.max(rows, 10));
  s.addKeys(["a", "b"]);
  s.startRun("r", null);
  const n = Array.from({ length: rows }, (_, i) => i + 1);
  s.merge(parseSeries({
    t: n.map(time), sequence: n,
    columns: { a: { mean: n.map(value), running: n.map(() => 100) }, b: { mean: n.map((i) => -i), running: n.map(() => 100) } },
  }));
  return s;
}

function draw(s: Store, from: number, to: number, pixels: number): Lines {
  const lines = decimate(s, ["a", "b"], { from, to, pixels, interval: INTERVAL });
  const { t } = lines;
  for (const { mean, low, high } of lines.curves) {
    assert.deepEqual([mean.length, low.length, high.length], [t.length, t.length, t.length]);
    mean.forEach((v, i) => {
      assert.equal(v === null, low[i] === null);
      if (v !== null) assert.ok((low[i] ?? NaN) <= v + 1e-6 && v <= (high[i] ?? NaN) + 1e-6);
    });
  }
  for (let i = 1; i < t.length; i++) assert.ok((t[i] ?? NaN) >= (t[i - 1] ?? NaN), "time does not decrease");
  return lines;
}

/** The first column's means. */
function means(lines: Lines): (number | null)[] {
  return lines.curves[0]?.mean ?? [];
}

test("few samples are drawn as they are", () => {
  const { t, curves, banded } = draw(filled(50, (n) => n), 0, 5000, 100);
  assert.equal(t.length, 50);
  assert.equal(curves[0]?.mean[9], 10);
  assert.equal(curves[1]?.mean[9], -10);
  assert.equal(banded, false);
});

test("about a point a pixel, whatever the number of samples", () => {
  for (const rows of [1000, 5000, 36_000]) {
    const { t, banded } = draw(filled(rows, (n) => n), 0, rows * INTERVAL, 400);
    assert.ok(t.length <= 600 && t.length >= 270, `${rows} rows gave ${t.length} points`);
    assert.ok(banded);
  }
});

test("no spike is lost, up or down", () => {
  const s = filled(36_000, (n) => (n === 17_777 ? 1e9 : n === 20_003 ? -1e9 : 1));
  const { low, high } = draw(s, 0, 3_600_000, 500).curves[0] as { low: number[]; high: number[] };
  assert.equal(Math.max(...high), 1e9);
  assert.equal(Math.min(...low), -1e9);
  assert.equal([...low, ...high].filter((v) => v !== 1).length, 2);
});

test("the mean is that of the bucket's samples", () => {
  const { t, curves } = draw(filled(1024, (n) => n), 0, 102_400, 64);
  const i = 20;
  // A bucket of 16 rows ends with the row whose time stands there.
  const last = (t[i] ?? 0) / INTERVAL;
  assert.equal(curves[0]?.mean[i], last - 7.5);
  assert.deepEqual([curves[0]?.low[i], curves[0]?.high[i]], [last - 15, last]);
});

test("buckets hold the same samples while the view moves", () => {
  const s = filled(5000, (n) => Math.sin(n) * 100);
  const point = (from: number): Map<number, number | null> => {
    const lines = draw(s, from, from + 200_000, 100);
    return new Map(lines.t.map((t, i) => [t, means(lines)[i] ?? null]));
  };
  const before = point(100_000);
  for (let shift = 100; shift <= 6400; shift += 100) {
    const after = point(100_000 + shift);
    for (const [t, v] of after) {
      if (t > 130_000 && t < 280_000) assert.equal(before.get(t), v, `point at ${t} after ${shift} ms`);
    }
  }
});

test("where the store begins in the middle of a bucket, its few rows are no spike", () => {
  const s = filled(1000, (n) => (n < 64 ? 1000 : 0));
  const { t, curves } = decimate(s, ["a"], { from: 0, to: 100_000, pixels: 16, interval: INTERVAL }, 60 * INTERVAL);
  assert.equal(t[0], 127 * INTERVAL, "three rows and the next bucket");
  assert.equal(Math.round(curves[0]?.mean[0] ?? NaN), Math.round(3000 / 67));
  assert.equal(curves[0]?.high[0], 1000, "nothing of them is lost");
});

test("zooming in shows every sample again", () => {
  const { t } = draw(filled(36_000, (n) => n), 1_000_000, 1_010_000, 800);
  assert.ok(t.length >= 101 && t.length <= 104);
});

test("a missing value is null", () => {
  const a = means(draw(filled(20, (n) => (n > 5 && n < 9 ? null : n)), 0, 2000, 100));
  assert.deepEqual(a.slice(3, 10), [4, 5, null, null, null, 9, 10]);
});

test("a bucket is null only when all in it is missing", () => {
  const a = means(draw(filled(6400, (n) => (n > 3200 && n <= 4000 ? null : 5)), 0, 640_000, 100));
  assert.ok(a.includes(null));
  assert.ok(a.every((v) => v === null || v === 5));
});

test("a hole in time is a gap: at more than 2.5 intervals, not before", () => {
  const hole = (ms: number): (number | null)[] =>
    means(draw(filled(20, (n) => n, (n) => n * INTERVAL + (n > 10 ? ms : 0)), 0, 3000, 100));
  assert.ok(!hole(140).includes(null));
  assert.ok(hole(160).includes(null));
});

test("a hole in time inside a bucket is a gap", () => {
  const s = filled(6400, (n) => n, (n) => n * INTERVAL + (n > 3217 ? 60_000 : 0));
  const lines = draw(s, 0, 700_000, 100);
  const { t } = lines;
  const at = means(lines).indexOf(null);
  assert.ok(at > 0);
  assert.ok((t[at - 1] ?? NaN) <= 321_700 && (t[at] ?? NaN) > 321_700 && (t[at + 1] ?? NaN) >= 381_800);
});

test("an empty store, an empty window", () => {
  const s = new Store(10);
  s.addKeys(["a", "b"]);
  assert.deepEqual(draw(s, 0, 1000, 100).t, []);
  assert.ok(draw(filled(10, (n) => n), 50_000, 60_000, 100).t.length <= 1);
});

test("blocks that were added up before are right when their rows change, and in a ring that is full", () => {
  let seed = 5;
  const random = (n: number): number => (seed = (seed * 48271) % 2147483647) % n;
  const s = new Store(1111);
  s.addKeys(["a", "b"]);
  s.startRun("r", null);
  for (let round = 0, n = 0; round < 60; round++) {
    const rows = Array.from({ length: 1 + random(150) }, () => ++n).filter(() => random(50) > 0);
    const values = new Map(rows.map((i) => [i, random(9) === 0 ? null : random(1000)]));
    s.merge(parseSeries({
      t: rows.map((i) => i * INTERVAL), sequence: rows,
      columns: { a: { mean: rows.map((i) => values.get(i)), running: [] }, b: { mean: rows.map((i) => -i), running: [] } },
    }));
    const { t, curves } = draw(s, 0, n * INTERVAL, 20);
    const b = curves[1];
    for (let i = 1; i < t.length; i++) {
      // b is minus the row's number: what a bucket holds is between its ends.
      if (b?.mean[i] == null || b.mean[i - 1] == null) continue;
      assert.equal(b.low[i], -(t[i] ?? NaN) / INTERVAL);
      const first = -(b.high[i] ?? NaN);
      const present = Array.from({ length: -(b.low[i] ?? NaN) - first + 1 }, (_, j) => s.first + (first + j - Math.round(s.time(s.first) / INTERVAL)))
        .filter((row) => s.isPresent(row));
      const all = present.map((row) => s.value("a", row)).filter((v) => v !== null);
      assert.equal(curves[0]?.low[i], all.length ? Math.min(...all) : null);
      assert.equal(curves[0]?.high[i], all.length ? Math.max(...all) : null);
    }
  }
});

test("bucket sizes are powers of two, about a pixel wide", () => {
  const size = (perPixel: number): number => bucketSize({ from: 0, to: perPixel * INTERVAL * 100, pixels: 100, interval: INTERVAL });
  assert.deepEqual([0.1, 1, 2, 2.1, 4, 5, 360].map(size), [1, 1, 2, 2, 4, 4, 256]);
});

test("a scale's end is round, grows at once, shrinks late", () => {
  assert.deepEqual([0.3, 1, 1.01, 7, 999, 1e6].map(roundUp), [0.3, 1, 1.5, 8, 1000, 1e6]);
  const max = new StableMax();
  assert.deepEqual([90, 95, 97, 140, 80, 70, null, 40].map((v) => max.next(v)), [100, 100, 150, 150, 150, 150, 150, 50]);
});
