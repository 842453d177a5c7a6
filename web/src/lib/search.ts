// SPDX-License-Identifier: Apache-2.0

/** The first index of first ≤ i < end at which `key`, which does not decrease, is not below `wanted`; `end` when there is none. */
export function lowerBound(first: number, end: number, key: (i: number) => number, wanted: number): number {
  let low = first;
  let high = end;
  while (low < high) {
    const mid = Math.floor((low + high) / 2);
    if (key(mid) < wanted) low = mid + 1;
    else high = mid;
  }
  return low;
}
