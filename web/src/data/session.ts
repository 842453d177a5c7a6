// SPDX-License-Identifier: Apache-2.0
// The page's connection to its server, from the first request on: /api/meta, the newest history, the stream from there
// on, then older history in chunks behind it. After a restart, a sleep or a lost connection the same steps run again, and
// what is already held stays. Of each CPU, one column comes (the heatmap's), and of one CPU all columns, when someone looks at
// it; what was before that, and what the store cannot hold, is fetched as it is looked at (tiles.ts).

import { ApiError, fetchMeta, fetchSeries, hasToken, setToken } from "./api";
import { formatDuration } from "../lib/format";
import { signal } from "../lib/signal";
import { CpuMatrix } from "./matrix";
import { Store, cellKey } from "./store";
import { StreamReader } from "./stream";
import { Tiles } from "./tiles";
import type { Meta, Sample } from "./wire";

export type ConnectionState = "connecting" | "waiting" | "live" | "reconnecting" | "ended" | "failed" | "token";

export interface Connection {
  state: ConnectionState;
  reason: string;
}

/** What the panels draw. */
export interface Wanted {
  /** Of the target. */
  columns: readonly string[];
  /** The column of which every CPU is drawn; null: none. */
  heat: string | null;
  /** The CPU of which the columns are drawn as well; null: none. */
  cpu: number | null;
}

/** All that can be drawn, whatever it comes from. */
export interface History {
  store: Store;
  tiles: Tiles;
  /** Of all that can be asked for. */
  oldest: number | null;
}

/** The first request: what the default view shows, and a little more. */
const RECENT_ROWS = 700;
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
/** So far behind the server's newest sample (a slow line, a busy browser) is worth a word. */
const BEHIND_MS = 3_000;

export class Session {
  readonly meta = signal<Meta | null>(null);
  readonly connection = signal<Connection>({ state: "connecting", reason: "" });
  store = new Store(1);
  /** Every CPU's value of the wanted column; null while there is none. */
  matrix: CpuMatrix | null = null;
  readonly tiles: Tiles;
  latest: Sample | null = null;
  reconnects = 0;
  /** What is drawn of a machine with these columns: asked before its history is fetched. */
  choose: (meta: Meta) => Wanted = () => this.wanted;
  /** Called when the store has changed. */
  onData: () => void = () => undefined;
  /** Called when history has come that was asked for because it is looked at. */
  onFetched: () => void = () => undefined;

  #stream: StreamReader;
  #query = "";
  #columns: string[] = [];
  /** Work of an older attachment sees that this has moved on, and drops its results. */
  #generation = 0;
  #retry = 0;
  #lastArrival = 0;
  #filling = false;
  /** A token was given: when one is asked for again, that one was wrong. */
  #tried = false;

