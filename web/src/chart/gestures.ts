// SPDX-License-Identifier: Apache-2.0
// Moving in time by hand: wheel zooms at the cursor, dragging pans, Shift and dragging zooms to the selection, a double
// click goes back to live; the same by keys.

import type { View } from "./view";

/** Shorter drags are clicks. CSS pixels. */
const CLICK_PX = 4;
/** Zoom for one pixel of the wheel; a notch is about 100. */
const WHEEL_RATE = 0.002;
const LINE_PX = 33;
const KEY_PAN = 0.1;
const KEY_PAN_FAR = 0.5;
const KEY_ZOOM = 1.5;

export interface Selectable {
  readonly over: HTMLElement;
  select(left: number, width: number): void;
}

interface Drag {
  pointer: number;
  x: number;
  /** Right end of the view when the drag began. */
  to: number;
  selecting: boolean;
  moved: boolean;
}

export function attachGestures(target: Selectable, view: View, onSelect: (from: number, to: number) => void): void {
  const { over } = target;
  let drag: Drag | null = null;

  const timeAt = (x: number): number => {
    const box = over.getBoundingClientRect();
    const { from, to } = view.range();
    return from + ((x - box.left) / Math.max(1, box.width)) * (to - from);
  };

  over.addEventListener("wheel", (event) => {
    if (event.ctrlKey) return; // the browser's own zoom
    event.preventDefault();
    const unit = event.deltaMode === 0 ? 1 : LINE_PX;
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      view.moveTo(view.range().to + (event.deltaX * unit / Math.max(1, over.clientWidth)) * view.span);
    } else if (event.deltaY !== 0) {
      view.zoom(Math.exp(event.deltaY * unit * WHEEL_RATE), timeAt(event.clientX));
    }
  }, { passive: false });

  over.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || drag) return;
    over.setPointerCapture(event.pointerId);
    drag = { pointer: event.pointerId, x: event.clientX, to: view.range().to, selecting: event.shiftKey, moved: false };
  });

  over.addEventListener("pointermove", (event) => {
    if (!drag || event.pointerId !== drag.pointer) return;
    const dx = event.clientX - drag.x;
    if (!drag.moved && Math.abs(dx) < CLICK_PX) return;
    drag.moved = true;
    const box = over.getBoundingClientRect();
    if (drag.selecting) {
      const a = Math.max(0, Math.min(drag.x, event.clientX) - box.left);
      const b = Math.min(box.width, Math.max(drag.x, event.clientX) - box.left);
      target.select(a, b - a);
    } else {
      over.classList.add("panning");
      view.moveTo(drag.to - (dx / Math.max(1, box.width)) * view.span);
    }
  });

  const finish = (event: PointerEvent, apply: boolean): void => {
    if (!drag || event.pointerId !== drag.pointer) return;
    const { selecting, moved, x } = drag;
    drag = null;
    over.classList.remove("panning");
    target.select(0, 0);
    if (!apply || !selecting || !moved) return;
    // Times are taken now: while the view follows, the chart has moved on below the selection.
    const a = timeAt(Math.min(x, event.clientX));
    const b = timeAt(Math.max(x, event.clientX));
    onSelect(a, b);
  };
  over.addEventListener("pointerup", (event) => finish(event, true));
  over.addEventListener("pointercancel", (event) => finish(event, false));
  over.addEventListener("dblclick", () => view.follow());
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select, button, a, summary");
}

export function attachKeys(view: View, spans: readonly number[]): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    // Space and Enter belong to a control that has the focus; a text field keeps all keys.
    const target = event.target;
    if (target instanceof HTMLInputElement || (event.key === " " && typing(target))) return;
    const pan = (event.shiftKey ? KEY_PAN_FAR : KEY_PAN) * view.span;
    const preset = spans[Number(event.key) - 1];
    switch (event.key) {
      case " ": view.togglePause(); break;
      case "Escape": case "End": view.follow(); break;
      case "ArrowLeft": view.moveTo(view.range().to - pan); break;
      case "ArrowRight": view.moveTo(view.range().to + pan); break;
      case "+": case "=": view.zoom(1 / KEY_ZOOM, null); break;
      case "-": case "_": view.zoom(KEY_ZOOM, null); break;
      default:
        if (preset === undefined) return;
        view.setSpan(preset);
    }
    event.preventDefault();
  });
}
