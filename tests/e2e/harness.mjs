// SPDX-License-Identifier: Apache-2.0
// A test of the page gets a made-up server and a browser context of its own.

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { after } from "node:test";
import { buildPage, launch, open, plotBox, range, until, waitState } from "./browser.mjs";
import { Mock } from "./mock-server.mjs";

// Made when a test first needs them: who wants a word of below only has a browser of its own.
let browser;
let file;

after(async () => {
  await (await browser)?.close();
  if (file) rmSync(dirname(file), { recursive: true });
});

/** Runs `body` on a page that is open on a mock server, in a browser of its own if there is one (`within`); afterwards nothing may have gone wrong there. */
export async function withPage(options, body, { state = "live", context = {}, allowed = [], within } = {}) {
  file ??= buildPage();
  const inside = within ?? await (browser ??= launch());
  const mock = await new Mock({ page: file, ...options }).start();
  let opened;
  try {
    opened = await open(inside, mock.url, context);
    await waitState(opened.page, state);
    await body(opened.page, mock, opened);
    const problems = opened.problems.filter((p) => !allowed.some((a) => a.test(p.split("\n", 1)[0])));
    assert.deepEqual(problems, [], "the browser complained");
  } finally {
    await opened?.close();
    await mock.stop(); // one that is left open would keep this file from ending
  }
}

/** What a browser says of a server that goes away. */
export const NETWORK = [/Failed to load resource/, /ERR_CONNECTION/, /ERR_INCOMPLETE/, /ERR_EMPTY/, /ERR_INTERNET/];

export const legend = (page, column) => page.textContent(`.legend [data-column="${column}"] .value`);
export const tile = (page, id) => page.textContent(`[data-tile="${id}"] .value`);

/** The newest time on the screen has moved on by at least this much. */
export async function advanced(page, ms) {
  const { to } = await range(page);
  await until(() => range(page), (r) => r.to >= to + ms, `the view to move on by ${ms} ms`);
}

/** Runs `body` while no sample comes, on a page that shows the newest one: what it does is not overtaken by the time. */
export async function halted(page, mock, body) {
  mock.silent = true;
  const newest = mock.samples.at(-1).timestamp;
  await until(() => range(page), (r) => r.to === newest, "the newest sample");
  await body();
  mock.silent = false;
}

export async function middle(page, panel = "cycles") {
  const box = await plotBox(page, panel);
  return { x: box.x + box.width / 2, y: box.y + box.height / 2, box };
}
