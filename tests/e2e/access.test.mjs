// SPDX-License-Identifier: Apache-2.0
// For everyone, in real Chromium: by keys alone, by touch, with the person's own colours, without motion; and where a bound is met,
// the page says so.

import assert from "node:assert/strict";
import { test } from "node:test";
import { axe, columnsOfColour, launch, plotBox, range, until, waitState } from "./browser.mjs";
import { NETWORK, legend, withPage } from "./harness.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

test("Tab goes to everything that can be used, and the focus can be seen", () => withPage({ scenario: "gaps" }, async (page, mock) => {
  await page.waitForSelector(".stats td");
  mock.silent = true; // what explains a gap on the screen is gone when the gap has moved out of it, and the focus with it
  const wanted = await page.evaluate(() => {
    const all = [...document.querySelectorAll("button, select, input, summary, [tabindex='0']")];
    const usable = (e) => e.checkVisibility({ visibilityProperty: true }) && !e.disabled && e.tabIndex >= 0 && !e.closest("dialog");
    const some = all.filter(usable);
    some.forEach((e, i) => { e.dataset.walk = String(i); });
    return some.length;
  });
  assert.ok(wanted > 15);
  const seen = new Set();
  let last = "";
  for (let i = 0; i < wanted + 5; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const e = document.activeElement;
      const style = getComputedStyle(e);
      const box = e.getBoundingClientRect();
      return {
        walk: e.dataset.walk, body: e === document.body, what: e.outerHTML.slice(0, 120),
        outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1,
        inside: box.width > 0 && box.bottom > 0 && box.top < innerHeight,
      };
    });
    if (at.body || (at.walk !== undefined && seen.has(at.walk))) break;
    assert.ok(at.outline, `no focus to be seen on ${at.what}`);
    assert.ok(at.inside, `not on the screen: ${at.what}`);
    if (at.walk !== undefined) seen.add(at.walk);
    last = at.what;
  }
  const missed = await page.evaluate((seen) => [...document.querySelectorAll("[data-walk]")]
    .filter((e) => e.checkVisibility() && !e.disabled && !seen.includes(e.dataset.walk)).map((e) => e.outerHTML.slice(0, 120)), [...seen]);
  assert.deepEqual(missed, [], `never came to these; the last was ${last}`);
}));

test("the focus is where it was when a dialog or a menu is closed", () => withPage({}, async (page) => {
  const focused = () => page.evaluate(() => {
    const e = document.activeElement;
    return e.id || e.dataset.action || e.getAttribute("aria-controls");
  });
  for (const [selector, shown] of [
    ["#help", "dialog.help[open]"], ["[data-action=columns]", ".columns-dialog[open]"], ["[aria-controls=export-list]", "#export-list button"],
  ]) {
    await page.focus(selector);
    const before = await focused();
    await page.keyboard.press("Enter");
    await page.waitForSelector(shown);
    await page.keyboard.press("Escape");
    await until(() => page.locator(shown).count(), (n) => n === 0, `${shown} closed`);
    await until(focused, (f) => f === before, `the focus on ${before}`);
  }
}));

test("the cursor by keys: the values of a sample, and of the next; Escape takes it away first", () => withPage({}, async (page, mock) => {
  await page.keyboard.press(" ");
  await waitState(page, "paused");
  const r = await range(page);
  await page.keyboard.press("Shift+<");
  for (let i = 0; i < 3; i++) await page.keyboard.press(",");
  await page.keyboard.press(".");
  const near = (back) => mock.samples.filter((s) => Math.abs(s.timestamp - (r.to - back * 100)) < 201).map((s) => s.values.cpi.toFixed(3));
  await until(() => legend(page, "cpi"), (v) => near(12).includes(v), "the CPI twelve samples back");
  const at = await page.textContent(".cursor-time");
  assert.match(at, /^at /);
  await page.keyboard.press("Shift+<");
  await until(() => page.textContent(".cursor-time"), (t) => /^at /.test(t) && t !== at, "another time");
  await until(() => legend(page, "cpi"), (v) => near(22).includes(v), "the CPI ten samples before that");
  await page.keyboard.press("Escape");
  await until(() => page.textContent(".cursor-time"), (t) => t === "", "no cursor");
  assert.equal(await page.getAttribute("html", "data-state"), "paused", "Escape was for the cursor");
  await page.keyboard.press("Escape");
  await waitState(page, "live");
}));

