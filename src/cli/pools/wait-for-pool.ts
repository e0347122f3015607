import { setTimeout as delay } from 'node:timers/promises';
import type { Member } from '../../model/pool/pool-memo.ts';
import type { PoolStore } from '../../store/index.ts';
import { TimedOut } from '../exit.ts';

/** A pool's status publishes no events, so it is polled with this interval. */
const POLL_MS = 200;

/** Waits until the pool matches its last spec. Throws if its rollout stops, or if it is not ready in time. */
export async function waitForPool(
  store: Pick<PoolStore, 'load'>,
  name: string,
  seconds: number,
  onMembers: (members: readonly Member[]) => void = () => {},
): Promise<void> {
  const until = performance.now() + seconds * 1000;
  for (;;) {
    const read = await store.load(name);
    if (!read) throw new Error(`The pool ${name} does not exist any more.`);
    const { status, pool, members } = read;
    onMembers(members);
    if (status?.observed_generation === pool.generation) {
      if (status.phase === 'ready') return;
      if (status.phase === 'stopped') throw new Error(`The pool ${name} is stopped: ${status.message}`);
    }
    if (performance.now() >= until)
      throw new TimedOut(
        `The pool ${name} is not ready after ${seconds} s: ${status?.message ?? 'no manager has reconciled it.'}`,
      );
    await delay(POLL_MS);
  }
}
