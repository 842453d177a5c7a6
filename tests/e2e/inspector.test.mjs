// SPDX-License-Identifier: Apache-2.0
// The inspector in real Chromium, used as a person would: with the mouse, by keys, and by axe for those who see or hear it
// differently.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { axe, frame, plotBox, range, until, waitState } from "./browser.mjs";
import { NETWORK, middle, withPage } from "./harness.mjs";
import { mockSpan, pearson } from "./mock-answers.mjs";

const TABS = ["span", "compare", "relations", "processes", "status"];

/** Selects a part of the view, in shares of the plot's width, by Shift and dragging. */
async function select(page, a, b) {
  const { y, box } = await middle(page);
  await page.mouse.move(box.x + box.width * a, y);
  await page.keyboard.down("Shift");
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * b, y, { steps: 4 });
  await page.mouse.up();
  await page.keyboard.up("Shift");
  await page.mouse.move(5, 5);
}

/** Holds the view still, so that what is on the screen can be compared with the server's samples. */
async function still(page) {
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press(" ");
  await waitState(page, "paused");
}

const openTab = (page, id) => page.click(`#tab-${id}`);
const cell = (page, column, stat) => page.textContent(`.stats [data-column="${column}"] [data-stat="${stat}"]`);
const spanOf = (mock, q) => mockSpan(mock.between(new URLSearchParams(q)), new URLSearchParams(q), 100);
const asked = (mock, path) => mock.requests.filter((r) => r.startsWith(path));
const newest = (mock, path) => new URLSearchParams(asked(mock, path).at(-1)?.split("?")[1]); // none may have arrived yet

test("a tablist: arrows, Home and End; only the tab that is shown asks the server", () => withPage({}, async (page, mock) => {
  await page.focus("#tab-span");
  const shown = () => page.getAttribute('[role="tab"][aria-selected="true"]', "id");
  for (const [key, id] of [["ArrowRight", "compare"], ["ArrowRight", "relations"], ["End", "status"], ["ArrowRight", "span"],
    ["ArrowLeft", "status"], ["Home", "span"], ["ArrowLeft", "status"], ["ArrowLeft", "processes"]]) {
    await page.keyboard.press(key);
    await until(shown, (s) => s === `tab-${id}`, `${id}, by ${key}`);
    assert.equal(await page.evaluate(() => document.activeElement.id), `tab-${id}`);
  }
  assert.equal(await page.getAttribute("html", "data-view"), "following", "the arrows were not the timeline's");
  await until(() => asked(mock, "/api/processes").length, (n) => n >= 3, "processes, again and again");
  const spans = asked(mock, "/api/span").length;
  const processes = asked(mock, "/api/processes").length;
  await until(() => asked(mock, "/api/processes").length, (n) => n >= processes + 2, "more of them");
  assert.equal(asked(mock, "/api/span").length, spans, "no tab that is hidden asks");
  await page.reload();
  await until(shown, (id) => id === "tab-processes", "the tab of before");
}));

test("the span's statistics are the server's, and without a selection those of the visible range", () => withPage({}, async (page, mock) => {
  await still(page);
  const r = await range(page);
  await until(() => page.textContent(".subject"), (t) => t.startsWith("Visible range"), "the visible range");
  await until(() => newest(mock, "/api/span").get("to"), (to) => Math.abs(Number(to) - r.to) <= 1, "a question about the view");
  const answer = spanOf(mock, asked(mock, "/api/span").at(-1).split("?")[1]);
  await until(() => cell(page, "cpi", "mean"), (v) => v === answer.columns.cpi.mean.toFixed(3), "the mean CPI");
  for (const stat of ["min", "p50", "p95", "p99", "max"]) assert.equal(await cell(page, "cpi", stat), answer.columns.cpi[stat].toFixed(3), stat);
  const sum = await page.textContent('[data-column="cycles"] .sum');
  assert.equal(sum, `\u03a3\u00a0${(answer.columns.cycles.sum / 1e9).toFixed(answer.columns.cycles.sum < 99.95e9 ? 1 : 0)}\u00a0G`);
  assert.equal(await page.locator('[data-column="cpi"] .sum').count(), 0, "a ratio has no sum");
  assert.match(await page.textContent(".subject"), new RegExp(`${answer.buckets} values of 100`));
}));

