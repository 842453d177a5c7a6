// SPDX-License-Identifier: Apache-2.0
// The upper end of a chart's scale. It is a round number, it grows at once, and it shrinks only when the data would fill
// less than half of it: a scale that follows every sample makes the whole chart jump ten times a second.

const STEPS = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10] as const;
/** Room above the highest value. */
const HEADROOM = 1.04;
const SHRINK_BELOW = 0.5;

/** The least round number that is not below `v`. */
export function roundUp(v: number): number {
  if (!(v > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(v));
  for (const step of STEPS) {
    // 3 × 0.1 is 0.30000000000000004, and would be labelled so.
    const end = Number((step * power).toPrecision(3));
    if (end >= v * (1 - 1e-9)) return end;
  }
  return 10 * power;
}

export class StableMax {
  #max: number | null = null;

  /** The scale's end for data whose greatest value is `highest` (null when there is none). */
  next(highest: number | null): number {
    if (highest === null || !Number.isFinite(highest)) return this.#max ?? 1;
    const wish = roundUp(highest * HEADROOM);
    if (this.#max === null || wish > this.#max || wish <= this.#max * SHRINK_BELOW) this.#max = wish;
    return this.#max;
  }

  /** Forgets what it held: the view has moved elsewhere. */
  reset(): void {
    this.#max = null;
  }
}
