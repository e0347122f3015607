/**
 * The first step of a leader: make sure that the store is the one that the bodies belong to. If it is empty but bodies
 * are running, it was lost and not intentionally emptied: records are restored from the bodies' labels, and nothing is
 * removed. Until every runtime that may have bodies has answered, an empty store decides nothing.
 */
import type { Logger } from 'pino';
import {
  type Body,
  formatInstant,
  type LifecycleEvent,
  owns,
  type StoreIdentity,
  workerSpec,
} from '../model/index.ts';
import { listBodies } from '../runtimes/list-bodies.ts';
import type { Runtimes } from '../runtimes/registry.ts';
import type { Store } from '../store/index.ts';
import { findTies, identityFrom } from './store-identity.ts';

export interface Recovered {
  identity: StoreIdentity;
  /** Workers whose records were restored. */
  restored: string[];
}

export async function recover(options: {
  store: Pick<Store, 'identity' | 'identify' | 'restore' | 'anyKnown' | 'anyHeartbeat'>;
  runtimes: Runtimes;
  epoch: number;
  now: () => number;
  newId: () => string;
  log: Logger;
  /** The identity with which this process has led before, if it has. */
  last?: string | undefined;
}): Promise<Recovered> {
  const { store, runtimes, epoch, now, newId, log, last } = options;
  const restored: string[] = [];
  if (!(await store.identity())) {
    const bodies = await listReachableBodies(runtimes, log);
    const ties = await findTies(bodies, { store, last });
    const at = now();
    const found = identityFrom(ties, { fresh: last ?? newId(), now: at, created_at: formatInstant(at) });
    for (const body of bodies.filter((one) => owns(found, one)))
      if (await restore(body, options)) restored.push(body.worker_id);
    if (restored.length > 0)
      log.error(
        { restored: restored.length },
        'store is empty but bodies exist; records restored from labels',
      );
    await store.identify(epoch, found);
  }
  const identity = await store.identity();
  if (!identity) throw new Error('The store does not keep writes.');
  return { identity, restored };
}

/** A runtime that does not answer may never return; the sweep finds its bodies later. */
async function listReachableBodies(runtimes: Runtimes, log: Logger): Promise<Body[]> {
  const { bodies } = await listBodies(runtimes, (runtime, why) =>
    log.warn({ runtime, why }, 'failed to list bodies of this runtime'),
  );
  return bodies;
}

/**
 * Restores the record of a worker that has only its body left; false if the record exists or the spec cannot
 * be read.
 */
export async function restore(
  body: Body,
  { store, epoch, log }: { store: Pick<Store, 'restore'>; epoch: number; log: Logger },
): Promise<boolean> {
  const { worker_id, id } = body;
  const spec = workerSpec.safeParse(parse(body.spec));
  if (spec.success) return store.restore(epoch, worker_id, spec.data, body.created_at, body.workspace);
  log.error({ worker_id, body_id: id }, 'body has no readable spec in its label; left alone');
  return false;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The line in the history of a worker whose record was restored. */
export function restoredEvent(now: number): LifecycleEvent {
  return {
    timestamp: formatInstant(now),
    type: 'restored',
    status: 'STARTING',
    phase: 'accepted',
    reason: '',
    message: 'The store was lost; the record was restored from the body.',
    incarnation: 0,
    actions: [],
  };
}
