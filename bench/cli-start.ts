/**
 * How long `wm ps` of the installed package takes, compared with `docker ps`, in alternation, so that load on the
 * machine affects both equally.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { type Installed, installPackage } from '../test/package/installed.ts';
import { median, type Result } from './result.ts';

const run = promisify(execFile);
const ROUNDS = 25;
/** Rounds that fill the caches of files and of compiled code. */
const WARM_UP = 3;
const GOAL = 5;

/** Measures with a manager of its own, which has no workers. */
export async function benchCliStart(options: { redisUrl: string; dockerHost: string }): Promise<Result[]> {
  const installed = await installPackage();
  try {
    return await measure(installed, options);
  } finally {
    await installed.remove();
  }
}

async function measure(
  installed: Installed,
  { redisUrl, dockerHost }: { redisUrl: string; dockerHost: string },
): Promise<Result[]> {
  const env = { CELL: `bench-${randomUUID().slice(0, 8)}`, RUNTIME: 'process', HTTP_PORT: '0' };
  const manager = await installed.serve({ ...env, REDIS_URL: redisUrl });
  try {
    const ways = {
      docker: () => run('docker', ['ps'], { env: { ...process.env, DOCKER_HOST: dockerHost } }),
      // The context file has the manager's address.
      http: () => installed.run(['wm', 'ps'], env),
      redis: () => installed.run(['wm', 'ps'], { ...env, REDIS_URL: redisUrl }),
      node: () => run(process.execPath, ['-e', '0']),
    };
    const times = new Map(Object.keys(ways).map((name) => [name, [] as number[]]));
    for (let round = -WARM_UP; round < ROUNDS; round += 1)
      for (const [name, call] of Object.entries(ways)) {
        const began = performance.now();
        await call();
        if (round >= 0) times.get(name)?.push(performance.now() - began);
      }
    const [docker = Number.NaN, http = Number.NaN, redis = Number.NaN, node = Number.NaN] = [
      ...times.values(),
    ].map(median);
    const ratio = http / docker;
    const note = `${http.toFixed(0)} against ${docker.toFixed(0)} ms; over Redis ${redis.toFixed(0)} ms, node -e 0 ${node.toFixed(0)} ms`;
    return [
      { name: 'wm ps / docker ps', value: ratio, unit: '×', goal: `≤ ${GOAL}`, met: ratio <= GOAL, note },
    ];
  } finally {
    await manager.stop();
  }
}
