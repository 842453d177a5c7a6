// SPDX-License-Identifier: Apache-2.0
// Making elements. Text goes in as text nodes only: strings come from the measured machine and are never HTML.
// (The page's Content-Security-Policy demands trusted types and allows none, so the browser refuses innerHTML as well.)

type Attributes = Record<string, string | boolean | undefined>;

/** An element with attributes (a `class` is one of them) and children; a string child becomes text. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/** Writes the text of an element that holds nothing else, only when it differs: layout is not touched by a value that did not change. */
export function setText(node: Element, text: string): void {
  const { firstChild } = node;
  // The text node that there is goes on: a new one would be attached and styled anew.
  if (firstChild instanceof Text && firstChild === node.lastChild && text !== "") {
    if (firstChild.data !== text) firstChild.data = text;
  } else if (node.textContent !== text) {
    node.textContent = text;
  }
}

/** Sets or (with null) removes an attribute, only when it differs. */
export function setAttribute(node: Element, name: string, value: string | null): void {
  if (value === null) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else if (node.getAttribute(name) !== value) {
    node.setAttribute(name, value);
  }
}

export function button(label: string, title: string, onClick: () => void): HTMLButtonElement {
  const node = el("button", { type: "button", title }, label);
  node.addEventListener("click", onClick);
  return node;
}