test("a selection: its statistics, and how they differ from the visible range", () => withPage({}, async (page, mock) => {
  await still(page);
  await select(page, 0.2, 0.4);
  await until(() => page.textContent(".subject"), (t) => t.startsWith("Selection"), "the selection");
  const length = () => {
    const q = new URLSearchParams(newestWithin(mock, 15000));
    return q.get("to") - q.get("from");
  };
  await until(length, (ms) => Math.abs(ms - 12000) < 500, "a question about a fifth of a minute");
  const view = await range(page);
  const inside = spanOf(mock, newestWithin(mock, 15000)).columns.cpi.mean;
  const whole = spanOf(mock, `columns=cpi&from=${Math.floor(view.from)}&to=${Math.ceil(view.to)}`).columns.cpi.mean;
  const wanted = (inside / whole - 1) * 100;
  await until(async () => Number((await page.textContent('[data-column="cpi"] .delta')).replace(/[^\d.\u2212]/g, "").replace("\u2212", "-")),
    (v) => v !== 0 && Math.abs(v - wanted) < 0.06, `a difference of ${wanted} %`);
}));

function newestWithin(mock, most) {
  return asked(mock, "/api/span").map((p) => p.split("?")[1]).filter((q) => {
    const p = new URLSearchParams(q);
    return p.get("to") - p.get("from") < most;
  }).at(-1);
}

test("an older server without /api/span: a sentence, and the page works on", () => withPage({ noSpan: true }, async (page, mock) => {
  await until(() => page.textContent(".inspector .error"), (t) => /This server has no \/api\/span/.test(t), "the sentence");
  const { sequence } = mock;
  await until(() => mock.sequence, (n) => n > sequence + 25, "more samples");
  assert.equal(asked(mock, "/api/span").length, 1, "it is not asked again and again");
  await openTab(page, "processes");
  await page.waitForSelector(".processes tbody tr");
}, { allowed: [/404/] }));

test("hold A by key, select B: difference, ratio, how sure; swap and clear", () => withPage({}, async (page, mock) => {
  await still(page);
  await select(page, 0.05, 0.2);
  await page.keyboard.press("a");
  await until(() => page.getAttribute("#tab-compare", "aria-selected"), (v) => v === "true", "the comparison");
  await until(() => page.locator(".overlay .selection > span").isVisible(), Boolean, "what is selected beside it to be called B");
  await select(page, 0.6, 0.8);
  const values = (column) => page.$$eval(`.compare [data-column="${column}"] [data-stat]`, (l) => l.map((e) => Number(e.firstChild.textContent.replace("\u2212", "-"))));
  // Answers come while the end is being dragged: the one that counts is that about the selection as it is.
  const selected = async () => /sel=(\d+)-(\d+)/.exec(await page.evaluate(() => location.hash)) ?? [];
  const [, from, to] = await until(selected, ([, from, to]) => Math.abs(to - from - 12_000) < 500, "a fifth of a minute in the URL");
  const mean = spanOf(mock, `columns=cpi&from=${from}&to=${to}`).columns.cpi.mean.toFixed(3);
  const [a, b, difference, ratio] = await until(() => values("cpi"), (v) => v.length === 4 && v[1] === Number(mean), `a B of ${mean}`);
  assert.ok(Math.abs(ratio - b / a) < 0.003, `${b} / ${a} is not ${ratio}`);
  assert.ok(Math.abs(difference - (b - a)) < 0.002, `${b} - ${a} is not ${difference}`);
  const verdicts = await page.$$eval(".verdict", (list) => list.map((v) => v.textContent));
  assert.ok(verdicts.some((v) => v.startsWith("clear difference")), verdicts.join());
  assert.ok(verdicts.every((v) => /clear difference|not distinguishable|too few samples/.test(v)), verdicts.join());
  assert.match(await page.textContent('.compare [data-column="cpi"] [data-stat="ratio"] .interval'), /^[\d.]+ \u2026 [\d.]+$/);
  await page.click("[data-action=swap]");
  await until(() => values("cpi"), (v) => v[0] === b && v[1] === a, "them the other way round");
  await page.click("[data-action=clear]");
  await until(() => page.locator(".compare").count(), (n) => n === 0, "no comparison");
}));

