// SPDX-License-Identifier: Apache-2.0
// The top line: which machine, what is measured, whether it is live; and the controls of the view.

import { PRESETS } from "../chart/view";
import type { Connection } from "../data/session";
import type { Meta } from "../data/wire";
import { button, el, setAttribute, setText } from "../lib/dom";
import { formatClock, formatDay, formatDuration, formatRange } from "../lib/format";
import { nextTheme, theme } from "../lib/theme";
import type { Context, Frame, Panel } from "./panel";

/** What the pill says. A view that stands still is "paused", whatever it stands on, as long as samples come. */
export type PageState = Connection["state"] | "paused";

const STATE_WORDS: Record<PageState, string> = {
  connecting: "Connecting",
  waiting: "Waiting",
  live: "Live",
  paused: "Paused",
  reconnecting: "Reconnecting",
  ended: "Ended",
  failed: "Failed",
  token: "Locked",
};

export function pageState(connection: Connection, following: boolean): PageState {
  return connection.state === "live" && !following ? "paused" : connection.state;
}

export class HeaderPanel implements Panel {
  readonly element: HTMLElement;

  readonly #host = el("span", { class: "host" });
  readonly #facts = el("span", { class: "facts" });
  readonly #pill = el("span", { class: "pill", role: "status" });
  readonly #reason = el("span", { class: "reason" });
  readonly #span = el("span", { class: "span" });
  readonly #cursor = el("span", { class: "cursor-time" });
  /** Holds the view still, or lets it follow again: one of them is possible at a time. */
  readonly #pause: HTMLButtonElement;
  readonly #presets: [number, HTMLButtonElement][];

  readonly inspector: HTMLButtonElement;

  constructor(private readonly context: Context, actions: { help(): void; toggleInspector(): void }) {
    const { view, session } = context;
    this.#pause = button("", "", () => view.togglePause());
    this.#pause.id = "pause";
    this.#presets = PRESETS.map((ms, i) =>
      [ms, button(formatDuration(ms), `Show ${formatDuration(ms)} (${i + 1})`, () => view.setSpan(ms))]);
    for (const [ms, b] of this.#presets) b.setAttribute("data-span", String(ms));
    const themeButton = button("", "As the system, light or dark", nextTheme);
    themeButton.id = "theme";
    theme.watch((t) => setText(themeButton, `Theme: ${t}`));
    this.inspector = button("Inspector", "Show or hide the inspector (i)", actions.toggleInspector);
    this.inspector.id = "inspector";
    const help = button("?", "Keys and gestures (?)", actions.help);
    help.id = "help";
    help.setAttribute("aria-label", "Keys and gestures");
    this.element = el("header", { class: "top" },
      el("div", { class: "what" },
        el("h1", {}, "cyclescope"), this.#pill, this.#reason, this.#host, this.#facts),
      el("div", { class: "controls" },
        this.#cursor, this.#span,
        el("div", { class: "group", role: "group", "aria-label": "Time range" }, ...this.#presets.map(([, b]) => b)),
        this.#pause, themeButton, this.inspector, help));
    session.connection.watch(() => this.#showState());
  }

  meta(meta: Meta): void {
    document.title = meta.host ? `${meta.host} \u2013 cyclescope` : "cyclescope";
    setText(this.#host, meta.host);
    const facts = [
      meta.input.kind === "live" ? "" : meta.input.text,
      meta.target,
      `every ${formatDuration(meta.intervalMs)}`,
      meta.cpuModel,
      meta.possible > 0 ? `${meta.online.length} ${meta.online.length === 1 ? "CPU" : "CPUs"}` : "",
      meta.hypervisor === "" ? "" : `virtual machine under ${meta.hypervisor}`,
    ].filter((fact) => fact !== "").join(" \u00b7 ");
    setText(this.#facts, facts);
    setAttribute(this.#facts, "title", facts);
  }

  draw(frame: Frame): void {
    const { view } = this.context;
    this.#showState();
    for (const [ms, b] of this.#presets) setAttribute(b, "aria-pressed", String(Math.abs(view.span - ms) < 1));
    if (!frame.text) return;
    setText(this.#span, `${formatRange(frame.range.from, frame.range.to, view.span < 10_000)} (${formatDuration(view.span)})`);
    setText(this.#cursor, frame.cursorTime === null ? "" : `at ${formatDay(frame.cursorTime)}${formatClock(frame.cursorTime, true)}`);
  }

  #showState(): void {
    const { view, session } = this.context;
    const connection = session.connection.get();
    const state = pageState(connection, view.following);
    setAttribute(document.documentElement, "data-state", state);
    setAttribute(document.documentElement, "data-view", view.following ? "following" : "still");
    setText(this.#pill, STATE_WORDS[state]);
    setText(this.#reason, state === "paused" || state === "token" ? "" : connection.reason);
    const ended = state === "ended" || state === "failed";
    setText(this.#pause, view.following ? "Pause" : ended ? "To the end" : "Back to live");
    setAttribute(this.#pause, "title", view.following ? "Hold the view still; measuring goes on (Space)"
      : `${ended ? "Show the newest sample" : "Follow the newest sample again"} (End, Space, or a double click on a chart)`);
    // A view at the end of what has ended stands still by itself.
    this.#pause.disabled = view.following && ended;
  }
}
