// SPDX-License-Identifier: Apache-2.0
// The page against the real program, on this machine whatever it can count.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { columnsOfColour, launch, open, range, until, waitState } from "./browser.mjs";
import { start } from "./program.mjs";

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

async function withProgram(body) {
  const program = start();
  try {
    await body(await program.url, program);
  } finally {
    await program.stop();
  }
}

test("the page becomes live, and values and view go on", () => withProgram(async (url) => {
  const { page, problems, close } = await open(browser, url);
  await waitState(page, "live");
  const before = await range(page);
  await until(() => range(page), (r) => r.to >= before.to + 1000, "the view to move on");
  const meta = await (await fetch(url + "api/meta")).json();
  assert.equal(await page.textContent(".host"), meta.host);
  await until(() => page.textContent('[data-tile="cpu"] .value'), (t) => /%$/.test(t), "CPU use");
  await until(() => page.textContent('[data-tile="switches"] .value'), (t) => /\/s$/.test(t), "context switches");
  // (That of CPU use lies on the edge of the plot, half of it, where all CPUs are busy for as long as this test takes.)
  await until(() => columnsOfColour(page, "software", "--series-1"), (c) => c.some(Boolean), "the line of context switches");
  await until(() => page.textContent(".readout .label"), (t) => /^most now: CPU \d+$/.test(t), "values of every CPU");
  assert.deepEqual(problems, []);
  await close();
}));

test("what this machine counts is a chart, what not is words", () => withProgram(async (url) => {
  const { page, problems, close } = await open(browser, url);
  await waitState(page, "live");
  const { columns } = await (await fetch(url + "api/meta")).json();
  const absent = (id) => ["not supported", "denied"].includes(columns.find((c) => c.id === id)?.quality ?? "not supported");
  const panels = {
    cycles: ["cycles", "instructions"], "miss-rates": ["cache_miss_rate", "branch_miss_rate"], cpi: ["cpi"],
    cpu: ["cpu_use"], software: ["context_switches_per_second", "minor_faults_per_second"],
  };
  for (const [panel, ids] of Object.entries(panels)) {
    const root = page.locator(`[data-panel="${panel}"]`);
    if (ids.every(absent)) {
      assert.equal(await root.locator("canvas").count(), 0);
      assert.match(await root.locator(".words").textContent(), /here: \S+/);
    } else {
      assert.equal(await root.locator("canvas").count(), 1, panel);
    }
  }
  assert.deepEqual(problems, []);
  await close();
}));

test("the program stops and starts again: the page reconnects", async () => {
  const first = start();
  let second;
  try {
    const url = await first.url;
    const { page, close } = await open(browser, url);
    await waitState(page, "live");
    await first.stop();
    await until(() => page.getAttribute("html", "data-state"), (s) => s === "reconnecting" || s === "ended", "the end to be seen");
    second = start(["--csv", "none"], { listen: new URL(url).host });
    await second.url;
    await waitState(page, "live");
    const before = await range(page);
    await until(() => range(page), (r) => r.to >= before.to + 500, "the view to move on");
    await close();
  } finally {
    await first.stop();
    await second?.stop();
  }
});
