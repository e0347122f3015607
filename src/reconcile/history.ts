/** Whether a decision must be written, and which part of it is relevant for the history. Pure. */
import {
  type Decision,
  describeIntent,
  formatInstant,
  type LifecycleEvent,
  type Observation,
  type StatusRecord,
  type WorkerRecord,
} from '../model/index.ts';

/** The decision differs from the stored one. */
export function hasChanged(record: WorkerRecord, { status, memo }: Decision): boolean {
  return !same(record.status, status) || canonical(record.memo) !== canonical(memo);
}

function same(before: StatusRecord | undefined, after: StatusRecord): boolean {
  if (!before) return false;
  return (Object.keys(after) as (keyof StatusRecord)[]).every((field) => before[field] === after[field]);
}

/** Removes what JSON omits, so that a new memo equals a stored one. */
const canonical = (value: unknown) => JSON.stringify(value);

const REPORTED = ['status', 'phase', 'reason', 'incarnation', 'restarts'] as const;

/** The line for the worker's history, if the change is visible to users or has an action. */
export function toLifecycleEvent(
  observation: Observation,
  { status, intents }: Decision,
): LifecycleEvent | undefined {
  const visible = REPORTED.some((field) => observation.status?.[field] !== status[field]);
  const step = status.phase === 'building' && observation.status?.message !== status.message;
  if (!visible && !step && intents.length === 0) return undefined;
  return {
    timestamp: formatInstant(observation.now),
    type: observation.status?.status === status.status ? 'progress' : 'status',
    status: status.status,
    phase: status.phase,
    reason: status.reason,
    message: status.message,
    incarnation: status.incarnation,
    actions: intents.map(describeIntent),
  };
}
