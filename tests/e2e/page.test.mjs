// SPDX-License-Identifier: Apache-2.0
// The page in real Chromium against made-up servers: what it shows, and moving in time.

import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsOfColour, frame, plotBox, range, rest, until, waitState } from "./browser.mjs";
import { advanced, halted, legend, middle, tile, withPage } from "./harness.mjs";

test("becomes live, and values and view go on", () => withPage({}, async (page) => {
  const first = await tile(page, "ipc");
  assert.match(first, /^\d\.\d{3}$/);
  await until(() => tile(page, "ipc"), (v) => v !== first, "another IPC");
  await advanced(page, 500);
  assert.equal(await page.textContent(".host"), "workbench");
  await until(() => page.textContent(".pill"), (t) => t === "Live", "the word for it");
  assert.equal(await page.title(), "workbench \u2013 cyclescope");
}));

test("tiles show the newest sample of the server", () => withPage({}, async (page, mock) => {
  mock.silent = true; // the newest sample stays the newest
  const newest = mock.samples.at(-1);
  const ipc = newest.values.ipc.toFixed(3);
  await until(() => tile(page, "ipc"), (v) => v === ipc, `IPC ${ipc}`);
  assert.equal(await tile(page, "cache"), (newest.values.cache_miss_rate * 100).toFixed(1) + "\u00a0%");
  assert.equal(await tile(page, "cycles"), newest.values.ghz.toFixed(2) + "\u00a0GHz");
  for (const id of ["branch", "cpu", "switches"]) assert.match(await tile(page, id), /^[\d.]+\u00a0/);
  assert.equal(await page.locator(".tile .quality[data-quality]").count(), 0, "all of it is exact");
}));

test("the charts draw their lines over the whole span", () => withPage({}, async (page) => {
  const lines = [
    ["cycles", "--series-1"], ["cycles", "--series-2"], ["miss-rates", "--series-3"], ["miss-rates", "--series-4"],
    ["cpi", "--series-5"], ["cpu", "--total"], ["software", "--series-1"], ["software", "--series-3"],
  ];
  for (const [panel, colour] of lines) {
    const share = async () => {
      const columns = await columnsOfColour(page, panel, colour);
      return columns.filter(Boolean).length / columns.length;
    };
    // Another line may lie over it here and there.
    await until(share, (s) => s > 0.8, `${colour} in ${panel}`);
  }
}));

test("a line along the upper or the lower edge of its plot is drawn whole, also when the picture has moved on", () =>
  withPage({}, async (page, mock) => {
    const above = (edge) => page.$eval('[data-panel="cpu"]', (root, edge) => {
      const canvas = root.querySelector("canvas");
      const over = root.querySelector(".u-over").getBoundingClientRect();
      const { left, top } = canvas.getBoundingClientRect();
      // The row of pixels that is just outside of the plot, where the newest values are.
      const y = Math.round(edge === "top" ? over.top - top - 1 : over.bottom - top);
      const copy = new OffscreenCanvas(1, 1).getContext("2d");
      copy.drawImage(canvas, -Math.round(over.right - left - 4), -y);
      return copy.getImageData(0, 0, 1, 1).data[3];
    }, edge);
    for (const [value, edge] of [[1, "top"], [0, "bottom"]]) {
      mock.bump = { cpu_use: value };
      await until(() => tile(page, "cpu"), (t) => parseFloat(t) === 100 * value, "the value");
      await until(() => above(edge), (alpha) => alpha > 100, `the half of the line beyond the ${edge}`);
    }
  }));

test("all of it is on the first screen", () => withPage({}, async (page) => {
  await until(() => page.$$eval(".plot canvas", (c) => c.length), (n) => n === 6, "five charts and the heatmap");
  assert.ok(await page.locator("aside.inspector").isVisible());
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  assert.ok(height <= 1000, `the page is ${height} px high`);
}));

test("the wheel zooms at the cursor, and then the view does not move", () => withPage({}, async (page, mock) => {
  const { x, y, box } = await middle(page);
  const at = box.x + box.width * 0.25;
  await page.mouse.move(at, y);
  let zoomed;
  await halted(page, mock, async () => {
    const before = await range(page);
    await page.mouse.wheel(0, -400);
    zoomed = await until(() => range(page), (r) => r.to - r.from < 0.6 * (before.to - before.from), "a narrower view");
    const under = zoomed.from + 0.25 * (zoomed.to - zoomed.from);
    const was = before.from + 0.25 * (before.to - before.from);
    assert.ok(Math.abs(under - was) < 100, `what was under the cursor is ${under - was} ms beside it`);
  });
  await waitState(page, "paused");
  const sequence = mock.sequence;
  await until(() => mock.sequence, (n) => n > sequence + 8, "more samples");
  await until(async () => (await page.textContent("[data-status=rows]")).replace(",", ""), (n) => Number(n) > sequence - 3, "them in the page");
  assert.deepEqual(await range(page), zoomed, "the view moved");
  assert.ok(x > 0);
  await page.click("#pause");
  await waitState(page, "live");
  await advanced(page, 300);
}));

