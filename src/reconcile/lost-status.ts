/**
 * The status of a worker whose status is lost, from what is left: its history, and its body. One that has ended must not
 * start again because its end is lost. Pure.
 */
import {
  type Actual,
  hasEnded,
  type LifecycleEvent,
  type StatusRecord,
  type WorkerRecord,
} from '../model/index.ts';

/** `undefined`: nothing needs to be known, because its body shows it, or because its policy starts it again anyway. */
export function lostStatus(
  { desired }: Pick<WorkerRecord, 'desired'>,
  last: LifecycleEvent | undefined,
  actual: Actual,
): StatusRecord | undefined {
  const { runtime, restart_policy } = desired.spec;
  const common = { restarts: 0, runtime, observed_generation: desired.generation };
  if (last) {
    const { status, phase, reason, message, incarnation, timestamp } = last;
    const ended = hasEnded(status);
    return {
      status,
      phase,
      reason,
      message,
      incarnation,
      ...common,
      ...(ended ? { finished_at: timestamp } : {}),
    };
  }
  if (actual.kind !== 'absent' || restart_policy === 'always') return undefined;
  return {
    status: 'FAILED',
    phase: 'finished',
    reason: 'StatusLost',
    incarnation: 1,
    ...common,
    message: 'Its status and its history were lost, and it has no body. Start it to run it again.',
  };
}
