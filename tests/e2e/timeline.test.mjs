// SPDX-License-Identifier: Apache-2.0
// The timeline in real Chromium against made-up servers: selecting, the heatmap, history, the URL, keys and touch.

import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsOfColour, frame, plotBox, range, rest, until, waitState } from "./browser.mjs";
import { NETWORK, advanced, legend, middle, withPage } from "./harness.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const hash = (page) => page.evaluate(() => location.hash);
const span = (r) => r.to - r.from;

async function select(page, from, to, panel = "cycles") {
  const { y, box } = await middle(page, panel);
  await page.mouse.move(box.x + box.width * from, y);
  await page.keyboard.down("Shift");
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * to, y, { steps: 6 });
  await page.mouse.up();
  await page.keyboard.up("Shift");
  await frame(page);
  return page.locator(".overlay .selection").boundingBox();
}

/** The selection as the URL has it, when the movement has ended. */
async function selected(page) {
  const text = await until(() => hash(page), (h) => /sel=\d/.test(h), "the selection in the URL");
  const [, from, to] = /sel=(\d+)-(\d+)/.exec(text);
  return { from: Number(from), to: Number(to) };
}

async function pause(page) {
  await page.keyboard.press(" ");
  await waitState(page, "paused");
}

/** The heatmap's pixels at shares of its width and height, as [r, g, b, a]. */
async function heat(page, points) {
  return page.$eval('[data-panel="cpus"]', (root, points) => {
    const canvas = root.querySelector("canvas");
    const over = root.querySelector(".heat-over");
    const k = canvas.width / canvas.clientWidth;
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    return points.map(([x, y]) => [...copy.getImageData(
      Math.round((over.offsetLeft + x * over.clientWidth) * k), Math.round((over.offsetTop + y * over.clientHeight) * k), 1, 1).data]);
  }, points);
}

const empty = (pixel) => pixel[3] === 0;

test("the handles of a selection: by mouse, by keys, past each other", () => withPage({}, async (page) => {
  await pause(page);
  const view = await range(page);
  await select(page, 0.3, 0.5);
  const { box } = await middle(page);
  const at = (share) => view.from + share * span(view);
  const near = (a, b) => Math.abs(a - b) < span(view) / 200;
  const to = page.locator(".handle.to");
  const grip = await to.boundingBox();
  await page.mouse.move(grip.x + grip.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, box.y + box.height / 2, { steps: 5 });
  await page.mouse.up();
  await until(() => selected(page), (s) => near(s.from, at(0.3)) && near(s.to, at(0.7)), "the end where it was dragged to");
  await page.keyboard.press("ArrowRight");
  await until(() => selected(page), (s) => near(s.to, at(0.71)), "the end one step on");
  await page.keyboard.press("Shift+ArrowLeft");
  await until(() => selected(page), (s) => near(s.to, at(0.61)), "a large step back");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Shift+ArrowLeft");
  await until(() => selected(page), (s) => near(s.from, at(0.2)) && near(s.to, at(0.61)), "the beginning by key");
  const start = await page.locator(".handle.from").boundingBox();
  await page.mouse.move(start.x + start.width / 2, box.y + 5);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.9, box.y + 5, { steps: 5 });
  await page.mouse.up();
  await until(() => selected(page), (s) => near(s.from, at(0.61)) && near(s.to, at(0.9)), "the ends changed places");
  assert.deepEqual(await range(page), view, "the view stayed");
  assert.match(await to.getAttribute("aria-valuetext"), /selected$/);
}));

