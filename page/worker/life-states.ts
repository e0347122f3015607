/** The life of a worker as steps over the states of the statechart. Pure. */
import type { WorkerEvent } from '../../src/client/types.ts';

/** The states of machines/worker.ts, in the order of a life. */
export const LIFE_STATES = [
  ['STARTING', ['creating', 'building', 'queued', 'booting', 'backoff', 'stopping']],
  ['RUNNING', ['assigned', 'booting', 'ready', 'silent', 'killing', 'stopping']],
  ['STOPPED', ['stopped']],
  ['FAILED', ['failed']],
] as const;

/** Time in one state. */
export interface LifeStep {
  status: string;
  phase: string;
  incarnation: number;
  from: number;
  /** `undefined` for the present state. */
  until: number | undefined;
  /** The event that led to it. */
  event: WorkerEvent;
}

/** Steps in the order of time; events that stay in a state are part of its step. */
export function toLifeSteps(events: readonly WorkerEvent[]): LifeStep[] {
  const steps: LifeStep[] = [];
  for (const event of events) {
    const before = steps.at(-1);
    const from = Date.parse(event.timestamp);
    const { status, phase, incarnation } = event;
    if (Number.isNaN(from)) continue;
    if (before && before.status === status && before.phase === phase && before.incarnation === incarnation)
      continue;
    if (before) before.until = from;
    steps.push({ status, phase, incarnation, from, until: undefined, event });
  }
  return steps;
}

/** The row of a step: its state, or just its status if a newer manager has a phase that is not known here. */
export function toLane(status: string, phase: string): string {
  const known = LIFE_STATES.find(([name]) => name === status)?.[1] as readonly string[] | undefined;
  if (known && known.length > 1 && known.includes(phase)) return `${status} ${phase}`;
  return known && known.length > 1 ? `${status} ${known[0]}` : status;
}

/**
 * Where each step begins and how wide it is, in percent. A life has milliseconds and days, so widths grow with the
 * logarithm of the time.
 */
export function layOut(steps: readonly LifeStep[], now: number): { left: number; width: number }[] {
  const weights = steps.map(({ from, until }) => 1 + Math.log2(1 + Math.max(0, (until ?? now) - from) / 100));
  const total = weights.reduce((sum, weight) => sum + weight, 0) || 1;
  let left = 0;
  return weights.map((weight) => {
    const width = (weight / total) * 100;
    left += width;
    return { left: left - width, width };
  });
}
