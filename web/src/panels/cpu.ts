// SPDX-License-Identifier: Apache-2.0
import type { LineSpec } from "./line-panel";

/** Where there is work at all: of the whole target, and of each CPU. */
export const cpu: LineSpec = {
  id: "cpu",
  title: "CPU use",
  unit: "share",
  subtitle: () => "over the last second",
  scale: "share",
  series: [{ column: "cpu_use", label: "total", colour: "--total" }],
  perCpu: "cpu_use",
};
