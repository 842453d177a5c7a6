// SPDX-License-Identifier: Apache-2.0
import type { LineSpec } from "./line-panel";

/** Where there is work at all. (Of each CPU: the heatmap.) */
export const cpu: LineSpec = {
  id: "cpu",
  title: "CPU use",
  unit: "share",
  subtitle: (_, ofTasks) => `${ofTasks ? "of the whole machine, " : ""}over the last second`,
  scale: "share",
  series: [{ column: "cpu_use", label: "CPU use", colour: "--total" }],
};
