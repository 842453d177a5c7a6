// SPDX-License-Identifier: Apache-2.0
// What a panel is: an element of its own, told when /api/meta was read anew and drawn once a frame. A new one is a file
// beside this one and a row in table.ts.

import type { LineChart } from "../chart/uplot";
import type { Range, View } from "../chart/view";
import type { Session } from "../data/session";
import type { PageState } from "../data/state";
import type { Meta } from "../data/wire";
import type { Signal } from "../lib/signal";

export interface Unusual {
  verdict: "high" | "low";
  /** Compared with what, as a sentence. */
  why: string;
}

export interface Context {
  session: Session;
  view: View;
  state: PageState;
  /** What is unusual in the newest second, by column; and the CPUs that are apart from the others. Said by the glance panel. */
  readonly unusual: Signal<ReadonlyMap<string, Unusual>>;
  readonly apart: Signal<readonly number[]>;
  /** Asks for a frame. */
  redraw(): void;
  /** The pointer is over a plot, this many CSS pixels from its left edge; null: over none. */
  onCursor(left: number | null): void;
}

export interface Frame {
  range: Range;
  /** Row under the cursor, or else the newest one; null where there is none. */
  row: number | null;
  /** Row of the newest sample. */
  newest: number | null;
  cursorTime: number | null;
  /** Numbers are to be written anew: a few times a second, so that they can be read. */
  text: boolean;
}

export interface Panel {
  readonly element: HTMLElement;
  meta(meta: Meta): void;
  draw(frame: Frame): void;
  /** Of a panel that has one and shows it. */
  readonly chart?: LineChart | null;
}