test("too few samples are called so", () => withPage({ rows: 700 }, async (page) => {
  await still(page);
  await page.keyboard.press("a");
  await select(page, 0.5, 0.51); // six samples: no ten batches of two
  await until(() => page.$$eval(".verdict", (l) => l.map((v) => v.textContent)), (l) => l.length > 0 && l.every((v) => v === "too few samples"), "the words");
  assert.equal(await page.locator(".compare .interval").count(), 0, "and no interval");
}));

test("relations: the matrix is the server's; a cell opens the plot; chosen points are marked on the timeline", () => withPage({}, async (page, mock) => {
  await still(page);
  const view = await range(page);
  await openTab(page, "relations");
  const ofView = (q) => Math.abs(Number(new URLSearchParams(q).get("to")) - view.to) <= 1;
  const q = await until(() => asked(mock, "/api/span").at(-1)?.split("?")[1], ofView, "a question about the view");
  const samples = mock.between(new URLSearchParams(q));
  const r = pearson(samples.map((s) => [s.values.cycles, s.values.instructions]));
  const at = page.locator('.matrix button[aria-label*=" cycles and instructions:"]');
  await until(() => at.getAttribute("aria-label"), (t) => t.includes(`r = ${r.toFixed(3).replace("-", "\u2212")}, n = ${samples.length}`), "r and n");
  assert.equal(await at.textContent(), (r < 0 ? "\u2212" : "") + Math.abs(r).toFixed(2).slice(1));
  // By keys: into the table, along, and open.
  await at.focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  const canvas = page.locator(".scatter canvas");
  const points = await until(() => canvas.getAttribute("data-points"), (n) => Number(n) > 500, "points");
  const box = await canvas.boundingBox();
  await page.mouse.move(box.x + 55, box.y + 22);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.6, { steps: 4 });
  await page.mouse.up();
  const chosen = Number(await until(() => canvas.getAttribute("data-chosen"), (n) => Number(n) > 0, "chosen points"));
  assert.ok(chosen < Number(points));
  await page.keyboard.press("Escape");
  await until(() => canvas.getAttribute("data-chosen"), (n) => n === "0", "none");
  assert.equal(await page.getAttribute("html", "data-state"), "paused", "Escape was for the points");
  // And the same by keys.
  await canvas.focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  await until(() => canvas.getAttribute("aria-valuetext"), (t) => /^\d\d:\d\d:\d\d\.\d{3}: instructions .+, cycles /.test(t), "that point in words");
  await page.keyboard.press(" ");
  await until(() => canvas.getAttribute("data-chosen"), (n) => n === "1", "one point");
  assert.equal(await page.getAttribute("html", "data-state"), "paused", "Space was for the point");
}));

test("processes: sorted by any column, filtered; rows hold still under the pointer", () => withPage({}, async (page, mock) => {
  await openTab(page, "processes");
  await page.mouse.move(5, 5);
  const column = (n) => page.$$eval(`.processes tbody td:nth-child(${n})`, (l) => l.map((e) => e.textContent));
  await until(() => column(2), (l) => l.length === 40, "40 processes");
  const cut = await page.$$eval(".processes td:nth-child(-n+2)", (l) => l.filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.textContent));
  assert.deepEqual(cut, [], "names of 15 characters and PIDs of 7 digits have room");
  const before = (await column(2)).join();
  await until(() => column(2), (l) => l.join() !== before, "another order, as CPU time goes");
  // Under the pointer: new values, the same places.
  await page.hover(".processes tbody tr:nth-child(3) td:first-child");
  await until(() => page.textContent("[data-summary]"), (t) => /order held/.test(t), "an order that is held");
  const pids = (await column(2)).join();
  const values = (await column(3)).join();
  await until(() => column(3), (l) => l.join() !== values, "new values");
  const requests = asked(mock, "/api/processes").length;
  await until(() => asked(mock, "/api/processes").length, (n) => n >= requests + 2, "two more answers");
  assert.equal((await column(2)).join(), pids);
  // A heading sorts at once, and says so.
  await page.click('.processes th[data-key="pid"] button');
  await until(() => page.getAttribute('.processes th[data-key="pid"]', "aria-sort"), (s) => s === "ascending", "the order");
  assert.equal(await page.getAttribute('.processes th[data-key="cpu"]', "aria-sort"), "none");
  const ascending = (await column(2)).map(Number);
  assert.deepEqual(ascending, [...ascending].sort((a, b) => a - b));
  await page.click('.processes th[data-key="pid"] button');
  await until(() => page.getAttribute('.processes th[data-key="pid"]', "aria-sort"), (s) => s === "descending", "the other order");
  await page.fill('.inspector input[type="search"]', "CC1");
  await until(() => column(1), (l) => l.length === 4 && l.every((c) => c === "cc1"), "those of that name");
  assert.equal(await page.getAttribute("html", "data-view"), "following", "typing moves nothing");
  assert.match(await page.textContent("[data-summary]"), /40 ran; .* of CPU time in .*118 forks/);
}));

