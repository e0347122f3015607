import type { OutputMessage } from '../../model/index.ts';
import { ApiFault } from '../api-fault.ts';
import { readUntilGone } from './read-until-gone.ts';
import type { WorkerService } from './worker-service.ts';

/** Types of the entries that end a prompt. */
const ENDS = new Set(['turn_completed', 'turn_failed', 'completed', 'waiting_for_input']);

/** Whether an entry is the last one of its turn. */
export const isTurnEnd = ({ type }: OutputMessage): boolean => ENDS.has(type);

/**
 * The last entry of a prompt's turn. Throws `conflict` (409) if the worker ends before, and `unavailable` (504) if the turn
 * has not ended in time.
 */
export async function findTurnEnd(
  service: Pick<WorkerService, 'read' | 'waitFor'>,
  {
    worker_id,
    request_id,
    from,
    onEntry,
  }: {
    worker_id: string;
    request_id: string;
    from: string;
    /** Called with each entry of the turn. */
    onEntry?: (entry: OutputMessage) => void;
  },
  signal: AbortSignal,
): Promise<OutputMessage> {
  for await (const entries of readUntilGone(service, { worker_id, of: 'output' }, from, signal))
    for (const { data } of entries) {
      const entry = readEntry(data);
      if (entry?.request_id !== request_id) continue;
      onEntry?.(entry);
      if (isTurnEnd(entry)) return entry;
    }
  const fields = { worker_id, request_id };
  if (signal.aborted)
    throw new ApiFault('unavailable', `The turn of ${request_id} has not ended in time; it continues.`, {
      status: 504,
      fields,
    });
  const { observation } = await service.waitFor(worker_id, 'ended', signal);
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

/** An entry of a worker's output; undefined if it is not JSON, and so was not written by a wrapper. */
export function readEntry(data: string): OutputMessage | undefined {
  try {
    return (JSON.parse(data) as OutputMessage | null) ?? undefined;
  } catch {
    return undefined;
  }
}
