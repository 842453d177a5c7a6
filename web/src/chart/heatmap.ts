// SPDX-License-Identifier: Apache-2.0
// A heatmap of all CPUs: time from left to right, a row a CPU, colour the value. Cells are pixels of a canvas of their own, a ring in
// time, which is enlarged onto the visible one: an update draws the newest column of cells and copies.
//
// More CPUs than there are pixels share rows; a row then has the highest value of its CPUs, so that a hot one is seen.
// What is not a value does not look like one: nothing (no sample), stripes (never ran), a lattice (offline).

import { Cell, HeatCells, highestOf, whoseOf, type HeatSource } from "../data/heat";
import { el } from "../lib/dom";
import { textPx } from "../lib/text-size";
import { colour } from "../lib/theme";
import { paletteOf } from "./palette";
import { StableMax } from "./scale";
import { AXIS_WIDTH, NO_TIMES_HEIGHT, PAD_RIGHT, PAD_TOP } from "./uplot";
import type { Range } from "./view";

/** Cells of the ring, in time. At least twice the columns of a wide screen. */
const RING = 8192;
const FONT = `${textPx(11)}px system-ui, sans-serif`;
const LABEL_SPACE = textPx(15);
/** Tiles come one after the other: their part is drawn anew at most so often. */
const REFILL_MS = 250;

interface Layer {
  canvas: OffscreenCanvas;
  ctx: OffscreenCanvasRenderingContext2D;
}

function layer(width: number, height: number): Layer {
  const canvas = new OffscreenCanvas(width, height);
  return { canvas, ctx: canvas.getContext("2d") as OffscreenCanvasRenderingContext2D };
}

export class Heatmap {
  readonly over = el("div", { class: "u-over heat-over" });
  readonly #canvas = el("canvas");
  readonly #max = new StableMax();
  #width = 0;
  #height = 0;
  /** CPUs that share a row. */
  #group = 1;
  #rows = 1;
  /** Cells with values, and where which kind of nothing is. */
  #cells: Layer | null = null;
  #never: Layer | null = null;
  #offline: Layer | null = null;
  #scratch: Layer | null = null;
  /** Which kinds of nothing a column of the ring has, as bits. */
  readonly #missing = new Uint8Array(RING);
  /** What the ring holds: buckets first … last of this length. */
  #filled: { key: string; max: number; first: number; last: number; length: number; version: number; at: number; rowsEnd: number } | null = null;
  /** What it holds is not what is best, and the next frame is to fill it anew. */
  #due = false;
  #palette: { stops: string; colours: Uint32Array } = { stops: "", colours: new Uint32Array(256) };
  #axis = "";

