// SPDX-License-Identifier: Apache-2.0
// The tracks that the timeline can show, and those that it shows unless something else was chosen, from top to bottom. A track whose
// columns this machine cannot count moves below the others. Any column is a track of its own, too: its id is "col:" and the
// column's.

import { cpi } from "./cpi";
import { cpu } from "./cpu";
import { cycles } from "./cycles";
import type { LineSpec } from "./line-panel";
import { missRates } from "./miss-rates";
import { software } from "./software";

export const TRACKS: readonly LineSpec[] = [cycles, missRates, cpi, cpu, software];

/** The heatmap of all CPUs. */
export const HEAT_TRACK = "cpus";

export const DEFAULT_TRACKS: readonly string[] = [cycles.id, missRates.id, cpi.id, cpu.id, HEAT_TRACK, software.id];

/** What is shown when this was chosen (null: nothing was). */
export function trackIds(chosen: readonly string[] | null): readonly string[] {
  return chosen ?? DEFAULT_TRACKS;
}
