// SPDX-License-Identifier: Apache-2.0
// A row of the timeline: a panel with a plot whose time axis lies below those of the others.

import type { Lacks } from "./missing";
import type { Panel } from "./panel";

export interface Track extends Panel {
  /** Nothing of it can be measured here: words in place of a plot. */
  readonly absent: boolean;
  /** The words. */
  readonly words: string;
  /** The element over its plot area; null while it has none. */
  readonly over: HTMLElement | null;
  /** Adds what is missing in the part that is shown. */
  missing(found: Lacks): void;
  setShowTimes(show: boolean): void;
  /** The view jumped: the vertical scale may do the same. */
  forgetScale(): void;
  recolour(): void;
}
