/** Parses text from Redis into pools and their members. Unreadable parts of a status count as absent. */
import { z } from 'zod';
import {
  Fault,
  type PoolRecord,
  type PoolStatus,
  parseInstant,
  poolSpec,
  poolStatus,
  RUNTIME_NAMES,
  readableMessage,
  toIssues,
  WORKER_STATUSES,
  type WorkerSpec,
} from '../../model/index.ts';
import { type Member, type PoolMemo, poolMemo } from '../../model/pool/pool-memo.ts';
import { type Hash, parse, toHeartbeat } from '../parse.ts';

/** The immutable facts that a pool stores about one of its workers. */
export const membership = z.object({
  index: z.number().int(),
  runtime: z.enum(RUNTIME_NAMES),
  revision: z.string(),
  warm: z.boolean(),
  /** Milliseconds since 1970. */
  created_at: z.number(),
});
export type Membership = z.infer<typeof membership>;

/** The pool fields of a worker's spec; absent if no pool created it. */
export function toMembership(spec: WorkerSpec, created_at: number): Membership {
  const { name, runtime, pool_revision: revision = '', warm = false } = spec;
  const index = Number(/-(\d+)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.exec(name ?? '')?.[1] ?? 0);
  return { index, runtime, revision, warm, created_at };
}

export function toPool(name: string, hash: Hash): PoolRecord {
  const read = poolSpec.safeParse(parse(hash.spec));
  if (!read.success) {
    const list = toIssues(read.error).map(({ path, message }) => `${path} ${message}`);
    throw new Fault(
      'internal',
      `The record of pool ${name} cannot be read: ${list.join('; ')}. Apply it again.`,
    );
  }
  return {
    spec: read.data,
    desired: hash.desired === 'deleted' ? 'deleted' : 'running',
    generation: Number(hash.generation ?? 1),
    created_at: hash.created_at ?? '',
    request_id: hash.request_id ?? '',
  };
}

const NUMBERS = [
  ...(['desired', 'current', 'ready', 'busy', 'idle', 'starting', 'failing', 'draining'] as const),
  ...(['updated', 'warm', 'queued', 'active', 'observed_generation'] as const),
];

export function toPoolStatus(hash: Hash): PoolStatus | undefined {
  const read: Record<string, unknown> = { ...hash };
  for (const name of NUMBERS) if (hash[name] !== undefined) read[name] = Number(hash[name]);
  return poolStatus.safeParse(read).data;
}

export const toPoolMemo = (text: string | undefined): PoolMemo | undefined =>
  poolMemo.safeParse(parse(text)).data;

/** The status fields of a worker that a pool's decisions use, in the order in which they are read. */
export const MEMBER_FIELDS = [
  ...(['status', 'phase', 'reason', 'message', 'restarts', 'incarnation', 'running_at'] as const),
  ...(['next_retry_at', 'image'] as const),
];

/**
 * Builds a member from its membership, its `desired` field, its status and its heartbeat; undefined without a
 * record.
 */
export function toMember(
  id: string,
  known: string | undefined,
  [spec, desired]: (string | null)[],
  fields: (string | null)[],
  beat: string | null,
): (Member & { image: string | undefined }) | undefined {
  const own = membership.safeParse(parse(known)).data;
  // A tombstone has a desired state but no spec.
  if (!own || spec !== '1') return undefined;
  const [status, phase, reason, message, restarts, incarnation, running_at, next_retry_at, image] = fields;
  const heartbeat = toHeartbeat(beat);
  const current = heartbeat && String(heartbeat.incarnation) === incarnation ? heartbeat : undefined;
  const active = current?.active_tasks ?? (current?.busy ? 1 : 0);
  return {
    id,
    ...own,
    desired: desired === 'deleted' || desired === 'stopped' ? desired : 'running',
    status: WORKER_STATUSES.find((name) => name === status) ?? 'STARTING',
    phase: phase ?? 'accepted',
    reason: reason ?? '',
    message: readableMessage(message ?? ''),
    restarts: Number(restarts ?? 0),
    active,
    busy: active > 0 || current?.busy === true,
    ready_since: parseInstant(running_at ?? undefined),
    next_retry_at: parseInstant(next_retry_at ?? undefined),
    image: image ?? undefined,
  };
}
