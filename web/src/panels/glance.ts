// SPDX-License-Identifier: Apache-2.0
// One sentence for the first glance: what is unusual now, and where. What it is compared with stands in it; the rule is that
// of data/unusual.ts.

import type { CpuMatrix } from "../data/matrix";
import { Windows, apart, judge, type Judgement } from "../data/unusual";
import type { Column, Meta } from "../data/wire";
import { button, el, setAttribute, setText } from "../lib/dom";
import { formatDuration, formatValue } from "../lib/format";
import type { Context, Frame, Panel, Unusual } from "./panel";
import { columnOf, isAbsent, measuresTasks } from "./quality";
import { unitOf } from "./units";

/** Columns that are watched, the most telling first: what tasks wait for, how much is done, and how well. */
export const WATCHED: readonly string[] = [
  "cpus_utilized", "cpu_use", "pressure_cpu_some", "pressure_io_some", "pressure_memory_some", "ipc", "ghz", "cache_miss_rate",
  "branch_miss_rate", "context_switches_per_second",
];

/** For those who ask: where the line is opened, and in the list of keys. */
export const GLANCE_RULE = "Unusual is a second whose mean is higher (or lower) than that of every second of the ten minutes before it (without "
  + "the newest minute of them), by more than the width of their middle half. A CPU is apart from the others when it is more than three times "
  + "the width of their middle half away from it. Nothing is assumed about which values are good.";

const EVERY_MS = 1000;
/** So many samples of a CPU make its value of now, at most. */
const ROWS_MOST = 100;
/** Of a machine on which more than a few CPUs are apart from the others, the heatmap tells more than a list of them. */
const CPUS_MOST = 3;

function range(low: number, high: number, column: Column): string {
  const unit = unitOf(column);
  const [a, b] = [formatValue(low, unit), formatValue(high, unit)];
  const [number, suffix] = a.split("\u00a0");
  return a === b ? a : `${suffix !== undefined && b.endsWith("\u00a0" + suffix) ? number : a} \u2013 ${b}`;
}

/** Rounded down, so that it does not change with every second. */
function roughly(ms: number): string {
  const step = ms < 60_000 ? 10_000 : 60_000;
  return formatDuration(Math.floor(ms / step) * step);
}

/** A judgement that tells of a difference that can be seen in the number as it is written. */
function seen({ now, usual, verdict }: Judgement, column: Column): boolean {
  const unit = unitOf(column);
  return verdict !== null && formatValue(now, unit) !== formatValue(verdict === "high" ? usual.most : usual.least, unit);
}

/** Each CPU's mean over the newest second. */
function newestOf(matrix: CpuMatrix): Float64Array {
  const out = new Float64Array(matrix.cpus).fill(NaN);
  if (matrix.end === matrix.first) return out;
  const since = Math.max(matrix.lowerBound(matrix.time(matrix.end - 1) - EVERY_MS + 1), matrix.end - ROWS_MOST);
  for (let cpu = 0; cpu < matrix.cpus; cpu++) {
    let sum = 0;
    let n = 0;
    for (let i = since; i < matrix.end; i++) {
      const v = matrix.values[matrix.row(i) + cpu] as number;
      if (v !== v) continue;
      sum += v;
      n++;
    }
    if (n > 0) out[cpu] = sum / n;
  }
  return out;
}

export class GlancePanel implements Panel {
  readonly element: HTMLElement;
  readonly #line: HTMLButtonElement;
  readonly #lead = el("b");
  readonly #rest = el("span");
  /** All of it, however long: the line may end in an ellipsis. Written while it is open. */
  readonly #whole = el("div", { class: "findings", hidden: true });
  readonly #windows = new Windows();
  #at = -Infinity;
  #sentences: readonly string[] = [];

