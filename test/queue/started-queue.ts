import { createWorkQueue, type WorkQueueOptions } from '../../src/queue/work-queue.ts';
import { FakeClock, settle } from './fake-clock.ts';

/** A queue with a handler that blocks each reconcile until the test ends it. */
export function startQueue(concurrency = 2, options: Partial<WorkQueueOptions> = {}) {
  const clock = new FakeClock();
  const errors: [string, unknown][] = [];
  const queue = createWorkQueue({ clock, onError: (key, thrown) => errors.push([key, thrown]), ...options });
  const passes: string[] = [];
  const open = new Map<string, { end: () => void; fail: (thrown: unknown) => void }>();
  const stop = new AbortController();
  let ended = false;
  const running = queue
    .run(
      (key) => {
        passes.push(key);
        return new Promise((end, fail) => open.set(key, { end, fail }));
      },
      concurrency,
      stop.signal,
    )
    .then(() => {
      ended = true;
    });
  const finish = async (key: string, thrown?: unknown) => {
    const pass = open.get(key);
    open.delete(key);
    if (thrown === undefined) pass?.end();
    else pass?.fail(thrown);
    await settle();
  };
  return { clock, queue, passes, finish, errors, stop, running, ended: () => ended };
}
