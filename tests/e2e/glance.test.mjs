// SPDX-License-Identifier: Apache-2.0
// The first glance in real Chromium: what is unusual now, and where.

import assert from "node:assert/strict";
import { test } from "node:test";
import { axe, until } from "./browser.mjs";
import { withPage } from "./harness.mjs";

const glance = (page) => page.textContent(".glance");

test("calm, then CPU use and one CPU leave their range, then calm again: the line, the tile and the heatmap say so", () =>
  // After a tenth of the time that it is compared with, a change is its own measure: of ten minutes that is longer than this test takes.
  withPage({ rows: 6500, cpus: 16 }, async (page, mock) => {
    await until(() => glance(page), (t) => /Nothing unusual now · 9 metrics compared with the (9|10)\smin before/.test(t), "a calm machine");
    assert.equal(await page.locator(".tile[data-unusual]").count(), 0);
    const height = () => page.$eval(".timeline", (e) => e.getBoundingClientRect().top);
    const top = await height();
    mock.bump = { cpu_use: 0.97, pressure_io_some: 0.42 };
    mock.bumpCpus = Object.fromEntries(Array.from({ length: 16 }, (_, c) => [c, { cpu_use: c === 11 ? 1 : 0.3 }]));
    const what = /Unusual now: CPU use 97.0\u00a0% \(usually [\d.]+ \u2013 [\d.]+\u00a0%\) · I\/O pressure 42.0\u00a0%/;
    const where = /CPU 11 apart from the others: CPU use 100\u00a0%/;
    const said = await until(() => glance(page), (t) => what.test(t) && where.test(t), "what is unusual, and where");
    assert.doesNotMatch(said, /IPC|Nothing/);
    const mark = page.locator('[data-tile="cpu"] .mark');
    assert.equal(await mark.textContent(), "\u25b2\u00a0high", "not by colour only");
    assert.match(await mark.getAttribute("title"), /97.0\u00a0%, higher than in any second of the .* before/);
    assert.equal(await page.locator(".tile[data-unusual]").count(), 1);
    const row = await page.locator(".apart i").boundingBox();
    const map = await page.locator(".heat-over").boundingBox();
    assert.ok(Math.abs(row.y + row.height / 2 - (map.y + map.height * 11.5 / 16)) < 3, "the mark is beside its row");
    assert.equal(await height(), top, "nothing jumps");
    // The whole of it, for those who have no pointer and no room.
    await page.focus(".glance > button");
    await page.keyboard.press("Enter");
    const findings = () => page.$$eval(".findings p", (all) => all.map((p) => p.textContent));
    const whole = await until(findings, (all) => all.length >= 5, "all findings");
    assert.match(whole[0], /^CPU use: Unusually high: over the last second 97.0\u00a0%, higher than/);
    assert.match(whole[1], /^I\/O pressure: /);
    assert.ok(whole.some((text) => where.test(text)) && whole.at(-1).startsWith("Unusual is a second whose mean"));
    assert.equal(await height(), top, "it lies over the timeline");
    assert.deepEqual(await axe(page), []);
    await page.keyboard.press("Escape");
    assert.equal(await page.locator(".findings").isVisible(), false);
    assert.equal(await page.getAttribute("html", "data-view"), "following", "Escape was for the findings");
    await page.click(".glance > button");
    assert.equal(await page.locator(".findings").isVisible(), true);
    await page.click(".host");
    assert.equal(await page.locator(".findings").isVisible(), false, "a click elsewhere closes it");
    assert.deepEqual(await axe(page), []);
    mock.bump = mock.bumpCpus = undefined;
    await until(() => glance(page), (t) => t.includes("Nothing unusual now"), "calm again");
    assert.equal(await mark.textContent(), "");
  }));

test("too little to compare with, and nothing at all, are said", async () => {
  // A server that holds no more than that.
  await withPage({ rows: 100, limitRows: 250 }, async (page) => {
    await until(() => glance(page), (t) => t.includes("can be said when half a minute has been measured"), "why not");
  });
  await withPage({ rows: 0 }, async (page, mock) => {
    mock.silent = true;
    mock.samples.length = 0;
    await page.reload();
    await until(() => glance(page), (t) => t.includes("Nothing was measured yet."), "nothing yet");
  });
});
