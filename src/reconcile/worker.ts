/**
 * Reconciles one worker: observe → decide → record → act.
 *
 * `observe` creates one immutable observation of the record and the body. `decide` is pure and returns the
 * new status and the actions; its rules are in `machines/worker.ts`. `record` stores the status before any
 * action, so that evidence outlives the body and the next reconcile repairs a crash in between. `act`
 * executes the intents. A reconcile never repairs its own actions: the next observation shows their results.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  type Decision,
  describeIntent,
  errorMessage,
  type Intent,
  type Observation,
  toTraceId,
  type WorkerRecord,
} from '../model/index.ts';
import { Fenced } from '../store/index.ts';
import { act } from './act.ts';
import type { ReconcileContext } from './context.ts';
import { decide } from './decide.ts';
import { hasChanged, toLifecycleEvent } from './history.ts';
import { observeWorker } from './observe.ts';

/** The result of a reconcile. `settle` of `loop.ts` handles each of them. */
export type ReconcileResult =
  /** Nothing to do until an event arrives. */
  | { kind: 'done' }
  /** Nothing to do until an event arrives or the time has passed. */
  | { kind: 'after'; ms: number }
  /** Something was changed: observe again immediately. */
  | { kind: 'again' }
  /** The record changed while the decision was made: observe again. */
  | { kind: 'conflict' }
  /** The worker does not exist (any more). */
  | { kind: 'terminal' }
  /** This manager must not act now; its successor, or its next term, will. */
  | { kind: 'standby' }
  /** Something failed, maybe an action: retry after a delay. The loop logs it. */
  | { kind: 'error'; error: unknown; act?: string };

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

/** Stores the decision if it changes anything; an unchanged worker costs no write. */
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
  // Steps between two statuses are five lines per restart; the worker's history has them.
  if (event)
    context.log[event.type === 'progress' ? 'debug' : 'info'](
      {
        worker_id: record.id,
        trace_id: toTraceId(record.desired.traceparent),
        rule: decision.rule,
        ...event,
      },
      'worker changed',
    );
  const webhooks = context.webhooks?.create(record, observation, decision);
  context.crashPoint?.('record:before');
  const stored = await context.store.record(context.epoch, record, { status, memo, event, webhooks });
  context.crashPoint?.('record:after');
  if (stored !== 'ok') return stored;
  context.recorded(record, observation, decision);
  if (webhooks) context.webhooks?.stored(webhooks);
  return stored;
}

/** Intents whose completion requeues the worker through an event. */
const ENQUEUED: ReadonlySet<Intent['type']> = new Set(['terminate', 'kill', 'build', 'deliver']);

/** Executes the decision, and returns when to observe again. */
async function execute(
  record: WorkerRecord,
  observation: Observation,
  decision: Decision,
  context: ReconcileContext,
): Promise<ReconcileResult> {
  const { intents } = decision;
  const { actionErrors, log } = context;
  actionErrors.delete(record.id);
  for (const intent of intents) {
    if (!context.mayAct()) return { kind: 'standby' };
    try {
      context.crashPoint?.(`act:${intent.type}:before`);
      await act(intent, record, observation, context);
      context.crashPoint?.(`act:${intent.type}:after`);
    } catch (error) {
      if (error instanceof Fenced) throw error;
      const refusal = context.toActionError(intent, error);
      const act = describeIntent(intent);
      if (!refusal) return { kind: 'error', error, act };
      // What an observation cannot show, for the next reconcile.
      actionErrors.set(record.id, refusal);
      if (refusal.kind !== 'permanent') return { kind: 'error', error, act };
      log.warn({ worker_id: record.id, act, why: errorMessage(error) }, 'action failed');
      return { kind: 'again' };
    }
  }
  // An event follows these; everything else has changed something, or found the record changed.
  if (intents.some(({ type }) => !ENQUEUED.has(type))) return { kind: 'again' };
  // The status reports a failed action that was done by now or is not needed any more.
  if (observation.action_error) return { kind: 'again' };
  // This observation was not compared for another incarnation, which a restart can begin without a body.
  if (record.status && record.status.incarnation !== decision.status.incarnation) return { kind: 'again' };
  if (isDeepStrictEqual(record.memo?.value, decision.memo.value)) return untilDue(decision);
  if (intents.length > 0) return { kind: 'again' };
  // Another state has other rules. If they change nothing either, there is no reason to observe again.
  const { status, memo } = decision;
  const next = decide({ ...observation, status, memo });
  const rests = next.intents.length === 0 && !hasChanged({ ...record, status, memo }, next);
  return rests ? untilDue(next) : { kind: 'again' };
}

const untilDue = ({ requeue_after_ms: ms }: Decision): ReconcileResult =>
  ms === undefined ? { kind: 'done' } : { kind: 'after', ms };
