// SPDX-License-Identifier: Apache-2.0
// Theme: follows the system until the person chooses. Colours live in the stylesheet as custom properties; what is drawn
// on a canvas asks for them here, and is told when they change.

import { signal } from "./signal";

export type Theme = "auto" | "light" | "dark";

const KEY = "cyclescope-theme";
const ORDER: readonly Theme[] = ["auto", "light", "dark"];

export const theme = signal<Theme>("auto");

/** Changes with every change of the colours in force; its number means nothing else. */
export const colours = signal(0);

let resolved = new Map<string, string>();

/** The value of a colour's custom property, such as `--series-1`. */
export function colour(name: string): string {
  let value = resolved.get(name);
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    resolved.set(name, value);
  }
  return value;
}

function apply(next: Theme): void {
  const root = document.documentElement;
  if (next === "auto") root.removeAttribute("data-theme");
  else root.setAttribute("data-theme", next);
  resolved = new Map();
  colours.set(colours.get() + 1);
}

/** `given`: from a link, for this page only. */
export function startTheme(given: Theme | null): void {
  let saved: string | null = null;
  try {
    saved = localStorage.getItem(KEY);
  } catch {
    // Storage may be forbidden; then the choice lasts as long as the page.
  }
  theme.set(given ?? ORDER.find((t) => t === saved) ?? "auto");
  theme.watch(apply);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => apply(theme.get()));
}

export function nextTheme(): void {
  const next = ORDER[(ORDER.indexOf(theme.get()) + 1) % ORDER.length] ?? "auto";
  theme.set(next);
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // As above.
  }
}
