// SPDX-License-Identifier: Apache-2.0
// Beside the timeline: what the selected span, or else the visible range, has to say. A row of tabs (ARIA's tablist: arrows,
// Home, End), of which one is shown, and only that one works.

import "../inspector.css";
import { render } from "preact";
import { useEffect } from "preact/hooks";
import type { Span } from "../data/state";
import type { Meta } from "../data/wire";
import { el } from "../lib/dom";
import { pageCost } from "../lib/page-cost";
import { signal } from "../lib/signal";
import { ColumnsDialog } from "./columns-dialog";
import { ExportMenu } from "./export-menu";
import { useWatched, type Given, type Subject } from "./inspect";
import { TABS } from "./inspector-table";
import type { Context, Frame, Panel } from "./panel";
import { holdSubject } from "./tab-compare";
import { rememberedTracks } from "./track-choice";
import { columnsOf, tracksFor } from "./tracks";
import { ValuesTable } from "./values-table";

const TAB_KEY = "cyclescope-inspector";
/** While the view follows, tables are renewed so often. */
const LIVE_MS = 1000;
const MESSAGE_MS = 6000;

/** For the list of keys. */
export const INSPECTOR_KEYS: readonly (readonly [key: string, text: string])[] = [
  ["a", "hold the selection as A, to compare it"], ["c", "columns of the timeline"], ["i", "show or hide the inspector"],
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

export class Inspector implements Panel {
  readonly element = el("aside", { class: "inspector", "aria-label": "Inspector" });
  readonly #given: Given;
  readonly #tab = signal(TABS.find((t) => t.id === remembered())?.id ?? TABS[0]?.id ?? "");
  /** Shown, not folded away. */
  readonly open = signal(remembered() !== "closed");
  readonly #message = signal("");
  readonly #columns: ColumnsDialog;
  readonly #values: ValuesTable;
  #messageTimer: ReturnType<typeof setTimeout> | undefined;
  #renewed = -Infinity;
  #met = false;

  constructor(private readonly context: Context) {
    const { state } = context;
    this.#given = {
      context, subject: signal<Subject | null>(null), visible: signal<Subject | null>(null), shown: signal<readonly string[]>([]),
      say: (text) => this.#say(text),
    };
    this.#columns = new ColumnsDialog(context);
    this.#values = new ValuesTable(context);
    const shell = el("div", { class: "shell" });
    this.element.append(shell, this.#values.element, this.#columns.element);
    render(<Shell given={this.#given} tab={this.#tab} open={this.open} message={this.#message} onColumns={() => this.#columns.open()} />, shell);
    state.selection.watch(() => this.#choose());
    state.tracks.watch(() => this.#showColumns());
    document.addEventListener("keydown", (event) => this.#key(event), true);
    pageCost(); // from now on, long frames are noticed
  }

  toggle(): void {
    this.open.set(!this.open.get());
  }

  meta(_meta: Meta): void {
    if (!this.#met) {
      this.#met = true;
      // The link's choice goes before the remembered one.
      if (this.context.state.tracks.get() === null) this.context.state.tracks.set(rememberedTracks());
    }
    this.#showColumns();
  }

  draw(frame: Frame): void {
    const { view, session } = this.context;
    this.#values.draw(frame, this.#given.shown.get());
    if (session.store.newestTime === null) return;
    const next = subjectOf(frame.range, false);
    const before = this.#given.visible.get();
    if (equal(before, next)) return;
    const now = performance.now();
    // A view that follows moves with every frame; one that stands still was moved by the person, who wants to see it now.
    const moved = before === null || !view.following || Math.abs(next.to - next.from - (before.to - before.from)) > 2;
    if (!moved && now - this.#renewed < LIVE_MS) return;
    this.#renewed = now;
    this.#given.visible.set(next);
    this.#choose();
  }

  #choose(): void {
    const selection = this.context.state.selection.get();
    const next = selection ? subjectOf(selection, true) : this.#given.visible.get();
    if (next && !equal(this.#given.subject.get(), next)) this.#given.subject.set(next);
  }

  #showColumns(): void {
    const meta = this.context.session.meta.get();
    if (!meta) return;
    const shown = [...new Set(tracksFor(this.context.state.tracks.get(), meta).flatMap(columnsOf))];
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
        if (state.marks.get().length === 0) return;
        state.marks.set([]);
        break;
      case "a":
        holdSubject(this.#given);
        this.#tab.set("compare");
        this.open.set(true);
        break;
      case "c": this.#columns.open(); break;
      case "i": this.open.set(!this.open.get()); break;
      default: return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

type Watched<T> = ReturnType<typeof signal<T>>;

function Shell({ given, tab, open, message, onColumns }: {
  given: Given; tab: Watched<string>; open: Watched<boolean>; message: Watched<string>; onColumns(): void;
}) {
  const id = useWatched(tab);
  const shown = useWatched(open);
  const text = useWatched(message);
  const current = TABS.find((t) => t.id === id) ?? TABS[0];
  useEffect(() => remember(shown ? id : "closed"), [id, shown]);
  const key = (event: KeyboardEvent & { currentTarget: HTMLElement }): void => {
    const at = TABS.findIndex((t) => t.id === id);
    const to = event.key === "ArrowRight" ? at + 1 : event.key === "ArrowLeft" ? at - 1 : event.key === "Home" ? 0
      : event.key === "End" ? TABS.length - 1 : null;
    if (to === null) return;
    const next = TABS[(to + TABS.length) % TABS.length];
    if (next) {
      tab.set(next.id);
      event.currentTarget.querySelector<HTMLElement>(`#tab-${next.id}`)?.focus();
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const toggle = (
    <button type="button" class="toggle" data-action="toggle" aria-expanded={shown} title={`${shown ? "Hide" : "Show"} the inspector (i)`}
      aria-label={`${shown ? "Hide" : "Show"} the inspector`} onClick={() => open.set(!shown)}>
      {shown ? "\u00bb" : "\u00ab"}
    </button>
  );
  if (!shown || !current) return <div class="closed">{toggle}</div>;
  return (
    <>
      <div class="head">
        <div role="tablist" aria-label="Inspector" onKeyDown={key}>
          {TABS.map((t) => (
            <button key={t.id} type="button" role="tab" id={`tab-${t.id}`} aria-selected={t === current} aria-controls="inspector-panel"
              tabIndex={t === current ? 0 : -1} title={t.hint} onClick={() => tab.set(t.id)}>
              {t.title}
            </button>
          ))}
        </div>
        {toggle}
      </div>
      <div class="body" role="tabpanel" id="inspector-panel" aria-labelledby={`tab-${current.id}`} tabIndex={0}>
        <current.Body key={current.id} {...given} />
      </div>
      <div class="tools">
        <button type="button" data-action="columns" title="Which columns the timeline shows (c)" onClick={onColumns}>Columns</button>
        <ExportMenu given={given} />
        <span role="status" class="message">{text}</span>
      </div>
    </>
  );
}
