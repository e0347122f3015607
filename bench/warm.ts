/**
 * create → RUNNING where a warm worker waits: from the push of the command until a blocked reader of the worker's history
 * hears RUNNING, one after the other, in bursts that are over before the pool begins to refill; beside it the same
 * create where none waits. In both runtimes, by a real manager.
 */
import { randomUUID } from 'node:crypto';
import { bundleWrapper } from '../scripts/bundle-wrapper.ts';
import { startManager } from './manager.ts';
import { Orchestrator } from './orchestrator.ts';
import { median, type Result } from './result.ts';

const BURSTS = 10;
/** So few are taken before the pool looks, which is two seconds after the first. */
const BURST = 6;
/** The first ones warm the compilers of the manager. */
const WARM_UP = 1;
const COLD = 3;
const GOALS = { p50: 5, p99: 20 };
const LONGEST_MS = 120_000;

export interface WarmContext {
  redisUrl: string;
  /** What the manager is told of Docker; without it the process runtime is measured. */
  docker?: { host: string; image: string; bodyRedisUrl: string } | undefined;
}

export async function run({ redisUrl, docker }: WarmContext): Promise<Result[]> {
  const cell = `bench-${randomUUID().slice(0, 8)}`;
  const runtime = docker ? 'docker' : 'process';
  const fields = { command_line: ['cat'], runtime, stop_grace_seconds: 0 };
  if (!docker) await bundleWrapper();
  const orchestrator = new Orchestrator(redisUrl, cell);
  const manager = await startManager({
    ...{ REDIS_URL: redisUrl, CELL: cell, RUNTIME: runtime },
    ...(docker && {
      ...{ WORKER_IMAGE: docker.image, WORKER_REDIS_URL: docker.bodyRedisUrl },
      DOCKER_HOST: docker.host.startsWith('/') ? `unix://${docker.host}` : docker.host,
    }),
  });
  try {
    const cold: number[] = [];
    for (let n = 0; n < COLD; n += 1) {
      const { id, took } = await timed(orchestrator, fields);
      cold.push(took);
      await orchestrator.delete([id]);
    }
    const warm: number[] = [];
    for (let burst = -WARM_UP; burst < BURSTS; burst += 1) {
      const pool = { name: 'warm', warm: BURST, execution_mode: docker ? 'docker' : 'direct' };
      const template = { agent_type: 'CUSTOM', command_line: ['cat'] };
      await orchestrator.send({ command: 'apply', pool: { ...pool, template } });
      await orchestrator.untilWarm(BURST);
      // Not filled again while it is measured, and emptied for the next burst.
      const ids: string[] = [];
      for (let n = 0; n < BURST; n += 1) {
        const { id, took } = await timed(orchestrator, fields);
        ids.push(id);
        if (burst >= 0) warm.push(took);
        if (!(await orchestrator.wasTaken(id))) throw new Error('A create did not take over a warm worker.');
      }
      await orchestrator.send({ command: 'delete_pool', pool: 'warm' });
      await orchestrator.delete(ids);
    }
    return told(runtime, warm, cold);
  } finally {
    await manager.stop();
    await orchestrator.close(cell);
  }
}

async function timed(orchestrator: Orchestrator, fields: object): Promise<{ id: string; took: number }> {
  const id = randomUUID();
  const running = orchestrator.running(id, LONGEST_MS);
  const began = performance.now();
  orchestrator.create(fields, id);
  await running;
  return { id, took: performance.now() - began };
}

function told(runtime: string, warm: number[], cold: number[]): Result[] {
  const sorted = warm.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  const note = `${sorted.length} creates; ${median(cold).toFixed(0)} ms where none waits`;
  return (['p50', 'p99'] as const).map((name) => {
    const value = at(name === 'p50' ? 0.5 : 0.99);
    const goal = `< ${GOALS[name]}`;
    return {
      name: `warm create → RUNNING, ${runtime}, ${name}`,
      value,
      unit: 'ms',
      goal,
      met: value < GOALS[name],
      note,
    };
  });
}

if (import.meta.main)
  console.table(await run({ redisUrl: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' }));
