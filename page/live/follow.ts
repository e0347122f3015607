/**
 * Follows a stream of the manager until it ends. A broken connection, also to a manager that is restarted, is opened again
 * after the last entry that was received, so that no entry is lost or comes twice.
 */
import { ManagerError } from '../../src/client/errors.ts';
import { sleep } from '../../src/client/retry.ts';
import type { StreamItem, StreamSource } from '../../src/client/transport.ts';
import { api } from './session.ts';
import { shown, untilShown } from './visibility.ts';

/** Milliseconds between attempts: the first, and the longest. */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5000;

export interface FollowOptions {
  /** Entries to begin with if `after` is not given; `undefined` for all. */
  tail: number | undefined;
  /** Continues after this entry. */
  after?: string | undefined;
  signal: AbortSignal;
  onItem: (item: StreamItem) => void;
  /** Called after each change of the connection. */
  onConnected: (connected: boolean) => void;
}

/** Resolves at the end of the stream; rejects if the manager refuses it, or with the signal's reason. */
export async function followStream(source: StreamSource, options: FollowOptions): Promise<void> {
  const { tail, signal, onItem, onConnected } = options;
  let { after } = options;
  for (let failed = 0; ; ) {
    await untilShown(signal);
    const hidden = new AbortController();
    const end = shown.subscribe(() => shown.value || hidden.abort());
    try {
      const start = after === undefined ? { tail, follow: true } : { after, follow: true };
      const both = AbortSignal.any([signal, hidden.signal]);
      const items = api.openStream(source, start, both, () => {
        failed = 0;
        onConnected(true);
      });
      for await (const item of items) {
        after = item.id;
        onItem(item);
      }
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (hidden.signal.aborted) continue;
      // A refusal is final, except for those of a manager that starts, or has too many streams.
      if (error instanceof ManagerError && error.status >= 400 && error.status < 500 && error.status !== 429)
        throw error;
      onConnected(false);
      await sleep(Math.min(FIRST_WAIT_MS * 2 ** failed, LONGEST_WAIT_MS), signal);
      failed = Math.min(failed + 1, 8);
    } finally {
      end();
    }
  }
}
