/** Whether Redis accepts the commands that managers and clients need: tried without an effect on any data. */
import { errorMessage } from '../../model/values/fault.ts';
import type { Link } from '../connect.ts';

/** Each is refused, or finds no key and changes nothing. */
const PROBES = [
  ['XADD', (key: string) => [key, 'NOMKSTREAM', '*', 'data', '']],
  ['XREADGROUP', (key: string) => ['GROUP', 'none', 'none', 'COUNT', 1, 'STREAMS', key, '>']],
  ['XACK', (key: string) => [key, 'none', '0-1']],
  ['XRANGE', (key: string) => [key, '-', '+', 'COUNT', 1]],
  ['SET', (key: string) => [key, '', 'XX']],
  ['GET', (key: string) => [key]],
  ['HDEL', (key: string) => [key, 'none']],
  ['HGETALL', (key: string) => [key]],
  ['ZADD', (key: string) => [key, 'XX', 1, 'none']],
  ['ZRANGE', (key: string) => [key, 0, 0]],
  ['DEL', (key: string) => [key]],
  ['PEXPIRE', (key: string) => [key, 1]],
  ['PUBLISH', (key: string) => [key, '']],
  ['TIME', () => []],
  ['EVAL', (key: string) => ["return redis.call('EXISTS', KEYS[1])", 1, key]],
] as const;
/** Errors that say that a command is refused. Others are answers, such as that of a group that does not exist. */
const REFUSED = /^(NOPERM|READONLY|OOM|MISCONF|NOREPLICAS|MASTERDOWN|LOADING|CLUSTERDOWN)\b/;

/** The commands that are refused, by what Redis answers. `key` names nothing. */
export async function findRefusedCommands(redis: Link, key: string): Promise<Map<string, string[]>> {
  const refused = new Map<string, string[]>();
  for (const [command, args] of PROBES)
    try {
      await redis.call(command, ...args(key));
    } catch (error) {
      const why = REFUSED.exec(errorMessage(error))?.[1];
      if (why !== undefined) refused.set(why, [...(refused.get(why) ?? []), command]);
    }
  return refused;
}
