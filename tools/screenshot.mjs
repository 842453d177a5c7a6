// SPDX-License-Identifier: Apache-2.0
// node tools/screenshot.mjs URL OUT.png [light|dark] [WIDTHxHEIGHT] [SECONDS]: the page as Chromium shows it, after it was
// live for so many seconds. README's picture: tests/pmu/demo.sh --port 5050, then this on http://127.0.0.1:5050/.
import { launch, open, waitState } from "../tests/e2e/browser.mjs";

const [url, out, scheme = "light", size = "1600x1000", seconds = "60"] = process.argv.slice(2);
const [width, height] = size.split("x").map(Number);
const browser = await launch();
try {
  const { page } = await open(browser, url, { viewport: { width, height }, colorScheme: scheme });
  await waitState(page, "live");
  await page.waitForTimeout(Number(seconds) * 1000);
  await page.mouse.move(width * 0.6, height * 0.3);
  await page.waitForTimeout(300);
  await page.screenshot({ path: out });
} finally {
  await browser.close();
}
