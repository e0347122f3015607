/** Requests that wait for a state of a worker: `?wait=…&timeout_seconds=…`. */
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Goal, WaitObservation } from '../../model/index.ts';
import { ApiFault } from '../api-fault.ts';
import type { WorkerService } from './worker-service.ts';

const GOALS_BY_NAME = {
  running: 'RUNNING',
  ready: 'ready',
  ended: 'ended',
  stopped: 'STOPPED',
  failed: 'FAILED',
  deleted: 'deleted',
} as const satisfies Record<string, Goal>;
export type WaitName = keyof typeof GOALS_BY_NAME;

/** kubectl waits for 30 s; the start of a worker can take longer. */
const WAIT_SECONDS = 60;
const LONGEST_WAIT_SECONDS = 3600;

export const timeoutSeconds = z.coerce
  .number()
  .min(0)
  .max(LONGEST_WAIT_SECONDS)
  .default(WAIT_SECONDS)
  .describe('time limit of `wait`');

/** The query of a request that may wait. */
export const waitQuery = z.strictObject({
  wait: z
    .enum(['running', 'ready', 'ended', 'stopped', 'failed', 'deleted'])
    .optional()
    .describe('respond when the worker is in this state; `ended` is STOPPED or FAILED'),
  timeout_seconds: timeoutSeconds,
});
export type WaitQuery = z.infer<typeof waitQuery>;

/** Fires after the time limit, or when the client has disconnected. */
export function untilLate(reply: FastifyReply, seconds: number): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return AbortSignal.any([gone.signal, AbortSignal.timeout(Math.ceil(seconds * 1000))]);
}

/**
 * Resolves when the worker is in the state. Throws `conflict` (409) if it can no longer reach it, and `unavailable` (504) if
 * it did not in time.
 */
export async function waitForState(
  service: Pick<WorkerService, 'waitFor'>,
  worker_id: string,
  name: WaitName,
  signal: AbortSignal,
): Promise<void> {
  const { outcome, observation } = await service.waitFor(worker_id, GOALS_BY_NAME[name], signal);
  if (outcome === 'reached') return;
  const state = describeState(observation);
  const fields = { worker_id };
  if (outcome === 'missed')
    throw new ApiFault('conflict', `The worker ${worker_id} is ${state}, so it cannot become ${name}.`, {
      status: 409,
      fields,
    });
  throw new ApiFault('unavailable', `The worker ${worker_id} is not ${name} yet: it is ${state}.`, {
    status: 504,
    fields,
  });
}

function describeState({ deleted, status }: WaitObservation): string {
  const state = deleted ? 'deleted' : status ? `${status.status} (${status.phase})` : 'STARTING (accepted)';
  const why = [status?.reason, status?.message].filter(Boolean).join(': ');
  return why ? `${state}; ${why.replace(/\.$/, '')}` : state;
}
