// SPDX-License-Identifier: Apache-2.0
// The page in real Chromium against made-up servers: what a machine lacks, what goes wrong, and what looks otherwise.

import assert from "node:assert/strict";
import { test } from "node:test";
import { axe, columnsOfColour, range, rest, until, waitState } from "./browser.mjs";
import { NETWORK, advanced, legend, middle, tile, withPage } from "./harness.mjs";

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
    assert.match(await page.textContent(".notes"), /^No hardware PMU/);
    await until(() => columnsOfColour(page, "cpu", "--total"), (c) => c.filter(Boolean).length > 0.8 * c.length, "the line of CPU use");
    // The advice is one click away, also from an inspector that is hidden.
    await page.click("#inspector");
    await page.click("#ask-doctor");
    await until(() => page.locator(".doctor li[data-status=fail]").first().isVisible(), (v) => v, "the doctor's findings");
    await until(() => page.evaluate(() => document.activeElement.dataset.action), (a) => a === "doctor", "the focus there");
  }));

test("a CSV with other columns: what is not known is never asked for, and takes nothing along", () =>
  withPage({ days: 1, rows: 300, limitRows: 400, without: ["branch_miss_rate", "cpu_use", "ghz"] }, async (page, mock) => {
    await page.goto(`${mock.url}#from=${mock.samples[0].timestamp - 60_000}&to=${mock.samples.at(-1).timestamp}`);
    await page.reload();
    await waitState(page, "paused");
    const drawn = await until(() => columnsOfColour(page, "miss-rates", "--series-3"), (c) => c.filter(Boolean).length > 0.8 * c.length, "the line that there is");
    assert.ok(drawn.length > 100);
    assert.equal(await page.textContent('.legend [data-column="branch_miss_rate"] .value'), "\u2014");
    assert.equal(await page.textContent('.legend [data-column="branch_miss_rate"] .quality'), "not measured");
    assert.match(await page.textContent('[data-panel="cpu"] .words'), /^Not in what was measured\.$/);
    assert.equal(await tile(page, "cpu"), "\u2014");
    // The tile still says how many misses there are: its chip is not on top of that.
    const at = (part) => page.locator(`[data-tile="branch"] ${part}`).boundingBox();
    assert.match(await page.textContent('[data-tile="branch"] .sub'), /^misses \d/);
    assert.equal(await page.textContent('[data-tile="branch"] .quality'), "not measured");
    const [sub, chip] = [await at(".sub"), await at(".quality")];
    assert.ok(chip.y + chip.height <= sub.y || chip.x >= sub.x + sub.width, JSON.stringify({ sub, chip }));
  }));

test("of a process: the tile is of what it used, and what is the whole machine's says so", async () => {
  await withPage({ tasks: true }, async (page) => {
    await until(() => tile(page, "tasks-cpu"), (t) => /^1\.[5-7]\d\d$/.test(t), "its CPUs");
    assert.match(await page.textContent('[data-tile="tasks-cpu"] .sub'), /^machine [\d.]+\u00a0%$/);
    assert.equal(await page.locator('[data-tile="cpu"]').isVisible(), false, "one of the two");
    assert.match(await page.textContent('[data-panel="cpu"] .subtitle'), /^of the whole machine, /);
    await until(() => columnsOfColour(page, "tasks-cpu", "--total"), (c) => c.filter(Boolean).length > 0.9 * c.length, "its line");
    await page.keyboard.press("m");
    await page.waitForSelector(".columns-dialog[open] [data-track=tasks-cpu]");
    await page.click(".columns-dialog [data-track=tasks-cpu] [data-move=remove]");
    await page.keyboard.press("Escape");
    await until(() => page.locator('[data-panel="tasks-cpu"]').count(), (n) => n === 0, "it taken away");
  });
  await withPage({}, async (page) => {
    await until(() => tile(page, "cpu"), (t) => /%$/.test(t), "CPU use of the machine");
    assert.equal(await page.locator('[data-tile="tasks-cpu"]').isVisible(), false);
    assert.equal(await page.locator('[data-panel="tasks-cpu"]').count(), 0);
    assert.equal(await page.textContent('[data-panel="cpu"] .subtitle'), "over the last second");
  });
});

