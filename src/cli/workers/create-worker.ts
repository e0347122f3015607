/** Creates a worker and waits for its start, for the verbs that do. */
import { type CommandResponse, Fault, type StatusRecord } from '../../model/index.ts';
import { requestManager, toFault } from '../api/request-manager.ts';
import type { Context } from '../context.ts';
import { createBuildProgress } from '../print/build-progress.ts';
import type { CliOutput } from '../print/output.ts';
import type { Session } from '../session.ts';
import { waitFor } from '../wait-for.ts';

export interface Created {
  answer: CommandResponse;
  id: string;
  /** Why no worker was created: it was refused, or the same request created one that has been deleted since. */
  failure: Fault | undefined;
}

/** Sends a create and waits for its answer. */
export async function requestCreate(
  context: Context,
  session: Session,
  fields: Record<string, unknown> & { request_id: string },
  seconds: number,
): Promise<Created> {
  const { request_id } = fields;
  const answer = await requestManager(context, session, { ...fields, command: 'create' }, seconds);
  const id = String(answer.worker_id ?? '');
  if (!answer.success) return { answer, id, failure: toFault(answer) };
  const gone = `The request ${request_id} created worker ${id}, which has been deleted since; no worker was created now. Use another --request-id.`;
  return { answer, id, failure: answer.worker_deleted === true ? new Fault('conflict', gone) : undefined };
}

/** Prints what the manager has to say about a create that it accepted. */
export function printWarnings(out: Pick<CliOutput, 'note'>, answer: CommandResponse): void {
  const why = String(answer.runtime_reason ?? '');
  if (isUnexpected(why)) out.note(`It runs as a process on this machine. ${why}`);
  if (Array.isArray(answer.warnings)) for (const warning of answer.warnings) out.note(`Warning: ${warning}`);
}

/**
 * Whether to print why the worker is not in Docker. If the machine has no Docker at all, the manager reports that when
 * it starts, and so does `doctor`; it is not repeated for each create.
 */
export const isUnexpected = (reason: string): boolean =>
  reason.startsWith('Not in Docker') && !reason.includes('no such socket');

/**
 * Waits until the program of the worker was started, and shows the build of its image meanwhile. A program that has
 * already ended successfully was started. Throws a Fault with the reason otherwise.
 */
export async function untilStarted(
  { deps }: Pick<Context, 'deps'>,
  session: Session,
  id: string,
  seconds?: number,
): Promise<void> {
  const progress = createBuildProgress(deps.stderr);
  const options = { ...(seconds !== undefined && { seconds }), onStatus: progress.show };
  const { reached, observation } = await waitFor(session, id, 'ready', options).finally(progress.end);
  const { status } = observation;
  if (reached || (status?.status === 'STOPPED' && status.reason === 'Completed')) return;
  throw new Fault('conflict', `The worker ${id} is ${describeEnd(status)}`);
}

/** Its status with the reason, as the end of a sentence. */
export function describeEnd(seen: StatusRecord | undefined): string {
  const { status = 'gone', reason = '', message = '' } = seen ?? {};
  return `${status}: ${[reason, message].filter(Boolean).join(': ')}`;
}
