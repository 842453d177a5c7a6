// SPDX-License-Identifier: Apache-2.0
/*! This page contains Preact 11.2.0, Copyright (c) 2015-present Jason Miller, under the MIT licence (github.com/preactjs/preact). */
// What the tabs of the inspector share: the span that they speak of, how they ask the server, and small pieces.
// A tab that is not shown is not mounted: it asks nothing and does nothing.

import type { ComponentChildren, FunctionComponent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../data/api";
import type { Span } from "../data/state";
import type { Column, Meta, Quality } from "../data/wire";
import { formatDuration, formatRange } from "../lib/format";
import { Latest } from "../lib/latest";
import { signal, type Signal } from "../lib/signal";
import type { Context } from "./panel";
import { isAbsent, qualityWords } from "./quality";

/** The selection, or the visible range where nothing is selected. Whole ms. */
export interface Subject extends Span {
  selected: boolean;
}

export interface Given {
  context: Context;
  subject: Signal<Subject | null>;
  /** What the charts show: renewed once a second while the view follows, and when it rests while the person moves it. */
  visible: Signal<Subject | null>;
  /** Ids of the columns that the timeline shows, in its order. */
  shown: Signal<readonly string[]>;
  /** `subject` and `visible` become what is on the screen now: before something is taken from it. */
  settle(): void;
  /** A short message to the person: what was copied, what went wrong. */
  say(text: string): void;
}

export interface Tab {
  id: string;
  title: string;
  /** What it answers, on hover. */
  hint: string;
  Body: FunctionComponent<Given>;
}

/** Answers are asked for at most so often: enough while a handle is dragged. (While the view follows, the subject is renewed each second.) */
const SPACING_MS = 120;
/** After a failure the same is asked again: the server may be back. */
const RETRY_MS = 3000;

export function useWatched<T>(source: Signal<T>): T {
  const [value, setValue] = useState(() => source.get());
  // The function form: a value may itself be a function.
  useEffect(() => source.watch((next) => setValue(() => next)), [source]);
  return value;
}

export interface Answer<Q, A> {
  /** The newest answer and its question; the one before stays until there is a new one. */
  question: Q | null;
  answer: A | null;
  error: unknown;
}

/** Asks again whenever the question differs (as JSON), always by the `ask` of the first call. null: nothing to ask. */
export function useAnswer<Q, A>(ask: (question: Q, abort: AbortSignal) => Promise<A>, question: Q | null): Answer<Q, A> {
  const [state, setState] = useState<Answer<Q, A>>({ question: null, answer: null, error: null });
  const latest = useRef<Latest<Q, A> | null>(null);
  const wanted = useRef(question);
  wanted.current = question;
  useEffect(() => {
    let retry: ReturnType<typeof setTimeout> | undefined;
    const asking = new Latest<Q, A>(ask, (q, answer, error) => {
      setState((before) => (error === null ? { question: q, answer, error: null } : { ...before, error }));
      clearTimeout(retry);
      const hopeless = error instanceof ApiError && error.status < 500;
      // What the server does not have, it will not have in the next second.
      if (error instanceof ApiError && error.status === 404) asking.stop();
      if (error !== null && !hopeless) retry = setTimeout(() => wanted.current !== null && asking.want(wanted.current), RETRY_MS);
    }, SPACING_MS);
    latest.current = asking;
    return () => {
      clearTimeout(retry);
      asking.stop();
    };
  }, []);
  useEffect(() => {
    if (question !== null) latest.current?.want(question);
  }, [JSON.stringify(question)]);
  return state;
}

/** All columns or only those of the timeline: one choice for all tabs, until the page is left. */
const allColumns = signal(false);

export interface Chosen {
  meta: Meta | null;
  columns: readonly Column[];
  /** Chosen, and without any value on this machine. */
  absent: readonly Column[];
  all: boolean;
}

export function useColumns({ context, shown }: Given): Chosen {
  const meta = useWatched(context.session.meta);
  const ids = useWatched(shown);
  const all = useWatched(allColumns);
  const of = (id: string): Column[] => meta?.columns.filter((c) => c.id === id) ?? [];
  const chosen = all ? meta?.columns ?? [] : ids.flatMap(of);
  return { meta, all, columns: chosen.filter((c) => !isAbsent(c)), absent: chosen.filter(isAbsent) };
}

export function ColumnsChoice({ chosen }: { chosen: Chosen }) {
  const { meta, all } = chosen;
  return (
    <label class="check">
      <input type="checkbox" checked={all} onChange={(e) => allColumns.set(e.currentTarget.checked)} />
      all {meta?.columns.length ?? ""} columns
    </label>
  );
}

/** Which columns have no values here; why, on hover. */
export function AbsentLine({ columns }: { columns: readonly Column[] }) {
  if (columns.length === 0) return null;
  return (
    <p class="dim">
      No values on this machine: {columns.map((c, i) =>
        <span key={c.id} title={c.why ?? undefined}>{i > 0 ? ", " : ""}{c.name}</span>)}.
    </p>
  );
}

export function Badge({ quality, why }: { quality: Quality; why?: string }) {
  if (quality.kind === "exact") return null;
  const { short, sentence } = qualityWords(quality, why ?? "");
  return <span class="quality" data-quality={quality.kind.replace(" ", "-")} title={sentence || undefined}>{short}</span>;
}

export function runningQuality(running: number | null): Quality {
  if (running === null || running >= 99.5) return { kind: "exact", running: 100 };
  return running <= 0 ? { kind: "never ran", running: 0 } : { kind: "scaled", running: Math.max(1, Math.round(running)) };
}

export function spanText(span: Span): string {
  const millis = span.to - span.from < 10_000;
  return `${formatRange(span.from, span.to, millis)} (${formatDuration(span.to - span.from)})`;
}

export function SubjectLine({ subject, cpu = null, children }: {
  subject: Subject | null; cpu?: number | null; children?: ComponentChildren;
}) {
  if (!subject) return <p class="subject">Nothing was measured yet.</p>;
  return (
    <p class="subject" data-selected={subject.selected}>
      <b>{subject.selected ? "Selection" : "Visible range"}</b> <span class="nums">{spanText(subject)}</span>
      {cpu === null ? "" : ` \u00b7 CPU ${cpu}`}{children}
    </p>
  );
}

/** In words, for the person. */
export function errorText(error: unknown, path: string): string {
  if (error instanceof ApiError && error.status === 404) return `This server has no ${path}.`;
  return error instanceof Error ? error.message : String(error);
}

export function ErrorLine({ error, path }: { error: unknown; path: string }) {
  return error === null ? null : <p class="error" role="alert">{errorText(error, path)}</p>;
}