  constructor(parent: HTMLElement) {
    parent.append(this.#canvas, this.over);
  }

  get group(): number { return this.#group; }
  /** The value of the palette's end. */
  max = 1;

  /** CSS pixels of the whole: axis, plot and padding. */
  setSize(width: number, height: number): void {
    this.#width = width;
    this.#height = height;
    this.#canvas.width = Math.round(width * devicePixelRatio);
    this.#canvas.height = Math.round(height * devicePixelRatio);
    this.#canvas.style.width = width + "px";
    this.#canvas.style.height = height + "px";
    Object.assign(this.over.style, {
      left: AXIS_WIDTH + "px", top: PAD_TOP + "px", width: this.plotWidth + "px", height: this.plotHeight + "px",
    });
    this.forget();
  }

  get plotWidth(): number { return Math.max(1, this.#width - AXIS_WIDTH - PAD_RIGHT); }
  get plotHeight(): number { return Math.max(1, this.#height - PAD_TOP - NO_TIMES_HEIGHT); }

  /** All is drawn anew: the metric, the colours or the size have changed. */
  forget(): void {
    this.#filled = null;
    this.#axis = "";
  }

  forgetScale(): void {
    this.#max.reset();
  }

  cpuAt(y: number, cpus: number): number {
    return Math.min(cpus - 1, Math.max(0, Math.floor((y / this.plotHeight) * this.#rows * this.#group)));
  }

  /** The middle of a CPU's row, CSS pixels from the element's top. */
  middleOf(cpu: number, cpus: number): number {
    return PAD_TOP + ((Math.floor(cpu / this.#group) + 0.5) / Math.ceil(cpus / this.#group)) * this.plotHeight;
  }

  /** The kinds of nothing in the cells that lie within a range, as they were drawn. */
  missing({ from, to }: Range): ReadonlySet<Cell> {
    const filled = this.#filled;
    if (!filled) return new Set();
    let bits = 0;
    const last = Math.min(filled.last, Math.floor(to / filled.length));
    for (let b = Math.max(filled.first, Math.ceil(from / filled.length) + 1); b <= last; b++) bits |= this.#missing[((b % RING) + RING) % RING] as number;
    return new Set([Cell.Gap, Cell.NeverRan, Cell.Offline].filter((cell) => (bits & (1 << cell)) !== 0));
  }

  /** `share`: values are from 0 to 1. After so many ms it has to be drawn again; null: not by itself. */
  draw(source: HeatSource, range: Range, share: boolean, chosen: number | null): number | null {
    const k = devicePixelRatio;
    const ctx = this.#canvas.getContext("2d");
    const pixels = Math.round(this.plotWidth * k);
    const height = Math.round(this.plotHeight * k);
    if (!ctx || pixels < 2 || height < 2) return null;
    const { cpus } = source.matrix;
    this.#group = Math.max(1, Math.ceil(cpus / height));
    this.#rows = Math.ceil(cpus / this.#group);
    const again = this.#fill(source, range, pixels, share);
    const filled = this.#filled;
    if (!filled || !this.#cells) return again;
    if (this.#axis !== `${this.#rows} ${cpus} ${colour("--text-dim")}`) this.#drawAxis(ctx, cpus, k);
    const x0 = Math.round(AXIS_WIDTH * k);
    const y0 = Math.round(PAD_TOP * k);
    ctx.clearRect(x0 - 1, 0, this.#canvas.width, this.#canvas.height);
    ctx.save();
    ctx.beginPath();
    ctx.rect(x0, y0, pixels, height);
    ctx.clip();
    ctx.imageSmoothingEnabled = false;
    const place = { x0, y0, pixels, height };
    this.#blit(ctx, this.#cells.canvas, range, filled, place);
    for (const [mask, pattern] of [[this.#never, "stripes"], [this.#offline, "lattice"]] as const) {
      if (mask) this.#hatch(ctx, mask, pattern, range, filled, place);
    }
    if (chosen !== null) {
      const row = Math.floor(chosen / this.#group);
      const h = height / this.#rows;
      ctx.strokeStyle = colour("--text");
      ctx.lineWidth = Math.max(1, Math.round(k));
      ctx.strokeRect(x0 - 4, Math.round(y0 + row * h) + 0.5, pixels + 8, Math.max(2, Math.round(h) - 1));
    }
    ctx.restore();
    return again;
  }

  /** As draw(). The frame of a step of the view shows the cells that there are; if others are better, the next one fills them. */
  #fill(source: HeatSource, range: Range, pixels: number, share: boolean): number | null {
    const { matrix, tiles } = source;
    const view = range.to - range.from;
    const perPixel = view / pixels;
    // No cell is narrower than a pixel: of two in a pixel only one would be seen.
    const best = source.interval * 2 ** Math.max(0, Math.ceil(Math.log2(perPixel / source.interval) - 1e-9));
    const stops = colour("--heat");
    if (stops !== this.#palette.stops) this.#palette = { stops, colours: paletteOf(stops) };
    const wanted = share ? 1 : this.#max.next(highestOf(source, range.from, range.to, best));
    const key = [matrix.column, matrix.cpus, this.#rows, stops].join(" ");
    const version = tiles.version(whoseOf(matrix));
    const now = performance.now();
    let again: number | null = null;
    let filled = this.#filled;
    if (filled !== null) {
      const { length } = filled;
      const first = Math.floor(range.from / length);
      const last = Math.ceil(range.to / length) + 1;
      const other = filled.key !== key || first > filled.last + 1 || last < filled.first - 1 || length < best / 2 || length > best * 4;
      const stale = filled.version !== version && first * length < (matrix.since ?? Infinity);
      const waiting = stale ? Math.max(0, filled.at + REFILL_MS - now) : 0;
      const worse = length !== best || filled.max !== wanted || (stale && waiting === 0);
      if (other || (worse && this.#due)) filled = null;
      else if (worse || stale) again = worse ? 0 : waiting;
      this.#due = again === 0;
    }
    const length = filled?.length ?? best;
    const max = filled?.max ?? wanted;
    const first = Math.floor(range.from / length);
    const last = Math.ceil(range.to / length) + 1;
    if (last - first >= RING / 2) return null;
    this.max = max;
    if (filled === null) {
      this.#ring();
      filled = this.#filled = { key, max, first, last: first - 1, length, version, at: now, rowsEnd: matrix.first };
    }
    if (first < filled.first) {
      this.#fillBuckets(source, first, filled.first - 1, length, max, view);
      filled.first = first;
      filled.last = Math.min(filled.last, first + RING - 1);
    }
    let from = filled.last + 1;
    if (matrix.end !== filled.rowsEnd) {
      // What has come since: from the bucket of the newest row before on, because that was not whole.
      from = filled.rowsEnd > matrix.first ? Math.min(from, Math.ceil(matrix.time(filled.rowsEnd - 1) / length)) : filled.first;
      filled.rowsEnd = matrix.end;
    }
    filled.last = Math.max(last, filled.last);
    filled.first = Math.max(filled.first, filled.last - RING + 1);
    from = Math.max(filled.first, from);
    if (from <= filled.last) this.#fillBuckets(source, from, filled.last, length, max, view);
    return again;
  }

  #ring(): void {
    if (this.#cells?.canvas.height !== this.#rows) this.#cells = layer(RING, this.#rows);
    else this.#cells.ctx.clearRect(0, 0, RING, this.#rows);
    this.#never = null;
    this.#offline = null;
  }

  #fillBuckets(source: HeatSource, first: number, last: number, length: number, max: number, view: number): void {
    const { cpus } = source.matrix;
    const cells = new HeatCells(cpus, first, last, length, this.#group);
    cells.fill(source, view);
    const n = cells.buckets;
    const image = new ImageData(n, this.#rows);
    const pixels = new Uint32Array(image.data.buffer);
    let never: ImageData | null = null;
    let offline: ImageData | null = null;
    const { colours } = this.#palette;
    const { mean, kind } = cells;
    const missing = new Uint8Array(n);
    const scale = 255 / max;
    for (let at = 0; at < pixels.length; at++) {
      const cell = kind[at] as Cell;
      if (cell === Cell.Value) {
        pixels[at] = colours[Math.min(255, Math.max(0, Math.round((mean[at] as number) * scale)))] as number;
        continue;
      }
      missing[at % n] = (missing[at % n] as number) | (1 << cell);
      if (cell === Cell.NeverRan) mark(never ??= new ImageData(n, this.#rows), at);
      else if (cell === Cell.Offline) mark(offline ??= new ImageData(n, this.#rows), at);
    }
    missing.forEach((bits, b) => { this.#missing[(((first + b) % RING) + RING) % RING] = bits; });
    if (this.#cells) put(this.#cells, image, first);
    // A mask, once there is one, is also told where there is nothing any more.
    if (never) this.#never ??= layer(RING, this.#rows);
    if (offline) this.#offline ??= layer(RING, this.#rows);
    if (this.#never) put(this.#never, never ?? new ImageData(n, this.#rows), first);
    if (this.#offline) put(this.#offline, offline ?? new ImageData(n, this.#rows), first);
  }

  #blit(ctx: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D, from: OffscreenCanvas, range: Range,
    { first, last, length }: { first: number; last: number; length: number },
    { x0, y0, pixels, height }: { x0: number; y0: number; pixels: number; height: number }): void {
    const perMs = pixels / (range.to - range.from);
    const a = Math.max(first, Math.floor(range.from / length));
    const b = Math.min(last, Math.ceil(range.to / length) + 1);
    for (let start = a; start <= b;) {
      const at = ((start % RING) + RING) % RING;
      const n = Math.min(b - start + 1, RING - at);
      const x = x0 + ((start - 1) * length - range.from) * perMs;
      ctx.drawImage(from, at, 0, n, this.#rows, x, y0, n * length * perMs, height);
      start += n;
    }
  }

  #hatch(ctx: CanvasRenderingContext2D, mask: Layer, pattern: "stripes" | "lattice", range: Range,
    filled: { first: number; last: number; length: number }, place: { x0: number; y0: number; pixels: number; height: number }): void {
    if (this.#scratch?.canvas.width !== place.pixels || this.#scratch.canvas.height !== place.height) this.#scratch = layer(place.pixels, place.height);
    const { canvas, ctx: scratch } = this.#scratch;
    scratch.globalCompositeOperation = "copy";
    scratch.fillStyle = "transparent";
    scratch.fillRect(0, 0, place.pixels, place.height);
    scratch.globalCompositeOperation = "source-over";
    scratch.imageSmoothingEnabled = false;
    this.#blit(scratch, mask.canvas, range, filled, { ...place, x0: 0, y0: 0 });
    scratch.globalCompositeOperation = "source-in";
    scratch.fillStyle = scratch.createPattern(hatchTile(pattern), "repeat") ?? "transparent";
    scratch.fillRect(0, 0, place.pixels, place.height);
    ctx.drawImage(canvas, place.x0, place.y0);
  }

  #drawAxis(ctx: CanvasRenderingContext2D, cpus: number, k: number): void {
    this.#axis = `${this.#rows} ${cpus} ${colour("--text-dim")}`;
    ctx.clearRect(0, 0, AXIS_WIDTH * k, this.#canvas.height);
    ctx.save();
    ctx.scale(k, k);
    ctx.font = FONT;
    ctx.fillStyle = colour("--text-dim");
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    const perCpu = this.plotHeight / (this.#rows * this.#group);
    const step = stepOf(Math.ceil(LABEL_SPACE / perCpu));
    for (let cpu = 0; cpu < cpus; cpu += step) {
      const y = PAD_TOP + (cpu + 0.5) * perCpu;
      if (y > this.#height - 4) break;
      ctx.fillText(cpus <= 16 ? `CPU ${cpu}` : String(cpu), AXIS_WIDTH - 6, Math.max(PAD_TOP + 5, y));
    }
    ctx.restore();
  }
}

/** CPUs between two labels: powers of two, as machines are built. */
function stepOf(least: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, least)));
}

function mark(image: ImageData, at: number): void {
  image.data[at * 4 + 3] = 255;
}

/** Columns of cells into the ring, in one piece or two. */
function put(to: Layer, image: ImageData, first: number): void {
  const at = ((first % RING) + RING) % RING;
  to.ctx.putImageData(image, at, 0);
  if (at + image.width > RING) to.ctx.putImageData(image, at - RING, 0);
}

function hatchTile(pattern: "stripes" | "lattice"): OffscreenCanvas {
  const { canvas, ctx } = layer(6, 6);
  ctx.fillStyle = colour("--grid");
  ctx.fillRect(0, 0, 6, 6);
  ctx.fillStyle = colour(pattern === "stripes" ? "--bad" : "--text-dim");
  if (pattern === "stripes") for (let i = 0; i < 6; i++) ctx.fillRect(i, 5 - i, 1.4, 1.4);
  else ctx.fillRect(2, 2, 2, 2);
  return canvas;
}
