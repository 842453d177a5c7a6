// SPDX-License-Identifier: Apache-2.0
// The page against the real program on the days that are not like others: a recording of a day, 512 CPUs, an interval of 1 ms, a CSV
// of somebody else, a line that was cut for longer than memory reaches.

import assert from "node:assert/strict";
import { appendFileSync, chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { columnsOfColour, frame, launch, open, plotBox, range, rest, until, waitState } from "./browser.mjs";
import { NETWORK, legend, tile } from "./harness.mjs";
import { replay, start } from "./program.mjs";

let browser;
let folder;
before(async () => {
  browser = await launch();
  folder = mkdtempSync(join(tmpdir(), "cyclescope-days-"));
  chmodSync(folder, 0o755); // the server, which is not root any more, opens a CSV again when it was written anew
});
after(async () => {
  await browser?.close();
  if (folder) rmSync(folder, { recursive: true });
});

const span = (r) => r.to - r.from;
/**
 * Where the machine is too busy for so much, the server closes a stream that was not served for ten seconds, and a new connection of
 * which it has not come to read the question: the page resumes the one and asks again on the other.
 */
const DROPPED = [/ERR_INCOMPLETE_CHUNKED_ENCODING/, /ERR_EMPTY_RESPONSE/];
const ask = async (url, path) => (await fetch(url + path)).json();

/** A line to a server that can be cut: Chromium's own "offline" lets a stream that is open go on. */
async function breakable(url) {
  const sockets = new Set();
  const server = createServer((near) => {
    const far = connect(Number(new URL(url).port), "127.0.0.1");
    for (const [one, other] of [[near, far], [far, near]]) {
      sockets.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  const listen = (port) => new Promise((ready) => { server.listen(port, "127.0.0.1", ready); });
  await listen(0);
  const { port } = server.address();
  const cut = async () => {
    const closed = new Promise((done) => { server.close(done); });
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { url: `http://127.0.0.1:${port}/`, cut, mend: () => listen(port) };
}

/** Runs `body` on the page of a program; afterwards nothing may have gone wrong in the browser. `through`: what the page reaches it by. */
async function withServer(args, body, { allowed = [], through = async (url) => ({ url }), ...options } = {}) {
  const program = start(args, options);
  let line, opened;
  try {
    const url = await program.url;
    line = await through(url);
    opened = await open(browser, line.url);
    await body(opened.page, url, line);
    assert.deepEqual(opened.problems.filter((p) => !allowed.some((a) => a.test(p.split("\n", 1)[0]))), []);
  } finally {
    // A line that is left open would keep this file from ending.
    await opened?.close();
    await line?.cut?.();
    await program.stop();
  }
}

/** The share of a track's width in which there is a line of that colour. */
async function drawn(page, panel, colour) {
  await frame(page);
  const columns = await columnsOfColour(page, panel, colour);
  return columns.filter(Boolean).length / columns.length;
}

/** The share of a track's width that the longest hole in a line takes. (Some columns are none: a line may lie on one of the grid's.) */
async function longestHole(page, panel, colour) {
  await frame(page);
  const columns = await columnsOfColour(page, panel, colour);
  let longest = 0;
  for (let i = 0, n = 0; i < columns.length; i++) {
    n = columns[i] ? 0 : n + 1;
    longest = Math.max(longest, n);
  }
  return longest / columns.length;
}

test("a recording of 24 hours: all of it at first, down to single intervals, and nowhere a blank", async () => {
  const file = join(folder, "day.data");
  const fd = openSync(file, "w");
  assert.equal(await replay(["--cpus", 2, "--events", 4, "--hz", 1, "--seconds", 86_400, "--speed", "max"], fd).exited, 0);
  closeSync(fd);
  await withServer(["serve", file, "--history", "none"], async (page, url) => {
    // The page is opened while the file is read, or after that: in the end it shows the same.
    await waitState(page, "ended");
    const whole = await until(() => range(page), (r) => span(r) === 86_399_000, "the whole day");
    const entries = await page.evaluate(() => history.length);
    await until(() => longestHole(page, "cycles", "--series-1"), (h) => h < 0.02, "its line from edge to edge");
    assert.match(await page.textContent(".span"), /^\d{4}-.* \u2013 \d{4}-.*\(23\sh\s59\smin\)$/, "both days are named");
    const box = await plotBox(page, "cycles");
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * 0.3, y);
    for (let i = 0, now = span(whole); i < 100 && now > 5001; i++) {
      await page.mouse.wheel(0, -400);
      now = span(await range(page));
      assert.ok(await drawn(page, "cycles", "--series-1") > 0.5, `something is drawn in a view of ${now} ms`);
    }
    await page.mouse.wheel(0, -400); // and no further
    await rest(page);
    const close = await range(page);
    assert.ok(Math.abs(span(close) - 5000) < 1, "five intervals are the narrowest view");
    assert.ok(close.to < whole.to - 36_000_000, "that is on disk, not in memory");
    // The value at the cursor is the server's.
    const t = Math.ceil((close.from + 0.3 * span(close)) / 1000) * 1000;
    const { cpi } = (await ask(url, `api/series?from=${t}&to=${t}&columns=cpi`)).columns;
    await until(() => legend(page, "cpi"), (v) => v === cpi.mean[0].toFixed(3), `a CPI of ${cpi.mean} at ${t}`);
    // And what is taken along is not empty, though single samples are not kept for so long.
    await page.click('[aria-controls="export-list"]');
    const download = page.waitForEvent("download");
    await page.click('[data-export="json"]');
    const rows = JSON.parse(readFileSync(await (await download).path(), "utf8"));
    assert.ok(rows.length >= 5 && rows.every((r) => r.cpi > 0), `${rows.length} rows`);
    await page.keyboard.press("End");
    await page.keyboard.press("-");
    assert.ok(await page.evaluate(() => history.length) > entries, "what the person did is in the browser's history");
  });
});

test("a CSV of somebody else: other columns in another order, what it has not, and a writer that changes them", async () => {
  const file = join(folder, "bridge.csv");
  let time = Math.floor(Date.now() / 100) * 100 - 60_000;
  let row = (n) => `${2000 + n % 7},75,${time += 100},${1000 + n % 5},${n % 3},x\n`;
  const rows = (n) => Array.from({ length: n }, (_, i) => row(i)).join("");
  writeFileSync(file, `instructions,instructions_running,timestamp,cycles,widgets,remark\n${rows(590)}`);
  let n = 0;
  const writer = setInterval(() => appendFileSync(file, row(n++)), 100);
  try {
    await withServer(["serve", file], async (page, url) => {
      await waitState(page, "live");
      await until(() => tile(page, "ipc"), (t) => /^[12]\.\d{3}$/.test(t), "IPC of its columns");
      assert.equal(await page.textContent('[data-tile="cache"] .quality'), "not measured");
      assert.match(await page.getAttribute('[data-tile="cache"] .quality', "title"), /\S/);
      assert.match(await page.textContent('[data-panel="cpu"] .words'), /^Not in what was measured\.$/);
      assert.match(await page.textContent('[data-panel="cpus"] .words'), /^No values of single CPUs: /);
      await until(() => page.textContent('.legend [data-column="instructions"] .quality'), (q) => q === "scaled 75\u00a0%", "its quality");
      // What is there besides is a track, too.
      await until(() => legend(page, "widgets"), (v) => /^[012]$/.test(v), "its values");
      appendFileSync(file, "1,2\n");
      await until(() => page.textContent("[data-status=skipped]"), (t) => t === "1", "a row that is none is skipped and counted");
      // The writer begins anew, without some columns and with others.
      row = (i) => `${time += 100},${500 + i % 100},${40 + i % 5}\n`;
      writeFileSync(file, "timestamp,cycles,cache_misses\n" + rows(20));
      await until(() => page.textContent('.legend [data-column="instructions"] .quality'), (q) => q === "not supported", "no instructions any more");
      await until(() => tile(page, "ipc"), (t) => t === "\u2014", "no IPC");
      await until(() => legend(page, "cycles"), (v) => /^5\d\d$/.test(v), "the newest cycles");
      await waitState(page, "live");
      const ids = (await ask(url, "api/meta")).columns.map((c) => c.id);
      assert.ok(ids.includes("cache_misses") && !ids.includes("widgets"));
    }, { allowed: [/400/] }); // a question that was on its way when its columns went
  } finally {
    clearInterval(writer);
  }
});

test("512 CPUs: the heatmap is readable, and names the CPU that gives a row its colour", async () => {
  const machine = replay(["--cpus", 512, "--events", 4, "--hz", 2, "--seconds", 3600, "--speed", 1]);
  try {
    await withServer(["serve", "-", "--history", "none"], async (page, url) => {
      await waitState(page, "live");
      const first = (await range(page)).to;
      await until(() => range(page), (r) => r.to > first + 3000, "some intervals");
      await page.keyboard.press("1");
      await page.keyboard.press(" ");
      await waitState(page, "paused");
      const remark = await page.textContent('[data-panel="cpus"] .remark');
      const group = Number(/^(\d) CPUs a row: the highest$/.exec(remark)[1]);
      const r = await range(page);
      const box = await page.locator(".heat-over").boundingBox();
      const across = 1 - 250 / span(r); // the middle of the newest interval: at its edge, a pixel would decide
      for (const share of [0.1, 0.7]) {
        await page.mouse.move(box.x + box.width * across, box.y + box.height * share);
        const read = async () => Number(/^CPU (\d+) at/.exec(await page.textContent(".readout .label"))?.[1] ?? NaN);
        const cpu = await until(read, (c) => Math.abs(c - share * 512) < 2 * group, "a CPU of the row under the pointer");
        const row = Math.floor(cpu / group);
        const t = r.to - 250;
        const ids = Array.from({ length: group }, (_, i) => row * group + i);
        const values = await Promise.all(ids.map(async (c) => (await ask(url, `api/data?from=${t}&to=${t + 500}&cpu=${c}&columns=cycles`))[0].cycles));
        assert.equal(cpu, ids[values.indexOf(Math.max(...values))], `the highest of ${values}`);
      }
      await page.mouse.click(box.x + box.width * across, box.y + box.height * 0.7);
      const label = await page.textContent(".readout .label");
      await until(() => page.getAttribute('[data-panel="cycles"]', "data-cpu"), (c) => label.startsWith(`CPU ${c} at`), "its charts");
    }, { input: machine.output, allowed: DROPPED });
  } finally {
    await machine.stop();
  }
});

test("an interval of 1 ms: live, each interval at hand, the span in milliseconds", () =>
  withServer(["-I", "1ms", "--csv", "none", "--history", "none"], async (page, url) => {
    await waitState(page, "live");
    assert.match(await page.textContent(".facts"), /every 1\sms/);
    const { to } = await range(page);
    await until(() => range(page), (r) => r.to > to + 1000, "a second of it");
    await page.keyboard.press(" ");
    await waitState(page, "paused");
    // A machine misses ticks: of the last seconds before, some intervals without one.
    const { to: end } = await range(page);
    const recent = (await ask(url, `api/data?from=${end - 5000}&to=${end}&columns=context_switches_per_second`)).map((s) => s.timestamp);
    const whole = recent.findLastIndex((t, i) => t < end - 500 && i >= 10 && t - recent[i - 10] === 10);
    assert.ok(whole > 0, `ten intervals without a missed tick among ${recent.length}`);
    const middle = recent[whole - 5];
    const box = await plotBox(page, "software");
    for (let i = 0, v = await range(page); i < 100 && span(v) > 5.01; i++) {
      // Aimed anew at each step: at first a pixel is 46 ms.
      await page.mouse.move(box.x + box.width * (middle - v.from) / span(v), box.y + box.height / 2);
      await page.mouse.wheel(0, -400);
      v = await range(page);
    }
    const r = await until(() => range(page), (v) => Math.abs(span(v) - 5) < 0.01, "five intervals");
    assert.ok(r.from < middle && middle < r.to, `${middle} is in the view of ${r.from} to ${r.to}`);
    await until(() => page.textContent(".span"), (t) => /^\d\d:\d\d:\d\d\.\d{3} \u2013 \d\d:\d\d:\d\d\.\d{3} \(5\sms\)$/.test(t), "milliseconds");
    const samples = await ask(url, `api/data?from=${r.from - 1}&to=${r.to + 1}&columns=context_switches_per_second`);
    assert.ok(samples.length >= 4);
    await until(() => drawn(page, "software", "--series-1"), (s) => s > 0.5, "its line");
  }, { allowed: DROPPED }));

test("asleep for longer than the server's memory reaches: what was measured meanwhile comes from its disk, without a hole", async () => {
  const hz = 50;
  const machine = replay(["--cpus", 64, "--events", 8, "--hz", hz, "--seconds", 3600, "--speed", 1]); // ended below
  const kept = join(folder, "asleep");
  mkdirSync(kept);
  chmodSync(kept, 0o777); // where the server, which is not root any more, keeps its history
  try {
    await withServer(["serve", "-", "--history", join(kept, "history.db"), "--memory", "1MiB"], async (page, url, line) => {
      await waitState(page, "live");
      await line.cut();
      await waitState(page, "reconnecting");
      await until(() => page.textContent(".reason"), (t) => t === "the server cannot be reached", "the reason in words");
      const { latest } = await ask(url, "api/meta");
      await until(() => ask(url, "api/meta"), (m) => m.first > latest + 500, "the memory to begin after what the page has seen");
      await line.mend();
      await waitState(page, "live");
      await machine.stop();
      await until(() => page.getAttribute("html", "data-state"), (s) => s === "ended" || s === "failed", "the end, perhaps within a record");
      const { history: { first }, latest: last } = await ask(url, "api/meta");
      await page.evaluate(([from, to]) => { location.hash = `#from=${from}&to=${to}`; }, [first, last]);
      await until(() => range(page), (r) => r.from === first && r.to === last, "all that was measured");
      // So small a memory may be overrun on a busy machine before its rows are kept: the server counts those.
      const { lost } = (await ask(url, "api/meta")).history;
      const most = 0.02 + lost / ((last - first) / 1000 * hz);
      await until(() => longestHole(page, "cycles", "--series-1"), (h) => h < most, `its line, without a hole but for ${lost} lost intervals`);
    }, { input: machine.output, allowed: NETWORK, through: breakable });
  } finally {
    await machine.stop();
  }
});
