// SPDX-License-Identifier: Apache-2.0
// Asks a question whose wording changes faster than answers come: one request at a time, not more often than each `spacing`
// ms, and of the questions that came meanwhile only the newest. Requests in flight are not broken off by a newer question:
// whoever drags a handle wants to see answers on the way.

export class Latest<Q, A> {
  #wanted: { question: Q } | null = null;
  #busy = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = -Infinity;
  readonly #abort = new AbortController();

  constructor(
    private readonly ask: (question: Q, abort: AbortSignal) => Promise<A>,
    private readonly done: (question: Q, answer: A | null, error: unknown) => void,
    private readonly spacing: number,
  ) {}

  want(question: Q): void {
    this.#wanted = { question };
    this.#next();
  }

  /** Nothing is asked or answered any more. */
  stop(): void {
    this.#abort.abort();
    clearTimeout(this.#timer);
  }

  #next(): void {
    if (this.#busy || !this.#wanted || this.#abort.signal.aborted) return;
    const wait = this.#asked + this.spacing - performance.now();
    clearTimeout(this.#timer);
    if (wait > 0) {
      this.#timer = setTimeout(() => this.#next(), wait);
      return;
    }
    const { question } = this.#wanted;
    this.#wanted = null;
    this.#busy = true;
    this.#asked = performance.now();
    const finish = (answer: A | null, error: unknown): void => {
      this.#busy = false;
      if (this.#abort.signal.aborted) return;
      this.done(question, answer, error);
      this.#next();
    };
    this.ask(question, this.#abort.signal).then((answer) => finish(answer, null), (error: unknown) => finish(null, error));
  }
}
