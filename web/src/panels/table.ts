// SPDX-License-Identifier: Apache-2.0
// The tracks of the timeline, from top to bottom. A track whose columns this machine cannot count moves below the others.

import { cpi } from "./cpi";
import { cpu } from "./cpu";
import { cycles } from "./cycles";
import type { LineSpec } from "./line-panel";
import { missRates } from "./miss-rates";
import { software } from "./software";

export const TRACKS: readonly LineSpec[] = [cycles, missRates, cpi, cpu, software];

/** The heatmap of all CPUs. */
export const HEAT_TRACK = "cpus";

export const DEFAULT_TRACKS: readonly string[] = TRACKS.map((t) => t.id);
