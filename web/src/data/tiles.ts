// SPDX-License-Identifier: Apache-2.0
// History that the page does not hold, fetched as it is looked at and kept within a bound.
//
// Time is cut into tiles: level L has tiles of 2^L ms, each answered by /api/series with at most TILE_POINTS points, so that a
// level is a resolution and the server takes the tier that fits. Whoever draws asks for what is there now; what is not is
// noted, fetched a moment later (the newest wish first), and until it is there the nearest coarser tile stands in for it, or the
// finer ones: a view that has shown something never goes blank.

import type { SeriesQuery } from "./api";
import type { Series } from "./wire";

export const TILE_POINTS = 512;
/** Numbers kept in all tiles together, 4 bytes each. */
const NUMBERS_MOST = 12 << 20;
/** Tiles wanted and not asked for yet; older wishes are dropped. */
const WISHES_MOST = 2_000;
const PARALLEL = 4;
/** While one zooms, every step wishes for other tiles. */
const REST_MS = 40;
const RETRY_MS = 5_000;
/** Answers come in bursts: what came within so short a time is drawn together. */
const ARRIVE_MS = 50;
/** How many levels above (below) a missing tile are searched for a stand-in. */
const COARSER = 24;
const FINER = 2;

export interface TileColumn {
  /** NaN is missing. */
  mean: Float32Array;
  low: Float32Array;
  high: Float32Array;
  /** Percent of the time in which it was counted. */
  running: Uint8Array;
}

/** Whose values: the target's (null), one CPU's, or those of every CPU in one column: then the columns are the CPUs' numbers. */
export type Whose = number | null | { every: string; points: number };

/** One answer. Points are ends of buckets, ascending. */
export interface Piece {
  t: Float64Array;
  resolution: number;
  columns: ReadonlyMap<string, TileColumn>;
}

interface Tile {
  piece: Piece | null;
  /** The newest time that the server had when it was fetched; Infinity: all of the tile. */
  until: number;
  failedAt: number;
  numbers: number;
}

interface Wish {
  whose: Whose;
  level: number;
  index: number;
  columns: Set<string>;
}

/** What is asked with: time goes by, and a test's server is a function. */
export interface TileSource {
  fetch(query: SeriesQuery): Promise<Series>;
  now(): number;
  /** The newest time that the server has. */
  latest(): number | null;
  /** Something came. */
  arrived(): void;
}

function prefixOf(whose: Whose): string {
  return typeof whose === "object" && whose !== null ? `${whose.every} ${whose.points}/` : `${whose ?? ""}/`;
}

function keyOf(whose: Whose, level: number, index: number): string {
  return `${prefixOf(whose)}${level}/${index}`;
}

function pointsOf(whose: Whose): number {
  return typeof whose === "object" && whose !== null ? whose.points : TILE_POINTS;
}

/** The level whose resolution is just finer than the span's pixels; never finer than the intervals. */
export function levelFor(span: number, pixels: number, interval: number, points = TILE_POINTS): number {
  const perPixel = Math.max(interval, span / Math.max(1, pixels));
  return Math.floor(Math.log2(points * perPixel) + 1e-9);
}

export class Tiles {
  #tiles = new Map<string, Tile>();
  #wishes = new Map<string, Wish>();
  #underWay = new Set<string>();
  #numbers = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #arriveTimer: ReturnType<typeof setTimeout> | undefined;
  /** By whose values. */
  #versions = new Map<string, number>();
  #renewals = 0;

  constructor(private readonly source: TileSource) {}

