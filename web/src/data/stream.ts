// SPDX-License-Identifier: Apache-2.0
// The one reader of /api/stream: fetch() and a ReadableStream, so that a token goes in a header. It keeps the connection,
// waits longer after each failure in a row, and resumes after the newest sample that it has seen.

import { ApiError, request } from "./api";
import { SseParser, type StreamEvent } from "./sse";
import { parseSamples, type Sample } from "./wire";

/** The server breaks every silence after 10 s with a comment; after this long the connection is dead. */
const SILENCE_MS = 25_000;
const RETRY_FIRST_MS = 250;
const RETRY_MOST_MS = 8_000;

export interface StreamHandlers {
  open(): void;
  samples(run: string, samples: Sample[]): void;
  /** Columns, target or notes changed. */
  meta(): void;
  /** The collector has ended. Nothing more comes, and the reader has stopped. */
  end(reason: string): void;
  /** The connection broke or was not made; the next try is in `delayMs`. */
  broken(reason: string, delayMs: number): void;
  /** The token is missing or wrong. The reader has stopped. */
  unauthorized(): void;
}

function sleep(ms: number, abort: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    abort.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

export class StreamReader {
  #abort: AbortController | null = null;
  #wake: AbortController | null = null;
  #lastId = "";

  constructor(private readonly handlers: StreamHandlers) {}

  /** (Re)starts with a query string, after the sample `lastId` ("" begins with the next one). */
  start(query: string, lastId: string): void {
    this.stop();
    this.#lastId = lastId;
    const abort = new AbortController();
    this.#abort = abort;
    void this.#run(query, abort);
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
  }

  /** Tries again at once if it is waiting to. */
  hurry(): void {
    this.#wake?.abort();
  }

  async #run(query: string, abort: AbortController): Promise<void> {
    let delay = RETRY_FIRST_MS;
    while (!abort.signal.aborted) {
      let reason = "the server closed the stream";
      try {
        await this.#read(query, abort, () => { delay = RETRY_FIRST_MS; });
      } catch (error) {
        if (abort.signal.aborted) return;
        if (error instanceof ApiError && error.status === 401) {
          this.stop();
          this.handlers.unauthorized();
          return;
        }
        reason = error instanceof Error ? error.message : String(error);
      }
      if (abort.signal.aborted) return;
      this.handlers.broken(reason, delay);
      this.#wake = new AbortController();
      await sleep(delay, AbortSignal.any([abort.signal, this.#wake.signal]));
      delay = Math.min(delay * 2, RETRY_MOST_MS);
    }
  }

  async #read(query: string, abort: AbortController, received: () => void): Promise<void> {
    // A controller of its own: the watchdog ends this connection, not the reader.
    const connection = new AbortController();
    const link = (): void => connection.abort();
    abort.signal.addEventListener("abort", link);
    let watchdog = setTimeout(link, SILENCE_MS);
    try {
      const headers: Record<string, string> = { Accept: "text/event-stream" };
      if (this.#lastId !== "") headers["Last-Event-ID"] = this.#lastId;
      const response = await request("api/stream?" + query, headers, connection.signal);
      if (!response.body) throw new Error("the stream has no body");
      this.handlers.open();
      const parser = new SseParser();
      const decoder = new TextDecoder();
      const reader = response.body.getReader();
      for (;;) {
        // "network error" and the like, as each browser has it.
        const { done, value } = await reader.read().catch((error: unknown) => { throw new Error("the connection broke", { cause: error }); });
        if (done) return;
        clearTimeout(watchdog);
        watchdog = setTimeout(link, SILENCE_MS);
        received();
        for (const event of parser.push(decoder.decode(value, { stream: true }))) {
          this.#take(event);
          if (abort.signal.aborted) return;
        }
      }
    } catch (error) {
      if (connection.signal.aborted && !abort.signal.aborted) throw new Error("the stream fell silent");
      throw error;
    } finally {
      clearTimeout(watchdog);
      abort.signal.removeEventListener("abort", link);
      connection.abort();
    }
  }

  #take(event: StreamEvent): void {
    let data: unknown;
    try {
      data = JSON.parse(event.data);
    } catch {
      return; // not ours; the next event may be
    }
    if (event.event === "sample") {
      const dot = event.id.lastIndexOf(".");
      this.handlers.samples(dot < 0 ? event.id : event.id.slice(0, dot), parseSamples(data));
      this.#lastId = event.id;
    } else if (event.event === "meta") {
      this.handlers.meta();
    } else if (event.event === "end") {
      const reason = (data as { reason?: unknown } | null)?.reason;
      this.stop();
      this.handlers.end(typeof reason === "string" ? reason : "");
    }
  }
}
