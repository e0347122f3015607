/**
 * The operations of a manager over Redis alone: changes are commands on the cell's stream, which the leading manager
 * executes, and data is read from the records. For programs that have a Redis and no HTTP port of a manager.
 */
import { CELL_NAME } from '../../model/values/name-rules.ts';
import { isRedisUrl, REDIS_URL_ALLOWED } from '../../model/values/redis-url.ts';
import { connectCommands } from '../../store/index.ts';
import { openTasks } from '../../tasks/index.ts';
import { redactUrl } from '../../telemetry/redact.ts';
import { ManagerError } from '../errors.ts';
import type { Transport } from '../transport.ts';
import { type RedisAddress, RedisCell } from './redis-cell.ts';
import { redisCheckpoints } from './redis-checkpoints.ts';
import { createRedisCommands } from './redis-commands.ts';
import { createRedisFiles } from './redis-files.ts';
import { createRedisPools } from './redis-pools.ts';
import { createRedisTasks } from './redis-tasks.ts';
import { redisTerminals } from './redis-terminals.ts';
import { createRedisWorkers } from './redis-workers.ts';

/** The client of Redis would use another database, or end the program. */
function checkAddress({ url, cell }: RedisAddress): void {
  if (typeof url !== 'string' || !isRedisUrl(url)) {
    const shown = typeof url === 'string' ? redactUrl(url) : url;
    throw new ManagerError(
      'invalid_command',
      `The URL is ${JSON.stringify(shown)}, but must be ${REDIS_URL_ALLOWED}.`,
    );
  }
  if (!CELL_NAME.pattern.test(cell))
    throw new ManagerError(
      'invalid_command',
      `The cell is ${JSON.stringify(cell)}, but must be ${CELL_NAME.allowed}.`,
    );
}

/** Connects, and checks that Redis answers. Throws a `ManagerError` `invalid_command` for an address that cannot be one. */
export async function openRedisTransport(address: RedisAddress): Promise<Transport> {
  checkAddress(address);
  const redis = connectCommands(address.url);
  // Its calls fail without the reason, for which the connection could not be opened.
  let why: Error | undefined;
  redis.on('error', (error) => {
    why = error;
  });
  const cell = new RedisCell(address, redis);
  const tasks = openTasks({ redisUrl: address.url, cell: address.cell });
  const close = async () => {
    cell.close();
    await tasks.close();
  };
  try {
    await cell.run({}, () =>
      redis.ping().catch((error: unknown) => {
        throw why ?? error;
      }),
    );
  } catch (error) {
    await close();
    throw error;
  }
  return {
    ...createRedisWorkers(cell),
    ...createRedisCommands(cell),
    ...createRedisFiles(cell),
    ...redisCheckpoints,
    ...redisTerminals,
    ...createRedisTasks(cell, tasks),
    ...createRedisPools(cell, tasks),
    close,
  };
}
