// SPDX-License-Identifier: Apache-2.0
import type { LineSpec } from "./line-panel";

/** The one number of how well the work runs: lower is better. */
export const cpi: LineSpec = {
  id: "cpi",
  title: "CPI",
  unit: "ratio",
  subtitle: () => "cycles per instruction",
  scale: "auto",
  series: [{ column: "cpi", label: "CPI", colour: "--series-5" }],
};
