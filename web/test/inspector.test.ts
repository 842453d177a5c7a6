// SPDX-License-Identifier: Apache-2.0
// The inspector's arithmetic and texts, without a browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axisOf, nearestPoint, place, pointsWithin, timeColour } from "../src/chart/scatter-scale";
import { csvOf } from "../src/data/csv";
import { filtered, heldStill, keyed, sorted, tableText } from "../src/data/process-table";
import { joinSpans, parseDoctor, parseProcesses, parseSpan } from "../src/data/wire-answers";
import { parseMeta } from "../src/data/wire";
import { splitCode } from "../src/lib/code";
import { formatSigned, formatTick, formatTime } from "../src/lib/format";
import { fileStem } from "../src/lib/handout";
import { Latest } from "../src/lib/latest";
import { signal } from "../src/lib/signal";
import { pointsOf } from "../src/panels/scatter";
import { moved, shortR } from "../src/panels/tab-relations";
import { formatDifference, unitOf } from "../src/panels/units";

const plain = (s: string): string => s.replaceAll("\u00a0", " ");
const HTML = "<img src=x onerror=alert(1)>";

test("time that was spent", () => {
  const cases: [number, string][] = [
    [0, "0 s"], [850, "850 ns"], [1500, "1.50 \u00b5s"], [12_345_678, "12.3 ms"], [1.2e9, "1.20 s"], [3.4e12, "3.40 ks"],
  ];
  for (const [ns, text] of cases) assert.equal(plain(formatTime(ns)), text);
  assert.deepEqual([0, 5e7, 1e8, 1.5e9].map((v) => formatTick(v, "time")), ["0", "50ms", "100ms", "1.5s"]);
});

test("a difference has a sign, and one of shares is in points", () => {
  assert.equal(formatSigned(0.5, String), "+0.5");
  assert.equal(formatSigned(-0.5, String), "\u22120.5");
  assert.equal(formatSigned(0, String), "0");
  assert.equal(formatSigned(-0.001, (v) => v.toFixed(2)), "0.00");
  assert.equal(formatSigned(null, String), "\u2014");
  assert.equal(plain(formatDifference(0.167, "share")), "16.7 pp");
});

test("units of columns", () => {
  const [a, b, c, d, e] = parseMeta({ columns: [
    { id: "a", kind: "count", unit: "" }, { id: "b", kind: "gauge", unit: "ns" }, { id: "c", kind: "metric", unit: "share" },
    { id: "d", kind: "metric", unit: "per second" }, { id: "e", kind: "metric", unit: "GHz" },
  ] }).columns;
  assert.deepEqual([a, b, c, d, e].map(unitOf), ["count", "time", "share", "rate", "ratio"]);
});

test("commands between backquotes", () => {
  assert.deepEqual(splitCode("on the host: `qemu -cpu host`, or `x`"), [
    { code: false, text: "on the host: " }, { code: true, text: "qemu -cpu host" }, { code: false, text: ", or " }, { code: true, text: "x" },
  ]);
  assert.deepEqual(splitCode("a ` alone"), [{ code: false, text: "a ` alone" }]);
  assert.deepEqual(splitCode(""), []);
});

test("axes end on round numbers around the values", () => {
  assert.deepEqual(axisOf([0.7, 1.3], 4), { low: 0.6, high: 1.4, ticks: [0.6, 0.8, 1, 1.2, 1.4] });
  const big = axisOf([2.1e8, 3.9e8], 5);
  assert.ok(big.low <= 2.1e8 && big.high >= 3.9e8);
  assert.deepEqual(axisOf([], 4).ticks, [0, 1]);
  const one = axisOf([5, 5], 4);
  assert.ok(one.low < 5 && one.high > 5);
  const zero = axisOf([0], 4);
  assert.ok(zero.low < 0 && zero.high > 0);
  assert.equal(place({ low: 10, high: 20, ticks: [] }, 15), 0.5);
});