test("in a low window, what is chosen by keys neither scrolls the page nor hides a value", () =>
  withPage({ scenario: "gaps", cpus: 16 }, async (page, mock) => {
    mock.bump = { cpu_use: 0.97, pressure_io_some: 0.42 };
    await page.keyboard.press("s");
    await page.keyboard.press("c");
    await until(() => page.getAttribute('[data-panel="miss-rates"]', "data-cpu"), (v) => v === "0", "the charts of a CPU");
    await page.waitForSelector(".glance[data-unusual]");
    await page.waitForSelector(".missing:not([hidden])");
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute("role")), "slider");
    assert.equal(await page.evaluate(() => scrollY), 0);
    const hidden = await page.$$eval(".side", (all) => all.filter((e) => e.scrollHeight > e.clientHeight + 1).map((e) => e.textContent));
    assert.deepEqual(hidden, []);
    const glance = await page.locator(".glance").boundingBox();
    const clear = await page.locator("#clear-selection").boundingBox();
    const stage = await page.locator(".stage").boundingBox();
    assert.ok(glance.width > 150 && clear.x + clear.width <= stage.x + stage.width, "the line above has room for all of it");
  }, { context: { viewport: { width: 1280, height: 720 } } }));

test("select by keyboard alone, by the button and a drag, and drop it", () => withPage({}, async (page) => {
  await pause(page);
  await page.keyboard.press("s");
  await until(() => page.evaluate(() => document.activeElement.className), (c) => c === "handle to", "the handle has the focus");
  const before = await selected(page);
  const view = await range(page);
  assert.ok(Math.abs(before.to - before.from - span(view) / 3) < 5);
  await page.keyboard.press("z");
  await until(() => range(page), (r) => Math.abs(span(r) - span(view) / 3) < 5, "the selection as the view");
  await page.keyboard.press("Escape");
  await until(() => page.locator(".overlay .selection").isVisible(), (v) => !v, "no selection");
  await page.click("#select");
  const { y, box } = await middle(page, "cpu");
  await page.mouse.move(box.x + 100, y);
  await page.mouse.down();
  await page.mouse.move(box.x + 300, y, { steps: 4 });
  await page.mouse.up();
  await frame(page);
  const marked = await page.locator(".overlay .selection").boundingBox();
  assert.ok(Math.abs(marked.width - 200) <= 2 && Math.abs(marked.x - box.x - 100) <= 2);
  assert.equal(await page.getAttribute("#select", "aria-pressed"), "false", "one drag only");
  await page.click("#clear-selection");
  await until(() => page.locator(".overlay .selection").isVisible(), (v) => !v, "no selection");
}));

test("a selection moves with its time while the view follows", () => withPage({}, async (page) => {
  const first = await select(page, 0.5, 0.7);
  await page.keyboard.press("1");
  await page.keyboard.press("2");
  await until(() => page.locator(".overlay .selection").boundingBox(), (b) => b && b.x < first.x - 5, "it goes left");
  await waitState(page, "live");
}));

test("the heatmap: every CPU, its values at the pointer, and a click chooses the CPU for all charts", () =>
  withPage({ cpus: 8, rows: 700 }, async (page, mock) => {
    const grid = Array.from({ length: 8 }, (_, c) => [0.2, 0.5, 0.95].map((x) => [x, (c + 0.5) / 8])).flat();
    await until(() => heat(page, grid), (list) => !list.some(empty), "cells everywhere, also before the page was opened");
    await pause(page);
    const view = await range(page);
    const box = await page.locator(".heat-over").boundingBox();
    await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * (5.5 / 8));
    const t = view.from + 0.6 * span(view);
    await until(() => page.textContent(".readout .label"), (s) => s.startsWith("CPU 5 at "), "the CPU under the pointer");
    const uses = mock.samples.filter((s) => Math.abs(s.timestamp - t) <= 250).map((s) => s.cpus[5].cpu_use * 100);
    const shown = Number.parseFloat(await page.textContent(".readout .value"));
    assert.ok(uses.some((u) => Math.abs(u - shown) < 0.06), `${shown} is one of ${uses}`);
    await page.mouse.click(box.x + box.width * 0.6, box.y + box.height * (5.5 / 8));
    await until(() => page.getAttribute('[data-panel="cycles"]', "data-cpu"), (c) => c === "5", "the charts of CPU 5");
    const { y, box: plot } = await middle(page);
    await page.mouse.move(plot.x + plot.width * 0.4, y);
    const at = view.from + 0.4 * span(view);
    const near = mock.samples.filter((s) => Math.abs(s.timestamp - at) <= 250).map((s) => (s.cpus[5].cycles / 1e6).toFixed(1));
    await until(() => legend(page, "cycles"), (v) => near.some((n) => Math.abs(Number.parseFloat(v) - Number(n)) < 0.11), `one of ${near}`);
    await until(() => hash(page), (h) => h.includes("cpu=5"), "the CPU in the URL");
    await page.keyboard.press("End");
    await advanced(page, 500);
    const newest = mock.samples.at(-1).cpus[5].cycles;
    await until(() => legend(page, "cycles"), (v) => Number.parseFloat(v) < 3 * newest / 1e6, "the newest value of that CPU");
    await page.click("#all-cpus");
    await until(() => page.getAttribute('[data-panel="cycles"]', "data-cpu"), (c) => c === null, "the total again");
    await page.selectOption("#heat-cpu", "2");
    await until(() => page.getAttribute('[data-panel="cycles"]', "data-cpu"), (c) => c === "2", "the CPU by its list");
    await page.mouse.click(box.x + 50, box.y + box.height * (2.5 / 8));
    await until(() => page.getAttribute('[data-panel="cycles"]', "data-cpu"), (c) => c === null, "a second click on the same row");
  }));

