// SPDX-License-Identifier: Apache-2.0
// What can be taken along: the samples of the span, a picture of a track, the link.

import { useEffect, useRef, useState } from "preact/hooks";
import { composePng } from "../chart/compose-png";
import { fetchData } from "../data/api";
import { csvOf } from "../data/csv";
import { formatClock } from "../lib/format";
import { copyText, fileStem, saveFile } from "../lib/handout";
import type { Given, Subject } from "./inspect";

interface Picture {
  title: string;
  plot: Element;
  legend: { label: string; colour: string }[];
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
    return [{ title: track.querySelector("h2")?.textContent || track.getAttribute("aria-label") || "", plot, legend }];
  });
}

export function ExportMenu({ given }: { given: Given }) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const { context, subject, visible, say } = given;

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

  const run = (what: string, work: () => Promise<void>): void => {
    setOpen(false);
    root.current?.querySelector("button")?.focus();
    work().then(() => say(`${what}: done.`), (error: unknown) => say(`${what}: ${error instanceof Error ? error.message : String(error)}`));
  };
  const stem = (span: Subject): string => fileStem(context.session.meta.get()?.host ?? "", span.from);
  const samples = (kind: "csv" | "json"): void => {
    const span = subject.get();
    if (!span) return;
    run(kind.toUpperCase(), async () => {
      const data = await fetchData({ from: span.from, to: span.to, cpu: context.state.cpu.get() });
      if (kind === "json") saveFile(stem(span) + ".json", data);
      else saveFile(stem(span) + ".csv", new Blob([csvOf(JSON.parse(await data.text()) as unknown[])], { type: "text/csv" }));
    });
  };
  const picture = (p: Picture): void => {
    const meta = context.session.meta.get();
    const range = visible.get();
    if (!range) return;
    run("PNG", async () => {
      const day = new Date(range.from).toLocaleDateString("en-CA");
      const line = [meta?.host, meta?.target, `${day} ${formatClock(range.from)} \u2013 ${formatClock(range.to)}`];
      const png = await composePng(p.plot, { title: p.title, line: line.filter(Boolean).join(" \u00b7 "), mark: "cyclescope", legend: p.legend });
      saveFile(`${stem(range)}-${p.title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}.png`, png);
    });
  };
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
      <button type="button" aria-expanded={open} aria-controls="export-list" onClick={() => setOpen(!open)}>Export</button>
      <ul id="export-list" hidden={!open} aria-label="Export">
        {open && [
          item("csv", "Samples of the span as CSV", () => samples("csv")),
          item("json", "Samples of the span as JSON", () => samples("json")),
          item("link", "Copy the link to this view", () => run("Link", () => copyText(location.href))),
          ...pictures().map((p, i) => item(`png-${i}`, `PNG of ${p.title}`, () => picture(p))),
        ]}
      </ul>
    </div>
  );
}
