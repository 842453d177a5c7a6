// SPDX-License-Identifier: Apache-2.0
// node bench/page.mjs [SECONDS [CPUS…]]: what the page costs, in real Chromium without a GPU, each figure beside its bound. By
// default 8 s for each figure, with 2, 128 and 512 CPUs: about six minutes in all. Markdown, for docs/benchmarks.md.
//
// The server is made up (page_server.mjs) and has an hour of samples, and two days of history for a view of a day; only the delay from a
// reading to its pixels is measured with the real program, CYCLESCOPE, by default build/cyclescope. Main-thread time: main_thread.mjs. Of an
// update, the tasks of each 100 ms, in which one sample comes. Of a zoom or pan step, while no samples come: the tasks up to the frame
// that shows it, the longest task until the next step, and all of them. CPU=1 in the environment takes CPU time in place of elapsed
// time: for a machine on which other things run.

import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { buildPage, launch, plotBox, waitState } from "../tests/e2e/browser.mjs";
import { mainThread, mainThreadOfSteps } from "./main_thread.mjs";
import { LargeMock } from "./page_server.mjs";

const [seconds = 8, ...given] = process.argv.slice(2).map(Number);
const CPUS = given.length > 0 ? given : [2, 128, 512];
const PROGRAM = process.env.CYCLESCOPE ?? fileURLToPath(new URL("../build/cyclescope", import.meta.url));
const HOUR = 36_000;
const VIEWS = [["1 min", 60_000], ["1 h", 3_600_000], ["1 d", 86_400_000]];
/** Of the view of a day. */
const DAYS = 2;
const STEPS = 30;
const STEP_MS = 150;
const HEAP_LOOKS = 5;
/** Bytes a sample: nothing that is kept of each is smaller. What one look differs from the next by is a few. */
const LEAST_KEPT = 16;
/** Samples with each of ten events a second: an hour goes by in a minute. */
const HURRY = 60;

/** ms; by number of CPUs where that matters. What is not here has no bound. */
const BOUNDS = { paint: 300, update: { 2: 8, 128: 16 }, latency: 100, step: 16 };

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const quantile = (list, q) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(q * list.length))] ?? NaN;

/** `of`: which of the three the bound is of. */
function row(what, list, bound, of = "median") {
  const values = { median: quantile(list, 0.5), p95: quantile(list, 0.95), most: Math.max(...list) };
  const cells = Object.values(values).map((v) => `${v.toFixed(1)} ms`).join(" | ");
  const judged = bound === undefined ? "" : `${of} ${bound} ms: ${values[of] <= bound ? "kept" : "**above**"}`;
  console.log(`| ${what} | ${list.length} | ${cells} | ${judged} |`);
}

async function withPage(browser, file, options, hash, body) {
  const mock = await new LargeMock({ page: file, rows: HOUR, ...options }).start();
  try {
    await withTab(browser, mock.url + hash, (page) => body(page, mock));
  } finally {
    await mock.stop();
  }
}

async function withTab(browser, url, body) {
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
    await page.goto(url);
    await waitState(page, "live");
    await body(page);
  } finally {
    await context.close();
  }
}

/** Nothing more is being fetched. (Each second the inspector asks once.) */
async function settled(page) {
  for (let before = -1, n = 0; n < 20; n++) {
    await sleep(1_000);
    const now = await page.evaluate(() => performance.getEntriesByType("resource").filter((e) => e.name.includes("/api/series")).length);
    if (now === before) return;
    before = now;
  }
}

async function firstPaint(browser, file) {
  const painted = [];
  const drawn = [];
  for (let i = 0; i < 5; i++) {
    await withPage(browser, file, { cpus: 2 }, "", async (page) => {
      await page.waitForFunction(() => globalThis.liveAt);
      painted.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime));
      drawn.push(await page.evaluate(() => globalThis.liveAt));
    });
  }
  row("navigation to first contentful paint", painted, BOUNDS.paint);
  row("navigation to charts with their data", drawn);
}

