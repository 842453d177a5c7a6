// SPDX-License-Identifier: Apache-2.0
import { perInterval, type LineSpec } from "./line-panel";

/** How much work: what the clock offered and what was retired in it. */
export const cycles: LineSpec = {
  id: "cycles",
  title: "Cycles and instructions",
  unit: "count",
  subtitle: perInterval,
  scale: "auto",
  series: [
    { column: "cycles", label: "cycles", colour: "--series-1" },
    { column: "instructions", label: "instructions", colour: "--series-2" },
  ],
};
