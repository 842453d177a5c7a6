// SPDX-License-Identifier: Apache-2.0
// node bench/page.mjs [SECONDS [CPUS…]]: what the page costs, in real Chromium without a GPU, against a made-up server with an hour
// of history (tests/e2e/mock-server.mjs). By default 10 s for each figure, with 2, 128 and 512 CPUs.
//
// Main-thread time is the sum of the renderer's main-thread tasks as Chromium's own tracing has it: script, style, layout, paint,
// and drawing the canvases, which without a GPU is done there. Of an update: the tasks of each 100 ms, in which one sample comes.
// Of a zoom or pan step: the tasks until the next step, while no samples come. With CPU=1 in the environment, CPU time is taken in
// place of elapsed time: for a machine on which other things run.

import { dirname } from "node:path";
import { rmSync } from "node:fs";
import { buildPage, launch, plotBox, waitState } from "../tests/e2e/browser.mjs";
import { Mock } from "../tests/e2e/mock-server.mjs";


const [seconds = 10, ...given] = process.argv.slice(2).map(Number);
const CPUS = given.length > 0 ? given : [2, 128, 512];
const HOUR = 36_000;
const STEPS = 40;
const STEP_MS = 150;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const quantile = (list, q) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(q * list.length))] ?? NaN;
const row = (what, list, unit = "ms") =>
  console.log(`| ${what} | ${list.length} | ${quantile(list, 0.5).toFixed(1)} ${unit} | ${quantile(list, 0.95).toFixed(1)} ${unit} | ${Math.max(...list).toFixed(1)} ${unit} |`);

/** Main-thread time of the page's renderer in slices of `slice` ms while `body` runs. */
async function mainThread(browser, page, slice, body) {
  const cdp = await browser.newBrowserCDPSession();
  const events = [];
  cdp.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  await cdp.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories: ["disabled-by-default-devtools.timeline", "devtools.timeline"] } });
  await page.evaluate(() => console.timeStamp("begin"));
  await body();
  await page.evaluate(() => console.timeStamp("end"));
  const complete = new Promise((resolve) => cdp.once("Tracing.tracingComplete", resolve));
  await cdp.send("Tracing.end");
  await complete;
  await cdp.detach();
  const mark = (name) => events.find((e) => e.name === "TimeStamp" && e.args?.data?.message === name);
  const [begin, end] = [mark("begin"), mark("end")];
  const slices = new Array(Math.floor((end.ts - begin.ts) / 1000 / slice)).fill(0);
  for (const e of events) {
    if (e.name !== "RunTask" || e.pid !== begin.pid || e.tid !== begin.tid) continue;
    const at = Math.floor((e.ts - begin.ts) / 1000 / slice);
    if (at >= 0 && at < slices.length) slices[at] += (process.env.CPU ? e.tdur ?? NaN : e.dur) / 1000;
  }
  return slices;
}

async function withPage(browser, file, options, hash, body) {
  const mock = await new Mock({ page: file, rows: HOUR, ...options }).start();
  const context = await browser.newContext({ viewport: { width: 1600, height: 1000 } });
  const page = await context.newPage();
  await page.addInitScript(() => {
    new MutationObserver(() => {
      if (document.documentElement?.dataset.state === "live" && !globalThis.liveAt) {
        // Two frames: the first one draws, the second one begins when that is on the screen.
        requestAnimationFrame(() => requestAnimationFrame(() => { globalThis.liveAt = performance.now(); }));
      }
    }).observe(document, { subtree: true, attributes: true, childList: true });
  });
  try {
    await page.goto(mock.url + hash);
    await waitState(page, "live");
    await body(page, mock);
  } finally {
    await context.close();
    await mock.stop();
  }
}

async function settled(page) {
  await sleep(2_000);
  for (let before = -1, n = 0; n < 60; n++) {
    const now = await page.evaluate(() => performance.getEntriesByType("resource").length);
    if (now === before) return;
    before = now;
    await sleep(1_000);
  }
}

async function firstPaint(browser, file, cpus) {
  const painted = [];
  const drawn = [];
  for (let i = 0; i < 5; i++) {
    await withPage(browser, file, { cpus }, "", async (page) => {
      await page.waitForFunction(() => globalThis.liveAt);
      painted.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime));
      drawn.push(await page.evaluate(() => globalThis.liveAt));
    });
  }
  row(`${cpus} CPUs: navigation to first contentful paint`, painted);
  row(`${cpus} CPUs: navigation to charts with their data`, drawn);
}

async function updates(browser, file, cpus) {
  await withPage(browser, file, { cpus, rows: cpus > 100 ? 1_500 : HOUR }, "", async (page) => {
    await settled(page);
    row(`${cpus} CPUs: one live update, view of 1 min`, await mainThread(browser, page, 100, () => sleep(seconds * 1000)));
    await page.evaluate(() => {
      Object.defineProperty(document, "hidden", { get: () => true });
      globalThis.requestAnimationFrame = () => 0;
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await sleep(500);
    row(`${cpus} CPUs: one live update, hidden tab`, await mainThread(browser, page, 100, () => sleep(seconds * 1000)));
  });
}

async function steps(browser, file, cpus, name, span) {
  await withPage(browser, file, { cpus, rows: cpus > 100 ? 1_500 : HOUR }, `#span=${span}`, async (page, mock) => {
    await settled(page);
    mock.silent = true;
    const box = await plotBox(page, "cycles");
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width / 2, y);
    const zoom = await mainThread(browser, page, STEP_MS, async () => {
      for (let i = 0; i < STEPS; i++) {
        await page.mouse.wheel(0, i % 20 < 10 ? -60 : 60);
        await sleep(STEP_MS);
      }
    });
    row(`${cpus} CPUs: zoom step, ${name}`, zoom);
    await page.mouse.down();
    const pan = await mainThread(browser, page, STEP_MS, async () => {
      for (let i = 0; i < STEPS; i++) {
        await page.mouse.move(box.x + box.width / 2 + (i < STEPS / 2 ? i : STEPS - i) * 9, y);
        await sleep(STEP_MS);
      }
    });
    await page.mouse.up();
    row(`${cpus} CPUs: pan step, ${name}`, pan);
  });
}

/** Samples a hundred times a second into a store of 2,000 rows: once it is full, nothing may grow. */
async function heap(browser, file) {
  await withPage(browser, file, { cpus: 2, rows: 2_000, limitRows: 2_000, interval: 10 }, "", async (page, mock) => {
    const cdp = await page.context().newCDPSession(page);
    const used = async () => {
      for (let i = 0; i < 3; i++) await cdp.send("HeapProfiler.collectGarbage");
      return (await cdp.send("Runtime.getHeapUsage")).usedSize / 1024;
    };
    await sleep(5_000);
    const before = await used();
    const sequence = mock.sequence;
    await sleep(3 * seconds * 1000);
    const after = await used();
    const n = mock.sequence - sequence;
    console.log(`| heap after ${n} samples into a full store | | ${before.toFixed(0)} KiB | ${after.toFixed(0)} KiB | ${((after - before) * 1024 / n).toFixed(2)} bytes a sample |`);
  });
}

const file = buildPage();
const browser = await launch();
try {
  console.log("| what | n | median | p95 | most |\n|---|---|---|---|---|");
  await firstPaint(browser, file, 2);
  for (const cpus of CPUS) {
    await updates(browser, file, cpus);
    await steps(browser, file, cpus, "view of 1 min", 60_000);
    await steps(browser, file, cpus, "view of 1 h", 3_600_000);
  }
  await heap(browser, file);
} finally {
  await browser.close();
  rmSync(dirname(file), { recursive: true });
}
