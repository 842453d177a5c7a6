// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { linesOf } from "../src/chart/lines";
import type { SeriesQuery } from "../src/data/api";
import { Store } from "../src/data/store";
import { TILE_POINTS, Tiles, levelFor } from "../src/data/tiles";
import { parseSeries, type Series } from "../src/data/wire";

const INTERVAL = 100;
const DAY = 86_400_000;
const NOW = 1_763_830_000_000;
const FIRST = NOW - 3 * DAY;

/** A server with three days of history: the value of an interval is the ten thousandth of its time. `hole`: nothing was measured there. */
function answer(query: SeriesQuery, latest: number, hole: [number, number] | null): Series {
  const from = Math.max(query.from ?? FIRST, FIRST);
  const to = Math.min(query.to ?? latest, latest);
  const per = [1, 10, 100, 600, 6000].find((p) => (to - from) / (p * INTERVAL) < query.points) ?? 36_000;
  const res = per * INTERVAL;
  const t: number[] = [];
  for (let e = Math.ceil(from / res) * res; e <= to; e += res) if (!hole || e <= hole[0] || e > hole[1]) t.push(e);
  const value = (f: (e: number) => number): object => Object.fromEntries(query.columns.map((c) => [c, {
    mean: t.map(f), min: t.map((e) => f(e) - 1), max: t.map((e) => f(e) + 1), running: t.map(() => 100),
  }]));
  return parseSeries({ t, sequence: t.map(() => null), resolution_ms: res, per_bucket: per, interval_ms: INTERVAL, columns: value((e) => e / 10_000 - NOW / 10_000) });
}