  constructor(private wanted: Wanted) {
    this.tiles = new Tiles({
      fetch: fetchSeries,
      now: () => performance.now(),
      latest: () => this.store.newestTime ?? this.meta.get()?.latest ?? null,
      arrived: () => this.onFetched(),
    });
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

  /** The panels draw something else now. */
  want(wanted: Wanted): void {
    this.wanted = wanted;
    const meta = this.meta.get();
    const state = this.connection.get().state;
    if (!meta || !this.#plan(meta) || this.#query === "") return;
    if (state === "live" || state === "waiting" || state === "reconnecting") this.#openStream();
  }

  get history(): History {
    return { store: this.store, tiles: this.tiles, oldest: this.oldestTime };
  }

  /** Of all that can be shown. */
  get oldestTime(): number | null {
    const held = this.store.oldestTime;
    const first = this.meta.get()?.historyFirst ?? null;
    return held === null || first === null ? held ?? first : Math.min(held, first);
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
      // While a recording is read, its history is not whole.
      if (before && before.input.state !== meta.input.state) this.tiles.renew();
      this.#set(meta.input.state, meta.input.reason ?? "");
    } else if (state === "reconnecting" || ((state === "live" || state === "waiting") && meta.input.state === "waiting")) {
      this.#set(meta.input.state === "live" ? "live" : "waiting", meta.input.reason ?? "");
    } else if (state === "live") {
      const behind = (meta.latest ?? 0) - (this.store.newestTime ?? Infinity);
      this.#set("live", behind > Math.max(BEHIND_MS, 4 * meta.intervalMs) ? `${formatDuration(Math.round(behind / 1000) * 1000)} behind` : "");
    }
    // Columns or CPUs came or went: the same stream with another question, resumed where it was.
    if (this.#plan(meta) && this.#query !== "" && state !== "ended" && state !== "failed") this.#openStream();
  }

  /** Works out what to ask for; true when that has changed. */
  #plan(meta: Meta): boolean {
    const known = new Map(meta.columns.map((c) => [c.id, c]));
    const { heat, cpu } = this.wanted;
    this.#columns = this.wanted.columns.filter((id) => known.has(id));
    // A stream without columns would be one of all columns.
    if (this.#columns.length === 0) this.#columns = meta.columns.slice(0, 1).map((c) => c.id);
    const focus = cpu === null ? [] : this.#columns.filter((id) => known.get(id)?.perCpu).map((id) => cellKey(id, cpu));
    const keys = [...this.#columns, ...focus];
    this.store.keepKeys(new Set(keys));
    this.store.addKeys(keys);
    let query = "columns=" + this.#columns.map(encodeURIComponent).join(",");
    const drawn = heat !== null && known.get(heat)?.perCpu ? heat : null;
    if (drawn !== null) query += "&cpu=all&cpu_columns=" + encodeURIComponent(drawn);
    else if (cpu !== null) query += "&cpu=" + cpu;
    if (drawn !== null && cpu !== null) query += "&focus=" + cpu;
    if (drawn === null) this.matrix = null;
    else if (this.matrix?.column !== drawn || this.matrix.cpus < meta.possible) {
      this.matrix = new CpuMatrix(drawn, meta.possible, meta.limitRows);
    }
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
      this.#tried = false;
      this.wanted = this.choose(meta);
      if (this.store.capacity !== meta.limitRows) this.store = new Store(meta.limitRows);
      this.#plan(meta);
      const held = this.store.newestTime;
      if (this.store.run !== meta.run) {
        this.store.startRun(meta.run, meta.latest);
        this.tiles.forgetUnfinished();
      }
      // Behind what is held already there is nothing to load, unless the ring was dropped.
      const bound = Math.max(
        this.store.newestTime === null ? -Infinity : (held ?? -Infinity) + 0.001,
        meta.first ?? -Infinity,
        (meta.latest ?? 0) - meta.limitRows * meta.intervalMs,
      );
      let older: number | null = null;
      if (meta.latest !== null) {
        let from = Math.max(bound, meta.latest - RECENT_ROWS * meta.intervalMs);
        // Of many CPUs the server holds few single intervals, and drops the oldest while it is asked for them.
        while (!(await this.#load(from, undefined, generation)) && meta.latest - from > meta.intervalMs) from = (from + meta.latest) / 2;
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
      if (!whole) {
        if (rows <= CHUNK_ROWS_LEAST) return; // and what is older comes so as well
        rows = Math.floor(rows / 4);
        continue;
      }
      this.onData();
      end = begin;
    }
  }

  /** One chunk. False when the server gives no single intervals of it: points that stand for many are not rows. */
  async #load(from: number, to: number | undefined, generation: number): Promise<boolean> {
    const range = to === undefined ? { from } : { from, to };
    const series = await fetchSeries({ columns: this.#columns, ...range, points: POINTS_MOST });
    if (series.perBucket > 1) return false;
    if (generation === this.#generation) this.store.merge(series);
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
    if (before !== null && first.sequence > before + 1) this.matrix?.clear();
    this.matrix?.push(samples);
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
    this.#set("token", this.#tried ? "The server did not accept this token."
      : hasToken() ? "The server does not accept the token of before any more." : "");
  }

  #set(state: ConnectionState, reason: string): void {
    const now = this.connection.get();
    if (now.state !== state || now.reason !== reason) this.connection.set({ state, reason });
  }
}
