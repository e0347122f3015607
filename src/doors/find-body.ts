/** Finds the body of a worker that the store knows to run, and waits for one that is starting. */
import {
  type AwaitedStatus,
  endedWorker,
  Fault,
  type Goal,
  hasEnded,
  isStatusCurrent,
  missingWorker,
  type WaitObservation,
} from '../model/index.ts';
import type { Store } from '../store/index.ts';
import type { BodyPlace } from './body-agent.ts';

export interface FindOptions {
  store: Pick<Store, 'load'>;
  waitFor(
    id: string,
    goal: Goal,
    signal: AbortSignal,
  ): Promise<{ outcome: 'reached' | 'missed' | 'late'; observation: WaitObservation }>;
}

export interface FoundPlace extends BodyPlace {
  /** The wrapper has reported that it is ready. */
  ready: boolean;
}

/**
 * The body of a running worker. Throws a Fault: `not_found` without a record, `conflict` if it has ended, `unavailable`
 * if it is not running when the signal fires.
 */
export async function findBody(
  { store, waitFor }: FindOptions,
  worker_id: string,
  signal: AbortSignal,
): Promise<FoundPlace> {
  for (;;) {
    const loaded = await store.load(worker_id);
    if (!loaded) throw missingWorker(worker_id);
    const { desired, status } = loaded.record;
    const current = isStatusCurrent(desired, status);
    if (current && status?.status === 'RUNNING' && status.body_id !== undefined)
      return {
        worker_id,
        incarnation: status.incarnation,
        runtime: status.runtime,
        body_id: status.body_id,
        ready: status.phase === 'ready',
      };
    if (current && status && hasEnded(status.status)) throw endedWorker(worker_id, status);
    const { outcome, observation } = await waitFor(worker_id, 'RUNNING', signal);
    if (outcome === 'missed' && observation.deleted) throw missingWorker(worker_id);
    if (outcome === 'missed') throw endedWorker(worker_id, observation.status ?? UNKNOWN);
    if (outcome === 'late' || signal.aborted) throw notYet(worker_id, observation.status);
  }
}

/** Of a worker whose status was lost meanwhile. */
const UNKNOWN = { status: 'ended', reason: '' };

const notYet = (id: string, status: AwaitedStatus | undefined) =>
  new Fault(
    'unavailable',
    `The worker ${id} is not running yet: it is ${status ? `${status.status} (${status.phase})` : 'STARTING (accepted)'}. Try again later, or wait longer with wait_seconds.`,
  );
