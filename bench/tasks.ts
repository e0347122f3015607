/**
 * No-op Python tasks per second with one real worker, and the time from submission to the start of the function on an
 * idle worker, compared with Celery and RQ: the same functions in the same Python, on the same Redis, in alternation.
 * Each queue is filled first; the functions themselves record when the first and the last of them ran.
 */
import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { bundleWrapper } from '../scripts/bundle-wrapper.ts';
import { installWithApt } from '../scripts/ensure-docker.ts';
import { median, quantile, type Result, reported } from './result.ts';
import { type BenchQueue, celery, ours, PYTHON, rq } from './task-queues.ts';

const ROUNDS = 3;
const CELERY_GOAL = 3;
const RQ_GOAL = 20;
const P99_GOAL_MS = 10;
/** Samples of the delay, with enough time in between that even RQ, which forks for each, is idle again. */
const LAGS = 400;
const GAP_MS = 15;
const RQ_LAGS = 60;
const RQ_GAP_MS = 150;
/** An order of magnitude slower than any measurement. */
const LONGEST_MS = 120_000;
const PACKAGES = ['python3-celery', 'python3-rq'];

/** Measures; empties the database that it used. */
export async function benchTasks({ redisUrl }: { redisUrl: string }): Promise<Result[]> {
  const there = () => spawnSync(PYTHON, ['-c', 'import celery, rq'], { stdio: 'ignore' }).status === 0;
  const obstacle = there() ? undefined : installWithApt(PACKAGES, console.error);
  if (!there())
    throw new Error(`To compare with Celery and RQ, install ${PACKAGES.join(' and ')}. ${obstacle ?? ''}`);
  const { path: wrapper } = await bundleWrapper();
  const dir = await mkdtemp(join(tmpdir(), 'bench-tasks-'));
  const database = await emptyDatabase(redisUrl);
  const place = { redisUrl: database.url, dir, wrapper };
  const [one, four, celeries, rqs] = [ours(place, 1), ours(place, 4), celery(place), rq(place)];
  try {
    const rates = { one: [] as number[], four: [] as number[], celery: [] as number[], rq: [] as number[] };
    for (let round = 0; round < ROUNDS; round += 1) {
      rates.one.push(await rate(one, 6000, dir));
      rates.celery.push(await rate(celeries, 1500, dir));
      rates.four.push(await rate(four, 6000, dir));
      rates.rq.push(await rate(rqs, 150, dir));
    }
    const own = await lags(one, dir);
    const theirs = [await lags(celeries, dir), await lags(rqs, dir, RQ_LAGS, RQ_GAP_MS)];
    const [tasks, more, celeryTasks, rqTasks] = [rates.one, rates.four, rates.celery, rates.rq].map(
      median,
    ) as Four;
    const beside = [celeries, rqs]
      .map(({ name }, at) => `${name}: ${formatLags(theirs[at] ?? [])}`)
      .join(' · ');
    const p99 = quantile(own, 0.99);
    return [
      reported(
        'no-op Python tasks, one worker with one slot',
        tasks,
        '/s',
        `Celery ${celeryTasks.toFixed(0)}, RQ ${rqTasks.toFixed(0)}`,
      ),
      reported('no-op Python tasks, one worker with four slots', more, '/s'),
      ratio('… one slot, against Celery prefork with one process', tasks / celeryTasks, CELERY_GOAL),
      ratio('… one slot, against RQ', tasks / rqTasks, RQ_GOAL),
      {
        name: 'submit → start, idle worker, p99',
        value: p99,
        unit: 'ms',
        goal: `< ${P99_GOAL_MS}`,
        met: p99 < P99_GOAL_MS,
        note: `${LAGS} tasks, ${formatLags(own)}; ${beside}`,
      },
    ];
  } finally {
    await database.close();
    await rm(dir, { recursive: true, force: true });
  }
}

type Four = [number, number, number, number];

/** Tasks a second between the first and the last function. */
async function rate(queue: BenchQueue, count: number, dir: string): Promise<number> {
  const path = join(dir, `${queue.name}-drain`);
  await rm(path, { force: true });
  await queue.fill(path, count);
  const marks = await withWorker(queue, () => lines(path, 2));
  return count / (((marks[1] ?? 0) - (marks[0] ?? 0)) / 1e6);
}

/** Milliseconds from submits to starts. */
async function lags(queue: BenchQueue, dir: string, count = LAGS, gapMs = GAP_MS): Promise<number[]> {
  const path = join(dir, `${queue.name}-lags`);
  return withWorker(queue, async () => {
    // The first ones reach a worker that is still booting.
    await queue.trickle(`${path}-first`, 20, GAP_MS);
    await lines(`${path}-first`, 20);
    await queue.trickle(path, count, gapMs);
    return (await lines(path, count)).map((us) => us / 1000);
  });
}

async function withWorker<T>(queue: BenchQueue, act: () => Promise<T>): Promise<T> {
  const worker: ChildProcess = queue.startWorker();
  let errorText = '';
  worker.stderr?.on('data', (chunk: Buffer) => {
    errorText = (errorText + chunk.toString()).slice(-2000);
  });
  const ended = once(worker, 'exit');
  try {
    const early = ended.then(() =>
      Promise.reject(new Error(`The worker of ${queue.name} exited: ${errorText}`)),
    );
    return await Promise.race([act(), early]);
  } finally {
    worker.kill('SIGTERM');
    await ended;
  }
}

/** The numbers in a file, once there are `count` of them. */
async function lines(path: string, count: number): Promise<number[]> {
  for (const since = performance.now(); performance.now() - since < LONGEST_MS; await delay(20)) {
    const all = existsSync(path) ? (await readFile(path, 'utf8')).trim().split('\n').map(Number) : [];
    if (all.length >= count) return all;
  }
  throw new Error(`${path} did not get ${count} lines in time.`);
}

/** An empty database of the same Redis, because the keys of Celery and RQ have no prefix by which to delete them. */
async function emptyDatabase(redisUrl: string): Promise<{ url: string; close(): Promise<void> }> {
  for (let number = 15; number > 0; number -= 1) {
    const url = new URL(redisUrl);
    url.pathname = `/${number}`;
    const redis = new Redis(url.href);
    if ((await redis.dbsize()) > 0) {
      redis.disconnect();
      continue;
    }
    return {
      url: url.href,
      async close() {
        await redis.flushdb();
        redis.disconnect();
      },
    };
  }
  throw new Error('No database of this Redis is empty.');
}

const formatLags = (values: number[]) =>
  `p50 ${quantile(values, 0.5).toFixed(1)}, p99 ${quantile(values, 0.99).toFixed(1)} ms`;

function ratio(name: string, value: number, goal: number): Result {
  return { name, value, unit: 'times', goal: `>= ${goal}`, met: value >= goal };
}

if (import.meta.main)
  console.table(await benchTasks({ redisUrl: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' }));