test("columns: added, joined, removed, rearranged, on a log axis; the choice is remembered", () => withPage({}, async (page) => {
  await page.keyboard.press("m");
  await page.waitForSelector(".columns-dialog[open]");
  const tracks = () => page.$$eval(".columns-dialog [data-track]", (l) => l.map((e) => e.dataset.track));
  const become = (ids) => until(tracks, (l) => l.join() === ids.join(), `the tracks ${ids}`);
  const usual = await tracks();
  assert.deepEqual(usual.slice(0, 3), ["cycles", "miss-rates", "cpi"]);
  await page.fill('.columns-dialog input[type="search"]', "branch");
  await page.click('.columns-dialog [data-column="branches"] button');
  await page.selectOption('.columns-dialog [data-column="branch_misses"] select', { label: "branches" });
  await page.click('.columns-dialog [data-track="miss-rates"] [data-move="remove"]');
  const chosen = "col:branches+branch_misses";
  await page.click(`.columns-dialog [data-track="${chosen}"] [data-move="up"]`);
  await page.click(`.columns-dialog [data-track="${chosen}"] [aria-label^="log"]`);
  const rest = usual.filter((id) => id !== "miss-rates" && id !== "software");
  await become([...rest, `${chosen}:log`, "software"]);
  // By keys: the focus stays on what is moved.
  await page.focus('.columns-dialog [data-track="software"] [data-move="up"]');
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await become([...rest.slice(0, -1), "software", rest.at(-1), `${chosen}:log`]);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await become([...rest, `${chosen}:log`, "software"]);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.move), "up", "at the end only the way back is left");
  // By the pointer: the last one to the top.
  const handle = await page.locator('.columns-dialog [data-track="software"] .grip').boundingBox();
  const top = await page.locator('.columns-dialog [data-track="cycles"]').boundingBox();
  await page.mouse.move(handle.x + 5, handle.y + 5);
  await page.mouse.down();
  await page.mouse.move(handle.x + 5, top.y + 3, { steps: 8 });
  await page.mouse.up();
  const order = ["software", ...rest, `${chosen}:log`];
  await become(order);
  // The help of a column.
  await page.fill('.columns-dialog input[type="search"]', "ipc");
  await page.click('.columns-dialog [data-column="ipc"] summary');
  const help = await page.textContent('.columns-dialog [data-column="ipc"] dl');
  for (const part of ["instructions / cycles", "instructions, cycles", "instructions per cycle", "stat-shadow.c"]) assert.ok(help.includes(part), part);
  await page.keyboard.press("Escape");
  await until(() => page.locator(".columns-dialog[open]").count(), (n) => n === 0, "no dialog");
  const drawn = () => page.$$eval(".timeline [data-panel]", (l) => l.map((e) => e.dataset.panel));
  await until(drawn, (l) => l.join() === order.join(), "them on the timeline, in that order");
  // The URL, where it keeps the tracks, is right when the movement has come to rest.
  await until(() => page.evaluate(() => decodeURIComponent(location.hash)), (h) => h === "" || h.includes(order.join()), "the URL");
  await page.reload();
  await waitState(page, "live");
  await until(drawn, (l) => l.join() === order.join(), "them again");
  await page.keyboard.press("m");
  await page.click(".columns-dialog [data-action=default]");
  await page.click(".columns-dialog [data-action=close]");
  await until(drawn, (l) => l.join() === usual.join(), "the default");
  assert.equal(await page.evaluate(() => localStorage.getItem("cyclescope-tracks")), null);
}));

