// SPDX-License-Identifier: Apache-2.0
// The tracks that the timeline can show, and those that it shows unless something else was chosen, from top to bottom. A track whose
// columns this machine cannot count moves below the others. Any column is a track of its own, too: its id is "col:" and the
// column's.

import type { Column } from "../data/wire";
import { cpi } from "./cpi";
import { cpu } from "./cpu";
import { cycles } from "./cycles";
import type { LineSpec } from "./line-panel";
import { perInterval } from "./line-panel";
import { missRates } from "./miss-rates";
import { unitOf } from "./quality";
import { software } from "./software";

export const TRACKS: readonly LineSpec[] = [cycles, missRates, cpi, cpu, software];

/** The heatmap of all CPUs. */
export const HEAT_TRACK = "cpus";

export const DEFAULT_TRACKS: readonly string[] = [cycles.id, missRates.id, cpi.id, cpu.id, HEAT_TRACK, software.id];

const COLUMN_PREFIX = "col:";

/** What a track of lines shows; undefined: there is no such track (its column may come with the next target). */
export function lineSpec(id: string, columns: readonly Column[]): LineSpec | undefined {
  if (!id.startsWith(COLUMN_PREFIX)) return TRACKS.find((t) => t.id === id);
  const column = columns.find((c) => c.id === id.slice(COLUMN_PREFIX.length));
  if (!column) return undefined;
  const unit = unitOf(column);
  return {
    id, title: column.name, unit, scale: "auto",
    subtitle: (ms) => (column.kind === "metric" ? column.unit : perInterval(ms)),
    series: [{ column: column.id, label: column.name, colour: "--series-1" }],
  };
}

/** Columns of the target that a track draws. */
export function trackColumns(id: string): readonly string[] {
  if (id.startsWith(COLUMN_PREFIX)) return [id.slice(COLUMN_PREFIX.length)];
  return TRACKS.find((t) => t.id === id)?.series.map((s) => s.column) ?? [];
}

/** What is shown when this was chosen (null: nothing was). */
export function trackIds(chosen: readonly string[] | null): readonly string[] {
  return chosen ?? DEFAULT_TRACKS;
}
