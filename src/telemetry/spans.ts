/**
 * Spans of traces. They are created when they have ended, from times that are in records, so a manager can continue what
 * another one began, and nothing is kept in memory for a worker that starts slowly.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

type Attribute = string | number | boolean | string[] | undefined;

/** A span that has ended. */
export interface EndedSpan {
  name: string;
  traceId: string;
  spanId: string;
  /** Absent for the first span of a trace. */
  parentId?: string | undefined;
  /** Milliseconds since 1970. */
  start: number;
  end: number;
  attributes: Record<string, Attribute>;
  /** What failed; absent if nothing did. */
  error?: string | undefined;
}

/** Exports spans. Never throws, and never waits. */
export interface SpanExport {
  add(span: EndedSpan): void;
  /** Sends what waits. */
  close(): Promise<void>;
}

/** A call within a scope. */
export interface ScopedCall {
  name: string;
  start: number;
  end: number;
  failed: boolean;
}

/** Collects the calls of one asynchronous function, without a parameter in each function on the way. */
export class CallScope<T extends { calls: ScopedCall[] }> {
  readonly #storage = new AsyncLocalStorage<T>();

  run<R>(scope: T, act: () => Promise<R>): Promise<R> {
    return this.#storage.run(scope, act);
  }

  get current(): T | undefined {
    return this.#storage.getStore();
  }

  /** A call has ended now; outside of a scope, it is ignored. */
  note(name: string, seconds: number, failed: boolean): void {
    const end = Date.now();
    this.current?.calls.push({ name, start: end - seconds * 1000, end, failed });
  }
}
