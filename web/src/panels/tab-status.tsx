// SPDX-License-Identifier: Apache-2.0
// How well measuring goes, what it costs, what is kept, and the doctor's findings.

import { useEffect, useState } from "preact/hooks";
import { fetchDoctor } from "../data/api";
import type { History, Meta, Process } from "../data/wire";
import type { Check } from "../data/wire-answers";
import { splitCode } from "../lib/code";
import { formatBytes, formatClock, formatDay, formatDuration, formatWhole } from "../lib/format";
import { copyText } from "../lib/handout";
import { pageCost } from "../lib/page-cost";
import { signal } from "../lib/signal";
import { ErrorLine, useAnswer, useWatched, type Given, type Tab } from "./inspect";

const REFRESH_MS = 1000;

/** The doctor's findings are open: until the page is left. */
export const doctorOpen = signal(false);

function Fact({ id, name, help, alarm, children }: {
  id: string; name: string; help?: string; alarm?: boolean; children: string;
}) {
  return <tr data-fact={id}><th scope="row" title={help}>{name}</th><td data-alarm={alarm ? "" : undefined}>{children}{alarm && help !== undefined && <span class="dim"> {help}</span>}</td></tr>;
}

function cost(p: Process): string {
  const cpu = p.cpuPercent === null ? "" : `${p.cpuPercent.toFixed(1)}\u00a0% of a CPU`;
  const memory = p.rssBytes === null ? "" : formatBytes(p.rssBytes);
  return [cpu, memory].filter((s) => s !== "").join(", ") || "not known";
}

function Losses({ meta, given }: { meta: Meta; given: Given }) {
  const h = meta.health;
  const { session } = given.context;
  const count = (id: string, name: string, n: number, help: string) =>
    <Fact id={id} name={name} help={help} alarm={n > 0}>{formatWhole(n)}</Fact>;
  return (
    <table class="fact-table">
      <caption>What was lost</caption>
      <tbody>
        {count("missed", "Missed ticks", h.missedTicks, "Readings that came too late for their interval: the machine was too busy.")}
        {count("dropped", "Dropped rounds", h.droppedRounds, "Readings that the server did not take in time. Counts go on; only resolution is lost.")}
        {count("skipped", "Skipped records", h.skippedRecords, "Records of the stream that were not understood.")}
        {count("clients", "Clients dropped", h.clientsDropped, "Pages that read their stream too slowly.")}
        {meta.history && count("unkept", "Intervals not kept", meta.history.lost,
          "They left the server's memory, and no file or coarser resolution has them.")}
        <Fact id="reconnects" name="Reconnects" help="How often this page lost its connection.">{formatWhole(session.reconnects)}</Fact>
      </tbody>
    </table>
  );
}

/** What the top line says as far as it has room. */
function Machine({ meta }: { meta: Meta }) {
  const online = meta.online.length;
  return (
    <table class="fact-table">
      <caption>What is measured</caption>
      <tbody>
        <Fact id="host" name="Host">{meta.host || "not known"}</Fact>
        <Fact id="target" name="Target">{`${meta.target || "not known"}, every ${formatDuration(meta.intervalMs)}`}</Fact>
        <Fact id="processor" name="Processor">{meta.cpuModel || "not known"}</Fact>
        <Fact id="cpus" name="CPUs">{`${formatWhole(online)} online${online < meta.possible ? ` of ${formatWhole(meta.possible)}` : ""}`}</Fact>
        {meta.hypervisor !== "" && <Fact id="hypervisor" name="Virtual machine">{`under ${meta.hypervisor}`}</Fact>}
        <Fact id="kernel" name="Kernel">{[`Linux ${meta.kernel}`, meta.arch].filter((s) => s !== "").join(", ")}</Fact>
      </tbody>
    </table>
  );
}

function Costs({ meta, given }: { meta: Meta; given: Given }) {
  const { heapBytes, longestFrameMs } = pageCost();
  return (
    <table class="fact-table">
      <caption>What measuring costs</caption>
      <tbody>
        <Fact id="collector" name="Collector">{cost(meta.health.collector)}</Fact>
        <Fact id="server" name="Server">{cost(meta.health.server)}</Fact>
        <Fact id="pages" name="Pages connected">{formatWhole(meta.health.streamClients)}</Fact>
        <Fact id="heap" name="This page's memory" help="The JavaScript heap">
          {heapBytes === null ? "this browser does not tell" : formatBytes(heapBytes)}
        </Fact>
        <Fact id="frame" name="This page's longest frame" help="The longest time for which the page did not react, since it was opened.">
          {longestFrameMs === null ? "this browser does not tell" : longestFrameMs === 0 ? "below 50\u00a0ms" : formatDuration(longestFrameMs)}
        </Fact>
        <Fact id="rows" name="Samples in this page">{formatWhole(given.context.session.store.rows)}</Fact>
      </tbody>
    </table>
  );
}

