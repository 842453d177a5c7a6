// SPDX-License-Identifier: Apache-2.0
// The tracks of the timeline, from top to bottom. A track whose columns this machine cannot count moves below the others. The heatmap
// of all CPUs is always there: below this track, or the last one.

import { cpi } from "./cpi";
import { cpu } from "./cpu";
import { cycles } from "./cycles";
import type { LineSpec } from "./line-panel";
import { missRates } from "./miss-rates";
import { software } from "./software";

export const TRACKS: readonly LineSpec[] = [cycles, missRates, cpi, cpu, software];

export const HEAT_BELOW: string = cpu.id;
