// SPDX-License-Identifier: Apache-2.0
// The real program, and streams of machines that are not here. CYCLESCOPE names the binary.

import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { PATIENCE_MS } from "./browser.mjs";

const BINARY = process.env.CYCLESCOPE ?? fileURLToPath(new URL("../../build/cyclescope", import.meta.url));
const REPLAY = join(dirname(BINARY), "bench/bench-replay");

/** Starts the program; `url` resolves with its address when it listens. `input`: where its standard input comes from. */
export function start(args = ["--csv", "none"], { listen = "127.0.0.1:0", input = "ignore" } = {}) {
  const child = spawn(BINARY, [...args, "--listen", listen], { stdio: [input, "ignore", "pipe"] });
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

/** Starts a stream of a machine that is not here (bench/replay.c), to `output` ("pipe", or a descriptor). */
export function replay(args, output = "pipe") {
  const child = spawn(REPLAY, args.map(String), { stdio: ["ignore", output, "ignore"] });
  const exited = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  const stop = () => {
    child.kill("SIGKILL");
    return exited;
  };
  return { output: child.stdout, exited, stop };
}