test("status: what was lost, what it costs, what is kept; the doctor is one click away", () =>
  withPage({ scenario: "gaps", rows: 1500 }, async (page, mock) => {
    await openTab(page, "status");
    const fact = (id) => page.textContent(`[data-fact="${id}"] td`);
    assert.match(await fact("missed"), /^50 .*too late/, "what went wrong is explained without a pointer");
    assert.equal(await fact("dropped"), "0");
    assert.match(await fact("target"), /^the whole system, every 100\u00a0ms$/);
    assert.equal(await fact("processor"), "AMD EPYC 7B13");
    assert.equal(await fact("cpus"), "2 online");
    assert.equal(await page.getAttribute('[data-fact="missed"] td', "data-alarm"), "");
    assert.equal(await page.getAttribute('[data-fact="dropped"] td', "data-alarm"), null);
    assert.match(await fact("collector"), /0\.1\u00a0% of a CPU, 2\.86\u00a0MiB/);
    assert.match(await fact("heap"), /MiB/);
    assert.match(await fact("frame"), /m?s/);
    assert.match(await fact("history-bytes"), /11\.8\u00a0MiB of at most 512\u00a0MiB/);
    assert.match(await fact("tier-1000"), /^the last [2-9]\u00a0min/);
    assert.equal(asked(mock, "/api/doctor").length, 0, "not asked before it is wanted");
    await page.click("[data-action=doctor]");
    const checks = await until(() => page.$$eval(".doctor li", (l) => l.map((e) => e.dataset.status)), (l) => l.length > 0, "findings");
    assert.deepEqual(checks, ["fail", "limited", "unknown", "pass"], "the worst first");
    assert.equal(await page.textContent(".doctor code"), "qemu-system-x86_64 -cpu host,pmu=on");
    await page.click(".doctor .command button");
    await until(() => page.textContent(".message"), (t) => t === "Copied.", "a word");
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "qemu-system-x86_64 -cpu host,pmu=on");
    // A page that was not got over https, nor from this machine, has no clipboard: the old way.
    await page.evaluate(() => Object.defineProperty(globalThis, "isSecureContext", { value: false }));
    await page.click('.doctor .command button[aria-label*="sysctl"]');
    await until(() => page.evaluate(() => navigator.clipboard.readText()), (t) => t === "sysctl kernel.kptr_restrict=0", "the other command");
    assert.equal(await page.locator("textarea").count(), 0);
  }, { context: { permissions: ["clipboard-read", "clipboard-write"] } }));

