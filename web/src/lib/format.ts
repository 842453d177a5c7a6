// SPDX-License-Identifier: Apache-2.0
// Numbers and times as text. A formatter carries its unit, and keeps the number of digits steady, so that a value that
// changes ten times a second does not change its width with every update.

/** What a column's values mean, and so how they are written. */
export type Unit = "count" | "rate" | "share" | "ratio" | "time";

/** Between a number and its unit: never broken over two lines. */
const NBSP = "\u00a0";
export const NOTHING = "\u2014";

const PREFIXES = ["", "k", "M", "G", "T", "P", "E"] as const;

interface Scaled {
  value: number;
  prefix: string;
}

function scale(value: number): Scaled {
  let v = value;
  let i = 0;
  // 999.5 and above would be rounded to "1000", which is 1.00 of the next prefix.
  while (Math.abs(v) >= 999.5 && i < PREFIXES.length - 1) {
    v /= 1000;
    i++;
  }
  return { value: v, prefix: PREFIXES[i] ?? "" };
}

function threeDigits(v: number): string {
  const a = Math.abs(v);
  return v.toFixed(a >= 99.95 ? 0 : a >= 9.995 ? 1 : 2);
}

/** A count with an SI prefix and three significant digits: `201 M`, `1.35 k`; whole numbers below 1000 as they are. */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return NOTHING;
  const s = scale(value);
  if (s.prefix === "") return Number.isInteger(value) ? String(value) : threeDigits(value);
  return threeDigits(s.value) + NBSP + s.prefix;
}

/** A rate per second: `12.3 k/s`, `50.0 /s` (a measured rate is whole only by chance: its digits do not come and go). */
export function formatRate(value: number): string {
  if (!Number.isFinite(value)) return NOTHING;
  const s = scale(value);
  return (value === 0 ? "0" : threeDigits(s.value)) + NBSP + s.prefix + "/s";
}

/** A share from 0 to 1 as percent: `3.12 %`, `45.1 %`, `100 %`. */
export function formatShare(share: number): string {
  if (!Number.isFinite(share)) return NOTHING;
  return threeDigits(share * 100) + NBSP + "%";
}

const BELOW_SECOND = ["ns", "\u00b5s", "ms"] as const;

/** Nanoseconds in the unit that fits. */
function spent(ns: number): { value: number; unit: string } {
  let value = ns;
  for (const unit of BELOW_SECOND) {
    if (Math.abs(value) < 999.5) return { value, unit };
    value /= 1000;
  }
  const s = scale(value);
  return { value: s.value, unit: s.prefix + "s" };
}

/** Time that was spent, from nanoseconds: `850 ns`, `12.3 ms`, `1.20 s`, `3.40 ks`. */
export function formatTime(ns: number): string {
  if (!Number.isFinite(ns)) return NOTHING;
  if (ns === 0) return "0" + NBSP + "s";
  const { value, unit } = spent(ns);
  return (unit === "ns" && Number.isInteger(value) ? String(value) : threeDigits(value)) + NBSP + unit;
}

/** A ratio such as CPI: `1.014`. */
export function formatRatio(value: number): string {
  if (!Number.isFinite(value)) return NOTHING;
  const a = Math.abs(value);
  return value.toFixed(a >= 99.95 ? 1 : a >= 9.995 ? 2 : 3);
}

export function formatValue(value: number | null, unit: Unit): string {
  if (value === null) return NOTHING;
  switch (unit) {
    case "count": return formatCount(value);
    case "rate": return formatRate(value);
    case "share": return formatShare(value);
    case "ratio": return formatRatio(value);
    case "time": return formatTime(value);
  }
}

/** A difference: with its sign, also a plus. A true minus, not a hyphen. What is written as zero has none. */
export function formatSigned(value: number | null, format: (magnitude: number) => string): string {
  if (value === null || !Number.isFinite(value)) return NOTHING;
  const text = format(Math.abs(value));
  return (!/[1-9]/.test(text) ? "" : value < 0 ? "\u2212" : "+") + text;
}

