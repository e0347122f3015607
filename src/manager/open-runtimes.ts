/**
 * The runtimes of this manager: only bodies of its store, claimed bodies under their worker's name, and the state of
 * each runtime.
 */
import { errorMessage, type RuntimeName } from '../model/index.ts';
import { Ownership, withOwnership } from '../runtimes/ownership.ts';
import { Runtimes } from '../runtimes/registry.ts';
import { type Runtime, RuntimeDown } from '../runtimes/runtime.ts';
import { withClaims } from '../runtimes/with-claims.ts';
import { type Link, RedisClaimStore, type Store } from '../store/index.ts';
import type { ServeOptions } from './options.ts';

export interface OpenRuntimes {
  runtimes: Runtimes;
  ownership: Ownership;
  /** The same runtimes without claims, for cleanup. */
  ours: Runtime[];
  /** The URL of Redis from a body; throws `RuntimeDown` before the runtime has answered once. */
  bodyRedisUrl(name: RuntimeName): string;
  /** Checks all of them; never throws. */
  probe(): Promise<void>;
  /** Whether one of them does not answer or was never checked. */
  readonly incomplete: boolean;
}

export function openRuntimes(
  options: Pick<ServeOptions, 'runtimes' | 'bodyRedisUrl' | 'settings' | 'metrics' | 'log'>,
  { redis, store, now }: { redis: Link; store: Store; now: () => number },
  changed: (name: RuntimeName) => void,
): OpenRuntimes {
  const { metrics, log, settings } = options;
  const urls = new Map<RuntimeName, string>();
  const ownership = new Ownership(({ id, worker_id, runtime, store: label }) =>
    log.warn({ body_id: id, worker_id, runtime, store: label }, 'body of another store left alone'),
  );
  const specOf = async (id: string) => (await store.load(id))?.record.desired.spec;
  const claims = { claimStore: new RedisClaimStore(redis, settings.cell), specOf, now };
  const ours = options.runtimes.map((runtime) => withOwnership(runtime, ownership));
  const runtimes = new Runtimes(
    ours.map((runtime) => withClaims(runtime, claims)),
    now,
    (name, error) => {
      const message = error ? 'runtime does not answer' : 'runtime answers';
      log[error ? 'warn' : 'info']({ runtime: name, why: error }, message);
      metrics.runtimeUp.set(error ? 0 : 1, { runtime: name });
      changed(name);
    },
  );
  return {
    runtimes,
    ownership,
    ours,
    bodyRedisUrl(name) {
      const url = urls.get(name);
      if (url) return url;
      throw new RuntimeDown(`The runtime ${name} has not yet reported how its bodies reach Redis.`);
    },
    async probe() {
      try {
        await runtimes.probe();
        for (const { name, error } of runtimes.states)
          if (!error && !urls.has(name)) urls.set(name, await options.bodyRedisUrl(name));
      } catch (error) {
        log.warn({ why: errorMessage(error) }, 'failed to probe the runtimes; retrying');
      }
    },
    get incomplete() {
      return runtimes.states.some(({ name, error }) => error || !urls.has(name));
    },
  };
}
