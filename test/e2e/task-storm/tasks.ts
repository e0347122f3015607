/** The tasks of the storm: each request, and its valid outcomes. */
import type { TaskSubmission, TaskView } from '../../../src/model/task/task.ts';

export interface StormTask {
  id: string;
  kind: string;
  submission: TaskSubmission;
  /** Milliseconds after its acceptance at which it is cancelled. */
  cancelAfterMs?: number;
  /** Why this outcome is invalid; `undefined` if it is valid. */
  wrong(view: TaskView): string | undefined;
}

interface Kind {
  /** Of a hundred tasks. */
  share: number;
  submission: (n: number) => TaskSubmission;
  result?: (n: number) => unknown;
  /** The type of its error, if it may or must fail. */
  error?: string;
  cancelAfterMs?: number;
}

/** A dead worker is not the task's fault, so it is retried as often as this storm kills workers. */
const call =
  (fn: string, more: object = {}) =>
  (n: number) => ({
    payload: { function: fn, args: [n] },
    max_losses: 100,
    timeout_seconds: 60,
    ...more,
  });
const soon = { backoff: { type: 'fixed', delay_seconds: 0.01 } } as const;

const KINDS: Record<string, Kind> = {
  square: { share: 40, submission: call('square'), result: (n) => n * n },
  cube: { share: 20, submission: call('cube'), result: (n) => n ** 3 },
  flaky: { share: 12, submission: call('flaky', { max_retries: 60, ...soon }), result: (n) => -n },
  refuse: { share: 8, submission: call('refuse'), error: 'ValueError' },
  command: {
    share: 6,
    submission: (n) => ({ payload: { command: ['sh', '-c', `echo "it is ${n}"`] }, max_losses: 100 }),
    result: (n) => ({ exit_code: 0, stdout: `it is ${n}\n`, truncated: false }),
  },
  forever: { share: 3, submission: call('forever', { timeout_seconds: 0.3 }), error: 'Timeout' },
  unspeakable: { share: 3, submission: call('unspeakable'), error: 'NotSerialisable' },
  cancelled: {
    share: 5,
    submission: call('square'),
    result: (n) => n * n,
    error: 'Cancelled',
    cancelAfterMs: 30,
  },
  // Never started twice: if its worker dies, the task ends.
  once: {
    share: 3,
    submission: call('square', { max_losses: 0 }),
    result: (n) => n * n,
    error: 'WorkerLost',
  },
};

/** `count` tasks, mixed evenly, each with a priority. `id` makes their names. */
export function stormOf(count: number, id: (n: number) => string): StormTask[] {
  const wheel = Object.entries(KINDS).flatMap(([name, { share }]) => Array<string>(share).fill(name));
  return Array.from({ length: count }, (_, n) => {
    // 37 and 100 share no factor, so neighbours have different kinds.
    const kind = wheel[(n * 37) % wheel.length] ?? 'square';
    const { submission, result, error, cancelAfterMs } = KINDS[kind] as Kind;
    const priority = (['low', 'normal', 'high', 'critical'] as const)[n % 4] ?? 'normal';
    return {
      id: id(n),
      kind,
      submission: { task_id: id(n), priority, ...submission(n) },
      ...(cancelAfterMs !== undefined && { cancelAfterMs }),
      wrong(view) {
        if (view.status === 'completed') {
          const right = result && JSON.stringify(view.result) === JSON.stringify(result(n)) && !view.error;
          return right ? undefined : `completed with ${JSON.stringify(view.result)}`;
        }
        if (view.status !== 'failed') return `still ${view.status}`;
        const told = view.error?.type === error && Boolean(view.error?.message) && view.result === null;
        return told ? undefined : `failed with ${JSON.stringify(view.error)}`;
      },
    };
  });
}
