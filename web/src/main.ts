// SPDX-License-Identifier: Apache-2.0
// Puts the page together: session, view, panels, and the one loop that draws them.

import "./style.css";
import { Overlay } from "./chart/overlay";
import { View } from "./chart/view";
import { Session, type Wanted } from "./data/session";
import { pageState } from "./data/state";
import type { Meta } from "./data/wire";
import { el, setAttribute } from "./lib/dom";
import { signal } from "./lib/signal";
import { colours, startTheme } from "./lib/theme";
import { Navigation, linked } from "./navigation";
import { GLANCE_RULE, GlancePanel, WATCHED } from "./panels/glance";
import { HeaderPanel } from "./panels/header";
import { heatColumn } from "./panels/heat-panel";
import { INSPECTOR_KEYS, INSPECTOR_WITHIN, Inspector } from "./panels/inspector";
import { attachKeys, helpDialog, type KeyActions } from "./panels/keys";
import { MissingLegend } from "./panels/missing";
import { NotesPanel } from "./panels/notes";
import type { Context, Panel, Unusual } from "./panels/panel";
import { SelectionBar } from "./panels/selection-bar";
import { StatusPanel } from "./panels/status";
import { HEAT_TRACK, trackIds } from "./panels/table";
import { TILE_COLUMNS, TilesPanel } from "./panels/tiles";
import { Timeline } from "./panels/timeline";
import { rememberedTracks } from "./panels/track-choice";
import { tokenForm } from "./panels/token-form";
import { trackColumns } from "./panels/tracks";
import { WholeRecording } from "./whole-recording";

/** Numbers are written at most so often: faster ones cannot be read. Lines move with every sample. */
const TEXT_EVERY_MS = 200;
/** While the view moves, its steps come sooner than that, and what was fetched meanwhile is drawn with them. */
const STEP_MS = 200;
const INSPECTOR_KEY = "cyclescope-inspector";

