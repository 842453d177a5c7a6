// SPDX-License-Identifier: Apache-2.0
// The whole view as the part of the URL behind #, and back: a link that someone copied opens what he saw. What stands there is
// from outside: anything that is not in order is left out.

import type { Theme } from "../lib/theme";
import type { Span } from "./state";

export interface PageView {
  /** Length of the view, ms; null: the page's default. */
  span: number | null;
  /** Right end of a view that stands still; null: it follows. */
  end: number | null;
  tracks: readonly string[] | null;
  cpu: number | null;
  heat: string | null;
  selection: Span | null;
  held: Span | null;
  /** null: as it was chosen before. */
  theme: Theme | null;
}

/** What a Date can hold. */
const TIME_MOST = 8.64e15;
const CPU_MOST = 65_535;
const TRACKS_MOST = 64;
const ID = /^[A-Za-z0-9_:.-]{1,128}$/;
/** Several columns in one track stand between plus signs. */
const TRACK = /^[A-Za-z0-9_:.+-]{1,256}$/;

export function encodeView(view: PageView): string {
  const p: string[] = [];
  if (view.end !== null && view.span !== null) p.push(`from=${Math.round(view.end - view.span)}`, `to=${Math.round(view.end)}`);
  else if (view.span !== null) p.push(`span=${Math.round(view.span)}`);
  if (view.selection) p.push("sel=" + encodeSpan(view.selection));
  if (view.held) p.push("held=" + encodeSpan(view.held));
  if (view.cpu !== null) p.push(`cpu=${view.cpu}`);
  if (view.heat !== null) p.push("heat=" + encodeURIComponent(view.heat));
  if (view.tracks) p.push("tracks=" + view.tracks.map(encodeURIComponent).join(","));
  if (view.theme) p.push("theme=" + view.theme);
  return p.length === 0 ? "" : "#" + p.join("&");
}

export function decodeView(hash: string): PageView {
  const p = new URLSearchParams(hash.replace(/^#/, ""));
  const range = decodeSpan(`${p.get("from")}-${p.get("to")}`);
  const span = whole(p.get("span"), TIME_MOST);
  const tracks = p.get("tracks")?.split(",");
  const heat = p.get("heat");
  const theme = p.get("theme");
  return {
    span: range ? range.to - range.from : span !== null && span > 0 ? span : null,
    end: range ? range.to : null,
    selection: decodeSpan(p.get("sel")),
    held: decodeSpan(p.get("held")),
    cpu: whole(p.get("cpu"), CPU_MOST),
    heat: heat !== null && ID.test(heat) ? heat : null,
    tracks: tracks && tracks.length <= TRACKS_MOST && tracks.every((id) => TRACK.test(id)) ? [...new Set(tracks)] : null,
    theme: theme === "auto" || theme === "light" || theme === "dark" ? theme : null,
  };
}

function encodeSpan(span: Span): string {
  return `${Math.round(span.from)}-${Math.round(span.to)}`;
}

function decodeSpan(text: string | null): Span | null {
  const found = /^(\d{1,16})-(\d{1,16})$/.exec(text ?? "");
  if (!found) return null;
  const from = Number(found[1]);
  const to = Number(found[2]);
  return from < to && to <= TIME_MOST ? { from, to } : null;
}

function whole(text: string | null, most: number): number | null {
  if (text === null || !/^\d{1,16}$/.test(text)) return null;
  const n = Number(text);
  return n <= most ? n : null;
}
