// SPDX-License-Identifier: Apache-2.0
// The page's connection to its server, from the first request on: /api/meta, the newest history, the stream from there
// on, then older history in chunks behind it. After a restart, a sleep or a lost connection the same steps run again, and
// what is already held stays.

import { ApiError, fetchMeta, fetchSeries, setToken } from "./api";
import { signal } from "../lib/signal";
import { Store, cellKey } from "./store";
import { StreamReader } from "./stream";
import type { Meta, Sample, Series } from "./wire";

export type ConnectionState = "connecting" | "waiting" | "live" | "reconnecting" | "ended" | "failed" | "token";

export interface Connection {
  state: ConnectionState;
  reason: string;
}

/** What the panels draw: columns of the target, and columns of each CPU. */
export interface Wanted {
  columns: readonly string[];
  perCpu: readonly string[];
  cpusMost: number;
}

/** The first request: what the default view shows, twice. */
const RECENT_ROWS = 1_200;
/** One request of older history. The server gives 10,000 points at most; half of it keeps each answer below 3 MB. */
const CHUNK_ROWS = 5_000;
const CHUNK_ROWS_LEAST = 50;
const CHUNKS_MOST = 60;
const POINTS_MOST = 10_000;
const META_POLL_MS = 5_000;
const RETRY_FIRST_MS = 500;
const RETRY_MOST_MS = 8_000;
/** A stream that is open but brings no sample for so long is not called live. */
const STALLED_MS = 3_000;
/** Requests for single CPUs at the same time. */
const PARALLEL = 4;

export class Session {
  readonly meta = signal<Meta | null>(null);
  readonly connection = signal<Connection>({ state: "connecting", reason: "" });
  store = new Store(1);
  latest: Sample | null = null;
  reconnects = 0;
  /** Called when the store has changed. */
  onData: () => void = () => undefined;

  #stream: StreamReader;
  #query = "";
  #columns: string[] = [];
  #perCpu: string[] = [];
  #cpus: number[] = [];
  /** Work of an older attachment sees that this has moved on, and drops its results. */
  #generation = 0;
  #retry = 0;
  #lastArrival = 0;
  #filling = false;
  /** A token was given: when one is asked for again, that one was wrong. */
  #tried = false;

