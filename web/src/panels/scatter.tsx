// SPDX-License-Identifier: Apache-2.0
// Two columns against each other, a point for each bucket of the span. A rectangle that is dragged open chooses points: their
// times are marked on the timeline. By keys: the arrows go from point to point in the order of time, Space chooses.

import { useEffect, useRef, useState } from "preact/hooks";
import { nearestPoint, pointsWithin, timeColour, type Point, type Rect } from "../chart/scatter-scale";
import { drawScatter, type ScatterLayout } from "../chart/scatter";
import { fetchSeries } from "../data/api";
import type { Column, Series } from "../data/wire";
import { formatClock, formatDay, formatValue } from "../lib/format";
import { colours } from "../lib/theme";
import { ErrorLine, useAnswer, useWatched, type Given, type Subject } from "./inspect";
import { meaningOf, unitOf } from "./units";

const POINTS = 2000;
const HEIGHT = 280;
/** A pointer is at a point when it is not farther from it, CSS pixels. */
const NEAR_PX = 14;
/** Shorter drags are clicks. */
const CLICK_PX = 4;
const FAR_STEP = 20;

export function pointsOf(series: Series, x: string, y: string): Point[] {
  return series.t.flatMap((t, i) => {
    const px = series.columns[x]?.mean[i] ?? null;
    const py = series.columns[y]?.mean[i] ?? null;
    return px === null || py === null || !Number.isFinite(t) ? [] : [{ t, x: px, y: py }];
  });
}

function labelOf(column: Column, intervalMs: number): string {
  const meaning = meaningOf(column, intervalMs);
  return meaning === "" ? column.name : `${column.name}, ${meaning}`;
}

function Legend({ subject }: { subject: Subject }) {
  return (
    <p class="time-legend">
      <span class="nums">{formatDay(subject.from, subject.to)}{formatClock(subject.from)}</span>
      <span class="ramp" aria-hidden="true">
        {Array.from({ length: 24 }, (_, i) => <i key={i} style={{ background: timeColour(i / 23) }} />)}
      </span>
      <span class="nums">{formatDay(subject.to, subject.from)}{formatClock(subject.to)}</span>
    </p>
  );
}

