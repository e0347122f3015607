/**
 * One pass over one worker: observe → decide → record → act.
 *
 * `observe` takes one frozen look at the record and the body. `decide` is pure and says what the status should be
 * and what to do; its rules stand in `machines/worker.ts`. `record` stores the status before anything is done,
 * so that evidence outlives the body and a crash in between is repaired by the next pass. `act` carries the
 * intents out. A pass never repairs what it did itself: whatever happened, the next look will tell.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  type Decision,
  describe,
  type Intent,
  messageOf,
  type Observation,
  type WorkerRecord,
} from '../model/index.ts';
import { Fenced } from '../store/index.ts';
import { act } from './act.ts';
import type { PassContext } from './context.ts';
import { decide } from './decide.ts';
import { eventOf, isNews } from './history.ts';
import { observe } from './observe.ts';

/** What a pass comes to. Each has its own answer in `settle` of `loop.ts`. */
export type Outcome =
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

export async function reconcileWorker(id: string, context: PassContext): Promise<Outcome> {
  try {
    const looked = await observe(id, context);
    if (!looked) return { kind: 'terminal' };
    const { record, seen } = looked;

    const decision = decide(seen);

    const recorded = await store(record, seen, decision, context);
    if (recorded !== 'ok') return { kind: recorded === 'gone' ? 'terminal' : 'conflict' };

    return await carryOut(record, seen, decision, context);
  } catch (error) {
    if (error instanceof Fenced) throw error;
    return { kind: 'error', error };
  }
}

/** Stores the decision where it changes anything; a worker at rest costs no write. */
async function store(record: WorkerRecord, seen: Observation, decision: Decision, context: PassContext) {
  context.decided(record, seen, decision);
  // Each body gets a history entry, even if the status named it before it was created.
  const makes = decision.intents.some(({ type }) => type === 'create');
  if (!makes && !isNews(record, decision)) return 'ok';
  const { status, memo } = decision;
  const event = eventOf(seen, decision);
  // Steps between two statuses are five lines a restart: the worker's history has them.
  if (event)
    context.log[event.type === 'progress' ? 'debug' : 'info'](
      { worker_id: record.id, rule: decision.rule, ...event },
      'worker changed',
    );
  context.checkpoint?.('record:before');
  const stored = await context.store.record(context.epoch, record, { status, memo, event });
  context.checkpoint?.('record:after');
  if (stored === 'ok') context.recorded(record, seen, decision);
  return stored;
}

/** The body ends, the build goes on or ends, the wrapper has its secrets: each is heard of. */
const HINTED: ReadonlySet<Intent['type']> = new Set(['terminate', 'kill', 'build', 'deliver']);

/** Does what was decided, and says when to look again. */
async function carryOut(
  record: WorkerRecord,
  seen: Observation,
  decision: Decision,
  context: PassContext,
): Promise<Outcome> {
  const { intents, requeue_after_ms: ms } = decision;
  const { refusals, log } = context;
  refusals.delete(record.id);
  for (const intent of intents) {
    if (!context.mayAct()) return { kind: 'standby' };
    try {
      context.checkpoint?.(`act:${intent.type}:before`);
      await act(intent, record, seen, context);
      context.checkpoint?.(`act:${intent.type}:after`);
    } catch (error) {
      if (error instanceof Fenced) throw error;
      const refusal = context.refusalOf(intent, error);
      log.warn({ worker_id: record.id, act: describe(intent), why: messageOf(error) }, 'action failed');
      if (!refusal) return { kind: 'error', error };
      // What looking cannot bring back, for the very next pass.
      refusals.set(record.id, refusal);
      return refusal.kind === 'permanent' ? { kind: 'again' } : { kind: 'error', error };
    }
  }
  // A hint will come of these; everything else has changed the world, or found the record changed.
  if (intents.some(({ type }) => !HINTED.has(type))) return { kind: 'again' };
  // The status tells of an act that failed, and that has been done by now or is not needed any more.
  if (seen.refusal) return { kind: 'again' };
  // Another state has rules of its own, which this look was not held against.
  if (!isDeepStrictEqual(record.memo?.value, decision.memo.value)) return { kind: 'again' };
  return ms === undefined ? { kind: 'done' } : { kind: 'after', ms };
}
