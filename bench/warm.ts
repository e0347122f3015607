/**
 * create → RUNNING with an available warm worker: from writing the command until a blocked reader of the worker's
 * history receives RUNNING, and until a reader of its output receives `ready`, the first entry of its wrapper. One by
 * one, in bursts that end before the pool starts to refill. For comparison, the same create without a warm worker, and
 * the time of an entry that is written and received directly, at the same moments. In both runtimes, with a real
 * manager.
 */
import { randomUUID } from 'node:crypto';
import { bundleWrapper } from '../scripts/bundle-wrapper.ts';
import { startManager } from './manager.ts';
import { BenchOrchestrator } from './orchestrator.ts';
import { median, quantile, type Result, reported } from './result.ts';

const BURSTS = 20;
/** This many are claimed before the pool refills, two seconds after the first claim. */
const BURST = 10;
/** The first ones warm up the manager's compilers. */
const WARM_UP = 1;
const COLD = 3;
const GOALS = [
  { share: 0.5, within: 5 },
  { share: 0.99, within: 20 },
];
const LONGEST_MS = 120_000;

export interface WarmContext {
  redisUrl: string;
  /** The manager's Docker settings; without them the process runtime is measured. */
  docker?: { host: string; image: string; bodyRedisUrl: string } | undefined;
}

export async function benchWarm({ redisUrl, docker }: WarmContext): Promise<Result[]> {
  const cell = `bench-${randomUUID().slice(0, 8)}`;
  const runtime = docker ? 'docker' : 'process';
  const fields = { command_line: ['cat'], runtime, stop_grace_seconds: 0 };
  if (!docker) await bundleWrapper();
  const orchestrator = new BenchOrchestrator(redisUrl, cell);
  const manager = await startManager({
    REDIS_URL: redisUrl,
    CELL: cell,
    RUNTIME: runtime,
    ...(docker && {
      WORKER_IMAGE: docker.image,
      WORKER_REDIS_URL: docker.bodyRedisUrl,
      DOCKER_HOST: docker.host.startsWith('/') ? `unix://${docker.host}` : docker.host,
    }),
  });
  try {
    const cold: number[] = [];
    for (let n = 0; n < COLD; n += 1) {
      const { id, took } = await timed(orchestrator, fields);
      cold.push(took.running);
      await orchestrator.delete([id]);
    }
    const warm: Took[] = [];
    for (let burst = -WARM_UP; burst < BURSTS; burst += 1) {
      const pool = { name: 'warm', warm: BURST, execution_mode: docker ? 'docker' : 'direct' };
      const template = { agent_type: 'CUSTOM', command_line: ['cat'] };
      await orchestrator.send({ command: 'apply', pool: { ...pool, template } });
      await orchestrator.untilWarm(BURST);
      // Not refilled during the measurement, and emptied for the next burst.
      const ids: string[] = [];
      for (let n = 0; n < BURST; n += 1) {
        const { id, took } = await timed(orchestrator, fields);
        ids.push(id);
        if (burst >= 0) warm.push(took);
        if (!(await orchestrator.wasClaimed(id))) throw new Error('A create did not claim a warm worker.');
      }
      await orchestrator.send({ command: 'delete_pool', pool: 'warm' });
      await orchestrator.delete(ids);
    }
    return toResults(runtime, warm, cold);
  } finally {
    await manager.stop();
    await orchestrator.close(cell);
  }
}

/** Milliseconds since the command was written. */
interface Took {
  /** For an entry that is only written and received, measured just before. */
  bare: number;
  running: number;
  ready: number;
}

async function timed(orchestrator: BenchOrchestrator, fields: object): Promise<{ id: string; took: Took }> {
  const id = randomUUID();
  const bare = await orchestrator.echo();
  const running = orchestrator.running(id, LONGEST_MS);
  const began = performance.now();
  const took = () => performance.now() - began;
  const ready = orchestrator.printed(id, 'ready').then(took);
  orchestrator.create(fields, id);
  await running;
  return { id, took: { bare, running: took(), ready: await ready } };
}

function toResults(runtime: string, warm: Took[], cold: number[]): Result[] {
  const note = `${warm.length} creates; ${median(cold).toFixed(0)} ms without a warm worker`;
  return GOALS.flatMap(({ share, within }) => {
    const of = (what: keyof Took) =>
      quantile(
        warm.map((took) => took[what]),
        share,
      );
    const name = (what: string) => `warm create → ${what}, ${runtime}, p${share * 100}`;
    const value = of('running');
    const goal = `< ${within}`;
    return [
      { name: name('RUNNING'), value, unit: 'ms', goal, met: value < within, note },
      reported(name('its first word'), of('ready'), 'ms'),
      reported(name('(an entry that is only written and received)'), of('bare'), 'ms'),
    ];
  });
}

if (import.meta.main)
  console.table(await benchWarm({ redisUrl: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' }));
