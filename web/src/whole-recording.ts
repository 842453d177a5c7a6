// SPDX-License-Identifier: Apache-2.0
// What has ended is shown whole: what had ended when the page was opened, and a recording of which the page saw the rest being read.
// One that was followed while it was measured stays as it was looked at, and so does a view that the person has moved.

import type { View } from "./chart/view";
import type { Meta } from "./data/wire";
import { DEFAULT_SPAN, type Navigation } from "./navigation";

/** A file is read so many times faster than it was measured, at least. */
const READ_SPEED = 3;
const LEAST_INTERVALS = 5;

export class WholeRecording {
  #first: { at: number; latest: number | null } | null = null;
  #done: boolean;

  /** `linked`: a link says what to show. */
  constructor(private readonly view: View, private readonly navigation: Navigation, linked: boolean) {
    this.#done = linked;
  }

  meta({ input, latest, historyFirst, intervalMs }: Meta): void {
    const now = performance.now();
    const opened = this.#first === null;
    this.#first ??= { at: now, latest };
    if (this.#done || (input.state !== "ended" && input.state !== "failed") || latest === null || historyFirst === null) return;
    this.#done = true;
    // Where nothing was there yet, all that is there now was read since.
    const came = latest - (this.#first.latest ?? historyFirst);
    const read = input.kind === "recording" && came > READ_SPEED * (now - this.#first.at);
    if (!(opened || read) || !this.view.following || this.view.span !== DEFAULT_SPAN) return;
    const span = Math.max(latest - historyFirst, LEAST_INTERVALS * intervalMs);
    // The person did not do that: no entry of the browser's history.
    this.navigation.quietly(() => this.view.restore(span, null));
  }
}
