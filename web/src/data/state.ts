// SPDX-License-Identifier: Apache-2.0
// What the person has chosen, shared by all panels: the timeline sets the spans, the panels read them, the URL keeps all of
// it. (Which span of time is shown is View's.)

import { signal, type Signal } from "../lib/signal";

/** Times in ms since the epoch, from < to. */
export interface Span {
  from: number;
  to: number;
}

export interface PageState {
  /** The span that was dragged over; null: none, and panels speak of what is visible. */
  readonly selection: Signal<Span | null>;
  /** The span held as A, with which the selection (B) is compared. */
  readonly held: Signal<Span | null>;
  /** The CPU that charts and panels are about; null: the target's total. */
  readonly cpu: Signal<number | null>;
  /** The column that the heatmap of all CPUs shows; null: the default one. */
  readonly heat: Signal<string | null>;
  /** Dragging over the timeline selects, also without Shift. */
  readonly brush: Signal<boolean>;
  /** Ids of the tracks of the timeline, from top to bottom; null: the default ones. */
  readonly tracks: Signal<readonly string[] | null>;
  /** Times that another panel points at (the chosen points of the scatter plot): marked on the timeline. */
  readonly marks: Signal<readonly number[]>;
}

export function pageState(): PageState {
  return {
    selection: signal<Span | null>(null),
    held: signal<Span | null>(null),
    cpu: signal<number | null>(null),
    heat: signal<string | null>(null),
    brush: signal(false),
    tracks: signal<readonly string[] | null>(null),
    marks: signal<readonly number[]>([]),
  };
}
