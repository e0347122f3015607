/** A value that components follow. */
import { useEffect, useReducer } from 'preact/hooks';

export class Observable<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Calls the listener after each change; returns the function that ends it. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

/** The value of a store; the component is rendered again when it changes. */
export function useStore<T>(store: Observable<T>): T {
  const [, render] = useReducer((count: number, _: undefined) => count + 1, 0);
  useEffect(() => {
    const rendered = store.value;
    const end = store.subscribe(() => render(undefined));
    // It may have changed between the rendering and this effect.
    if (!Object.is(rendered, store.value)) render(undefined);
    return end;
  }, [store]);
  return store.value;
}