test("export: CSV and JSON of the span, the link, a picture", () => withPage({ rows: 700 }, async (page, mock) => {
  await still(page);
  const r = await range(page);
  const open = () => page.click('[aria-controls="export-list"]');
  const save = async (id) => {
    await open();
    const waiting = page.waitForEvent("download");
    await page.click(`[data-export="${id}"]`);
    const download = await waiting;
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
  };
  const here = mock.samples.filter((s) => s.timestamp >= Math.floor(r.from) && s.timestamp <= Math.ceil(r.to));
  const csv = await save("csv");
  assert.match(csv.name, /^workbench-\d{8}-\d{6}\.csv$/);
  const lines = csv.bytes.toString().trimEnd().split("\n");
  assert.equal(lines.length, here.length + 1);
  const cpi = lines[0].split(",").indexOf("cpi");
  assert.deepEqual(lines.slice(1).map((l) => Number(l.split(",")[cpi])), here.map((s) => s.values.cpi));
  const json = await save("json");
  assert.deepEqual(JSON.parse(json.bytes.toString()).map((s) => s.timestamp), here.map((s) => s.timestamp));
  const png = await save("png-0");
  assert.match(png.name, /-cycles-and-instructions\.png$/);
  assert.equal(png.bytes.subarray(1, 4).toString(), "PNG");
  // The chart is in it: its colours, not only a ground.
  const coloursOf = (bytes, top, height) => page.evaluate(async ({ base64, top, height }) => {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], { type: "image/png" }));
    const c = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    c.drawImage(bitmap, 0, 0);
    const data = c.getImageData(0, top, bitmap.width, height ?? bitmap.height - top).data;
    const seen = new Set();
    for (let i = 0; i < data.length; i += 4) seen.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
    return { list: [...seen], width: bitmap.width };
  }, { base64: bytes.toString("base64"), top, height });
  const colours = await coloursOf(png.bytes, 64);
  for (const wanted of ["10,102,194", "194,87,12"]) assert.ok(colours.list.includes(wanted), `the line's colour ${wanted}`);
  assert.ok(colours.width > (await plotBox(page, "cycles")).width);
  const map = await save("png-4");
  assert.match(map.name, /-cpus\.png$/);
  const scale = await coloursOf(map.bytes, 53, 1);
  assert.ok(scale.list.length > 100, `the heatmap's scale is in its picture: ${scale.list.length} colours`);
  await open();
  await page.click('[data-export="link"]');
  await until(() => page.evaluate(() => navigator.clipboard.readText()), (t) => t === page.url(), "the link");
  await open();
  await page.keyboard.press("Escape");
  await until(() => page.locator("#export-list button").count(), (n) => n === 0, "no menu");
  assert.equal(await page.getAttribute("html", "data-state"), "paused", "Escape was the menu's");
}, { context: { permissions: ["clipboard-read", "clipboard-write"], colorScheme: "light" } }));

test("a span with more samples than the server gives is saved thinned out, and that is said before", () => withPage({ rows: 700, days: 3 }, async (page, mock) => {
  const to = mock.samples[0].timestamp;
  await page.goto(`${mock.url}#from=${to - 7_200_000}&to=${to}`);
  await page.reload();
  await waitState(page, "paused");
  await page.click('[aria-controls="export-list"]');
  assert.match(await page.textContent('[data-export="csv"]'), /2\u00a0h, thinned out/);
  const waiting = page.waitForEvent("download");
  await page.click('[data-export="json"]');
  await waiting;
  assert.equal(new URL(asked(mock, "/api/data").at(-1), mock.url).searchParams.get("points"), "10000");
}));

test("`a` brings a hidden inspector back", () => withPage({}, async (page) => {
  await page.keyboard.press("i");
  await until(() => page.locator("aside.inspector").isVisible(), (v) => !v, "no inspector");
  await page.keyboard.press("a");
  await until(() => page.locator('#inspector-panel [data-letter="A"]').isVisible().catch(() => false), Boolean, "the comparison");
}));

test("an inspector that is hidden asks nothing", () => withPage({}, async (page, mock) => {
  await until(() => asked(mock, "/api/span").length, (n) => n >= 2, "questions");
  await page.$eval(".inspector", (e) => { e.style.display = "none"; });
  await until(() => page.locator("#inspector-panel").count(), (n) => n === 0, "no tab");
  const before = asked(mock, "/api/span").length;
  const { sequence } = mock;
  await until(() => mock.sequence, (n) => n > sequence + 25, "more samples");
  assert.ok(asked(mock, "/api/span").length <= before + 1, "at most the one that was on its way");
  await page.$eval(".inspector", (e) => { e.style.display = ""; });
  await until(() => asked(mock, "/api/span").length, (n) => n >= before + 3, "questions again");
}));

test("the server goes away and comes back: the same is asked again", () => withPage({}, async (page, mock) => {
  await still(page);
  await until(() => cell(page, "cpi", "mean"), (v) => /\d/.test(v), "a mean");
  await mock.stop();
  await select(page, 0.2, 0.4);
  await until(() => page.locator(".inspector .error").count(), (n) => n === 1, "an error");
  assert.match(await cell(page, "cpi", "mean"), /\d/, "what was known stays");
  await mock.start();
  await until(() => page.locator(".inspector .error").count(), (n) => n === 0, "no error");
}, { allowed: NETWORK }));

