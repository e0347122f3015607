/**
 * One pass over one worker: observe → decide → record → act.
 *
 * `observe` takes one frozen look at the record and the body. `decide` is pure and says what the status should be
 * and what to do; its rules are in `machines/worker.ts`. `record` stores the status before anything is done,
 * so that evidence outlives the body and a crash in between is repaired by the next pass. `act` carries the
 * intents out. A pass never repairs what it did itself: the next observation shows what happened.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  type Decision,
  describeIntent,
  errorMessage,
  type Intent,
  type Observation,
  type WorkerRecord,
} from '../model/index.ts';
import { Fenced } from '../store/index.ts';
import { act } from './act.ts';
import type { ReconcileContext } from './context.ts';
import { decide } from './decide.ts';
import { hasChanged, toLifecycleEvent } from './history.ts';
import { observeWorker } from './observe.ts';

/** What a pass comes to. Each has its own answer in `settle` of `loop.ts`. */
export type ReconcileResult =
  /** Nothing to do until a hint comes. */
  | { kind: 'done' }
  /** Nothing to do until a hint comes or the time is over. */
  | { kind: 'after'; ms: number }
  /** The world has just been changed: look again at once. */
  | { kind: 'again' }
  /** The record changed while the decision was made: look again. */
  | { kind: 'conflict' }
  /** There is no such worker (any more). */
  | { kind: 'terminal' }
  /** This manager must not act now; its successor, or its next term, will. */
  | { kind: 'standby' }
  /** Something failed: look again after a while. */
  | { kind: 'error'; error: unknown };

export async function reconcileWorker(id: string, context: ReconcileContext): Promise<ReconcileResult> {
  try {
    const observed = await observeWorker(id, context);
    if (!observed) return { kind: 'terminal' };
    const { record, observation } = observed;

    const decision = decide(observation);

    const recorded = await recordDecision(record, observation, decision, context);
    if (recorded !== 'ok') return { kind: recorded === 'gone' ? 'terminal' : 'conflict' };

    return await execute(record, observation, decision, context);
  } catch (error) {
    if (error instanceof Fenced) throw error;
    return { kind: 'error', error };
  }
}

/** Stores the decision where it changes anything; a worker at rest costs no write. */
async function recordDecision(
  record: WorkerRecord,
  observation: Observation,
  decision: Decision,
  context: ReconcileContext,
) {
  context.decided(record, observation, decision);
  // Each body gets a history entry, even if the status named it before it was created.
  const makes = decision.intents.some(({ type }) => type === 'create');
  if (!makes && !hasChanged(record, decision)) return 'ok';
  const { status, memo } = decision;
  const event = toLifecycleEvent(observation, decision);
  // Steps between two statuses are five lines a restart: the worker's history has them.
  if (event)
    context.log[event.type === 'progress' ? 'debug' : 'info'](
      { worker_id: record.id, rule: decision.rule, ...event },
      'worker changed',
    );
  context.checkpoint?.('record:before');
  const stored = await context.store.record(context.epoch, record, { status, memo, event });
  context.checkpoint?.('record:after');
  if (stored === 'ok') context.recorded(record, observation, decision);
  return stored;
}

/** Intents whose completion requeues the worker through an event. */
const ENQUEUED: ReadonlySet<Intent['type']> = new Set(['terminate', 'kill', 'build', 'deliver']);

/** Does what was decided, and says when to look again. */
async function execute(
  record: WorkerRecord,
  observation: Observation,
  decision: Decision,
  context: ReconcileContext,
): Promise<ReconcileResult> {
  const { intents, requeue_after_ms: ms } = decision;
  const { actionErrors, log } = context;
  actionErrors.delete(record.id);
  for (const intent of intents) {
    if (!context.mayAct()) return { kind: 'standby' };
    try {
      context.checkpoint?.(`act:${intent.type}:before`);
      await act(intent, record, observation, context);
      context.checkpoint?.(`act:${intent.type}:after`);
    } catch (error) {
      if (error instanceof Fenced) throw error;
      const refusal = context.toActionError(intent, error);
      log.warn(
        { worker_id: record.id, act: describeIntent(intent), why: errorMessage(error) },
        'action failed',
      );
      if (!refusal) return { kind: 'error', error };
      // What looking cannot bring back, for the very next pass.
      actionErrors.set(record.id, refusal);
      return refusal.kind === 'permanent' ? { kind: 'again' } : { kind: 'error', error };
    }
  }
  // A hint will come of these; everything else has changed the world, or found the record changed.
  if (intents.some(({ type }) => !ENQUEUED.has(type))) return { kind: 'again' };
  // The status reports a failed action that was done by now or is not needed any more.
  if (observation.action_error) return { kind: 'again' };
  // Another state has rules of its own, which this look was not held against.
  if (!isDeepStrictEqual(record.memo?.value, decision.memo.value)) return { kind: 'again' };
  return ms === undefined ? { kind: 'done' } : { kind: 'after', ms };
}
