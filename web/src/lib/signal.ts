// SPDX-License-Identifier: Apache-2.0
// The smallest observable value that does: one value, its listeners, told at once.

export interface Signal<T> {
  get(): T;
  set(value: T): void;
  /** Calls `listener` now and at every change, until the function that it gives back is called. */
  watch(listener: (value: T) => void): () => void;
}

export function signal<T>(initial: T): Signal<T> {
  let current = initial;
  let listeners: readonly ((value: T) => void)[] = [];
  return {
    get: () => current,
    set(value) {
      if (Object.is(value, current)) return;
      current = value;
      for (const listener of listeners) listener(value);
    },
    watch(listener) {
      // A new array each time: one who leaves while all are told does not shift the others.
      listeners = [...listeners, listener];
      listener(current);
      return () => {
        listeners = listeners.filter((l) => l !== listener);
      };
    },
  };
}
