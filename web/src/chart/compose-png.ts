// SPDX-License-Identifier: Apache-2.0
// A track of the timeline as a picture that explains itself: title, machine, span of time and legend around its canvases.

import { colour } from "../lib/theme";

export interface PictureText {
  title: string;
  /** After the title: what is drawn. */
  detail: string;
  /** Times at the plot's left and right edge: most tracks have no axis of their own. */
  from: string;
  to: string;
  /** Under the title. */
  line: string;
  /** In the corner: where it comes from. */
  mark: string;
  legend: readonly { label: string; colour: string }[];
  /** What colours mean, where they are values: from the least to the most, as CSS writes them. */
  scale: { stops: readonly string[]; least: string; most: string } | null;
}

const PAD = 14;
const HEAD = 64;
const FOOT = 20;
const FONT = "system-ui, sans-serif";
const SCALE_WIDTH = 140;

/** `plot`: the element whose canvases are the chart; `over`: its part without axes. Rejects when there is nothing drawn. */
export async function composePng(plot: Element, over: Element, text: PictureText): Promise<Blob> {
  const canvases = [...plot.querySelectorAll("canvas")].filter((c) => c.clientWidth > 0 && c.clientHeight > 0);
  const box = plot.getBoundingClientRect();
  if (canvases.length === 0 || box.width === 0) throw new Error("there is no chart to draw");
  const ratio = Math.max(1, devicePixelRatio);
  const width = Math.round(box.width + 2 * PAD);
  const height = Math.round(box.height + HEAD + FOOT);
  const out = document.createElement("canvas");
  out.width = width * ratio;
  out.height = height * ratio;
  const c = out.getContext("2d");
  if (!c) throw new Error("the browser gives no canvas");
  c.scale(ratio, ratio);
  c.fillStyle = colour("--surface");
  c.fillRect(0, 0, width, height);
  c.textBaseline = "top";
  c.fillStyle = colour("--text");
  c.font = `600 15px ${FONT}`;
  c.fillText(text.title, PAD, 10, width - 2 * PAD - 80);
  const titleWidth = c.measureText(text.title).width;
  c.font = `12px ${FONT}`;
  c.fillStyle = colour("--text-dim");
  c.fillText(text.detail, PAD + titleWidth + 8, 12, Math.max(1, width - 2 * PAD - 80 - titleWidth));
  c.fillText(text.line, PAD, 30, width - 2 * PAD);
  c.textAlign = "right";
  c.fillText(text.mark, width - PAD, 12);
  c.textAlign = "left";
  let x = PAD;
  for (const { label, colour: line } of text.legend) {
    const room = c.measureText(label).width + 30;
    if (x + room > width - PAD) break;
    c.fillStyle = line;
    c.fillRect(x, 52, 12, 3);
    c.fillStyle = colour("--text-dim");
    c.fillText(label, x + 17, 47);
    x += room;
  }
  if (text.scale) drawScale(c, text.scale, x);
  for (const canvas of canvases) {
    const at = canvas.getBoundingClientRect();
    c.drawImage(canvas, PAD + at.left - box.left, HEAD + at.top - box.top, at.width, at.height);
  }
  const inner = over.getBoundingClientRect();
  c.font = `11px ${FONT}`;
  c.fillStyle = colour("--text-dim");
  c.fillText(text.from, PAD + inner.left - box.left, HEAD + box.height + 3);
  c.textAlign = "right";
  c.fillText(text.to, PAD + inner.right - box.left, HEAD + box.height + 3);
  return new Promise((resolve, reject) => {
    out.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the browser makes no picture of it"))), "image/png");
  });
}

function drawScale(c: CanvasRenderingContext2D, { stops, least, most }: NonNullable<PictureText["scale"]>, x: number): void {
  c.fillStyle = colour("--text-dim");
  c.fillText(least, x, 47);
  const left = x + c.measureText(least).width + 6;
  const gradient = c.createLinearGradient(left, 0, left + SCALE_WIDTH, 0);
  stops.forEach((stop, i) => gradient.addColorStop(i / Math.max(1, stops.length - 1), stop));
  c.fillStyle = gradient;
  c.fillRect(left, 50, SCALE_WIDTH, 8);
  c.fillStyle = colour("--text-dim");
  c.fillText(most, left + SCALE_WIDTH + 6, 47);
}
