import type { Redis } from 'ioredis';

export interface StreamLine {
  id: string;
  /** The field `data`, parsed; text where it is not JSON. */
  data: unknown;
}

/**
 * Reads a stream from after `from` ('0' for all) and, with `follow`, goes on as it grows until the signal fires.
 * Needs a connection of its own, since it blocks.
 */
export async function* readStream(
  redis: Redis,
  key: string,
  options: { from: string; follow: boolean; signal?: AbortSignal },
): AsyncGenerator<StreamLine> {
  let from = options.from;
  while (!options.signal?.aborted) {
    const entries = await redis.xrange(key, from === '0' ? '-' : `(${from}`, '+', 'COUNT', 1000);
    for (const [id, fields] of entries) {
      from = id;
      yield { id, data: dataOf(fields) };
    }
    if (entries.length > 0) continue;
    if (!options.follow) return;
    await redis.xread('COUNT', 1, 'BLOCK', 1000, 'STREAMS', key, from);
  }
}

function dataOf(fields: string[]): unknown {
  const text = fields[fields.indexOf('data') + 1] ?? '';
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
