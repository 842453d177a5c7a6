// SPDX-License-Identifier: Apache-2.0
import type { LineSpec } from "./line-panel";

/** Why the work is slow: memory, or the wrong guess. */
export const missRates: LineSpec = {
  id: "miss-rates",
  title: "Miss rates",
  unit: "share",
  subtitle: () => "misses per reference or branch",
  scale: "auto",
  series: [
    { column: "cache_miss_rate", label: "cache", colour: "--series-3" },
    { column: "branch_miss_rate", label: "branch", colour: "--series-4" },
  ],
};