test("gaps are gaps: missed ticks, and an event that never ran", () => withPage({ scenario: "gaps" }, async (page, mock) => {
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
  await until(() => drawn("miss-rates", "--series-4", never), (n) => n > 5, "the other event of that chart, which ran");
  assert.equal(await drawn("cycles", "--series-1", hole), 0);
  assert.equal(await drawn("cpu", "--total", hole), 0);
  assert.equal(await drawn("miss-rates", "--series-3", never), 0);
  // In the gap, the legend has no value; where it never ran, it says so; what was scaled says so too.
  const { y, box } = await middle(page, "miss-rates");
  await page.mouse.move(box.x + box.width * (hole[0] + hole[1]) / 2, y);
  await until(() => legend(page, "cycles"), (v) => v === "\u2014", "no value in the gap");
  await until(() => page.textContent('.legend [data-column="cycles"] .quality'), (v) => v === "no sample", "and the word for it");
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
  assert.ok(inside.length >= 2 && !inside.includes(true), "the gap is a gap when zoomed out");
}));

test("scaled, never ran, denied, not supported, offline and no sample look different and say why", () =>
  withPage({ scenario: "qualities", cpus: 4, rows: 1500 }, async (page, mock) => {
    const look = (selector) => page.$eval(selector, (e) => {
      const { backgroundColor, color, boxShadow, outlineStyle } = getComputedStyle(e);
      return { text: e.textContent, title: e.title, label: e.getAttribute("aria-label"), style: [backgroundColor, color, boxShadow, outlineStyle].join() };
    });
    const of = (column) => `.legend [data-column="${column}"] .quality`;
    const seen = {};
    const columns = { scaled: "cycles", "never ran": "cache_miss_rate", denied: "branch_miss_rate", "not supported": "cpu_migrations_per_second" };
    for (const [kind, column] of Object.entries(columns)) {
      await until(() => page.textContent(of(column)), (t) => t.startsWith(kind), kind);
      seen[kind] = await look(of(column));
    }
    // A CPU that is offline, in the charts of that CPU.
    mock.options.scenario = "cells";
    await page.selectOption("#heat-cpu", "2");
    await until(() => page.textContent(of("cpu_use")), (t) => t === "offline", "offline");
    seen.offline = await look(of("cpu_use"));
    await page.selectOption("#heat-cpu", "");
    await page.keyboard.press("Escape"); // from the list
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press("3"); // in a view of 1 min it would not be for long
    await page.keyboard.press(" ");
    await waitState(page, "paused");
    const r = await range(page);
    const hole = mock.samples.find((s, i, all) => s.timestamp - all[i - 1]?.timestamp > 4000).timestamp - 2500;
    const { y, box } = await middle(page);
    await page.mouse.move(box.x + box.width * (hole - r.from) / (r.to - r.from), y);
    await until(() => page.textContent(of("cycles")), (t) => t === "no sample", "no sample");
    seen["no sample"] = await look(of("cycles"));
    for (const [kind, { text, title, label }] of Object.entries(seen)) {
      assert.equal(text, kind === "scaled" ? "scaled 40\u00a0%" : kind);
      assert.ok(title.length > 15, `${kind} explains itself: ${title}`);
      assert.equal(label, `${text}: ${title}`, "also to those who do not hover");
    }
    assert.match(seen.scaled.title, /40 % of the time/);
    assert.match(seen.denied.title, /sysctl kernel\.perf_event_paranoid/);
    for (const part of ["style", "title"]) {
      assert.equal(new Set(Object.values(seen).map((s) => s[part])).size, 6, `each has a ${part} of its own: ${JSON.stringify(seen)}`);
    }
  }));

test("a legend explains breaks and hatches, those that are on the screen and no others", async () => {
  const shown = (page) => page.$$eval(".missing:not([hidden]) [data-kind]:not([hidden])", (all) => all.map((e) => e.dataset.kind).join());
  for (const [options, kinds] of [
    [{ scenario: "gaps" }, "gap,never-ran"], [{ scenario: "cells", cpus: 4 }, "never-ran,offline"], [{ scenario: "no-pmu" }, ""],
  ]) {
    await withPage(options, async (page) => {
      await until(() => shown(page), (s) => s === kinds, `the legend of ${options.scenario}`);
      if (kinds === "") return;
      assert.match(await page.getAttribute(".missing [data-kind]:not([hidden])", "aria-label"), /: .{20}/, "a sentence for each");
      assert.deepEqual(await axe(page), []);
      if (options.scenario !== "gaps") return;
      const top = await page.$eval(".timeline", (e) => e.getBoundingClientRect().top);
      await page.keyboard.press("1");
      await until(() => shown(page), (s) => s === "", "nothing missing in ten seconds");
      assert.equal(await page.$eval(".timeline", (e) => e.getBoundingClientRect().top), top, "nothing jumps");
    });
  }
});

