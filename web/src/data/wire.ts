// SPDX-License-Identifier: Apache-2.0
// The wire contract of docs/api.md, in one file: types, and parsers that accept whatever JSON comes and give values of
// these types. A field that is missing or of another type becomes its neutral value (null, "", [] …), because a page that
// shows nothing for one unknown field serves nobody; a value that is not a finite number becomes null, never 0.

export interface Quality {
  kind: "exact" | "scaled" | "never ran" | "not supported" | "denied" | "offline";
  /** Percent of the time in which it was counted; 100 when exact, 0 when there is no value. */
  running: number;
}

export type Values = Record<string, number | null>;

export interface Sample {
  /** End of the interval, ms since the epoch. */
  timestamp: number;
  /** Measured length of the interval in seconds. */
  seconds: number | null;
  sequence: number;
  values: Values;
  /** Only what is not exact. */
  quality: Record<string, Quality>;
  /** By CPU number; only where asked for. */
  cpus: Record<string, Values>;
  /** By CPU number; only what is not exact. */
  cpuQuality: Record<string, Record<string, Quality>>;
}

export interface SeriesColumn {
  mean: (number | null)[];
  /** Least and greatest of the bucket's intervals. */
  min: (number | null)[];
  max: (number | null)[];
  running: (number | null)[];
}

export interface Series {
  /** Ends of the buckets. */
  t: number[];
  /** NaN for a bucket that is not one interval of the current run. */
  sequence: number[];
  perBucket: number;
  /** Nominal length of a bucket. */
  resolutionMs: number;
  columns: Record<string, SeriesColumn>;
}

export interface Column {
  id: string;
  name: string;
  kind: string;
  unit: string;
  formula: string;
  /** Where the formula stands. */
  source: string;
  /** Names of the events that it is computed from. */
  inputs: string[];
  perCpu: boolean;
  quality: Quality;
  why: string | null;
}

export interface Note {
  severity: string;
  text: string;
}

export interface Process {
  cpuPercent: number | null;
  rssBytes: number | null;
}

/** What is kept on disk. */
export interface History {
  path: string | null;
  first: number | null;
  bytes: number | null;
  boundBytes: number | null;
  /** Finest first; `first`: the oldest time held at that resolution. */
  tiers: { resolutionMs: number; first: number | null }[];
  state: string;
  reason: string | null;
  /** Intervals that are kept nowhere any more, though nothing is older than what may be kept. */
  lost: number;
}

export interface Meta {
  version: string;
  run: string;
  host: string;
  kernel: string;
  arch: string;
  cpuModel: string;
  hypervisor: string;
  online: number[];
  possible: number;
  target: string;
  targetKind: string;
  input: { kind: string; text: string; state: string; reason: string | null };
  intervalMs: number;
  first: number | null;
  latest: number | null;
  rows: number;
  /** Of all that can be asked for, also of earlier runs; null when there is nothing (yet). */
  historyFirst: number | null;
  columns: Column[];
  notes: Note[];
  limitRows: number;
  /** null: this server says nothing of it. */
  history: History | null;
  health: {
    missedTicks: number;
    droppedRounds: number;
    skippedRecords: number;
    clientsDropped: number;
    streamClients: number;
    collector: Process;
    server: Process;
  };
}

const EXACT: Quality = { kind: "exact", running: 100 };
const DEFAULT_INTERVAL_MS = 100;
const DEFAULT_ROWS = 36_000;
/** What this page holds at most, whatever the server offers: about 300 bytes a row. */
const MOST_ROWS = 200_000;

export type Json = Record<string, unknown>;

export function object(v: unknown): Json {
  return typeof v === "object" && v !== null && !Array.isArray(v) ? (v as Json) : {};
}

export function array(v: unknown): unknown[] {
  return Array.isArray(v) ? v : [];
}

export function text(v: unknown): string {
  return typeof v === "string" ? v : "";
}

export function number(v: unknown): number | null {
  return typeof v === "number" && Number.isFinite(v) ? v : null;
}

export function count(v: unknown): number {
  return number(v) ?? 0;
}

/** `exact`, `scaled 75`, `never ran`, … A word that is not known is taken as no value. */
export function parseQuality(v: unknown): Quality {
  const word = text(v);
  if (word === "" || word === "exact") return EXACT;
  const scaled = /^scaled(?: (\d+))?/.exec(word);
  if (scaled) return { kind: "scaled", running: Math.min(99, Math.max(1, Number(scaled[1] ?? 50))) };
  if (word === "not supported" || word === "denied" || word === "offline") return { kind: word, running: 0 };
  return { kind: "never ran", running: 0 };
}

const NOT_COLUMNS = new Set(["timestamp", "seconds", "sequence", "resolution_ms", "quality", "cpus"]);

function parseValues(v: unknown): Values {
  const values: Values = Object.create(null) as Values;
  for (const [id, value] of Object.entries(object(v))) {
    if (!NOT_COLUMNS.has(id)) values[id] = number(value);
  }
  return values;
}

function parseQualities(v: unknown): Record<string, Quality> {
  const quality: Record<string, Quality> = Object.create(null) as Record<string, Quality>;
  for (const [id, word] of Object.entries(object(v))) quality[id] = parseQuality(word);
  return quality;
}

