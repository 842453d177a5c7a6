// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatBytes, formatClock, formatCount, formatDuration, formatRate, formatRange, formatRatio, formatShare, formatTick, formatTimeTick,
  formatValue,
} from "../src/lib/format";

const plain = (s: string): string => s.replaceAll("\u00a0", " ");

test("counts have SI prefixes and three digits", () => {
  const cases: [number, string][] = [
    [0, "0"], [7, "7"], [999, "999"], [1000, "1.00 k"], [1234, "1.23 k"], [12_345, "12.3 k"], [123_456, "123 k"],
    [999_499, "999 k"], [999_500, "1.00 M"], [201_023_311, "201 M"], [2.5e18, "2.50 E"], [0.25, "0.25"], [-1500, "-1.50 k"],
  ];
  for (const [value, text] of cases) assert.equal(plain(formatCount(value)), text);
});

test("a rate says per second", () => {
  assert.equal(plain(formatRate(0)), "0 /s");
  assert.equal(plain(formatRate(12_300)), "12.3 k/s");
  assert.equal(plain(formatRate(50)), "50.0 /s");
  assert.equal(plain(formatRate(49.998)), "50.0 /s");
});

test("shares are percents", () => {
  assert.equal(plain(formatShare(0)), "0.00 %");
  assert.equal(plain(formatShare(0.03123)), "3.12 %");
  assert.equal(plain(formatShare(0.451)), "45.1 %");
  assert.equal(plain(formatShare(1)), "100 %");
});

test("ratios keep their digits", () => {
  assert.equal(formatRatio(1.0135), "1.014");
  assert.equal(formatRatio(12.345), "12.35");
  assert.equal(formatRatio(250), "250.0");
});

test("what is missing is a dash, never 0", () => {
  for (const unit of ["count", "rate", "share", "ratio"] as const) assert.equal(formatValue(null, unit), "\u2014");
  assert.equal(formatCount(NaN), "\u2014");
});

test("ticks are short", () => {
  assert.equal(formatTick(2_500_000, "count"), "2.5M");
  assert.equal(formatTick(0, "count"), "0");
  assert.equal(formatTick(0.15000000000000002, "share"), "15%");
  assert.equal(formatTick(1.5, "ratio"), "1.5");
});

test("durations", () => {
  const cases: [number, string][] = [
    [100, "100 ms"], [1, "1 ms"], [1000, "1 s"], [2500, "2.5 s"], [10_000, "10 s"], [60_000, "1 min"], [65_000, "1 min 5 s"],
    [3_600_000, "1 h"], [7_380_000, "2 h 3 min"], [172_800_000, "2 d"], [284_400_000, "3 d 7 h"],
  ];
  for (const [ms, text] of cases) assert.equal(plain(formatDuration(ms)), text);
});

test("clock and time ticks", () => {
  const t = new Date(2026, 10, 22, 7, 5, 9, 40).getTime();
  assert.equal(formatClock(t), "07:05:09");
  assert.equal(formatClock(t, true), "07:05:09.040");
  assert.equal(formatTimeTick(t, 60_000), "07:05");
  assert.equal(formatTimeTick(t, 5000), "07:05:09");
  assert.equal(formatTimeTick(t, 100), "07:05:09.0");
  assert.equal(formatTimeTick(t, 10), "07:05:09.04");
  const almost = new Date(2026, 10, 22, 7, 16, 50, 999).getTime();
  assert.equal(formatTimeTick(almost, 500), "07:16:51.0");
  assert.equal(formatTimeTick(almost, 1000), "07:16:51");
});

test("bytes", () => {
  assert.equal(plain(formatBytes(512)), "512 B");
  assert.equal(plain(formatBytes(3_000_000)), "2.86 MiB");
});

test("a range of time says the date of each end that is not today's", () => {
  const at = (day: number, hour: number): number => new Date(2026, 10, day, hour, 5, 9).getTime();
  const now = at(22, 20);
  assert.equal(formatRange(at(22, 10), at(22, 11), false, now), "10:05:09 \u2013 11:05:09");
  assert.equal(formatRange(at(19, 10), at(19, 11), false, now), "2026-11-19 10:05:09 \u2013 11:05:09");
  assert.equal(formatRange(at(19, 10), at(22, 11), false, now), "2026-11-19 10:05:09 \u2013 2026-11-22 11:05:09");
  assert.equal(formatRange(at(22, 10), at(22, 10) + 1500, true, now), "10:05:09.000 \u2013 10:05:10.500");
});
