// SPDX-License-Identifier: Apache-2.0
// node build.mjs OUT: the page as one self-contained document, and OUT.gz beside it. Equal sources give equal bytes.
//
// Its Content-Security-Policy lets in the one script and the one style below by their hashes, connections to its own
// server, and nothing else; the browser then refuses whatever text from a measured machine might try.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2];
if (!out || process.argv.length > 3) {
  console.error("usage: node build.mjs OUT.html");
  process.exit(2);
}

const result = await build({
  absWorkingDir: here,
  entryPoints: ["src/main.ts"],
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome116", "firefox124", "safari17.4"],
  charset: "utf8",
  legalComments: "inline", // uPlot's and Preact's licences ask for their notices
  outdir: "build",
  write: false,
  logLevel: "warning",
});

const text = (suffix) => result.outputFiles.find((f) => f.path.endsWith(suffix)).text.trim();
const script = text(".js");
const style = text(".css");
if (/<\/script|<!--/i.test(script) || /<\/style/i.test(style)) {
  throw new Error("the bundle has text that would end its own element");
}

const hash = (s) => `'sha256-${createHash("sha256").update(s, "utf8").digest("base64")}'`;
const csp = [
  "default-src 'none'",
  "connect-src 'self'",
  `script-src ${hash(script)}`,
  `style-src ${hash(style)}`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

// Functions, so that a $ in the bundle is a $.
const html = readFileSync(join(here, "src/index.html"), "utf8")
  .replace("%CSP%", () => csp)
  .replace("%ICON%", () => readFileSync(join(here, "src/icon.png"), "base64"))
  .replace("%STYLE%", () => style)
  .replace("%SCRIPT%", () => script);

const gz = gzipSync(html, { level: constants.Z_BEST_COMPRESSION });
gz[9] = 255; // the header's operating system: "unknown", on every machine

/** A build that reads the file at this moment gets the old one or the new one. */
function write(path, bytes) {
  writeFileSync(path + ".tmp", bytes);
  renameSync(path + ".tmp", path);
}
mkdirSync(dirname(out), { recursive: true });
write(out, html);
write(out + ".gz", gz);
console.error(`${out}: ${html.length} bytes, ${gz.length} gzipped`);
