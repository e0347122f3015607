import type { OutputMessage } from '../model/index.ts';
import { ApiFault } from './api-fault.ts';
import type { WorkerService } from './worker-service.ts';

/** Types of the entries that end a prompt. */
const ENDS = new Set(['turn_completed', 'turn_failed', 'completed', 'waiting_for_input']);

/**
 * The last entry of a prompt's turn. Throws `conflict` (409) if the worker ends before, and `unavailable` (504) if the turn
 * has not ended in time.
 */
export async function findTurnEnd(
  service: Pick<WorkerService, 'read' | 'waitFor'>,
  { worker_id, request_id, from }: { worker_id: string; request_id: string; from: string },
  signal: AbortSignal,
): Promise<OutputMessage> {
  const done = new AbortController();
  const either = AbortSignal.any([signal, done.signal]);
  const over = service.waitFor(worker_id, 'ended', either).finally(() => done.abort());
  over.catch(() => {});
  const stream = { worker_id, of: 'output' } as const;
  let last = from;
  try {
    // Also entries between the end of the worker and its detection here.
    for (const follow of [true, false]) {
      const reading = follow ? either : signal;
      for await (const entries of service.read(stream, { from: last, follow, signal: reading }))
        for (const { id, data } of entries) {
          last = id;
          const entry = JSON.parse(data) as OutputMessage;
          if (entry.request_id === request_id && ENDS.has(entry.type)) return entry;
        }
    }
  } finally {
    done.abort();
  }
  const fields = { worker_id, request_id };
  if (signal.aborted)
    throw new ApiFault('unavailable', `The turn of ${request_id} has not ended in time; it continues.`, {
      status: 504,
      fields,
    });
  const { observation } = await over;
  const { status, reason = '' } = observation.status ?? {};
  const state = observation.deleted ? 'was deleted' : `is ${status} (${reason})`;
  throw new ApiFault(
    'conflict',
    `The turn of ${request_id} will not end: the worker ${worker_id} ${state}.`,
    {
      status: 409,
      fields,
    },
  );
}
