// SPDX-License-Identifier: Apache-2.0
// What the program has to say about this machine: the notes of /api/meta, as a quiet banner.

import type { Meta } from "../data/wire";
import { el, setAttribute } from "../lib/dom";
import type { Panel } from "./panel";

const KNOWN = ["info", "warning", "error"];

export class NotesPanel implements Panel {
  readonly element = el("aside", { class: "notes", "aria-label": "Notes", hidden: true });
  #shown = "";

  meta(meta: Meta): void {
    const shown = JSON.stringify(meta.notes);
    if (shown === this.#shown) return;
    this.#shown = shown;
    setAttribute(this.element, "hidden", meta.notes.length === 0 ? "" : null);
    this.element.replaceChildren(...meta.notes.map((note) =>
      el("p", { "data-severity": KNOWN.includes(note.severity) ? note.severity : "info" }, note.text)));
  }

  draw(): void {
    // Changes with /api/meta only.
  }
}
