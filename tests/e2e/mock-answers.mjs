// SPDX-License-Identifier: Apache-2.0
// The mock server's answers about spans, processes and the doctor: computed from its samples, by the words of docs/api.md.

const BATCHES = 10;
const sum = (list) => list.reduce((a, b) => a + b, 0);
const mean = (list) => sum(list) / list.length;
const variance = (list) => {
  const m = mean(list);
  return sum(list.map((v) => (v - m) ** 2)) / (list.length - 1);
};

/** Standard error of the mean from the means of batches of neighbours. */
export function standardError(values) {
  if (values.length < 2 * BATCHES) return null;
  const size = Math.floor(values.length / BATCHES);
  return Math.sqrt(variance(Array.from({ length: BATCHES }, (_, i) => mean(values.slice(i * size, (i + 1) * size)))) / BATCHES);
}

export function pearson(pairs) {
  if (pairs.length < 3) return null;
  const [mx, my] = [mean(pairs.map((p) => p[0])), mean(pairs.map((p) => p[1]))];
  const xy = sum(pairs.map(([x, y]) => (x - mx) * (y - my)));
  const scale = Math.sqrt(sum(pairs.map(([x]) => (x - mx) ** 2)) * sum(pairs.map(([, y]) => (y - my) ** 2)));
  return scale > 0 ? xy / scale : null;
}

const RATIOS = {
  cpi: ["cycles", "instructions"], ipc: ["instructions", "cycles"], cache_miss_rate: ["cache_misses", "cache_references"],
  branch_miss_rate: ["branch_misses", "branches"],
};

export function mockSpan(samples, q, interval) {
  const ids = q.get("columns").split(",");
  const cpu = q.get("cpu");
  const rows = samples.map((s) => ({ ...s, values: cpu === null ? s.values : s.cpus[cpu] }));
  const columns = {};
  for (const id of ids) {
    const values = rows.map((s) => s.values[id]).filter((v) => v != null);
    if (values.length === 0) {
      columns[id] = { n: 0, sum: null, mean: null, stddev: null, stderr: null, min: null, max: null, p50: null, p95: null, p99: null, first: null, last: null, running: 0 };
      continue;
    }
    const order = [...values].sort((a, b) => a - b);
    const at = (p) => order[Math.min(order.length - 1, Math.floor(p * order.length))];
    const ratio = RATIOS[id];
    const metric = ratio !== undefined || id.endsWith("_per_second") || id === "cpu_use";
    const total = (side) => sum(rows.map((s) => s.values[side] ?? 0));
    const word = rows.map((s) => s.quality[id]).find((w) => w?.startsWith("scaled"));
    columns[id] = {
      n: values.length, sum: metric ? null : sum(values), mean: ratio ? total(ratio[0]) / total(ratio[1]) : mean(values),
      stddev: values.length > 1 ? Math.sqrt(variance(values)) : null, stderr: standardError(values), min: order[0], max: order.at(-1),
      p50: at(0.5), p95: at(0.95), p99: at(0.99), first: values[0], last: values.at(-1), running: word ? Number(word.slice(7)) : 100,
    };
  }
  const pairs = (a, b) => rows.map((s) => [s.values[a], s.values[b]]).filter(([x, y]) => x != null && y != null);
  return {
    from: rows.length ? rows[0].timestamp - interval : null, to: rows.at(-1)?.timestamp ?? null, resolution_ms: interval,
    seconds: rows.length * interval / 1000, buckets: rows.length, missing: 0, columns,
    correlation: {
      columns: ids, r: ids.map((a) => ids.map((b) => pearson(pairs(a, b)))), n: ids.map((a) => ids.map((b) => pairs(a, b).length)),
    },
  };
}

const NAMES = ["make", "cc1", "ld", "bash", "python3", "kworker/0:1", "postgres", "node", "sshd", "systemd-journal"];

/** Processes whose CPU time changes with the span, so that an order by it changes too. */
export function mockProcesses(samples, q, suffix, number = 40) {
  const limit = Number(q.get("limit") ?? 100);
  const seconds = Math.floor(samples.length / 10);
  const last = samples.at(-1)?.sequence ?? 0;
  const all = Array.from({ length: number }, (_, i) => ({
    pid: i === 8 ? 4_194_303 : 1000 + 7 * i, comm: NAMES[i % NAMES.length] + suffix,
    cpu_time_ms: Number((Math.max(0.25, seconds * 400 * Math.abs(Math.sin(i * 3 + last / 25)) / (i + 1))).toFixed(2)),
    first_seen: samples[0]?.timestamp ?? 0, last_seen: samples.at(-1)?.timestamp ?? 0, born: i % 5 === 0, ended: i % 10 === 0,
  })).sort((a, b) => b.cpu_time_ms - a.cpu_time_ms);
  for (const p of all) p.share = seconds > 0 ? Number((p.cpu_time_ms / 1000 / seconds).toPrecision(4)) : null;
  return {
    from: samples[0]?.timestamp ?? null, to: samples.at(-1)?.timestamp ?? null, seconds, cpu_time_ms: sum(all.map((p) => p.cpu_time_ms)),
    forks: 118, count: all.length, truncated: all.length > limit, processes: all.slice(0, limit),
  };
}

const UNITS = { cpi: "cycles per instruction", ipc: "instructions per cycle", cache_miss_rate: "share", branch_miss_rate: "share" };

/** A column of /api/meta as the program describes it, with a name from a hostile machine in front. */
export function described(column, prefix) {
  if (column.kind !== "metric") return { ...column, name: prefix + column.name };
  const unit = column.id.endsWith("_per_second") ? "per second" : UNITS[column.id] ?? column.unit;
  return { ...column, unit, source: "linux: tools/perf/util/stat-shadow.c" };
}

export function mockHistory(first, suffix) {
  return {
    path: "/var/lib/cyclescope/history.db" + suffix, first, bytes: 12_345_678, bound_bytes: 536_870_912, state: "ok", reason: null,
    tiers: [100, 1000, 10_000, 60_000].map((resolution_ms) => ({ resolution_ms, first })),
  };
}

export function mockDoctor(suffix) {
  return CHECKS.map((c) => (suffix === "" ? c : { ...c, found: suffix, cost: suffix, remedy: `${suffix} \`${suffix}\`` }));
}

const CHECKS = [
  { name: "software", status: "pass", found: "software events work", cost: "", remedy: "" },
  { name: "hardware", status: "fail", found: "the hypervisor gives this virtual machine no PMU", cost: "no cycles, instructions, cache or branch events",
    remedy: "on the host: `qemu-system-x86_64 -cpu host,pmu=on`, or a machine of its own" },
  { name: "kernel-symbols", status: "limited", found: "kptr_restrict is 1", cost: "names of kernel functions for others than root",
    remedy: "`sysctl kernel.kptr_restrict=0`" },
  { name: "clock", status: "unknown", found: "the clock source could not be read", cost: "", remedy: "" },
];
