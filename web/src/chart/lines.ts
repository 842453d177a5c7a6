// SPDX-License-Identifier: Apache-2.0
// What a chart draws of any span: from the store where that holds it, from fetched tiles before. One mechanism for the live edge
// and for last week.

import { GAP_INTERVALS, bucketSize, decimate, noLines, pushGap, type Lines, type Window } from "./lod";
import type { History } from "../data/session";
import { cellKey, type Store } from "../data/store";
import { TILE_POINTS, levelFor, type Piece } from "../data/tiles";

/** Neighbouring buckets are no farther apart than this many resolutions. */
const GAP_BUCKETS = 1.5;

/** Buckets of a tile and of the store differ by less, where both are as fine as the pixels ask for. */
const COARSER = 2.5;
/** A part of the view that is worth a word. */
const PART_LEAST = 0.02;

/** Columns of the target, or of one CPU. */
export function linesOf(history: History, columns: readonly string[], cpu: number | null, window: Window): Lines {
  const { store, tiles, oldest } = history;
  const keys = columns.map((c) => cellKey(c, cpu ?? undefined));
  const lines = noLines(columns.length);
  const cut = storeSince(store, keys);
  // Before the store begins: tiles, as far as there is history.
  const end = Math.min(cut, window.to);
  const from = Math.max(window.from, (oldest ?? Infinity) - window.interval);
  if (end - from > window.interval) {
    lines.fetched = true;
    const level = levelFor(window.to - window.from, window.pixels, window.interval);
    // One resolution more at the left, so that lines run to the edge.
    let resolution = 0;
    const pieces = tiles.cover(cpu, columns, level, from - 2 ** level / TILE_POINTS, end);
    pieces.forEach(([piece, a, b], n) => {
      append(lines, piece, columns, a, b, { before: resolution, lead: n === 0, trail: n === pieces.length - 1 && end === window.to });
      resolution = piece.resolution;
    });
    lines.coarse = coarseOf(pieces, window, cut < window.to ? bucketSize(window) * window.interval : Infinity);
    const last = lines.t.at(-1);
    if (cut < window.to && last !== undefined) {
      const apart = firstAfter(store, last) - last;
      if (apart > Math.max(GAP_INTERVALS * window.interval, GAP_BUCKETS * resolution)) pushGap(lines, last + apart / 2);
    }
  }
  if (cut < window.to) decimate(store, keys, window, lines.t.at(-1), lines);
  return lines;
}

/** `finest`: resolution of what follows the pieces. */
function coarseOf(pieces: readonly [Piece, number, number][], { from, to }: Window, finest: number): Lines["coarse"] {
  const least = Math.min(finest, ...pieces.map(([piece]) => piece.resolution));
  const [piece, , until] = pieces.filter(([p]) => p.resolution > COARSER * least).at(-1) ?? [];
  return piece && until !== undefined && until - from > PART_LEAST * (to - from) ? { until, resolution: piece.resolution } : null;
}

/** From this time on the store can speak of all these keys; Infinity when it cannot. */
function storeSince(store: Store, keys: readonly string[]): number {
  let since = -Infinity;
  for (const key of keys) since = Math.max(since, store.since(key) ?? Infinity);
  return since;
}

function firstAfter(store: Store, t: number): number {
  let i = store.lowerBound(t + 0.001);
  while (i < store.end && !store.isPresent(i)) i++;
  return i < store.end ? store.time(i) : Infinity;
}

interface Joint {
  /** Resolution of the piece before. */
  before: number;
  /** Takes the point before (after) the bounds as well: of a stand-in far coarser than the view, no point may lie within. */
  lead: boolean;
  trail: boolean;
}

/** The points of a piece with a < t ≤ b. */
function append(lines: Lines, piece: Piece, columns: readonly string[], a: number, b: number, { before, lead, trail }: Joint): void {
  const { t, resolution } = piece;
  let step = Math.max(resolution, before);
  let i = 0;
  while (i < t.length && (t[i] as number) <= a) i++;
  if (lead && i > 0) i--;
  const taken = columns.map((c) => piece.columns.get(c));
  let over = trail ? 1 : 0;
  for (; i < t.length && ((t[i] as number) <= b || over-- > 0); i++) {
    const at = t[i] as number;
    const last = lines.t.at(-1);
    if (last !== undefined && at <= last) continue;
    if (last !== undefined && at - last > GAP_BUCKETS * step) pushGap(lines, (last + at) / 2);
    step = resolution;
    lines.t.push(at);
    taken.forEach((column, k) => {
      const curve = lines.curves[k];
      if (!curve) return;
      const mean = column?.mean[i] ?? NaN;
      curve.mean.push(mean !== mean ? null : mean);
      curve.low.push(mean !== mean ? null : (column?.low[i] ?? mean));
      curve.high.push(mean !== mean ? null : (column?.high[i] ?? mean));
    });
    lines.banded = true;
  }
}
