// SPDX-License-Identifier: Apache-2.0
// Which columns move together: Pearson's r of every two, and the scatter plot behind a cell. r sees straight lines only, and
// says nothing of what causes what: the plot shows the rest.

import { useRef, useState } from "preact/hooks";
import { fetchSpan } from "../data/api";
import type { Column } from "../data/wire";
import { NOTHING } from "../lib/format";
import {
  AbsentLine, ColumnsChoice, ErrorLine, SubjectLine, useAnswer, useColumns, useWatched, type Given, type Tab,
} from "./inspect";
import { Scatter } from "./scatter";

/** More columns than this are a carpet, not a table. */
const COLUMNS_MOST = 24;

/** `.42`, `−.42`, `1`: three characters, because there are many beside each other. */
export function shortR(r: number | null): string {
  if (r === null) return NOTHING;
  const text = Math.abs(r).toFixed(2);
  return (r < 0 && text !== "0.00" ? "\u2212" : "") + (text === "1.00" ? "1" : text.slice(1));
}

interface Cell {
  row: number;
  column: number;
}

/** Where an arrow key leads in a square of `size`; null for another key. */
export function moved(key: string, at: Cell, size: number): Cell | null {
  const clamp = (n: number): number => Math.min(size - 1, Math.max(0, n));
  switch (key) {
    case "ArrowLeft": return { ...at, column: clamp(at.column - 1) };
    case "ArrowRight": return { ...at, column: clamp(at.column + 1) };
    case "ArrowUp": return { ...at, row: clamp(at.row - 1) };
    case "ArrowDown": return { ...at, row: clamp(at.row + 1) };
    case "Home": return { ...at, column: 0 };
    case "End": return { ...at, column: size - 1 };
    default: return null;
  }
}

function Matrix({ columns, r, n, open, onOpen }: {
  columns: readonly Column[]; r: (a: string, b: string) => number | null; n: (a: string, b: string) => number;
  open: readonly [string, string] | null; onOpen(x: string, y: string): void;
}) {
  const [focus, setFocus] = useState<Cell>({ row: 1, column: 0 });
  const table = useRef<HTMLTableElement>(null);
  const key = (event: KeyboardEvent): void => {
    const to = moved(event.key, focus, columns.length);
    if (!to) return;
    setFocus(to);
    table.current?.querySelector<HTMLElement>(`[data-cell="${to.row}-${to.column}"] > *`)?.focus();
    event.preventDefault();
    event.stopPropagation();
  };
  const cell = (a: Column, b: Column, row: number, column: number) => {
    const tab = focus.row === row && focus.column === column ? 0 : -1;
    if (a === b) return <td key={b.id} role="gridcell" data-cell={`${row}-${column}`} class="self"><span tabIndex={tab}>{"\u00b7"}</span></td>;
    const value = r(a.id, b.id);
    const mix = value === null ? "0%" : `${Math.round(Math.abs(value) * 60)}%`;
    // The number as it stands there comes first: who speaks to the page says what they see.
    const hint = value === null
      ? `${NOTHING} ${a.name} and ${b.name}: no r (fewer than 3 pairs, or one of the two does not vary)`
      : `${shortR(value)} ${a.name} and ${b.name}: r = ${value.toFixed(3).replace("-", "\u2212")}, n = ${n(a.id, b.id)}`;
    return (
      <td key={b.id} role="gridcell" data-cell={`${row}-${column}`} data-sign={value === null ? "none" : value < 0 ? "negative" : "positive"}
        style={{ "--mix": mix }}>
        <button type="button" tabIndex={tab} title={hint} aria-label={hint} aria-pressed={open?.[0] === b.id && open[1] === a.id}
          onFocus={() => setFocus({ row, column })} onClick={() => onOpen(b.id, a.id)}>
          {shortR(value)}
        </button>
      </td>
    );
  };
  return (
    <div class="scroller">
      <table ref={table} class="matrix" role="grid" aria-label="Correlation of every two columns" onKeyDown={key}>
        <thead>
          <tr role="row">
            <td role="gridcell" class="corner" />
            {columns.map((c) => <th key={c.id} role="columnheader" scope="col"><span>{c.name}</span></th>)}
          </tr>
        </thead>
        <tbody>
          {columns.map((a, i) => (
            <tr key={a.id} role="row">
              <th role="rowheader" scope="row" title={a.name}>{a.name}</th>
              {columns.map((b, j) => cell(a, b, i, j))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Body(given: Given) {
  const subject = useWatched(given.subject);
  const cpu = useWatched(given.context.state.cpu);
  const chosen = useColumns(given);
  const [open, setOpen] = useState<readonly [string, string] | null>(null);
  const columns = chosen.columns.slice(0, COLUMNS_MOST);
  const { answer, error } = useAnswer(fetchSpan,
    subject && columns.length > 1 ? { from: subject.from, to: subject.to, cpu, columns: columns.map((c) => c.id) } : null);
  const at = new Map(answer?.correlation.columns.map((id, i) => [id, i]));
  const pick = <T,>(from: T[][] | undefined, a: string, b: string): T | undefined => from?.[at.get(a) ?? -1]?.[at.get(b) ?? -1];
  const x = columns.find((c) => c.id === open?.[0]);
  const y = columns.find((c) => c.id === open?.[1]);
  return (
    <>
      <SubjectLine subject={subject} cpu={cpu} />
      <ErrorLine error={error} path="/api/span" />
      {columns.length > 1
        ? <Matrix columns={columns} open={open} onOpen={(a, b) => setOpen([a, b])}
            r={(a, b) => pick(answer?.correlation.r, a, b) ?? null} n={(a, b) => pick(answer?.correlation.n, a, b) ?? 0} />
        : <p class="dim">Two columns with values are needed.</p>}
      {chosen.columns.length > COLUMNS_MOST && <p class="dim">The first {COLUMNS_MOST} of {chosen.columns.length} columns.</p>}
      <p class="palette" aria-hidden="true">
        <span>{"\u2212"}1 opposite</span><i class="negative" /><i class="none" /><i class="positive" /><span>together 1</span>
      </p>
      {subject && x && y ? <Scatter given={given} subject={subject} x={x} y={y} />
        : <p class="dim">A click on a number opens the scatter plot of the two. r sees straight lines only, and no causes.</p>}
      <AbsentLine columns={chosen.absent} />
      <p class="foot"><ColumnsChoice chosen={chosen} /></p>
    </>
  );
}

export const relationsTab: Tab = { id: "relations", title: "Relations", hint: "Which columns move together", Body };
