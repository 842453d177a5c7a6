// SPDX-License-Identifier: Apache-2.0
// The bottom line: what was missed, and what measuring costs. A tool that measures says what it costs itself.

import type { Meta, Process } from "../data/wire";
import { el, setAttribute, setText } from "../lib/dom";
import { NOTHING, formatBytes, formatCount, formatWhole } from "../lib/format";
import type { Context, Frame, Panel } from "./panel";

interface Entry {
  id: string;
  title: string;
  read(meta: Meta, context: Context): string;
  /** Something went wrong there: worth a second look. */
  alarming?(meta: Meta, context: Context): boolean;
}

function cost(process: Process): string {
  const cpu = process.cpuPercent === null ? "" : `${process.cpuPercent.toFixed(1)}\u00a0% CPU`;
  const memory = process.rssBytes === null ? "" : formatBytes(process.rssBytes);
  return [cpu, memory].filter((x) => x !== "").join(", ") || "unknown";
}

const ENTRIES: readonly Entry[] = [
  {
    id: "missed", title: "missed ticks",
    read: (m) => formatCount(m.health.missedTicks), alarming: (m) => m.health.missedTicks > 0,
  },
  {
    id: "dropped", title: "dropped rounds",
    read: (m) => formatCount(m.health.droppedRounds), alarming: (m) => m.health.droppedRounds > 0,
  },
  {
    id: "skipped", title: "skipped records",
    read: (m) => formatCount(m.health.skippedRecords), alarming: (m) => m.health.skippedRecords > 0,
  },
  { id: "reconnects", title: "reconnects", read: (_, c) => formatCount(c.session.reconnects) },
  { id: "collector", title: "collector", read: (m) => cost(m.health.collector) },
  { id: "server", title: "server", read: (m) => cost(m.health.server) },
  { id: "rows", title: "samples held", read: (_, c) => formatWhole(c.session.store.rows) },
];

/** How many samples there are changes with each; nobody reads it so often. */
const EVERY_MS = 1000;

export class StatusPanel implements Panel {
  #shownAt = -Infinity;
  readonly element: HTMLElement;
  readonly #values = ENTRIES.map((entry) => ({ entry, node: el("b", { "data-status": entry.id }, NOTHING) }));
  readonly #version = el("span", { class: "version" });

  constructor(private readonly context: Context) {
    this.element = el("footer", { class: "status" },
      ...this.#values.map(({ entry, node }) => el("span", {}, entry.title + " ", node)),
      el("span", { class: "keys" }, "Shift+drag: select \u00b7 Space: pause \u00b7 End: live \u00b7 ?: all keys"),
      this.#version);
  }

  meta(meta: Meta): void {
    setText(this.#version, "cyclescope " + meta.version);
    setAttribute(this.#version, "title", `Linux ${meta.kernel} ${meta.arch}`);
    this.#show();
  }

  draw(frame: Frame): void {
    if (frame.text && performance.now() - this.#shownAt >= EVERY_MS) this.#show();
  }

  #show(): void {
    const meta = this.context.session.meta.get();
    if (!meta) return;
    this.#shownAt = performance.now();
    for (const { entry, node } of this.#values) {
      setText(node, entry.read(meta, this.context));
      setAttribute(node, "data-alarm", entry.alarming?.(meta, this.context) ? "" : null);
    }
  }
}