test("points under the pointer and in a rectangle", () => {
  const places = [{ x: 10, y: 10 }, { x: 20, y: 20 }, { x: 30, y: 10 }];
  assert.equal(nearestPoint(places, 19, 19, 5), 1);
  assert.equal(nearestPoint(places, 100, 100, 5), -1);
  assert.deepEqual(pointsWithin(places, { x0: 35, y0: 15, x1: 5, y1: 5 }), [0, 2], "from any corner");
});

test("time as colour is monotonic in green, and ends where it should", () => {
  assert.equal(timeColour(0), "rgb(72 36 117)");
  assert.equal(timeColour(1), "rgb(189 223 38)");
  assert.equal(timeColour(9), timeColour(1));
  const green = Array.from({ length: 50 }, (_, i) => Number(timeColour(i / 49).split(" ")[1]));
  assert.ok(green.every((g, i) => i === 0 || g >= (green[i - 1] ?? 0)));
});

test("points are where both columns have a value", () => {
  const c = (mean: (number | null)[]) => ({ mean, running: [] }) as never;
  const series = { t: [1, 2, 3], sequence: [1, 2, 3], perBucket: 1, columns: { a: c([1, null, 3]), b: c([4, 5, 6]) } } as never;
  assert.deepEqual(pointsOf(series, "a", "b"), [{ t: 1, x: 1, y: 4 }, { t: 3, x: 3, y: 6 }]);
  assert.deepEqual(pointsOf(series, "a", "other"), []);
});

test("r in three characters, and no r as a dash", () => {
  assert.deepEqual([0.424, -0.42, 1, -1, 0.999, 0, -0.001, null].map(shortR), [".42", "\u2212.42", "1", "\u22121", "1", ".00", ".00", "\u2014"]);
});

test("keys in the matrix stay in it", () => {
  assert.deepEqual(moved("ArrowLeft", { row: 0, column: 0 }, 3), { row: 0, column: 0 });
  assert.deepEqual(moved("ArrowDown", { row: 1, column: 2 }, 3), { row: 2, column: 2 });
  assert.deepEqual(moved("End", { row: 1, column: 0 }, 3), { row: 1, column: 2 });
  assert.equal(moved("x", { row: 0, column: 0 }, 3), null);
});

const row = (pid: number, cpuTimeMs: number, comm = "p" + pid) =>
  ({ pid, comm, cpuTimeMs, share: cpuTimeMs / 1000, firstSeen: null, lastSeen: null, born: false, ended: false });

test("processes: sorted, filtered, and told apart by name", () => {
  const rows = keyed([row(3, 5), row(1, 50), row(2, 5), row(1, 7, "before exec"), row(1, 1, "before exec")]);
  assert.equal(new Set(rows.map((r) => r.key)).size, rows.length);
  assert.deepEqual(sorted(rows, { key: "cpu", descending: true }).map((r) => r.cpuTimeMs), [50, 7, 5, 5, 1]);
  assert.deepEqual(sorted(rows, { key: "cpu", descending: true }).map((r) => r.pid).slice(2, 4), [2, 3], "ties by PID");
  assert.deepEqual(sorted(rows, { key: "pid", descending: false }).map((r) => r.pid), [1, 1, 1, 2, 3]);
  assert.deepEqual(filtered(rows, " EXEC ").length, 2);
  assert.deepEqual(filtered(rows, "3").map((r) => r.pid), [3]);
});

test("an order that is held: new values, old places, newcomers last, the gone stay", () => {
  const before = sorted(keyed([row(1, 30), row(2, 20), row(3, 10)]), { key: "cpu", descending: true });
  const now = sorted(keyed([row(3, 99), row(1, 1), row(4, 50)]), { key: "cpu", descending: true });
  const held = heldStill(before, now);
  assert.deepEqual(held.map((r) => r.pid), [1, 2, 3, 4]);
  assert.deepEqual(held.map((r) => r.gone), [false, true, false, false]);
  assert.equal(held[2]?.cpuTimeMs, 99);
});

test("the copied table has a line for each row, whatever the names are", () => {
  const text = tableText(keyed([row(1, 5, "a\tb\nc"), row(2, 6, HTML)]));
  const lines = text.split("\n").slice(0, -1);
  assert.equal(lines.length, 3);
  assert.ok(lines.every((l) => l.split("\t").length === 5));
});