  constructor(private readonly wanted: Wanted) {
    this.#stream = new StreamReader({
      open: () => void this.refreshMeta(),
      samples: (run, samples) => this.#samples(run, samples),
      meta: () => void this.refreshMeta(),
      end: (reason) => {
        this.#set("ended", reason);
        void this.refreshMeta();
      },
      broken: (reason) => {
        this.reconnects++;
        this.#set("reconnecting", reason);
      },
      unauthorized: () => this.#askToken(),
    });
  }

  start(): void {
    void this.#attach();
    setInterval(() => {
      if (!document.hidden) void this.refreshMeta();
    }, META_POLL_MS);
    setInterval(() => this.#checkStalled(), 1000);
    const wake = (): void => {
      if (document.hidden) return;
      this.#stream.hurry();
      void this.refreshMeta();
    };
    document.addEventListener("visibilitychange", wake);
    addEventListener("online", wake);
  }

  useToken(token: string): void {
    setToken(token);
    this.#tried = true;
    this.#set("connecting", "");
    this.#retry = 0;
    void this.#attach();
  }

  /** CPUs that are drawn: those online, up to the cap. */
  get cpus(): readonly number[] {
    return this.#cpus;
  }

  async refreshMeta(): Promise<void> {
    const state = this.connection.get().state;
    if (state === "connecting" || state === "token" || this.meta.get() === null) return;
    const generation = this.#generation;
    try {
      const meta = await fetchMeta();
      if (generation === this.#generation) this.#takeMeta(meta);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.#askToken();
      // Else: the stream notices for itself, and an ended input stays ended.
    }
  }

  #takeMeta(meta: Meta): void {
    const before = this.meta.get();
    const state = this.connection.get().state;
    const revived = (state === "ended" || state === "failed") && (meta.input.state === "live" || meta.input.state === "waiting");
    if (before && (meta.run !== before.run || revived)) {
      void this.#attach();
      return;
    }
    this.meta.set(meta);
    if (meta.input.state === "ended" || meta.input.state === "failed") {
      this.#set(meta.input.state, meta.input.reason ?? "");
    } else if (state === "reconnecting" || (state === "live" && meta.input.state === "waiting")) {
      this.#set(meta.input.state === "live" ? "live" : "waiting", meta.input.reason ?? "");
    }
    // Columns or CPUs came or went: the same stream with another question, resumed where it was.
    if (this.#plan(meta) && this.#query !== "" && state !== "ended" && state !== "failed") this.#openStream();
  }

  /** Works out what to ask for; true when that has changed. */
  #plan(meta: Meta): boolean {
    const known = new Map(meta.columns.map((c) => [c.id, c]));
    this.#columns = this.wanted.columns.filter((id) => known.has(id));
    this.#perCpu = this.wanted.perCpu.filter((id) => known.get(id)?.perCpu);
    this.#cpus = this.#perCpu.length > 0 ? meta.online.slice(0, this.wanted.cpusMost) : [];
    this.store.addKeys(this.#columns);
    this.store.addKeys(this.#perCpu.flatMap((id) => this.#cpus.map((cpu) => cellKey(id, cpu))));
    const all = [...new Set([...this.#columns, ...this.#perCpu])];
    let query = "columns=" + all.map(encodeURIComponent).join(",");
    if (this.#cpus.length > 0) query += "&cpu=" + this.#cpus.join(",");
    const changed = query !== this.#query;
    this.#query = query;
    return changed;
  }

  #openStream(): void {
    const sequence = this.store.newestSequence;
    this.#lastArrival = performance.now();
    this.#stream.start(this.#query, sequence === null ? "" : `${this.store.run}.${sequence}`);
  }

  async #attach(): Promise<void> {
    const generation = ++this.#generation;
    this.#stream.stop();
    try {
      const meta = await fetchMeta();
      if (generation !== this.#generation) return;
      if (this.store.capacity !== meta.limitRows) this.store = new Store(meta.limitRows);
      this.#plan(meta);
      const held = this.store.newestTime;
      if (this.store.run !== meta.run) this.store.startRun(meta.run, meta.latest);
      // Behind what is held already there is nothing to load, unless the ring was dropped.
      const bound = Math.max(
        this.store.newestTime === null ? -Infinity : (held ?? -Infinity) + 0.001,
        meta.first ?? -Infinity,
        (meta.latest ?? 0) - meta.limitRows * meta.intervalMs,
      );
      let older: number | null = null;
      if (meta.latest !== null) {
        const from = Math.max(bound, meta.latest - RECENT_ROWS * meta.intervalMs);
        await this.#load(from, undefined, generation);
        if (generation !== this.#generation) return;
        if (from > bound) older = from;
      }
      this.meta.set(meta);
      this.#retry = 0;
      const state = meta.input.state;
      if (state === "ended" || state === "failed") {
        this.#set(state, meta.input.reason ?? "");
      } else {
        this.#set(state === "live" ? "live" : "waiting", meta.input.reason ?? "");
        this.#openStream();
      }
      this.onData();
      if (older !== null) await this.#fill(bound, older, generation);
    } catch (error) {
      if (generation === this.#generation) this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (error instanceof ApiError && error.status === 401) {
      this.#askToken();
      return;
    }
    const delay = Math.min(RETRY_FIRST_MS * 2 ** this.#retry++, RETRY_MOST_MS);
    this.#set("reconnecting", error instanceof Error ? error.message : String(error));
    const generation = this.#generation;
    setTimeout(() => {
      if (generation === this.#generation) void this.#attach();
    }, delay);
  }

  /** Loads history between two times, newest chunk first. */
  async #fill(from: number, to: number, generation: number): Promise<void> {
    const interval = this.meta.get()?.intervalMs ?? 100;
    let rows = CHUNK_ROWS;
    for (let n = 0, end = to; n < CHUNKS_MOST && end > from; n++) {
      const begin = Math.max(from, end - rows * interval);
      const whole = await this.#load(begin, end, generation);
      if (generation !== this.#generation) return;
      if (!whole && rows > CHUNK_ROWS_LEAST) {
        rows = Math.floor(rows / 4);
        continue;
      }
      this.onData();
      end = begin;
    }
  }

  /** One chunk, the target's and every drawn CPU's. False when the server had to thin it out. */
  async #load(from: number, to: number | undefined, generation: number): Promise<boolean> {
    const range = to === undefined ? { from } : { from, to };
    const total = await fetchSeries({ columns: this.#columns, ...range, points: POINTS_MOST });
    if (total.perBucket > 1 && to !== undefined) return false;
    const last = total.t.at(-1);
    const cpus: [number, Series][] = [];
    if (last !== undefined) {
      // Up to the same row: a newer one would have values of CPUs only.
      const queue = [...this.#cpus];
      await Promise.all(Array.from({ length: PARALLEL }, async () => {
        for (let cpu = queue.shift(); cpu !== undefined; cpu = queue.shift()) {
          cpus.push([cpu, await fetchSeries({ columns: this.#perCpu, from, to: last, points: POINTS_MOST, cpu })]);
        }
      }));
    }
    if (generation !== this.#generation) return true;
    this.store.merge(total);
    for (const [cpu, series] of cpus) this.store.merge(series, cpu);
    return true;
  }

  #samples(run: string, samples: Sample[]): void {
    const first = samples[0];
    const last = samples.at(-1);
    if (!first || !last) return;
    if (run !== this.store.run) {
      void this.#attach();
      return;
    }
    const before = this.store.newestSequence;
    const heldTime = this.store.newestTime;
    this.store.push(samples);
    this.latest = last;
    this.#lastArrival = performance.now();
    if (this.connection.get().state !== "live") this.#set("live", "");
    this.onData();
    // The server could not resume where we were: the hole may still be in its history.
    if (before !== null && heldTime !== null && first.sequence > before + 1 && !this.#filling) {
      this.#filling = true;
      this.#fill(heldTime, first.timestamp, this.#generation)
        .catch(() => undefined) // a hole stays a hole
        .finally(() => setTimeout(() => { this.#filling = false; }, META_POLL_MS));
    }
  }

  #checkStalled(): void {
    const silent = performance.now() - this.#lastArrival;
    const least = Math.max(STALLED_MS, 4 * (this.meta.get()?.intervalMs ?? 0));
    if (this.connection.get().state === "live" && silent > least) {
      this.#set("waiting", "no sample for some seconds");
    }
  }

  #askToken(): void {
    this.#set("token", this.#tried ? "The server did not accept this token." : "");
  }

  #set(state: ConnectionState, reason: string): void {
    const now = this.connection.get();
    if (now.state !== state || now.reason !== reason) this.connection.set({ state, reason });
  }
}
