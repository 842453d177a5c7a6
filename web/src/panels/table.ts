// SPDX-License-Identifier: Apache-2.0
// The tracks that the timeline can show, and those that it shows unless something else was chosen, from top to bottom. A track whose
// columns this machine cannot count moves below the others. Any column is a track of its own, too: its id is "col:" and the
// column's.

import type { Meta } from "../data/wire";
import { cpi } from "./cpi";
import { cpu } from "./cpu";
import { cycles } from "./cycles";
import type { LineSpec } from "./line-panel";
import { missRates } from "./miss-rates";
import { columnOf } from "./quality";
import { software } from "./software";
import { tasksCpu } from "./tasks-cpu";

export const TRACKS: readonly LineSpec[] = [cycles, missRates, cpi, tasksCpu, cpu, software];

/** The heatmap of all CPUs. */
export const HEAT_TRACK = "cpus";

const DEFAULT_TRACKS: readonly string[] = [cycles.id, missRates.id, cpi.id, tasksCpu.id, cpu.id, HEAT_TRACK, software.id];

/** A machine has no CPUs that a task utilizes: there is nothing to say of that. */
export function defaultTracks(meta: Meta | null): readonly string[] {
  const ofTasks = meta !== null && tasksCpu.series.every((s) => columnOf(meta, s.column));
  return ofTasks ? DEFAULT_TRACKS : DEFAULT_TRACKS.filter((id) => id !== tasksCpu.id);
}

/** What is shown when this was chosen (null: nothing was). */
export function trackIds(chosen: readonly string[] | null, meta: Meta | null): readonly string[] {
  return chosen ?? defaultTracks(meta);
}
