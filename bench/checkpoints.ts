/**
 * A checkpoint of 10,000 files with 200 MB, half of which cannot be compressed, and a fork from it until its agent is ready
 * on the same files. Over HTTP, with a real manager.
 */
import { randomUUID } from 'node:crypto';
import { bundleWrapper } from '../scripts/bundle-wrapper.ts';
import { startManager } from './manager.ts';
import { BenchOrchestrator } from './orchestrator.ts';
import { median, type Result, reported } from './result.ts';
import type { WarmContext } from './warm.ts';

const RUNS = 5;
const GOAL_SECONDS = 2;
/** 10,000 files of 20 kB in 100 folders. */
export const FILES = `i=0; while [ $i -lt 100 ]; do mkdir d$i; i=$((i+1)); done
head -c 100000000 /dev/urandom | split -b 20000 -a 4 -d - d0/r
seq 1 100000000 | head -c 100000000 | split -b 20000 -a 4 -d - d0/t
i=1; while [ $i -lt 100 ]; do n=$(printf %02d $i); mv d0/?*[!.]$n d$i/; i=$((i+1)); done
find . -type f | wc -l`;

export async function benchCheckpoints({ redisUrl, docker }: WarmContext): Promise<Result[]> {
  const cell = `bench-${randomUUID().slice(0, 8)}`;
  const runtime = docker ? 'docker' : 'process';
  if (!docker) await bundleWrapper();
  const token = randomUUID();
  const orchestrator = new BenchOrchestrator(redisUrl, cell);
  const manager = await startManager({
    REDIS_URL: redisUrl,
    CELL: cell,
    RUNTIME: runtime,
    API_TOKEN: token,
    ...(docker && {
      WORKER_IMAGE: docker.image,
      WORKER_REDIS_URL: docker.bodyRedisUrl,
      DOCKER_HOST: docker.host.startsWith('/') ? `unix://${docker.host}` : docker.host,
    }),
  });
  const send = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${manager.url}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return JSON.parse(text) as Record<string, string> & { bytes: number };
  };
  const create = (more: object = {}) =>
    send('POST', '/workers?wait=ready&timeout_seconds=120', {
      agent_type: 'CUSTOM',
      command_line: ['cat'],
      runtime,
      stop_grace_seconds: 0,
      ...more,
    });
  const forks: string[] = [];
  try {
    const { worker_id = '' } = await create();
    forks.push(worker_id);
    const made = await send('POST', `/workers/${worker_id}/exec`, { shell: FILES });
    const [saves, fills]: number[][] = [[], []];
    let bytes = 0;
    for (let run = 0; run < RUNS; run += 1) {
      // Other files each time, so that nothing is stored already.
      await send('POST', `/workers/${worker_id}/exec`, { shell: 'head -c 1000 /dev/urandom > d0/changed' });
      const began = performance.now();
      const checkpoint = await send('POST', `/workers/${worker_id}/checkpoints`);
      saves?.push((performance.now() - began) / 1000);
      bytes = checkpoint.bytes;
      const then = performance.now();
      const fork = await create({ from_checkpoint: checkpoint.checkpoint_id });
      fills?.push((performance.now() - then) / 1000);
      forks.push(fork.worker_id ?? '');
      await send('DELETE', `/checkpoints/${checkpoint.checkpoint_id}`);
    }
    const note = `median of ${RUNS}; ${made.stdout?.trim()} files`;
    const goal = (name: string, values: number[] = []): Result => {
      const value = median(values);
      return { name, value, unit: 's', goal: `≤ ${GOAL_SECONDS}`, met: value <= GOAL_SECONDS, note };
    };
    return [
      goal(`checkpoint of 200 MB, ${runtime}`, saves),
      goal(`fork of 200 MB → ready, ${runtime}`, fills),
      reported(`size of that checkpoint, ${runtime}`, bytes / 1e6, 'MB'),
    ];
  } finally {
    await orchestrator.delete(forks.filter(Boolean)).catch(() => {});
    await manager.stop();
    await orchestrator.close(cell);
  }
}

if (import.meta.main)
  console.table(await benchCheckpoints({ redisUrl: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' }));
