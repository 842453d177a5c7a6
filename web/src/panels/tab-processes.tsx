// SPDX-License-Identifier: Apache-2.0
// Who ran in the span. The rows hold still while the pointer is over them or the focus is in them.

import { useRef, useState } from "preact/hooks";
import { fetchProcesses } from "../data/api";
import {
  filtered, heldStill, keyed, lifeOf, sorted, tableText, type Sort, type SortKey, type TableRow,
} from "../data/process-table";
import { NOTHING, formatDuration, formatShare, formatTime, formatWhole } from "../lib/format";
import { copyText } from "../lib/handout";
import { ErrorLine, SubjectLine, useAnswer, useWatched, type Given, type Tab } from "./inspect";

/** As many rows as can be asked for and drawn each second without being felt. */
const ROWS_MOST = 300;
/** The server holds so much. */
const SPAN_MOST_MS = 3_600_000;
const NS_PER_MS = 1e6;

const COLUMNS: readonly { key: SortKey; title: string; help: string; descending: boolean }[] = [
  { key: "comm", title: "Name", help: "As the kernel has it: 15 characters at most", descending: false },
  { key: "pid", title: "PID", help: "", descending: false },
  { key: "cpu", title: "CPU time", help: "All its threads, in user and system mode", descending: true },
  { key: "share", title: "Share", help: "Of one CPU, over the span", descending: true },
  { key: "life", title: "Life", help: "Whether it was born or ended in the span", descending: true },
];

function Heading({ column, sort, onSort }: {
  column: typeof COLUMNS[number]; sort: Sort; onSort(sort: Sort): void;
}) {
  const { key, title, help, descending } = column;
  const mine = sort.key === key;
  return (
    <th scope="col" data-key={key} aria-sort={mine ? (sort.descending ? "descending" : "ascending") : "none"}>
      <button type="button" title={help || undefined} onClick={() => onSort({ key, descending: mine ? !sort.descending : descending })}>
        {title}<span aria-hidden="true">{mine ? (sort.descending ? " \u25be" : " \u25b4") : ""}</span>
      </button>
    </th>
  );
}

function Row({ row }: { row: TableRow }) {
  const life = lifeOf(row);
  return (
    <tr data-gone={row.gone ? "" : undefined} title={row.gone ? "It did not run any more" : undefined}>
      <td class="comm" title={row.comm}>{row.comm || "(no name)"}</td>
      <td class="nums">{row.pid}</td>
      <td class="nums">{row.gone ? NOTHING : formatTime(row.cpuTimeMs * NS_PER_MS)}</td>
      <td class="nums">{row.gone || row.share === null ? NOTHING : formatShare(row.share)}</td>
      <td>{life}</td>
    </tr>
  );
}

function Body(given: Given) {
  const subject = useWatched(given.subject);
  const [sort, setSort] = useState<Sort>({ key: "cpu", descending: true });
  const [filter, setFilter] = useState("");
  const [pointed, setPointed] = useState(false);
  const [focused, setFocused] = useState(false);
  const held = useRef<{ order: string; rows: TableRow[] }>({ order: "", rows: [] });
  const from = subject ? Math.max(subject.from, subject.to - SPAN_MOST_MS) : 0;
  const { answer, error } = useAnswer(fetchProcesses, subject ? { from, to: subject.to, limit: ROWS_MOST } : null);

  const frozen = pointed || focused;
  // Another order or another span is what the person asked for: it is shown at once.
  const order = JSON.stringify([sort, subject?.selected ? subject : null]);
  const fresh = sorted(keyed(answer?.processes ?? []), sort);
  const all = frozen && held.current.order === order ? heldStill(held.current.rows, fresh) : fresh;
  held.current = { order, rows: all };
  const rows = filtered(all, filter);

  const copy = (): void => {
    copyText(tableText(rows)).then(() => given.say(`${rows.length} rows copied.`), (e: unknown) => given.say(`Not copied: ${String(e)}`));
  };
  return (
    <>
      <SubjectLine subject={subject} />
      {subject && from > subject.from && <p class="warning">Its last hour: more is not kept of processes.</p>}
      <ErrorLine error={error} path="/api/processes" />
      <p class="buttons">
        <input type="search" placeholder="Filter by name or PID" aria-label="Filter by name or PID" value={filter}
          onInput={(e) => setFilter(e.currentTarget.value)} />
        <button type="button" data-action="copy" disabled={rows.length === 0} onClick={copy}>Copy</button>
      </p>
      {answer && (
        <p class="dim" data-summary>
          {formatWhole(answer.count)} ran{answer.truncated ? `, ${answer.processes.length} are listed` : ""};{" "}
          {answer.cpuTimeMs === null ? "" : `${formatTime(answer.cpuTimeMs * NS_PER_MS)} of CPU time in `}
          {answer.seconds === null ? "no second that was looked at" : formatDuration(answer.seconds * 1000)};{" "}
          <span title="Every process and thread that the machine started, also those too short to be listed">
            {answer.forks === null ? NOTHING : formatWhole(answer.forks)} forks
          </span>
          {frozen ? " \u00b7 order held" : ""}
        </p>
      )}
      <div class="scroller">
        <table class="processes" aria-label="Processes" onPointerEnter={() => setPointed(true)} onPointerLeave={() => setPointed(false)}
          onFocusIn={() => setFocused(true)} onFocusOut={() => setFocused(false)}>
          <thead>
            <tr>{COLUMNS.map((c) => <Heading key={c.key} column={c} sort={sort} onSort={setSort} />)}</tr>
          </thead>
          <tbody>{rows.map((row) => <Row key={row.key} row={row} />)}</tbody>
        </table>
      </div>
      {answer && rows.length === 0 && <p class="dim">{all.length > 0 ? "No process matches." : "No process ran, or this stream tells nothing of processes."}</p>}
    </>
  );
}

export const processesTab: Tab = { id: "processes", title: "Processes", hint: "Who ran in the span", Body };