test("the heatmap's column can be chosen; the stream brings that of all CPUs and no other", () =>
  withPage({ cpus: 4, rows: 700 }, async (page, mock) => {
    const asked = () => new URLSearchParams(mock.requests.filter((r) => r.startsWith("/api/stream")).at(-1)?.split("?")[1]);
    await until(() => asked().get("cpu"), (c) => c === "all", "the stream");
    assert.equal(asked().get("cpu_columns"), "cpu_use");
    await page.selectOption("#heat-metric", "context_switches");
    await until(() => asked().get("cpu_columns"), (c) => c === "context_switches", "another question");
    await until(() => heat(page, [[0.1, 0.5], [0.9, 0.5]]), (list) => !list.some(empty), "its cells");
    await until(() => hash(page), (h) => h.includes("heat=context_switches"), "it in the URL");
    await until(() => page.textContent(".heat-legend span:last-child"), (t) => /^\d/.test(t), "its scale");
  }));

test("512 CPUs: a row for some of them, the highest of each", () => withPage({ cpus: 512, rows: 80 }, async (page) => {
  await until(() => heat(page, [[0.99, 0.05], [0.99, 0.5], [0.99, 0.95]]), (list) => !list.some(empty), "live cells");
  assert.match(await page.textContent('[data-panel="cpus"] .remark'), /^[2-9] CPUs a row/);
  assert.ok((await page.locator(".heat-over").boundingBox()).height > 120);
  assert.ok(await page.evaluate(() => document.documentElement.scrollHeight) <= 1000, "all on the first screen");
}));

test("nothing is not zero in the heatmap: no sample, never ran and offline look different", () =>
  withPage({ cpus: 4, rows: 5, scenario: "cells" }, async (page, mock) => {
    await until(() => mock.sequence, (n) => n > 30, "some samples");
    const some = mock.samples.at(-1).timestamp;
    await until(() => range(page), (r) => r.to >= some, "them on the screen");
    await pause(page);
    const view = await range(page);
    const x = (mock.samples[10].timestamp - view.from) / span(view);
    const area = (row) => Array.from({ length: 60 }, (_, i) => [x + (i % 10) * 0.0012, (row + 0.25 + Math.floor(i / 10) * 0.08) / 4]);
    const kinds = async (row) => new Set((await heat(page, area(row))).map((p) => p.join()));
    const [zero, never, offline] = await until(async () => [await kinds(0), await kinds(1), await kinds(2)],
      ([zero, never, offline]) => zero.size === 1 && never.size > 1 && offline.size > 1, "zero in one colour, the others in patterns");
    assert.equal([...never].filter((c) => zero.has(c)).length + [...offline].filter((c) => zero.has(c)).length, 0);
    assert.notDeepEqual([...never].sort(), [...offline].sort());
    assert.ok((await heat(page, [[0.02, 0.1]])).every(empty), "no sample is nothing");
    const box = await page.locator(".heat-over").boundingBox();
    for (const [row, word] of [[1, "never ran"], [2, "offline"]]) {
      await page.mouse.move(box.x + box.width * (x + 0.005), box.y + box.height * ((row + 0.5) / 4));
      await until(() => page.textContent(".readout .quality"), (t) => t === word, word);
      assert.equal(await page.textContent(".readout .value"), "\u2014");
    }
  }));

