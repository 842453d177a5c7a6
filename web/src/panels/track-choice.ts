// SPDX-License-Identifier: Apache-2.0
// Changing the list of tracks, and remembering it for the next visit. (The URL keeps it for whoever gets the link.)

import type { PageState } from "../data/state";
import type { Meta } from "../data/wire";
import { columnOf } from "./quality";
import { defaultTracks, trackIds } from "./table";
import { SERIES_MOST, TRACKS_MOST, parseTrack, trackOf } from "./tracks";
import { unitOf } from "./units";

const KEY = "cyclescope-tracks";

export function currentTracks(state: PageState, meta: Meta): readonly string[] {
  return trackIds(state.tracks.get(), meta);
}

export function setTracks(state: PageState, ids: readonly string[], meta: Meta): void {
  const byDefault = JSON.stringify(ids) === JSON.stringify(defaultTracks(meta));
  state.tracks.set(byDefault ? null : ids);
  try {
    if (byDefault) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify(ids));
  } catch {
    // Storage may be forbidden; then the choice lasts as long as the page.
  }
}

/** What was chosen last time; null: the default, or nothing that can be read. */
export function rememberedTracks(): readonly string[] | null {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(KEY) ?? "null");
    if (!Array.isArray(list)) return null;
    const ids = list.filter((id): id is string => typeof id === "string" && parseTrack(id) !== null).slice(0, TRACKS_MOST);
    return ids.length > 0 ? ids : null;
  } catch {
    return null;
  }
}

export function move(ids: readonly string[], from: number, to: number): string[] {
  const next = [...ids];
  const [id] = next.splice(from, 1);
  if (id !== undefined) next.splice(Math.max(0, Math.min(next.length, to)), 0, id);
  return next;
}

/** Whether a column can join a track: one of chosen columns, with room, of the same unit, without it. */
export function canJoin(id: string, column: string, meta: Meta): boolean {
  const track = parseTrack(id);
  if (!track || track.columns.length === 0 || track.columns.length >= SERIES_MOST || track.columns.includes(column)) return false;
  const first = columnOf(meta, track.columns[0] ?? "");
  const joining = columnOf(meta, column);
  return first !== undefined && joining !== undefined && unitOf(first) === unitOf(joining) && first.unit === joining.unit
    && (first.kind === "metric") === (joining.kind === "metric");
}

/** Into a track that it can join, or else as a track of its own at the end. */
export function add(ids: readonly string[], column: string, into: string | null): string[] {
  const track = into === null ? null : parseTrack(into);
  const alone = trackOf([column]);
  if (!track) return ids.some((id) => parseTrack(id)?.base === alone) ? [...ids] : [...ids, alone];
  return ids.map((id) => (id === into ? trackOf([...track.columns, column], track.axis) : id));
}

/** A column leaves its track; the last one takes the track along. */
export function removeColumn(ids: readonly string[], id: string, column: string): string[] {
  const track = parseTrack(id);
  const rest = track?.columns.filter((c) => c !== column) ?? [];
  return ids.flatMap((other) => (other !== id ? [other] : rest.length > 0 ? [trackOf(rest, track?.axis ?? null)] : []));
}
