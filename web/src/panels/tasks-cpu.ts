// SPDX-License-Identifier: Apache-2.0
import type { LineSpec } from "./line-panel";

/** Of a process, command or cgroup: how many CPUs it keeps busy. (Of a machine there is no such column.) */
export const tasksCpu: LineSpec = {
  id: "tasks-cpu",
  title: "CPUs utilized",
  unit: "ratio",
  subtitle: () => "CPU time of the target per time",
  scale: "auto",
  series: [{ column: "cpus_utilized", label: "CPUs", colour: "--total" }],
};
