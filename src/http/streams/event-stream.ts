/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). The client's pace decides how fast
 * the source is read, so a slow client holds a bounded number of entries.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** An entry of a stream, unparsed. */
export interface SourceEntry {
  id: string;
  data: string;
  /** Its event as text, once a reader has needed it: many readers share one entry. */
  event?: string;
}

/** The end of a stream, as data of its last event. */
export interface SourceEnd {
  end: object;
}

/** Interval between comments while nothing happens, so that proxies and clients notice a lost connection. */
const HEARTBEAT_MS = 15_000;
/** How long a client waits before it reconnects. */
const RECONNECT_MS = 1000;

/** Sends a source as events until it ends or the client disconnects; then the source's signal fires. */
export async function sendEvents(
  response: ServerResponse,
  open: (signal: AbortSignal) => AsyncIterable<SourceEntry[] | SourceEnd>,
): Promise<void> {
  // A client that has gone already is not reported again.
  if (response.destroyed) return;
  const gone = new AbortController();
  // A generator that waits for the next entry can be ended only by its signal.
  response.once('close', () => gone.abort());
  const { signal } = gone;
  for await (const text of toEvents(open(signal), signal))
    if (!response.write(text)) await once(response, 'drain', { signal }).catch(() => {});
  response.end();
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
  let wake: (silence: undefined) => void = () => {};
  // One timer for the whole stream: each event only moves it.
  const timer = setTimeout(() => wake(undefined), heartbeatMs);
  try {
    let next = iterator.next();
    while (!signal.aborted) {
      timer.refresh();
      const found = await new Promise<Awaited<typeof next> | undefined>((resolve, reject) => {
        wake = resolve;
        next.then(resolve, reject);
      });
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
    clearTimeout(timer);
    await iterator.return?.();
  }
}

const toEvent = (entry: SourceEntry): string => {
  entry.event ??= createEvent(entry);
  return entry.event;
};

/** The event of an entry; data that is not JSON is sent as a JSON string. */
function createEvent({ id, data }: SourceEntry): string {
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
