// SPDX-License-Identifier: Apache-2.0
// What can be taken along: the samples of the span, a picture of a track, the link.

import { useEffect, useRef, useState } from "preact/hooks";
import { composePng, type PictureText } from "../chart/compose-png";
import { SAMPLES_MOST, fetchData } from "../data/api";
import { csvOf } from "../data/csv";
import type { Span } from "../data/state";
import { formatClock, formatDay, formatDuration, formatRange, formatWhole } from "../lib/format";
import { copyText, fileStem, saveFile } from "../lib/handout";
import { colour } from "../lib/theme";
import type { Given } from "./inspect";

/** Rows of a span that has more samples than the server gives: a file that a spreadsheet still opens. */
const ROWS_OF_LONG = 10_000;

interface Picture {
  title: string;
  detail: string;
  plot: Element;
  /** The plot without its axes. */
  over: Element;
  legend: { label: string; colour: string }[];
  scale: PictureText["scale"];
}

/** The tracks that are drawn, as they stand in the page: whatever panel drew them. */
function pictures(): Picture[] {
  return [...document.querySelectorAll(".timeline [data-panel]")].flatMap((track) => {
    const plot = track.querySelector(".plot");
    if (!plot?.querySelector("canvas")) return [];
    const legend = [...track.querySelectorAll(".legend li")].map((item) => {
      const swatch = item.querySelector<HTMLElement>(".swatch");
      return { label: item.querySelector(".label")?.textContent ?? "", colour: swatch ? getComputedStyle(swatch).backgroundColor : "" };
    });
    const scale = [...track.querySelectorAll(".heat-legend span")].map((end) => end.textContent);
    // What the title does not say: which CPU, a unit, or what was chosen there.
    const choice = track.querySelector<HTMLSelectElement>("header select")?.selectedOptions[0];
    const detail = choice ? [choice] : [...track.querySelectorAll(".of, .subtitle")];
    return [{
      title: track.querySelector("h2")?.textContent || track.getAttribute("aria-label") || "",
      detail: detail.map((e) => e.textContent).filter(Boolean).join(" \u00b7 "),
      plot, over: plot.querySelector(".u-over") ?? plot, legend,
      scale: scale.length > 1 ? { stops: colour("--heat").split(","), least: scale[0] ?? "", most: scale[1] ?? "" } : null,
    }];
  });
}

export function ExportMenu({ given }: { given: Given }) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const { context, subject, say } = given;

  useEffect(() => {
    if (!open) return undefined;
    const outside = (event: Event): void => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
    };
  }, [open]);

  /** `work` gives what there is to say of it. */
  const run = (what: string, work: () => Promise<string>): void => {
    setOpen(false);
    root.current?.querySelector("button")?.focus();
    work().then((result) => say(`${what}: ${result}`), (error: unknown) => say(`${what}: ${error instanceof Error ? error.message : String(error)}`));
  };
  const stem = (span: Span): string => fileStem(context.session.meta.get()?.host ?? "", span.from);
  const span = subject.get();
  const meta = context.session.meta.get();
  const long = span !== null && (span.to - span.from) / (meta?.intervalMs ?? 100) > SAMPLES_MOST;
  /** Single samples are not kept as long as their sums. */
  const old = span !== null && span.from < (meta?.history?.tiers[0]?.first ?? -Infinity);
  const samples = (kind: "csv" | "json"): void => {
    if (!span) return;
    run(kind.toUpperCase(), async () => {
      const data = await fetchData({ from: span.from, to: span.to, cpu: context.state.cpu.get(), ...(long ? { points: ROWS_OF_LONG } : {}) });
      const rows = JSON.parse(await data.text()) as unknown[];
      saveFile(`${stem(span)}.${kind}`, kind === "json" ? data : new Blob([csvOf(rows)], { type: "text/csv" }));
      const n = formatWhole(rows.length);
      return long ? `${n} rows saved, each of several samples.` : old ? `${n} rows saved, as fine as they are kept.` : `${n} samples saved.`;
    });
  };
  const picture = (p: Picture): void => {
    const range = context.view.range();
    run("PNG", async () => {
      const line = [meta?.host, meta?.target, formatRange(range.from, range.to, false, 0)];
      const png = await composePng(p.plot, p.over, {
        title: p.title, detail: p.detail, line: line.filter(Boolean).join(" \u00b7 "), mark: "cyclescope", legend: p.legend, scale: p.scale,
        from: formatDay(range.from, range.to) + formatClock(range.from), to: formatDay(range.to, range.from) + formatClock(range.to),
      });
      saveFile(`${stem(range)}-${p.title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}.png`, png);
      return "saved.";
    });
  };
  // More than the server gives at full resolution: said before it is saved.
  const what = long ? `The span (${formatDuration(span.to - span.from)}, thinned out)` : "Samples of the span";
  const item = (id: string, label: string, onClick: () => void) =>
    <li key={id}><button type="button" data-export={id} onClick={onClick}>{label}</button></li>;
  return (
    <div ref={root} class="export" onKeyDown={(event) => {
      if (event.key !== "Escape" || !open) return;
      setOpen(false);
      root.current?.querySelector("button")?.focus();
      event.preventDefault();
      event.stopPropagation();
    }}>
      <button type="button" aria-expanded={open} aria-controls="export-list" onClick={() => {
        given.settle();
        setOpen(!open);
      }}>Export</button>
      <ul id="export-list" hidden={!open} aria-label="Export">
        {open && [
          item("csv", `${what} as CSV`, () => samples("csv")),
          item("json", `${what} as JSON`, () => samples("json")),
          item("link", "Copy the link to this view", () => run("Link", () => copyText(location.href).then(() => "copied."))),
          ...pictures().map((p, i) => item(`png-${i}`, `PNG of ${p.title}`, () => picture(p))),
        ]}
      </ul>
    </div>
  );
}