test("values for screen readers: a silent table, of what is shown", () => withPage({}, async (page, mock) => {
  const table = page.locator('[aria-label="Values as a table"]');
  assert.equal(await table.getAttribute("aria-live"), "off");
  const cpi = () => table.locator("tr", { hasText: "CPI" }).locator("td").first().textContent();
  await until(cpi, (t) => /^\d\.\d{3} cycles per instruction$/.test(t), "the CPI");
  mock.silent = true;
  const last = mock.samples.at(-1).values.cpi.toFixed(3);
  await until(cpi, (t) => t.startsWith(last), "the newest one");
}));

test("columns and values are there while the inspector is hidden", () => withPage({}, async (page) => {
  await page.$eval(".inspector", (e) => { e.style.display = "none"; });
  await page.keyboard.press("m");
  await page.click(".columns-dialog [data-action=close]");
  await until(() => page.textContent('[aria-label="Values as a table"] td'), (t) => /\d/.test(t), "a value");
}));

test("hostile names are text in every tab, the dialog and the menu", () => withPage({ scenario: "html" }, async (page) => {
  await still(page);
  await select(page, 0.1, 0.3);
  await page.keyboard.press("a");
  await select(page, 0.5, 0.8); // else nothing is compared, and no column listed
  for (const id of TABS) {
    await openTab(page, id);
    if (id === "status") await page.click("[data-action=doctor]");
    await until(() => page.textContent(".inspector .body"), (t) => t.includes("<img src=x onerror="), `the name in ${id}`);
  }
  await page.click("[data-action=columns]");
  await until(() => page.textContent(".columns-dialog"), (t) => t.includes("<img src=x"), "the name in the dialog");
  await page.click("[data-action=close]");
  assert.equal(await page.locator("img, body script + img").count(), 0);
  assert.equal(await page.evaluate(() => document.body.dataset.hacked), undefined);
}));

for (const scheme of ["light", "dark"]) {
  test(`axe finds nothing in any tab, dialog or menu: ${scheme}`, () => withPage({ scenario: "gaps" }, async (page) => {
    const check = async (what) => {
      assert.deepEqual(await axe(page), [], what);
    };
    await still(page);
    await select(page, 0.1, 0.3);
    await page.keyboard.press("a");
    await select(page, 0.5, 0.8);
    for (const id of TABS) {
      await openTab(page, id);
      await page.waitForSelector({ span: ".stats td", compare: ".compare .verdict", relations: ".matrix button", processes: ".processes td", status: ".fact-table td" }[id]);
      if (id === "relations") {
        await page.click('.matrix button[aria-label*=" cycles and instructions:"]');
        await page.waitForSelector('.scatter canvas:not([data-points="0"])');
      }
      if (id === "status") {
        await page.click("[data-action=doctor]");
        await page.waitForSelector(".doctor li");
      }
      await page.mouse.move(5, 5);
      await check(id);
    }
    await page.click('[aria-controls="export-list"]');
    await check("export");
    await page.keyboard.press("Escape");
    await page.click("[data-action=columns]");
    await page.click('.columns-dialog [data-column="branches"] button');
    await page.click('.columns-dialog [data-column="cpi"] summary');
    await check("columns");
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.waitForSelector("dialog.help[open]");
    await check("help");
    await page.keyboard.press("Escape");
    await page.setViewportSize({ width: 390, height: 844 });
    await check("phone");
  }, { context: { colorScheme: scheme } }));
}

test("at 390 px the inspector is below the timeline, and nothing is wider than the screen", () => withPage({}, async (page) => {
  const inspector = await page.locator(".inspector").boundingBox();
  const timeline = await page.locator(".timeline").boundingBox();
  assert.ok(inspector.y >= timeline.y + timeline.height, "below");
  for (const id of TABS) {
    await openTab(page, id);
    await frame(page);
    const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(widths[0] <= widths[1], `${id}: ${widths}`);
  }
  await page.click("[data-action=columns]");
  const box = await page.locator(".columns-dialog").boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 390);
}, { context: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } }));
