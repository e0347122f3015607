/** Whether this Redis may lose data: by evicting keys, or because it does not persist them. */
import type { Link } from '../connect.ts';

/** Redis's own settings; `undefined` if it cannot or may not report them. */
export interface RedisFacts {
  policy: string | undefined;
  /** Bytes; 0 means unlimited. */
  maxmemory: number | undefined;
  appendonly: boolean | undefined;
  /** The snapshot rule; empty means no snapshots. */
  save: string | undefined;
}

type HazardName = 'eviction' | 'no_persistence';

/** `yes` and `unknown` have a message that says what to do. */
export interface Hazard {
  name: HazardName;
  present: 'yes' | 'no' | 'unknown';
  message?: string;
}

/** Reads CONFIG, which has all settings, or INFO, which has most, if CONFIG is forbidden or renamed. */
export async function readRedisFacts(redis: Link): Promise<RedisFacts> {
  const names = ['maxmemory-policy', 'maxmemory', 'appendonly', 'save'] as const;
  const values = await Promise.all(
    names.map((name) => redis.config('GET', name).then(settingIn, () => undefined)),
  );
  // A Redis that does not answer at all is handled elsewhere.
  await redis.ping();
  const [policy, maxmemory, appendonly, save] = values;
  const info = values.some((value) => value === undefined) ? await redis.info().catch(() => '') : '';
  const line = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const [limit, aof] = [maxmemory ?? line('maxmemory'), line('aof_enabled')];
  return {
    policy: policy ?? line('maxmemory_policy'),
    maxmemory: limit === undefined ? undefined : Number(limit),
    appendonly: appendonly === undefined ? aof && aof === '1' : appendonly === 'yes',
    save,
  } as RedisFacts;
}

/** RESP2 returns a list and RESP3 a map. */
function settingIn(reply: unknown): string | undefined {
  const values = Array.isArray(reply) ? reply : Object.entries(reply ?? {})[0];
  return typeof values?.[1] === 'string' ? values[1] : undefined;
}

/** Pure. */
export function findHazards({ policy, maxmemory, appendonly, save }: RedisFacts): Hazard[] {
  const keeps = policy === 'noeviction' || maxmemory === 0;
  const evicts =
    policy?.startsWith('volatile-') === true
      ? 'keys that expire, such as the leader lease and stored responses'
      : 'any key, including records of workers';
  const eviction: Hazard = keeps
    ? { name: 'eviction', present: 'no' }
    : policy === undefined || maxmemory === undefined
      ? {
          name: 'eviction',
          present: 'unknown',
          message: `Redis does not report its maxmemory-policy (CONFIG and INFO are forbidden): make sure that it is noeviction.`,
        }
      : {
          name: 'eviction',
          present: 'yes',
          message: `Redis evicts ${evicts} when it is full (maxmemory-policy ${policy}): set maxmemory-policy noeviction.`,
        };
  const persistence: Hazard =
    appendonly || save
      ? { name: 'no_persistence', present: 'no' }
      : appendonly === undefined || save === undefined
        ? {
            name: 'no_persistence',
            present: 'unknown',
            message:
              'Redis does not report whether it persists data (CONFIG is forbidden): make sure that appendonly is yes.',
          }
        : {
            name: 'no_persistence',
            present: 'yes',
            message:
              'Redis does not persist data (appendonly no, save ""), so a restart loses everything: set appendonly yes.',
          };
  return [eviction, persistence];
}
