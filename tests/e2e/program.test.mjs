// SPDX-License-Identifier: Apache-2.0
// The page against the real program, on this machine whatever it can count. CYCLESCOPE names the binary.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PATIENCE_MS, columnsOfColour, launch, open, range, until, waitState } from "./browser.mjs";

const BINARY = process.env.CYCLESCOPE ?? fileURLToPath(new URL("../../build/cyclescope", import.meta.url));

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

/** Starts the program; resolves with its address when it listens. */
function start(listen = "127.0.0.1:0") {
  const child = spawn(BINARY, ["--listen", listen, "--csv", "none"], { stdio: ["ignore", "ignore", "pipe"] });
  const exited = new Promise((resolve) => child.once("exit", (code, sig) => resolve({ code, sig })));
  const url = new Promise((resolve, reject) => {
    let said = "";
    const timer = setTimeout(() => reject(new Error(`it does not listen after ${PATIENCE_MS} ms; it said: ${said}`)), PATIENCE_MS);
    child.once("error", reject); // no such program
    child.once("exit", (code) => reject(new Error(`it ended with ${code}; it said: ${said}`)));
    child.stderr.on("data", (piece) => {
      said += piece;
      const found = /listening on (http:\/\/127\.0\.0\.1:\d+\/)/.exec(said);
      if (found) {
        clearTimeout(timer);
        resolve(found[1]);
      }
    });
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null && child.pid) {
      child.kill("SIGTERM");
      return exited;
    }
    return undefined;
  };
  return { url, stop, child };
}

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
  await until(() => columnsOfColour(page, "cpu", "--total"), (c) => c.some(Boolean), "the line of CPU use");
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
    second = start(new URL(url).host);
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
