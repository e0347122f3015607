import { errorMessage } from '../model/fault.ts';
import type { LeaseStore } from '../queue/lease.ts';
import type { Link } from './connect.ts';
import type { Keys } from './keys.ts';

/** The lease of a cell in Redis. The epoch uses Redis's clock; everything else uses the holder's. */
export function redisLeaseStore(redis: Link, keys: Keys): LeaseStore {
  return {
    async acquire(owner, ttlMs) {
      const epoch = await redis.acquire(keys.leader, keys.epoch, owner, ttlMs);
      return epoch ? Number(epoch) : undefined;
    },
    async renew(owner, epoch, ttlMs) {
      return (await redis.renew(keys.leader, `${owner} ${epoch}`, ttlMs)) === 1;
    },
    async release(owner, epoch) {
      await redis.release(keys.leader, `${owner} ${epoch}`);
    },
  };
}

/** The lease is requested or renewed continuously, so it is the best indicator of whether Redis answers. */
export function watchedLeaseStore(
  store: LeaseStore,
  report: (ok: boolean, message: string) => void,
): LeaseStore {
  const watch = async <T>(call: Promise<T>): Promise<T> => {
    try {
      const answer = await call;
      report(true, 'answers');
      return answer;
    } catch (error) {
      report(false, errorMessage(error));
      throw error;
    }
  };
  return {
    acquire: (owner, ttlMs) => watch(store.acquire(owner, ttlMs)),
    renew: (owner, epoch, ttlMs) => watch(store.renew(owner, epoch, ttlMs)),
    release: (owner, epoch) => store.release(owner, epoch),
  };
}
