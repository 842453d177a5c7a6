// SPDX-License-Identifier: Apache-2.0
// Two spans against each other: A, which is held, and B, which is selected. The method is in data/compare.ts.

import { fetchSpan, type SpanQuery } from "../data/api";
import { compare, type Comparison, type Interval, type Verdict } from "../data/compare";
import type { Span } from "../data/state";
import type { Column } from "../data/wire";
import { NOTHING, formatRatio, formatSigned, type Unit } from "../lib/format";
import {
  AbsentLine, ColumnsChoice, ErrorLine, spanText, useAnswer, useColumns, useWatched, type Given, type Tab,
} from "./inspect";
import { formatDifference, formatUnder, meaningOf, titleOf, unitOf } from "./units";

const WORDS: Record<Verdict, string> = {
  clear: "clear difference", even: "not distinguishable", few: "too few samples", absent: "no value",
};

/** Holds what is selected, or else what is visible, as A. */
export function holdSubject(given: Given): void {
  given.settle();
  const subject = given.subject.get();
  if (!subject) return;
  given.context.state.held.set({ from: subject.from, to: subject.to });
  given.say("Held as A. Now select B.");
}

function swap({ context: { state }, subject }: Given): void {
  const a = state.held.get();
  const b = subject.get();
  if (!a || !b) return;
  state.held.set({ from: b.from, to: b.to });
  state.selection.set(a);
}

/** The lower end of a ratio's interval may be below zero. */
const ratio = (v: number): string => (v < 0 ? "\u2212" : "") + formatRatio(Math.abs(v));

function Range({ interval, format }: { interval: Interval | null; format: (v: number) => string }) {
  if (!interval) return null;
  return <span class="interval" title="95 % confidence interval">{format(interval.low)}{" \u2026 "}{format(interval.high)}</span>;
}

function Row({ column, c, intervalMs }: { column: Column; c: Comparison; intervalMs: number }) {
  const unit: Unit = unitOf(column);
  const signed = (v: number): string => formatSigned(v, (x) => formatDifference(x, unit));
  const arrow = c.verdict !== "clear" ? "" : (c.difference ?? 0) > 0 ? " \u25b2" : " \u25bc";
  return (
    <tbody data-column={column.id}>
      <tr class="name">
        <th scope="rowgroup" colSpan={3} title={titleOf(column, intervalMs)}>{column.name} <span class="dim">{meaningOf(column, intervalMs)}</span></th>
        <td><span class="verdict" data-verdict={c.verdict}>{WORDS[c.verdict]}{arrow}</span></td>
      </tr>
      <tr>
        <td data-stat="a">{formatUnder(c.a, unit)}</td>
        <td data-stat="b">{formatUnder(c.b, unit)}</td>
        <td data-stat="difference">
          {c.difference === null ? NOTHING : signed(c.difference)}<Range interval={c.differenceInterval} format={signed} />
        </td>
        <td data-stat="ratio">
          {c.ratio === null ? NOTHING : formatRatio(c.ratio)}<Range interval={c.ratioInterval} format={ratio} />
        </td>
      </tr>
    </tbody>
  );
}

function SpanLine({ letter, span, note }: { letter: string; span: Span | null; note: string }) {
  return (
    <p class="subject">
      <b class="letter" data-letter={letter}>{letter}</b>{" "}
      {span ? <span class="nums">{spanText(span)}</span> : <span class="dim">not held yet</span>} <span class="dim">{note}</span>
    </p>
  );
}

function Method() {
  return (
    <details class="method">
      <summary>How sure is that?</summary>
      <p>
        Below the difference and the ratio stands the range in which the true value lies with 95 % confidence. A difference is
        called clear when its range leaves out zero. By chance alone, one in twenty equal metrics looks clear.
      </p>
      <p>
        Neighbouring intervals resemble each other, so the error of each mean is taken from the means of batches of neighbours. From
        these: Welch's method for the difference (Biometrika 34, 1947), Fieller's theorem for the ratio (JRSS B 16, 1954).
        It says that two spans differ, not why.
      </p>
    </details>
  );
}

function Body(given: Given) {
  const { state } = given.context;
  const held = useWatched(state.held);
  const subject = useWatched(given.subject);
  const cpu = useWatched(state.cpu);
  const chosen = useColumns(given);
  const ask = (span: Span | null): SpanQuery | null => (!held || !span || chosen.columns.length === 0 ? null
    : { from: span.from, to: span.to, cpu, columns: chosen.columns.map((c) => c.id) });
  const a = useAnswer(fetchSpan, ask(held));
  const b = useAnswer(fetchSpan, ask(subject));
  const same = held !== null && subject !== null && held.from === subject.from && held.to === subject.to;
  const overlap = held !== null && subject !== null && !same && held.from < subject.to && subject.from < held.to;
  const where = cpu === null ? "" : ` \u00b7 CPU ${cpu}`;
  return (
    <>
      <SpanLine letter="A" span={held} note={where} />
      <SpanLine letter="B" span={subject} note={(subject && !subject.selected ? "the visible range" : "") + where} />
      <p class="buttons">
        <button type="button" data-action="hold" title="Hold this span as A (a)" disabled={!subject} onClick={() => holdSubject(given)}>
          Hold {subject?.selected ? "the selection" : "the visible range"} as A
        </button>
        <button type="button" data-action="swap" disabled={!held || same} onClick={() => swap(given)}>Swap</button>
        <button type="button" data-action="clear" disabled={!held} onClick={() => state.held.set(null)}>Clear</button>
      </p>
      <ErrorLine error={a.error ?? b.error} path="/api/span" />
      {!held && <p class="dim">Hold one span as A, then select another one: every metric of the two is compared.</p>}
      {same && <p class="dim">Now select another span with Shift+drag: it becomes B.</p>}
      {overlap && <p class="warning">A and B overlap: what they share makes them look more alike than they are.</p>}
      {held && !same && (
        <table class="stats compare" aria-label="A and B compared">
          <thead>
            <tr><th scope="col">A</th><th scope="col">B</th><th scope="col">B {"\u2212"} A</th><th scope="col">B / A</th></tr>
          </thead>
          {chosen.columns.map((c) => (
            <Row key={c.id} column={c} intervalMs={chosen.meta?.intervalMs ?? 100}
              c={compare(a.answer?.columns[c.id], b.answer?.columns[c.id])} />
          ))}
        </table>
      )}
      {held && !same && <AbsentLine columns={chosen.absent} />}
      <p class="foot"><ColumnsChoice chosen={chosen} /></p>
      <Method />
    </>
  );
}

export const compareTab: Tab = { id: "compare", title: "Compare", hint: "Two spans against each other", Body };
