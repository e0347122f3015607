import { Fault, hasEnded, missingWorker, type Summary, workerId } from '../model/index.ts';
import { usageError } from './exit.ts';
import { toOneLine } from './print/text.ts';
import { toWorkerRef } from './refs.ts';
import type { Session } from './session.ts';

/** Number of candidates to list for an ambiguous prefix. */
const SHOWN = 5;

/**
 * Resolves an ID that a user typed: a full ID, a worker's name, or a unique prefix, in this order: the name "b" must not
 * lead to another worker because its ID starts with b. A full ID is returned unchanged, so that a deleted worker can
 * still be shown.
 */
export async function resolveId(session: Session, ref: string): Promise<string> {
  const name = toWorkerRef(ref.trim());
  if (name === '') throw usageError('The worker ID is empty. `wm ps -a` lists all workers.');
  if (workerId.safeParse(name.toLowerCase()).success) return name.toLowerCase();
  const owner = await session.store.findId(name);
  if (owner !== undefined) return owner;
  const ids = await session.store.ids();
  const matching = matchPrefix(ids, name);
  if (matching.length > 0) return pickOnly(matching, `the ID ${toOneLine(name)}`);
  const all = await session.store.summaries();
  if (all.some(({ worker_id, external }) => external && worker_id === name)) {
    const how = `Stop it on its own machine (docker stop); \`curl NODE_URL/health\` shows its state.`;
    throw new Fault(
      'unsupported',
      `${toOneLine(name)} was started manually, and no manager has a record of it. ${how}`,
    );
  }
  const named = findByName(all, name);
  if (named.length > 0) return pickOnly(named, `the name ${toOneLine(name)}`);
  throw new Fault(
    'not_found',
    `The worker ${toOneLine(name)} does not exist. \`wm ps -a\` lists all workers; a deleted worker is found only by its full ID.`,
  );
}

/** The worker of that name that has not ended, otherwise the last one that had it. Older versions allowed several. */
export function findByName(workers: Summary[], wanted: string): string[] {
  const all = workers.filter(({ name, external }) => name === wanted && !external);
  const living = all.filter(({ status, desired }) => desired !== 'deleted' && !hasEnded(status));
  const chosen = living.length > 0 ? living : all.slice(-1);
  return chosen.map(({ worker_id }) => worker_id);
}

/** IDs with that prefix, ignoring case. */
export function matchPrefix(ids: string[], prefix: string): string[] {
  const wanted = prefix.toLowerCase();
  return ids.filter((id) => id.startsWith(wanted));
}

function pickOnly(ids: string[], what: string): string {
  const [id] = ids;
  if (id !== undefined && ids.length === 1) return id;
  const list = ids.slice(0, SHOWN).map((one) => `\n  ${one}`);
  const more = ids.length > SHOWN ? `\n  and ${ids.length - SHOWN} more` : '';
  throw new Fault(
    'conflict',
    `More than one worker has ${what}; use a longer prefix:${list.join('')}${more}`,
  );
}

/** The error for a worker without a record. */
export async function explainMissing(session: Session, id: string): Promise<Fault> {
  const left = await session.store.status(id);
  const message = left
    ? `The worker ${id} was deleted; \`wm status ${id}\` and \`wm events ${id}\` show what is kept of it.`
    : missingWorker(id).message;
  return new Fault('not_found', message);
}