/** A tick of an axis: as short as possible, because ticks are round numbers. */
export function formatTick(value: number, unit: Unit): string {
  if (unit === "share") return String(Number((value * 100).toPrecision(4))) + "%";
  if (unit === "time" && value !== 0) {
    const t = spent(value);
    return Number(t.value.toPrecision(4)) + t.unit;
  }
  const s = scale(value);
  const text = String(Number(s.value.toPrecision(4)));
  return s.prefix === "" ? text : text + s.prefix;
}

const DAY_MS = 86_400_000;

function two(n: number): string {
  return n < 10 ? "0" + n : String(n);
}

/** Local time of day, 24 hours; with milliseconds where asked for. */
export function formatClock(ms: number, millis = false): string {
  const d = new Date(ms);
  const text = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
  return millis ? text + "." + String(d.getMilliseconds()).padStart(3, "0") : text;
}

/** The local date before a time that is not today's: `2026-11-21 `; nothing for today's. */
export function formatDay(ms: number, now = Date.now()): string {
  const d = new Date(ms);
  return d.toDateString() === new Date(now).toDateString() ? ""
    : `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} `;
}

/** `23:51:39 – 23:52:12`, with the date of each end that the reader would otherwise take for another day's. */
export function formatRange(from: number, to: number, millis = false, now = Date.now()): string {
  const first = formatDay(from, now);
  const last = new Date(from).toDateString() === new Date(to).toDateString() ? "" : formatDay(to, 0);
  return `${first}${formatClock(from, millis)} \u2013 ${last}${formatClock(to, millis)}`;
}

/** Labels of a time axis whose ticks are `increment` ms apart: no more digits than tell two ticks apart. */
export function formatTimeTick(tick: number, increment: number): string {
  // Ticks are added up, and some are a millisecond beside what they mean: 15:59:59.999 is 16:00.
  const digit = increment >= 1000 ? 1000 : increment >= 100 ? 100 : increment >= 10 ? 10 : 1;
  const ms = Math.round(tick / digit) * digit;
  if (increment >= DAY_MS) return formatDay(ms, 0).trim();
  const d = new Date(ms);
  if (increment >= 3_600_000 && d.getHours() === 0 && d.getMinutes() === 0) return formatDay(ms, 0).trim();
  if (increment >= 60_000) return formatClock(ms).slice(0, 5);
  if (increment >= 1000) return formatClock(ms);
  const text = formatClock(ms, true);
  return increment >= 100 ? text.slice(0, -2) : increment >= 10 ? text.slice(0, -1) : text;
}

/** A length of time in its two largest units: `100 ms`, `10 s`, `1 min 5 s`, `2 h 3 min`, `3 d 7 h`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return NOTHING;
  if (ms < 1000) return Number(ms.toPrecision(3)) + NBSP + "ms";
  if (ms < 9950) return Number((ms / 1000).toFixed(1)) + NBSP + "s";
  const s = Math.round(ms / 1000);
  if (s < 60) return s + NBSP + "s";
  const m = Math.floor(s / 60);
  if (m < 60) return m + NBSP + "min" + (s % 60 ? NBSP + (s % 60) + NBSP + "s" : "");
  const h = Math.floor(m / 60);
  if (h >= 48) return Math.floor(h / 24) + NBSP + "d" + (h % 24 ? NBSP + (h % 24) + NBSP + "h" : "");
  return h + NBSP + "h" + (m % 60 ? NBSP + (m % 60) + NBSP + "min" : "");
}

export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return NOTHING;
  const units = ["B", "KiB", "MiB", "GiB"];
  let v = bytes;
  let i = 0;
  while (v >= 1024 && i < units.length - 1) {
    v /= 1024;
    i++;
  }
  return (i === 0 ? String(v) : threeDigits(v)) + NBSP + (units[i] ?? "");
}
