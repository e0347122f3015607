import {
  type CommandOf,
  hasEnded,
  missingWorker,
  type StatusRecord,
  type UsageReading,
} from '../model/index.ts';
import { type CommandContext, type Plan, successResponse } from './context.ts';

/** Returns the observed status of a worker, including a recently deleted one. */
export async function planStatus(
  command: CommandOf<'status'>,
  { store }: { store: Pick<CommandContext['store'], 'status' | 'usage'> },
): Promise<Plan> {
  const { worker_id } = command;
  const [found, usage] = await Promise.all([store.status(worker_id), store.usage([worker_id])]);
  if (!found) throw missingWorker(worker_id);
  const answer = { worker_id, ...toStatusFields(found.status, usage[worker_id]) };
  return { operation: 'read', answers: { ok: successResponse(command, answer) } };
}

/**
 * The fields of the response; a worker that has not been reconciled yet is STARTING, and one that has ended uses
 * nothing.
 */
function toStatusFields(seen: StatusRecord | undefined, checked: UsageReading | undefined) {
  const ended = hasEnded(seen?.status);
  const figures = ended ? undefined : checked;
  return {
    status: seen?.status ?? 'STARTING',
    phase: seen?.phase ?? 'accepted',
    reason: seen?.reason ?? '',
    message: seen?.message ?? '',
    ip_address: seen?.ip_address ?? null,
    exit_code: seen?.exit_code ?? null,
    incarnation: seen?.incarnation ?? 0,
    restarts: seen?.restarts ?? 0,
    started_at: seen?.started_at ?? null,
    finished_at: seen?.finished_at ?? null,
    cpu_percent: figures?.cpu_percent ?? null,
    memory_bytes: figures?.memory_bytes ?? null,
    checked_at: figures?.at ?? null,
  };
}
