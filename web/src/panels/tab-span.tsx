// SPDX-License-Identifier: Apache-2.0
// The statistics of the selected span beside those of the visible range.

import { fetchSpan, type SpanQuery } from "../data/api";
import type { Column } from "../data/wire";
import type { SpanAnswer, Statistics } from "../data/wire-answers";
import { NOTHING, formatDuration, formatShare, formatSigned, formatValue, type Unit } from "../lib/format";
import {
  AbsentLine, Badge, ColumnsChoice, ErrorLine, SubjectLine, runningQuality, useAnswer, useColumns, useWatched,
  type Given, type Subject, type Tab,
} from "./inspect";
import { formatUnder, hasSum, meaningOf, titleOf, unitOf } from "./units";

const KEYS = ["min", "p50", "mean", "p95", "p99", "max"] as const;

function query(span: Subject | null, columns: readonly Column[], cpu: number | null): SpanQuery | null {
  return span && columns.length > 0 ? { from: span.from, to: span.to, columns: columns.map((c) => c.id), cpu } : null;
}

/** What was measured in the span, in words. */
export function coverage(answer: SpanAnswer): string {
  if (answer.buckets === 0) return "nothing was measured in it";
  const missing = answer.missing > 0 ? `, ${answer.missing} without a value` : "";
  return `${answer.buckets.toLocaleString("en-US")} values of ${formatDuration(answer.resolutionMs)} each${missing}`;
}

/** A change of less than this is not worth a second look. */
const STRONG = 0.1;

function Delta({ mean, whole }: { mean: number | null; whole: number | null }) {
  const change = mean === null || whole === null || whole === 0 ? null : mean / whole - 1;
  return (
    <span class="delta" data-strong={change !== null && Math.abs(change) >= STRONG} title="Mean against the mean of the visible range">
      {"\u0394\u00a0"}{change === null ? NOTHING : formatSigned(change, formatShare)}
    </span>
  );
}

function Row({ column, s, whole, intervalMs, selected }: {
  column: Column; s: Statistics | undefined; whole: Statistics | undefined; intervalMs: number; selected: boolean;
}) {
  const unit: Unit = unitOf(column);
  const sum = hasSum(column) ? s?.sum ?? null : null;
  // Of the six columns of numbers, what stands beside the name.
  const beside = 1 + Number(sum !== null) + Number(selected);
  return (
    <tbody data-column={column.id}>
      <tr class="name">
        <th scope="rowgroup" colSpan={KEYS.length - beside} title={titleOf(column, intervalMs)}>
          {column.name} <span class="dim">{meaningOf(column, intervalMs)}</span>{" "}
          <Badge quality={runningQuality(s?.running ?? null)} />
        </th>
        <td colSpan={beside}>
          {sum !== null && <span class="sum" title="Sum over the span">{"\u03a3\u00a0"}{formatValue(sum, unit)}</span>}
          {selected && <Delta mean={s?.mean ?? null} whole={whole?.mean ?? null} />}
        </td>
      </tr>
      <tr>{KEYS.map((k) => <td key={k} data-stat={k}>{formatUnder(s?.[k] ?? null, unit)}</td>)}</tr>
    </tbody>
  );
}

function Body(given: Given) {
  const subject = useWatched(given.subject);
  const cpu = useWatched(given.context.state.cpu);
  const visible = useWatched(given.visible);
  const chosen = useColumns(given);
  const asked = useAnswer(fetchSpan, query(subject, chosen.columns, cpu));
  const whole = useAnswer(fetchSpan, subject?.selected ? query(visible, chosen.columns, cpu) : null);
  const { answer } = asked;
  return (
    <>
      <SubjectLine subject={subject} cpu={cpu}>{answer && <span class="dim"> {"\u00b7"} {coverage(answer)}</span>}</SubjectLine>
      <ErrorLine error={asked.error} path="/api/span" />
      <table class="stats" aria-label="Statistics of the span">
        <thead>
          <tr>{KEYS.map((k) => <th key={k} scope="col">{k}</th>)}</tr>
        </thead>
        {chosen.columns.map((c) => (
          <Row key={c.id} column={c} s={answer && answer.buckets > 0 ? answer.columns[c.id] : undefined} whole={whole.answer?.columns[c.id]}
            intervalMs={chosen.meta?.intervalMs ?? 100} selected={subject?.selected ?? false} />
        ))}
      </table>
      <AbsentLine columns={chosen.absent} />
      <p class="foot">
        <ColumnsChoice chosen={chosen} />
        {!subject?.selected && <span class="dim">Shift+drag over a chart selects a span.</span>}
      </p>
    </>
  );
}

export const spanTab: Tab = { id: "span", title: "Span", hint: "Statistics of the selected span", Body };
