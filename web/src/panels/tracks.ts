// SPDX-License-Identifier: Apache-2.0
// From what the person chose (state.tracks) to the tracks of the timeline.
//
//   ID = (a default track's id | "col:" COLUMN ("+" COLUMN)…) [":log" | ":lin"]
//
// A column that this server does not have keeps its place, so that a link from another machine says what is missing.

import type { Meta } from "../data/wire";
import type { Unit } from "../lib/format";
import type { LineSpec } from "./line-panel";
import { columnOf } from "./quality";
import { TRACKS } from "./table";
import { meaningOf, unitOf } from "./units";

const COLOURS = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5"] as const;
/** As many columns as there are colours that can be told apart. */
export const SERIES_MOST = COLOURS.length;
/** Each wants a height in which something can be seen. */
export const TRACKS_MOST = 24;

/** Up to here a log axis is linear: the least value of each unit that is worth a height. A rate's depends on the interval. */
const LINEAR_BELOW: Record<Exclude<Unit, "rate">, number> = { count: 10, share: 0.001, ratio: 0.01, time: 1000 };

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

export function columnsOf(spec: LineSpec): string[] {
  return spec.series.map((s) => s.column);
}

function logAxis(unit: Unit): Pick<LineSpec, "scale" | "linearBelow"> {
  return unit === "rate" ? { scale: "log" } : { scale: "log", linearBelow: LINEAR_BELOW[unit] };
}

function chosen(id: string, track: TrackId, meta: Meta): LineSpec {
  const columns = track.columns.map((c) => columnOf(meta, c));
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

/** The default tracks for null. What is no track, or is there already, is left out. */
export function tracksFor(ids: readonly string[] | null, meta: Meta): LineSpec[] {
  if (ids === null) return [...TRACKS];
  const seen = new Set<string>();
  const specs: LineSpec[] = [];
  for (const id of ids) {
    const track = parseTrack(id);
    if (!track || seen.has(track.base) || specs.length >= TRACKS_MOST) continue;
    seen.add(track.base);
    const spec = TRACKS.find((t) => t.id === track.base);
    if (!spec) specs.push(chosen(id, track, meta));
    else if (track.axis === null) specs.push(spec);
    else specs.push({ ...spec, id, ...axisOf(spec, track.axis) });
  }
  return specs;
}

function axisOf(spec: LineSpec, axis: "log" | "lin"): Pick<LineSpec, "scale" | "subtitle" | "linearBelow"> {
  const words = (ms: number): string => spec.subtitle(ms).replace(/, logarithmic$/, "");
  if (axis === "lin") return { scale: spec.scale === "log" ? "auto" : spec.scale, subtitle: words };
  return { ...logAxis(spec.unit), subtitle: (ms) => `${words(ms)}, logarithmic` };
}

/** The columns of chosen tracks, also before it is known which of them there are. */
export function wantedColumns(ids: readonly string[] | null): string[] {
  const of = (base: string): string[] => TRACKS.filter((t) => t.id === base).flatMap(columnsOf);
  if (ids === null) return TRACKS.flatMap(columnsOf);
  return ids.flatMap((id) => {
    const track = parseTrack(id);
    return track === null ? [] : track.columns.length > 0 ? [...track.columns] : of(track.base);
  });
}
