import { compareIds } from '../../model/messages/entry-id.ts';
import type { Session } from '../session.ts';

/** A stream of a worker or a pool. */
export interface HistorySource {
  /** Fields of its lines for programs. */
  of: { worker_id: string } | { pool: string };
  key: string;
}
/** A history line of one of several streams. */
export interface TaggedLine {
  source: HistorySource;
  id: string;
  data: unknown;
}

/** Interval between checks for new workers while following. */
const POLL_MS = 500;
/** Number of lines read from a stream at once; more than a history keeps. */
const PAGE = 5000;
/** Number of streams read in one round trip. */
const CHUNK = 500;

/**
 * Merges the histories of workers in order of time. With `follow` it continues until the signal, and includes new
 * workers. Within one read, lines are sorted by the time that Redis assigned.
 */
export async function* mergeStreams(
  session: Session,
  sources: () => Promise<HistorySource[]>,
  options: { follow?: boolean; tail?: number; since?: string },
): AsyncGenerator<TaggedLine> {
  const positions = new Map<string, { source: HistorySource; from: string }>();
  let first = true;
  const reader = options.follow ? session.reader() : undefined;
  for (;;) {
    for (const source of await sources())
      if (!positions.has(source.key)) positions.set(source.key, { source, from: options.since ?? '0' });
    const lines = await readAll(session, positions);
    yield* first && options.tail !== undefined
      ? lines.slice(Math.max(0, lines.length - options.tail))
      : lines;
    first = false;
    if (!reader) return;
    if (positions.size === 0) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    // New entries are read above, in order; this only waits for them.
    else {
      const [keys, froms] = [[...positions.keys()], [...positions.values()].map(({ from }) => from)];
      await reader.xread('COUNT', 1, 'BLOCK', POLL_MS, 'STREAMS', ...keys, ...froms);
    }
  }
}

/** Reads all new entries of the streams and advances their positions. */
async function readAll(
  session: Session,
  seen: Map<string, { source: HistorySource; from: string }>,
): Promise<TaggedLine[]> {
  const lines: TaggedLine[] = [];
  const all = [...seen.values()];
  for (let at = 0; at < all.length; at += CHUNK) {
    const chunk = all.slice(at, at + CHUNK);
    const reads = session.redis.pipeline();
    for (const { source, from } of chunk)
      reads.xrange(source.key, from === '0' ? '-' : `(${from}`, '+', 'COUNT', PAGE);
    const replies = (await reads.exec()) ?? [];
    replies.forEach(([error, entries], index) => {
      if (error) throw error;
      const one = chunk[index];
      for (const [id, entry] of one ? (entries as [string, string[]][]) : []) {
        if (!one) continue;
        one.from = id;
        lines.push({ source: one.source, id, data: parsed(entry[entry.indexOf('data') + 1]) });
      }
    });
  }
  return lines.sort((a, b) => compareIds(a.id, b.id));
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return { message: text };
  }
}
