// SPDX-License-Identifier: Apache-2.0
// The stylesheet's colours: contrast by WCAG 2.2, and whether lines can be told apart with any colour vision.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

// test.sh runs in web/.
const css = readFileSync("src/style.css", "utf8");

type Rgb = readonly [number, number, number];

/** The tokens of each block that sets a colour scheme. */
const themes = [...css.matchAll(/color-scheme: (light|dark);([^}]*)\}/g)].map(([, name, block]) => ({
  name: name ?? "", tokens: new Map([...(block ?? "").matchAll(/--([\w-]+): ([^;]+);/g)].map(([, key, value]) => [key ?? "", value ?? ""])),
}));

function rgb(hex: string): Rgb {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  assert.ok(/^#[0-9a-f]{6}$/.test(hex), `'${hex}' is a colour`);
  return [r ?? 0, g ?? 0, b ?? 0];
}

const luminance = ([r, g, b]: Rgb): number => 0.2126 * r + 0.7152 * g + 0.0722 * b;

function contrast(a: Rgb, b: Rgb): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05);
}

// G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, A Physiologically-based Model for Simulation of Color Vision Deficiency,
// IEEE TVCG 15(6), 2009: severity 1.0, on linear RGB.
const VISION: Record<string, readonly Rgb[]> = {
  normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

const dot = (a: Rgb, b: Rgb): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const times = (m: readonly Rgb[], v: Rgb): Rgb => m.map((row) => Math.min(1, Math.max(0, dot(row, v)))) as unknown as Rgb;

/** Björn Ottosson, A perceptual color space for image processing, 2020; as percent. */
function oklab(v: Rgb): Rgb {
  const lms = [
    dot([0.4122214708, 0.5363325363, 0.0514459929], v), dot([0.2119034982, 0.6806995451, 0.1073969566], v),
    dot([0.0883024619, 0.2817188376, 0.6299787005], v),
  ].map((c) => 100 * Math.cbrt(c)) as unknown as Rgb;
  return [
    dot([0.2104542553, 0.793617785, -0.0040720468], lms), dot([1.9779984951, -2.428592205, 0.4505937099], lms),
    dot([0.0259040371, 0.7827717662, -0.808675766], lms),
  ];
}

const apart = (a: Rgb, b: Rgb): number => Math.hypot(...oklab(a).map((c, i) => c - (oklab(b)[i] ?? 0)));

test("both dark themes, the system's and the chosen one, are the same", () => {
  assert.deepEqual(themes.map((t) => t.name), ["light", "dark", "dark"]);
  assert.deepEqual([...(themes[1]?.tokens ?? [])], [...(themes[2]?.tokens ?? [])]);
});

for (const { name, tokens } of themes.slice(0, 2)) {
  const of = (token: string): Rgb => rgb(tokens.get(token) ?? "");

  test(`${name}: text has 4.5:1 on whatever it stands on`, () => {
    for (const text of ["text", "text-dim", "accent", "good", "warn", "bad"]) {
      for (const ground of ["ground", "surface", "raised"]) {
        assert.ok(contrast(of(text), of(ground)) >= 4.5, `${text} on ${ground}`);
      }
    }
    for (const kind of ["good", "warn", "bad"]) assert.ok(contrast(of(kind), of(`${kind}-ground`)) >= 4.5, kind);
    assert.ok(contrast(of("on-accent"), of("accent")) >= 4.5);
  });

  test(`${name}: lines have 3:1 on the plot, and any two can be told apart with any colour vision`, () => {
    const series = [1, 2, 3, 4, 5].map((i) => of(`series-${i}`));
    for (const [i, line] of [...series, of("total"), of("accent")].entries()) assert.ok(contrast(line, of("surface")) >= 3, `line ${i + 1}`);
    for (const [vision, matrix] of Object.entries(VISION)) {
      series.forEach((a, i) => series.slice(i + 1).forEach((b, j) => {
        const difference = apart(times(matrix, a), times(matrix, b));
        // About five times what is just seen side by side.
        assert.ok(difference >= 10, `${vision}: series ${i + 1} and ${i + j + 2} are ${difference.toFixed(1)} apart`);
      }));
    }
  });

  test(`${name}: the heatmap's lightness goes one way only`, () => {
    const steps = (tokens.get("heat") ?? "").split(",").map((stop) => luminance(rgb(stop)));
    assert.ok(steps.length >= 5);
    const signs = new Set(steps.slice(1).map((l, i) => Math.sign(l - (steps[i] ?? 0))));
    assert.equal(signs.size, 1);
  });
}
