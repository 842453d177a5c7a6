// SPDX-License-Identifier: Apache-2.0
// What the program has to say about this machine: the notes of /api/meta, as a quiet banner, with the way to the doctor.

import type { Meta } from "../data/wire";
import { button, el, setAttribute } from "../lib/dom";
import type { Panel } from "./panel";
import { columnOf } from "./quality";

const KNOWN = ["info", "warning", "error"];

/** With a capital, unless it begins with the name of a column: the program writes its notes to go on behind a colon. */
function sentence(text: string, meta: Meta): string {
  const word = /^[a-z]+ /.exec(text)?.[0].trim() ?? "";
  return word === "" || columnOf(meta, word) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

export class NotesPanel implements Panel {
  readonly element = el("aside", { class: "notes", "aria-label": "Notes", hidden: true });
  #shown = "";

  constructor(private readonly askDoctor: () => void) {}

  meta(meta: Meta): void {
    const shown = JSON.stringify(meta.notes);
    if (shown === this.#shown) return;
    this.#shown = shown;
    setAttribute(this.element, "hidden", meta.notes.length === 0 ? "" : null);
    this.element.replaceChildren(...meta.notes.map((note) =>
      el("p", { "data-severity": KNOWN.includes(note.severity) ? note.severity : "info" }, sentence(note.text, meta))));
    if (!meta.notes.some((note) => note.severity === "warning" || note.severity === "error")) return;
    const doctor = button("What helps?", "The doctor's findings: what this machine can measure, what not, why, and the remedy", this.askDoctor);
    doctor.id = "ask-doctor";
    doctor.className = "small";
    this.element.lastElementChild?.append(" ", doctor);
  }

  draw(): void {
    // Changes with /api/meta only.
  }
}
