// SPDX-License-Identifier: Apache-2.0
// The page in real Chromium against made-up servers. A test gets a server and a browser context of its own.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { buildPage, columnsOfColour, launch, open, plotBox, range, until, waitState } from "./browser.mjs";
import { Mock } from "./mock-server.mjs";

let browser;
let file;

before(async () => {
  file = process.env.PAGE ?? buildPage();
  browser = await launch();
});
after(() => browser?.close());

/** Runs `body` on a page that is open on a mock server; afterwards nothing may have gone wrong in the browser. */
async function withPage(options, body, { state = "live", context = {}, allowed = [] } = {}) {
  const mock = await new Mock({ page: file, ...options }).start();
  const opened = await open(browser, mock.url, context);
  try {
    await waitState(opened.page, state);
    await body(opened.page, mock, opened);
    const problems = opened.problems.filter((p) => !allowed.some((a) => a.test(p)));
    assert.deepEqual(problems, [], "the browser complained");
  } finally {
    await opened.close();
    await mock.stop();
  }
}

const NETWORK = [/Failed to load resource/, /ERR_CONNECTION/, /ERR_INCOMPLETE/, /ERR_EMPTY/];

const legend = (page, column) => page.textContent(`.legend [data-column="${column}"] .value`);
const tile = (page, id) => page.textContent(`[data-tile="${id}"] .value`);

/** The newest time on the screen has moved on by at least this much. */
async function advanced(page, ms) {
  const { to } = await range(page);
  await until(() => range(page), (r) => r.to >= to + ms, `the view to move on by ${ms} ms`);
}

async function middle(page, panel = "cycles") {
  const box = await plotBox(page, panel);
  return { x: box.x + box.width / 2, y: box.y + box.height / 2, box };
}

test("becomes live, and values and view go on", () => withPage({}, async (page) => {
  const first = await tile(page, "ipc");
  assert.match(first, /^\d\.\d{3}$/);
  await until(() => tile(page, "ipc"), (v) => v !== first, "another IPC");
  await advanced(page, 500);
  assert.equal(await page.textContent(".host"), "workbench");
  assert.equal(await page.textContent(".pill"), "Live");
  assert.equal(await page.title(), "workbench \u2013 cyclescope");
}));

test("tiles show the newest sample of the server", () => withPage({}, async (page, mock) => {
  mock.silent = true; // the newest sample stays the newest
  const newest = mock.samples.at(-1);
  const ipc = newest.values.ipc.toFixed(3);
  await until(() => tile(page, "ipc"), (v) => v === ipc, `IPC ${ipc}`);
  assert.equal(await tile(page, "cache"), (newest.values.cache_miss_rate * 100).toFixed(1) + "\u00a0%");
  assert.equal(await tile(page, "cycles"), (newest.values.cycles / 0.1 / 1e9).toFixed(2) + "\u00a0G");
  for (const id of ["branch", "cpu", "switches"]) assert.match(await tile(page, id), /^[\d.]+\u00a0/);
  assert.equal(await page.locator(".tile .quality[data-quality]").count(), 0, "all of it is exact");
}));

