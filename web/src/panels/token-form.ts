// SPDX-License-Identifier: Apache-2.0
// Asks for the token that the server was started with. It goes from here into a header, never into a URL.

import type { Session } from "../data/session";
import { el, setText } from "../lib/dom";

export function tokenForm(session: Session): HTMLDialogElement {
  const input = el("input", { type: "password", name: "token", autocomplete: "off", required: true, id: "token" });
  const message = el("p", { class: "error", role: "alert" });
  const form = el("form", {},
    el("h2", {}, "This server asks for a token"),
    el("p", {}, "It is the content of the file that was given with ", el("code", {}, "--token-file"), "."),
    el("label", { for: "token" }, "Token"), input, message,
    el("button", { type: "submit", class: "primary" }, "Continue"));
  const dialog = el("dialog", { class: "token" }, form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const token = input.value.trim();
    input.value = "";
    if (token !== "") session.useToken(token);
  });
  // Escape must not leave a page that waits for nothing.
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  session.connection.watch(({ state, reason }) => {
    setText(message, state === "token" ? reason : "");
    if (state === "token" && !dialog.open) {
      dialog.showModal();
      input.focus();
    } else if (state !== "token" && state !== "connecting" && dialog.open) {
      dialog.close();
    }
  });
  return dialog;
}
