// SPDX-License-Identifier: Apache-2.0
import type { LineSpec } from "./line-panel";

/** What the kernel did. Major faults beside context switches: a scale of decades shows both. */
export const software: LineSpec = {
  id: "software",
  title: "Kernel events",
  unit: "rate",
  subtitle: () => "per second, logarithmic",
  scale: "log",
  series: [
    { column: "context_switches_per_second", label: "context switches", colour: "--series-1" },
    { column: "cpu_migrations_per_second", label: "migrations", colour: "--series-2" },
    { column: "minor_faults_per_second", label: "minor faults", colour: "--series-3" },
    { column: "major_faults_per_second", label: "major faults", colour: "--series-4" },
  ],
};