function make(options: { latest?: number; hole?: [number, number]; fail?: () => boolean } = {}) {
  const queries: SeriesQuery[] = [];
  let atOnce = 0;
  let atMost = 0;
  const world = { latest: options.latest ?? NOW, now: 0 };
  const tiles = new Tiles({
    now: () => world.now,
    latest: () => world.latest,
    arrived: () => undefined,
    async fetch(query) {
      queries.push(query);
      atMost = Math.max(atMost, ++atOnce);
      await new Promise((resolve) => setTimeout(resolve, 1));
      atOnce--;
      if (options.fail?.()) throw new Error("no network");
      return answer(query, world.latest, options.hole ?? null);
    },
  });
  const settle = async (): Promise<void> => {
    while (tiles.busy) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  return { tiles, queries, settle, world, most: () => atMost };
}

function emptyStore(): Store {
  const store = new Store(1000);
  store.addKeys(["a"]);
  store.startRun("r", null);
  return store;
}

function lines(tiles: Tiles, from: number, to: number, store = emptyStore(), pixels = 1000) {
  return linesOf({ store, tiles, oldest: FIRST }, ["a"], null, { from, to, pixels, interval: INTERVAL });
}

test("any part of the history is there after one round of requests, as fine as the pixels", async () => {
  for (const span of [60_000, 600_000, 3_600_000, DAY, 3 * DAY]) {
    const { tiles, queries, settle } = make();
    assert.equal(lines(tiles, FIRST, FIRST + span).t.length, 0);
    await settle();
    const { t, curves, banded } = lines(tiles, FIRST, FIRST + span);
    assert.ok(queries.length <= 8, `${queries.length} requests for ${span}`);
    assert.ok(t.length > 100, `${t.length} points for ${span}`);
    assert.ok(t.length < 4000);
    assert.ok((t[0] ?? NaN) <= FIRST + span / 100 && (t.at(-1) ?? NaN) >= FIRST + span * 0.97, "from edge to edge");
    for (let i = 1; i < t.length; i++) assert.ok((t[i] ?? NaN) > (t[i - 1] ?? NaN));
    t.forEach((at, i) => {
      const mean = curves[0]?.mean[i] ?? NaN;
      assert.ok(Math.abs(mean - (at - NOW) / 10_000) < 0.01, "the value of that time");
      assert.ok((curves[0]?.low[i] ?? NaN) < mean && (curves[0]?.high[i] ?? NaN) > mean);
    });
    assert.ok(banded);
    await settle();
    const before = queries.length;
    lines(tiles, FIRST, FIRST + span);
    await settle();
    assert.equal(queries.length, before, "nothing is fetched twice");
  }
});

test("while the finer is fetched the coarser is drawn, and the other way round", async () => {
  const { tiles, settle } = make();
  lines(tiles, FIRST, FIRST + DAY);
  await settle();
  const at = FIRST + DAY / 2;
  const coarse = lines(tiles, at, at + 3_600_000);
  assert.ok(coarse.t.length > 5, "an hour of the day's points");
  const close = lines(tiles, at + 1000, at + 21_000);
  assert.ok((close.t[0] ?? NaN) <= at + 1000 && (close.t.at(-1) ?? NaN) >= at + 21_000, "a line through a view between two points");
  await settle();
  const fine = lines(tiles, at, at + 3_600_000);
  assert.ok(fine.t.length > 5 * coarse.t.length);
  const { tiles: other, settle: settled } = make();
  lines(other, at, at + 3_600_000);
  await settled();
  assert.ok(lines(other, at, at + 2 * 3_600_000).t.length > 100, "the finer stands in for the coarser");
});

test("a gap is a gap", async () => {
  const hole: [number, number] = [FIRST + 1_000_000, FIRST + 1_400_000];
  const { tiles, settle } = make({ hole });
  lines(tiles, FIRST, FIRST + 3_600_000);
  await settle();
  const { t, curves } = lines(tiles, FIRST, FIRST + 3_600_000);
  const inside = t.filter((at) => at > hole[0] && at <= hole[1]);
  assert.equal(inside.length, 1);
  assert.equal(curves[0]?.mean[t.indexOf(inside[0] ?? NaN)], null);
  assert.equal(curves[0]?.mean.filter((v) => v === null).length, 1);
});

test("before the history began nothing is asked for", async () => {
  const { tiles, queries, settle } = make();
  lines(tiles, FIRST - 10 * DAY, FIRST - 5 * DAY);
  await settle();
  assert.equal(queries.length, 0);
});

test("the store's part is the store's, and joins on", async () => {
  const { tiles, queries, settle } = make();
  const store = emptyStore();
  const n = Array.from({ length: 600 }, (_, i) => i + 1);
  store.merge(parseSeries({ t: n.map((i) => NOW - 60_000 + i * INTERVAL), sequence: n, columns: { a: { mean: n.map(() => 7), running: [] } } }));
  lines(tiles, NOW - 30_000, NOW, store);
  await settle();
  assert.equal(queries.length, 0, "the store has all of it");
  lines(tiles, NOW - 600_000, NOW, store);
  await settle();
  const { t, curves } = lines(tiles, NOW - 600_000, NOW, store);
  assert.ok(!curves[0]?.mean.includes(null), "no gap between the two");
  assert.equal(curves[0]?.mean.at(-1), 7);
  assert.ok((curves[0]?.mean[10] ?? 0) < 0);
  for (let i = 1; i < t.length; i++) assert.ok((t[i] ?? NaN) > (t[i - 1] ?? NaN));
});

test("a column that came to the store late is fetched for the time before", async () => {
  const { tiles, settle, queries } = make();
  const store = emptyStore();
  const n = Array.from({ length: 600 }, (_, i) => i + 1);
  const part = (from: number, to: number): Series => parseSeries({
    t: n.slice(from, to).map((i) => NOW - 60_000 + i * INTERVAL), sequence: n.slice(from, to),
    columns: { a: { mean: n.slice(from, to).map(() => 7), running: [] }, b: { mean: n.slice(from, to).map(() => 8), running: [] } },
  });
  store.merge(part(0, 400));
  store.addKeys(["b"]);
  store.merge(part(400, 600));
  const of = (column: string) => linesOf({ store, tiles, oldest: FIRST }, [column], null, { from: NOW - 60_000, to: NOW, pixels: 1000, interval: INTERVAL });
  of("b");
  await settle();
  assert.ok(queries.length > 0);
  const { t, curves } = of("b");
  assert.ok((t[0] ?? NaN) < NOW - 59_000);
  assert.ok((curves[0]?.mean[0] ?? 0) < 0 && curves[0]?.mean.at(-1) === 8);
});

test("where a part of the view is coarser than the rest, the lines say until when", async () => {
  const { tiles, settle } = make();
  const store = emptyStore();
  const border = FIRST + DAY;
  const all = (): ReturnType<typeof lines> => lines(tiles, border - 30_000, border + 30_000, store);
  all();
  await settle();
  assert.equal(all().coarse, null, "all of it alike");
  // As a server has it that keeps intervals from the border on.
  const kept = new Tiles({
    now: () => 0, latest: () => NOW, arrived: () => undefined,
    fetch: async (query) => answer({ ...query, points: (query.to ?? 0) <= border ? query.points / 10 : query.points }, NOW, null),
  });
  const wait = async (): Promise<void> => { while (kept.busy) await new Promise((resolve) => setTimeout(resolve, 5)); };
  lines(kept, border - 200_000, border + 200_000);
  await wait();
  const { t, coarse } = lines(kept, border - 200_000, border + 200_000);
  assert.ok(coarse !== null && coarse.resolution > 2.5 * 400, JSON.stringify(coarse));
  const steps = t.slice(1).map((at, i) => [at, at - (t[i] ?? NaN)] as const);
  assert.ok(steps.every(([at, step]) => at > coarse.until + coarse.resolution ? step < coarse.resolution : true), "behind that it is finer");
  assert.ok(Math.abs(coarse.until - border) < 200_000);
});

test("the present is fetched again when there is more of it", async () => {
  const { tiles, queries, settle, world } = make();
  lines(tiles, NOW - 10 * 60_000, NOW);
  await settle();
  const before = queries.length;
  lines(tiles, NOW - 10 * 60_000, NOW);
  await settle();
  assert.equal(queries.length, before);
  world.latest = NOW + 60_000;
  lines(tiles, NOW - 10 * 60_000 + 60_000, NOW + 60_000);
  await settle();
  const { t } = lines(tiles, NOW - 10 * 60_000 + 60_000, NOW + 60_000);
  assert.ok((t.at(-1) ?? NaN) > NOW + 50_000);
});

test("what was not whole when it was fetched is fetched again, and is drawn until then", async () => {
  const hole: [number, number] = [FIRST + 600_000, FIRST + 1_200_000];
  const options: { hole?: [number, number] } = { hole };
  const { tiles, queries, settle } = make(options);
  const draw = () => lines(tiles, FIRST, FIRST + 1_800_000).t;
  const inside = (t: number[]) => t.filter((at) => at > hole[0] + 20_000 && at < hole[1] - 20_000).length;
  draw();
  await settle();
  const before = draw();
  assert.ok(before.length > 100 && inside(before) <= 1, "a gap");
  assert.equal(tiles.busy, false, "all of it is there");
  delete options.hole;
  tiles.renew();
  assert.deepEqual(draw(), before, "what was there still is");
  await settle();
  assert.ok(inside(draw()) > 50, "and then the rest");
  assert.equal(tiles.busy, false, "once");
  // What is on its way when it is said is not whole either.
  tiles.renew();
  draw();
  const asked = queries.length;
  while (queries.length === asked) await new Promise((resolve) => setTimeout(resolve, 1));
  tiles.renew();
  await settle();
  draw();
  assert.equal(tiles.busy, true);
  await settle();
});

test("few requests at a time; the newest wish first; a failure is tried again later", async () => {
  let failing = true;
  const { tiles, queries, settle, world, most } = make({ fail: () => failing });
  for (let cpu = 0; cpu < 50; cpu++) tiles.cover(cpu, ["a"], 20, FIRST, FIRST + 1000);
  await settle();
  assert.ok(most() <= 4);
  assert.equal(queries.length, 50);
  assert.equal(queries[0]?.cpu, 49);
  tiles.cover(7, ["a"], 20, FIRST, FIRST + 1000);
  await settle();
  assert.equal(queries.length, 50, "not at once");
  failing = false;
  world.now += 60_000;
  tiles.cover(7, ["a"], 20, FIRST, FIRST + 1000);
  await settle();
  assert.equal(queries.length, 51);
  assert.equal(tiles.cover(7, ["a"], 20, FIRST, FIRST + 1000).length, 1);
});

test("memory is bounded, and what was looked at last stays", async () => {
  const { tiles, settle } = make();
  const columns = Array.from({ length: 200 }, (_, i) => "c" + i);
  for (let i = 0; i < 120; i++) {
    tiles.cover(i, columns, 15, FIRST, FIRST + 2 ** 15);
    if (i % 20 === 19) await settle();
  }
  await settle();
  assert.ok(tiles.numbers <= 12 << 20, `${tiles.numbers} numbers`);
  assert.ok(tiles.numbers > 6 << 20, "it was full");
  assert.ok(tiles.cover(119, columns, 15, FIRST, FIRST + 2 ** 15).length >= 1);
});

test("a level's points are no coarser than a pixel, and no finer than the intervals", () => {
  for (const [span, pixels] of [[60_000, 1300], [3_600_000, 1300], [3 * DAY, 400], [100, 1300]] as const) {
    const res = 2 ** levelFor(span, pixels, INTERVAL) / TILE_POINTS;
    assert.ok(res <= Math.max(INTERVAL, span / pixels) && res > Math.max(INTERVAL, span / pixels) / 2.001);
  }
});

test("an answer changes the version of those whose values it has, and of no others", async () => {
  const { tiles, settle } = make();
  const every = { every: "a", points: 64 };
  const versions = (): number[] => [null, 3, every].map((whose) => tiles.version(whose));
  assert.deepEqual(versions(), [0, 0, 0]);
  tiles.cover(null, ["a"], 20, NOW - DAY, NOW - DAY + 1);
  await settle();
  assert.deepEqual(versions(), [1, 0, 0]);
  tiles.cover(every, [], 20, NOW - DAY, NOW - DAY + 1);
  await settle();
  assert.deepEqual(versions(), [1, 0, 1]);
});
