import type { Redis } from 'ioredis';

export interface StreamLine {
  id: string;
  /** The field `data`, parsed; text if it is not JSON. */
  data: unknown;
}

/**
 * Reads a stream after `from` ('0' for all) and, with `follow`, continues as it grows until the signal fires.
 * Needs its own connection, because it blocks.
 */
export async function* readStream(
  redis: Redis,
  key: string,
  options: { from: string; follow: boolean; signal?: AbortSignal },
): AsyncGenerator<StreamLine> {
  let from = options.from;
  while (!options.signal?.aborted) {
    const { signal } = options;
    const stored = redis.xrange(key, from === '0' ? '-' : `(${from}`, '+', 'COUNT', 1000);
    const entries = await unlessOver(stored, signal);
    if (!entries) return;
    for (const [id, fields] of entries) {
      from = id;
      yield { id, data: parseData(fields) };
    }
    if (entries.length > 0) continue;
    if (!options.follow) return;
    const next = redis.xread('COUNT', 1, 'BLOCK', 1000, 'STREAMS', key, from);
    await unlessOver(next, signal);
  }
}

/**
 * Waits for a read, or returns nothing when the signal fires: a client that is closed while it reconnects
 * never answers its reads. In a group, the entries of such a read stay pending for the next reader.
 */
export function unlessOver<T>(read: Promise<T>, signal: AbortSignal | undefined): Promise<T | undefined> {
  if (!signal) return read;
  return new Promise((resolve, reject) => {
    const over = () => resolve(undefined);
    signal.addEventListener('abort', over, { once: true });
    read.then(resolve, reject).finally(() => signal.removeEventListener('abort', over));
    if (signal.aborted) over();
  });
}

function parseData(fields: string[]): unknown {
  const text = fields[fields.indexOf('data') + 1] ?? '';
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