/** `newest`: the server's newest time; the browser's clock may be another. */
function Kept({ history, newest }: { history: History | null; newest: number | null }) {
  if (!history) return null;
  const size = history.bytes === null ? "not known"
    : formatBytes(history.bytes) + (history.boundBytes === null ? "" : ` of at most ${formatBytes(history.boundBytes)}`);
  return (
    <table class="fact-table">
      <caption>History</caption>
      <tbody>
        <Fact id="history" name="State" alarm={history.state === "failed"}>
          {(history.state === "off" ? "only in memory" : history.state) + (history.reason ? `: ${history.reason}` : "")}
        </Fact>
        {history.path !== null && <Fact id="history-path" name="File">{history.path}</Fact>}
        <Fact id="history-bytes" name="Size">{size}</Fact>
        {history.tiers.map((tier) => (
          <Fact key={tier.resolutionMs} id={`tier-${tier.resolutionMs}`} name={`Every ${formatDuration(tier.resolutionMs)}`}>
            {tier.first === null || newest === null ? "nothing yet" : `the last ${formatDuration(Math.max(0, newest - tier.first))}`}
          </Fact>
        ))}
      </tbody>
    </table>
  );
}

const STATUS_WORDS: Record<Check["status"], string> = { pass: "pass", limited: "limited", fail: "fail", unknown: "unknown" };
const ORDER: readonly Check["status"][] = ["fail", "limited", "unknown", "pass"];

function Commands({ text, given }: { text: string; given: Given }) {
  const copy = (command: string): void => {
    copyText(command).then(() => given.say("Copied."), (e: unknown) => given.say(`Not copied: ${String(e)}`));
  };
  return (
    <>
      {splitCode(text).map((piece, i) => (piece.code
        ? (
          <span key={i} class="command">
            <code>{piece.text}</code>
            <button type="button" class="small" aria-label={`Copy ${piece.text}`} onClick={() => copy(piece.text)}>copy</button>
          </span>
        ) : <span key={i}>{piece.text}</span>))}
    </>
  );
}

function Doctor({ given }: { given: Given }) {
  const run = useWatched(given.context.session.meta)?.run ?? "";
  // Asked anew for a new run: the collector looks when it starts.
  const { answer, error } = useAnswer((_: string, abort) => fetchDoctor(abort), run);
  const checks = [...answer?.checks ?? []].sort((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status));
  return (
    <div class="doctor">
      <ErrorLine error={error} path="/api/doctor" />
      {answer && checks.length === 0 && <p class="dim">This stream brings no findings.</p>}
      {answer?.at != null && checks.length > 0 && <p class="dim">Looked at {formatDay(answer.at)}{formatClock(answer.at)}, when the collector started.</p>}
      <ul>
        {checks.map((check, i) => (
          <li key={i} data-status={check.status}>
            <p><span class="check-status">{STATUS_WORDS[check.status]}</span> <b>{check.name}</b> {check.found}</p>
            {check.cost !== "" && <p class="dim">Without it: {check.cost}</p>}
            {check.remedy !== "" && <p>What to do: <Commands text={check.remedy} given={given} /></p>}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Body(given: Given) {
  const meta = useWatched(given.context.session.meta);
  const connection = useWatched(given.context.session.connection);
  const doctor = useWatched(doctorOpen);
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || tick((n) => n + 1), REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  if (!meta) return <p class="dim">The server has not answered yet.</p>;
  return (
    <>
      <p class="subject">
        <b>{meta.input.text || "this machine"}</b> <span class="dim">{connection.state}{connection.reason && `: ${connection.reason}`}</span>
      </p>
      <button type="button" class="wide" data-action="doctor" aria-expanded={doctor} onClick={() => doctorOpen.set(!doctor)}>
        {doctor ? "Hide the doctor's findings" : "What can this machine measure? Ask the doctor"}
      </button>
      {doctor && <Doctor given={given} />}
      {meta.notes.map((note, i) => <p key={i} class="note" data-severity={note.severity}>{note.text}</p>)}
      <Losses meta={meta} given={given} />
      <Machine meta={meta} />
      <Costs meta={meta} given={given} />
      <Kept history={meta.history} newest={meta.latest} />
      <p class="dim">cyclescope {meta.version}</p>
    </>
  );
}

export const statusTab: Tab = { id: "status", title: "Status", hint: "What was lost, what it costs, what the doctor found", Body };
