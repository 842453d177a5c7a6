// SPDX-License-Identifier: Apache-2.0
// Which span of time all charts show. Following the newest sample, or standing still on the past; never both. Nothing
// but the person moves a view that stands still.

export interface Range {
  from: number;
  to: number;
}

/** What the view needs to know of the data. */
export interface Extent {
  /** Times of the oldest and the newest row, null before the first. */
  oldest: number | null;
  newest: number | null;
  interval: number;
}

export const PRESETS = [10_000, 60_000, 600_000, 3_600_000] as const;
const DEFAULT_SPAN = 60_000;
/** The narrowest view, in intervals. */
const LEAST_INTERVALS = 5;
/** The widest view: the whole history and some room. */
const BEYOND = 1.1;
/** Of a view that stands still, at least this share has to lie within the history. */
const KEEP_SHARE = 0.1;

export class View {
  #span = DEFAULT_SPAN;
  /** Right end of a view that stands still; null while it follows. */
  #end: number | null = null;
  onChange: () => void = () => undefined;

  constructor(private readonly extent: () => Extent) {}

  get following(): boolean { return this.#end === null; }
  get span(): number { return this.#span; }
  /** Right end of a view that stands still; null while it follows. */
  get end(): number | null { return this.#end; }

  range(): Range {
    const to = this.#end ?? this.extent().newest ?? Date.now();
    return { from: to - this.#span, to };
  }

  /** Takes up a state from elsewhere (a link): as it is, whether or not there is data yet. */
  restore(span: number, end: number | null): void {
    this.#span = Math.max(1, span);
    this.#end = end;
    this.onChange();
  }

  follow(): void {
    this.#end = null;
    this.onChange();
  }

  pause(): void {
    this.#end = this.range().to;
    this.onChange();
  }

  togglePause(): void {
    if (this.following) this.pause();
    else this.follow();
  }

  /** A new length; the right end stays where it is. */
  setSpan(span: number): void {
    this.#span = this.#clampSpan(span);
    if (this.#end !== null) this.#place(this.#end);
    this.onChange();
  }

  /** Shows exactly this span, standing still. */
  setRange(from: number, to: number): void {
    this.#span = this.#clampSpan(to - from);
    this.#place((from + to) / 2 + this.#span / 2);
    this.onChange();
  }

  /** `factor` < 1 zooms in. `at` stays under the cursor; without it, a view that follows goes on following. */
  zoom(factor: number, at: number | null): void {
    const { from, to } = this.range();
    const span = this.#clampSpan(this.#span * factor);
    if (at === null && this.following) {
      this.#span = span;
    } else {
      const anchor = at ?? (from + to) / 2;
      const share = (to - anchor) / (to - from);
      this.#span = span;
      this.#place(anchor + share * span);
    }
    this.onChange();
  }

  /** Moves the right end to `to`. Past the newest sample there is nothing: the view follows again. */
  moveTo(to: number): void {
    const newest = this.extent().newest;
    if (newest === null || to >= newest) this.#end = null;
    else this.#place(to);
    this.onChange();
  }

  #clampSpan(span: number): number {
    const { oldest, newest, interval } = this.extent();
    const held = oldest !== null && newest !== null ? newest - oldest : 0;
    const most = Math.max(PRESETS[PRESETS.length - 1] ?? 0, BEYOND * held);
    return Math.min(most, Math.max(LEAST_INTERVALS * interval, span));
  }

  #place(end: number): void {
    const { oldest, newest } = this.extent();
    const most = newest ?? end;
    const least = Math.min(most, (oldest ?? end) + KEEP_SHARE * this.#span);
    this.#end = Math.min(most, Math.max(least, end));
  }
}
