// SPDX-License-Identifier: Apache-2.0
// Canvases write in pixels: with this they follow the size of text that the person chose in the browser, as all else does by its
// rem. It is read once; who chooses another one meanwhile sees it there after a reload.

/** A rem is 10 px where the browser writes at its usual 16 px (style.css). */
const REM_PX = 10;
const SCALE = typeof document === "undefined" ? 1 : parseFloat(getComputedStyle(document.documentElement).fontSize) / REM_PX || 1;

/** A new one for each question would be a question to the style of the whole page. */
let narrow: MediaQueryList | null = null;

/** Narrower pages scroll, and each track has its own times and words: the same width as in style.css. */
export function isNarrow(): boolean {
  return (narrow ??= matchMedia("(width < 43.75em)")).matches;
}

/** CSS pixels, from those at the usual size of text. */
export function textPx(px: number): number {
  return Math.round(px * SCALE);
}
