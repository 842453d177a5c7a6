// SPDX-License-Identifier: Apache-2.0
// Keeps the URL and the page the same. One movement (a zoom of many steps, a drag, a selection) is one entry of the browser's
// history: it is made when the movement begins, and set right as it goes on. Back and forward, and a link that is opened, set
// the page.

import type { View } from "./chart/view";
import type { PageState } from "./data/state";
import { decodeView, encodeView, type PageView } from "./data/url";
import { theme } from "./lib/theme";

/** No change for so long, and no button or finger down: the movement has ended. */
const REST_MS = 400;
/**
 * Browsers refuse more than a hundred changes of the URL in half a minute, and each takes the page's main thread 2 ms: so many may come at
 * once…
 */
const WRITES_AT_ONCE = 4;
/** …and one more after each of these. */
const WRITE_EVERY_MS = 400;
export const DEFAULT_SPAN = 60_000;

/** What the URL says now. */
export function linked(): PageView {
  return decodeView(location.hash);
}

export class Navigation {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writeTimer: ReturnType<typeof setTimeout> | undefined;
  /** Each write moves this on by WRITE_EVERY_MS; it is never far ahead of the time. */
  #paidUntil = -Infinity;
  /** A button or finger is down: what it drags may stand still for a while. */
  #dragging = false;
  /** The page is being set from the URL. */
  #applying = false;
  #themeLinked: boolean;

  constructor(private readonly view: View, private readonly state: PageState) {
    this.#themeLinked = linked().theme !== null;
    this.apply(linked());
    addEventListener("popstate", () => this.apply(linked()));
    // Who leaves right after a change finds it again. (For a reload this is too late: the browser has read the URL.)
    addEventListener("pagehide", () => this.#flush());
    addEventListener("pointerdown", () => { this.#dragging = true; }, { capture: true });
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => { this.#dragging = false; }, { capture: true });
    for (const s of [state.selection, state.held, state.cpu, state.heat, state.tracks, theme]) s.watch(() => this.changed());
  }

  /** The person has changed something. */
  changed(): void {
    if (this.#applying) return;
    const resting = this.#timer === undefined;
    clearTimeout(this.#timer);
    if (resting) {
      const hash = this.#hash();
      if (hash === location.hash) return;
      history.pushState(null, "", this.#address(hash));
      this.#pay();
    } else {
      // After the frame that shows the step, at the earliest.
      const wait = this.#paidUntil - (WRITES_AT_ONCE - 1) * WRITE_EVERY_MS - performance.now();
      clearTimeout(this.#writeTimer);
      this.#writeTimer = setTimeout(() => this.#replace(), Math.max(0, wait));
    }
    this.#timer = setTimeout(() => this.#rest(), REST_MS);
  }

  /** A change that the person did not make now: no entry of its own. */
  quietly(change: () => void): void {
    this.#applying = true;
    change();
    this.#applying = false;
    this.#replace();
  }

  #rest(): void {
    if (this.#dragging) this.#timer = setTimeout(() => this.#rest(), REST_MS);
    else this.#flush();
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
    this.#pay();
  }

  #pay(): void {
    this.#paidUntil = Math.max(this.#paidUntil, performance.now()) + WRITE_EVERY_MS;
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
