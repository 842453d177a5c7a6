// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMeta } from "../src/data/wire";
import { HEAT_TRACK, defaultTracks } from "../src/panels/table";
import { add, canJoin, move, removeColumn } from "../src/panels/track-choice";
import { isLog, lineSpec, parseTrack, trackColumns, trackOf, tracksFor, withAxis } from "../src/panels/tracks";

const meta = parseMeta({
  columns: [
    { id: "cycles", name: "cycles", kind: "count", unit: "" }, { id: "branches", name: "branches", kind: "count", unit: "" },
    { id: "cpu_user", name: "cpu-user", kind: "gauge", unit: "ns" },
    { id: "ghz", name: "Cycles per second", kind: "metric", unit: "GHz" },
    { id: "watts_pkg", name: "Package", kind: "metric", unit: "W" },
    { id: "cache_miss_rate", name: "Cache-miss rate", kind: "metric", unit: "share" },
  ],
});

test("null is the default tracks, and each has its id", () => {
  const ids = defaultTracks(meta);
  assert.deepEqual(tracksFor(null, meta).map((t) => t.id), ids.filter((id) => id !== HEAT_TRACK));
  assert.deepEqual(tracksFor(ids, meta).map((t) => t.id), tracksFor(null, meta).map((t) => t.id));
});

test("a count that no default track is drawn from is one by itself, as far as there is room", () => {
  assert.deepEqual(defaultTracks(meta).filter((id) => id.startsWith("col:")), ["col:branches"]);
  const many = parseMeta({ columns: [
    ...["cache_references", "cache_misses", "e1", "e2", "e3", "e4", "e5"].map((id) => ({ id, kind: "count" })),
    { id: "absent", kind: "count", quality: "not supported" }, { id: "cpu_user", kind: "gauge" },
    { id: "cache_miss_rate", kind: "metric", inputs: ["cache_misses", "cache_references"] },
  ] });
  assert.deepEqual(defaultTracks(many).filter((id) => id.startsWith("col:")), ["col:e1", "col:e2", "col:e3", "col:e4"]);
});

test("the CPUs that tasks utilize are a default track where they are measured, and only there", () => {
  const ofTasks = parseMeta({ columns: [{ id: "cpus_utilized", name: "CPUs utilized", kind: "metric", unit: "CPUs" }] });
  assert.ok(defaultTracks(ofTasks).includes("tasks-cpu"));
  assert.ok(!defaultTracks(meta).includes("tasks-cpu") && !defaultTracks(null).includes("tasks-cpu"));
});

test("chosen columns become a track with their unit", () => {
  const [counts, time, share] = tracksFor(["col:cycles+branches", "col:cpu_user", "col:cache_miss_rate"], meta);
  assert.equal(counts?.title, "cycles, branches");
  assert.equal(counts?.unit, "count");
  assert.deepEqual(counts?.series.map((s) => s.column), ["cycles", "branches"]);
  assert.notEqual(counts?.series[0]?.colour, counts?.series[1]?.colour);
  assert.equal(time?.unit, "time");
  assert.equal(share?.unit, "share");
  assert.equal(counts?.subtitle(100), "per 100\u00a0ms");
});

test("axes: a suffix, only where it differs from the default", () => {
  assert.equal(withAxis("col:cycles", true), "col:cycles:log");
  assert.equal(withAxis("col:cycles:log", false), "col:cycles");
  assert.equal(withAxis("software", false), "software:lin");
  assert.equal(withAxis("software:lin", true), "software");
  assert.ok(isLog("software") && !isLog("software:lin") && !isLog("cpi") && isLog("cpi:log"));
  const specs = tracksFor(["cpi:log", "software:lin", "col:cycles:log"], meta);
  assert.deepEqual(specs.map((s) => s.scale), ["log", "auto", "log"]);
  assert.match(specs[0]?.subtitle(100) ?? "", /logarithmic$/);
  assert.doesNotMatch(specs[1]?.subtitle(100) ?? "", /logarithmic/);
  assert.deepEqual(specs.map((s) => s.id), ["cpi:log", "software:lin", "col:cycles:log"], "a changed axis is another id");
});

test("what is no track is left out; what comes twice is once", () => {
  for (const bad of ["", "nonsense", "col:", "col:a+", "col:<img>", "col:a b", "col:a+b+c+d+e+f", "cpi:sqrt"]) {
    assert.equal(parseTrack(bad), null, bad);
  }
  assert.deepEqual(tracksFor(["cpi", "nonsense", "cpi:log", "cpi"], meta).map((t) => t.id), ["cpi"]);
});

test("the columns of a track are known from its id", () => {
  assert.deepEqual(trackColumns("col:cycles+branches:log"), ["cycles", "branches"]);
  assert.deepEqual(trackColumns("miss-rates:log"), ["cache_miss_rate", "branch_miss_rate"]);
  assert.deepEqual(trackColumns("nonsense"), []);
});

test("the heatmap is a track, but none of lines", () => {
  assert.deepEqual(parseTrack("cpus"), { base: "cpus", columns: [], axis: null });
  assert.equal(lineSpec("cpus", meta.columns), undefined);
  assert.equal(parseTrack("cpus:log"), null);
});

test("a column that this server does not have keeps its place", () => {
  const [spec] = tracksFor(["col:from_elsewhere"], meta);
  assert.equal(spec?.title, "from_elsewhere");
});

test("columns join tracks of their own unit only", () => {
  assert.ok(canJoin("col:cycles", "branches", meta));
  assert.ok(!canJoin("col:cycles", "cycles", meta), "it is in it");
  assert.ok(!canJoin("col:ghz", "watts_pkg", meta), "both are plain ratios, of other units");
  assert.ok(!canJoin("col:cycles", "cpu_user", meta));
  assert.ok(!canJoin("cycles", "branches", meta), "a default track is as it is");
  assert.deepEqual(add(["cpi", "col:cycles:log"], "branches", "col:cycles:log"), ["cpi", "col:cycles+branches:log"]);
  assert.deepEqual(add(["cpi"], "branches", null), ["cpi", "col:branches"]);
  assert.deepEqual(add(["col:branches:log"], "branches", null), ["col:branches:log"], "it is there already");
});

test("rearranging and removing", () => {
  assert.deepEqual(move(["a", "b", "c"], 0, 2), ["b", "c", "a"]);
  assert.deepEqual(move(["a", "b", "c"], 2, 0), ["c", "a", "b"]);
  assert.deepEqual(move(["a", "b"], 0, 9), ["b", "a"]);
  assert.deepEqual(removeColumn(["cpi", "col:a+b:log"], "col:a+b:log", "a"), ["cpi", "col:b:log"]);
  assert.deepEqual(removeColumn(["cpi", "col:a"], "col:a", "a"), ["cpi"]);
  assert.equal(trackOf(["a", "b"], "log"), "col:a+b:log");
});