test("dragging pans; Esc and a double click go back to live", () => withPage({}, async (page, mock) => {
  const { x, y, box } = await middle(page);
  let before;
  await halted(page, mock, async () => {
    before = await range(page);
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 300, y, { steps: 5 });
    await page.mouse.up();
  });
  await waitState(page, "paused");
  const panned = await range(page);
  assert.ok(Math.abs(before.to - panned.to - 60000 * 300 / box.width) < 300, "it shows the past");
  assert.ok(Math.abs(panned.to - panned.from - 60000) < 1, "as long as before");
  await page.keyboard.press("Escape");
  await waitState(page, "live");
  await page.keyboard.press("ArrowLeft");
  await waitState(page, "paused");
  await page.mouse.dblclick(x, y);
  await waitState(page, "live");
}));

test("Shift and dragging selects; the selection can be zoomed to, and dropped", () => withPage({}, async (page) => {
  await page.keyboard.press(" ");
  await waitState(page, "paused");
  const before = await range(page);
  const { y, box } = await middle(page, "cpi");
  await page.mouse.move(box.x + box.width * 0.4, y);
  await page.keyboard.down("Shift");
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, y, { steps: 5 });
  await page.mouse.up();
  await page.keyboard.up("Shift");
  await frame(page);
  const selection = await page.locator(".overlay .selection").boundingBox();
  assert.ok(Math.abs(selection.x - (box.x + box.width * 0.4)) <= 2 && Math.abs(selection.width - box.width * 0.2) <= 2);
  assert.match(await page.textContent(".selected"), /^12\ss selected: /);
  assert.deepEqual(await range(page), before, "the view stays");
  await page.click("#zoom-selection");
  const after = await until(() => range(page), (r) => r.to - r.from < 13000, "the selection");
  const span = before.to - before.from;
  assert.ok(Math.abs(after.from - (before.from + 0.4 * span)) < 200);
  assert.ok(Math.abs(after.to - (before.from + 0.6 * span)) < 200);
  await page.keyboard.press("Escape");
  await until(() => page.locator(".overlay .selection:visible").count(), (n) => n === 0, "no selection");
  assert.equal(await page.getAttribute("html", "data-state"), "paused", "Esc dropped the selection only");
  await page.keyboard.press("Escape");
  await waitState(page, "live");
}));

test("pause by button and by Space; keys zoom and choose a span", () => withPage({}, async (page, mock) => {
  const button = await page.locator("#pause").boundingBox();
  await page.click("#pause");
  await waitState(page, "paused");
  assert.equal(await page.textContent("#pause"), "Back to live", "one button, that says what it does now");
  assert.deepEqual(await page.locator("#pause").boundingBox(), button, "nothing jumps under the pointer");
  const held = await range(page);
  const sequence = mock.sequence;
  await until(() => mock.sequence, (n) => n > sequence + 5, "more samples");
  assert.deepEqual(await range(page), held);
  await page.click("#pause");
  await waitState(page, "live");
  await page.locator("body").click({ position: { x: 5, y: 995 } });
  await page.keyboard.press(" ");
  await waitState(page, "paused");
  await page.keyboard.press(" ");
  await waitState(page, "live");
  await page.keyboard.press("1");
  await until(() => range(page), (r) => Math.abs(r.to - r.from - 10000) < 1, "10 s");
  await page.keyboard.press("+");
  await until(() => range(page), (r) => r.to - r.from < 7000, "a zoom");
  assert.equal(await page.getAttribute("html", "data-view"), "following", "a zoom by key goes on following");
  await page.click('[data-span="600000"]');
  await until(() => range(page), (r) => Math.abs(r.to - r.from - 600000) < 1, "10 min");
  assert.equal(await page.getAttribute('[data-span="600000"]', "aria-pressed"), "true");
}));

