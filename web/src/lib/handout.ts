// SPDX-License-Identifier: Apache-2.0
// What leaves the page: to the clipboard, or as a file.

import { el } from "./dom";

/** After that a download has long begun. */
const REVOKE_MS = 60_000;

export async function copyText(text: string): Promise<void> {
  // Only secure pages (https, or loopback) are given a clipboard.
  if (isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = el("textarea", { class: "visually-hidden", "aria-hidden": "true", readonly: true });
  area.value = text;
  const focused = document.activeElement;
  // Within an open dialog: what lies outside of it cannot be selected.
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  if (!copied) throw new Error("the browser does not allow it");
}

export function saveFile(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), REVOKE_MS);
}

/** `workbench-20261122-203000`: a name that any file system takes, whatever the machine is called. */
export function fileStem(host: string, ms: number): string {
  const d = new Date(ms);
  const two = (n: number): string => String(n).padStart(2, "0");
  const safe = host.replaceAll(/[^A-Za-z0-9.-]+/g, "_").slice(0, 40) || "cyclescope";
  return `${safe}-${d.getFullYear()}${two(d.getMonth() + 1)}${two(d.getDate())}-${two(d.getHours())}${two(d.getMinutes())}${two(d.getSeconds())}`;
}
