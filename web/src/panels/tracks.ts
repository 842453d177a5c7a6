// SPDX-License-Identifier: Apache-2.0
// From what the person chose (state.tracks) to the tracks of the timeline.
//
//   ID = (a default track's id | "col:" COLUMN ("+" COLUMN)…) [":log" | ":lin"]
//
// A column that this server does not have keeps its place, so that a link from another machine says what is missing.

import type { Column, Meta } from "../data/wire";
import type { Unit } from "../lib/format";
import type { LineSpec } from "./line-panel";
import { HEAT_TRACK, TRACKS, trackIds } from "./table";
import { meaningOf, unitOf } from "./units";

const COLOURS = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5"] as const;
/** As many columns as there are colours that can be told apart. */
export const SERIES_MOST = COLOURS.length;
/** Each wants a height in which something can be seen. */
export const TRACKS_MOST = 24;

/** Up to here a log axis is linear: the least value of each unit that is worth a height (of time: 1 ms). A rate's depends on the interval. */
const LINEAR_BELOW: Record<Exclude<Unit, "rate">, number> = { count: 10, share: 0.001, ratio: 0.01, time: 1e6 };

export interface TrackId {
  /** Without the axis. */
  base: string;
  /** Of a track of chosen columns; empty for a default track. */
  columns: readonly string[];
  axis: "log" | "lin" | null;
}

export function parseTrack(id: string): TrackId | null {
  const [, base, axis] = /^(.*?)(?::(log|lin))?$/s.exec(id) ?? [];
  if (!base) return null;
  const kind = axis === "log" || axis === "lin" ? axis : null;
  if (base === HEAT_TRACK) return axis === undefined ? { base, columns: [], axis: null } : null;
  if (!base.startsWith("col:")) return TRACKS.some((t) => t.id === base) ? { base, columns: [], axis: kind } : null;
  const columns = [...new Set(base.slice(4).split("+"))];
  // Ids of columns: docs/api.md.
  if (columns.length > SERIES_MOST || !columns.every((c) => /^[a-z0-9_]+$/.test(c))) return null;
  return { base, columns, axis: kind };
}

export function trackOf(columns: readonly string[], axis: TrackId["axis"] = null): string {
  return `col:${columns.join("+")}${axis === null ? "" : ":" + axis}`;
}

/** The same track with the other axis. */
export function withAxis(id: string, log: boolean): string {
  const track = parseTrack(id);
  if (!track) return id;
  const byItself = TRACKS.find((t) => t.id === track.base)?.scale === "log";
  return log === byItself ? track.base : `${track.base}:${log ? "log" : "lin"}`;
}

export function isLog(id: string): boolean {
  const track = parseTrack(id);
  return track?.axis === "log" || (track?.axis === null && TRACKS.find((t) => t.id === track.base)?.scale === "log");
}

/** Columns that a track draws, known before /api/meta is; none for what is no track of lines. */
export function trackColumns(id: string): readonly string[] {
  const track = parseTrack(id);
  if (track && track.columns.length > 0) return track.columns;
  return TRACKS.find((t) => t.id === track?.base)?.series.map((s) => s.column) ?? [];
}

function logAxis(unit: Unit): Pick<LineSpec, "scale" | "linearBelow"> {
  return unit === "rate" ? { scale: "log" } : { scale: "log", linearBelow: LINEAR_BELOW[unit] };
}

function chosen(id: string, track: TrackId, all: readonly Column[]): LineSpec {
  const columns = track.columns.map((id) => all.find((c) => c.id === id));
  const names = track.columns.map((c, i) => columns[i]?.name ?? c);
  const log = track.axis === "log";
  const first = columns.find((c) => c !== undefined);
  const unit = unitOf(first);
  return {
    id,
    title: names.join(", "),
    unit,
    subtitle: (intervalMs) => [meaningOf(first, intervalMs), log ? "logarithmic" : ""].filter((s) => s !== "").join(", "),
    ...(log ? logAxis(unit) : { scale: "auto" }),
    series: track.columns.map((column, i) => ({ column, label: names[i] ?? column, colour: COLOURS[i] ?? COLOURS[0] })),
  };
}

/** The lines of a track; undefined: it is none of lines, or none at all. */
export function lineSpec(id: string, columns: readonly Column[]): LineSpec | undefined {
  const track = parseTrack(id);
  if (!track) return undefined;
  if (track.columns.length > 0) return chosen(id, track, columns);
  const spec = TRACKS.find((t) => t.id === track.base);
  return !spec || track.axis === null ? spec : { ...spec, id, ...axisOf(spec, track.axis) };
}

/** null: the default ones. What is no track of lines, or is there already, is left out. */
export function tracksFor(ids: readonly string[] | null, meta: Meta): LineSpec[] {
  const seen = new Set<string>();
  const specs: LineSpec[] = [];
  for (const id of trackIds(ids, meta)) {
    const base = parseTrack(id)?.base ?? "";
    const spec = seen.has(base) || specs.length >= TRACKS_MOST ? undefined : lineSpec(id, meta.columns);
    seen.add(base);
    if (spec) specs.push(spec);
  }
  return specs;
}

export function trackTitle(id: string, meta: Meta): string {
  return id === HEAT_TRACK ? "CPUs" : lineSpec(id, meta.columns)?.title ?? id;
}

function axisOf(spec: LineSpec, axis: "log" | "lin"): Pick<LineSpec, "scale" | "subtitle" | "linearBelow"> {
  const words = (ms: number, ofTasks?: boolean): string => spec.subtitle(ms, ofTasks).replace(/, logarithmic$/, "");
  if (axis === "lin") return { scale: spec.scale === "log" ? "auto" : spec.scale, subtitle: words };
  return { ...logAxis(spec.unit), subtitle: (ms, ofTasks) => `${words(ms, ofTasks)}, logarithmic` };
}
