// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { Store } from "../src/data/store";
import { Windows, apart, judge as judgeBy, usualOf, verdictOf, type Judgement } from "../src/data/unusual";
import type { Sample } from "../src/data/wire";

function sample(sequence: number, timestamp: number, value: number | null): Sample {
  return { timestamp, sequence, seconds: 0.1, values: { c: value }, quality: {}, cpus: {}, cpuQuality: {} };
}

/** A value every 100 ms; `values[i]` is that of the interval that ends at (i + 1) · 100 ms. */
function storeOf(values: readonly (number | null)[]): Store {
  const store = new Store(10_000);
  store.addKeys(["c"]);
  store.startRun("r", null);
  store.push(values.map((v, i) => sample(i + 1, (i + 1) * 100, v)));
  return store;
}

/** `seconds` of values that swing between 10 and 20 once a minute. */
const swing = (seconds: number): number[] => Array.from({ length: seconds * 10 }, (_, i) => 15 + 5 * Math.sin((i / 600) * 2 * Math.PI));

const means = (store: Store): number[] => new Windows().means(store, "c", 1000);
const judge = (store: Store): Judgement | null => judgeBy(new Windows(), store, "c", 100);
const constant = (value: number | null, n: number): (number | null)[] => Array<number | null>(n).fill(value);

test("seconds that are over, as means, newest first", () => {
  const store = storeOf([...constant(1, 10), ...constant(2, 10), ...constant(4, 10), ...constant(9, 5)]);
  assert.deepEqual(means(store), [4, 2]); // the oldest may not be whole, the newest is not over
  assert.deepEqual(new Windows().means(store, "none", 1000), []);
});

test("a second without a value is none, not zero", () => {
  assert.deepEqual(means(storeOf([...constant(3, 20), ...constant(null, 10), ...constant(5, 10)])), [5, NaN, 3]);
});

test("they go on with the store, and begin anew when its history changes or it is another", () => {
  const windows = new Windows();
  const store = storeOf(constant(1, 20));
  assert.deepEqual(windows.means(store, "c", 1000), [1]);
  store.push(constant(2, 15).map((v, i) => sample(21 + i, 2100 + i * 100, v)));
  assert.deepEqual(windows.means(store, "c", 1000), [2, 1]);
  store.merge({
    t: [1500], sequence: [15], perBucket: 1, resolutionMs: 100, columns: { c: { mean: [11], min: [11], max: [11], running: [100] } },
  });
  assert.deepEqual(windows.means(store, "c", 1000), [2, 2]);
  assert.deepEqual(windows.means(storeOf(constant(7, 30)), "c", 1000), [7, 7]);
});

test("no more than ten minutes", () => {
  assert.equal(means(storeOf(constant(1, 7000))).length, 600);
});

test("quartiles and ends", () => {
  assert.deepEqual(usualOf([5, 1, 3, 2, 4]), { q1: 2, q3: 4, least: 1, most: 5 });
});

test("what swings as before is not unusual; what leaves its range by its own width is", () => {
  assert.equal(judge(storeOf(swing(300)))?.verdict, null);
  for (const [now, verdict] of [[60, "high"], [-40, "low"], [20.5, null], [9.5, null]] as const) {
    const found = judge(storeOf([...swing(300), ...Array<number>(10).fill(now)]));
    assert.equal(found?.verdict, verdict, String(now));
    assert.equal(found?.now, now);
  }
});

test("a change that lasts stays unusual for a while, then it is what is usual", () => {
  const after = (seconds: number): string | null | undefined =>
    judge(storeOf([...swing(600), ...Array<number>(seconds * 10).fill(60)]))?.verdict;
  assert.equal(after(2), "high");
  assert.equal(after(50), "high");
  assert.equal(after(120), null);
});

test("a peak that was there before is not unusual", () => {
  const peak = Array<number>(10).fill(60);
  assert.equal(judge(storeOf([...swing(100), ...peak, ...swing(100), ...peak]))?.verdict, null);
});

test("of what mostly stands still, any record counts; of what stands still quite, nothing is said", () => {
  assert.equal(verdictOf(0.1, { q1: 0, q3: 0, least: 0, most: 0.05 }), "high");
  assert.equal(verdictOf(0, { q1: 0, q3: 0, least: 0, most: 0 }), null);
});

test("with less than half a minute before it, or without a value now, nothing is judged", () => {
  assert.equal(judge(storeOf(swing(25))), null);
  assert.equal(judge(storeOf([...swing(300), ...Array<null>(15).fill(null)])), null);
  assert.notEqual(judge(storeOf(swing(40))), null);
});

test("CPUs apart from the others, farthest first; of a few CPUs nothing is said", () => {
  const busy = [0.2, 0.22, 0.21, NaN, 0.19, 0.9, 0.2, 0.23, 0.21, 0.99];
  assert.deepEqual(apart(busy)?.cpus, [9, 5]);
  assert.deepEqual(apart(Array<number>(64).fill(0.5))?.cpus, []);
  assert.equal(apart([0.1, 0.1, 0.1, 0.9]), null);
});