test("history beyond what the page holds: fetched as it is looked at, never blank", () =>
  withPage({ rows: 300, limitRows: 400, days: 3 }, async (page, mock) => {
    // A thin line that is not level is lighter than its colour in some columns.
    const drawn = async () => {
      const columns = await columnsOfColour(page, "cpi", "--series-5");
      return columns.filter(Boolean).length / columns.length;
    };
    const { x, y } = await middle(page);
    await page.mouse.move(x, y);
    for (let i = 0; i < 60 && span(await range(page)) < 2 * 86_400_000; i++) await page.mouse.wheel(0, 600);
    const wide = await until(() => range(page), (r) => span(r) > 2 * 86_400_000, "a view of days");
    await until(drawn, (s) => s > 0.35, "lines over days");
    // Zooming in again, slowly: at every step something is drawn.
    mock.delay = 400;
    for (let i = 0; i < 20; i++) {
      await page.mouse.wheel(0, -300);
      await page.evaluate(() => new Promise((ok) => requestAnimationFrame(() => requestAnimationFrame(ok))));
      const share = await drawn();
      assert.ok(share > 0.2, `step ${i}: ${share} of the columns have a line`);
    }
    mock.delay = 0;
    const close = await range(page);
    assert.ok(span(close) < span(wide) / 1000);
    await until(drawn, (s) => s > 0.35, "the fine lines");
    const t = (close.from + close.to) / 2;
    await page.mouse.move(x, y - 5);
    const past = mock.past(t, "cycles");
    await until(() => legend(page, "cycles"), (v) => Math.abs(Number.parseFloat(v) * 1e6 - past) < 0.2 * past, `${past} cycles at the cursor`);
    await page.keyboard.press("End");
    await waitState(page, "live");
  }));

test("the URL is the view: a copied link opens the same one, back and forward go through it", () =>
  withPage({ rows: 1500, cpus: 4 }, async (page, mock, { context }) => {
    const entries = () => page.evaluate(() => history.length);
    const first = await entries();
    const steps = [
      () => pause(page),
      () => select(page, 0.2, 0.4), // many changes, and one movement
      () => page.click("#zoom-selection"),
      () => page.selectOption("#heat-cpu", "3"),
      () => page.selectOption("#heat-metric", "cycles"),
      () => page.click("#theme"),
    ];
    for (const [i, step] of steps.entries()) {
      await step();
      await rest(page);
      assert.equal(await entries(), first + i + 1, `step ${i + 1}: one more entry`);
    }
    const link = await until(() => page.evaluate(() => location.href),
      (h) => ["from=", "to=", "sel=", "cpu=3", "heat=cycles", "theme="].every((p) => h.includes(p)), "all of it in the URL");
    const there = await range(page);
    const other = await context.newPage();
    await other.goto(link);
    await waitState(other, "paused");
    const here = await until(() => range(other), (r) => Math.abs(r.to - there.to) < 2, "the same view");
    assert.ok(Math.abs(here.from - there.from) < 2);
    assert.equal(await other.getAttribute("html", "data-theme"), "light");
    assert.equal(await other.inputValue("#heat-cpu"), "3");
    assert.equal(await other.inputValue("#heat-metric"), "cycles");
    assert.ok(await other.locator(".overlay .selection").isVisible());
    await other.close();
    await page.goBack(); // the theme stays as it is: it is not a place
    await page.goBack();
    await page.goBack();
    await until(() => page.inputValue("#heat-cpu"), (v) => v === "", "no CPU");
    const wide = await until(() => range(page), (r) => span(r) < 13_000, "still zoomed");
    assert.ok(Math.abs(wide.to - there.to) < 2);
    await page.goBack();
    await until(() => range(page), (r) => span(r) > 59_000, "before the zoom");
    assert.ok(await page.locator(".overlay .selection").isVisible());
    await page.goBack();
    await until(() => page.locator(".overlay .selection").isVisible(), (v) => !v, "before the selection");
    await page.goForward();
    await until(() => page.locator(".overlay .selection").isVisible(), (v) => v, "forward again");
  }, { context: { colorScheme: "light" } }));

