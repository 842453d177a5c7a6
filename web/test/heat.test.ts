// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { paletteOf } from "../src/chart/palette";
import { HeatCells, heatAt, highestOf, type HeatSource } from "../src/data/heat";
import { CpuMatrix } from "../src/data/matrix";
import { Tiles } from "../src/data/tiles";
import { parseSample, parseSeries, type Sample } from "../src/data/wire";

const INTERVAL = 100;
const [GAP, VALUE, NEVER, OFFLINE] = [0, 1, 2, 3];

function sample(n: number, cpus: object): Sample {
  const parsed = parseSample({ timestamp: n * INTERVAL, sequence: n, cpus });
  assert.ok(parsed);
  return parsed;
}

function value(a: number | null, quality?: string): object {
  return quality === undefined ? { a } : { a, quality: { a: quality } };
}

async function source(matrix: CpuMatrix, oldest: number | null = null, ofOne: number | null = -1): Promise<{ source: HeatSource; settle(): Promise<void> }> {
  const tiles = new Tiles({
    now: () => 0, latest: () => 1e9, arrived: () => undefined,
    // The server's value is minus the CPU's number (`ofOne`: of CPU 1), every 200 ms, before 10 s.
    async fetch(query) {
      const t = Array.from({ length: 50 }, (_, i) => (i + 1) * 200).filter((x) => x >= (query.from ?? 0) && x <= (query.to ?? Infinity));
      assert.deepEqual([query.cpu, query.columns], ["all", ["a"]]);
      return parseSeries({ t, resolution_ms: 200, cpus: { 0: t.map(() => 0), 1: t.map(() => ofOne) } });
    },
  });
  return {
    source: { matrix, tiles, oldest, interval: INTERVAL, online: new Set([0, 1]), counted: true },
    async settle() {
      while (tiles.busy) await new Promise((resolve) => setTimeout(resolve, 5));
    },
  };
}

function cells(from: HeatSource, first: number, last: number, length: number): { kind: number[][]; mean: number[][] } {
  const c = new HeatCells(from.matrix.cpus, first, last, length);
  c.fill(from);
  const rows = <T extends Uint8Array | Float32Array>(list: T): number[][] =>
    Array.from({ length: c.buckets }, (_, b) => Array.from({ length: c.cpus }, (_, cpu) => Math.round((list[cpu * c.buckets + b] ?? NaN) * 1000) / 1000));
  return { kind: rows(c.kind), mean: rows(c.mean) };
}

test("a cell a sample; what is missing says how", async () => {
  const m = new CpuMatrix("a", 3, 100);
  m.push([
    sample(1, { 0: value(1), 1: value(0), 2: value(5) }),
    sample(2, { 0: value(2), 1: value(null, "never ran"), 2: value(null, "offline") }),
    sample(4, { 0: value(4) }),
  ]);
  const { kind, mean } = cells((await source(m)).source, 1, 4, INTERVAL);
  assert.deepEqual(kind, [[VALUE, VALUE, VALUE], [VALUE, NEVER, OFFLINE], [GAP, GAP, GAP], [VALUE, NEVER, NEVER]]);
  assert.deepEqual(mean[0], [1, 0, 5]);
  assert.equal(mean[3]?.[0], 4);
});

test("what does not come of counters cannot have waited for one: before its first value there is none, from either source", async () => {
  const m = new CpuMatrix("a", 3, 1000);
  m.push([sample(101, { 0: value(null), 1: value(1), 2: value(null, "offline") }), sample(102, { 0: value(1), 1: value(1), 2: value(null, "never ran") })]);
  const { source: from, settle } = await source(m, 0, null);
  cells(from, 99, 102, INTERVAL);
  await settle();
  const kinds = (counted: boolean): number[][] => cells({ ...from, counted }, 99, 102, INTERVAL).kind;
  assert.deepEqual(kinds(true), [[VALUE, NEVER, GAP], [VALUE, NEVER, GAP], [NEVER, VALUE, OFFLINE], [VALUE, VALUE, NEVER]]);
  assert.deepEqual(kinds(false), [[VALUE, GAP, GAP], [VALUE, GAP, GAP], [GAP, VALUE, OFFLINE], [VALUE, VALUE, NEVER]]);
  assert.deepEqual([heatAt(from, 1, 9_850)?.quality, heatAt({ ...from, counted: false }, 1, 9_850)?.quality], [0, 100]);
});

test("a wide cell is the mean of what it has", async () => {
  const m = new CpuMatrix("a", 2, 100);
  m.push(Array.from({ length: 20 }, (_, i) => sample(i + 1, { 0: value(i + 1), 1: value(i === 0 ? 7 : null, i === 0 ? "exact" : "never ran") })));
  const { kind, mean } = cells((await source(m)).source, 1, 2, 10 * INTERVAL);
  assert.deepEqual(mean.map((r) => r[0]), [5.5, 15.5]);
  assert.deepEqual([mean[0]?.[1], kind[0]?.[1], kind[1]?.[1]], [7, VALUE, NEVER]);
});

