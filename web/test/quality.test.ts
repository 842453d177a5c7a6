// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMeta, parseQuality, parseSample } from "../src/data/wire";
import { isAbsent, isCounted, sharedReasons } from "../src/panels/quality";

test("a reason that all columns share is said once, without their names", () => {
  const meta = parseMeta({ columns: [
    { id: "cycles", name: "cycles", quality: "not supported", why: "cycles: no such counter" },
    { id: "cache_misses", name: "cache-misses", quality: "not supported", why: "cache-misses: no such counter" },
    { id: "cpi", name: "CPI", quality: "not supported", why: "needs cycles: cycles: no such counter" },
    { id: "branches", name: "branches", quality: "denied", why: "Ask: root may do it." },
  ] });
  assert.equal(sharedReasons(meta.columns, meta), "no such counter. Ask: root may do it.");
  assert.equal(sharedReasons([undefined], meta), "Not in what was measured.");
  assert.ok(meta.columns.every(isAbsent));
});

test("gauges, and what comes of them alone, wait for no counter", () => {
  const meta = parseMeta({ columns: [
    { id: "cycles", kind: "count" }, { id: "cpu_idle", kind: "gauge" }, { id: "cpu_use", kind: "metric", inputs: ["cpu_idle"] },
    { id: "ghz", kind: "metric", inputs: ["cycles"] }, { id: "watts", kind: "metric", inputs: ["energy"] }, { id: "other", kind: "metric" },
  ] });
  assert.deepEqual(meta.columns.filter((c) => !isCounted(c, meta)).map((c) => c.id), ["cpu_idle", "cpu_use"]);
});

test("qualities", () => {
  assert.deepEqual(parseQuality("scaled 75"), { kind: "scaled", running: 75 });
  assert.deepEqual(parseQuality("exact"), { kind: "exact", running: 100 });
  for (const word of ["never ran", "not supported", "denied", "offline"]) assert.deepEqual(parseQuality(word), { kind: word, running: 0 });
  assert.equal(parseQuality("some new word").kind, "never ran");
});

test("whatever JSON comes, the wire's types come out", () => {
  for (const bad of [null, 1, "x", [], {}, { columns: 1, cpus: [], health: null, notes: [1, null], input: "x" }]) {
    const meta = parseMeta(bad);
    assert.equal(meta.intervalMs, 100);
    assert.deepEqual(meta.columns, []);
    assert.equal(parseSample(bad), null);
  }
  const sample = parseSample({ timestamp: 1, sequence: 2, a: "3", b: null, c: 4, __proto__: { d: 5 } });
  assert.deepEqual({ ...sample?.values }, { a: null, b: null, c: 4 });
});