test("a link into the past stays there; a link with nonsense does no harm", () => withPage({ rows: 1500 }, async (page, mock) => {
  const to = mock.samples[700].timestamp;
  await page.goto(`${mock.url}#from=${to - 20_000}&to=${to}`);
  await page.reload();
  await waitState(page, "paused");
  await until(() => range(page), (r) => r.to === to && r.from === to - 20_000, "that span");
  await until(async () => (await columnsOfColour(page, "cycles", "--series-1")).filter(Boolean).length, (n) => n > 500, "its lines");
  await page.goto(`${mock.url}#from=1&to=x&cpu=-3&heat=<img src=x>&tracks=nope,cpi&sel=9-1&theme=pink`);
  await page.reload();
  await waitState(page, "live");
  assert.equal(await page.locator("img").count(), 0);
  assert.equal(await page.locator('.track[data-panel="cpi"]').count(), 1);
  assert.equal(await page.locator('.track[data-panel="cycles"]').count(), 0, "the tracks that the link names");
}));

test("where a part of the view is kept more coarsely, the page says until when", () =>
  withPage({ rows: 300, limitRows: 400, days: 1, fineMs: 7_200_000 }, async (page, mock) => {
    const border = mock.samples[0].timestamp - 7_200_000;
    const said = () => page.textContent(".missing:not([hidden]) > :first-child:not([hidden])", { timeout: 1000 }).catch(() => "");
    await page.goto(`${mock.url}#from=${border - 300_000}&to=${border + 300_000}`);
    await page.reload();
    await until(said, (t) => /^Before \d\d:\d\d:\d\d: a value each 10\u00a0s$/.test(t.replace(/\d+-\d+-\d+ /, "")), "the border");
    await page.keyboard.press("End");
    await until(said, (t) => t === "", "nothing to say of the present");
  }));

test("? lists the keys, and Escape closes the list only", () => withPage({}, async (page) => {
  await pause(page);
  await page.keyboard.press("?");
  assert.ok(await page.locator("dialog.help[open]").isVisible());
  assert.match(await page.textContent("dialog.help"), /Space.*Esc.*Home/s);
  await page.keyboard.press("1");
  assert.ok(Math.abs(span(await range(page)) - 60_000) < 1, "a dialog keeps the keys");
  await page.keyboard.press("Escape");
  await until(() => page.locator("dialog.help[open]").count(), (n) => n === 0, "no list");
  await waitState(page, "paused");
  await page.keyboard.press("c");
  await until(() => page.getAttribute('[data-panel="cycles"]', "data-cpu"), (c) => c === "0", "CPU 0");
  await page.keyboard.press("Shift+C");
  await until(() => page.getAttribute('[data-panel="cycles"]', "data-cpu"), (c) => c === null, "all CPUs");
  await page.keyboard.press("Home");
  await page.keyboard.press("i");
  await until(() => page.locator("aside.inspector").isVisible(), (v) => !v, "no inspector");
  await page.reload();
  await waitState(page, "paused");
  assert.equal(await page.locator("aside.inspector").isVisible(), false, "it is remembered");
}));