test("the cursor is at the same time in all charts, and the legends show the values there", () => withPage({}, async (page, mock) => {
  await page.keyboard.press(" ");
  await waitState(page, "paused");
  const view = await range(page);
  const { y, box } = await middle(page);
  await page.mouse.move(box.x + box.width * 0.5, y);
  const time = (view.from + view.to) / 2;
  const lines = await until(
    () => page.$$eval(".overlay .cursor:not([hidden])", (list) => list.map((e) => Math.round(e.getBoundingClientRect().left))),
    (l) => l.length === 1, "the cursor over all tracks");
  assert.ok(Math.abs(lines[0] - (box.x + box.width * 0.5)) <= 2);
  const near = mock.samples.filter((s) => Math.abs(s.timestamp - time) <= 160).map((s) => s.values);
  const rows = near.map((n) => `${n.cpi.toFixed(3)}, ${(n.cycles / 1e6).toFixed(n.cycles < 99.95e6 ? 1 : 0)}\u00a0M`);
  const values = async () => `${await legend(page, "cpi")}, ${await legend(page, "cycles")}`;
  await until(values, (v) => rows.includes(v), "CPI and cycles of one sample at the cursor");
  // With a date, where today began a moment ago.
  assert.match(await page.textContent(".cursor-time"), /^at (\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d\.\d{3}$/);
  await page.mouse.move(2, 2);
  await until(() => page.textContent(".cursor-time"), (t) => t === "", "no cursor");
}));

test("a first frame that comes late: what lies over the charts lies where they are", () => withPage({}, async (page) => {
  await page.addInitScript(() => {
    const real = globalThis.requestAnimationFrame.bind(globalThis);
    const waiting = [];
    globalThis.requestAnimationFrame = (f) => waiting.push(f);
    globalThis.drawNow = () => {
      globalThis.requestAnimationFrame = real;
      for (const f of waiting) real(f);
    };
  });
  // Every answer to it arranges the tracks anew, which is not what shall help here.
  let metas = 0;
  page.on("framenavigated", () => { metas = 0; });
  await page.route("**/api/meta", (route) => {
    metas++;
    return metas > 2 ? undefined : route.continue();
  });
  await page.reload();
  await until(() => metas, (n) => n >= 2, "the stream to be open");
  await until(() => page.textContent(".version"), (t) => t !== "", "what was said of the columns");
  await page.evaluate(() => new Promise((ok) => setTimeout(ok, 300))); // the second answer has been taken, too
  await page.evaluate(() => globalThis.drawNow());
  const edges = () => page.evaluate(() => [".overlay", '[data-panel="cycles"] .u-over'].map((selector) => {
    const { left, width } = document.querySelector(selector).getBoundingClientRect();
    return `${Math.round(left)} ${Math.round(width)}`;
  }));
  await until(() => columnsOfColour(page, "cycles", "--series-1"), (c) => c.some(Boolean), "the line");
  await until(edges, ([overlay, plot]) => overlay === plot, "them to have the same edges");
}));

test("older history is loaded behind the newest, without hole or double, at full resolution", () =>
  withPage({ rows: 9000 }, async (page, mock) => {
    await until(async () => Number((await page.textContent("[data-status=rows]")).replace(",", "")), (n) => n >= 9000, "all rows");
    mock.silent = true;
    const count = mock.samples.length;
    await until(async () => Number((await page.textContent("[data-status=rows]")).replace(",", "")), (n) => n === count, `${count} rows`);
    // Far back: ten seconds as ten seconds.
    await page.click('[data-span="600000"]');
    const { x, y } = await middle(page);
    await page.mouse.move(x - 350, y);
    for (let i = 0; i < 12; i++) await page.mouse.wheel(0, -400);
    await until(() => range(page), (v) => v.to - v.from < 2000, "a close view");
    await rest(page);
    const r = await range(page);
    const here = mock.samples.filter((s) => s.timestamp > r.from && s.timestamp < r.to);
    assert.ok(here.length >= 3);
    const seen = new Set();
    const box = await plotBox(page, "cycles");
    for (let i = 0; i < 120; i++) {
      await page.mouse.move(box.x + (box.width * (i + 0.5)) / 120, y);
      seen.add(await page.evaluate(() => new Promise((ok) => requestAnimationFrame(() => requestAnimationFrame(() =>
        ok(document.querySelector('.legend [data-column="cpi"] .value').textContent))))));
    }
    for (const s of here) assert.ok(seen.has(s.values.cpi.toFixed(3)), `sample ${s.sequence} can be seen`);
  }));

test("memory is bounded by the server's limit", () => withPage({ rows: 400, limitRows: 400 }, async (page, mock) => {
  const sequence = mock.sequence;
  await until(() => mock.sequence, (n) => n > sequence + 10, "more samples");
  await advanced(page, 300);
  assert.equal(await page.textContent("[data-status=rows]"), "400");
}));
