/**
 * The decision about a worker, from one observation to plain data. Synchronous and pure; the rules themselves
 * are in `machines/worker.ts`. This file only runs one step of the machine and translates it to the terms of
 * the contract.
 */

import { initialTransition, type SnapshotFrom, transition } from 'xstate';
import { body, isWorkerState, newWorkerState, type WorkerState } from '../../machines/conditions.ts';
import { MACHINE_VERSION, workerMachine } from '../../machines/worker.ts';
import {
  ASSIGNED,
  type Decision,
  formatInstant,
  formatSize,
  hasEnded,
  type Intent,
  isWorkspaceFull,
  type Observation,
  parseInstant,
  type StatusRecord,
  takeHead,
  type WorkerStatus,
} from '../model/index.ts';
import { nextReconcileMs } from './deadlines.ts';

/** Maximum length of a builder's step, because a RUN line can be very long. */
const STEP_LENGTH = 120;

type Snapshot = SnapshotFrom<typeof workerMachine>;

export function decide(observation: Observation): Decision {
  const [next, actions] = transition(workerMachine, restore(observation), { type: 'observed', observation });
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
    status: toStatus(next, observation),
    memo: { machine_version: MACHINE_VERSION, value: next.value, context: next.context },
    intents,
    requeue_after_ms: nextReconcileMs(next.value, next.context, observation),
    rule,
  };
}

/**
 * The memo if it can be used; otherwise the status and the observation. An ended worker never starts again
 * because its memo was lost.
 */
function restore(observation: Observation): Snapshot {
  const { memo, status } = observation;
  if (memo?.machine_version === MACHINE_VERSION && isWorkerState(memo.context)) {
    try {
      return workerMachine.resolveState({
        value: memo.value as Snapshot['value'],
        context: memo.context,
      });
    } catch {
      // A memo that names no state of this machine counts as absent.
    }
  }
  const context = newWorkerState(observation);
  if (status?.phase === ASSIGNED) {
    const { incarnation } = status;
    const running_since = parseInstant(status.running_at);
    const state = { ...context, incarnation, running_since };
    return workerMachine.resolveState({ value: { RUNNING: ASSIGNED }, context: state });
  }
  if (!status || !(hasEnded(status.status) || status.phase === 'backoff'))
    return initialTransition(workerMachine, context)[0];
  const { reason, message, exit_code, incarnation, observed_generation: generation } = status;
  const at = parseInstant(status.finished_at) ?? observation.now;
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

function toStatus({ value, context }: Snapshot, observation: Observation): StatusRecord {
  const [top, child] =
    typeof value === 'string' ? [value, undefined] : (Object.entries(value)[0] ?? ['', '']);
  const seenBody = body(observation);
  const same = observation.status?.incarnation === context.incarnation ? observation.status : undefined;
  const finished = context.outcome !== undefined && top !== 'STARTING';
  return {
    status: top === 'DELETED' ? 'STOPPED' : (top as WorkerStatus),
    phase: child ?? (top === 'DELETED' ? 'deleted' : seenBody ? 'cleaning' : 'finished'),
    ...explanation(top, child, context, observation),
    incarnation: context.incarnation,
    restarts: context.restarts,
    ip_address: finished ? undefined : (seenBody?.ip_address ?? same?.ip_address),
    pid: observation.actual.kind === 'unknown' ? same?.pid : seenBody?.pid,
    exit_code: context.outcome?.exit_code,
    runtime: observation.desired.spec.runtime,
    body_id: observation.actual.kind === 'absent' ? undefined : (seenBody?.id ?? same?.body_id),
    image: seenBody?.image ?? observation.status?.image,
    observed_generation: observation.desired.generation,
    started_at: ms(seenBody?.started_at) ?? same?.started_at,
    running_at: ms(context.running_since) ?? same?.running_at,
    finished_at: ms(context.outcome?.at),
    next_retry_at: ms(context.next_retry_at),
  };
}

const fullMessage = ({ desired, heartbeat }: Observation) =>
  `Its workspace has ${formatSize(heartbeat?.workspace_bytes ?? 0)}, and workspace.size is ${desired.spec.workspace?.size}. Delete files.`;

const ms = (at: number | undefined) => (at === undefined ? undefined : formatInstant(at));

/** The reason for programs and the message for people. */
function explanation(top: string, child: string | undefined, state: WorkerState, observation: Observation) {
  const { actual, action_error, status, image } = observation;
  const settled = top === 'STOPPED' || top === 'FAILED';
  if (image?.kind === 'unknown' && !settled) return { reason: 'RuntimeUnavailable', message: image.error };
  if (actual.kind === 'unknown' && settled)
    return { reason: status?.reason ?? '', message: status?.message ?? '' };
  if (actual.kind === 'unknown') return { reason: 'RuntimeUnavailable', message: actual.error };
  if (actual.kind === 'ambiguous') {
    const message = `More than one body has its ID, and none is changed: ${actual.ids.join(', ')}.`;
    return { reason: 'AmbiguousBody', message };
  }
  if (action_error?.kind === 'transient')
    return { reason: action_error.reason, message: action_error.message };
  if (child === 'building' && image?.kind === 'building')
    return { reason: 'ImageBuilding', message: `${image.name}: ${takeHead(image.step, STEP_LENGTH)}` };
  if (child === 'building' && image && image.kind !== 'unknown')
    return { reason: 'ImageBuilding', message: `${image.name} does not exist yet.` };
  // An inconclusive observation leaves the message unchanged.
  if (child === 'queued') return { reason: 'Queued', message: observation.queued ?? status?.message ?? '' };
  if (top === 'DELETED')
    return { reason: state.outcome?.reason ?? 'Deleted', message: state.outcome?.message ?? '' };
  if (child === ASSIGNED) return { reason: status?.reason ?? '', message: status?.message ?? '' };
  if (child === 'silent') {
    const message = `The last report of its wrapper was at ${observation.heartbeat?.at ?? 'an unknown time'}; silence alone does not end it.`;
    return { reason: 'HeartbeatLost', message };
  }
  const why = state.ending ?? state.outcome;
  if (!why && top === 'RUNNING' && isWorkspaceFull(observation.desired.spec, observation.heartbeat))
    return { reason: 'WorkspaceFull', message: fullMessage(observation) };
  return { reason: why?.reason ?? '', message: why?.message ?? '' };
}
