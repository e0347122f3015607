/**
 * Parses text from Redis into records. Unparseable values count as absent, except for a record's spec, which
 * is a fault.
 */
import {
  type DesiredState,
  Fault,
  formatInstant,
  type Heartbeat,
  memo,
  RUNTIME_NAMES,
  readableMessage,
  readHeartbeat,
  type StatusRecord,
  statusRecord,
  TRACEPARENT,
  toIssues,
  type WorkerRecord,
  workerSpec,
} from '../model/index.ts';

export type Hash = Record<string, string>;

export function toRecord(id: string, hash: Hash, status: Hash): WorkerRecord {
  const read = workerSpec.safeParse(parse(hash.spec));
  const spec =
    read.success || hash.desired !== 'deleted' ? read : workerSpec.safeParse(parseRemains(hash.spec));
  if (!spec.success) {
    const issues = toIssues(spec.error);
    const list = issues.map(({ path, message }) => `${path} ${message}`).join('; ');
    throw new Fault(
      'internal',
      `The record of worker ${id} cannot be read: spec: ${list}. Delete the worker.`,
      { issues },
    );
  }
  return {
    id,
    desired: {
      spec: spec.data,
      desired: (hash.desired ?? 'running') as DesiredState,
      ...(TRACEPARENT.test(hash.traceparent ?? '') && { traceparent: hash.traceparent }),
      generation: Number(hash.generation ?? 1),
      ...(hash.min_incarnation && { min_incarnation: Number(hash.min_incarnation) }),
      ...(hash.workspace && { workspace: hash.workspace }),
      created_at: hash.created_at ?? formatInstant(0),
      request_id: hash.request_id ?? '',
    },
    status: toStatus(status),
    memo: memo.safeParse(parse(status.memo)).data,
    revision: Number(status.revision ?? 0),
  };
}

/** The part of an unreadable spec that is needed to delete its worker: where the body is. */
function parseRemains(text: string | undefined): object {
  const { runtime } = (parse(text) ?? {}) as { runtime?: unknown };
  const known = RUNTIME_NAMES.find((name) => name === runtime) ?? RUNTIME_NAMES[0];
  return { agent_type: 'CUSTOM', command_line: ['?'], runtime: known };
}

export function toStatus(hash: Hash): StatusRecord | undefined {
  const numbers = ['incarnation', 'restarts', 'pid', 'exit_code', 'observed_generation'] as const;
  const read: Record<string, unknown> = { ...hash };
  for (const name of numbers) if (hash[name] !== undefined) read[name] = Number(hash[name]);
  // An earlier version wrote plain log lines.
  if (hash.message) read.message = readableMessage(hash.message);
  return statusRecord.safeParse(read).data;
}

/** An unreadable heartbeat counts as absent. */
export function toHeartbeat(text: string | null | undefined): Heartbeat | undefined {
  return readHeartbeat(text)?.heartbeat;
}

export function parse(text: string | null | undefined): unknown {
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
