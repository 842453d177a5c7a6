// SPDX-License-Identifier: Apache-2.0
// The scatter plot's canvas: two columns against each other, each point coloured by its time. It draws what it is given and
// says which points are where; what a choice means is its owner's (panels/scatter.tsx).

import { formatTick, type Unit } from "../lib/format";
import { textPx } from "../lib/text-size";
import { colour } from "../lib/theme";
import { axisOf, place, timeColour, type Axis, type Point, type Rect } from "./scatter-scale";

export interface ScatterSide {
  label: string;
  unit: Unit;
}

export interface ScatterContent {
  points: readonly Point[];
  x: ScatterSide;
  y: ScatterSide;
  /** Of the colours. */
  from: number;
  to: number;
  /** Indices of points. */
  chosen: ReadonlySet<number>;
  current: number;
  /** What is being dragged over, canvas pixels (CSS). */
  rect: Rect | null;
}

const LEFT = textPx(50);
const RIGHT = 10;
const TOP = textPx(20);
const BOTTOM = textPx(34);
const RADIUS = 2.4;
const FONT = `${textPx(11)}px system-ui, sans-serif`;
const X_TICK_PX = textPx(62);
const Y_TICK_PX = textPx(34);

/** Places of the points in CSS pixels; they are those of `drawScatter` with the same size. */
export interface ScatterLayout {
  x: Axis;
  y: Axis;
  places: { x: number; y: number }[];
}

export function layoutScatter(points: readonly Point[], width: number, height: number): ScatterLayout {
  const plotWidth = width - LEFT - RIGHT;
  const plotHeight = height - TOP - BOTTOM;
  const x = axisOf(points.map((p) => p.x), Math.max(2, plotWidth / X_TICK_PX));
  const y = axisOf(points.map((p) => p.y), Math.max(2, plotHeight / Y_TICK_PX));
  return {
    x, y,
    places: points.map((p) => ({ x: LEFT + place(x, p.x) * plotWidth, y: TOP + (1 - place(y, p.y)) * plotHeight })),
  };
}

function dot(c: CanvasRenderingContext2D, p: { x: number; y: number }, radius: number): void {
  c.beginPath();
  c.arc(p.x, p.y, radius, 0, 2 * Math.PI);
}

function drawAxes(c: CanvasRenderingContext2D, layout: ScatterLayout, content: ScatterContent, width: number, height: number): void {
  c.font = FONT;
  c.strokeStyle = colour("--grid");
  c.fillStyle = colour("--text-dim");
  c.lineWidth = 1;
  c.textAlign = "center";
  c.textBaseline = "top";
  const bottom = height - BOTTOM;
  for (const tick of layout.x.ticks) {
    const at = Math.round(LEFT + place(layout.x, tick) * (width - LEFT - RIGHT)) + 0.5;
    c.beginPath();
    c.moveTo(at, TOP);
    c.lineTo(at, bottom);
    c.stroke();
    const text = formatTick(tick, content.x.unit);
    const half = c.measureText(text).width / 2;
    // Not over the edge, and not under the lowest label of the other axis.
    c.fillText(text, Math.min(Math.max(at, LEFT + half - 2), width - half - 1), bottom + 4);
  }
  c.textAlign = "right";
  c.textBaseline = "middle";
  for (const tick of layout.y.ticks) {
    const at = Math.round(TOP + (1 - place(layout.y, tick)) * (bottom - TOP)) + 0.5;
    c.beginPath();
    c.moveTo(LEFT, at);
    c.lineTo(width - RIGHT, at);
    c.stroke();
    c.fillText(formatTick(tick, content.y.unit), LEFT - 5, at);
  }
  c.fillStyle = colour("--text");
  c.textAlign = "left";
  c.textBaseline = "top";
  c.fillText(content.y.label, 2, 2, width - 4);
  c.textAlign = "right";
  c.textBaseline = "bottom";
  c.fillText(content.x.label, width - RIGHT, height - 1, width - LEFT);
}

export function drawScatter(canvas: HTMLCanvasElement, width: number, height: number, content: ScatterContent): ScatterLayout {
  const ratio = devicePixelRatio;
  // Setting the size also clears it, and costs an allocation: only when it differs.
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const layout = layoutScatter(content.points, width, height);
  const c = canvas.getContext("2d");
  if (!c) return layout;
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, width, height);
  drawAxes(c, layout, content, width, height);
  const length = Math.max(1, content.to - content.from);
  const some = content.chosen.size > 0;
  layout.places.forEach((p, i) => {
    c.globalAlpha = !some || content.chosen.has(i) ? 0.85 : 0.18;
    c.fillStyle = timeColour(((content.points[i]?.t ?? 0) - content.from) / length);
    dot(c, p, RADIUS);
    c.fill();
  });
  c.globalAlpha = 1;
  c.strokeStyle = colour("--text");
  for (const i of content.chosen) {
    const p = layout.places[i];
    if (!p) continue;
    dot(c, p, RADIUS + 0.5);
    c.stroke();
  }
  const current = layout.places[content.current];
  if (current) {
    c.lineWidth = 2;
    dot(c, current, RADIUS + 4);
    c.stroke();
  }
  if (content.rect) {
    const { x0, y0, x1, y1 } = content.rect;
    c.fillStyle = colour("--select");
    c.fillRect(x0, y0, x1 - x0, y1 - y0);
    c.lineWidth = 1;
    c.strokeStyle = colour("--accent");
    c.strokeRect(x0, y0, x1 - x0, y1 - y0);
  }
  return layout;
}
