// SPDX-License-Identifier: Apache-2.0
// A server that speaks docs/api.md with made-up numbers, so that the page can be tested in situations that a real machine
// does not offer on demand: no PMU, gaps, a token, a restart, an end, names full of HTML.
//
//   node mock-server.mjs [--port N] [--page FILE] [--scenario pmu|no-pmu|gaps|qualities|token|ended|html|cells] [--cpus N] [--rows N] [--days N]

import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { described, mockDoctor, mockHistory, mockProcesses, mockSpan } from "./mock-answers.mjs";

const COUNTS = [
  "cycles", "instructions", "cache_references", "cache_misses", "branches", "branch_misses",
  "context_switches", "cpu_migrations", "minor_faults", "major_faults",
];
const HARDWARE = new Set(COUNTS.slice(0, 6));
const GAUGES = ["cpu_user", "cpu_system", "cpu_iowait", "cpu_irq", "cpu_steal", "cpu_idle"];
const METRICS = {
  cpi: ["CPI", "cycles / instructions", "cycles", "instructions"],
  ipc: ["IPC", "instructions / cycles", "instructions", "cycles"],
  cache_miss_rate: ["Cache-miss rate", "cache-misses / cache-references", "cache_misses", "cache_references"],
  branch_miss_rate: ["Branch-miss rate", "branch-misses / branches", "branch_misses", "branches"],
};
const UNITS = { cache_miss_rate: "share", branch_miss_rate: "share", cpi: "cycles per instruction", ipc: "instructions per cycle" };
const RATES = ["context_switches", "cpu_migrations", "minor_faults", "major_faults"];
const RATE_NAMES = { context_switches: "Context switches", cpu_migrations: "CPU migrations", minor_faults: "Minor faults", major_faults: "Major faults" };
const PRESSURES = { pressure_cpu_some: "CPU pressure", pressure_io_some: "I/O pressure", pressure_memory_some: "Memory pressure" };
const WHY = "The virtual machine offers no hardware PMU to its guest; ask its host for one (QEMU: -cpu host).";
const DENIED = "perf_event_paranoid is 3: type `sysctl kernel.perf_event_paranoid=2`, or be root.";
const KEEP_ALIVE_MS = 10_000;
const HTML = "<img src=x onerror=\"document.body.dataset.hacked='yes'\"><script>document.body.dataset.hacked='yes'</script>";

/** A number in [0, 1) that looks random and is the same in every run. */
function noise(n) {
  const x = Math.sin(n * 12.9898) * 43758.5453;
  return x - Math.floor(x);
}

export function makeValues(n, share, pmu) {
  const wave = 1 + 0.45 * Math.sin(n / 90) + 0.25 * Math.sin(n / 17) + 0.15 * noise(n);
  const ipc = 1.1 + 0.5 * Math.sin(n / 130 + 1) + 0.1 * noise(n + 0.5);
  const burst = n % 400 > 330 ? 3 : 1;
  const v = {
    cycles: Math.round(2.1e8 * wave * share),
    context_switches: Math.round((180 + 90 * wave + 60 * noise(n + 7)) * share),
    cpu_migrations: Math.round(4 * noise(n + 3) * share),
    minor_faults: Math.round((900 * burst * wave + 400 * noise(n + 9)) * share),
    major_faults: n % 300 < 4 ? 3 : 0,
  };
  v.instructions = Math.round(v.cycles * ipc);
  v.cache_references = Math.round(v.instructions * 0.021);
  v.cache_misses = Math.round(v.cache_references * (0.11 + 0.06 * Math.sin(n / 60) + 0.02 * noise(n + 11)));
  v.branches = Math.round(v.instructions * 0.18);
  v.branch_misses = Math.round(v.branches * (0.021 + 0.009 * Math.sin(n / 45) + 0.004 * noise(n + 13)));
  const use = Math.min(1, 0.33 * wave * (share < 1 ? 0.6 + 0.8 * noise(Math.floor(n / 10) + share * 977) : 1));
  if (!pmu) for (const id of HARDWARE) v[id] = null;
  for (const [i, id] of Object.keys(PRESSURES).entries()) v[id] = Number((0.02 * noise(n + 21 + i) / (i + 1)).toPrecision(4));
  return finish(v, use, 0.1);
}

