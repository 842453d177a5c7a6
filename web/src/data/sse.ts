// SPDX-License-Identifier: Apache-2.0
// Server-sent events, from bytes that arrive in any pieces to whole events. (EventSource cannot send an Authorization
// header.) The format: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

export interface StreamEvent {
  event: string;
  /** Of the newest `id:` so far, as the standard has it. */
  id: string;
  data: string;
}

/** An event larger than this is not ours; a server that sends an endless line must not fill the page's memory. */
export const EVENT_MAX = 64 * 1024 * 1024;

export class SseParser {
  #rest = "";
  #lastWasCr = false;
  #event = "";
  #data: string[] = [];
  #size = 0;
  #id = "";

  /** Takes the next piece of text and gives the events that it completes. Throws when an event is too large. */
  push(piece: string): StreamEvent[] {
    const events: StreamEvent[] = [];
    if (this.#lastWasCr && piece.startsWith("\n")) piece = piece.slice(1);
    if (piece !== "") this.#lastWasCr = piece.endsWith("\r");
    const lines = (this.#rest + piece).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length + this.#size > EVENT_MAX) throw new Error("an event of the stream is too large");
    for (const line of lines) {
      const event = this.#line(line);
      if (event) events.push(event);
    }
    return events;
  }

  #line(line: string): StreamEvent | null {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return null; // a comment: the keep-alive
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "event") this.#event = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    else if (field === "data") {
      this.#data.push(value);
      this.#size += value.length;
    }
    return null;
  }

  #dispatch(): StreamEvent | null {
    const event: StreamEvent | null = this.#data.length === 0 ? null : {
      event: this.#event || "message",
      id: this.#id,
      data: this.#data.join("\n"),
    };
    this.#event = "";
    this.#data = [];
    this.#size = 0;
    return event;
  }
}
