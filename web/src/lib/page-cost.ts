// SPDX-License-Identifier: Apache-2.0
// What this page itself costs, as far as the browser tells.

interface WithMemory {
  memory?: { usedJSHeapSize?: number };
}

/** null: the browser does not tell. */
let longest: number | null = null;
let observing = false;

/** Frames that took longer than 50 ms; what came before the call is included as far as the browser kept it. */
function observe(): void {
  observing = true;
  const type = ["long-animation-frame", "longtask"].find((t) => PerformanceObserver.supportedEntryTypes.includes(t));
  if (type === undefined) return;
  longest = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) longest = Math.max(longest ?? 0, entry.duration);
  }).observe({ type, buffered: true });
}

export function pageCost(): { heapBytes: number | null; longestFrameMs: number | null } {
  if (!observing) observe();
  return { heapBytes: (performance as WithMemory).memory?.usedJSHeapSize ?? null, longestFrameMs: longest };
}
