/** A cell's tasks for one test, its consumers, and workers that can be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, vi } from 'vitest';
import { type Task, type TaskSubmission, type TaskView, taskSubmission } from '../../src/model/task/task.ts';
import {
  type ConsumerSettings,
  openConsumer,
  openTasks,
  type QueueSettings,
  type RunTask,
  type TaskConsumer,
} from '../../src/tasks/index.ts';

/** The settings of a worker under test, as JSON in its argument. */
export interface WorkerProgram {
  redisUrl: string;
  cell: string;
  pool: string;
  workerId: string;
  incarnation: number;
  concurrency: number;
  lockSeconds: number;
}

export const POOL = 'reports';

/** How long a test watches before it concludes that something did not happen. */
export const soon = { timeout: 15_000, interval: 20 };

export type World = ReturnType<typeof openWorld>;

export function openWorld(queueSettings: QueueSettings = {}, redisUrl = inject('redisUrl')) {
  const cell = `t-${randomUUID().slice(0, 8)}`;
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  const tasks = openTasks({ redisUrl, cell });
  const queue = tasks.queue(POOL, queueSettings);
  const troubles: string[] = [];
  const opened: TaskConsumer[] = [];
  const children: ChildProcess[] = [];
  onTestFinished(async () => {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(opened.map((consumer) => consumer.close()));
    await tasks.close();
    for await (const found of redis.scanStream({ match: `${cell}:*`, count: 1000 }))
      if (found.length > 0) await redis.del(found);
    redis.disconnect();
  });

  const submit = (task: TaskSubmission) => queue.submit(taskSubmission.parse(task) as Task);
  const call = (name: string, more: Partial<TaskSubmission> = {}) =>
    submit({ payload: { function: name }, ...more });

  const consumer = (run: RunTask, more: Partial<ConsumerSettings> = {}): TaskConsumer => {
    const made = openConsumer({
      redisUrl,
      cell,
      pool: POOL,
      workerId: `w-${opened.length}`,
      incarnation: 1,
      concurrency: 1,
      run,
      onError: (message) => troubles.push(message),
      ...more,
    });
    opened.push(made);
    return made;
  };

  /** A worker in a separate process, which prints `ready` when it takes tasks. */
  const worker = async (more: Partial<WorkerProgram> = {}): Promise<ChildProcess> => {
    const told: WorkerProgram = {
      redisUrl,
      cell,
      pool: POOL,
      workerId: `c-${children.length}`,
      incarnation: 1,
      concurrency: 1,
      lockSeconds: 2,
      ...more,
    };
    const program = join(import.meta.dirname, 'worker-program.ts');
    const child = spawn(process.execPath, [program, JSON.stringify(told)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(child);
    await said(child, 'ready');
    return child;
  };

  const until = async (
    task_id: string,
    is: (view: TaskView) => boolean,
    timeout = soon.timeout,
  ): Promise<TaskView> => {
    let last: TaskView | undefined;
    await vi.waitFor(
      async () => {
        last = await queue.get(task_id);
        expect(last && is(last), JSON.stringify(last)).toBe(true);
      },
      { ...soon, timeout },
    );
    return last as TaskView;
  };
  const ended = (task_id: string, timeout?: number) =>
    until(task_id, ({ status }) => status === 'completed' || status === 'failed', timeout);

  return { cell, redis, redisUrl, tasks, queue, troubles, submit, call, consumer, worker, until, ended };
}

/** A promise that is settled from outside. */
export function gate<T = void>() {
  return Promise.withResolvers<T>();
}

/** Resolves when a worker has printed a word. */
export function said(child: ChildProcess, word: string): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (data) => String(data).includes(word) && resolve());
    child.once('exit', (code, signal) => reject(new Error(`The worker ended before: ${code ?? signal}`)));
  });
}

/** Ends a process at once, and resolves when it is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}
