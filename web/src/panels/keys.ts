// SPDX-License-Identifier: Apache-2.0
// All that can be done by keyboard, in one table: it runs the keys, and the dialog behind `?` lists them.

import { PRESETS, type View } from "../chart/view";
import type { PageState } from "../data/state";
import { button, el } from "../lib/dom";
import { formatDuration } from "../lib/format";
import { nextTheme } from "../lib/theme";

const PAN = 0.1;
const PAN_FAR = 0.5;
const ZOOM = 1.5;
/** Samples that the cursor goes with Shift. */
const CURSOR_FAR = 10;

export interface KeyActions {
  view: View;
  state: PageState;
  /** Numbers of the CPUs there are. */
  cpus(): number;
  oldest(): number | null;
  toggleInspector(): void;
  focusSelection(): void;
  /** The cursor goes so many samples on (or back), from the right edge where there is none. */
  moveCursor(samples: number): void;
  /** Takes away a cursor that stands there by keys; false: there was none. */
  dropCursor(): boolean;
}

interface Key {
  /** As KeyboardEvent.key has them. */
  keys: readonly string[];
  shown: string;
  what: string;
  run(actions: KeyActions, shift: boolean, key: string): void;
}

function pan(view: View, direction: number, shift: boolean): void {
  view.moveTo(view.range().to + direction * (shift ? PAN_FAR : PAN) * view.span);
}

function nextCpu({ state, cpus }: KeyActions, step: number): void {
  const n = cpus();
  const now = state.cpu.get() ?? (step > 0 ? -1 : n);
  const next = now + step;
  state.cpu.set(next >= 0 && next < n ? next : null);
}

/** The selection, or the middle third of the view when there is none. */
export function selectSome({ view, state, focusSelection }: KeyActions): void {
  const { from, to } = view.range();
  const third = (to - from) / 3;
  if (!state.selection.get()) state.selection.set({ from: from + third, to: to - third });
  // It is shown with the next frame.
  requestAnimationFrame(() => requestAnimationFrame(focusSelection));
}

export function zoomToSelection({ view, state }: Pick<KeyActions, "view" | "state">): void {
  const selection = state.selection.get();
  if (selection) view.setRange(selection.from, selection.to);
}

export const KEYS: readonly Key[] = [
  { keys: [" "], shown: "Space", what: "hold the view still; again: back to the live edge", run: ({ view }) => view.togglePause() },
  { keys: ["End"], shown: "End", what: "back to the live edge", run: ({ view }) => view.follow() },
  {
    keys: ["Escape"], shown: "Esc", what: "drop the cursor or the selection; without one, back to the live edge",
    run({ view, state, dropCursor }) {
      if (dropCursor()) return;
      if (state.brush.get()) state.brush.set(false);
      else if (state.selection.get()) state.selection.set(null);
      else view.follow();
    },
  },
  {
    keys: ["Home"], shown: "Home", what: "to the beginning of the history",
    run({ view, oldest }) {
      const t = oldest();
      if (t !== null) view.setRange(t, t + view.span);
    },
  },
  { keys: ["ArrowLeft"], shown: "\u2190", what: "back in time (Shift: by half the view)", run: ({ view }, shift) => pan(view, -1, shift) },
  { keys: ["ArrowRight"], shown: "\u2192", what: "forward in time (Shift: by half the view)", run: ({ view }, shift) => pan(view, 1, shift) },
  {
    // With Shift, keyboards make other characters of them.
    keys: [",", "<", ";"], shown: ",", what: "the cursor a sample back, to read the values there (Shift: 10)",
    run: ({ moveCursor }, shift) => moveCursor(shift ? -CURSOR_FAR : -1),
  },
  {
    keys: [".", ">", ":"], shown: ".", what: "the cursor a sample on (Shift: 10)",
    run: ({ moveCursor }, shift) => moveCursor(shift ? CURSOR_FAR : 1),
  },
  { keys: ["+", "="], shown: "+", what: "zoom in", run: ({ view }) => view.zoom(1 / ZOOM, null) },
  { keys: ["-", "_"], shown: "\u2212", what: "zoom out", run: ({ view }) => view.zoom(ZOOM, null) },
  {
    keys: PRESETS.map((_, i) => String(i + 1)), shown: `1 \u2013 ${PRESETS.length}`, what: `show ${PRESETS.map((p) => formatDuration(p)).join(", ")}`,
    run({ view }, _, key) {
      const span = PRESETS[Number(key) - 1];
      if (span !== undefined) view.setSpan(span);
    },
  },
  { keys: ["s"], shown: "s", what: "select a span, then move its end with \u2190 and \u2192 (Tab: the other end)", run: selectSome },
  { keys: ["b"], shown: "b", what: "select with the next drag", run: ({ state }) => state.brush.set(!state.brush.get()) },
  { keys: ["z"], shown: "z", what: "zoom to the selection", run: zoomToSelection },
  { keys: ["c"], shown: "c", what: "the charts of the next CPU", run: (actions) => nextCpu(actions, 1) },
  { keys: ["C"], shown: "Shift c", what: "the charts of the CPU before", run: (actions) => nextCpu(actions, -1) },
  { keys: ["i"], shown: "i", what: "show or hide the inspector", run: ({ toggleInspector }) => toggleInspector() },
  { keys: ["t"], shown: "t", what: "theme: as the system, light, dark", run: () => nextTheme() },
];

const HANDS: readonly [string, string][] = [
  ["wheel", "zoom at the cursor; sideways, or with Shift: move in time"],
  ["drag", "move in time"],
  ["Shift and drag", "select a span; its ends can be dragged"],
  ["double click", "back to the live edge"],
  ["click in the heatmap", "the charts of that row's CPU; again: of all"],
  ["two fingers", "zoom and move in time"],
  ["tap", "the values at that time; there again: the newest ones"],
  ["long press and drag", "select a span"],
];

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select, button, a, summary, [role=button], [role=tab]");
}

export function attachKeys(actions: KeyActions, help: HTMLDialogElement): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    const { target } = event;
    // Keys that a control uses itself belong to it; a text field keeps all, and so does a dialog.
    if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return;
    if (document.querySelector("dialog[open]")) return;
    if (typing(target) && event.key === " ") return;
    if (event.key === "?") {
      help.showModal();
      event.preventDefault();
      return;
    }
    const key = KEYS.find((k) => k.keys.includes(event.key));
    if (!key) return;
    key.run(actions, event.shiftKey, event.key);
    event.preventDefault();
  });
}

/** `more`: keys that others run; `within`: keys of controls that have the focus. */
export function helpDialog(
  more: readonly (readonly [string, string])[], within: readonly (readonly [string, string])[], ...remarks: readonly string[]
): HTMLDialogElement {
  const rows = (list: readonly (readonly [string, string])[]): HTMLElement[] =>
    list.flatMap(([key, what]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)]);
  const close = button("Close", "Close (Esc)", () => dialog.close());
  const dialog = el("dialog", { class: "help", "aria-labelledby": "help-title" },
    el("h2", { id: "help-title" }, "Keys and gestures"),
    el("div", { class: "columns" },
      el("dl", {}, ...rows([...KEYS.map((k): [string, string] => [k.shown, k.what]), ...more, ["?", "this list"]])),
      el("dl", {}, ...rows(HANDS), ...rows(within))),
    ...remarks.map((text) => el("p", { class: "dim" }, text)),
    close);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  return dialog;
}
