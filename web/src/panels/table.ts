// SPDX-License-Identifier: Apache-2.0
// The tracks that the timeline can show, and those that it shows unless something else was chosen, from top to bottom. A track whose
// columns this machine cannot count moves below the others. Any column is a track of its own, too: its id is "col:" and the
// column's. A count that none of them is drawn from (an event of -e, somebody's CSV, samples) is such a track by itself.

import type { Meta } from "../data/wire";
import { cpi } from "./cpi";
import { cpu } from "./cpu";
import { cycles } from "./cycles";
import type { LineSpec } from "./line-panel";
import { missRates } from "./miss-rates";
import { columnOf, isAbsent } from "./quality";
import { software } from "./software";
import { tasksCpu } from "./tasks-cpu";

export const TRACKS: readonly LineSpec[] = [cycles, missRates, cpi, tasksCpu, cpu, software];

/** The heatmap of all CPUs. */
export const HEAT_TRACK = "cpus";

const DEFAULT_TRACKS: readonly string[] = [cycles.id, missRates.id, cpi.id, tasksCpu.id, cpu.id, HEAT_TRACK, software.id];

/** More of them push what everybody looks for off the first screen. */
const OTHERS_MOST = 4;

/** Counts that no default track draws, or divides. */
function otherCounts(meta: Meta): string[] {
  const drawn = TRACKS.flatMap((t) => t.series).map((s) => columnOf(meta, s.column));
  const used = new Set(drawn.flatMap((c) => [c?.id, ...(c?.inputs ?? [])]));
  return meta.columns.filter((c) => c.kind === "count" && !isAbsent(c) && !used.has(c.id)).slice(0, OTHERS_MOST).map((c) => c.id);
}

/** A machine has no CPUs that a task utilizes: there is nothing to say of that. */
export function defaultTracks(meta: Meta | null): readonly string[] {
  if (!meta) return DEFAULT_TRACKS.filter((id) => id !== tasksCpu.id);
  const ofTasks = tasksCpu.series.every((s) => columnOf(meta, s.column));
  return [...DEFAULT_TRACKS.filter((id) => ofTasks || id !== tasksCpu.id), ...otherCounts(meta).map((id) => `col:${id}`)];
}

/** What is shown when this was chosen (null: nothing was). */
export function trackIds(chosen: readonly string[] | null, meta: Meta | null): readonly string[] {
  return chosen ?? defaultTracks(meta);
}
