/**
 * The decision: one look at a worker in, plain data out. Synchronous and pure; the rules themselves stand in
 * `machines/worker.ts`. This file only takes the machine's step and puts it into the words of the contract.
 */

import { initialTransition, type SnapshotFrom, transition } from 'xstate';
import { body, isLife, type Life, newLife } from '../../machines/conditions.ts';
import { MACHINE_VERSION, workerMachine } from '../../machines/worker.ts';
import {
  ASSIGNED,
  type Decision,
  hasEnded,
  headOf,
  type Intent,
  instant,
  type Observation,
  parseInstant,
  type StatusRecord,
  type WorkerStatus,
} from '../model/index.ts';
import { nextLookMs } from './deadlines.ts';

/** Characters of a builder's step: a RUN line may be a page. */
const STEP_TOLD = 120;

type Snapshot = SnapshotFrom<typeof workerMachine>;

export function decide(seen: Observation): Decision {
  const [next, actions] = transition(workerMachine, restore(seen), { type: 'observed', seen });
  const intents: Intent[] = [];
  let rule: string | undefined;
  for (const { type, params } of actions) {
    if (type === 'rule') rule = (params as { name: string }).name;
    else if ((params as { body_id?: string } | undefined)?.body_id !== '')
      intents.push({ type, ...(params as object) } as Intent);
  }
  if (rule === undefined)
    throw new Error(`no rule for ${JSON.stringify(next.value)}: the state machine is incomplete`);
  return {
    status: statusOf(next, seen),
    memo: { machine_version: MACHINE_VERSION, value: next.value, context: next.context },
    intents,
    requeue_after_ms: nextLookMs(next.value, next.context, seen),
    rule,
  };
}

/** The memo where it can be used; else what status and world tell. An ended worker never starts again by amnesia. */
function restore(seen: Observation): Snapshot {
  const { memo, status } = seen;
  if (memo?.machine_version === MACHINE_VERSION && isLife(memo.context)) {
    try {
      return workerMachine.resolveState({
        value: memo.value as Snapshot['value'],
        context: memo.context,
      });
    } catch {
      // A memo that names no state of this machine is as good as none.
    }
  }
  const context = newLife(seen);
  if (status?.phase === ASSIGNED) {
    const { incarnation } = status;
    const running_since = parseInstant(status.running_at);
    const given = { ...context, incarnation, running_since };
    return workerMachine.resolveState({ value: { RUNNING: ASSIGNED }, context: given });
  }
  if (!status || !(hasEnded(status.status) || status.phase === 'backoff'))
    return initialTransition(workerMachine, context)[0];
  const { reason, message, exit_code, incarnation, observed_generation: generation } = status;
  const at = parseInstant(status.finished_at) ?? seen.now;
  const outcome = { reason, message, exit_code, well: status.status === 'STOPPED', at };
  if (status.phase === 'backoff') {
    const next_retry_at = parseInstant(status.next_retry_at);
    const waiting = { ...context, incarnation, failures: 1, next_retry_at, outcome };
    return workerMachine.resolveState({ value: { STARTING: 'backoff' }, context: waiting });
  }
  return workerMachine.resolveState({
    value: status.phase === 'deleted' ? 'DELETED' : status.status,
    context: { ...context, incarnation, expected: false, generation, outcome },
  });
}

function statusOf({ value, context }: Snapshot, seen: Observation): StatusRecord {
  const [top, child] =
    typeof value === 'string' ? [value, undefined] : (Object.entries(value)[0] ?? ['', '']);
  const seenBody = body(seen);
  const same = seen.status?.incarnation === context.incarnation ? seen.status : undefined;
  const finished = context.outcome !== undefined && top !== 'STARTING';
  return {
    status: top === 'DELETED' ? 'STOPPED' : (top as WorkerStatus),
    phase: child ?? (top === 'DELETED' ? 'deleted' : seenBody ? 'cleaning' : 'finished'),
    ...explanation(top, child, context, seen),
    incarnation: context.incarnation,
    restarts: context.restarts,
    ip_address: finished ? undefined : (seenBody?.ip_address ?? same?.ip_address),
    pid: seen.actual.kind === 'unknown' ? same?.pid : seenBody?.pid,
    exit_code: context.outcome?.exit_code,
    runtime: seen.desired.spec.runtime,
    body_id: seen.actual.kind === 'absent' ? undefined : (seenBody?.id ?? same?.body_id),
    image: seenBody?.image ?? seen.status?.image,
    observed_generation: seen.desired.generation,
    started_at: ms(seenBody?.started_at) ?? same?.started_at,
    running_at: ms(context.running_since) ?? same?.running_at,
    finished_at: ms(context.outcome?.at),
    next_retry_at: ms(context.next_retry_at),
  };
}

const ms = (at: number | undefined) => (at === undefined ? undefined : instant(at));

/** One word for programs and one sentence for people on why the worker is as it is. */
function explanation(top: string, child: string | undefined, life: Life, seen: Observation) {
  const { actual, refusal, status, image } = seen;
  const settled = top === 'STOPPED' || top === 'FAILED';
  if (image?.kind === 'unknown' && !settled) return { reason: 'RuntimeUnavailable', message: image.error };
  if (actual.kind === 'unknown' && settled)
    return { reason: status?.reason ?? '', message: status?.message ?? '' };
  if (actual.kind === 'unknown') return { reason: 'RuntimeUnavailable', message: actual.error };
  if (actual.kind === 'ambiguous') {
    const message = `More than one body has its ID, and none is changed: ${actual.ids.join(', ')}.`;
    return { reason: 'AmbiguousBody', message };
  }
  if (refusal?.kind === 'transient') return { reason: refusal.reason, message: refusal.message };
  if (child === 'building' && image?.kind === 'building')
    return { reason: 'ImageBuilding', message: `${image.name}: ${headOf(image.step, STEP_TOLD)}` };
  if (child === 'building' && image && image.kind !== 'unknown')
    return { reason: 'ImageBuilding', message: `${image.name} does not exist yet.` };
  // A look that could not tell leaves the sentence as it is.
  if (child === 'queued') return { reason: 'Queued', message: seen.queued ?? status?.message ?? '' };
  if (top === 'DELETED')
    return { reason: life.outcome?.reason ?? 'Deleted', message: life.outcome?.message ?? '' };
  if (child === ASSIGNED) return { reason: status?.reason ?? '', message: status?.message ?? '' };
  if (child === 'silent') {
    const message = `The last report of its wrapper was at ${seen.heartbeat?.at ?? 'an unknown time'}; silence alone does not end it.`;
    return { reason: 'HeartbeatLost', message };
  }
  const why = life.ending ?? life.outcome;
  return { reason: why?.reason ?? '', message: why?.message ?? '' };
}
