/** Records of many workers, written straight to Redis: for pages that show more workers than a test can run. */
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { getKeys } from '../../src/store/keys.ts';

export interface RecordsOptions {
  redisUrl: string;
  cell: string;
  count: number;
  /** Of every worker, or one for each number. */
  status: (at: number) => { status: string; phase: string; reason?: string; message?: string };
}

/** Writes them as a manager would have; nothing runs. */
export async function writeRecords({ redisUrl, cell, count, status }: RecordsOptions): Promise<void> {
  const redis = new Redis(redisUrl);
  const keys = getKeys(cell);
  const now = Date.now();
  try {
    for (let done = 0; done < count; done += 500) {
      const write = redis.pipeline();
      for (let at = done; at < Math.min(count, done + 500); at += 1) {
        const id = randomUUID();
        const created = now - (count - at) * 1000;
        const time = new Date(created).toISOString();
        const { status: state, phase, reason = '', message = '' } = status(at);
        const spec = {
          agent_type: 'CUSTOM',
          command_line: ['true'],
          name: `worker-${String(at).padStart(5, '0')}`,
          runtime: 'process',
          labels: { team: at % 2 ? 'blue' : 'green' },
          pool: undefined,
        };
        const ended = state === 'STOPPED' || state === 'FAILED';
        write.zadd(keys.workers, created, id);
        write.hset(keys.desired(id), {
          spec: JSON.stringify(spec),
          desired: ended ? 'stopped' : 'running',
          generation: 1,
          created_at: time,
          request_id: id,
        });
        write.hset(keys.status(id), {
          status: state,
          phase,
          reason,
          message,
          incarnation: 1,
          restarts: 0,
          observed_generation: 1,
          runtime: 'process',
          image: 'worker:0123456789ab',
          started_at: time,
          ...(ended ? { finished_at: new Date(now).toISOString() } : { running_at: time }),
        });
        write.hset(
          keys.usage,
          id,
          JSON.stringify({ cpu_percent: (at * 7) % 100, memory_bytes: 30_000_000 + at * 1000, at: time }),
        );
      }
      await write.exec();
    }
  } finally {
    redis.disconnect();
  }
}

/** Longer than any test, in milliseconds. */
const HELD_MS = 600_000;

/** Takes the lease, so that no manager leads and acts on records without bodies. */
export async function holdLease(redisUrl: string, cell: string): Promise<void> {
  const redis = new Redis(redisUrl);
  await redis.set(getKeys(cell).leader, `test ${Date.now()}`, 'PX', HELD_MS);
  redis.disconnect();
}