  /** Changes with every answer of these values. */
  version(whose: Whose): number { return this.#versions.get(prefixOf(whose)) ?? 0; }
  get numbers(): number { return this.#numbers; }
  /** Something is being fetched, or about to be. */
  get busy(): boolean { return this.#wishes.size + this.#underWay.size > 0; }

  /**
   * The pieces that cover from < t ≤ to at a level as well as what is here can, in order, and the bounds within which
   * each is meant: (piece, from, to]. All have every one of the columns.
   */
  cover(whose: Whose, columns: readonly string[], level: number, from: number, to: number): [Piece, number, number][] {
    const out: [Piece, number, number][] = [];
    const size = 2 ** level;
    for (let index = Math.floor(from / size); index * size < to; index++) {
      const a = Math.max(from, index * size);
      const b = Math.min(to, (index + 1) * size);
      if (!this.#take(out, whose, columns, level, index, a, b, true)) this.#standIn(out, whose, columns, level, index, a, b);
    }
    return out;
  }

  /** The finest point of what is here that covers a time; nothing is asked for. */
  at(whose: Whose, column: string, t: number): { time: number; value: number | null; quality: number } | null {
    let best: { time: number; value: number | null; quality: number } | null = null;
    let finest = Infinity;
    const prefix = prefixOf(whose);
    for (const [key, { piece }] of this.#tiles) {
      if (!piece || piece.resolution >= finest || !key.startsWith(prefix)) continue;
      const c = piece.columns.get(column);
      if (!c) continue;
      let i = 0;
      while (i < piece.t.length && (piece.t[i] as number) < t) i++;
      const time = piece.t[i];
      if (time === undefined || time - piece.resolution > t) continue;
      const v = c.mean[i] as number;
      finest = piece.resolution;
      best = { time, value: v === v ? v : null, quality: c.running[i] ?? 100 };
    }
    return best;
  }

  /** Nothing that was fetched so far has to be right any more; it is shown until it was fetched again. */
  renew(): void {
    this.#renewals++;
    for (const tile of this.#tiles.values()) tile.until = -Infinity;
  }

  /** A new run: what was fetched of the present is to be fetched again. */
  forgetUnfinished(): void {
    for (const [key, tile] of this.#tiles) {
      if (tile.until === Infinity) continue;
      this.#numbers -= tile.numbers;
      this.#tiles.delete(key);
    }
  }

  /** True when the tile itself is here (then its piece, if it has one, is in `out`). Notes a wish for what is not. */
  #take(out: [Piece, number, number][], whose: Whose, columns: readonly string[], level: number, index: number,
    a: number, b: number, wish: boolean): boolean {
    const key = keyOf(whose, level, index);
    const tile = this.#tiles.get(key);
    if (tile?.piece) {
      this.#tiles.delete(key); // to the end: the least recently used is first
      this.#tiles.set(key, tile);
    }
    const has = tile?.piece ? columns.every((c) => tile.piece?.columns.has(c)) : false;
    // What is missing of an unfinished tile is fetched at most as often as it has a new point.
    const stale = tile !== undefined && has && tile.until < b && (this.source.latest() ?? -Infinity) > tile.until + Math.max(1000, 2 ** level / pointsOf(whose));
    if (wish && (!has || stale)) this.#wish(key, whose, level, index, columns, tile);
    if (!has || !tile?.piece) return false;
    out.push([tile.piece, a, b]);
    return true;
  }

  #standIn(out: [Piece, number, number][], whose: Whose, columns: readonly string[], level: number, index: number,
    a: number, b: number): void {
    for (let up = 1; up <= COARSER; up++) {
      if (this.#take(out, whose, columns, level + up, Math.floor(index / 2 ** up), a, b, false)) return;
    }
    for (let down = 1; down <= FINER; down++) {
      const size = 2 ** (level - down);
      for (let k = 0; k < 2 ** down; k++) {
        const i = index * 2 ** down + k;
        const from = Math.max(a, i * size);
        const to = Math.min(b, (i + 1) * size);
        if (from < to) this.#take(out, whose, columns, level - down, i, from, to, false);
      }
    }
  }

  #wish(key: string, whose: Whose, level: number, index: number, columns: readonly string[], tile: Tile | undefined): void {
    if (this.#underWay.has(key) || (tile && this.source.now() - tile.failedAt < RETRY_MS)) return;
    const wish = this.#wishes.get(key) ?? { whose, level, index, columns: new Set<string>() };
    this.#wishes.delete(key);
    for (const column of columns) wish.columns.add(column);
    this.#wishes.set(key, wish);
    for (const old of this.#wishes.keys()) {
      if (this.#wishes.size <= WISHES_MOST) break;
      this.#wishes.delete(old);
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#dispatch();
    }, REST_MS);
  }

  #dispatch(): void {
    while (this.#underWay.size < PARALLEL && this.#wishes.size > 0) {
      // The last one is what was wished for last: that is on the screen.
      const [key, wish] = [...this.#wishes].at(-1) as [string, Wish];
      this.#wishes.delete(key);
      this.#underWay.add(key);
      void this.#fetch(key, wish).finally(() => {
        this.#underWay.delete(key);
        this.#dispatch();
      });
    }
  }

  async #fetch(key: string, wish: Wish): Promise<void> {
    const size = 2 ** wish.level;
    const known = this.#tiles.get(key);
    for (const column of known?.piece?.columns.keys() ?? []) wish.columns.add(column);
    const latest = this.source.latest() ?? -Infinity;
    const end = (wish.index + 1) * size;
    const renewals = this.#renewals;
    const tile: Tile = { piece: known?.piece ?? null, until: known?.until ?? -Infinity, failedAt: -Infinity, numbers: known?.numbers ?? 0 };
    try {
      const { whose } = wish;
      const every = typeof whose === "object" && whose !== null;
      const series = await this.source.fetch({
        columns: every ? [whose.every] : [...wish.columns],
        from: Math.floor(wish.index * size) + 1, to: Math.floor(end), points: pointsOf(whose),
        ...(whose === null ? {} : { cpu: every ? "all" as const : whose }),
      });
      tile.piece = toPiece(series, every ? new Set(Object.keys(series.columns)) : wish.columns);
      tile.until = renewals !== this.#renewals ? -Infinity : latest >= end ? Infinity : latest;
      tile.numbers = tile.piece.t.length * (2 + 3.25 * tile.piece.columns.size);
    } catch {
      tile.failedAt = this.source.now();
    }
    this.#numbers += tile.numbers - (this.#tiles.get(key)?.numbers ?? 0);
    this.#tiles.delete(key);
    this.#tiles.set(key, tile);
    for (const [oldKey, old] of this.#tiles) {
      if (this.#numbers <= NUMBERS_MOST || oldKey === key) break;
      this.#numbers -= old.numbers;
      this.#tiles.delete(oldKey);
    }
    this.#versions.set(prefixOf(wish.whose), this.version(wish.whose) + 1);
    this.#arriveTimer ??= setTimeout(() => {
      this.#arriveTimer = undefined;
      this.source.arrived();
    }, ARRIVE_MS);
  }
}

function floats(values: readonly (number | null)[] | undefined, n: number, instead: Float32Array | null): Float32Array {
  const out = new Float32Array(n);
  for (let i = 0; i < n; i++) out[i] = values?.[i] ?? instead?.[i] ?? NaN;
  return out;
}

/** A column that the server left out is one without values: it is not asked for again and again. */
function toPiece(series: Series, columns: ReadonlySet<string>): Piece {
  const n = series.t.length;
  const out = new Map<string, TileColumn>();
  for (const id of columns) {
    const c = series.columns[id];
    const mean = floats(c?.mean, n, null);
    const running = new Uint8Array(n);
    for (let i = 0; i < n; i++) running[i] = Math.round(c?.running[i] ?? (mean[i] === mean[i] ? 100 : 0));
    // Of every CPU there are only means: they are kept once.
    const low = c === undefined || c.min === c.mean ? mean : floats(c.min, n, mean);
    const high = c === undefined || c.max === c.mean ? mean : floats(c.max, n, mean);
    out.set(id, { mean, low, high, running });
  }
  return { t: Float64Array.from(series.t), resolution: series.resolutionMs, columns: out };
}
