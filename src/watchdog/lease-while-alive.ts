import type { LeaseStore } from '../queue/lease.ts';

/** A lease that is acquired and renewed only while the main loop is active: a hung manager releases it to another one. */
export function leaseWhileAlive(store: LeaseStore, hung: () => boolean): LeaseStore {
  return {
    acquire: async (owner, ttlMs) => (hung() ? undefined : store.acquire(owner, ttlMs)),
    async renew(owner, epoch, ttlMs) {
      if (!hung()) return store.renew(owner, epoch, ttlMs);
      await store.release(owner, epoch);
      return false;
    },
    release: (owner, epoch) => store.release(owner, epoch),
  };
}
