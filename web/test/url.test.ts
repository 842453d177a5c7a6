// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeView, encodeView, type PageView } from "../src/data/url";

const NOTHING: PageView = { span: null, end: null, tracks: null, cpu: null, heat: null, selection: null, held: null, theme: null };
const T = 1_763_830_000_000;

test("what is nothing special is no hash, and the other way round", () => {
  assert.equal(encodeView(NOTHING), "");
  for (const hash of ["", "#", "#x", "#a=b&c"]) assert.deepEqual(decodeView(hash), NOTHING, hash);
});

test("every part comes back as it was", () => {
  const views: Partial<PageView>[] = [
    { span: 600_000 }, { span: 1234, end: T }, { tracks: ["cycles", "col:cpu_use"] }, { tracks: ["cpi"] }, { cpu: 0 }, { cpu: 511 },
    { heat: "cpu_use" }, { selection: { from: T, to: T + 1 } }, { held: { from: T - 5000, to: T } }, { theme: "dark" }, { theme: "auto" },
    {
      span: 60_000, end: T, tracks: ["a", "b"], cpu: 3, heat: "cycles", theme: "light",
      selection: { from: T - 50_000, to: T - 40_000 }, held: { from: T - 30_000, to: T - 20_000 },
    },
  ];
  for (const view of views) {
    const hash = encodeView({ ...NOTHING, ...view });
    assert.match(hash, /^#/);
    assert.deepEqual(decodeView(hash), { ...NOTHING, ...view }, hash);
  }
});

test("times are whole milliseconds", () => {
  const hash = encodeView({ ...NOTHING, span: 1000.4, end: T + 0.3, selection: { from: T + 0.6, to: T + 10.2 } });
  assert.deepEqual(decodeView(hash).selection, { from: T + 1, to: T + 10 });
  assert.equal(decodeView(hash).end, T);
});

test("what is not in order is left out, the rest is taken", () => {
  const bad = [
    "#from=5&to=5", "#from=9&to=3", "#from=x&to=3", "#to=3", "#from=1e3&to=2e3", "#from=-5&to=5", "#span=0", "#span=-1", "#span=NaN",
    "#span=99999999999999999999", "#sel=5", "#sel=5-", "#sel=9-3", "#sel=1-2-3", "#held=a-b", "#cpu=-1", "#cpu=1.5", "#cpu=99999", "#cpu=",
    "#heat=", "#heat=<img>", "#heat=" + "a".repeat(200), "#tracks=", "#tracks=a,,b", "#tracks=<b>", "#tracks=" + Array(70).fill("a").join(","),
    "#theme=pink", "#theme=",
  ];
  for (const hash of bad) assert.deepEqual(decodeView(hash), NOTHING, hash);
  assert.deepEqual(decodeView("#cpu=x&heat=cpi&sel=2-1"), { ...NOTHING, heat: "cpi" });
});

test("a track is there once", () => {
  assert.deepEqual(decodeView("#tracks=a,b,a").tracks, ["a", "b"]);
});
