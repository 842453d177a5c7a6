// SPDX-License-Identifier: Apache-2.0
// Requests to our own server, the only one there is. With a token, every request carries it in a header: never in a URL,
// never in a cookie. It is kept in sessionStorage, so that a reload does not ask again and a closed tab forgets it.

import { parseMeta, parseSeries, type Meta, type Series } from "./wire";
import {
  SPAN_COLUMNS_MOST, joinSpans, parseDoctor, parseProcesses, parseSpan, type DoctorAnswer, type ProcessesAnswer, type SpanAnswer,
} from "./wire-answers";

const TOKEN_KEY = "cyclescope-token";
/** A request that takes longer than this is taken as failed. The stream has a watchdog of its own. */
const REQUEST_TIMEOUT_MS = 20_000;
/** A download may be tens of megabytes over a slow line. */
const DATA_TIMEOUT_MS = 300_000;

export class ApiError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

let token: string | null = null;
try {
  token = sessionStorage.getItem(TOKEN_KEY);
} catch {
  // Storage may be forbidden; then the token lasts as long as the page.
}

export function setToken(value: string): void {
  token = value;
  try {
    sessionStorage.setItem(TOKEN_KEY, value);
  } catch {
    // As above.
  }
}

export function hasToken(): boolean {
  return token !== null;
}

async function messageOf(response: Response): Promise<string> {
  try {
    const body = (await response.json()) as { error?: { message?: unknown } };
    if (typeof body.error?.message === "string") return body.error.message;
  } catch {
    // Not JSON: the status has to do.
  }
  return `the server answered ${response.status}`;
}

/** Any request; throws ApiError for a status that is not 2xx, TypeError when the server cannot be reached. */
export async function request(path: string, headers: Record<string, string>, abort: AbortSignal): Promise<Response> {
  const all = token === null ? headers : { ...headers, Authorization: "Bearer " + token };
  const response = await fetch(path, { headers: all, signal: abort, cache: "no-store", credentials: "omit" }).catch((error: unknown) => {
    // "Failed to fetch" and the like, as each browser has it.
    if (error instanceof TypeError) throw new TypeError("the server cannot be reached", { cause: error });
    throw error;
  });
  if (!response.ok) throw new ApiError(response.status, await messageOf(response));
  return response;
}

async function json(path: string, abort?: AbortSignal): Promise<unknown> {
  const late = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  const response = await request(path, {}, abort ? AbortSignal.any([abort, late]) : late);
  return response.json();
}

export async function fetchMeta(): Promise<Meta> {
  return parseMeta(await json("api/meta"));
}

export interface SeriesQuery {
  columns: readonly string[];
  /** Inclusive, ms since the epoch. */
  from?: number;
  to?: number;
  points: number;
  /** "all": one column of every CPU; the answer's columns are then the CPUs' numbers. */
  cpu?: number | "all";
}

export async function fetchSeries(query: SeriesQuery, abort?: AbortSignal): Promise<Series> {
  const p = [`columns=${query.columns.map(encodeURIComponent).join(",")}`, `points=${query.points}`];
  if (query.from !== undefined) p.push(`from=${query.from}`);
  if (query.to !== undefined) p.push(`to=${query.to}`);
  if (query.cpu !== undefined) p.push(`cpu=${query.cpu}`);
  return parseSeries(await json("api/series?" + p.join("&"), abort));
}

export interface SpanQuery {
  columns: readonly string[];
  /** Inclusive, ms since the epoch. */
  from: number;
  to: number;
  cpu: number | null;
}

function range(query: { from: number; to: number }): string {
  return `from=${query.from}&to=${query.to}`;
}

/** Statistics of a span, of any number of columns; correlations are of the first SPAN_COLUMNS_MOST. */
export async function fetchSpan(query: SpanQuery, abort?: AbortSignal): Promise<SpanAnswer> {
  const rest = `&${range(query)}${query.cpu === null ? "" : `&cpu=${query.cpu}`}`;
  const parts = [];
  for (let i = 0; i < query.columns.length; i += SPAN_COLUMNS_MOST) parts.push(query.columns.slice(i, i + SPAN_COLUMNS_MOST));
  const answers = await Promise.all(parts.map(async (columns) =>
    parseSpan(await json(`api/span?columns=${columns.map(encodeURIComponent).join(",")}${rest}`, abort))));
  return joinSpans(answers);
}

export async function fetchProcesses(query: { from: number; to: number; limit: number }, abort?: AbortSignal): Promise<ProcessesAnswer> {
  return parseProcesses(await json(`api/processes?${range(query)}&limit=${query.limit}`, abort));
}

export async function fetchDoctor(abort?: AbortSignal): Promise<DoctorAnswer> {
  return parseDoctor(await json("api/doctor", abort));
}

/** So many samples the server gives of one span; of a longer one, those would be the newest. */
export const SAMPLES_MOST = 36_000;

/** The samples of a span as the server sends them: an array of rows, of all columns. `points`: at most so many, of longer intervals. */
export async function fetchData(query: { from: number; to: number; cpu: number | null; points?: number }): Promise<Blob> {
  const cpu = query.cpu === null ? "" : `&cpu=${query.cpu}`;
  const points = query.points === undefined ? "" : `&points=${query.points}`;
  const response = await request(`api/data?${range(query)}${cpu}${points}`, {}, AbortSignal.timeout(DATA_TIMEOUT_MS));
  return response.blob();
}
