import type { DesiredRecord, StatusRecord } from './record.ts';
import { hasEnded } from './worker-states.ts';

/** What can be waited for; `ready` accepts prompts, `ended` is STOPPED or FAILED. */
export const GOALS = ['RUNNING', 'STOPPED', 'FAILED', 'ready', 'ended', 'deleted'] as const;
export type Goal = (typeof GOALS)[number];

/** What of a status matters for waiting, and to those who wait. */
export type AwaitedStatus = Pick<
  StatusRecord,
  'status' | 'phase' | 'reason' | 'message' | 'exit_code' | 'incarnation' | 'observed_generation'
>;

/** The state of the worker, as far as it matters for waiting. */
export interface WaitObservation<S extends AwaitedStatus = AwaitedStatus> {
  /** Its record was deleted; a tombstone may have its last status. */
  deleted: boolean;
  /** The manager has observed the last command; a status, or a body, from before does not count. */
  current: boolean;
  status: S | undefined;
}

/** Compares the state of the worker with the goal. `missed`: it can no longer be reached. */
export function evaluateGoal(
  goal: Goal,
  { deleted, current, status }: WaitObservation,
): 'reached' | 'missed' | 'not yet' {
  if (goal === 'deleted') return deleted ? 'reached' : 'not yet';
  if (deleted) return 'missed';
  if (!current || !status) return 'not yet';
  const ended = hasEnded(status.status);
  if (goal === 'ended') return ended ? 'reached' : 'not yet';
  if (goal === 'ready')
    return status.status === 'RUNNING' && status.phase === 'ready' ? 'reached' : ended ? 'missed' : 'not yet';
  return status.status === goal ? 'reached' : ended ? 'missed' : 'not yet';
}

/** Whether a status is based on the last command, and on a body that the command allows. */
export function isStatusCurrent(
  desired: Pick<DesiredRecord, 'generation' | 'min_incarnation'>,
  status: AwaitedStatus | undefined,
): boolean {
  const observed = (status?.observed_generation ?? 0) >= desired.generation;
  const replaced = (status?.incarnation ?? 0) >= (desired.min_incarnation ?? 0);
  return observed && (replaced || hasEnded(status?.status));
}