async function updates(browser, file, cpus) {
  await withPage(browser, file, { cpus }, "", async (page) => {
    await settled(page);
    row(`${cpus} CPUs: one live update, view of 1 min`, await mainThread(browser, page, 100, () => sleep(seconds * 1000)), BOUNDS.update[cpus]);
  });
}

const samplesHeld = (page) => page.$eval('[data-status="rows"]', (e) => Number(e.textContent.replaceAll(/\D/g, "")));

/** Headless Chromium has no tab that is behind another: the page is told that it is, and gets no frames. */
async function hidden(browser, file) {
  await withPage(browser, file, { cpus: 2, rows: 3_000 }, "", async (page, mock) => {
    await settled(page);
    await page.evaluate(() => {
      globalThis.frames = { request: globalThis.requestAnimationFrame, asked: [] };
      Object.defineProperty(document, "hidden", { get: () => globalThis.frames !== null, configurable: true });
      globalThis.requestAnimationFrame = (f) => globalThis.frames.asked.push(f);
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await sleep(500);
    row("2 CPUs: one live update, hidden tab", await mainThread(browser, page, 100, () => sleep(seconds * 1000)));
    await page.evaluate(() => {
      const { request, asked } = globalThis.frames;
      globalThis.requestAnimationFrame = request;
      globalThis.frames = null;
      document.dispatchEvent(new Event("visibilitychange"));
      for (const f of asked) request(f);
    });
    await sleep(2_500);
    mock.silent = true;
    await sleep(6_000); // how many are held is written each second, and with /api/meta each five
    const missing = mock.sequence - await samplesHeld(page);
    console.log(`| 2 CPUs: samples that a tab lacks after it was hidden | | ${missing} | | | 0: ${missing === 0 ? "kept" : "**above**"} |`);
  });
}

/** One each STEP_MS: input comes when it comes, not when the step before is done. */
async function eachStep(step) {
  for (let i = 0; i < STEPS; i++) {
    const next = performance.now() + STEP_MS;
    await step(i);
    await sleep(Math.max(0, next - performance.now()));
  }
}

async function steps(browser, file, cpus, name, span) {
  await withPage(browser, file, { cpus, days: span > VIEWS[1][1] ? DAYS : undefined }, `#span=${span}`, async (page, mock) => {
    await settled(page);
    mock.silent = true;
    const box = await plotBox(page, "cycles");
    const x = box.x + box.width / 2;
    const y = box.y + box.height / 2;
    await page.mouse.move(x, y);
    await sleep(500);
    const zoom = await mainThreadOfSteps(browser, page, () => eachStep((i) => page.mouse.wheel(0, i % 20 < 10 ? -60 : 60)));
    await page.mouse.down();
    await sleep(500);
    const pan = await mainThreadOfSteps(browser, page, () => eachStep((i) => page.mouse.move(x + (i < STEPS / 2 ? i + 1 : STEPS - i) * 9, y)));
    await page.mouse.up();
    for (const [what, { toFrame, longest, all }] of [["zoom", zoom], ["pan", pan]]) {
      const title = `${cpus} CPUs, view of ${name}: ${what} step`;
      row(`${title} to its frame`, toFrame, BOUNDS.step);
      row(`${title}, longest task`, longest, BOUNDS.step);
      row(`${title}, all until the next`, all);
    }
  });
}

/** From the time of a sample to the end of the frame that has it. */
async function readingToPixels(browser) {
  if (!existsSync(PROGRAM)) {
    console.log(`| reading to pixels: there is no ${PROGRAM} | | | | | p95 ${BOUNDS.latency} ms |`);
    return;
  }
  const program = spawn(PROGRAM, ["--listen", "127.0.0.1:0", "--csv", "none", "--history", "none"], { stdio: ["ignore", "ignore", "pipe"] });
  try {
    const url = await new Promise((resolve, reject) => {
      let said = "";
      program.once("exit", (code) => reject(new Error(`it ended with ${code}; it said: ${said}`)));
      program.stderr.on("data", (piece) => {
        said += piece;
        const found = /listening on (http:\/\/127\.0\.0\.1:\d+\/)/.exec(said);
        if (found) resolve(found[1]);
      });
    });
    await withTab(browser, url, async (page) => {
      await settled(page);
      row("reading to pixels, 2 CPUs, the real program", await page.evaluate(async (ms) => {
        const delays = [];
        const timeline = document.querySelector(".timeline");
        const observer = new MutationObserver(() => {
          // Drawn within a frame; the message is taken when that frame is done.
          const { port1, port2 } = new MessageChannel();
          const to = Number(timeline.dataset.to);
          port1.onmessage = () => delays.push(performance.timeOrigin + performance.now() - to);
          port2.postMessage(null);
        });
        observer.observe(timeline, { attributeFilter: ["data-to"] });
        await new Promise((resolve) => setTimeout(resolve, ms));
        observer.disconnect();
        return delays;
      }, seconds * 1000), BOUNDS.latency, "p95");
    });
  } finally {
    program.removeAllListeners("exit");
    if (program.exitCode === null) {
      const ended = new Promise((resolve) => program.once("exit", resolve));
      program.kill("SIGTERM");
      await ended;
    }
  }
}

/** An hour of samples into a store that is full, in a minute: nothing may grow. */
async function heap(browser, file) {
  await withPage(browser, file, { cpus: 2 }, "", async (page, mock) => {
    await settled(page);
    const cdp = await page.context().newCDPSession(page);
    const used = async () => {
      // What is under way (the inspector's question of each second) is no growth.
      mock.silent = true;
      await sleep(1_500);
      for (let i = 0; i < 3; i++) await cdp.send("HeapProfiler.collectGarbage");
      const { usedSize, backingStorageSize = 0 } = await cdp.send("Runtime.getHeapUsage");
      mock.silent = false;
      return usedSize + backingStorageSize;
    };
    mock.hurry(HURRY);
    // The first minutes, after which all that is kept has been used once.
    const warm = mock.sequence + HOUR / HEAP_LOOKS;
    while (mock.sequence < warm) await sleep(200);
    const first = mock.sequence;
    const looks = [await used()];
    for (let n = 1; n <= HEAP_LOOKS; n++) {
      while (mock.sequence < first + (n * HOUR) / HEAP_LOOKS) await sleep(200);
      looks.push(await used());
    }
    const mean = (list) => list.reduce((a, b) => a + b) / list.length;
    // The later half against the earlier one: half an hour lies between their middles.
    const growth = (mean(looks.slice(3)) - mean(looks.slice(0, 3))) / (HOUR * 3 / HEAP_LOOKS);
    console.log(`| heap, an hour of samples into a full store: ${looks.map((b) => (b / 2 ** 20).toFixed(2)).join(", ")} MiB | ${mock.sequence - first} `
      + `| ${growth.toFixed(2)} bytes a sample | | | less than ${LEAST_KEPT}: ${growth < LEAST_KEPT ? "kept" : "**above**"} |`);
  });
}

const started = performance.now();
const file = buildPage();
const browser = await launch();
try {
  console.log("| what | n | median | p95 | most | bound |\n|---|---|---|---|---|---|");
  await firstPaint(browser, file);
  await readingToPixels(browser);
  for (const cpus of CPUS) {
    await updates(browser, file, cpus);
    for (const [name, span] of VIEWS) await steps(browser, file, cpus, name, span);
  }
  await hidden(browser, file);
  await heap(browser, file);
} finally {
  await browser.close();
  rmSync(dirname(file), { recursive: true });
}
console.error(`${((performance.now() - started) / 1000).toFixed(0)} s`);
