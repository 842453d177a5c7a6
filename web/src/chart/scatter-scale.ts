// SPDX-License-Identifier: Apache-2.0
// Arithmetic of the scatter plot: round ends and ticks of an axis, the nearest point, the points in a rectangle.

export interface Axis {
  low: number;
  high: number;
  ticks: number[];
}

export interface Point {
  t: number;
  x: number;
  y: number;
}

export interface Rect {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/** Ends on round numbers around the values; about `wish` ticks. A single value gets room on both sides. */
export function axisOf(values: readonly number[], wish: number): Axis {
  let low = Infinity;
  let high = -Infinity;
  for (const v of values) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  if (!(low <= high)) return { low: 0, high: 1, ticks: [0, 1] };
  if (low === high) {
    const room = low === 0 ? 1 : Math.abs(low) / 10;
    low -= room;
    high += room;
  }
  const raw = (high - low) / Math.max(1, wish);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 2.5, 5, 10].find((s) => s * power >= raw * (1 - 1e-9)) ?? 10) * power;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  // 3 × 0.1 is 0.30000000000000004, and would be labelled so.
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  return { low: ticks[0] ?? low, high: ticks.at(-1) ?? high, ticks };
}

/** Share of the axis at which a value lies, 0 to 1. */
export function place(axis: Axis, value: number): number {
  return (value - axis.low) / (axis.high - axis.low);
}

/** Index of the point nearest to a place, in pixels and not farther than `within`; -1: none. */
export function nearestPoint(
  places: readonly { x: number; y: number }[], x: number, y: number, within: number,
): number {
  let best = -1;
  let least = within ** 2;
  places.forEach((p, i) => {
    const d = (p.x - x) ** 2 + (p.y - y) ** 2;
    if (d <= least) {
      least = d;
      best = i;
    }
  });
  return best;
}

/** Indices of the places within a rectangle, whichever corner it was begun at. */
export function pointsWithin(places: readonly { x: number; y: number }[], rect: Rect): number[] {
  const [left, right] = [Math.min(rect.x0, rect.x1), Math.max(rect.x0, rect.x1)];
  const [top, bottom] = [Math.min(rect.y0, rect.y1), Math.max(rect.y0, rect.y1)];
  return places.flatMap((p, i) => (p.x >= left && p.x <= right && p.y >= top && p.y <= bottom ? [i] : []));
}

/**
 * Viridis (Smith and van der Walt, 2015) at nine places: even steps of lightness, and told apart with any colour vision. The
 * darkest and the lightest end are left out: one would vanish on a dark page, the other on a light one.
 */
const TIME_COLOURS = [
  [72, 36, 117], [65, 68, 135], [53, 95, 141], [42, 120, 142], [33, 145, 140], [34, 168, 132], [68, 191, 112], [122, 209, 81], [189, 223, 38],
] as const;

/** Colour of a time, from 0 (the span's begin) to 1 (its end). */
export function timeColour(share: number): string {
  const at = Math.min(1, Math.max(0, share)) * (TIME_COLOURS.length - 1);
  const i = Math.min(TIME_COLOURS.length - 2, Math.floor(at));
  const a = TIME_COLOURS[i] ?? TIME_COLOURS[0];
  const b = TIME_COLOURS[i + 1] ?? a;
  const mix = (k: 0 | 1 | 2): number => Math.round(a[k] + (b[k] - a[k]) * (at - i));
  return `rgb(${mix(0)} ${mix(1)} ${mix(2)})`;
}
