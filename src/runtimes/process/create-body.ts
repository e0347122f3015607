import { type Body, persists, workerId } from '../../model/index.ts';
import { BodyConflict, type BodyOrder } from '../runtime.ts';
import type { Bodies } from './bodies.ts';
import { BodyDirectory } from './body-directory.ts';
import { type BodyRecord, newBodyId } from './body-record.ts';
import { call } from './call.ts';
import type { ProcessHost } from './host.ts';
import { rejectUnsupportedLimits, toBodyLimits, withDefaultLimits, withRlimit } from './limits.ts';
import { toBody } from './observe.ts';
import type { ProcessRuntimeOptions } from './process-options.ts';
import { formatTitle } from './title.ts';
import type { WrapperCopy } from './wrapper-copy.ts';

/** What the runtime has for a new body. */
interface CreatorDeps {
  bodies: Bodies;
  host: ProcessHost;
  options: ProcessRuntimeOptions;
  wrapper: WrapperCopy;
  /** Creates the cell's folder. */
  open: () => Promise<void>;
}

/** Creates the folders of a body and its record; throws `BodyConflict` if its name is taken. */
export async function createBody(
  order: BodyOrder,
  { bodies, host, options, wrapper, open }: CreatorDeps,
): Promise<Body> {
  const worker = workerId.parse(order.worker_id);
  const support = (await host.cgroups()).limits;
  const requested = toBodyLimits(order.spec);
  rejectUnsupportedLimits(requested, withRlimit(support));
  const limits = withDefaultLimits(requested, options.defaults ?? {}, support);
  await call(`open the folder ${bodies.cell.path}`, () => open());
  const [alive] = await bodies.lost.ofWorker(worker, undefined);
  if (alive)
    throw new BodyConflict(
      `Body ${alive.made.id} of worker ${worker} is running, but its folder is missing.`,
      true,
    );
  const made: BodyRecord = {
    id: newBodyId(worker),
    cell: options.cell,
    worker_id: worker,
    incarnation: order.incarnation,
    spec_hash: order.spec_hash,
    spec: JSON.stringify(order.spec),
    epoch: order.epoch,
    ...(order.store === undefined ? {} : { store: order.store }),
    ...(persists(order.spec) && { workspace: order.workspace ?? worker }),
    created_at: (options.now ?? Date.now)(),
    argv: order.argv ?? [...(await wrapper.argv()), formatTitle(order.spec, worker)],
    env: order.env,
    limits,
    layout: 2,
  };
  const dir = new BodyDirectory(bodies.cell.path, worker);
  try {
    await bodies.work.make(made);
    if (await BodyDirectory.make(bodies.cell.path, worker, made)) return toBody(made);
  } catch (error) {
    await bodies.work.remove(made.id).catch(() => undefined);
    throw error;
  }
  await bodies.work.remove(made.id);
  const ours = (await bodies.cell.body(worker)) !== undefined;
  const what = ours
    ? 'by another body of that worker'
    : 'by files that worker-manager did not create; move them away to continue';
  throw new BodyConflict(`The directory ${dir.path} of worker ${worker} is taken ${what}.`, ours);
}
