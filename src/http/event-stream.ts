/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). The client's pace decides how fast
 * the source is read, so a slow client holds a bounded number of entries.
 */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { DURATION_ALLOWED, Fault, parseDuration } from '../model/index.ts';

/** An entry of a stream, unparsed. */
export interface SourceEntry {
  id: string;
  data: string;
}

/** The end of a stream, as data of its last event. */
export interface SourceEnd {
  end: object;
}

/** Interval between comments while nothing happens, so that proxies and clients notice a lost connection. */
const HEARTBEAT_MS = 15_000;
/** Bytes that wait for the client in this thread; as many wait in the forwarder. */
const BUFFERED = 65_536;
/** How long a client waits before it reconnects. */
const RECONNECT_MS = 1000;

/** The query of a stream. */
export const streamQuery = z.strictObject({
  since: z
    .string()
    .max(64)
    .optional()
    .describe('begin after this entry ID, at this time (RFC 3339), or this long ago (`10m`)'),
  tail: z.coerce.number().int().min(0).max(100_000).optional().describe('begin with the last entries'),
  follow: z
    .enum(['true', 'false'])
    .default('true')
    .describe('`false`: end at the present end instead of waiting for more'),
});
export type StreamQuery = z.infer<typeof streamQuery>;

/** The headers of a request for a stream. */
export const streamHeaders = z.object({
  'last-event-id': z.string().optional().describe('continue after this event; before `since` and `tail`'),
});

const ENTRY_ID = /^\d{1,16}(-\d{1,20})?$/;
/** The highest sequence number of an entry ID. */
const LAST_SEQUENCE = '18446744073709551615';

/** Where a stream begins: after an entry ID, or with the last entries; `undefined` for all entries. */
export function getStart(
  request: Pick<FastifyRequest, 'headers'>,
  { since, tail }: Pick<StreamQuery, 'since' | 'tail'>,
  now: number,
): { after: string } | { tail: number } | undefined {
  const last = request.headers['last-event-id'];
  if (typeof last === 'string' && last !== '') {
    if (ENTRY_ID.test(last)) return { after: last };
    throw refuse('Last-Event-ID', 'must be the ID of an event of this stream');
  }
  if (since !== undefined && tail !== undefined) throw refuse('tail', 'cannot be combined with since');
  if (tail !== undefined) return { tail };
  if (since === undefined) return undefined;
  if (ENTRY_ID.test(since) && since.includes('-')) return { after: since };
  const seconds = parseDuration(since);
  const at = seconds === undefined ? toTime(since) : now - seconds * 1000;
  if (at === undefined)
    throw refuse('since', `must be an entry ID, a time in RFC 3339, or ${DURATION_ALLOWED}`);
  return { after: `${Math.max(0, Math.floor(at) - 1)}-${LAST_SEQUENCE}` };
}

function toTime(text: string): number | undefined {
  const at = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

const refuse = (path: string, message: string) =>
  new Fault('invalid_command', `The request was refused: ${path} ${message}.`, {
    issues: [{ path, message }],
  });

/** Sends a source as events until it ends or the client disconnects; then the source's signal fires. */
export function sendEventStream(
  reply: FastifyReply,
  open: (signal: AbortSignal) => AsyncIterable<SourceEntry[] | SourceEnd>,
): FastifyReply {
  const gone = new AbortController();
  // A generator that waits for the next entry can be ended only by its signal.
  reply.raw.once('close', () => gone.abort());
  const events = toEvents(open(gone.signal), gone.signal);
  const body = Readable.from(events, { objectMode: false, highWaterMark: BUFFERED });
  return reply
    .header('content-type', 'text/event-stream; charset=utf-8')
    .header('x-accel-buffering', 'no')
    .send(body);
}

/** The text of the events, with comments while nothing happens. */
export async function* toEvents(
  source: AsyncIterable<SourceEntry[] | SourceEnd>,
  signal: AbortSignal,
  heartbeatMs = HEARTBEAT_MS,
): AsyncGenerator<string> {
  // Sends the headers before the first entry.
  yield `retry: ${RECONNECT_MS}\n\n`;
  const iterator = source[Symbol.asyncIterator]();
  try {
    let next = iterator.next();
    while (!signal.aborted) {
      const found = await orSilence(next, heartbeatMs);
      if (found === undefined) {
        yield ': nothing new\n\n';
        continue;
      }
      if (found.done) return;
      const { value } = found;
      yield Array.isArray(value) ? value.map(toEvent).join('') : toEndEvent(value);
      next = iterator.next();
    }
  } finally {
    await iterator.return?.();
  }
}

/** The result of a read, or `undefined` if there is none within `ms`. */
async function orSilence<T>(read: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([read, silence]);
  } finally {
    clearTimeout(timer);
  }
}

/** The event of an entry; data that is not JSON is sent as a JSON string. */
function toEvent({ id, data }: SourceEntry): string {
  try {
    const { type } = JSON.parse(data) as { type?: unknown };
    const name = typeof type === 'string' && /^[\w.-]{1,64}$/.test(type) ? type : 'message';
    // JSON may contain line breaks between values.
    return `id: ${id}\nevent: ${name}\ndata: ${data.replace(/[\r\n]+/g, ' ')}\n\n`;
  } catch {
    return `id: ${id}\nevent: message\ndata: ${JSON.stringify(data)}\n\n`;
  }
}

const toEndEvent = ({ end }: SourceEnd) => `event: end\ndata: ${JSON.stringify(end)}\n\n`;