test("the charts draw their lines over the whole span", () => withPage({}, async (page) => {
  const lines = [
    ["cycles", "--series-1"], ["cycles", "--series-2"], ["miss-rates", "--series-3"], ["miss-rates", "--series-4"],
    ["cpi", "--series-5"], ["cpu", "--total"], ["cpu", "--cpu-1"], ["software", "--series-1"], ["software", "--series-3"],
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

test("all of it is on the first screen", () => withPage({}, async (page) => {
  await until(() => page.$$eval(".plot canvas", (c) => c.length), (n) => n === 5, "five charts");
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  assert.ok(height <= 1000, `the page is ${height} px high`);
}));

test("the wheel zooms at the cursor, and then the view does not move", () => withPage({}, async (page, mock) => {
  const { x, y, box } = await middle(page);
  const at = box.x + box.width * 0.25;
  await page.mouse.move(at, y);
  const before = await range(page);
  await page.mouse.wheel(0, -400);
  await waitState(page, "paused");
  const zoomed = await until(() => range(page), (r) => r.to - r.from < 0.6 * (before.to - before.from), "a narrower view");
  // What was under the cursor still is, within what came in between.
  const under = zoomed.from + 0.25 * (zoomed.to - zoomed.from);
  const was = before.from + 0.25 * (before.to - before.from);
  assert.ok(Math.abs(under - was) < 1000, `${under - was} ms off`);
  const sequence = mock.sequence;
  await until(() => mock.sequence, (n) => n > sequence + 8, "more samples");
  await until(async () => (await page.textContent("[data-status=rows]")).replace(",", ""), (n) => Number(n) > sequence - 3, "them in the page");
  assert.deepEqual(await range(page), zoomed, "the view moved");
  assert.ok(x > 0);
  await page.click("#back-to-live");
  await waitState(page, "live");
  await advanced(page, 300);
}));

test("dragging pans; Esc and a double click go back to live", () => withPage({}, async (page) => {
  const { x, y } = await middle(page);
  const before = await range(page);
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 300, y, { steps: 5 });
  await page.mouse.up();
  await waitState(page, "paused");
  const panned = await range(page);
  assert.ok(panned.to < before.to - 5000, "it shows the past");
  assert.ok(Math.abs(panned.to - panned.from - 60000) < 1, "as long as before");
  await page.keyboard.press("Escape");
  await waitState(page, "live");
  await page.keyboard.press("ArrowLeft");
  await waitState(page, "paused");
  await page.mouse.dblclick(x, y);
  await waitState(page, "live");
}));

test("Shift and dragging zooms to the selection", () => withPage({}, async (page) => {
  await page.keyboard.press(" ");
  await waitState(page, "paused");
  const before = await range(page);
  const { y, box } = await middle(page, "cpi");
  await page.mouse.move(box.x + box.width * 0.4, y);
  await page.keyboard.down("Shift");
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, y, { steps: 5 });
  assert.equal(await page.locator("[data-panel=cpi] .selection:visible").count(), 1);
  await page.mouse.up();
  await page.keyboard.up("Shift");
  const after = await until(() => range(page), (r) => r.to - r.from < 13000, "the selection");
  const span = before.to - before.from;
  assert.ok(Math.abs(after.from - (before.from + 0.4 * span)) < 200);
  assert.ok(Math.abs(after.to - (before.from + 0.6 * span)) < 200);
  assert.equal(await page.locator("[data-panel=cpi] .selection:visible").count(), 0);
}));

test("pause by button and by Space; keys zoom and choose a span", () => withPage({}, async (page, mock) => {
  await page.click("#pause");
  await waitState(page, "paused");
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
  assert.equal(await page.getAttribute("html", "data-state"), "live", "a zoom by key goes on following");
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
    () => page.$$eval(".u-cursor-x", (list) => list.map((e) => Math.round(e.getBoundingClientRect().left))),
    (l) => l.length === 5 && new Set(l).size === 1, "five cursors below each other");
  assert.ok(Math.abs(lines[0] - (box.x + box.width * 0.5)) <= 2);
  const near = mock.samples.filter((s) => Math.abs(s.timestamp - time) <= 160).map((s) => s.values);
  const cpi = await until(() => legend(page, "cpi"), (v) => near.some((n) => n.cpi.toFixed(3) === v), "the CPI at the cursor");
  const row = near.find((n) => n.cpi.toFixed(3) === cpi);
  assert.equal(await legend(page, "cycles"), (row.cycles / 1e6).toFixed(row.cycles < 99.95e6 ? 1 : 0) + "\u00a0M");
  assert.match(await page.textContent(".cursor-time"), /^at \d\d:\d\d:\d\d\.\d{3}$/);
  await page.mouse.move(2, 2);
  await until(() => page.textContent(".cursor-time"), (t) => t === "", "no cursor");
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
    await page.mouse.move(x - 500, y);
    for (let i = 0; i < 12; i++) await page.mouse.wheel(0, -400);
    const r = await until(() => range(page), (v) => v.to - v.from < 2000, "a close view");
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

test("without a PMU: words with the reason in place of charts, the rest as charts", () =>
  withPage({ scenario: "no-pmu" }, async (page) => {
    for (const panel of ["cycles", "miss-rates", "cpi"]) {
      const root = page.locator(`[data-panel="${panel}"]`);
      assert.match(await root.locator(".words").textContent(), /^Cannot be counted here: .*no hardware PMU/);
      assert.equal(await root.locator("canvas").count(), 0, "no empty chart");
      assert.ok((await root.boundingBox()).height < 110, "it is small");
    }
    const top = async (panel) => (await page.locator(`[data-panel="${panel}"]`).boundingBox()).y;
    assert.ok(await top("software") < await top("cycles"), "charts with data come first");
    for (const id of ["ipc", "cycles", "cache", "branch"]) {
      assert.equal(await tile(page, id), "\u2014", "never zero");
      const quality = page.locator(`[data-tile="${id}"] .quality`);
      assert.equal(await quality.textContent(), "not supported");
      assert.match(await quality.getAttribute("title"), /no hardware PMU/);
    }
    assert.match(await tile(page, "cpu"), /%$/);
    assert.match(await page.textContent(".notes"), /No hardware PMU/);
    const columns = await columnsOfColour(page, "cpu", "--total");
    assert.ok(columns.filter(Boolean).length > 0.8 * columns.length);
  }));

test("gaps are gaps: missed ticks, and an event that never ran", () => withPage({ scenario: "gaps" }, async (page, mock) => {
  mock.silent = true;
  await page.keyboard.press(" ");
  await waitState(page, "paused");
  const r = await range(page);
  const share = (t) => (t - r.from) / (r.to - r.from);
  const after = mock.samples.findIndex((s, i, all) => i > 0 && s.timestamp - all[i - 1].timestamp > 4000);
  const hole = [share(mock.samples[after - 1].timestamp), share(mock.samples[after].timestamp)];
  const empty = mock.samples.filter((s) => s.values.cache_miss_rate === null);
  const never = [share(empty[0].timestamp), share(empty.at(-1).timestamp)];
  const drawn = async (panel, colour, [a, b]) => {
    const columns = await columnsOfColour(page, panel, colour);
    return columns.slice(Math.ceil(a * columns.length) + 4, Math.floor(b * columns.length) - 4).filter(Boolean).length;
  };
  assert.equal(await drawn("cycles", "--series-1", hole), 0);
  assert.equal(await drawn("cpu", "--total", hole), 0);
  assert.equal(await drawn("miss-rates", "--series-3", never), 0);
  assert.ok(await drawn("miss-rates", "--series-4", never) > 5, "the other event of that chart ran");
  // In the gap, the legend has no value; where it never ran, it says so; what was scaled says so too.
  const { y, box } = await middle(page, "miss-rates");
  await page.mouse.move(box.x + box.width * (hole[0] + hole[1]) / 2, y);
  await until(() => legend(page, "cycles"), (v) => v === "\u2014", "no value in the gap");
  await page.mouse.move(box.x + box.width * (never[0] + never[1]) / 2, y);
  const quality = '.legend [data-column="cache_miss_rate"] .quality';
  await until(() => page.textContent(quality), (v) => v === "never ran", "never ran");
  assert.equal(await legend(page, "cache_miss_rate"), "\u2014");
  assert.equal(await page.textContent('.legend [data-column="cycles"] .quality'), "scaled 75\u00a0%");
  assert.equal(await page.getAttribute('[data-tile="cycles"] .quality', "data-quality"), "scaled");
  // Also where a pixel holds many samples.
  await page.keyboard.press("3");
  await until(() => range(page), (v) => v.to - v.from > 599_000, "10 min");
  const wide = await range(page);
  const s2 = (t) => (t - wide.from) / (wide.to - wide.from);
  const wideHole = [s2(mock.samples[after - 1].timestamp), s2(mock.samples[after].timestamp)];
  const columns = await columnsOfColour(page, "cycles", "--series-1");
  const inside = columns.slice(Math.ceil(wideHole[0] * columns.length) + 2, Math.floor(wideHole[1] * columns.length) - 1);
  assert.ok(inside.length > 3 && !inside.includes(true), "the gap is a gap when zoomed out");
}));

test("many CPUs: sixteen lines, and the page says so", () => withPage({ cpus: 64, rows: 300 }, async (page) => {
  await until(() => page.$$eval('[data-panel="cpu"] .legend li', (l) => l.length), (n) => n === 17, "17 lines");
  assert.match(await page.textContent('[data-panel="cpu"] .remark'), /16 of 64 CPUs are drawn/);
}));

test("a token is asked for; a wrong one is refused; the right one is kept for the tab, in no URL", () =>
  withPage({ scenario: "token", token: "right-token" }, async (page, mock) => {
    await page.fill("#token", "wrong-token");
    await page.press("#token", "Enter");
    await until(() => page.textContent("dialog .error"), (t) => /did not accept/.test(t), "a refusal");
    await page.fill("#token", "right-token");
    await page.click("dialog button");
    await waitState(page, "live");
    await advanced(page, 300);
    assert.equal(await page.locator("dialog[open]").count(), 0);
    await page.reload();
    await waitState(page, "live");
    assert.ok(mock.requests.every((r) => !r.includes("token")), "the token is in no URL");
    assert.equal((await page.context().cookies()).length, 0);
  }, { state: "token", allowed: [/401/] }));

test("the server restarts: the page reconnects, goes on, and keeps what it had", () => withPage({}, async (page, mock) => {
  const rows = async () => Number((await page.textContent("[data-status=rows]")).replace(",", ""));
  const before = await rows();
  await mock.stop();
  await waitState(page, "reconnecting");
  mock.startRun(5);
  await mock.start();
  await waitState(page, "live");
  await advanced(page, 400);
  assert.ok(await rows() >= before, "the old samples are still there");
  assert.notEqual(await page.textContent("[data-status=reconnects]"), "0");
}, { allowed: NETWORK }));

test("a broken connection resumes without a hole", () => withPage({ rows: 50 }, async (page, mock) => {
  for (const stream of mock.streams) stream.response.destroy();
  await until(() => page.textContent("[data-status=reconnects]"), (n) => n === "1", "a reconnect");
  await waitState(page, "live");
  await advanced(page, 300);
  mock.silent = true;
  const count = mock.samples.length;
  await until(() => page.textContent("[data-status=rows]"), (n) => Number(n) === count, `all ${count} rows, once`);
}, { allowed: NETWORK }));

test("the collector ends: the page says why, and shows what there was", () => withPage({}, async (page, mock) => {
  mock.end("the command ended with status 3");
  await waitState(page, "ended");
  assert.equal(await page.textContent(".pill"), "Ended");
  assert.match(await page.textContent(".reason"), /the command ended with status 3/);
  const columns = await columnsOfColour(page, "cycles", "--series-1");
  assert.ok(columns.some(Boolean));
}));

test("a recording that had ended before", () => withPage({ scenario: "ended" }, async (page) => {
  const columns = await until(() => columnsOfColour(page, "cycles", "--series-1"), (c) => c.some(Boolean), "a line");
  assert.ok(columns.filter(Boolean).length > 0.7 * columns.length, "all of it is on the screen");
}, { state: "ended" }));

test("a stream that falls silent is not called live", () => withPage({}, async (page, mock) => {
  mock.silent = true;
  await waitState(page, "waiting");
  mock.silent = false;
  await waitState(page, "live");
}));

test("HTML in names is text", () => withPage({ scenario: "html" }, async (page) => {
  await until(() => page.textContent(".host"), (t) => t.startsWith("<img src=x onerror="), "the name as text");
  assert.match(await page.textContent(".facts"), /<script>/);
  assert.match(await page.textContent(".notes"), /<img src=x/);
  assert.equal(await page.locator("img, body script + img").count(), 0);
  assert.equal(await page.evaluate(() => document.body.dataset.hacked), undefined);
}));

test("the policy lets nothing else in", () => withPage({}, async (page, mock, { problems }) => {
  const csp = await page.getAttribute('meta[http-equiv="Content-Security-Policy"]', "content");
  assert.match(csp, /default-src 'none'/);
  assert.doesNotMatch(csp, /unsafe/);
  await page.evaluate(() => {
    const script = document.createElement("script");
    try {
      script.textContent = "document.body.dataset.hacked = 'yes'";
    } catch { /* trusted types refuse the text */ }
    document.body.append(script);
    try {
      document.body.insertAdjacentHTML("beforeend", "<img src='/x.png'>");
    } catch { /* and this */ }
  });
  assert.equal(await page.evaluate(() => document.body.dataset.hacked), undefined);
  assert.equal(await page.locator("img").count(), 0);
  problems.length = 0; // the refusals that this test has asked for
}));

test("a hidden tab stores and does not draw; shown again it is up to date", () => withPage({}, async (page, mock) => {
  // Headless Chromium calls a tab visible for ever; what the page looks at is replaced.
  await page.evaluate(() => {
    globalThis.hiddenNow = true;
    Object.defineProperty(document, "hidden", { get: () => globalThis.hiddenNow });
    const real = globalThis.requestAnimationFrame.bind(globalThis);
    globalThis.waiting = [];
    globalThis.requestAnimationFrame = (f) => (globalThis.hiddenNow ? globalThis.waiting.push(f) : real(f));
    document.dispatchEvent(new Event("visibilitychange"));
  });
  const sequence = mock.sequence;
  await until(() => mock.sequence, (n) => n > sequence + 8, "more samples");
  assert.ok(await page.evaluate(() => globalThis.waiting.length) <= 1, "one frame is asked for, and it waits");
  await page.evaluate(() => {
    globalThis.hiddenNow = false;
    for (const f of globalThis.waiting.splice(0)) globalThis.requestAnimationFrame(f);
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await until(() => range(page), (r) => r.to >= mock.samples.at(-1).timestamp - 300, "the newest sample");
}));

test("themes: the system's, and the person's choice, which lasts", () => withPage({}, async (page) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.body.parentElement).backgroundColor);
  const dark = await ground();
  await page.click("#theme");
  await page.waitForSelector('html[data-theme="light"]');
  assert.notEqual(await ground(), dark);
  const columns = await until(() => columnsOfColour(page, "cpu", "--total"), (c) => c.some(Boolean), "lines in the new colour");
  assert.ok(columns.filter(Boolean).length > 0.8 * columns.length);
  await page.reload();
  await page.waitForSelector('html[data-theme="light"]');
}, { context: { colorScheme: "dark" } }));

test("at 390 px nothing is wider than the screen", async () => {
  for (const scenario of ["pmu", "no-pmu", "html"]) {
    await withPage({ scenario }, async (page) => {
      await page.waitForSelector(".plot canvas");
      const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(widths[0] <= widths[1], `${scenario}: ${widths}`);
    }, { context: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } });
  }
});
