// SPDX-License-Identifier: Apache-2.0
// Puts the page together: session, view, panels, and the one loop that draws them.

import "./style.css";
import { attachKeys } from "./chart/gestures";
import { PRESETS, View } from "./chart/view";
import { Session } from "./data/session";
import { pageState } from "./data/state";
import { el, setAttribute } from "./lib/dom";
import { colours, startTheme } from "./lib/theme";
import { Inspector } from "./panels/inspector";
import { HeaderPanel } from "./panels/header";
import { CPUS_MOST, LinePanel } from "./panels/line-panel";
import { NotesPanel } from "./panels/notes";
import type { Context, Panel } from "./panels/panel";
import { StatusPanel } from "./panels/status";
import { TRACKS } from "./panels/table";
import { trackColumns, tracksFor } from "./panels/tracks";
import { TILE_COLUMNS, TilesPanel } from "./panels/tiles";
import { tokenForm } from "./panels/token-form";

/** Numbers are written at most so often: faster ones cannot be read. Lines move with every sample. */
const TEXT_EVERY_MS = 200;

function start(): void {
  startTheme();
  const wanted = {
    columns: [...new Set([...TRACKS.flatMap((t) => t.series.map((s) => s.column)), ...TILE_COLUMNS])],
    perCpu: [...new Set(TRACKS.flatMap((t) => t.perCpu ?? []))],
    cpusMost: CPUS_MOST,
  };
  const session = new Session(wanted);
  const view = new View(() => ({
    oldest: session.store.oldestTime,
    newest: session.store.newestTime,
    interval: session.meta.get()?.intervalMs ?? 100,
  }));

  let scheduled = false;
  let cursorLeft: number | null = null;
  let textAt = -Infinity;
  let textTimer = 0;
  // A hidden tab gets no animation frame: samples are stored, nothing is drawn, and the first frame catches up.
  const redraw = (): void => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(frame);
  };
  const writeNow = (): void => {
    textAt = -Infinity;
    redraw();
  };
  const context: Context = {
    session, view, state: pageState(), redraw,
    onCursor(left) {
      if (left === cursorLeft) return;
      cursorLeft = left;
      writeNow();
    },
  };

  const header = new HeaderPanel(context);
  const tiles = new TilesPanel(context);
  const notes = new NotesPanel();
  const status = new StatusPanel(context);
  const inspector = new Inspector(context);
  let tracks = TRACKS.map((spec) => new LinePanel(spec, context));
  const panels = (): readonly Panel[] => [header, tiles, notes, ...tracks, status, inspector];
  const timeline = el("div", { class: "timeline" });
  const absent = el("div", { class: "absent" });
  document.body.append(header.element, el("main", {},
      el("div", { class: "stage" }, tiles.element, notes.element, timeline, absent), inspector.element),
    status.element, tokenForm(session));

  const arrange = (): void => {
    const drawn = tracks.filter((t) => !t.absent);
    const place = (parent: HTMLElement, list: LinePanel[]): void => {
      // Only when it differs: an element that is moved loses its observers' peace and the pointer.
      if (list.some((t, i) => parent.children[i] !== t.element) || parent.children.length !== list.length) {
        parent.replaceChildren(...list.map((t) => t.element));
      }
    };
    place(timeline, drawn);
    place(absent, tracks.filter((t) => t.absent));
    // One time axis under all tracks; on a narrow page, which scrolls, each has its own.
    const narrow = innerWidth < 700;
    drawn.forEach((t, i) => t.chart?.setShowTimes(narrow || i === drawn.length - 1));
  };

  function frame(): void {
    scheduled = false;
    const { store } = session;
    const interval = session.meta.get()?.intervalMs ?? 100;
    const range = view.range();
    const width = tracks.find((t) => t.chart)?.chart?.width ?? 0;
    const cursorTime = cursorLeft === null || width <= 0 ? null : range.from + (cursorLeft / width) * view.span;
    const newest = store.end > store.first ? store.end - 1 : null;
    // At the cursor a pixel may hold many samples, or a sample many pixels.
    const within = Math.max(2.5 * interval, width > 0 ? view.span / width : 0);
    const row = cursorTime !== null ? store.nearest(cursorTime, within) : view.following ? newest : store.nearest(range.to, within);
    const now = performance.now();
    const text = now - textAt >= TEXT_EVERY_MS - 8;
    if (text) textAt = now;
    clearTimeout(textTimer);
    // What was not written now is written soon, also when no further sample comes.
    if (!text) textTimer = setTimeout(writeNow, TEXT_EVERY_MS);
    for (const panel of panels()) panel.draw({ range, row, newest, cursorTime, text });
    setAttribute(timeline, "data-from", String(range.from));
    setAttribute(timeline, "data-to", String(range.to));
  }

  view.onChange = () => {
    for (const track of tracks) if (!view.following) track.chart?.forgetScale();
    writeNow();
  };
  session.onData = redraw;
  let met = false;
  session.meta.watch((meta) => {
    if (!meta) return;
    for (const panel of panels()) panel.meta(meta);
    arrange();
    // A recording that has ended is shown whole.
    if (!met && (meta.input.state === "ended" || meta.input.state === "failed") && meta.first !== null && meta.latest !== null) {
      view.setSpan(meta.latest - meta.first);
    }
    met = true;
    writeNow();
  });
  session.connection.watch(writeNow);
  context.state.tracks.watch((ids) => {
    const meta = session.meta.get();
    if (!meta) return;
    tracks = tracksFor(ids, meta).map((spec) => tracks.find((t) => t.spec.id === spec.id) ?? new LinePanel(spec, context));
    wanted.columns = [...new Set([...tracks.flatMap((t) => trackColumns(t.spec.id)), ...TILE_COLUMNS])];
    for (const track of tracks) track.meta(meta);
    void session.refreshMeta();
    arrange();
    writeNow();
  });
  colours.watch(() => {
    for (const track of tracks) track.chart?.recolour();
  });
  addEventListener("resize", arrange);
  attachKeys(view, PRESETS);
  session.start();
}

start();
