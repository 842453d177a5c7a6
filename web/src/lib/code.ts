// SPDX-License-Identifier: Apache-2.0
// Sentences in which commands stand between backquotes (the doctor's remedies).

export interface Piece {
  code: boolean;
  text: string;
}

/** In order, nothing empty; a backquote without its partner is a character like any other. */
export function splitCode(text: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const found of text.matchAll(/`([^`]+)`/g)) {
    if (found.index > at) pieces.push({ code: false, text: text.slice(at, found.index) });
    pieces.push({ code: true, text: found[1] ?? "" });
    at = found.index + found[0].length;
  }
  if (at < text.length) pieces.push({ code: false, text: text.slice(at) });
  return pieces;
}
