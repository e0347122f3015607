/** Which workers `wm logs` is about: some, or all of a pool. */

import { compareIds } from '../../model/messages/entry-id.ts';
import { createMissingPool } from '../missing-pool.ts';
import { shortId } from '../print/text.ts';
import { poolIn, toWorkerRef } from '../refs.ts';
import type { Session } from '../session.ts';
import { explainMissing, resolveId } from '../worker-id.ts';
import type { LogSource } from './log-streams.ts';

export interface LogRange {
  tail?: number | undefined;
  /** ID of a stream; only later entries are read. */
  since?: string | undefined;
}

/** The sources of workers and pools; those of a pool are looked up again, because its workers change. */
export async function openTargets(
  session: Session,
  refs: readonly string[],
  { range, labels }: { range: LogRange; labels: boolean },
): Promise<() => Promise<LogSource[]>> {
  const sources = new Map<string, LogSource>();
  const add = async (id: string, label: string | undefined) => {
    if (sources.has(id)) return;
    const from = await findStart(session, session.store.keys.output(id), range);
    sources.set(id, { id, from, ...(labels && { label: label ?? (await findLabel(session, id)) }) });
  };
  const pools = refs.map(poolIn).filter((name) => name !== undefined);
  for (const ref of refs) {
    if (poolIn(ref) !== undefined) continue;
    const id = await resolveId(session, ref);
    if (!(await session.store.status(id))) throw await explainMissing(session, id);
    const name = toWorkerRef(ref);
    await add(id, id.startsWith(name.toLowerCase()) ? undefined : name);
  }
  const { pools: keys } = session.store.keys;
  for (const name of pools)
    if ((await session.redis.exists(keys.record(name))) === 0) throw createMissingPool(name);
  return async () => {
    for (const name of pools)
      for (const id of await session.redis.hkeys(keys.members(name))) await add(id, undefined);
    return [...sources.values()];
  };
}

/** The ID before the first entry to read. */
async function findStart(session: Session, key: string, { tail, since }: LogRange): Promise<string> {
  const from = tail === undefined ? '0' : await session.before(key, tail);
  return since !== undefined && compareIds(from, since) < 0 ? since : from;
}

/** Its name; otherwise its short ID. */
async function findLabel(session: Session, id: string): Promise<string> {
  const loaded = await session.store.load(id);
  return loaded?.record.desired.spec.name ?? shortId(id);
}
