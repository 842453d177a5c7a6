// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { Store } from "../src/data/store";
import { parseSample, parseSeries, type Sample, type Series } from "../src/data/wire";

function sample(sequence: number, extra: object = {}, timestamp = 1000 + sequence * 100): Sample {
  const parsed = parseSample({ sequence, timestamp, seconds: 0.1, a: sequence * 10, ...extra });
  assert.ok(parsed);
  return parsed;
}

function series(from: number, to: number, value: (n: number) => number | null = (n) => n * 10): Series {
  const n = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return parseSeries({
    t: n.map((i) => 1000 + i * 100), sequence: n, per_bucket: 1,
    columns: { a: { mean: n.map(value), running: n.map((i) => (value(i) === null ? 0 : 100)) } },
  });
}

function store(capacity = 100): Store {
  const s = new Store(capacity);
  s.addKeys(["a", "a@0"]);
  s.startRun("r1", null);
  return s;
}

/** Sequence → value of what is held. */
function held(s: Store, key = "a"): (number | null)[] {
  return Array.from({ length: s.end - s.first }, (_, i) => (s.isPresent(s.first + i) ? s.value(key, s.first + i) : -1));
}

function timesNeverDecrease(s: Store): void {
  for (let i = s.first + 1; i < s.end; i++) assert.ok(s.time(i) >= s.time(i - 1), `row ${i}`);
}

test("samples in order", () => {
  const s = store();
  s.push([sample(1), sample(2)]);
  s.push([sample(3)]);
  assert.deepEqual(held(s), [10, 20, 30]);
  assert.equal(s.newestSequence, 3);
  assert.equal(s.newestTime, 1300);
  assert.equal(s.rows, 3);
});

test("a sample that comes twice is there once", () => {
  const s = store();
  s.push([sample(1), sample(2)]);
  s.push([sample(2), sample(3)]);
  assert.deepEqual(held(s), [10, 20, 30]);
  assert.equal(s.rows, 3);
});

test("the ring holds the newest", () => {
  const s = store(10);
  for (let i = 1; i <= 25; i++) s.push([sample(i)]);
  assert.deepEqual(held(s), [16, 17, 18, 19, 20, 21, 22, 23, 24, 25].map((n) => n * 10));
  assert.equal(s.rows, 10);
  s.merge(series(10, 15));
  assert.equal(s.rows, 10, "history older than the ring reaches is not taken");
  assert.equal(s.time(s.first), 2600);
});

test("older history goes in front, in chunks", () => {
  const s = store(100);
  s.merge(series(41, 50));
  s.push([sample(51)]);
  s.merge(series(21, 40));
  s.merge(series(1, 20));
  assert.equal(s.rows, 51);
  assert.equal(held(s)[0], 10);
  timesNeverDecrease(s);
  assert.equal(s.time(s.lowerBound(1000 + 3050)), 4100);
});

test("a hole is absent, can be searched, and can be filled later", () => {
  const s = store();
  s.push([sample(1), sample(2)]);
  s.push([sample(6)]);
  assert.deepEqual(held(s), [10, 20, -1, -1, -1, 60]);
  timesNeverDecrease(s);
  assert.equal(s.nearest(1400, 50), null);
  s.merge(series(4, 5));
  assert.deepEqual(held(s), [10, 20, -1, 40, 50, 60]);
  timesNeverDecrease(s);
  assert.equal(s.nearest(1390, 50), s.first + 3);
  s.merge(series(3, 3));
  assert.equal(s.rows, 6);
  timesNeverDecrease(s);
});

test("a leap farther than the ring is long drops all before it", () => {
  const s = store(10);
  s.push([sample(1), sample(2)]);
  s.push([sample(500)]);
  assert.deepEqual(held(s), [5000]);
  s.push([sample(501)]);
  assert.deepEqual(held(s), [5000, 5010]);
});

test("missing is null, not 0; the quality is kept", () => {
  const s = store();
  s.push([
    sample(1, { a: null, quality: { a: "never ran" } }), sample(2, { quality: { a: "scaled 75" } }), sample(3, { a: 0 }),
    sample(4, { a: undefined }),
  ]);
  assert.deepEqual(held(s), [null, 20, 0, null]);
  assert.deepEqual([1, 2, 3].map((i) => s.quality("a", i)), [
    { kind: "never ran", running: 0 }, { kind: "scaled", running: 75 }, { kind: "exact", running: 100 },
  ]);
});

test("history's running percent is its quality", () => {
  const s = store();
  s.merge(parseSeries({
    t: [1100, 1200, 1300], sequence: [1, 2, 3],
    columns: { a: { mean: [1, null, 3], running: [50, 0, null] } },
  }));
  assert.deepEqual([1, 2, 3].map((i) => s.quality("a", i).kind), ["scaled", "never ran", "exact"]);
});

test("values of a CPU stand beside the total's", () => {
  const s = store();
  s.push([sample(1, { cpus: { 0: { a: 4 }, 1: { a: 6 } } })]);
  s.merge(series(1, 1, () => 5), 0);
  assert.equal(s.value("a", 1), 10);
  assert.equal(s.value("a@0", 1), 5);
});

test("a new run goes on behind the old one", () => {
  const s = store();
  s.push([sample(1), sample(2)]);
  s.startRun("r2", 5000);
  assert.equal(s.newestSequence, null);
  s.push([sample(1, {}, 5100), sample(2, {}, 5200)]);
  assert.deepEqual(held(s), [10, 20, -1, 10, 20]);
  assert.equal(s.newestSequence, 2);
  timesNeverDecrease(s);
});

test("a new run in the past drops what is held", () => {
  const s = store();
  s.push([sample(1), sample(2)]);
  s.startRun("r2", 500);
  s.push([sample(1, {}, 510)]);
  assert.deepEqual(held(s), [10]);
});

test("of a series over two runs, only the last one's rows are taken", () => {
  const s = store();
  s.merge(parseSeries({
    t: [1, 2, 3, 4].map((n) => n * 100), sequence: [8, 9, 1, 2], columns: { a: { mean: [1, 2, 3, 4], running: [] } },
  }));
  assert.deepEqual(held(s), [3, 4]);
});

test("columns can be added to a store that has rows", () => {
  const s = store();
  s.push([sample(1, { b: 1 })]);
  s.addKeys(["b"]);
  s.push([sample(2, { b: 2 })]);
  assert.deepEqual(held(s, "b"), [null, 2]);
});

test("times never decrease, whatever comes in whatever order", () => {
  let seed = 7;
  const random = (n: number): number => (seed = (seed * 48271) % 2147483647) % n;
  for (let round = 0; round < 200; round++) {
    const s = store(40);
    for (let k = 0; k < 12; k++) {
      const from = 1 + random(90);
      if (random(2)) s.merge(series(from, from + random(15)));
      else s.push([sample(from)]);
      timesNeverDecrease(s);
      assert.ok(s.end === s.first || s.isPresent(s.first));
      assert.equal(s.rows, held(s).filter((v) => v !== -1).length);
      for (let i = s.first; i < s.end; i++) {
        if (s.isPresent(i)) assert.equal(s.value("a", i), (s.time(i) - 1000) / 10);
      }
    }
  }
});
