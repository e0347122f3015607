import { unlessOver } from './stream.ts';
import type { waitForGoal } from './wait-for-goal.ts';

type WaitParameters = Parameters<typeof waitForGoal>;
type Wait = (
  id: WaitParameters[1],
  goal: WaitParameters[2],
  signal: WaitParameters[3],
) => ReturnType<typeof waitForGoal>;

/**
 * All that wait for one goal of one worker wait as one, because each wait reads Redis regularly. A wait that ends by its own signal
 * has no observation.
 */
export function shareWaits(wait: Wait): Wait {
  const shared = new Map<string, { waiting: number; end: AbortController; result: ReturnType<Wait> }>();

  function begin(key: string, id: WaitParameters[1], goal: WaitParameters[2]) {
    const end = new AbortController();
    const begun = { waiting: 0, end, result: wait(id, goal, end.signal) };
    shared.set(key, begun);
    // A later wait observes again.
    const forget = () => shared.get(key) === begun && shared.delete(key);
    begun.result.then(forget, forget);
    return begun;
  }

  return async (id, goal, signal) => {
    const key = `${goal} ${id}`;
    const joined = shared.get(key) ?? begin(key, id, goal);
    joined.waiting += 1;
    try {
      const result = await unlessOver(joined.result, signal);
      return (
        result ?? { outcome: 'late', observation: { deleted: false, current: false, status: undefined } }
      );
    } finally {
      joined.waiting -= 1;
      if (joined.waiting === 0) {
        joined.end.abort();
        if (shared.get(key) === joined) shared.delete(key);
      }
    }
  };
}
