import {
  type ActionError,
  computeDigest,
  errorMessage,
  getCapabilities,
  type Intent,
  type Observation,
  persists,
  type WorkerRecord,
} from '../model/index.ts';
import { BodyConflict, type BodyOrder, BodyRefused, RuntimeDown } from '../runtimes/runtime.ts';
import { Fenced } from '../store/index.ts';
import { createBodyEnv } from './body-env.ts';
import type { ReconcileContext } from './context.ts';

type Executor<T extends Intent['type']> = (
  intent: Extract<Intent, { type: T }>,
  record: WorkerRecord,
  context: ReconcileContext,
) => Promise<unknown>;

/** A hold expires if its manager died, in milliseconds: longer than a create may take. */
const HOLD_MS = 300_000;

/** A mapped type: an intent without an executor does not compile. */
const executors: { [T in Intent['type']]: Executor<T> } = {
  build: async (_, record, context) => context.images?.build(record.desired.spec),
  create: ({ incarnation }, record, context) =>
    withImage(record, context, (image) =>
      onRuntime(record, context, (runtime) =>
        runtime.create({ ...createBodyOrder(incarnation, record, context), ...(image ? { image } : {}) }),
      ),
    ),
  start: ({ body_id }, record, context) => onRuntime(record, context, (runtime) => runtime.start(body_id)),
  deliver: async ({ body_id }, record, context) => {
    const content = JSON.stringify(await context.secrets(record.id, record.desired.spec.secrets ?? []));
    await onRuntime(record, context, (runtime) => runtime.deliver(body_id, content));
  },
  terminate: ({ body_id }, record, context) =>
    onRuntime(record, context, (runtime) => runtime.terminate(body_id)),
  kill: ({ body_id }, record, context) => onRuntime(record, context, (runtime) => runtime.kill(body_id)),
  remove: ({ body_id }, record, context) => onRuntime(record, context, (runtime) => runtime.remove(body_id)),
  purge: async (_, record, context) => {
    if ((await context.store.purge(context.epoch, record)) !== 'ok') return;
    context.crashPoint?.('purged');
    await removeFiles(record, context);
  },
};

const DESTRUCTIVE: ReadonlySet<Intent['type']> = new Set(['terminate', 'kill', 'remove']);

/** Executes one intent. Throws errors of the runtime, and `Fenced` if another manager now leads. */
export async function act(
  intent: Intent,
  record: WorkerRecord,
  _seen: Observation,
  context: ReconcileContext,
): Promise<void> {
  // A late action of a deposed leader can only be repaired, so the epoch is read again right before it.
  if (DESTRUCTIVE.has(intent.type) && !(await context.store.leads(context.epoch))) throw new Fenced();
  await (executors[intent.type] as Executor<Intent['type']>)(intent as never, record, context);
}

/**
 * Deletes the files of a worker whose record is deleted: not before, because a start that is accepted in between keeps
 * both. Files that cannot be deleted now are found by the next sweep (src/leader/workspace-sweep.ts).
 */
async function removeFiles(record: WorkerRecord, context: ReconcileContext): Promise<void> {
  if (!persists(record.desired.spec)) return;
  const workspace = record.desired.workspace ?? record.id;
  await onRuntime(record, context, (runtime) => runtime.removeWorkspace(workspace)).catch(
    (error: unknown) => {
      context.log.warn(
        { worker_id: record.id, workspace, why: errorMessage(error) },
        'failed to delete a workspace',
      );
    },
  );
}

function onRuntime(
  record: WorkerRecord,
  { runtimes }: ReconcileContext,
  what: Parameters<ReconcileContext['runtimes']['call']>[1],
): Promise<unknown> {
  return runtimes.call(record.desired.spec.runtime, what);
}

/** Protects the image from collection until the body exists, which then protects it. */
async function withImage<T>(
  { id, desired: { spec } }: WorkerRecord,
  { images }: ReconcileContext,
  what: (image: string | undefined) => Promise<T>,
): Promise<T> {
  if (!getCapabilities(spec.runtime).usesImages) return what(undefined);
  // Not an image of ours, so it is never collected by us; if it is missing, no build restores it.
  if (spec.image !== undefined) return what(spec.image);
  if (!images) return what(undefined);
  const state = await images.state(spec);
  if (state.kind !== 'ready') throw new Error('Its image does not exist any more; checking again.');
  if ((await images.usage.hold(state.name, id, HOLD_MS)) === 'removing')
    throw new Error(`The image ${state.name} is being removed; it will be rebuilt.`);
  try {
    return await what(state.name);
  } catch (error) {
    if (!(error instanceof BodyRefused && error.reason === 'ImageMissing')) throw error;
    throw new Error(`The image ${state.name} has been removed; it will be rebuilt.`, { cause: error });
  } finally {
    // A hold that cannot be released expires.
    await images.usage.release(state.name, id).catch(() => {});
  }
}

function createBodyOrder(
  incarnation: number,
  { id, desired: { spec, workspace } }: WorkerRecord,
  context: ReconcileContext,
): BodyOrder {
  return {
    worker_id: id,
    incarnation,
    spec,
    spec_hash: computeDigest(spec),
    ...(workspace !== undefined && { workspace }),
    epoch: context.epoch,
    env: createBodyEnv({
      id,
      incarnation,
      spec,
      cell: context.cell,
      logLevel: context.log.level,
      redisUrl: context.bodyRedisUrl(spec.runtime),
      handlersDir: context.handlersDir,
    }),
  };
}

const REASONS: Record<Intent['type'], string> = {
  build: 'BuildFailed',
  create: 'CreateFailed',
  start: 'StartFailed',
  deliver: 'SecretsNotDelivered',
  terminate: 'StopFailed',
  kill: 'KillFailed',
  remove: 'RemoveFailed',
  purge: 'PurgeFailed',
};

/** What the next reconcile learns from a failed action; `undefined` if the next observation shows it. */
export function toActionError(intent: Intent, error: unknown): ActionError | undefined {
  if (error instanceof BodyRefused)
    return { kind: 'permanent', reason: error.reason, message: error.message };
  if (error instanceof BodyConflict) {
    return error.ours ? undefined : { kind: 'transient', reason: 'NameTaken', message: error.message };
  }
  if (error instanceof RuntimeDown) return undefined;
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'transient', reason: REASONS[intent.type], message };
}