/** A sample, or null when it has no time or no number (`{}` before the first). */
export function parseSample(v: unknown): Sample | null {
  const o = object(v);
  const timestamp = number(o["timestamp"]);
  const sequence = number(o["sequence"]);
  if (timestamp === null || sequence === null) return null;
  const cpus: Record<string, Values> = Object.create(null) as Record<string, Values>;
  const cpuQuality: Record<string, Record<string, Quality>> = Object.create(null) as Record<string, Record<string, Quality>>;
  for (const [cpu, values] of Object.entries(object(o["cpus"]))) {
    cpus[cpu] = parseValues(values);
    const quality = object(values)["quality"];
    if (quality !== undefined) cpuQuality[cpu] = parseQualities(quality);
  }
  const seconds = number(o["seconds"]);
  return { timestamp, sequence, seconds, values: parseValues(o), quality: parseQualities(o["quality"]), cpus, cpuQuality };
}

/** The `data:` of a sample event. */
export function parseSamples(v: unknown): Sample[] {
  return array(v).map(parseSample).filter((s) => s !== null);
}

function numbers(v: unknown, length: number): (number | null)[] {
  const from = array(v);
  const out = new Array<number | null>(length);
  for (let i = 0; i < length; i++) out[i] = number(from[i]);
  return out;
}

export function parseSeries(v: unknown): Series {
  const o = object(v);
  const t = array(o["t"]).map((x) => number(x) ?? NaN);
  const sequence = array(o["sequence"]).map((x) => number(x) ?? NaN);
  const columns: Record<string, SeriesColumn> = Object.create(null) as Record<string, SeriesColumn>;
  for (const [id, column] of Object.entries(object(o["columns"]))) {
    const c = object(column);
    columns[id] = {
      mean: numbers(c["mean"], t.length), min: numbers(c["min"], t.length), max: numbers(c["max"], t.length),
      running: numbers(c["running"], t.length),
    };
  }
  // Of every CPU there are only means.
  const unknown = numbers([], t.length);
  for (const [cpu, values] of Object.entries(object(o["cpus"]))) {
    const mean = numbers(values, t.length);
    columns[cpu] = { mean, min: mean, max: mean, running: unknown };
  }
  const perBucket = number(o["per_bucket"]) ?? 1;
  const resolutionMs = number(o["resolution_ms"]) ?? perBucket * (number(o["interval_ms"]) ?? DEFAULT_INTERVAL_MS);
  return { t, sequence, perBucket, resolutionMs, columns };
}

function parseColumn(v: unknown): Column {
  const o = object(v);
  const id = text(o["id"]);
  return {
    id,
    name: text(o["name"]) || id,
    kind: text(o["kind"]),
    unit: text(o["unit"]),
    formula: text(o["formula"]),
    source: text(o["source"]),
    inputs: array(o["inputs"]).map(text).filter((name) => name !== ""),
    perCpu: o["per_cpu"] === true,
    quality: parseQuality(o["quality"]),
    why: typeof o["why"] === "string" ? o["why"] : null,
  };
}

function parseProcess(v: unknown): Process {
  const o = object(v);
  return { cpuPercent: number(o["cpu_percent"]), rssBytes: number(o["rss_bytes"]) };
}

function parseHistory(v: unknown): History | null {
  const o = object(v);
  const state = text(o["state"]);
  if (state === "") return null;
  return {
    path: typeof o["path"] === "string" ? o["path"] : null,
    first: number(o["first"]),
    bytes: number(o["bytes"]),
    boundBytes: number(o["bound_bytes"]),
    tiers: array(o["tiers"]).map((tier) => ({
      resolutionMs: count(object(tier)["resolution_ms"]), first: number(object(tier)["first"]),
    })).filter((tier) => tier.resolutionMs > 0),
    state,
    reason: typeof o["reason"] === "string" ? o["reason"] : null,
    lost: count(o["lost"]),
  };
}

export function parseMeta(v: unknown): Meta {
  const o = object(v);
  const cpus = object(o["cpus"]);
  const input = object(o["input"]);
  const health = object(o["health"]);
  const interval = number(o["interval_ms"]);
  const rows = number(object(o["limits"])["rows"]);
  return {
    version: text(o["version"]),
    run: text(o["run"]),
    host: text(o["host"]),
    kernel: text(o["kernel"]),
    arch: text(o["arch"]),
    cpuModel: text(o["cpu_model"]),
    hypervisor: text(o["hypervisor"]),
    online: array(cpus["online"]).map(number).filter((n) => n !== null),
    possible: count(cpus["possible"]),
    target: text(object(o["target"])["text"]),
    targetKind: text(object(o["target"])["kind"]),
    input: {
      kind: text(input["kind"]),
      text: text(input["text"]),
      state: text(input["state"]),
      reason: typeof input["reason"] === "string" ? input["reason"] : null,
    },
    intervalMs: interval !== null && interval > 0 ? interval : DEFAULT_INTERVAL_MS,
    first: number(o["first"]),
    latest: number(o["latest"]),
    rows: count(o["rows"]),
    historyFirst: number(object(o["history"])["first"]) ?? number(o["first"]),
    columns: array(o["columns"]).map(parseColumn).filter((c) => c.id !== ""),
    notes: array(o["notes"]).map((n) => ({ severity: text(object(n)["severity"]), text: text(object(n)["text"]) })),
    limitRows: rows !== null && rows >= 1 ? Math.min(Math.floor(rows), MOST_ROWS) : DEFAULT_ROWS,
    history: parseHistory(o["history"]),
    health: {
      missedTicks: count(health["missed_ticks"]),
      droppedRounds: count(health["dropped_rounds"]),
      skippedRecords: count(health["skipped_records"]),
      clientsDropped: count(health["clients_dropped"]),
      streamClients: count(health["stream_clients"]),
      collector: parseProcess(health["collector"]),
      server: parseProcess(health["server"]),
    },
  };
}
