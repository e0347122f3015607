/** Builds the dependencies of the pool loop from those of a term. */

import {
  errorMessage,
  getCapabilities,
  IMAGE_RUNTIME,
  type Limits,
  type PoolSpec,
  type RuntimeName,
  type TaskCounts,
  type WorkerSpec,
} from '../model/index.ts';
import { chooseRuntime } from '../placement/choose-runtime.ts';
import type { Capabilities } from '../placement/context.ts';
import type { QueueObservation } from '../pools/observation.ts';
import { getRuntimes } from '../pools/placement.ts';
import type { PoolContext } from '../pools/reconcile.ts';
import { createMemberSpec, toTemplate } from '../pools/template.ts';
import type { ReconcileContext } from '../reconcile/context.ts';
import type { Runtimes } from '../runtimes/registry.ts';
import type { PoolStore } from '../store/index.ts';

/** Pools as stored in Redis, and the queues that their workers take tasks from. */
export interface PoolPorts {
  store: PoolStore;
  counts: (pool: string) => Promise<Pick<TaskCounts, 'queued' | 'active'>>;
  /**
   * A body of that worker is known to be gone: other workers may take its tasks immediately. Never throws.
   */
  release: (pool: string, workerId: string, incarnation: number) => void;
}

interface PoolContextDeps {
  pools: PoolPorts;
  runtimes: Runtimes;
  capabilities: Capabilities;
  images: ReconcileContext['images'];
  limits: Limits;
  log: ReconcileContext['log'];
  now: () => number;
  newId: () => string;
  crashPoint?: ReconcileContext['crashPoint'];
}

/**
 * How long a resolved `auto` runtime is reused: resolving it asks the engine, and every reconcile needs it.
 */
const PLACE_MS = 5000;

/** The parts of a pool's context that do not depend on the term. */
export function createPoolContext(
  deps: PoolContextDeps,
): Omit<PoolContext, 'epoch' | 'mayAct' | 'leadingSince' | 'changed' | 'onReconciled' | 'membersFound'> {
  const { pools, log, limits, now, newId, crashPoint } = deps;
  return {
    pools: pools.store,
    log,
    limits,
    now,
    newId,
    crashPoint,
    ...createPoolObserver(deps),
  };
}

/** Observes the world around a pool; `explain` uses it as well. */
export function createPoolObserver(
  deps: Pick<PoolContextDeps, 'runtimes' | 'capabilities' | 'images' | 'now'> & {
    pools: Pick<PoolPorts, 'counts'>;
  },
): Pick<PoolContext, 'observeQueue' | 'chooseAuto' | 'findWarmImage'> {
  const { pools, runtimes, capabilities, images, now } = deps;
  const places = new Map<string, { at: number; place: RuntimeName | undefined }>();
  return {
    async observeQueue(pool): Promise<QueueObservation> {
      try {
        const { queued, active } = await pools.counts(pool);
        return { kind: 'known', queued, active };
      } catch (error) {
        return { kind: 'unknown', error: errorMessage(error) };
      }
    },
    async chooseAuto(spec) {
      const known = places.get(spec.name);
      if (known && Math.abs(now() - known.at) < PLACE_MS) return known.place;
      const place = await chooseAutoRuntime(spec, { runtimes: runtimes.states, capabilities });
      places.set(spec.name, { at: now(), place });
      return place;
    },
    async findWarmImage(spec) {
      const runtime = getRuntimes(spec.execution_mode).find((name) => getCapabilities(name).usesImages);
      if (!images || !runtime) return undefined;
      const warm = createMemberSpec(spec, { id: '-', index: 0, runtime, warm: true });
      const state = await images.state(warm).catch(() => undefined);
      return state && state.kind !== 'unknown' ? state.name : undefined;
    },
  };
}

async function chooseAutoRuntime(
  spec: PoolSpec,
  context: Parameters<typeof chooseRuntime>[1],
): Promise<RuntimeName | undefined> {
  try {
    // Resolved as for a worker with an image, because that must be possible.
    const probe = { ...toTemplate(spec, IMAGE_RUNTIME), runtime: 'auto' } as WorkerSpec & { runtime: 'auto' };
    const { runtime } = await chooseRuntime(probe, context);
    return runtime;
  } catch {
    return undefined;
  }
}
