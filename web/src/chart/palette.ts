// SPDX-License-Identifier: Apache-2.0
// A sequential palette as 256 colours. Its stops are the stylesheet's (--heat): from little to much, the lightness goes one way
// only, so that it can be read with any colour vision and in grey.

/** Linear between the stops, as canvas pixels (0xAABBGGRR). */
export function paletteOf(stops: string): Uint32Array {
  const colours = stops.split(",").map((s) => /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(s.trim()))
    .filter((m) => m !== null).map((m) => m.slice(1).map((hex) => parseInt(hex, 16)));
  const out = new Uint32Array(256);
  const last = colours.length - 1;
  if (last < 1) return out.fill(0xff808080);
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * last;
    const n = Math.min(last - 1, Math.floor(at));
    const mix = (c: number): number => Math.round((colours[n]?.[c] ?? 0) * (1 - (at - n)) + (colours[n + 1]?.[c] ?? 0) * (at - n));
    out[i] = ((255 << 24) | (mix(2) << 16) | (mix(1) << 8) | mix(0)) >>> 0;
  }
  return out;
}
