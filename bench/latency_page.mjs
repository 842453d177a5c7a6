// SPDX-License-Identifier: Apache-2.0
// node latency_page.mjs ADDRESS SECONDS: how many ms after its timestamp each sample reaches a stream handler in a real
// browser, one a line. The handler is fetch()'s reader, as the page's own is.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(fileURLToPath(new URL("../web/package.json", import.meta.url)));
const { chromium } = require("playwright-core");

const [address, seconds] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  const page = await browser.newPage();
  await page.goto(address + "healthz");
  const delays = await page.evaluate(async (ms) => {
    const found = [];
    const abort = new AbortController();
    setTimeout(() => abort.abort(), ms);
    const started = Date.now();
    try {
      const reader = (await fetch("/api/stream?columns=cpu_use", { signal: abort.signal })).body.getReader();
      const text = new TextDecoder();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        const now = performance.timeOrigin + performance.now();
        for (const match of text.decode(value).matchAll(/"timestamp":(\d+)/g))
          if (Number(match[1]) > started + 1000) found.push(now - Number(match[1]));
      }
    } catch (e) {
      if (e.name !== "AbortError") throw e;
    }
    return found;
  }, Number(seconds) * 1000);
  console.log(delays.map((d) => d.toFixed(3)).join("\n"));
} finally {
  await browser.close();
}
