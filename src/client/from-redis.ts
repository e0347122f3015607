import type { ReconnectPolicy } from './entries.ts';
import { ManagerConnection } from './manager.ts';

export interface FromRedisOptions extends Partial<ReconnectPolicy> {
  /** The cell of the manager, its setting CELL. */
  cell?: string;
}

/**
 * The same client over Redis alone, for programs that have no HTTP port of a manager. Loads the client of Redis and
 * connects; throws `unavailable` if Redis does not answer. Close it at the end: its connections keep a program running.
 */
export async function fromRedis(
  url: string,
  { cell = 'default', ...policy }: FromRedisOptions = {},
): Promise<ManagerConnection> {
  const { openRedisTransport } = await import('./redis/redis-transport.ts');
  return new ManagerConnection(await openRedisTransport({ url, cell }), policy);
}
