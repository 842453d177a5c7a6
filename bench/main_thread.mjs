// SPDX-License-Identifier: Apache-2.0
// Time of a page's main thread, as Chromium's own tracing has it: script, style, layout, paint, and drawing the canvases, which
// without a GPU is done there. With CPU=1 in the environment, CPU time in place of elapsed time.

const CATEGORIES = ["disabled-by-default-devtools.timeline", "devtools.timeline"];

const ms = (task) => (process.env.CPU ? task.tdur ?? NaN : task.dur) / 1000;
const sum = (tasks) => tasks.reduce((a, t) => a + ms(t), 0);

/** What the main thread did while `body` ran: its tasks and other events in order, and the times at which the page stamped `name`. */
async function trace(browser, page, body) {
  const cdp = await browser.newBrowserCDPSession();
  const events = [];
  cdp.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  await cdp.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories: CATEGORIES } });
  await page.evaluate(() => console.timeStamp("begin"));
  await body();
  await page.evaluate(() => console.timeStamp("end"));
  const complete = new Promise((resolve) => cdp.once("Tracing.tracingComplete", resolve));
  await cdp.send("Tracing.end");
  await complete;
  await cdp.detach();
  const stamps = (name) => events.filter((e) => e.name === "TimeStamp" && e.args?.data?.message === name).map((e) => e.ts).sort((a, b) => a - b);
  const { pid, tid } = events.find((e) => e.name === "TimeStamp" && e.args?.data?.message === "end");
  const named = (name) => events.filter((e) => e.name === name && e.pid === pid && e.tid === tid).sort((a, b) => a.ts - b.ts);
  return { begin: stamps("begin")[0], end: stamps("end")[0], stamps, tasks: named("RunTask"), named };
}

/** Milliseconds of all tasks in each slice of `slice` ms while `body` runs. */
export async function mainThread(browser, page, slice, body) {
  const { begin, end, tasks } = await trace(browser, page, body);
  const all = new Array(Math.max(1, Math.floor((end - begin) / 1000 / slice))).fill(0);
  for (const task of tasks) {
    const at = Math.floor((task.ts - begin) / 1000 / slice);
    if (at >= 0 && at < all.length) all[at] += ms(task);
  }
  return all;
}

/**
 * Milliseconds of each step that `body` makes, by wheel or pointer: of the tasks from the input to the end of the frame that shows it
 * (script, style, layout, paint, commit), of the longest task until the next step, of all tasks until then.
 */
export async function mainThreadOfSteps(browser, page, body) {
  await page.evaluate(() => {
    let x = null;
    globalThis.stampStep = (event) => {
      // The browser makes moves of its own, where the pointer is already.
      if (event.type === "wheel" || event.clientX !== x) console.timeStamp("step");
      x = event.clientX;
    };
    for (const type of ["wheel", "pointermove"]) addEventListener(type, globalThis.stampStep, { capture: true, passive: true });
  });
  const { end, stamps, tasks, named } = await trace(browser, page, body);
  await page.evaluate(() => {
    for (const type of ["wheel", "pointermove"]) removeEventListener(type, globalThis.stampStep, { capture: true });
  });
  const taskAt = (ts) => tasks.findIndex((t) => t.ts <= ts && ts < t.ts + t.dur);
  const frames = named("FireAnimationFrame");
  const commits = named("Commit");
  const begins = [...stamps("step"), end];
  const out = { toFrame: [], longest: [], all: [] };
  for (let i = 0; i + 1 < begins.length; i++) {
    const first = taskAt(begins[i]);
    const next = taskAt(begins[i + 1]);
    const frame = frames.find((f) => f.ts > begins[i] && f.ts < begins[i + 1]);
    const commit = frame && commits.find((c) => c.ts > frame.ts && c.ts < begins[i + 1]);
    // Two steps in one task, as a busy machine gives them, are one.
    if (first < 0 || next <= first) continue;
    const mine = tasks.slice(first, next);
    out.toFrame.push(commit ? sum(tasks.slice(first, taskAt(commit.ts) + 1)) : NaN);
    out.longest.push(Math.max(...mine.map(ms)));
    out.all.push(sum(mine));
  }
  return out;
}
