/**
 * Direct workers: create → RUNNING of one compared with starting its program manually, and 200 at once compared with
 * pm2 and the same 200 processes. A process counts as started when its wrapper writes `ready` to Redis, however it was
 * started.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { bundleWrapper } from '../scripts/bundle-wrapper.ts';
import { startManager } from './manager.ts';
import { BenchOrchestrator } from './orchestrator.ts';
import { type Pm2, startPm2 } from './pm2.ts';
import { median, type Result } from './result.ts';
import { bare, boot } from './wrapper-boot.ts';

const WORKERS = 200;
const ONE_ROUNDS = 15;
const MANY_ROUNDS = 3;
const ONE_GOAL = 1.5;
const LONGEST_MS = 180_000;
const FIELDS = { command_line: ['cat'], stop_grace_seconds: 2 };

export async function benchDirect({
  redisUrl,
  workers = WORKERS,
}: {
  redisUrl: string;
  workers?: number;
}): Promise<Result[]> {
  const cell = `bench-${randomUUID().slice(0, 8)}`;
  const dir = await mkdtemp(join(tmpdir(), 'bench-direct-'));
  const orchestrator = new BenchOrchestrator(redisUrl, cell);
  const reader = new Redis(redisUrl);
  const { path: wrapper } = await bundleWrapper();
  const manager = await startManager({ REDIS_URL: redisUrl, CELL: cell, RUNTIME: 'process' });
  let pm2: Pm2 | undefined;
  try {
    const one = await inTurn(orchestrator, { reader, redisUrl, wrapper, dir });
    pm2 = await startPm2();
    const many = { ours: [] as number[], pm2: [] as number[] };
    for (let round = 0; round < MANY_ROUNDS; round += 1) {
      many.ours.push(await byUs(orchestrator, reader, workers));
      many.pm2.push(await byPm2(pm2, { orchestrator, reader, redisUrl, wrapper, dir, cell, workers }));
    }
    const ratio = one.running / one.program;
    const [ours, theirs] = [median(many.ours), median(many.pm2)];
    return [
      {
        name: 'direct worker, create → RUNNING / its program by hand',
        value: ratio,
        unit: 'times',
        goal: `<= ${ONE_GOAL}`,
        met: ratio <= ONE_GOAL,
        note: `${one.running.toFixed(0)} ms against ${one.program.toFixed(0)} ms; node -e 0 takes ${one.node.toFixed(0)} ms`,
      },
      {
        name: `${workers} direct workers up / by pm2`,
        value: ours / theirs,
        unit: 'times',
        goal: '< 1',
        met: ours < theirs,
        note: `${ours.toFixed(0)} ms against ${theirs.toFixed(0)} ms`,
      },
    ];
  } finally {
    await pm2?.stop();
    await manager.stop();
    await orchestrator.close(cell);
    reader.disconnect();
    await rm(dir, { recursive: true, force: true });
  }
}

interface DirectContext {
  reader: Redis;
  redisUrl: string;
  wrapper: string;
  dir: string;
}

async function inTurn(orchestrator: BenchOrchestrator, { reader, redisUrl, wrapper, dir }: DirectContext) {
  const times = { running: [] as number[], program: [] as number[], node: [] as number[] };
  for (let round = -2; round < ONE_ROUNDS; round += 1) {
    const began = Date.now();
    const id = orchestrator.create(FIELDS);
    const running = (await orchestrator.reached(id, 'ready')) - began;
    await orchestrator.delete([id]);
    const program = await boot(reader, redisUrl, wrapper, dir);
    const node = await bare();
    // The first rounds warm the page cache.
    if (round < 0) continue;
    times.running.push(running);
    times.program.push(program);
    times.node.push(node);
  }
  return { running: median(times.running), program: median(times.program), node: median(times.node) };
}

async function byUs(orchestrator: BenchOrchestrator, reader: Redis, workers: number): Promise<number> {
  const began = Date.now();
  const ids = Array.from({ length: workers }, () => orchestrator.create(FIELDS));
  const took = (await allReady(reader, ids.map(orchestrator.keys.output))) - began;
  await orchestrator.delete(ids);
  return took;
}

async function byPm2(
  pm2: Pm2,
  {
    orchestrator,
    reader,
    redisUrl,
    wrapper,
    dir,
    cell,
    workers,
  }: DirectContext & { orchestrator: BenchOrchestrator; cell: string; workers: number },
): Promise<number> {
  const { keys, redis } = orchestrator;
  const ids = Array.from({ length: workers }, () => randomUUID());
  const spec = JSON.stringify({ agent_type: 'CUSTOM', ...FIELDS });
  for (const id of ids) await redis.hset(keys.desired(id), 'spec', spec);
  const apps = ids.map((id) => ({
    name: id,
    script: wrapper,
    env: {
      WORKER_ID: id,
      WORKER_INCARNATION: '1',
      WORKER_CELL: cell,
      REDIS_URL: redisUrl,
      WORKSPACE_PATH: join(dir, id),
      LOG_LEVEL: 'warn',
    },
  }));
  const began = Date.now();
  await pm2.start(apps);
  const took = (await allReady(reader, ids.map(keys.output))) - began;
  pm2.clear();
  return took;
}

/** When the last of them wrote `ready`, its first entry, in milliseconds since 1970. */
async function allReady(reader: Redis, streams: string[]): Promise<number> {
  const waiting = new Set(streams);
  let last = 0;
  for (const deadline = Date.now() + LONGEST_MS; waiting.size > 0 && Date.now() < deadline; ) {
    const reply = await reader.xread('BLOCK', 5000, 'STREAMS', ...waiting, ...Array.from(waiting, () => '0'));
    for (const [stream, entries] of reply ?? []) {
      waiting.delete(stream);
      last = Math.max(last, Number(entries[0]?.[0].split('-')[0]));
    }
  }
  if (waiting.size > 0)
    throw new Error(`${waiting.size} of ${streams.length} processes were not ready in time.`);
  return last;
}

if (import.meta.main)
  console.table(
    await benchDirect({
      redisUrl: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379',
      workers: Number(process.argv[2] ?? WORKERS),
    }),
  );
