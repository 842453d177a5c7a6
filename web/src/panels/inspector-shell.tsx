// SPDX-License-Identifier: Apache-2.0
// What the inspector looks like: the row of tabs (ARIA's tablist: arrows, Home, End), the tab that is shown, the tools below.

import { useWatched, type Given, type Tab } from "./inspect";
import { ExportMenu } from "./export-menu";
import type { Signal } from "../lib/signal";

export interface ShellProps {
  given: Given;
  tabs: readonly Tab[];
  /** Id of the tab that is shown. */
  tab: Signal<string>;
  /** The inspector can be seen at all: otherwise nothing of it works. */
  visible: Signal<boolean>;
  message: Signal<string>;
  onColumns(): void;
}

export function Shell({ given, tabs, tab, visible, message, onColumns }: ShellProps) {
  const id = useWatched(tab);
  const shown = useWatched(visible);
  const text = useWatched(message);
  const current = tabs.find((t) => t.id === id) ?? tabs[0];
  if (!shown || !current) return null;
  const key = (event: KeyboardEvent & { currentTarget: HTMLElement }): void => {
    const at = tabs.indexOf(current);
    const to = event.key === "ArrowRight" ? at + 1 : event.key === "ArrowLeft" ? at - 1 : event.key === "Home" ? 0
      : event.key === "End" ? tabs.length - 1 : null;
    if (to === null) return;
    const next = tabs[(to + tabs.length) % tabs.length];
    if (next) {
      tab.set(next.id);
      event.currentTarget.querySelector<HTMLElement>(`#tab-${next.id}`)?.focus();
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <>
      <div role="tablist" aria-label="Inspector" onKeyDown={key}>
        {tabs.map((t) => (
          <button key={t.id} type="button" role="tab" id={`tab-${t.id}`} aria-selected={t === current} aria-controls="inspector-panel"
            tabIndex={t === current ? 0 : -1} title={t.hint} onClick={() => tab.set(t.id)}>
            {t.title}
          </button>
        ))}
      </div>
      <div class="body" role="tabpanel" id="inspector-panel" aria-labelledby={`tab-${current.id}`} tabIndex={0}>
        <current.Body key={current.id} {...given} />
      </div>
      <div class="tools">
        <button type="button" data-action="columns" title="Which columns the timeline shows (m)" onClick={onColumns}>Columns</button>
        <ExportMenu given={given} />
        <span role="status" class="message">{text}</span>
      </div>
    </>
  );
}
