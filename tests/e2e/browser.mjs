// SPDX-License-Identifier: Apache-2.0
// Real Chromium (Debian's), and what every test of the page wants to know of it.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const web = fileURLToPath(new URL("../../web/", import.meta.url));
// This folder has no packages of its own.
const packages = createRequire(join(web, "package.json"));
const { chromium } = packages("playwright-core");
const AXE = readFileSync(packages.resolve("axe-core/axe.min.js"), "utf8");

export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
/** The page's main thread runs so many times slower, as on a slower machine: races show. */
const SLOWDOWN = Number(process.env.E2E_SLOWDOWN ?? 1);
/** After so long a thing that was awaited will not happen. Long, because machines that run tests are slow and busy. */
export const PATIENCE_MS = 60_000;

/** The page, built from the sources as they are. */
export function buildPage() {
  const out = join(mkdtempSync(join(tmpdir(), "cyclescope-page-")), "index.html");
  execFileSync(process.execPath, [join(web, "build.mjs"), out], { stdio: ["ignore", "ignore", "pipe"] });
  return out;
}

/** `more`: further switches of Chromium's. */
export function launch(more = []) {
  return chromium.launch({
    executablePath: CHROMIUM,
    timeout: PATIENCE_MS,
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", ...more,
    ],
  });
}

/** Opens a page in a context of its own and notes everything that must not happen. */
export async function open(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1600, height: 1000 }, ...options });
  if (SLOWDOWN > 1) {
    context.on("page", async (p) => (await context.newCDPSession(p)).send("Emulation.setCPUThrottlingRate", { rate: SLOWDOWN }));
  }
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const problems = []; // a sentence each, and in a second line where
  page.on("console", (m) => {
    if (m.type() === "error" || m.type() === "warning") problems.push(`console ${m.type()}: ${m.text()}\n${m.location().url}`);
  });
  page.on("pageerror", (e) => problems.push(`exception: ${e.stack ?? e.message}`));
  page.on("request", (r) => {
    const to = new URL(r.url());
    if (to.protocol !== "data:" && to.origin !== new URL(url).origin) problems.push(`request elsewhere: ${r.url()}`);
  });
  await page.goto(url);
  return { page, context, problems, close: () => context.close() };
}

/** The page is in that state, and has drawn it. */
export async function waitState(page, state) {
  await page.waitForSelector(`html[data-state="${state}"]`, { state: "attached" });
  await frame(page);
}

/** Resolves with the first value of `probe` that `accept`s; polls, so that no test sleeps for a fixed time. */
export async function until(probe, accept, what) {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const value = await probe();
    if (accept(value)) return value;
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}; the last value was ${JSON.stringify(value)?.slice(0, 2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

/** What was changed before is on the screen: the page has drawn the frame that it asked for. */
export async function frame(page) {
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(drawn)));
}

/** A movement has ended: the page's own timer for that was set before this one, and is shorter. */
export async function rest(page) {
  await page.evaluate(() => new Promise((rested) => setTimeout(rested, 900)));
}

/** The span of time on the screen. */
export async function range(page) {
  await frame(page);
  return page.$eval(".timeline", (e) => ({ from: Number(e.dataset.from), to: Number(e.dataset.to) }));
}

/** Where a track's plot area is, CSS pixels. */
export async function plotBox(page, panel) {
  return page.locator(`[data-panel="${panel}"] .u-over`).boundingBox();
}

/** For each device pixel column of a plot area: is a pixel of (about) this colour in it? */
export async function columnsOfColour(page, panel, property) {
  return page.$eval(`[data-panel="${panel}"]`, (root, property) => {
    const probe = document.createElement("canvas").getContext("2d");
    probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(property).trim();
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
    const canvas = root.querySelector("canvas");
    const box = canvas.getBoundingClientRect();
    const over = root.querySelector(".u-over").getBoundingClientRect();
    const k = canvas.width / box.width;
    const x0 = Math.round((over.left - box.left) * k);
    const y0 = Math.round((over.top - box.top) * k);
    const w = Math.round(over.width * k);
    const h = Math.round(over.height * k);
    // Through a canvas of our own, so that the page's is not read back (Chromium would warn of that).
    const copy = new OffscreenCanvas(w, h).getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvas, -x0, -y0);
    const data = copy.getImageData(0, 0, w, h).data;
    const columns = new Array(w).fill(false);
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        const i = (y * w + x) * 4;
        if (data[i + 3] > 100 && Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 90) columns[x] = true;
      }
    }
    return columns;
  }, property);
}

/** What axe finds, as text; `options` are axe.run's. Evaluated by the browser's debugger: the page's policy lets no other script in. */
export async function axe(page, options = {}) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate((o) => globalThis.axe.run(document, { resultTypes: ["violations"], ...o }), options);
  return violations.map((v) => `${v.id}: ${v.nodes.slice(0, 4).map((n) => `${n.target} ${n.failureSummary}`).join("; ")}`);
}
