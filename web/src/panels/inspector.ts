// SPDX-License-Identifier: Apache-2.0
// Beside the timeline: what the selected span, or the visible one, says.

import type { Meta } from "../data/wire";
import { el } from "../lib/dom";
import type { Context, Frame, Panel } from "./panel";

export class Inspector implements Panel {
  readonly element = el("aside", { class: "inspector", "aria-label": "Inspector" });

  constructor(_context: Context) {}

  meta(_meta: Meta): void {}

  draw(_frame: Frame): void {}
}
