// SPDX-License-Identifier: Apache-2.0
// Keeps the URL and the page the same. One movement (a zoom of many steps, a drag, a selection) is one entry of the browser's
// history: it is made when the movement begins, and set right when it has come to rest. Back and forward, and a link that is
// opened, set the page.

import type { View } from "./chart/view";
import type { PageState } from "./data/state";
import { decodeView, encodeView, type PageView } from "./data/url";
import { theme } from "./lib/theme";

/** No change for so long: the movement has ended. */
const REST_MS = 400;
/** The URL is set right after so short a pause already, for whoever reloads at once. Steps of a wheel follow each other faster: each
    write costs as much as drawing does. */
const WRITE_MS = 250;
/** …but not more often than this: browsers refuse more than a hundred changes in half a minute. */
const WRITE_EVERY_MS = 350;
export const DEFAULT_SPAN = 60_000;

/** What the URL says now. */
export function linked(): PageView {
  return decodeView(location.hash);
}

export class Navigation {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writeTimer: ReturnType<typeof setTimeout> | undefined;
  #writtenAt = -Infinity;
  /** The page is being set from the URL. */
  #applying = false;
  #themeLinked: boolean;

  constructor(private readonly view: View, private readonly state: PageState) {
    this.#themeLinked = linked().theme !== null;
    this.apply(linked());
    addEventListener("popstate", () => this.apply(linked()));
    // Who leaves right after a change finds it again.
    addEventListener("pagehide", () => this.#flush());
    state.selection.watch(() => this.changed());
    for (const s of [state.held, state.cpu, state.heat, state.tracks, theme]) s.watch(() => this.changed(true));
  }

  /** The person has changed something; `chosen`: not by a movement, of which each step would be a write. */
  changed(chosen = false): void {
    if (this.#applying) return;
    const hash = this.#hash();
    const resting = this.#timer === undefined;
    clearTimeout(this.#timer);
    if (resting) {
      if (hash === location.hash) {
        this.#timer = undefined;
        return;
      }
      history.pushState(null, "", this.#address(hash));
      this.#writtenAt = performance.now();
    } else if (chosen) {
      this.#replace();
    } else {
      clearTimeout(this.#writeTimer);
      this.#writeTimer = setTimeout(() => this.#replace(), Math.max(WRITE_MS, this.#writtenAt + WRITE_EVERY_MS - performance.now()));
    }
    this.#timer = setTimeout(() => this.#flush(), REST_MS);
  }

  /** A change that the person did not make now: no entry of its own. */
  quietly(change: () => void): void {
    this.#applying = true;
    change();
    this.#applying = false;
    this.#replace();
  }

  #flush(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#replace();
  }

  #replace(): void {
    clearTimeout(this.#writeTimer);
    const hash = this.#hash();
    if (hash === location.hash) return;
    history.replaceState(null, "", this.#address(hash));
    this.#writtenAt = performance.now();
  }

  apply(page: PageView): void {
    this.#applying = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#writeTimer);
    this.#timer = undefined;
    const { state, view } = this;
    state.selection.set(page.selection);
    state.held.set(page.held);
    state.cpu.set(page.cpu);
    state.heat.set(page.heat);
    state.tracks.set(page.tracks);
    if (page.theme !== null) theme.set(page.theme);
    const span = page.span ?? DEFAULT_SPAN;
    if (span !== view.span || page.end !== view.end) view.restore(span, page.end);
    this.#applying = false;
  }

  #hash(): string {
    const { state, view } = this;
    const chosen = theme.get();
    if (chosen !== "auto") this.#themeLinked = true;
    return encodeView({
      span: view.following && view.span === DEFAULT_SPAN ? null : view.span, end: view.end,
      selection: state.selection.get(), held: state.held.get(), cpu: state.cpu.get(), heat: state.heat.get(),
      tracks: state.tracks.get(), theme: this.#themeLinked ? chosen : null,
    });
  }

  #address(hash: string): string {
    return location.pathname + location.search + hash;
  }
}
