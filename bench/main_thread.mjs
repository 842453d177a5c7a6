// SPDX-License-Identifier: Apache-2.0
// Time of a page's main thread, as Chromium's own tracing has it: script, style, layout, paint, and drawing the canvases, which
// without a GPU is done there.

/**
 * Milliseconds of each slice of `slice` ms while `body` runs: of all its tasks, and of the longest, which is what a frame waits for. With CPU=1
 * in the environment, CPU time in place of elapsed time.
 */
export async function mainThread(browser, page, slice, body) {
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
  const all = new Array(Math.max(1, Math.floor((end.ts - begin.ts) / 1000 / slice))).fill(0);
  const longest = all.slice();
  for (const e of events) {
    if (e.name !== "RunTask" || e.pid !== begin.pid || e.tid !== begin.tid) continue;
    const at = Math.floor((e.ts - begin.ts) / 1000 / slice);
    if (!(at >= 0 && at < all.length)) continue;
    const ms = (process.env.CPU ? e.tdur ?? NaN : e.dur) / 1000;
    all[at] += ms;
    longest[at] = Math.max(longest[at], ms);
  }
  return { all, longest };
}
