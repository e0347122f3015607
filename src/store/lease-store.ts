import { RECORD_FORMAT } from '../model/record-format.ts';
import { errorMessage } from '../model/values/fault.ts';
import type { LeaseStore } from '../queue/lease.ts';
import type { Link } from './connect.ts';
import type { Keys } from './keys.ts';
import { LEADER_SIGNAL } from './streams/signals.ts';

/**
 * The lease of a cell in Redis. The epoch uses Redis's clock; everything else uses the holder's. `foundFormat` gets the
 * format of the records at each attempt, if it is newer than this program's, and otherwise `undefined`.
 */
export function redisLeaseStore(
  redis: Link,
  keys: Keys,
  foundFormat: (newer: number | undefined) => void = () => {},
): LeaseStore {
  return {
    async acquire(owner, ttlMs) {
      const { leader, epoch, identity } = keys;
      const reply = String((await redis.acquire(leader, epoch, identity, owner, ttlMs, RECORD_FORMAT)) ?? '');
      const newer = /^newer (\d+)/.exec(reply)?.[1];
      foundFormat(newer === undefined ? undefined : Number(newer));
      return reply === '' || newer !== undefined ? undefined : Number(reply);
    },
    async renew(owner, epoch, ttlMs) {
      return (await redis.renew(keys.leader, `${owner} ${epoch}`, ttlMs)) === 1;
    },
    async release(owner, epoch) {
      await redis.release(keys.leader, `${owner} ${epoch}`, keys.signal(LEADER_SIGNAL));
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
