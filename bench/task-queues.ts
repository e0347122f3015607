/**
 * The task queues to compare: a task worker, Celery and RQ, each with one Python process, on one database of one Redis.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { taskSubmission } from '../src/model/task/task.ts';
import { openTasks } from '../src/tasks/index.ts';

const PEERS = join(import.meta.dirname, 'peers');
/** Debian's own Python, which has packages of Celery and RQ. */
export const PYTHON = '/usr/bin/python3';
const SEND_AT_ONCE = 200;

export interface QueueContext {
  redisUrl: string;
  /** A folder for files that tasks write. */
  dir: string;
  /** The wrapper's bundle. */
  wrapper: string;
}

/** A queue with one worker. */
export interface BenchQueue {
  name: string;
  /** Submits `mark`, `count` times `noop`, `mark`. */
  fill(path: string, count: number): Promise<void>;
  /** Submits `lag` repeatedly with a delay. */
  trickle(path: string, count: number, gapMs: number): Promise<void>;
  startWorker(): ChildProcess;
}

/** A manually started worker with `slots` slots. */
export function ours({ redisUrl, dir, wrapper }: QueueContext, slots: number): BenchQueue {
  const cell = 'bench';
  const pool = `slots-${slots}`;
  const submitting = async (
    act: (submit: (name: string, ...args: unknown[]) => Promise<unknown>) => Promise<void>,
  ) => {
    const tasks = openTasks({ redisUrl, cell });
    const queue = tasks.queue(pool);
    try {
      await act((name, ...args) => queue.submit(taskSubmission.parse({ payload: { function: name, args } })));
    } finally {
      await tasks.close();
    }
  };
  return {
    name: `worker-manager, ${slots} ${slots === 1 ? 'slot' : 'slots'}`,
    fill: (path, count) =>
      submitting(async (submit) => {
        await submit('mark', path);
        for (let sent = 0; sent < count; sent += SEND_AT_ONCE) {
          const length = Math.min(SEND_AT_ONCE, count - sent);
          await Promise.all(Array.from({ length }, () => submit('noop')));
        }
        await submit('mark', path);
      }),
    trickle: (path, count, gapMs) =>
      submitting(async (submit) => {
        for (let sent = 0; sent < count; sent += 1) {
          await submit('lag', path, Number(process.hrtime.bigint() / 1000n));
          await delay(gapMs);
        }
      }),
    startWorker: () =>
      start(process.execPath, [wrapper], {
        REDIS_URL: redisUrl,
        WORKER_CELL: cell,
        WORKER_POOL: pool,
        WORKER_ID: `bench-${slots}`,
        MAX_WORKERS: String(slots),
        WORKSPACE_PATH: dir,
        LOG_LEVEL: 'warn',
        MAX_CPU_PERCENT: 'none',
        MAX_MEMORY_PERCENT: 'none',
        HANDLERS_DIR: PEERS,
        HANDLERS: 'handlers.py',
      }),
  };
}

export const celery = ({ redisUrl }: QueueContext): BenchQueue =>
  peer(redisUrl, 'Celery, prefork 1', 'with_celery', [
    '-m',
    'celery',
    '-A',
    'with_celery',
    'worker',
    '-P',
    'prefork',
    '-c',
    '1',
    '-l',
    'WARNING',
    '--without-gossip',
    '--without-mingle',
    '--without-heartbeat',
  ]);

export const rq = ({ redisUrl }: QueueContext): BenchQueue =>
  peer(redisUrl, 'RQ', 'with_rq', ['-m', 'rq.cli', 'worker', '--quiet', '-u', redisUrl, 'bench']);

function peer(redisUrl: string, name: string, module: string, worker: string[]): BenchQueue {
  const env = { REDIS_URL: redisUrl };
  const produce = async (...args: string[]) => {
    const [code] = await once(start(PYTHON, ['produce.py', module, ...args], env), 'exit');
    if (code !== 0) throw new Error(`The producer of ${name} ended with ${code}.`);
  };
  return {
    name,
    fill: (path, count) => produce('drain', path, String(count)),
    trickle: (path, count, gapMs) => produce('lags', path, String(count), String(gapMs / 1000)),
    startWorker: () => start(PYTHON, worker, env),
  };
}

function start(program: string, args: string[], env: Record<string, string>): ChildProcess {
  // The language is set because RQ's command line does not run without one.
  const all = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', PYTHONDONTWRITEBYTECODE: '1', ...env };
  return spawn(program, args, { cwd: PEERS, env: all, stdio: ['ignore', 'ignore', 'pipe'] });
}
