/** Which changes of workers are reported, and the text of the messages. Pure. */
import { randomUUID } from 'node:crypto';
import {
  type Decision,
  formatInstant,
  hasEnded,
  type Observation,
  type PendingWebhook,
  type StatusRecord,
  takeHead,
  type WebhookType,
} from '../model/index.ts';

/** Characters of a status message, which may contain output of the body. */
const MESSAGE_LENGTH = 1000;
/** Phases of a body that was ready before. */
const AFTER_READY: ReadonlySet<string> = new Set(['ready', 'silent', 'killing', 'stopping']);

/** The change that a decision reports; `undefined` if it reports none. */
export function findWebhookType(
  before: StatusRecord | undefined,
  after: StatusRecord,
): WebhookType | undefined {
  const same = before?.incarnation === after.incarnation;
  if (after.phase === 'deleted') return before?.phase === 'deleted' ? undefined : 'worker.deleted';
  if (hasEnded(after.status)) {
    // Started again and ended again within one step has another generation.
    const known = same && before?.status === after.status;
    return known ? undefined : after.status === 'FAILED' ? 'worker.failed' : 'worker.stopped';
  }
  if (after.phase === 'backoff') return before?.phase === 'backoff' ? undefined : 'worker.restarting';
  if (after.phase === 'ready' && !(same && AFTER_READY.has(before.phase))) return 'worker.ready';
  return undefined;
}

/** A new message for one URL, not sent yet. */
export type NewMessage = Omit<PendingWebhook, 'url' | 'setting' | 'target'>;

/** The message that reports a decision. Its data have the names of the status and the spec. */
export function createMessage(
  type: WebhookType,
  cell: string,
  revision: number,
  { worker_id, desired: { spec, created_at }, now }: Observation,
  { status }: Decision,
): NewMessage {
  const { name, agent_type, pool, labels, runtime } = spec;
  const { phase, reason, message, exit_code, incarnation, restarts } = status;
  const at = formatInstant(now);
  const data = {
    cell,
    worker_id,
    name,
    agent_type,
    pool,
    labels,
    runtime,
    status: status.status,
    phase,
    reason,
    message: takeHead(message, MESSAGE_LENGTH),
    exit_code,
    incarnation,
    restarts,
    revision,
    created_at,
    started_at: status.started_at,
    running_at: status.running_at,
    finished_at: status.finished_at,
    next_retry_at: status.next_retry_at,
  };
  return {
    message_id: `msg_${randomUUID()}`,
    type,
    worker_id,
    reason,
    body: JSON.stringify({ type, timestamp: at, data }),
    created_at: at,
    attempts: 0,
  };
}
