// SPDX-License-Identifier: Apache-2.0
// Beside the timeline: what the selected span, or else the visible range, has to say, in tabs (inspector-table.ts). Only the tab
// that is shown works. This class is the bridge between the page's loop and the tabs, which are Preact's.

import "../inspector.css";
import { h, render } from "preact";
import type { Span } from "../data/state";
import type { Meta } from "../data/wire";
import { el } from "../lib/dom";
import { pageCost } from "../lib/page-cost";
import { signal } from "../lib/signal";
import { ColumnsDialog } from "./columns-dialog";
import type { Given, Subject } from "./inspect";
import { Shell } from "./inspector-shell";
import { TABS } from "./inspector-table";
import type { Context, Frame, Panel } from "./panel";
import { trackIds } from "./table";
import { holdSubject } from "./tab-compare";
import { doctorOpen, statusTab } from "./tab-status";
import { trackColumns } from "./tracks";
import { ValuesTable } from "./values-table";

const TAB_KEY = "cyclescope-tab";
/** While the view follows, tables are renewed so often. */
const LIVE_MS = 1000;
/** While the person moves it, when it rests for so long: a step that was asked for and laid out would cost twice as much. */
const REST_MS = 250;
const MESSAGE_MS = 6000;

/** For the list of keys. */
export const INSPECTOR_KEYS: readonly (readonly [key: string, text: string])[] = [
  ["a", "hold the selection as A, to compare it with the next one"], ["m", "metrics and other columns of the timeline"],
];

/** Keys of what has the focus in here. */
export const INSPECTOR_WITHIN: readonly (readonly [where: string, text: string])[] = [
  ["Tab, Shift+Tab", "from control to control; arrows, Home and End within tabs and the matrix"],
  ["Enter in the matrix", "the scatter plot of the two columns"],
  ["\u2190 \u2192 in the scatter plot", "from point to point in time (Page Up, Page Down: by 20; Home, End)"],
  ["Space in the scatter plot", "choose the point: it is marked on the timeline"],
];

function remembered(): string | null {
  try {
    return localStorage.getItem(TAB_KEY);
  } catch {
    return null;
  }
}

function remember(tab: string): void {
  try {
    localStorage.setItem(TAB_KEY, tab);
  } catch {
    // Storage may be forbidden; then the choice lasts as long as the page.
  }
}

function subjectOf(span: Span, selected: boolean): Subject {
  return { from: Math.floor(span.from), to: Math.ceil(span.to), selected };
}

function equal(a: Subject | null, b: Subject): boolean {
  return a !== null && a.from === b.from && a.to === b.to && a.selected === b.selected;
}

/** To the rounding of their ends. */
function sameLength(a: Subject, b: Subject): boolean {
  return Math.abs(a.to - a.from - (b.to - b.from)) <= 2;
}

export class Inspector implements Panel {
  readonly element = el("aside", { class: "inspector", "aria-label": "Inspector" });
  readonly #given: Given;
  readonly #tab = signal(TABS.find((t) => t.id === remembered())?.id ?? TABS[0]?.id ?? "");
  readonly #visible = signal(true);
  readonly #message = signal("");
  readonly #columns: ColumnsDialog;
  readonly #values: ValuesTable;
  #messageTimer: ReturnType<typeof setTimeout> | undefined;
  #renewed = -Infinity;
  /** The view as the last frame had it, and since when. */
  #seen: Subject | null = null;
  #seenAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #met = false;

  /** `show`: brings it back where it is hidden. */
  constructor(private readonly context: Context, private readonly show: () => void) {
    const { state } = context;
    this.#given = {
      context, subject: signal<Subject | null>(null), visible: signal<Subject | null>(null), shown: signal<readonly string[]>([]),
      settle: () => this.#renew(subjectOf(context.view.range(), false)), say: (text) => this.#say(text),
    };
    this.#columns = new ColumnsDialog(context);
    this.#values = new ValuesTable(context);
    const shell = el("div", { class: "shell" });
    this.element.append(shell);
    render(h(Shell, {
      given: this.#given, tabs: TABS, tab: this.#tab, visible: this.#visible, message: this.#message, onColumns: () => this.#columns.open(),
    }), shell);
    this.#tab.watch(remember);
    // Whoever hides it (display: none) takes its size.
    new ResizeObserver(() => this.#visible.set(this.element.checkVisibility())).observe(this.element);
    state.selection.watch(() => this.#choose());
    state.tracks.watch(() => this.#showColumns());
    document.addEventListener("keydown", (event) => this.#key(event), true);
    pageCost(); // from now on, long frames are noticed
  }

  /** The doctor's findings, wherever they are. */
  showDoctor(): void {
    this.show();
    this.#tab.set(statusTab.id);
    doctorOpen.set(true);
    // What is shown first needs a frame to be there.
    requestAnimationFrame(() => requestAnimationFrame(() => this.element.querySelector<HTMLElement>("[data-action=doctor]")?.focus()));
  }

  meta(_meta: Meta): void {
    if (!this.#met) {
      this.#met = true;
      // Beside the page's other parts, not in here: they are wanted also while the inspector is hidden.
      document.body.append(this.#values.element, this.#columns.element);
    }
    this.#showColumns();
  }

  draw(frame: Frame): void {
    const { view } = this.context;
    this.#values.draw(frame, this.#given.shown.get());
    const next = subjectOf(frame.range, false);
    const before = this.#given.visible.get();
    if (equal(before, next)) return;
    const now = performance.now();
    // A view that follows moves with every frame; what else moves is the person's doing.
    const moved = before !== null && !(view.following && sameLength(before, next));
    if (this.#seen === null || !(view.following ? sameLength(this.#seen, next) : equal(this.#seen, next))) {
      this.#seen = next;
      this.#seenAt = now;
    }
    const wait = before === null ? 0 : (moved ? this.#seenAt + REST_MS : this.#renewed + LIVE_MS) - now;
    clearTimeout(this.#timer);
    if (wait > 0) {
      // The last step is followed by no other frame.
      if (moved) this.#timer = setTimeout(() => this.context.redraw(), wait);
      return;
    }
    this.#renew(next);
  }

  #renew(visible: Subject): void {
    if (this.context.session.store.newestTime === null || equal(this.#given.visible.get(), visible)) return;
    this.#renewed = performance.now();
    this.#given.visible.set(visible);
    this.#choose();
  }

  #choose(): void {
    const selection = this.context.state.selection.get();
    const next = selection ? subjectOf(selection, true) : this.#given.visible.get();
    if (next && !equal(this.#given.subject.get(), next)) this.#given.subject.set(next);
  }

  #showColumns(): void {
    const { session, state } = this.context;
    const shown = [...new Set(trackIds(state.tracks.get(), session.meta.get()).flatMap(trackColumns))];
    if (shown.join() !== this.#given.shown.get().join()) this.#given.shown.set(shown);
  }

  #say(text: string): void {
    this.#message.set(text);
    clearTimeout(this.#messageTimer);
    this.#messageTimer = setTimeout(() => this.#message.set(""), MESSAGE_MS);
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
    if (event.target instanceof HTMLElement && event.target.matches("input:not([type=checkbox]), textarea, select")) return;
    const { state } = this.context;
    switch (event.key) {
      case "Escape":
        // First what was chosen in the scatter plot; the next Escape is the timeline's.
        if (state.marks.get().length === 0 || (event.target instanceof Element && event.target.closest(".export"))) return;
        state.marks.set([]);
        break;
      case "a":
        holdSubject(this.#given);
        this.#tab.set("compare");
        this.show();
        break;
      case "m": this.#columns.open(); break;
      default: return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}