function start(): void {
  startTheme(linked().theme);
  const state = pageState();
  const session = new Session({ columns: [], heat: null, cpu: null });
  const view = new View(() => ({
    oldest: session.oldestTime,
    newest: session.store.newestTime,
    interval: session.meta.get()?.intervalMs ?? 100,
  }));
  const navigation = new Navigation(view, state);
  // The link's choice goes before the remembered one.
  if (state.tracks.get() === null) navigation.quietly(() => state.tracks.set(rememberedTracks()));

  let scheduled = false;
  let cursorLeft: number | null = null;
  let cursorByKeys = false;
  let textAt = -Infinity;
  let textTimer = 0;
  let movedAt = -Infinity;
  let fetchedTimer = 0;
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
  const setCursor = (left: number | null): void => {
    if (left === cursorLeft) return;
    cursorLeft = left;
    writeNow();
  };
  const context: Context = {
    session, view, state, redraw,
    unusual: signal<ReadonlyMap<string, Unusual>>(new Map()),
    apart: signal<readonly number[]>([]),
    onCursor(left) {
      cursorByKeys = false;
      setCursor(left);
    },
  };

  const overlay = new Overlay(view, state);
  const timeline = new Timeline(context, overlay.element);
  const tiles = new TilesPanel(context);
  const notes = new NotesPanel(() => inspector.showDoctor());
  const status = new StatusPanel(context);
  const inspector = new Inspector(context, () => showInspector(true));
  const help = helpDialog(INSPECTOR_KEYS, INSPECTOR_WITHIN, GLANCE_RULE);
  const showInspector = (show: boolean): void => {
    setAttribute(document.documentElement, "data-inspector", show ? "shown" : "hidden");
    setAttribute(header.inspector, "aria-pressed", String(show));
  };
  const toggleInspector = (): void => {
    const show = document.documentElement.dataset["inspector"] === "hidden";
    showInspector(show);
    try {
      localStorage.setItem(INSPECTOR_KEY, show ? "shown" : "hidden");
    } catch {
      // Storage may be forbidden; then the choice lasts as long as the page.
    }
  };
  const header = new HeaderPanel(context, { help: () => help.showModal(), toggleInspector });
  const glance = new GlancePanel(context);
  const bar = new SelectionBar(context);
  const missing = new MissingLegend(() => timeline.missing());
  // The glance first: others show what it found.
  const panels: readonly Panel[] = [glance, header, tiles, notes, bar, timeline, missing, inspector, status];
  let shown = "shown";
  try {
    shown = localStorage.getItem(INSPECTOR_KEY) ?? shown;
  } catch {
    // As above.
  }
  showInspector(shown !== "hidden");
  document.body.append(header.element,
    el("main", {},
      el("div", { class: "stage" }, tiles.element, notes.element,
        el("div", { class: "now" }, glance.element, missing.element, bar.element), timeline.element, timeline.absent),
      inspector.element),
    status.element, tokenForm(session), help);

  /** The columns that are drawn now are those that are asked for. */
  const wantedOf = (meta: Meta | null): Wanted => {
    const tracks = trackIds(state.tracks.get(), meta);
    const heat = tracks.includes(HEAT_TRACK) ? heatColumn(meta, state.heat.get()) : null;
    return {
      columns: [...new Set([...tracks.flatMap(trackColumns), ...TILE_COLUMNS, ...WATCHED, ...(heat === null ? [] : [heat])])],
      heat, cpu: state.cpu.get(),
    };
  };
  const want = (): void => session.want(wantedOf(session.meta.get()));
  session.choose = wantedOf;

  function frame(): void {
    scheduled = false;
    const { store } = session;
    const interval = session.meta.get()?.intervalMs ?? 100;
    const range = view.range();
    const placement = timeline.placement();
    const width = placement.width;
    const cursorTime = cursorLeft === null || width <= 0 || cursorLeft < 0 || cursorLeft > width
      ? null : range.from + (cursorLeft / width) * (range.to - range.from);
    const newest = store.end > store.first ? store.end - 1 : null;
    // At the cursor a pixel may hold many samples, or a sample many pixels.
    const within = Math.max(2.5 * interval, width > 0 ? view.span / width : 0);
    const row = cursorTime !== null ? store.nearest(cursorTime, within) : view.following ? newest : store.nearest(range.to, within);
    const now = performance.now();
    const text = now - textAt >= TEXT_EVERY_MS - 8;
    if (text) textAt = now;
    clearTimeout(textTimer);
    // What was not written now is written soon, also when no further sample comes.
    if (!text) textTimer = window.setTimeout(writeNow, TEXT_EVERY_MS);
    for (const panel of panels) panel.draw({ range, row, newest, cursorTime, text });
    overlay.draw(range, placement, cursorTime === null ? null : cursorLeft);
  }

  view.onChange = () => {
    movedAt = performance.now();
    navigation.changed();
    if (!view.following) timeline.forgetScale();
    writeNow();
  };
  session.onData = redraw;
  session.onFetched = () => {
    clearTimeout(fetchedTimer);
    fetchedTimer = window.setTimeout(redraw, Math.max(0, movedAt + STEP_MS - performance.now()));
  };
  const wholeRecording = new WholeRecording(view, navigation, linked().span !== null);
  session.meta.watch((meta) => {
    if (!meta) return;
    for (const panel of panels) panel.meta(meta);
    want();
    wholeRecording.meta(meta);
    writeNow();
  });
  const chosen = (): void => {
    const meta = session.meta.get();
    if (meta) timeline.meta(meta);
    want();
    writeNow();
  };
  state.tracks.watch(chosen);
  state.heat.watch(chosen);
  state.cpu.watch(chosen);
  state.selection.watch(writeNow);
  state.held.watch(writeNow);
  state.marks.watch(redraw);
  session.connection.watch(writeNow);
  colours.watch(() => {
    timeline.recolour();
    tiles.recolour();
    redraw();
  });
  const actions: KeyActions = {
    view, state, toggleInspector,
    cpus: () => session.meta.get()?.possible ?? 0,
    oldest: () => session.oldestTime,
    focusSelection: () => overlay.focusHandle(),
    moveCursor(samples) {
      const { width } = timeline.placement();
      const step = Math.max(1, ((session.meta.get()?.intervalMs ?? 100) / view.span) * width);
      cursorByKeys = true;
      setCursor(Math.min(width, Math.max(0, (cursorLeft ?? width) + samples * step)));
    },
    dropCursor() {
      if (!cursorByKeys || cursorLeft === null) return false;
      setCursor(null);
      return true;
    },
  };
  attachKeys(actions, help);
  session.start();
}

start();