test("on a phone, the legend of the heatmap is at the heatmap", () => withPage({ scenario: "cells", cpus: 4 }, async (page) => {
  await page.locator('[data-panel="cpus"]').scrollIntoViewIfNeeded();
  await until(() => page.textContent('[data-panel="cpus"] .remark'), (t) => t === "stripes: never ran, dots: offline", "its words");
}, { context: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } }));

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
    // The server is started anew, with another one.
    mock.token = "next-token";
    for (const stream of mock.streams) stream.response.destroy();
    await waitState(page, "token");
    assert.equal(await page.textContent("dialog .error"), "The server does not accept the token of before any more.");
    await page.fill("#token", "next-token");
    await page.click("dialog button");
    await waitState(page, "live");
  }, { state: "token", allowed: [...NETWORK, /401/] }));

test("the server restarts: the page reconnects, goes on, and keeps what it had", () => withPage({}, async (page, mock) => {
  const rows = async () => Number((await page.textContent("[data-status=rows]")).replace(",", ""));
  const before = await rows();
  await mock.stop();
  await waitState(page, "reconnecting");
  await until(() => page.textContent(".reason"), (t) => t === "the server cannot be reached", "the reason in words");
  mock.startRun(5);
  await mock.start();
  await waitState(page, "live");
  await advanced(page, 400);
  assert.ok(await rows() >= before, "the old samples are still there");
  await until(() => page.textContent("[data-status=reconnects]"), (t) => t !== "0", "it to be counted");
}, { allowed: NETWORK }));

test("a broken connection resumes without a hole", () => withPage({ rows: 50 }, async (page, mock) => {
  await until(() => mock.streams.size, (n) => n === 1, "the stream, which is asked for when the page calls itself live");
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
  await until(() => columnsOfColour(page, "cycles", "--series-1"), (c) => c.some(Boolean), "the line");
}));

test("a server that holds few single intervals: what is older comes added up, and no gap is made of that", () =>
  withPage({ scenario: "ended", rows: 600, singles: 200 }, async (page) => {
    await until(() => page.textContent("[data-status=rows]"), (n) => Number(n) > 150 && Number(n) <= 200, "single intervals, and nothing else");
    await until(() => page.textContent(".missing"), (t) => /a value each 1\u00a0s/.test(t), "what is older");
    assert.equal(await page.isVisible(".missing [data-kind=gap]"), false);
  }, { state: "ended" }));

test("a recording that had ended before", () => withPage({ scenario: "ended" }, async (page) => {
  await until(() => columnsOfColour(page, "cycles", "--series-1"), (c) => c.filter(Boolean).length > 0.7 * c.length, "all of it on the screen");
  assert.ok(await page.isDisabled("#pause"), "nothing moves that could be held still");
  await page.keyboard.press("ArrowLeft");
  await until(() => page.textContent("#pause"), (t) => t === "To the end", "the way back");
  await page.click("#pause");
  await until(() => page.isDisabled("#pause"), (d) => d, "its end again");
}, { state: "ended" }));

test("ten minutes asleep: what was measured meanwhile is there, without a hole", () => withPage({ rows: 300 }, async (page, mock) => {
  const now = Date.now;
  for (const stream of mock.streams) stream.response.destroy();
  try {
    Date.now = () => now() + 600_000; // the mock's clock; the page's stays behind
    const newest = now() + 600_000;
    await until(() => range(page), (r) => r.to >= newest, "what was measured since");
    await waitState(page, "live");
    mock.silent = true;
    await until(() => page.textContent("[data-status=rows]"), (n) => Number(n.replaceAll(",", "")) === mock.samples.length, "every sample, once");
    assert.ok(mock.samples.length > 6_000);
  } finally {
    Date.now = now;
  }
}, { allowed: NETWORK }));

for (const hours of [-1, 1]) {
  test(`the browser's clock is ${hours} h beside the server's: the page keeps to the server's`, () => withPage({}, async (page, mock) => {
    await page.addInitScript((by) => {
      const Real = Date;
      globalThis.Date = class extends Real {
        constructor(...given) {
          if (given.length > 0) super(...given);
          else super(Real.now() + by);
        }
        static now() { return Real.now() + by; }
      };
    }, hours * 3_600_000);
    await page.reload();
    await waitState(page, "live");
    await advanced(page, 300);
    const { to } = await range(page);
    assert.ok(Math.abs(to - mock.samples.at(-1).timestamp) < 60_000);
    await until(() => columnsOfColour(page, "cpu", "--total"), (c) => c.filter(Boolean).length > 0.8 * c.length, "its line");
  }));
}