export function Scatter({ given, subject, x, y }: { given: Given; subject: Subject; x: Column; y: Column }) {
  const { state, session } = given.context;
  const cpu = useWatched(state.cpu);
  const marks = useWatched(state.marks);
  const painted = useWatched(colours);
  /** Time of the point that is pointed at: its index moves on with a live view. */
  const [at, setAt] = useState<number | null>(null);
  const [rect, setRect] = useState<Rect | null>(null);
  const [width, setWidth] = useState(0);
  const canvas = useRef<HTMLCanvasElement>(null);
  const layout = useRef<ScatterLayout | null>(null);
  const { question, answer, error } = useAnswer(
    (q: { x: string; y: string; from: number; to: number; cpu: number | null }, abort) => fetchSeries({
      columns: [q.x, q.y], from: q.from, to: q.to, points: POINTS, ...(q.cpu === null ? {} : { cpu: q.cpu }),
    }, abort),
    { x: x.id, y: y.id, from: subject.from, to: subject.to, cpu });
  const right = question?.x === x.id && question.y === y.id;
  const points = right && answer ? pointsOf(answer, x.id, y.id) : [];
  const marked = new Set(marks);
  const chosen = new Set(points.flatMap((p, i) => (marked.has(p.t) ? [i] : [])));
  const current = at === null ? -1 : points.findIndex((p) => p.t === at);
  const setCurrent = (i: number): void => setAt(points[i]?.t ?? null);
  const intervalMs = session.meta.get()?.intervalMs ?? 100;

  useEffect(() => {
    const node = canvas.current;
    if (!node) return undefined;
    const observer = new ResizeObserver(() => setWidth(node.clientWidth));
    observer.observe(node);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (!canvas.current || width === 0) return;
    layout.current = drawScatter(canvas.current, width, HEIGHT, {
      points, chosen, current, rect, from: subject.from, to: subject.to,
      x: { label: labelOf(x, intervalMs), unit: unitOf(x) }, y: { label: labelOf(y, intervalMs), unit: unitOf(y) },
    });
  }, [answer, width, marks, current, rect, painted, x.id, y.id]);

  const placeOf = (event: PointerEvent): { x: number; y: number } => {
    const box = canvas.current?.getBoundingClientRect();
    return { x: event.clientX - (box?.left ?? 0), y: event.clientY - (box?.top ?? 0) };
  };
  const nearest = (p: { x: number; y: number }): number => nearestPoint(layout.current?.places ?? [], p.x, p.y, NEAR_PX);
  const choose = (indices: readonly number[]): void => {
    const times = indices.flatMap((i) => points[i]?.t ?? []);
    state.marks.set(times);
    given.say(times.length === 0 ? "Nothing chosen." : `${times.length} ${times.length === 1 ? "point" : "points"} marked. Esc clears.`);
  };
  const toggle = (i: number): void => {
    const next = new Set(chosen);
    if (!next.delete(i)) next.add(i);
    choose([...next].sort((a, b) => a - b));
  };
  const finish = (event: PointerEvent): void => {
    if (!rect) return;
    const p = placeOf(event);
    setRect(null);
    if (Math.hypot(p.x - rect.x0, p.y - rect.y0) >= CLICK_PX) choose(pointsWithin(layout.current?.places ?? [], { ...rect, x1: p.x, y1: p.y }));
    else if (nearest(p) >= 0) toggle(nearest(p));
    else choose([]);
  };
  const key = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: FAR_STEP, PageDown: -FAR_STEP };
    const step = steps[event.key];
    const last = points.length - 1;
    if (last < 0) return;
    if (step !== undefined) setCurrent(Math.min(last, Math.max(0, current < 0 ? (step > 0 ? 0 : last) : current + step)));
    else if (event.key === "Home") setCurrent(0);
    else if (event.key === "End") setCurrent(last);
    else if ((event.key === " " || event.key === "Enter") && current >= 0) toggle(current);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const p = points[current];
  const words = p === undefined ? "" : `${formatDay(p.t)}${formatClock(p.t, true)}: ${x.name} ${formatValue(p.x, unitOf(x))}, ${y.name} ${formatValue(p.y, unitOf(y))}`;
  return (
    <figure class="scatter">
      <figcaption><b>{y.name}</b> against <b>{x.name}</b> <span class="dim">{points.length} points, colour is time</span></figcaption>
      <canvas ref={canvas} tabIndex={0} role="slider" aria-label={`Scatter plot of ${y.name} against ${x.name}: points in the order of time`}
        aria-valuemin={0} aria-valuemax={Math.max(0, points.length - 1)} aria-valuenow={Math.max(0, current)}
        aria-valuetext={words || `${points.length} points`} data-points={points.length} data-chosen={chosen.size}
        onKeyDown={key}
        onPointerDown={(e) => {
          if (e.button !== 0) return;
          e.currentTarget.setPointerCapture(e.pointerId);
          const { x: px, y: py } = placeOf(e);
          setRect({ x0: px, y0: py, x1: px, y1: py });
        }}
        onPointerMove={(e) => {
          const q = placeOf(e);
          if (rect) setRect({ ...rect, x1: q.x, y1: q.y });
          else setCurrent(nearest(q));
        }}
        onPointerUp={finish} onPointerCancel={() => setRect(null)} onPointerLeave={() => rect || setCurrent(-1)} />
      <p class="dim nums point" aria-hidden="true">{words || "Drag a rectangle over points to mark them on the timeline."}</p>
      <Legend subject={subject} />
      {chosen.size > 0 && (
        <p class="buttons">
          <span>{chosen.size} chosen</span>
          <button type="button" data-action="clear-marks" onClick={() => choose([])}>Clear (Esc)</button>
        </p>
      )}
      <ErrorLine error={error} path="/api/series" />
    </figure>
  );
}