test("? lists every key, those of the tabs and what unusual means", () => withPage({}, async (page) => {
  await page.keyboard.press("?");
  const listed = await page.$$eval("dialog.help kbd", (l) => l.map((e) => e.textContent));
  for (const key of [
    "Space", "End", "Esc", "Home", "\u2190", "\u2192", ",", ".", "+", "\u2212", "1 \u2013 4", "s", "b", "z", "c", "Shift c", "i", "t", "a", "m", "?",
  ]) {
    assert.ok(listed.includes(key), key);
  }
  assert.match(await page.textContent("dialog.help"), /Space in the scatter plot.*Unusual is a second/s);
  const box = await page.locator("dialog.help").boundingBox();
  assert.ok(box.y >= 0 && box.y + box.height <= 800, "it fits on a small screen");
}, { context: { viewport: { width: 1250, height: 800 } } }));

test("who wants less motion gets none", async () => {
  const moving = (page) => page.evaluate(() => [...document.querySelectorAll("*")].filter((e) => {
    const s = getComputedStyle(e);
    return s.animationName !== "none" || s.transitionDuration.split(",").some((d) => parseFloat(d) > 0);
  }).length);
  await withPage({}, async (page) => assert.equal(await moving(page), 0), { context: { reducedMotion: "reduce" } });
  await withPage({}, async (page) => assert.ok(await moving(page) > 0, "the question can be answered otherwise"),
    { context: { reducedMotion: "no-preference" } });
});

for (const colorScheme of ["light", "dark"]) {
  test(`with forced colours (${colorScheme}) lines, swatches and what is pressed can still be told apart`, () => withPage({}, async (page) => {
    const ground = (selector) => page.$eval(selector, (e) => getComputedStyle(e).backgroundColor);
    const [first, second] = await page.$$eval('[data-panel="cycles"] .swatch', (l) => l.map((e) => getComputedStyle(e).backgroundColor));
    assert.notEqual(first, second);
    assert.notEqual(await ground('[data-span="60000"]'), await ground('[data-span="10000"]'), "the button that is pressed");
    await until(() => columnsOfColour(page, "cycles", "--series-1"), (c) => c.some(Boolean), "the line");
    assert.equal(await ground('[data-panel="cycles"] .plot'), await page.evaluate(() => {
      const e = document.createElement("i");
      e.style.cssText = "forced-color-adjust: none; background: var(--surface)";
      document.body.append(e);
      const colour = getComputedStyle(e).backgroundColor;
      e.remove();
      return colour;
    }), "lines stand on the ground that they were made for");
  }, { context: { forcedColors: "active", colorScheme } }));
}