test("samples as CSV: absent is empty, and what was estimated says so", () => {
  const csv = csvOf([
    { timestamp: 1000, seconds: 0.1, sequence: 1, cycles: 5, cpi: null, quality: { cycles: "scaled 75" } },
    { timestamp: 1100, seconds: 0.1, sequence: 2, cycles: 6, cpi: 1.5 },
    { timestamp: 2000, seconds: 1, sequence: null, resolution_ms: 1000, cycles: 70, cpi: 1.5 },
    {}, "nonsense",
  ]);
  assert.equal(csv, "timestamp,seconds,cycles,cpi,cycles_running\n1000,0.1,5,,75\n1100,0.1,6,1.5,100\n2000,1,70,1.5,100\n");
});

test("file names from whatever a machine is called", () => {
  const t = new Date(2026, 10, 22, 7, 5, 9).getTime();
  assert.equal(fileStem("work.bench-1", t), "work.bench-1-20261122-070509");
  assert.match(fileStem("../../" + HTML, t), /^[A-Za-z0-9._-]+$/);
  assert.match(fileStem("", t), /^cyclescope-/);
});

test("answers: what is missing is null, what is nonsense does no harm", () => {
  const span = parseSpan({
    from: 1, to: 2, resolution_ms: 100, buckets: 3, columns: { a: { n: 3, mean: 2, stderr: null, p50: "x" }, b: 7 },
    correlation: { columns: ["a", "b"], r: [[1, null], "x"], n: [[3, 3]] },
  });
  assert.equal(span.columns["a"]?.mean, 2);
  assert.equal(span.columns["a"]?.p50, null);
  assert.equal(span.columns["b"]?.mean, null);
  assert.deepEqual(span.correlation.r, [[1, null], [null, null]]);
  assert.deepEqual(joinSpans([span, parseSpan({ columns: { c: { mean: 9 } } })]).columns["c"]?.mean, 9);
  for (const bad of [null, 7, "x", [], { columns: [] }]) assert.equal(parseSpan(bad).buckets, 0);
  assert.deepEqual(parseProcesses({ processes: [{ pid: 1, comm: HTML }, { comm: "no pid" }, null] }).processes.map((p) => p.comm), [HTML]);
  assert.deepEqual(parseDoctor({ checks: [{ name: "x", status: "odd" }] }).checks[0]?.status, "unknown");
  assert.equal(parseMeta({}).history, null);
  assert.deepEqual(parseMeta({ history: { state: "ok", tiers: [{ resolution_ms: 100, first: null }, {}] } }).history?.tiers.length, 1);
});

test("Latest: one request at a time, and of the questions meanwhile only the newest", async () => {
  const asked: number[] = [];
  const answered: number[] = [];
  const release: (() => void)[] = [];
  const latest = new Latest<number, number>(
    (q) => new Promise((resolve) => { asked.push(q); release.push(() => resolve(q)); }), (q) => answered.push(q), 0);
  latest.want(1);
  latest.want(2);
  latest.want(3);
  assert.deepEqual(asked, [1]);
  release[0]?.();
  await new Promise((r) => setTimeout(r, 5));
  assert.deepEqual(asked, [1, 3]);
  latest.stop();
  release[1]?.();
  await new Promise((r) => setTimeout(r, 5));
  assert.deepEqual(answered, [1], "nothing is answered after the end");
});

test("Latest: an error is told, and the next question asked", async () => {
  const seen: unknown[] = [];
  const latest = new Latest<number, number>(
    (q) => (q === 1 ? Promise.reject(new Error("no")) : Promise.resolve(q)), (q, answer, error) => seen.push([q, answer, error instanceof Error]), 0);
  latest.want(1);
  await new Promise((r) => setTimeout(r, 5));
  latest.want(2);
  await new Promise((r) => setTimeout(r, 5));
  assert.deepEqual(seen, [[1, null, true], [2, 2, false]]);
});

test("a listener that left is not told", () => {
  const s = signal(1);
  const seen: number[] = [];
  const leave = s.watch((v) => seen.push(v));
  s.set(2);
  leave();
  s.set(3);
  assert.deepEqual(seen, [1, 2]);
});