  constructor(private readonly context: Context) {
    this.#line = button("", "All of it, and what it is compared with", () => this.#open(this.#whole.hidden));
    this.#line.append(this.#lead, " ", this.#rest);
    this.element = el("div", { class: "glance" }, this.#line, this.#whole);
    this.#open(false);
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.#whole.hidden) return;
      this.#open(false);
      event.preventDefault(); // it is not the timeline's
    });
    const elsewhere = ({ target }: Event): void => {
      if (!(target instanceof Node) || !this.element.contains(target)) this.#open(false);
    };
    document.addEventListener("pointerdown", elsewhere);
    document.addEventListener("focusin", elsewhere);
  }

  meta(_meta: Meta): void {
    // Written once a second.
  }

  draw(frame: Frame): void {
    const meta = this.context.session.meta.get();
    const now = performance.now();
    if (!frame.text || !meta || now - this.#at < EVERY_MS) return;
    this.#at = now;
    this.#look(meta);
  }

  #look(meta: Meta): void {
    const { store } = this.context.session;
    const found = new Map<string, Unusual>();
    const said: string[] = [];
    let before = 0;
    let judged = 0;
    for (const id of WATCHED) {
      const column = columnOf(meta, id);
      const judgement = column && !isAbsent(column) ? judge(this.#windows, store, id, meta.intervalMs) : null;
      if (!column || !judgement) continue;
      judged++;
      before = Math.max(before, judgement.before);
      if (!seen(judgement, column)) continue;
      const value = formatValue(judgement.now, unitOf(column));
      const usual = range(judgement.usual.q1, judgement.usual.q3, column);
      const word = judgement.verdict === "high" ? "higher" : "lower";
      found.set(id, {
        verdict: judgement.verdict ?? "high",
        why: `Unusually ${judgement.verdict}: over the last second ${value}, ${word} than in any second of the `
          + `${roughly(judgement.before)} before (half of them: ${usual}).`,
      });
      const name = id === "cpu_use" && measuresTasks(meta) ? "CPU use of the machine" : column.name;
      said.push(`${name} ${value} (usually ${usual})`);
    }
    const where = this.#where(meta);
    const some = said.length > 0;
    const when = this.context.session.connection.get().state === "live" ? "now" : "in the newest second";
    setAttribute(this.element, "data-unusual", some ? "" : null);
    setText(this.#lead, some ? `\u26a0\ufe0e Unusual ${when}:` : judged > 0 ? `\u2713 Nothing unusual ${when}` : "");
    const compared = `${judged} ${judged === 1 ? "metric" : "metrics"} compared with the ${roughly(before)} before`;
    const parts = judged > 0 ? [...said, where, some ? "" : compared]
      : [store.newestTime === null ? "Nothing was measured yet." : "What is unusual can be said when half a minute has been measured.", where];
    setText(this.#rest, (judged > 0 && !some ? "\u00b7 " : "") + parts.filter((s) => s !== "").join(" \u00b7 "));
    const whys = [...found].map(([id, { why }]) => `${columnOf(meta, id)?.name ?? id}: ${why}`);
    this.#sentences = [...(judged > 0 ? whys : parts.slice(0, 1)), where === "" ? "" : `${where}.`, judged > 0 ? `${compared}.` : "", GLANCE_RULE];
    if (!this.#whole.hidden) this.#write();
    this.context.unusual.set(found);
  }

  #open(open: boolean): void {
    this.#whole.hidden = !open;
    setAttribute(this.#line, "aria-expanded", String(open));
    if (open) this.#write();
  }

  #write(): void {
    const sentences = this.#sentences.filter((s) => s !== "");
    while (this.#whole.children.length > sentences.length) this.#whole.lastChild?.remove();
    sentences.forEach((text, i) => setText(this.#whole.children[i] ?? this.#whole.appendChild(el("p")), text));
  }

  /** CPUs whose newest second is apart from that of the others. */
  #where(meta: Meta): string {
    const { matrix } = this.context.session;
    const column = matrix ? columnOf(meta, matrix.column) : undefined;
    const values = matrix && column ? newestOf(matrix) : null;
    const found = values ? apart(values) : null;
    const cpus = found && found.cpus.length <= CPUS_MOST ? found.cpus : [];
    if (cpus.join() !== this.context.apart.get().join()) this.context.apart.set(cpus);
    const [first] = cpus;
    if (!found || !values || !column || first === undefined) return "";
    const { q1, q3 } = found.usual;
    return `CPU ${[...cpus].sort((a, b) => a - b).join(", ")} apart from the others: ${column.name} ${formatValue(values[first] as number, unitOf(column))} (mostly ${range(q1, q3, column)})`;
  }
}
