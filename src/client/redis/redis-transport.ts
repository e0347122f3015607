/**
 * The operations of a manager over Redis alone: changes are commands on the cell's stream, which the leading manager
 * executes, and data is read from the records. For programs that have a Redis and no HTTP port of a manager.
 */
import { connectCommands } from '../../store/index.ts';
import { openTasks } from '../../tasks/index.ts';
import type { Transport } from '../transport.ts';
import { type RedisAddress, RedisCell } from './redis-cell.ts';
import { redisCheckpoints } from './redis-checkpoints.ts';
import { createRedisCommands } from './redis-commands.ts';
import { createRedisFiles } from './redis-files.ts';
import { createRedisPools } from './redis-pools.ts';
import { createRedisTasks } from './redis-tasks.ts';
import { redisTerminals } from './redis-terminals.ts';
import { createRedisWorkers } from './redis-workers.ts';

/** Connects, and checks that Redis answers. */
export async function openRedisTransport(address: RedisAddress): Promise<Transport> {
  const redis = connectCommands(address.url);
  redis.on('error', () => {});
  const cell = new RedisCell(address, redis);
  const tasks = openTasks({ redisUrl: address.url, cell: address.cell });
  const close = async () => {
    cell.close();
    await tasks.close();
  };
  try {
    await cell.run({}, () => redis.ping());
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