function finish(v, use, seconds) {
  for (const [id, [, , top, bottom]] of Object.entries(METRICS)) {
    v[id] = v[top] === null || v[bottom] === null ? null : Number((v[top] / v[bottom]).toPrecision(6));
  }
  for (const id of RATES) v[id + "_per_second"] = v[id] === null ? null : Number((v[id] / seconds).toPrecision(6));
  v.ghz = v.cycles === null ? null : Number((v.cycles / seconds / 1e9).toPrecision(6));
  v.cpu_use = use === null ? null : Number(use.toPrecision(6));
  for (const id of GAUGES) v[id] = use === null ? null : Math.round(1e8 * (id === "cpu_idle" ? 1 - use : use / 5));
  return v;
}

export class Mock {
  constructor(options = {}) {
    this.options = {
      scenario: "pmu", cpus: 2, rows: 1500, limitRows: 36000, interval: 100, page: null, token: null, ...options,
    };
    const { scenario } = this.options;
    this.pmu = scenario !== "no-pmu";
    this.token = scenario === "token" ? (this.options.token ?? "secret-token") : this.options.token;
    this.state = scenario === "ended" ? "ended" : "live";
    this.silent = this.options.silent ?? false;
    this.requests = [];
    this.startRun(this.options.rows);
  }

  startRun(rows) {
    this.run = Math.floor(Math.random() * 2 ** 32).toString(16).padStart(8, "0");
    this.samples = [];
    this.sequence = 0;
    this.nextTime = Math.floor(Date.now() / 100) * 100 - rows * this.options.interval;
    for (let i = 0; i < rows; i++) this.tick();
  }

  /** One interval passes. */
  tick() {
    const n = ++this.sequence;
    this.nextTime += this.options.interval;
    // Ticks that were missed: 5 seconds without a sample.
    if (["gaps", "qualities"].includes(this.options.scenario) && n === 1300) this.nextTime += 5000;
    const values = makeValues(n, 1, this.pmu);
    const quality = {};
    if (this.options.scenario === "gaps") {
      quality.cycles = quality.ghz = "scaled 75";
      if (n % 1500 > 1380 && n % 1500 < 1400) {
        for (const id of ["cache_references", "cache_misses", "cache_miss_rate"]) {
          values[id] = null;
          quality[id] = "never ran";
        }
      }
    }
    // One of each kind beside the others.
    if (this.options.scenario === "qualities") {
      quality.cycles = quality.ghz = "scaled 40";
      const kinds = { cache_miss_rate: "never ran", branch_miss_rate: "denied", cpu_migrations_per_second: "not supported" };
      for (const [id, kind] of Object.entries(kinds)) {
        values[id] = null;
        quality[id] = kind;
      }
    }
    if (!this.pmu) for (const id of [...HARDWARE, ...Object.keys(METRICS), "ghz"]) quality[id] = "not supported";
    if (this.options.tasks) values.cpus_utilized = Number((1.5 + 0.2 * noise(n)).toPrecision(6));
    // What is to be unusual: values of the whole, and of single CPUs.
    Object.assign(values, this.bump);
    const bump = this.bumpCpus;
    const makeCpus = () => this.makeCpus(n, bump);
    let cpus;
    // Those of every CPU are made when someone asks: 512 of them take longer than an interval of a busy machine.
    const sample = { timestamp: this.nextTime, seconds: 0.1, sequence: n, values, quality, get cpus() { return (cpus ??= makeCpus()); } };
    this.samples.push(sample);
    if (this.samples.length > this.options.limitRows) this.samples.shift();
    return sample;
  }

  makeCpus(n, bump) {
    const cpus = {};
    for (let c = 0; c < this.options.cpus; c++) cpus[c] = makeValues(n + c * 37, 1 / this.options.cpus, this.pmu);
    // CPU 0 idle, 1 not counted, 2 offline, the others busy.
    if (this.options.scenario === "cells") {
      cpus[0].cpu_use = 0;
      Object.assign(cpus[1], { cpu_use: null, quality: { cpu_use: "never ran" } });
      Object.assign(cpus[2], { cpu_use: null, quality: { cpu_use: "offline" } });
    }
    for (const [c, values] of Object.entries(bump ?? {})) Object.assign(cpus[c], values);
    return cpus;
  }

