import {
  type Actual,
  errorMessage,
  getCapabilities,
  type ImageState,
  type Observation,
  type WorkerRecord,
} from '../model/index.ts';
import type { Store } from '../store/index.ts';
import type { ReconcileContext } from './context.ts';
import { lostStatus } from './lost-status.ts';

/** What an observation needs; `explain` uses it as well, without a lease. */
export type ObserveContext = Pick<
  ReconcileContext,
  'runtimes' | 'limits' | 'now' | 'leadingSince' | 'actionErrors' | 'vitals' | 'startAdmission'
> & {
  store: Pick<Store, 'load' | 'repair'>;
  images: Pick<NonNullable<ReconcileContext['images']>, 'state'> | undefined;
  log: Pick<ReconcileContext['log'], 'warn'>;
};

/** Observes a worker; `undefined` if it has no record. */
export async function observeWorker(
  id: string,
  context: ObserveContext,
): Promise<{ record: WorkerRecord; observation: Observation } | undefined> {
  const loaded = await context.store.load(id);
  if (!loaded) return undefined;
  const { heartbeat, status_lost } = loaded;
  let { record } = loaded;
  const { runtime } = record.desired.spec;
  const actual = await findActual(id, record.status?.body_id, runtime, context);
  if (status_lost) record = { ...record, status: await rebuilt(record, actual, context) };
  const image = await observeImage(record, actual, context);
  const action_error = context.actionErrors.get(id);
  const mayStart = record.desired.desired === 'running' && actual.kind === 'absent' && hasImage(image);
  const now = context.now();
  // Typed before it is frozen: an argument of `Object.freeze` may have fields that the type does not know.
  const observation: Observation = {
    worker_id: id,
    desired: record.desired,
    status: record.status,
    memo: record.memo,
    actual,
    heartbeat,
    action_error,
    vitals: actual.kind === 'present' ? context.vitals?.(actual.body.id) : undefined,
    image,
    queued:
      mayStart && action_error?.kind !== 'permanent' ? context.startAdmission?.request(record) : undefined,
    now,
    // Never in the future, even if a clock was set back; otherwise deadlines would not be reached.
    watching_since: Math.min(now, Math.max(context.leadingSince, context.runtimes.upSince(runtime))),
    limits: context.limits,
  };
  return { record, observation: Object.freeze(observation) };
}

const hasImage = (image: ImageState | undefined) => image === undefined || image.kind === 'ready';

/** What a lost status must have been. */
async function rebuilt(record: WorkerRecord, actual: Actual, { store, log }: ObserveContext) {
  const status = lostStatus(record, await store.repair.lastReported(record.id), actual);
  log.warn(
    { worker_id: record.id, status: status?.status },
    'status was lost; restored from history and body',
  );
  return status;
}

/** Only a worker that waits for a body needs an image. */
async function observeImage(
  { desired, status }: WorkerRecord,
  actual: Actual,
  { images }: ObserveContext,
): Promise<ImageState | undefined> {
  const waits = desired.desired === 'running' && (status?.status ?? 'STARTING') === 'STARTING';
  if (!images || !waits || actual.kind !== 'absent') return undefined;
  if (!getCapabilities(desired.spec.runtime).usesImages) return undefined;
  try {
    return await images.state(desired.spec);
  } catch (error) {
    return { kind: 'unknown', error: errorMessage(error) };
  }
}

/**
 * A failed observation is unknown, whatever failed: only an engine that answered can report that a body does not exist.
 */
async function findActual(
  id: string,
  knownId: string | undefined,
  name: Observation['desired']['spec']['runtime'],
  { runtimes }: ObserveContext,
): Promise<Actual> {
  try {
    const bodies = await runtimes.call(name, (runtime) => runtime.find(id, knownId));
    const [body] = bodies;
    if (!body) return { kind: 'absent' };
    if (bodies.length > 1) return { kind: 'ambiguous', ids: bodies.map((one) => one.id) };
    return { kind: 'present', body };
  } catch (error) {
    return { kind: 'unknown', error: errorMessage(error) };
  }
}
