/** What the loop over workers reports, passed on to the parts of a term that keep track of workers. */
import { type Decision, hasEnded, type Observation } from '../model/index.ts';
import type { PoolLoop } from '../pools/loop.ts';
import type { WarmPool } from '../pools/warm/warm-pool.ts';
import type { Admission } from '../reconcile/admission/admission.ts';
import type { LoopOptions } from '../reconcile/loop.ts';
import { DEFAULT_POOL } from '../tasks/task-service.ts';
import type { Adoption } from './adoption.ts';
import type { Census } from './census.ts';
import type { TermOptions } from './term-options.ts';

interface LoopListenersDeps {
  /** Created after the loop over workers. */
  pools: () => PoolLoop;
  /** Absent until the term has recovered. */
  adoption: () => Adoption | undefined;
  warmPool: WarmPool;
  admission: Admission;
  census: Census;
  options: Pick<TermOptions, 'pools' | 'traces' | 'checkpoints'>;
}

/** The listeners of a term's loop over workers. */
export function createLoopListeners({
  pools,
  adoption,
  warmPool,
  admission,
  census,
  options,
}: LoopListenersDeps): Pick<LoopOptions, 'decided' | 'recorded' | 'failed' | 'gone' | 'trace'> {
  const { checkpoints } = options;
  const { release } = options.pools;
  const traces = options.traces?.workers;
  return {
    trace: traces && ((run) => traces.reconcile(run)),
    decided(observation, decision) {
      if (observation.desired.spec.pool) pools().expect(observation.desired.spec.pool);
      adoption()?.note(observation, decision);
      warmPool.note(observation, decision);
      admission.note(observation, decision);
      census.note(observation, decision);
      checkpoints?.note(observation, decision);
      traces?.decided(observation, decision);
    },
    recorded(observation, decision) {
      traces?.recorded(observation, decision);
      const { pool, agent_type } = observation.desired.spec;
      if (pool) pools().workerChanged(observation.worker_id, pool);
      // Even one that no pool created takes tasks.
      const queue = pool ?? (agent_type === 'TASK' ? DEFAULT_POOL : undefined);
      const dead = queue === undefined ? undefined : endedBody(observation, decision);
      if (queue !== undefined && dead !== undefined) release(queue, observation.worker_id, dead);
    },
    failed(id) {
      adoption()?.skip(id);
      admission.failed(id);
    },
    gone(id) {
      adoption()?.skip(id);
      admission.forget(id);
      census.forget(id);
      checkpoints?.forget(id);
      warmPool.forget(id);
      pools().workerChanged(id);
    },
  };
}

/** The incarnation whose body a decision considers gone; `undefined` if there is none. */
function endedBody({ status, actual }: Observation, decision: Decision): number | undefined {
  const before = status?.incarnation;
  const alive = actual.kind === 'present' && actual.body.state === 'running';
  if (before === undefined || alive || actual.kind === 'unknown' || actual.kind === 'ambiguous')
    return undefined;
  const { phase, incarnation } = decision.status;
  const over = phase === 'backoff' || hasEnded(decision.status.status);
  return over || incarnation > before ? before : undefined;
}