test("touch: two fingers zoom and pan, a long press and a drag select, one finger scrolls the page", () =>
  withPage({ rows: 1500 }, async (page, mock, { context }) => {
    const cdp = await context.newCDPSession(page);
    const touch = (type, ...points) => cdp.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
    const box = await plotBox(page, "cycles");
    const y = Math.round(box.y + box.height / 2);
    const before = await range(page);
    await touch("touchStart", [140, y], [240, y]);
    for (let i = 1; i <= 8; i++) await touch("touchMove", [140 - i * 8, y], [240 + i * 8, y]);
    await touch("touchEnd");
    const zoomed = await until(() => range(page), (r) => span(r) < 0.6 * span(before), "a narrower view");
    await touch("touchStart", [140, y], [240, y]);
    for (let i = 1; i <= 8; i++) await touch("touchMove", [140 + i * 8, y], [240 + i * 8, y]);
    await touch("touchEnd");
    await until(() => range(page), (r) => r.to < zoomed.to - 1000 && Math.abs(span(r) - span(zoomed)) < 0.1 * span(zoomed), "the view moved back");
    await touch("touchStart", [120, y]);
    await page.waitForSelector(".u-over.selecting"); // that is what a long press does
    for (let i = 1; i <= 8; i++) await touch("touchMove", [120 + i * 12, y + i]);
    await touch("touchEnd");
    await until(() => page.locator(".overlay .selection").boundingBox(), (b) => b !== null && Math.abs(b.width - 96) < 6, "a selection so wide");
    const still = await range(page);
    // Between the handles: they reach a finger's width to both sides of their lines.
    // All at once: with a pause before it moves, it would be a long press.
    await Promise.all([
      touch("touchStart", [168, y]), ...Array.from({ length: 10 }, (_, i) => touch("touchMove", [168, y - (i + 1) * 12])), touch("touchEnd"),
    ]);
    await until(() => page.evaluate(() => scrollY), (v) => v > 40, "the page to scroll");
    assert.deepEqual(await range(page), still, "the view stayed");
  }, { context: PHONE }));

test("a lost connection while looking at the past: what was drawn stays, and what is missing comes later", () =>
  withPage({ rows: 300, limitRows: 400, days: 3 }, async (page, mock) => {
    await page.goto(`${mock.url}#from=${mock.samples[0].timestamp - 7_200_000}&to=${mock.samples[0].timestamp - 3_600_000}`);
    await page.reload();
    await waitState(page, "paused");
    const share = async () => (await columnsOfColour(page, "cycles", "--series-1")).filter(Boolean).length;
    await until(share, (n) => n > 350, "an hour of the past");
    await mock.stop();
    await waitState(page, "reconnecting");
    await page.keyboard.press("ArrowLeft");
    await frame(page);
    assert.ok(await share() > 250, "most of it is still there");
    await mock.start();
    await until(share, (n) => n > 350, "the rest, when the server is back");
  }, { allowed: NETWORK }));

test("who leaves or reloads right after a change finds it again; remembered tracks make no entry of the browser's history", () => withPage({ rows: 1500 }, async (page, mock) => {
  const steps = async (key) => {
    for (let i = 0; i < 3; i++) await page.keyboard.press(key);
    return range(page);
  };
  const same = async (before, what) => {
    await waitState(page, "paused");
    const after = await range(page);
    assert.ok(Math.abs(after.to - before.to) < 2 && Math.abs(after.from - before.from) < 2, what);
  };
  const before = await steps("ArrowLeft");
  await page.goto("about:blank");
  await page.goBack();
  await same(before, "the last step is in the URL");
  const further = await steps("ArrowLeft");
  await page.reload();
  await same(further, "the last step is there after a reload");
  await page.evaluate(() => localStorage.setItem("cyclescope-tracks", JSON.stringify(["cpi", "cpu"])));
  const entries = await page.evaluate(() => history.length);
  await page.goto(mock.url + "?again");
  await until(() => hash(page), (h) => h.includes("tracks=cpi,cpu"), "the remembered tracks");
  await rest(page);
  assert.equal(await page.evaluate(() => history.length), entries + 1, "that page, and nothing for its tracks");
}));

