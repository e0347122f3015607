/** Reads the output streams of several workers in the order of time. */
import { setTimeout as delay } from 'node:timers/promises';
import { Fault, type OutputMessage } from '../../model/index.ts';
import { compareIds } from '../../model/messages/entry-id.ts';
import type { StreamLine } from '../../store/index.ts';
import type { EntrySource } from '../print/output-entry.ts';
import type { Session } from '../session.ts';
import { evaluateGoal, observeGoal } from '../wait-for.ts';

/** A stream is read after `from` ('0' for all). */
export interface LogSource extends EntrySource {
  from: string;
}
export interface LogEntry {
  source: LogSource;
  entry: OutputMessage;
}

/** Longest wait for an entry; then the sources are asked for again, and the end of workers is noticed. */
const POLL_MS = 1000;

/** The existing entries of all sources. */
export async function* readOutputs(
  session: Session,
  sources: readonly LogSource[],
  seen: Map<string, string> = new Map(),
): AsyncGenerator<LogEntry> {
  const open = sources.map(async (source) => {
    const key = session.store.keys.output(source.id);
    const lines = session.lines(key, seen.get(source.id) ?? source.from);
    return { source, lines, head: await nextLine(lines) };
  });
  const heads = await Promise.all(open);
  for (;;) {
    let oldest: (typeof heads)[number] | undefined;
    for (const one of heads)
      if (one.head && (!oldest?.head || compareIds(one.head.id, oldest.head.id) < 0)) oldest = one;
    if (!oldest?.head) return;
    const { source, head, lines } = oldest;
    seen.set(source.id, head.id);
    yield { source, entry: head.data as OutputMessage };
    oldest.head = await nextLine(lines);
  }
}

const nextLine = async (lines: AsyncGenerator<StreamLine>): Promise<StreamLine | undefined> =>
  (await lines.next()).value;

/**
 * The entries of all sources as they come, until all workers have ended for good and all their output was read. With
 * `endless`, further sources may come. An outage of Redis does not count as an end.
 */
export async function* followOutputs(
  session: Session,
  sources: () => Promise<LogSource[]>,
  { endless = false } = {},
): AsyncGenerator<LogEntry> {
  const reader = session.reader();
  const lastIds = new Map<string, string>();
  const over = new Set<string>();
  for (;;) {
    try {
      const open = (await sources()).filter(({ id }) => !over.has(id));
      // All output of a worker is on its stream before its end is recorded.
      const ended = new Map<string, boolean>();
      const events = await Promise.all(
        open.map(async ({ id }) => {
          const last = await session.lastId(session.store.keys.events(id));
          ended.set(id, await hasEndedForGood(session, id));
          return last;
        }),
      );
      yield* readOutputs(session, open, lastIds);
      for (const { id } of open) if (ended.get(id)) over.add(id);
      const living = open.filter(({ id }) => !over.has(id));
      if (living.length === 0 && !endless) return;
      if (living.length === 0) await delay(POLL_MS);
      else
        await nextEntry(
          reader,
          session,
          living,
          lastIds,
          events.filter((_, at) => !over.has(open[at]?.id ?? '')),
        );
    } catch (error) {
      if (error instanceof Fault) throw error;
      await delay(POLL_MS);
    }
  }
}

async function hasEndedForGood(session: Session, id: string): Promise<boolean> {
  try {
    return evaluateGoal('ended', await observeGoal(session, id)) !== 'not yet';
  } catch (error) {
    // Even its tombstone is gone.
    if (error instanceof Fault) return true;
    throw error;
  }
}

/** Waits for output or a change of any of the workers. */
async function nextEntry(
  reader: ReturnType<Session['reader']>,
  { store: { keys } }: Session,
  living: readonly LogSource[],
  seen: ReadonlyMap<string, string>,
  events: readonly string[],
): Promise<void> {
  const streams = [...living.map(({ id }) => keys.output(id)), ...living.map(({ id }) => keys.events(id))];
  const after = [...living.map(({ id, from }) => seen.get(id) ?? from), ...events];
  await reader.xread('COUNT', 1, 'BLOCK', POLL_MS, 'STREAMS', ...streams, ...after);
}
