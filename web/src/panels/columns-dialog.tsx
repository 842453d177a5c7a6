// SPDX-License-Identifier: Apache-2.0
// Which columns the timeline shows, in which order, and on which axis; and what every column of this server means.

import { render } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Column, Meta } from "../data/wire";
import { el } from "../lib/dom";
import { Badge, useWatched } from "./inspect";
import type { Context } from "./panel";
import { columnOf, isAbsent, whyAbsent } from "./quality";
import { HEAT_TRACK, defaultTracks } from "./table";
import { add, canJoin, currentTracks, move, removeColumn, setTracks } from "./track-choice";
import { TRACKS_MOST, isLog, parseTrack, trackColumns, trackOf, trackTitle, withAxis } from "./tracks";
import { meaningOf } from "./units";

interface Props {
  context: Context;
  meta: Meta;
}

function Track({ context, meta, id, index, ids, dragged, onDrag, onFocusNext }: Props & {
  id: string; index: number; ids: readonly string[]; dragged: boolean; onDrag(index: number | null): void;
  /** After the next drawing, this button of that row has the focus: a row that moves in the document loses it. */
  onFocusNext(row: number, button: string): void;
}) {
  const { state } = context;
  const title = trackTitle(id, meta);
  const track = parseTrack(id);
  const change = (next: readonly string[]): void => setTracks(state, next, meta);
  const step = (by: number, button: string): void => {
    onFocusNext(index + by, button);
    change(move(ids, index, index + by));
  };
  const drag = (event: PointerEvent & { currentTarget: HTMLElement }): void => {
    const items = [...event.currentTarget.closest("ol")?.children ?? []];
    const to = items.findIndex((item) => event.clientY < item.getBoundingClientRect().bottom);
    const target = to < 0 ? items.length - 1 : to;
    if (target === index) return;
    change(move(ids, index, target));
    onDrag(target);
  };
  return (
    <li data-track={id} data-dragged={dragged ? "" : undefined}>
      <span class="grip" title="Drag to rearrange" aria-hidden="true"
        onPointerDown={(e) => {
          e.currentTarget.setPointerCapture(e.pointerId);
          onDrag(index);
        }}
        onPointerMove={(e) => dragged && drag(e)} onPointerUp={() => onDrag(null)} onPointerCancel={() => onDrag(null)}>
        {"\u2807"}
      </span>
      <span class="title">
        {title}
        {track && track.columns.length > 1 && track.columns.map((column) => (
          <button key={column} type="button" class="small" aria-label={`Remove ${column} from ${title}`}
            onClick={() => {
              onFocusNext(index, "remove");
              change(removeColumn(ids, id, column));
            }}>
            {columnOf(meta, column)?.name ?? column} {"\u00d7"}
          </button>
        ))}
      </span>
      {id !== HEAT_TRACK && (
        <button type="button" class="small" aria-pressed={isLog(id)} aria-label={`log: logarithmic axis of ${title}`}
          onClick={() => change(ids.map((other) => (other === id ? withAxis(id, !isLog(id)) : other)))}>
          log
        </button>
      )}
      <button type="button" class="small" data-move="up" aria-label={`Move ${title} up`} disabled={index === 0}
        onClick={() => step(-1, "up")}>{"\u2191"}</button>
      <button type="button" class="small" data-move="down" aria-label={`Move ${title} down`} disabled={index === ids.length - 1}
        onClick={() => step(1, "down")}>{"\u2193"}</button>
      <button type="button" class="small" data-move="remove" aria-label={`Remove ${title}`} disabled={ids.length === 1}
        onClick={() => {
          onFocusNext(Math.min(index, ids.length - 2), "remove");
          change(ids.filter((other) => other !== id));
        }}>{"\u00d7"}</button>
    </li>
  );
}

