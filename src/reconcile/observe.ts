import {
  type Actual,
  getCapabilities,
  type ImageState,
  messageOf,
  type Observation,
  type WorkerRecord,
} from '../model/index.ts';
import type { Store } from '../store/index.ts';
import type { PassContext } from './context.ts';
import { lostStatus } from './lost-status.ts';

/** What a look needs; `explain` looks with it, too, and without a lease. */
export type Looker = Pick<
  PassContext,
  'runtimes' | 'images' | 'limits' | 'now' | 'leadingSince' | 'refusals' | 'vitals' | 'turns'
> & { store: Pick<Store, 'load' | 'repair'>; log: Pick<PassContext['log'], 'warn'> };

/** One look at a worker; `undefined` where there is no record of it. */
export async function observe(
  id: string,
  context: Looker,
): Promise<{ record: WorkerRecord; seen: Observation } | undefined> {
  const loaded = await context.store.load(id);
  if (!loaded) return undefined;
  const { heartbeat, status_lost } = loaded;
  let { record } = loaded;
  const { runtime } = record.desired.spec;
  const actual = await look(id, record.status?.body_id, runtime, context);
  if (status_lost) record = { ...record, status: await rebuilt(record, actual, context) };
  const image = await lookForImage(record, actual, context);
  const refusal = context.refusals.get(id);
  const mayStart = record.desired.desired === 'running' && actual.kind === 'absent' && hasImage(image);
  const now = context.now();
  const seen: Observation = Object.freeze({
    worker_id: id,
    desired: record.desired,
    status: record.status,
    memo: record.memo,
    actual,
    heartbeat,
    refusal,
    vitals: actual.kind === 'present' ? context.vitals?.(actual.body.id) : undefined,
    image,
    queued: mayStart && refusal?.kind !== 'permanent' ? context.turns?.ask(record) : undefined,
    now,
    // Never in the future, where a clock was set back: deadlines would not come.
    watching_since: Math.min(now, Math.max(context.leadingSince, context.runtimes.upSince(runtime))),
    limits: context.limits,
  });
  return { record, seen };
}

const hasImage = (image: ImageState | undefined) => image === undefined || image.kind === 'ready';

/** What a status that is lost must have been. */
async function rebuilt(record: WorkerRecord, actual: Actual, { store, log }: Looker) {
  const status = lostStatus(record, await store.repair.lastTold(record.id), actual);
  log.warn(
    { worker_id: record.id, status: status?.status },
    'status was lost; restored from history and body',
  );
  return status;
}

/** Only who waits for a body needs an image. */
async function lookForImage(
  { desired, status }: WorkerRecord,
  actual: Actual,
  { images }: Looker,
): Promise<ImageState | undefined> {
  const waits = desired.desired === 'running' && (status?.status ?? 'STARTING') === 'STARTING';
  if (!images || !waits || actual.kind !== 'absent') return undefined;
  if (!getCapabilities(desired.spec.runtime).usesImages) return undefined;
  try {
    return await images.state(desired.spec);
  } catch (error) {
    return { kind: 'unknown', error: messageOf(error) };
  }
}

/** A look that failed is unknown, whatever failed: only an engine that answered can say that nothing is there. */
async function look(
  id: string,
  knownId: string | undefined,
  name: Observation['desired']['spec']['runtime'],
  { runtimes }: Looker,
): Promise<Actual> {
  try {
    const bodies = await runtimes.call(name, (runtime) => runtime.find(id, knownId));
    const [body] = bodies;
    if (!body) return { kind: 'absent' };
    if (bodies.length > 1) return { kind: 'ambiguous', ids: bodies.map((one) => one.id) };
    return { kind: 'present', body };
  } catch (error) {
    return { kind: 'unknown', error: messageOf(error) };
  }
}