test("the heatmap of the past has a scale of its own, from one question for all CPUs", () => withPage({ rows: 300, limitRows: 400, days: 3, cpus: 8 }, async (page, mock) => {
  await page.selectOption("#heat-metric", "cycles");
  mock.requests.length = 0;
  await page.goto(`${mock.url}#heat=cycles&from=${mock.samples[0].timestamp - 7_200_000}&to=${mock.samples[0].timestamp - 3_600_000}`);
  await page.reload();
  await waitState(page, "paused");
  const most = () => page.textContent(".heat-legend span:last-child");
  await until(most, (t) => /^[\d.]+[MG]$/.test(t), "the end of the scale");
  const asked = mock.requests.filter((r) => r.includes("/api/series") && r.includes("cpu="));
  assert.ok(asked.length > 0 && asked.every((r) => r.includes("cpu=all")), asked.join("\n"));
}));

/**
 * Each chart's picture as it is, and drawn anew: pixels with something in them, and where the two differ by more than rounding does.
 * All in one task of the page, so that nothing can come between.
 */
const drawAnew = (page) => page.evaluate(() => {
  const canvases = [...document.querySelectorAll(".uplot canvas")];
  const pictures = () => canvases.map(({ width, height }, n) => {
    // Their millions of pixels are too many to be sent to the test.
    const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvases[n], 0, 0);
    return copy.getImageData(0, 0, width, height).data;
  });
  const before = pictures();
  for (let i = 0; i < 3; i++) document.querySelector("#theme").click(); // each draws anew, and the last one in the first one's colours
  const after = pictures();
  return before.map((pixels, n) => {
    const { width } = canvases[n];
    const other = after[n];
    const different = { count: 0, top: Infinity, bottom: -1, columns: {} };
    let drawn = 0;
    for (let i = 0; i < pixels.length; i += 4) {
      const [alpha, otherAlpha] = [pixels[i + 3], other[i + 3]];
      if (alpha !== 0) drawn++;
      const differs = (c) => Math.abs(pixels[i + c] * alpha - other[i + c] * otherAlpha) / 255 >= 24;
      if (differs(0) || differs(1) || differs(2) || Math.abs(alpha - otherAlpha) >= 24) {
        const [x, y] = [(i / 4) % width, Math.floor(i / 4 / width)];
        different.count++;
        different.top = Math.min(different.top, y);
        different.bottom = y;
        different.columns[x] = (different.columns[x] ?? 0) + 1;
      }
    }
    return { width, drawn, different };
  });
});

/** Of a view of 1 min: ends (ms after 10 s) with which a line of the grid stands at an end of the plot, or half way to the next pixel. */
function awkwardEnds(width) {
  const ends = Array.from({ length: 99 }, (_, i) => (i + 1) * 100);
  const at = (end, n) => (((n * 10_000 - end) / 60_000) * width) % 1;
  return [0, ...ends.filter((end) => [1, 2, 3, 4, 5, 6].some((n) => at(end, n) >= 0.5 && at(end, n) < 0.508)).slice(0, 4)];
}

