// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { EVENT_MAX, SseParser, type StreamEvent } from "../src/data/sse";

const STREAM = ": keep-alive\n\nevent: sample\nid: 6f2a.42\ndata: [1,\ndata: 2]\n\nevent: end\ndata: {\"reason\":\"x\"}\n\n";
const EVENTS: StreamEvent[] = [
  { event: "sample", id: "6f2a.42", data: "[1,\n2]" },
  { event: "end", id: "6f2a.42", data: "{\"reason\":\"x\"}" },
];

test("events come whole, however the bytes are cut", () => {
  for (let cut = 0; cut <= STREAM.length; cut++) {
    const parser = new SseParser();
    assert.deepEqual([...parser.push(STREAM.slice(0, cut)), ...parser.push(STREAM.slice(cut))], EVENTS);
  }
  const parser = new SseParser();
  assert.deepEqual([...STREAM].flatMap((c) => parser.push(c)), EVENTS);
});

test("all three line ends, also cut in the middle", () => {
  for (const end of ["\n", "\r\n", "\r"]) {
    const text = STREAM.replaceAll("\n", end);
    const parser = new SseParser();
    assert.deepEqual([...text].flatMap((c) => parser.push(c)), EVENTS, JSON.stringify(end));
  }
});

test("an event that is not complete is not given", () => {
  assert.deepEqual(new SseParser().push("event: sample\ndata: []\n"), []);
});

test("no data, no event; the name does not stay", () => {
  const parser = new SseParser();
  assert.deepEqual(parser.push("event: sample\n\ndata: a\n\n"), [{ event: "message", id: "", data: "a" }]);
});

test("only one space is taken from a value; a field may have none", () => {
  assert.deepEqual(new SseParser().push("data:  a\ndata\n\n"), [{ event: "message", id: "", data: " a\n" }]);
});

test("an endless event is refused", () => {
  const parser = new SseParser();
  const piece = "x".repeat(1 << 24);
  assert.throws(() => {
    for (let i = 0; i <= EVENT_MAX / piece.length + 1; i++) parser.push(piece);
  }, /too large/);
});
