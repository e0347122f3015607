import { Command } from 'commander';
import { type LifecycleEvent, readableMessage } from '../../model/index.ts';
import type { PoolEvent } from '../../store/index.ts';
import type { Context } from '../context.ts';
import { createMissingPool } from '../missing-pool.ts';
import { type Format, isData, streamOption } from '../print/output.ts';
import { shortId, toOneLine } from '../print/text.ts';
import { poolIn } from '../refs.ts';
import type { Session } from '../session.ts';
import { parseCount, parseSince } from '../values.ts';
import { explainMissing, resolveId } from '../worker-id.ts';
import { type HistorySource, mergeStreams, type TaggedLine } from './merge.ts';

interface Options {
  follow?: boolean;
  tail?: number;
  since?: string;
  output: Format;
}

export function eventsCommand(context: Context): Command {
  return new Command('events')
    .summary('show the history of workers and pools')
    .description(
      'Show what the manager observed, decided and did, for one worker, a pool and its workers, or all workers, in order of time.',
    )
    .argument('[id]', 'worker ID, unique ID prefix, or name; pool/NAME for a pool')
    .option('-f, --follow', 'follow new events until Ctrl-C')
    .option('-n, --tail <n>', 'show only the last n events', parseCount)
    .option(
      '--since <time>',
      'show only later events: 10m, an RFC 3339 time, or the ID of an event',
      parseSince,
    )
    .addOption(streamOption())
    .addHelpText(
      'after',
      '\nExamples:\n  $ wm events -f 3f2a\n  $ wm events pool/jobs\n\nWith -o json, one JSON object per line.',
    )
    .action((ref: string | undefined, options: Options) => events(context, ref, options));
}

async function events(
  { session: open, out }: Context,
  ref: string | undefined,
  options: Options,
): Promise<void> {
  const session = await open();
  const pool = ref === undefined ? undefined : poolIn(ref);
  const one = ref === undefined || pool !== undefined ? undefined : await resolveId(session, ref);
  if (one !== undefined && !(await session.store.status(one))) throw await explainMissing(session, one);
  const print = ({ source: { of }, data }: TaggedLine) => {
    if (isData(options.output)) return out.item(options.output, { ...of, ...(data as object) });
    if ('pool' in of) return out.line(poolEventLine(data as PoolEvent, of.pool));
    return out.line(eventLine(data as LifecycleEvent, one === undefined ? of.worker_id : undefined));
  };
  const sources = pool === undefined ? workerSources(session, one) : await poolSources(session, pool);
  for await (const line of mergeStreams(session, sources, options)) await print(line);
}

const toSource = ({ store }: Session, worker_id: string): HistorySource => ({
  of: { worker_id },
  key: store.keys.events(worker_id),
});

/** One worker, or all. */
const workerSources = (session: Session, one: string | undefined) => async () => {
  const ids = one === undefined ? await session.store.ids() : [one];
  return ids.map((id) => toSource(session, id));
};

/** A pool and its workers. */
async function poolSources(session: Session, pool: string): Promise<() => Promise<HistorySource[]>> {
  const { redis, store } = session;
  const { record, events: key, members } = store.keys.pools;
  if ((await redis.exists(record(pool), key(pool))) === 0) throw createMissingPool(pool);
  return async () => {
    const ids = await redis.hkeys(members(pool));
    return [{ of: { pool }, key: key(pool) }, ...ids.map((id) => toSource(session, id))];
  };
}

/** Formats a history line of a worker for people. */
export function eventLine(event: LifecycleEvent, workerId?: string): string {
  const { timestamp, status, phase, reason, message, actions } = event;
  const words = [timestamp, workerId && shortId(workerId), `${status}/${phase}`, reason];
  return toHistoryLine(words, message, actions);
}

/** Formats a history line of a pool for people. */
export function poolEventLine(event: PoolEvent, pool?: string): string {
  const { timestamp, phase, reason, message, desired, ready, actions } = event;
  const words = [timestamp, pool && `pool/${pool}`, phase, `${ready}/${desired} ready`, reason];
  return toHistoryLine(words, message, actions);
}

function toHistoryLine(words: (string | undefined)[], message: string, actions: string[]): string {
  const acts = actions?.length > 0 && `→ ${actions.join(', ')}`;
  return toOneLine([...words, readableMessage(message), acts].filter(Boolean).join('  '), 1000);
}
