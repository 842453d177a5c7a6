// SPDX-License-Identifier: Apache-2.0
// The wire contract of docs/api.md, second part: answers to questions that are asked now and then (the rest, which comes with
// every page, is wire.ts; the same rules hold).

import { array, count, number, object, text, type Json } from "./wire";

/** The server takes so many columns in one question. */
export const SPAN_COLUMNS_MOST = 64;

/** Of one column over a span; null where there is no such number. */
export interface Statistics {
  /** Buckets that have a value. */
  n: number;
  sum: number | null;
  mean: number | null;
  stddev: number | null;
  /** Standard error of the mean, by batch means; null with too few buckets. */
  stderr: number | null;
  /** How many batches that was; null: the server does not say. */
  batches: number | null;
  min: number | null;
  max: number | null;
  p50: number | null;
  p95: number | null;
  p99: number | null;
  /** Percent of the time in which it was counted; 100 when exact. */
  running: number | null;
}

export interface Correlation {
  columns: string[];
  /** r[i][j] of columns i and j; null where there are too few pairs, or one of the two does not vary. */
  r: (number | null)[][];
  n: number[][];
}

export interface SpanAnswer {
  /** What is really covered; null where nothing is. */
  from: number | null;
  to: number | null;
  resolutionMs: number;
  seconds: number | null;
  buckets: number;
  missing: number;
  columns: Record<string, Statistics>;
  correlation: Correlation;
}

export interface ProcessRow {
  pid: number;
  comm: string;
  cpuTimeMs: number;
  /** Of one CPU. */
  share: number | null;
  firstSeen: number | null;
  lastSeen: number | null;
  born: boolean;
  ended: boolean;
}

export interface ProcessesAnswer {
  from: number | null;
  to: number | null;
  seconds: number | null;
  cpuTimeMs: number | null;
  forks: number | null;
  count: number;
  truncated: boolean;
  processes: ProcessRow[];
}

export interface Check {
  name: string;
  status: "pass" | "limited" | "fail" | "unknown";
  found: string;
  cost: string;
  remedy: string;
}

export interface DoctorAnswer {
  checks: Check[];
  at: number | null;
}

function record<T>(v: unknown, parse: (o: Json) => T): Record<string, T> {
  const out = Object.create(null) as Record<string, T>;
  for (const [key, value] of Object.entries(object(v))) out[key] = parse(object(value));
  return out;
}

function parseStatistics(o: Json): Statistics {
  return {
    n: count(o["n"]), sum: number(o["sum"]), mean: number(o["mean"]), stddev: number(o["stddev"]), stderr: number(o["stderr"]),
    batches: number(o["batches"]), min: number(o["min"]), max: number(o["max"]), p50: number(o["p50"]), p95: number(o["p95"]),
    p99: number(o["p99"]), running: number(o["running"]),
  };
}

function matrix<T>(v: unknown, size: number, cell: (v: unknown) => T): T[][] {
  return Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => cell(array(array(v)[i])[j])));
}

export function parseSpan(v: unknown): SpanAnswer {
  const o = object(v);
  const correlation = object(o["correlation"]);
  const columns = array(correlation["columns"]).map(text);
  return {
    from: number(o["from"]), to: number(o["to"]), resolutionMs: count(o["resolution_ms"]), seconds: number(o["seconds"]),
    buckets: count(o["buckets"]), missing: count(o["missing"]),
    columns: record(o["columns"], parseStatistics),
    correlation: { columns, r: matrix(correlation["r"], columns.length, number), n: matrix(correlation["n"], columns.length, count) },
  };
}

/** Answers about the same span and other columns, as one. */
export function joinSpans(answers: readonly SpanAnswer[]): SpanAnswer {
  const first = answers[0] ?? parseSpan({});
  return { ...first, columns: Object.assign(Object.create(null), ...answers.map((a) => a.columns)) as Record<string, Statistics> };
}

export function parseProcesses(v: unknown): ProcessesAnswer {
  const o = object(v);
  return {
    from: number(o["from"]), to: number(o["to"]), seconds: number(o["seconds"]), cpuTimeMs: number(o["cpu_time_ms"]),
    forks: number(o["forks"]), count: count(o["count"]), truncated: o["truncated"] === true,
    processes: array(o["processes"]).map(object).filter((p) => number(p["pid"]) !== null).map((p) => ({
      pid: count(p["pid"]), comm: text(p["comm"]), cpuTimeMs: count(p["cpu_time_ms"]), share: number(p["share"]),
      firstSeen: number(p["first_seen"]), lastSeen: number(p["last_seen"]), born: p["born"] === true, ended: p["ended"] === true,
    })),
  };
}

const STATUSES = ["pass", "limited", "fail", "unknown"] as const;

export function parseDoctor(v: unknown): DoctorAnswer {
  const o = object(v);
  return {
    checks: array(o["checks"]).map(object).map((c) => ({
      name: text(c["name"]), status: STATUSES.find((s) => s === c["status"]) ?? "unknown",
      found: text(c["found"]), cost: text(c["cost"]), remedy: text(c["remedy"]),
    })),
    at: number(o["at"]),
  };
}
