import type { Intent, Observation, Refusal, WorkerRecord } from '../model/index.ts';
import { BodyConflict, type BodyOrder, BodyRefused, RuntimeDown } from '../runtimes/runtime.ts';
import { Fenced } from '../store/index.ts';
import type { PassContext } from './pass-context.ts';
import { specHash } from './spec-hash.ts';

type Executor<T extends Intent['type']> = (
  intent: Extract<Intent, { type: T }>,
  record: WorkerRecord,
  context: PassContext,
) => Promise<unknown>;

/** A mapped type: an intent without its executor does not compile. */
const executors: { [T in Intent['type']]: Executor<T> } = {
  create: ({ incarnation }, record, context) =>
    onRuntime(record, context, (runtime) => runtime.create(orderOf(incarnation, record, context))),
  start: ({ body_id }, record, context) => onRuntime(record, context, (runtime) => runtime.start(body_id)),
  terminate: ({ body_id }, record, context) =>
    onRuntime(record, context, (runtime) => runtime.terminate(body_id)),
  kill: ({ body_id }, record, context) => onRuntime(record, context, (runtime) => runtime.kill(body_id)),
  remove: ({ body_id }, record, context) => onRuntime(record, context, (runtime) => runtime.remove(body_id)),
  purge: (_, record, context) => context.store.purge(context.epoch, record),
};

const DESTRUCTIVE: ReadonlySet<Intent['type']> = new Set(['terminate', 'kill', 'remove']);

/** Carries out one intent. Throws what the runtime throws, and `Fenced` where another manager leads by now. */
export async function act(
  intent: Intent,
  record: WorkerRecord,
  _seen: Observation,
  context: PassContext,
): Promise<void> {
  // A late act of a deposed leader can only be repaired, so the epoch is read again right before it.
  if (DESTRUCTIVE.has(intent.type) && !(await context.store.leads(context.epoch))) throw new Fenced();
  await (executors[intent.type] as Executor<Intent['type']>)(intent as never, record, context);
}

function onRuntime(
  record: WorkerRecord,
  { runtimes }: PassContext,
  what: Parameters<PassContext['runtimes']['call']>[1],
): Promise<unknown> {
  return runtimes.call(record.desired.spec.runtime, what);
}

function orderOf(
  incarnation: number,
  { id, desired: { spec } }: WorkerRecord,
  context: PassContext,
): BodyOrder {
  return {
    worker_id: id,
    incarnation,
    spec,
    spec_hash: specHash(spec),
    epoch: context.epoch,
    env: {
      WORKER_ID: id,
      WORKER_TYPE: spec.agent_type,
      WORKER_INCARNATION: String(incarnation),
      WORKER_CELL: context.cell,
      LOG_LEVEL: context.log.level,
      REDIS_URL: context.bodyRedisUrl(spec.runtime),
    },
  };
}

const REASONS: Record<Intent['type'], string> = {
  create: 'CreateFailed',
  start: 'StartFailed',
  terminate: 'StopFailed',
  kill: 'KillFailed',
  remove: 'RemoveFailed',
  purge: 'PurgeFailed',
};

/** What a failed act tells the next pass; `undefined` where looking again will tell. */
export function refusalOf(intent: Intent, error: unknown): Refusal | undefined {
  if (error instanceof BodyRefused)
    return { kind: 'permanent', reason: error.reason, message: error.message };
  if (error instanceof BodyConflict) {
    return error.ours ? undefined : { kind: 'transient', reason: 'NameTaken', message: error.message };
  }
  if (error instanceof RuntimeDown) return undefined;
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'transient', reason: REASONS[intent.type], message };
}
