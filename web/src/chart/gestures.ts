// SPDX-License-Identifier: Apache-2.0
// Moving in time by hand. Mouse: the wheel zooms at the cursor, dragging pans, Shift and dragging selects, a double click goes back
// to live. Touch: two fingers zoom and pan, one finger sideways pans (up and down it scrolls the page), a long press and
// dragging selects, a tap puts the cursor there until the next one.

import type { PageState } from "../data/state";
import type { View } from "./view";

/** Shorter drags are clicks. CSS pixels. */
const CLICK_PX = 4;
const TOUCH_CLICK_PX = 8;
const LONG_PRESS_MS = 450;
/** A tap so near to the one before takes its cursor away. */
const TAP_AGAIN_PX = 20;
/** Zoom for one pixel of the wheel; a notch is about 100. */
const WHEEL_RATE = 0.002;
const LINE_PX = 33;

export interface GestureTarget {
  /** The element over a plot area. */
  over: HTMLElement;
  /** The pointer is this many CSS pixels from the plot's left and top edge; null: it is elsewhere. */
  point?(at: { x: number; y: number } | null): void;
  click?(at: { x: number; y: number }): void;
}

export interface GestureContext {
  view: View;
  state: PageState;
  onCursor(left: number | null): void;
}

type Mode = "pan" | "select" | "pinch";

interface Finger {
  x: number;
  y: number;
  /** The time that it was put down at, and stays at in a pinch. */
  time: number;
}

interface Drag {
  mode: Mode;
  startX: number;
  startY: number;
  startTime: number;
  /** Right end of the view when the drag began. */
  to: number;
  moved: boolean;
  touch: boolean;
}

export function attachGestures(target: GestureTarget, { view, state, onCursor }: GestureContext): void {
  const { over } = target;
  const fingers = new Map<number, Finger>();
  let drag: Drag | null = null;
  /** Where a finger has put the cursor. */
  let tapped: number | null = null;
  let pressTimer: ReturnType<typeof setTimeout> | undefined;

  const box = (): DOMRect => over.getBoundingClientRect();
  const timeAt = (x: number): number => {
    const { left, width } = box();
    const { from, to } = view.range();
    return from + ((x - left) / Math.max(1, width)) * (to - from);
  };
  const clampedTime = (x: number): number => {
    const { from, to } = view.range();
    return Math.min(to, Math.max(from, timeAt(x)));
  };

  over.addEventListener("wheel", (event) => {
    if (event.ctrlKey) return; // the browser's own zoom
    event.preventDefault();
    const unit = event.deltaMode === 0 ? 1 : LINE_PX;
    // With Shift, many browsers turn the wheel sideways by themselves, but not all.
    const sideways = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      view.moveTo(view.range().to + (sideways * unit / Math.max(1, over.clientWidth)) * view.span);
    } else if (event.deltaY !== 0) {
      view.zoom(Math.exp(event.deltaY * unit * WHEEL_RATE), timeAt(event.clientX));
    }
  }, { passive: false });

  over.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || fingers.size >= 2) return;
    over.setPointerCapture(event.pointerId);
    const touch = event.pointerType === "touch";
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY, time: timeAt(event.clientX) });
    clearTimeout(pressTimer);
    if (fingers.size === 2) {
      if (drag?.mode === "select") return;
      drag = { mode: "pinch", startX: 0, startY: 0, startTime: 0, to: 0, moved: true, touch };
      return;
    }
    drag = {
      mode: event.shiftKey || state.brush.get() ? "select" : "pan",
      startX: event.clientX, startY: event.clientY, startTime: clampedTime(event.clientX), to: view.range().to, moved: false, touch,
    };
    const mine = drag;
    if (touch) {
      pressTimer = setTimeout(() => {
        if (drag !== mine || mine.moved) return;
        mine.mode = "select";
        over.classList.add("selecting");
      }, LONG_PRESS_MS);
    }
  });

  const pinch = (): void => {
    const [a, b] = [...fingers.values()];
    if (!a || !b) return;
    const [l, r] = a.time <= b.time ? [a, b] : [b, a];
    const { left, width } = box();
    const apart = Math.max(20, r.x - l.x);
    const span = ((r.time - l.time) / apart) * width;
    const middle = (l.time + r.time) / 2;
    const from = middle - (((l.x + r.x) / 2 - left) / width) * span;
    if (span > 0) view.setRange(from, from + span);
  };

  over.addEventListener("pointermove", (event) => {
    const { left, top } = box();
    if (event.pointerType !== "touch" || drag) {
      onCursor(event.clientX - left);
      target.point?.({ x: event.clientX - left, y: event.clientY - top });
    }
    const finger = fingers.get(event.pointerId);
    if (!drag || !finger) return;
    finger.x = event.clientX;
    finger.y = event.clientY;
    if (drag.mode === "pinch") {
      pinch();
      return;
    }
    const dx = event.clientX - drag.startX;
    if (!drag.moved && Math.hypot(dx, drag.mode === "select" ? 0 : event.clientY - drag.startY) < (drag.touch ? TOUCH_CLICK_PX : CLICK_PX)) return;
    drag.moved = true;
    if (drag.mode === "select") {
      const at = clampedTime(event.clientX);
      if (at !== drag.startTime) state.selection.set({ from: Math.min(at, drag.startTime), to: Math.max(at, drag.startTime) });
    } else {
      over.classList.add("panning");
      view.moveTo(drag.to - (dx / Math.max(1, over.clientWidth)) * view.span);
    }
  });

  const finish = (event: PointerEvent, apply: boolean): void => {
    if (!fingers.delete(event.pointerId)) return;
    clearTimeout(pressTimer);
    const done = drag;
    drag = null;
    over.classList.remove("panning", "selecting");
    if (!done) return;
    if (done.mode === "pinch") {
      fingers.clear();
      // At the live edge it goes on following.
      view.moveTo(view.range().to);
    } else if (apply && done.mode === "select" && done.moved) {
      state.brush.set(false);
    } else if (apply && !done.moved) {
      const { left, top } = box();
      target.click?.({ x: event.clientX - left, y: event.clientY - top });
    }
    if (done.touch) {
      const { left, top } = box();
      const x = event.clientX - left;
      const again = tapped !== null && Math.abs(x - tapped) < TAP_AGAIN_PX;
      tapped = apply && !done.moved && !again ? x : null;
      onCursor(tapped);
      target.point?.(tapped === null ? null : { x, y: event.clientY - top });
    }
  };
  over.addEventListener("pointerup", (event) => finish(event, true));
  over.addEventListener("pointercancel", (event) => finish(event, false));
  over.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "touch") return; // a finger leaves with every tap
    onCursor(null);
    target.point?.(null);
  });
  over.addEventListener("dblclick", () => view.follow());
  // A finger that selects or pinches does not scroll the page too, and a long press opens no menu.
  over.addEventListener("touchmove", (event) => {
    if (drag && drag.mode !== "pan" && event.cancelable) event.preventDefault();
  }, { passive: false });
  over.addEventListener("contextmenu", (event) => {
    if (drag?.touch) event.preventDefault();
  });
}