for (const [what, options, key, pace, context] of [
  ["a view of 1 min", { rows: 650 }, "2", 1, {}],
  ["gaps, and a dense screen", { scenario: "gaps", rows: 1490 }, "2", 1, { deviceScaleFactor: 2, viewport: { width: 900, height: 700 } }],
  ["a screen of five quarters", { rows: 650 }, "2", 1, { deviceScaleFactor: 1.25 }],
  ["bands", { rows: 6000, interval: 20, silent: true }, "3", 35, {}],
]) {
  test(`what was moved and added to is what would be drawn anew: ${what}`, () => withPage(options, async (page, mock) => {
    mock.silent = true;
    const give = async (count) => {
      mock.give(count);
      const newest = mock.samples.at(-1).timestamp;
      await until(() => range(page), (r) => r.to === newest, "the newest sample on the screen");
    };
    const drawWhole = async () => {
      for (const preset of ["1", key]) {
        await page.keyboard.press(preset);
        await frame(page);
      }
    };
    // Older history comes later, and then all is drawn.
    await page.keyboard.press("3");
    await give(1);
    const oldest = await range(page).then((r) => (mock.samples[0].timestamp - r.from) / span(r));
    await until(() => columnsOfColour(page, "cycles", "--series-1"), (c) => Math.abs(c.indexOf(true) / c.length - oldest) < 0.01, "all of the history");
    await page.evaluate(() => {
      const { drawImage } = CanvasRenderingContext2D.prototype;
      globalThis.moves = 0;
      CanvasRenderingContext2D.prototype.drawImage = function (source, ...rest) {
        if (source === this.canvas && source.closest(".uplot")) globalThis.moves++;
        return drawImage.call(this, source, ...rest);
      };
    });
    const box = await plotBox(page, "cycles");
    const ends = what === "a view of 1 min" ? awkwardEnds(box.width) : [0];
    const steps = [1, 1, 3, 2];
    let charts = [];
    for (const end of ends) {
      const ahead = (end - mock.samples.at(-1).timestamp) / mock.options.interval;
      const round = 10_000 / mock.options.interval;
      await give((ahead % round) + round);
      await drawWhole();
      for (const n of steps) await give(n * pace);
      charts = await drawAnew(page);
      assert.ok(charts.length > 0);
      const view = await range(page);
      charts.forEach(({ width, drawn, different: { count, top, bottom, columns } }, n) => {
        assert.ok(drawn > 5 * width, "it is a picture");
        // Joints of lines are antialiased.
        const where = Object.entries(columns).sort(([, a], [, b]) => b - a).slice(0, 20).map(([x, each]) => `${each} at ${x}`).join(", ");
        assert.ok(count <= 8, `chart ${n}, ${width} wide: ${count} pixels differ, in rows ${top} to ${bottom}, in columns: ${where}; `
          + `all was drawn with the view's end at ${end} ms of 10 s, and moved to ${view.from} to ${view.to}`);
      });
    }
    // Some steps change a scale.
    assert.ok(await page.evaluate(() => globalThis.moves) > 0.7 * charts.length * ends.length * steps.length, "pictures were moved");
    // (Without samples a page is live for three seconds only, which a busy machine may miss.)
  }, { state: options.silent ? "waiting" : "live", context: { colorScheme: "light", ...context } }));
}

test("a drag that holds still on its way is one entry of the browser's history", () => withPage({ rows: 1500 }, async (page) => {
  await pause(page);
  await rest(page); // longer than a movement may stand still by itself
  const before = await page.evaluate(() => history.length);
  const { y, box } = await middle(page);
  await page.mouse.move(box.x + 100, y);
  await page.keyboard.down("Shift");
  await page.mouse.down();
  for (const x of [200, 300, 400]) {
    await page.mouse.move(box.x + x, y, { steps: 3 });
    await rest(page);
  }
  await page.mouse.up();
  await page.keyboard.up("Shift");
  await rest(page);
  assert.equal(await page.evaluate(() => history.length), before + 1);
  await page.goBack();
  await until(() => page.locator(".overlay .selection").isVisible(), (v) => !v, "no selection, in one step");
}));

test("Shift and the wheel move in time", () => withPage({ rows: 1500 }, async (page) => {
  await pause(page);
  const before = await range(page);
  const { x, y } = await middle(page);
  await page.mouse.move(x, y);
  await page.keyboard.down("Shift");
  await page.mouse.wheel(0, -200);
  await page.keyboard.up("Shift");
  const after = await until(() => range(page), (r) => r.to < before.to, "the view moved back");
  assert.ok(Math.abs(span(after) - span(before)) < 1, "and is as long as before");
}));