test("who reads large text gets it everywhere, and nothing is cut off by a fixed height", async () => {
  const large = await launch(["--blink-settings=defaultFontSize=24"]);
  /** Text boxes of which some is out of sight from above to below. */
  const cut = (page) => page.$$eval(".tile .row, .tile .foot, .legend li, .readout, .side h2, .now, button", (all) => all
    .filter((e) => e.checkVisibility() && e.scrollHeight > e.clientHeight + 2 && e.clientHeight > 0)
    .map((e) => `${e.className || e.tagName} ${e.textContent}: ${e.scrollHeight} in ${e.clientHeight}`));
  try {
    for (const [width, height] of [[1600, 1000], [1280, 720], [390, 844]]) {
      await withPage({ cpus: 4 }, async (page) => {
        await until(() => page.textContent(".glance"), (t) => t.length > 5, "the first glance");
        const small = await page.$$eval(".tile .value, .legend li, .readout, .status, .stats td, .glance, .subtitle", (all) => all
          .filter((e) => e.checkVisibility() && parseFloat(getComputedStyle(e).fontSize) < 1.5 * 11.9).map((e) => e.className));
        assert.deepEqual(small, [], "as large as it was asked for");
        assert.deepEqual(await cut(page), [], `${width} × ${height}`);
        const short = await page.$$eval(".tile .value", (all) => all.filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.textContent));
        assert.deepEqual(short, [], "no value ends in an ellipsis");
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${width}: nothing is wider than the window`);
      }, { within: large, context: { viewport: { width, height } } });
    }
  } finally {
    await large.close();
  }
});

const TOUCHED = "touch: the Select button and a finger; the ends of the selection; a tap; what is touched is large enough";
test(TOUCHED, () => withPage({ rows: 1500 }, async (page, mock, { context }) => {
  const cdp = await context.newCDPSession(page);
  const touch = (type, ...points) => cdp.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
  const swipe = async (x0, x1, y) => {
    await touch("touchStart", [x0, y]);
    for (let i = 1; i <= 8; i++) await touch("touchMove", [x0 + ((x1 - x0) * i) / 8, y]);
    await touch("touchEnd");
  };
  assert.match(await page.textContent(".selected"), /Two fingers/);
  await page.tap("#pause");
  await waitState(page, "paused");
  await page.tap("#select");
  await page.locator('[data-panel="cycles"]').scrollIntoViewIfNeeded();
  const box = await plotBox(page, "cycles");
  const y = Math.round(box.y + box.height / 2);
  await swipe(120, 220, y);
  const marked = await until(() => page.locator(".overlay .selection").boundingBox(),
    (b) => b !== null && Math.abs(b.x - 120) < 6 && Math.abs(b.width - 100) < 6, "a selection of 100 pixels from 120 on");
  // Beside the line that shows it: a finger is not a pixel.
  await swipe(marked.x + marked.width + 10, marked.x + marked.width + 60, y);
  await until(() => page.locator(".overlay .selection").boundingBox(), (b) => b !== null && Math.abs(b.width - marked.width - 55) < 12, "its end further on");
  // A tap is how a finger points.
  await page.touchscreen.tap(200, y);
  await until(() => page.textContent(".cursor-time"), (t) => /^at \d/.test(t), "a cursor");
  await page.touchscreen.tap(204, y);
  await until(() => page.textContent(".cursor-time"), (t) => t === "", "none");
  assert.deepEqual(await axe(page, { runOnly: ["target-size"] }), []);
}, { context: PHONE }));

test("a link brings the spans, the tracks with their axes, and the CPU", () => withPage({ rows: 1500, cpus: 4 }, async (page, mock, { context }) => {
  const to = mock.samples[1200].timestamp;
  const parts = [`from=${to - 30_000}`, `to=${to}`, `sel=${to - 20_000}-${to - 15_000}`, `held=${to - 10_000}-${to - 5_000}`, "cpu=2",
    "tracks=cycles:log,col:cache_misses%2Bbranch_misses,cpus,software:lin"];
  const other = await context.newPage();
  await other.goto(`${mock.url}#${parts.join("&")}`);
  await waitState(other, "paused");
  const panels = () => other.$$eval(".timeline [data-panel]", (l) => l.map((e) => e.dataset.panel));
  await until(panels, (l) => l.join() === "cycles:log,col:cache_misses+branch_misses,cpus,software:lin", "its tracks");
  assert.match(await other.textContent('[data-panel="cycles:log"] .subtitle'), /logarithmic/);
  assert.doesNotMatch(await other.textContent('[data-panel="software:lin"] .subtitle'), /logarithmic/);
  assert.ok(await other.locator(".overlay .selection").isVisible());
  assert.ok(await other.locator(".overlay .held").isVisible());
  await until(() => other.getAttribute('[data-panel="cycles:log"]', "data-cpu"), (c) => c === "2", "its CPU");
  // What it does not change is as the link had it.
  await other.keyboard.press("t");
  const hash = await until(() => other.evaluate(() => decodeURIComponent(location.hash)), (h) => h.includes("theme="), "the theme, too");
  for (const part of parts) assert.ok(hash.includes(decodeURIComponent(part)), part);
}));

test("where a bound is met, the page says so: 24 columns in the matrix, 300 processes, an hour of them", () =>
  withPage({ rows: 700, days: 1, processes: 400 }, async (page, mock) => {
    const to = mock.samples.at(-1).timestamp;
    await page.goto(`${mock.url}#from=${to - 7_200_000}&to=${to}`);
    await page.reload();
    await waitState(page, "paused");
    await page.click("#tab-relations");
    await page.click(".foot input");
    await until(() => page.textContent(".inspector .body"), (t) => /The first 24 of \d\d columns\./.test(t), "the columns");
    assert.equal(await page.locator(".matrix tbody tr").count(), 24);
    await page.click("#tab-processes");
    await until(() => page.textContent("[data-summary]"), (t) => /^400 ran, 300 are listed/.test(t), "the processes");
    assert.equal(await page.locator(".processes tbody tr").count(), 300);
    assert.match(await page.textContent(".inspector .warning"), /last hour/);
    const asked = new URLSearchParams(mock.requests.filter((r) => r.startsWith("/api/processes")).at(-1).split("?")[1]);
    assert.equal(asked.get("to") - asked.get("from"), 3_600_000);
  }));

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing, whatever the state: ${colorScheme}`, async () => {
    for (const [scenario, state] of [["no-pmu", "live"], ["cells", "live"], ["ended", "ended"], ["token", "token"]]) {
      await withPage({ scenario, cpus: 4 }, async (page, mock) => {
        if (state !== "token") await until(() => page.textContent(".glance"), (t) => t.length > 5, "the first glance");
        assert.deepEqual(await axe(page), [], scenario);
        if (scenario !== "cells") return;
        await mock.stop();
        await waitState(page, "reconnecting");
        assert.deepEqual(await axe(page), [], "without a server");
        await mock.start();
        await waitState(page, "live");
      }, { state, context: { colorScheme }, allowed: [...NETWORK, /401/] });
    }
  });
}
