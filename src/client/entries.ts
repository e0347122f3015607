/**
 * Reads a stream of entries across broken connections: each entry is yielded once, in order.
 *
 * A position is the ID of the last entry that was yielded. `since` and `tail` depend on the moment at which they are
 * evaluated, so with `follow` they are read up to the present end first, and what follows is read from a position.
 */
import { ManagerError } from './errors.ts';
import { isPassing, retryDelay, sleep } from './retry.ts';
import type { StreamItem, StreamSource, StreamStart, Transport } from './transport.ts';

/** Before any entry. */
export const STREAM_START = '0-0';
const ENTRY_ID = /^\d+-\d+$/;

export interface ReadOptions {
  /** Begins after the entry with this ID, or at this time: RFC 3339, a Date, or a duration such as `10m`. */
  since?: string | Date | undefined;
  /** Begins with the last n entries. By default, reading begins with the oldest entry. */
  tail?: number | undefined;
  /** Whether to wait for new entries until the worker has ended; true by default. */
  follow?: boolean | undefined;
  /** Ends the reading; it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

export interface ReconnectPolicy {
  /** Number of retries before the first connection. */
  retries: number;
  /** Time after a broken connection during which it is retried. */
  reconnectSeconds: number;
}

type StreamTransport = Pick<Transport, 'openStream'>;

export async function* readEntries(
  transport: StreamTransport,
  source: StreamSource,
  options: ReadOptions,
  policy: ReconnectPolicy,
): AsyncGenerator<StreamItem> {
  const { tail, follow = true, signal } = options;
  const since = options.since instanceof Date ? options.since.toISOString() : options.since;
  const exact = tail !== undefined ? undefined : since === undefined ? STREAM_START : toEntryId(since);
  const read = (start: StreamStart) => resume(transport, source, start, policy, signal);
  if (exact !== undefined) {
    yield* read({ after: exact, follow });
    return;
  }
  // Read before the first part, so that no entry between the parts is missed.
  let position = follow ? await lastEntryId(transport, source, policy, signal) : STREAM_START;
  const existing = tail === 0 ? [] : read({ since, tail, follow: false });
  for await (const item of existing) {
    position = item.id;
    yield item;
  }
  if (follow) yield* read({ after: position, follow });
}

/** The ID of the last entry that exists now. */
export async function lastEntryId(
  transport: StreamTransport,
  source: StreamSource,
  policy: ReconnectPolicy,
  signal?: AbortSignal,
): Promise<string> {
  let position = STREAM_START;
  const start = { tail: 1, follow: false };
  for await (const { id } of resume(transport, source, start, policy, signal)) position = id;
  return position;
}

const toEntryId = (since: string) => (ENTRY_ID.test(since) ? since : undefined);

/** Opens the stream again after the last entry, if the connection breaks. */
async function* resume(
  transport: StreamTransport,
  source: StreamSource,
  start: StreamStart,
  { retries, reconnectSeconds }: ReconnectPolicy,
  signal: AbortSignal | undefined,
): AsyncGenerator<StreamItem> {
  let next = start;
  let opened = false;
  let failed = 0;
  let failingSince: number | undefined;
  for (;;) {
    signal?.throwIfAborted();
    // Leaving the loop early aborts the request.
    const request = new AbortController();
    const both = signal ? AbortSignal.any([signal, request.signal]) : request.signal;
    try {
      const items = transport.openStream(source, next, both, () => {
        opened = true;
        failed = 0;
        failingSince = undefined;
      });
      for await (const item of items) {
        next = { after: item.id, follow: start.follow };
        yield item;
      }
      return;
    } catch (error) {
      signal?.throwIfAborted();
      failingSince ??= performance.now();
      const seconds = (performance.now() - failingSince) / 1000;
      if (!isPassing(error) || (opened ? seconds > reconnectSeconds : failed >= retries)) throw error;
      await sleep(retryDelay(failed, error), signal);
      failed += 1;
    } finally {
      request.abort(new ManagerError('unavailable', 'The reader has left the stream.'));
    }
  }
}