test("an empty machine: nothing was measured yet, and then it is", () => withPage({ rows: 0 }, async (page, mock) => {
  mock.silent = true;
  mock.samples.length = 0;
  await page.reload();
  await page.waitForSelector(".tile");
  assert.equal(await tile(page, "cpu"), "\u2014", "never zero");
  mock.silent = false;
  await until(() => tile(page, "cpu"), (t) => /%$/.test(t), "the first sample");
  await waitState(page, "live");
}));

test("a stream that falls silent is not called live", () => withPage({}, async (page, mock) => {
  mock.silent = true;
  await waitState(page, "waiting");
  mock.silent = false;
  await waitState(page, "live");
}));

test("a page that lags behind its server says by how much, and no more when it has caught up", () => withPage({}, async (page, mock) => {
  mock.lag = 8_000;
  // Where the browser is slow, too, it is a little more.
  const behind = (t) => Number(/^(\d+)\ss behind$/.exec(t)?.[1]);
  const header = () => page.$eval("header", (e) => [".pill", ".reason"].map((c) => e.querySelector(c).textContent));
  await until(header, ([pill, reason]) => pill === "Live" && behind(reason) >= 6 && behind(reason) < 20, "how far behind");
  mock.lag = 0;
  await until(() => page.textContent(".reason"), (t) => t === "", "nothing to say");
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
  await page.evaluate(async () => {
    globalThis.hiddenNow = true;
    Object.defineProperty(document, "hidden", { get: () => globalThis.hiddenNow });
    const real = globalThis.requestAnimationFrame.bind(globalThis);
    globalThis.waiting = [];
    globalThis.requestAnimationFrame = (f) => (globalThis.hiddenNow ? globalThis.waiting.push(f) : real(f));
    document.dispatchEvent(new Event("visibilitychange"));
    await new Promise(real); // what was asked for before is drawn
  });
  // An answer that was on its way may bring the next question.
  await until(async () => {
    const before = mock.requests.length;
    await page.evaluate(async () => (await fetch("healthz")).text());
    await rest(page);
    return mock.requests.length - before;
  }, (n) => n === 1, "nothing to be asked for but by this");
  const sequence = mock.sequence;
  const requests = mock.requests.length;
  const waiting = () => page.evaluate(() => globalThis.waiting.length);
  const waited = await waiting(); // the inspector's, too: an answer may have been on its way
  const drawnTo = await page.evaluate(() => document.querySelector(".timeline").dataset.to);
  await until(() => mock.sequence, (n) => n > sequence + 70, "more samples");
  assert.ok(await waiting() <= waited + 1, "one frame is asked for, and it waits");
  assert.equal(await page.evaluate(() => document.querySelector(".timeline").dataset.to), drawnTo, "nothing was drawn");
  assert.deepEqual(mock.requests.slice(requests), [], "nothing but the stream is asked for, in longer than the page reads /api/meta anew");
  await page.evaluate(() => {
    globalThis.hiddenNow = false;
    for (const f of globalThis.waiting.splice(0)) globalThis.requestAnimationFrame(f);
    document.dispatchEvent(new Event("visibilitychange"));
  });
  const newest = mock.samples.at(-1).timestamp;
  await until(() => range(page), (r) => r.to >= newest, "the newest sample");
  mock.silent = true;
  await until(() => page.textContent("[data-status=rows]"), (n) => Number(n.replace(",", "")) === mock.samples.length, "every sample, once");
}));

test("themes: the system's, and the person's choice, which lasts", () => withPage({}, async (page) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.body.parentElement).backgroundColor);
  const dark = await ground();
  await page.click("#theme");
  await page.waitForSelector('html[data-theme="light"]');
  assert.notEqual(await ground(), dark);
  await until(() => columnsOfColour(page, "cpu", "--total"), (c) => c.filter(Boolean).length > 0.8 * c.length, "lines in the new colour");
  await page.reload();
  await page.waitForSelector('html[data-theme="light"]');
}, { context: { colorScheme: "dark" } }));

test("at 390 px nothing is wider than the screen", async () => {
  for (const scenario of ["pmu", "no-pmu", "html"]) {
    await withPage({ scenario }, async (page) => {
      await page.waitForSelector(".plot canvas");
      const widths = () => page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      await until(widths, ([page, screen]) => page <= screen, `${scenario} to be as narrow as the screen`);
    }, { context: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } });
  }
});
