/** The way into the bodies of workers, for the routes of the API. */
import { Doors } from '../doors/doors.ts';
import { createDoorSigner } from '../doors/signer.ts';
import type { Runtimes } from '../runtimes/registry.ts';
import { type Link, publishDoorKey, type Store, type StreamHub } from '../store/index.ts';
import { waitForGoal } from '../store/streams/wait-for-goal.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface DoorDeps {
  redis: Link;
  store: Store;
  hub: StreamHub;
  runtimes: Runtimes;
  cell: string;
  now: () => number;
  metrics: Pick<Metrics, 'openConnections' | 'beforeScrape'>;
}

export function openDoors({ redis, store, hub, runtimes, cell, now, metrics }: DoorDeps): Doors {
  const doors = new Doors({
    cell,
    store,
    runtimes,
    signer: createDoorSigner((key, ms) => publishDoorKey(redis, store.keys, key, ms), now),
    waitFor: (id, goal, signal) => waitForGoal({ redis, keys: store.keys, hub }, id, goal, signal),
  });
  metrics.beforeScrape(() => {
    for (const [kind, count] of doors.open) metrics.openConnections.set(count, { kind });
  });
  return doors;
}