test("what was before the matrix comes from the server, once it is there", async () => {
  const m = new CpuMatrix("a", 2, 1000);
  m.push(Array.from({ length: 20 }, (_, i) => sample(100 + i, { 0: value(1), 1: value(1) })));
  const { source: from, settle } = await source(m, 0);
  assert.ok(cells(from, 1, 99, INTERVAL).kind.flat().every((k) => k === GAP));
  await settle();
  const { kind, mean } = cells(from, 1, 119, INTERVAL);
  assert.ok(kind.flat().every((k) => k === VALUE), "no seam between the two");
  assert.deepEqual(mean.slice(0, 99).map((r) => r[1]), Array(99).fill(-1));
  assert.deepEqual(mean.slice(99).map((r) => r[1]), Array(20).fill(1));
  assert.deepEqual(heatAt(from, 1, 5_050), { time: 5200, value: -1, quality: 100 });
  assert.equal(heatAt(from, 1, 10_450)?.value, 1);
  assert.equal(heatAt(from, 1, 50_000), null);
});

test("CPUs that share a row: the highest of them, and where none has a value what is worst, from either source", async () => {
  const m = new CpuMatrix("a", 3, 1000);
  m.push([
    sample(100, { 0: value(3), 1: value(8), 2: value(5) }),
    sample(101, { 0: value(null, "never ran"), 1: value(2), 2: value(null, "offline") }),
    sample(102, { 0: value(null, "never ran"), 1: value(null, "offline"), 2: value(null, "never ran") }),
    sample(104, { 0: value(1), 1: value(6), 2: value(0) }), sample(105, { 0: value(9), 1: value(6), 2: value(0) }),
  ]);
  const { source: from, settle } = await source(m, 0);
  const rows = (first: number, last: number, length: number): [number[], (number | undefined)[]] => {
    const c = new HeatCells(3, first, last, length, 2);
    c.fill(from);
    assert.equal(c.rows, 2);
    return [[...c.kind], [...c.mean].map((v, i) => (c.kind[i] === VALUE ? v : undefined))];
  };
  assert.deepEqual(rows(100, 102, INTERVAL), [[VALUE, VALUE, OFFLINE, VALUE, OFFLINE, NEVER], [8, 2, undefined, 5, undefined, undefined]]);
  assert.deepEqual(rows(53, 53, 2 * INTERVAL), [[VALUE, VALUE], [9, 0]], "sample 105 alone");
  assert.deepEqual(rows(26, 26, 4 * INTERVAL), [[VALUE, VALUE], [4, 0]], "samples 101 to 104");
  assert.deepEqual(rows(11, 11, 10 * INTERVAL), [[VALUE, VALUE], [5, 0]], "samples 101 to 105");
  rows(40, 42, INTERVAL);
  await settle();
  assert.deepEqual(rows(40, 42, INTERVAL), [[VALUE, VALUE, VALUE, GAP, GAP, GAP], [0, 0, 0, undefined, undefined, undefined]], "wider than a bucket");
  rows(1, 3, 10 * INTERVAL);
  await settle();
  assert.deepEqual(rows(1, 3, 10 * INTERVAL)[1].slice(0, 3), [0, 0, 0], "narrower");
});

test("the scale's end is the highest of both", async () => {
  const m = new CpuMatrix("a", 2, 1000);
  m.push(Array.from({ length: 20 }, (_, i) => sample(100 + i, { 0: value(-5), 1: value(-3) })));
  const { source: from, settle } = await source(m, 0);
  assert.equal(highestOf(from, 9_000, 12_000, INTERVAL), -3);
  await settle();
  assert.equal(highestOf(from, 9_000, 12_000, INTERVAL), 0);
  assert.equal(highestOf(from, 10_100, 12_000, INTERVAL), -3);
  assert.equal(highestOf(from, 20_000, 30_000, INTERVAL), null);
});

test("the matrix is a ring, bounded by its cells", () => {
  const m = new CpuMatrix("a", 2, 10);
  for (let n = 1; n <= 25; n++) m.push([sample(n, { 0: value(n), 1: value(-n) })]);
  assert.deepEqual([m.end - m.first, m.since], [10, 1600]);
  assert.equal(m.values[m.row(m.lowerBound(2000)) + 1], -20);
  assert.ok(new CpuMatrix("a", 512, 36_000).capacity < 10_000);
  assert.equal(new CpuMatrix("a", 2, 36_000).capacity, 36_000);
});

test("a sample that comes twice is there once; a CPU that is not known does no harm; a clock that is set back begins anew", () => {
  const m = new CpuMatrix("a", 2, 10);
  m.push([sample(5000, { 0: value(1) }), sample(5000, { 0: value(2) }), sample(5001, { 0: value(3), 7: value(9), x: value(9) })]);
  assert.equal(m.end - m.first, 2);
  assert.equal(m.values[m.row(m.end - 1)], 3);
  m.push([sample(10, { 0: value(4) })]);
  assert.deepEqual([m.end - m.first, m.since], [1, 1000]);
});

test("the palette goes from its first stop to its last, one way in lightness", () => {
  for (const stops of ["#eff6b5,#c7e9b4,#7fcdbb,#41b6c4,#1d91c0,#225ea8,#253494,#081d58", "#3d2363,#414487,#2a788e,#22a884,#7ad151,#fde725"]) {
    const colours = paletteOf(stops);
    const light = [...colours].map((c) => 0.2126 * (c & 255) + 0.7152 * ((c >> 8) & 255) + 0.0722 * ((c >> 16) & 255));
    const sign = Math.sign((light[255] ?? 0) - (light[0] ?? 0));
    for (let i = 1; i < 256; i++) assert.ok(sign * ((light[i] ?? 0) - (light[i - 1] ?? 0)) >= -0.6, `${stops} at ${i}`);
  }
  assert.equal(paletteOf("#000000,#ffffff")[255], 0xffffffff);
  assert.equal(paletteOf("nonsense").length, 256);
});