function Offer({ context, meta, column, ids }: Props & { column: Column; ids: readonly string[] }) {
  const shown = ids.some((id) => trackColumns(id).includes(column.id));
  const joinable = ids.filter((id) => canJoin(id, column.id, meta));
  const put = (into: string | null): void => setTracks(context.state, add(ids, column.id, into), meta);
  const absent = isAbsent(column);
  const alone = ids.some((id) => parseTrack(id)?.base === trackOf([column.id]));
  return (
    <li data-column={column.id}>
      <details>
        <summary>
          {column.name} <span class="dim">{meaningOf(column, meta.intervalMs)}</span> <Badge quality={column.quality} why={whyAbsent(column)} />
          {shown && <span class="dim"> {"\u00b7"} shown</span>}
        </summary>
        <dl>
          {column.formula !== "" && <><dt>Formula</dt><dd><code>{column.formula}</code></dd></>}
          {column.inputs.length > 0 && <><dt>From</dt><dd>{column.inputs.join(", ")}</dd></>}
          <dt>Unit</dt><dd>{meaningOf(column, meta.intervalMs) || "none"}{column.perCpu ? "; of each CPU as well" : ""}</dd>
          {column.source !== "" && <><dt>Source</dt><dd>{column.source}</dd></>}
          {absent && <><dt>Why not</dt><dd>{whyAbsent(column)}</dd></>}
          <dt>Id</dt><dd><code>{column.id}</code></dd>
        </dl>
      </details>
      {joinable.length > 0 && (
        <select aria-label={`Add ${column.name} to a track`} value="" onChange={(e) => {
          put(e.currentTarget.value);
          e.currentTarget.value = "";
        }}>
          <option value="" disabled>add to{"\u2026"}</option>
          {joinable.map((id) => <option key={id} value={id}>{trackTitle(id, meta)}</option>)}
        </select>
      )}
      <button type="button" class="small" aria-label={`Add ${column.name} as a track`} disabled={alone || ids.length >= TRACKS_MOST}
        onClick={() => put(null)}>+ track</button>
    </li>
  );
}

function Content({ context, onClose }: { context: Context; onClose(): void }) {
  const meta = useWatched(context.session.meta);
  useWatched(context.state.tracks);
  const [filter, setFilter] = useState("");
  const [dragged, setDragged] = useState<number | null>(null);
  const list = useRef<HTMLOListElement>(null);
  const focusNext = useRef<{ row: number; button: string } | null>(null);
  useLayoutEffect(() => {
    const { row, button } = focusNext.current ?? {};
    focusNext.current = null;
    if (row === undefined) return;
    const item = list.current?.children[row];
    const wanted = item?.querySelector<HTMLElement>(`[data-move="${button}"]:enabled`);
    // At the end of its way, the other direction is what is left.
    (wanted ?? item?.querySelector<HTMLElement>("[data-move]:enabled"))?.focus();
  });
  if (!meta) return <p class="dim">The server has not answered yet.</p>;
  const ids = currentTracks(context.state, meta);
  const wanted = filter.trim().toLowerCase();
  const offers = meta.columns.filter((c) => wanted === "" || c.name.toLowerCase().includes(wanted) || c.id.includes(wanted));
  // What can be counted comes first.
  offers.sort((a, b) => Number(isAbsent(a)) - Number(isAbsent(b)));
  const gone = defaultTracks(meta).filter((id) => !ids.some((other) => parseTrack(other)?.base === id));
  return (
    <>
      <header>
        <h2>Columns</h2>
        <button type="button" data-action="default" onClick={() => setTracks(context.state, defaultTracks(meta), meta)}>Default tracks</button>
        <button type="button" class="primary" data-action="close" onClick={onClose}>Done</button>
      </header>
      <div class="halves">
        <section aria-label="Tracks of the timeline">
          <h3>On the timeline</h3>
          <ol ref={list}>
            {ids.map((id, index) => (
              <Track key={parseTrack(id)?.base ?? id} {...{ context, meta, id, index, ids }} dragged={dragged === index} onDrag={setDragged}
                onFocusNext={(row, button) => { focusNext.current = { row, button }; }} />
            ))}
          </ol>
          {gone.length > 0 && (
            <p class="buttons">
              {gone.map((id) => (
                <button key={id} type="button" class="small" onClick={() => setTracks(context.state, [...ids, id], meta)}>
                  + {trackTitle(id, meta)}
                </button>
              ))}
            </p>
          )}
        </section>
        <section aria-label="Columns of this server">
          <h3>All columns</h3>
          <input type="search" placeholder="Filter" aria-label="Filter the columns" value={filter}
            onInput={(e) => setFilter(e.currentTarget.value)} />
          <ul>{offers.map((column) => <Offer key={column.id} {...{ context, meta, column, ids }} />)}</ul>
          {offers.length === 0 && <p class="dim">No column matches.</p>}
        </section>
      </div>
    </>
  );
}

export class ColumnsDialog {
  readonly element = el("dialog", { class: "columns-dialog", "aria-label": "Columns" });

  constructor(private readonly context: Context) {
    // A click beside the dialog is one on its backdrop.
    this.element.addEventListener("click", (event) => {
      if (event.target === this.element) this.element.close();
    });
    this.element.addEventListener("close", () => render(null, this.element));
    // Keys in here are not the timeline's.
    this.element.addEventListener("keydown", (event) => event.stopPropagation());
  }

  open(): void {
    if (this.element.open) return;
    render(<Content context={this.context} onClose={() => this.element.close()} />, this.element);
    this.element.showModal();
    // Not "Default tracks", which comes first.
    this.element.querySelector<HTMLElement>("[data-action=close]")?.focus();
  }
}