  async start() {
    this.streams = new Set();
    this.server = createServer((request, response) => this.answer(request, response));
    await new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(this.port ?? this.options.port ?? 0, "127.0.0.1", resolve);
    });
    this.port = this.server.address().port;
    this.url = `http://127.0.0.1:${this.port}/`;
    if (this.state === "live") this.timer = setInterval(() => this.catchUp(), this.options.interval);
    return this;
  }

  /** Samples up to now. */
  catchUp() {
    if (this.silent) return;
    while (this.nextTime + this.options.interval <= Date.now()) this.tick();
    for (const stream of this.streams) this.flush(stream);
  }

  /** So many samples more, at once and whatever the time is: for who wants to know which ones a page has got, after `silent`. */
  give(count) {
    for (let i = 0; i < count; i++) this.tick();
    for (const stream of this.streams) this.flush(stream, Infinity);
  }

  async stop() {
    clearInterval(this.timer);
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  /** As if the program was stopped and started: the same port, a new run. */
  async restart() {
    await this.stop();
    this.startRun(5);
    await this.start();
  }

  end(reason) {
    clearInterval(this.timer);
    this.state = "ended";
    this.reason = reason;
    for (const { response } of this.streams) response.end(`event: end\ndata: ${JSON.stringify({ reason })}\n\n`);
  }

  answer(request, response) {
    const url = new URL(request.url, this.url);
    this.requests.push(url.pathname + url.search);
    if (url.pathname === "/") {
      const page = this.options.page ? readFileSync(this.options.page) : Buffer.from("no page");
      response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(page);
      return;
    }
    if (this.token && url.pathname !== "/healthz" && request.headers.authorization !== `Bearer ${this.token}`) {
      this.error(response, 401, "unauthorized", "a token is needed");
      return;
    }
    const q = url.searchParams;
    const unknown = q.get("columns")?.split(",").find((id) => this.options.without?.includes(id));
    if (unknown) return this.error(response, 400, "bad_parameter", `columns: there is no column '${unknown}'`);
    switch (url.pathname) {
      case "/api/meta": return this.json(response, this.meta());
      case "/api/latest": return this.json(response, this.samples.length ? this.row(this.samples.at(-1), {}) : {});
      case "/api/data": return this.json(response, this.between(q).map((s) => this.row(s, {})));
      case "/api/span":
        if (this.options.noSpan) return this.error(response, 404, "not_found", "no such path");
        return this.json(response, mockSpan(this.between(q), q, this.options.interval));
      case "/api/processes": return this.json(response, mockProcesses(this.between(q), q, this.hostile, this.options.processes));
      case "/api/doctor": return this.json(response, { checks: mockDoctor(this.hostile), at: this.samples[0]?.timestamp ?? null });
      case "/api/series":
        setTimeout(() => this.json(response, this.series(q)), this.delay ?? 0);
        return undefined;
      case "/api/stream": return this.stream(request, response, q);
      case "/healthz": return this.json(response, { status: "ok" });
      default: return this.error(response, 404, "not_found", "no such path");
    }
  }

  /** What a measured machine may call itself, its processes and its events. */
  get hostile() {
    return this.options.scenario === "html" ? HTML : "";
  }

  between(q) {
    const from = Number(q.get("from") ?? -Infinity);
    const to = Number(q.get("to") ?? Infinity);
    return this.samples.filter((s) => s.timestamp >= from && s.timestamp <= to);
  }

  json(response, value) {
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(value));
  }

  error(response, status, code, message) {
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify({ error: { code, message } }));
  }

  columns() {
    const absent = (id) => !this.pmu && (HARDWARE.has(id) || id in METRICS || id === "ghz");
    const newest = this.samples.at(-1)?.quality ?? {};
    const base = (id) => ({
      per_cpu: true, quality: absent(id) ? "not supported" : newest[id] ?? "exact",
      why: absent(id) || newest[id] === "not supported" ? WHY : newest[id] === "denied" ? DENIED : null,
    });
    return [
      ...COUNTS.map((id) => ({ id, name: id.replaceAll("_", "-"), kind: "count", unit: "", scale: 1, group: 0, ...base(id) })),
      // Of `cells`, as if they were counted: a CPU's never ran there.
      ...GAUGES.map((id) => ({ id, name: id, kind: this.options.scenario === "cells" ? "count" : "gauge", unit: "ns", scale: 1, ...base(id) })),
      ...Object.entries(METRICS).map(([id, [name, formula, ...inputs]]) =>
        ({ id, name, kind: "metric", unit: UNITS[id], formula, source: "", inputs, ...base(id) })),
      { id: "ghz", name: "GHz", kind: "metric", unit: "GHz", formula: "cycles / time", inputs: ["cycles"], ...base("ghz") },
      { id: "cpu_use", name: "CPU use", kind: "metric", unit: "share", formula: "1 - idle / all", inputs: GAUGES, ...base("cpu_use") },
      ...(this.options.tasks ? [{
        id: "cpus_utilized", name: "CPUs utilized", kind: "metric", unit: "CPUs", formula: "task_clock / measured time", inputs: [],
        ...base("cpus_utilized"), per_cpu: false,
      }] : []),
      ...Object.entries(PRESSURES).map(([id, name]) =>
        ({ id, name, kind: "metric", unit: "share", formula: `${id.replace("pressure", "psi")} / time`, inputs: [], ...base(id), per_cpu: false })),
      ...RATES.map((id) => ({
        id: id + "_per_second", name: RATE_NAMES[id], kind: "metric", unit: "per second", formula: `${id.replaceAll("_", "-")} / seconds`,
        inputs: [id], ...base(id + "_per_second"),
      })),
    ].filter(({ id }) => !this.options.without?.includes(id));
  }

  online() {
    const all = Array.from({ length: this.options.cpus }, (_, i) => i);
    return this.options.scenario === "cells" ? all.filter((c) => c !== 2) : all;
  }

  meta() {
    const html = this.options.scenario === "html";
    const notes = this.pmu ? [] : [{ severity: "warning", text: "no hardware PMU: cycles, instructions, cache and branch events cannot be counted on this machine. " + WHY }];
    return {
      program: "cyclescope", version: "0.1.0", run: this.run, now: Date.now(),
      host: html ? HTML : "workbench", kernel: "6.1.0-28-amd64", arch: "x86_64",
      cpu_model: html ? HTML : "AMD EPYC 7B13", hypervisor: this.pmu ? null : "KVM",
      cpus: { possible: this.options.cpus, online: this.online() },
      target: this.options.tasks ? { kind: "process", text: "process 4711 (make)" } : { kind: "system", text: html ? HTML : "the whole system" },
      input: { kind: "live", text: "this machine", state: this.state, reason: this.reason ?? null },
      interval_ms: this.options.interval, first: this.samples[0]?.timestamp ?? null,
      latest: this.samples.at(-1)?.timestamp ?? null, rows: this.samples.length,
      columns: this.columns().map((c) => described(c, this.hostile)),
      history: mockHistory(this.options.days ? this.historyFirst() : this.samples[0]?.timestamp ?? null, this.hostile),
      notes: html ? [{ severity: "<b>", text: HTML }] : notes,
      limits: { rows: this.options.limitRows, memory_bytes: 33554432, stream_min_ms: 50 },
      health: {
        missed_ticks: this.options.scenario === "gaps" ? 50 : 0, dropped_rounds: 0, skipped_records: 0, clients_dropped: 0, stream_clients: 1,
        collector: { cpu_percent: 0.1, rss_bytes: 3_000_000 }, server: { cpu_percent: 0.2, rss_bytes: 9_000_000 },
      },
    };
  }

  row(sample, { columns, cpus, cpuColumns, focus }) {
    const pick = (values) => (columns ? Object.fromEntries(columns.map((c) => [c, values[c]])) : values);
    const { timestamp, seconds, sequence } = sample;
    const row = { timestamp, seconds, sequence, ...pick(sample.values) };
    if (Object.keys(sample.quality).length) row.quality = sample.quality;
    const narrow = (c) => {
      const values = sample.cpus[c];
      const chosen = cpuColumns && c !== focus ? Object.fromEntries(cpuColumns.map((id) => [id, values[id]])) : pick(values);
      return values.quality ? { ...chosen, quality: values.quality } : chosen;
    };
    if (cpus) row.cpus = Object.fromEntries(cpus.map((c) => [c, narrow(c)]));
    return row;
  }

  historyFirst() {
    return this.samples[0].timestamp - this.options.days * 86_400_000;
  }

  /** A value of the days before what is held: slow waves. */
  past(t, id) {
    const level = id.includes("rate") || id === "cpu_use" ? 0.3 : id === "cpi" || id === "ipc" || id === "ghz" ? 1 : id.endsWith("_per_second") ? 3000
      : id.startsWith("pressure") ? 0.02 : 2e8;
    return level * (1 + 0.3 * Math.sin(t / 4_000_000) + 0.1 * Math.sin(t / 50_000));
  }

  pastSeries(q, from, to, points) {
    // `fineMs`: what is older has been added up to 10 s.
    const kept = to < this.samples[0].timestamp - (this.options.fineMs ?? Infinity) ? 10_000 : 100;
    const res = [100, 1000, 10_000, 60_000, 600_000, 3_600_000].find((r) => r >= kept && (to - from) / r < points) ?? 21_600_000;
    const t = [];
    const first = this.historyFirst();
    for (let e = Math.ceil(Math.max(from, first) / res) * res; e <= to; e += res) t.push(e);
    const columns = {};
    for (const id of q.get("columns").split(",")) {
      const mean = t.map((e) => this.past(e - res / 2, id));
      columns[id] = { mean, min: mean.map((v) => v * 0.8), max: mean.map((v) => v * 1.3), running: t.map(() => 100) };
    }
    return { t, sequence: t.map(() => null), interval_ms: 100, resolution_ms: res, per_bucket: res / 100, columns };
  }

  series(q) {
    const from = Number(q.get("from") ?? -Infinity);
    const to = Number(q.get("to") ?? Infinity);
    const points = Math.min(10000, Number(q.get("points") ?? 2000));
    const cpu = q.get("cpu");
    if (cpu === "all") return this.seriesOfAll(q);
    if (this.options.days && from < this.samples[0].timestamp) return this.pastSeries(q, from, Math.min(to, this.samples.at(-1).timestamp), points);
    const chosen = this.samples.filter((s) => s.timestamp >= from && s.timestamp <= to);
    // `singles`: so many of the newest samples are kept as they are; what reaches farther back is of tens.
    const coarse = from < (this.samples.at(-(this.options.singles ?? Infinity))?.timestamp ?? -Infinity);
    const per = Math.max(coarse ? 10 : 1, Math.ceil(chosen.length / points));
    const buckets = new Map();
    for (const s of chosen) {
      const key = Math.floor(s.sequence / per);
      if (buckets.has(key)) buckets.get(key).push(s);
      else buckets.set(key, [s]);
    }
    const answer = { t: [], sequence: [], interval_ms: this.options.interval, per_bucket: per, resolution_ms: per * this.options.interval, columns: {} };
    for (const id of q.get("columns").split(",")) answer.columns[id] = { mean: [], min: [], max: [], running: [] };
    for (const bucket of buckets.values()) {
      const last = bucket.at(-1);
      answer.t.push(last.timestamp);
      answer.sequence.push(last.sequence);
      for (const [id, c] of Object.entries(answer.columns)) {
        const values = bucket.map((s) => (cpu === null ? s.values : s.cpus[cpu])[id]).filter((v) => v !== null);
        const word = last.quality[id];
        c.mean.push(values.length ? values.reduce((a, b) => a + b, 0) / values.length : null);
        c.min.push(values.length ? Math.min(...values) : null);
        c.max.push(values.length ? Math.max(...values) : null);
        c.running.push(word?.startsWith("scaled") ? Number(word.slice(7)) : word === "never ran" ? 0 : values.length ? 100 : null);
      }
    }
    return answer;
  }

  seriesOfAll(q) {
    const column = q.get("columns");
    const each = Array.from({ length: this.options.cpus }, (_, cpu) => {
      const one = new URLSearchParams(q);
      one.set("cpu", cpu);
      return this.series(one);
    });
    const { columns: _, ...first } = each[0];
    return { ...first, cpus: Object.fromEntries(each.map((s, cpu) => [cpu, s.columns[column].mean])) };
  }

  stream(request, response, q) {
    const list = q.get("cpu");
    const cpus = list === "all" ? Array.from({ length: this.options.cpus }, (_, c) => String(c)) : list?.split(",");
    const last = request.headers["last-event-id"] ?? q.get("last") ?? "";
    const [run, sequence] = last.split(".");
    const stream = {
      response, columns: q.get("columns")?.split(","), cpus, cpuColumns: q.get("cpu_columns")?.split(","), focus: q.get("focus"),
      sent: run === this.run ? Number(sequence) : this.sequence - 1,
    };
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    const keepAlive = setInterval(() => response.write(": keep-alive\n\n"), KEEP_ALIVE_MS);
    this.streams.add(stream);
    response.on("close", () => {
      clearInterval(keepAlive);
      this.streams.delete(stream);
    });
    this.flush(stream);
    if (this.state === "ended") response.end(`event: end\ndata: ${JSON.stringify({ reason: this.reason ?? "" })}\n\n`);
  }

  /** `lag`: the line is so slow, in ms. */
  flush(stream, newest = Date.now() - (this.lag ?? 0)) {
    const fresh = this.samples.filter((s) => s.sequence > stream.sent && s.timestamp <= newest);
    if (fresh.length === 0) return;
    stream.sent = fresh.at(-1).sequence;
    stream.response.write(
      `event: sample\nid: ${this.run}.${stream.sent}\ndata: ${JSON.stringify(fresh.map((s) => this.row(s, stream)))}\n\n`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const options = {};
  for (let i = 2; i + 1 < process.argv.length; i += 2) {
    const value = process.argv[i + 1];
    options[process.argv[i].slice(2)] = /^\d+$/.test(value) ? Number(value) : value;
  }
  const mock = await new Mock(options).start();
  console.error(`listening on ${mock.url}`);
}
