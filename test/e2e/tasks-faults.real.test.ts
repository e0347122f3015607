/**
 * A storm of tasks over workers of both runtimes, while workers, Redis and the manager are killed repeatedly:
 * every task ends exactly once, with the right result or reason. `TASKS=10000 npm test` runs the large
 * version.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { TaskView } from '../../src/model/task/task.ts';
import { sendTo } from '../../src/runtimes/process/process-table.ts';
import { openTasks, type TaskQueue } from '../../src/tasks/index.ts';
import { type FaultWorld, openWorld } from '../faults/world.ts';
import { chances } from '../support/chances.ts';
import { dockerAt } from '../support/docker.ts';
import type { Manager } from '../support/manager.ts';
import { pidsWith } from '../support/processes.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { befall, type Misfortune } from './task-storm/misfortune.ts';
import { type StormTask, stormOf } from './task-storm/tasks.ts';

const TASKS = Number(process.env.TASKS ?? 1500);
const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
/** Tasks come over so long, and as long do the blows fall. */
const STORM_MS = Math.max(20_000, TASKS * 8);
/** After the last blow: locks of 15 seconds run out, workers come back, and what is left is done. */
const CALM_MS = 120_000 + TASKS * 10;
const DIRECT = 3;
const DOCKER = process.env.STORM_DOCKER === '0' ? 0 : 2;
const HANDLERS = join(import.meta.dirname, 'task-storm');

interface Sky {
  world: FaultWorld;
  redis: RedisServer;
  direct: string[];
  docker: string[];
  queue: TaskQueue;
}

async function open(): Promise<Sky> {
  const redis = await startRedis({ args: ['--maxmemory-policy', 'noeviction'] });
  onTestFinished(() => redis.stop());
  const world = await openWorld('docker', { url: redis.url, bodyUrl: redis.bodyUrl });
  const tasks = openTasks({ redisUrl: redis.url, cell: world.cell.name });
  onTestFinished(() => tasks.close());
  const ids = (count: number) => Array.from({ length: count }, () => randomUUID());
  return { world, redis, direct: ids(DIRECT), docker: ids(DOCKER), queue: tasks.queue('default') };
}

const startManager = ({ world }: Sky): Promise<Manager> =>
  world.start(undefined, {
    RUNTIME: 'auto',
    WORKER_IMAGE: '',
    HANDLERS_DIR: HANDLERS,
    RESTART_BACKOFF_SECONDS: '0.1',
    // Workers are killed more often than a default backoff allows for.
    RESTART_BACKOFF_MAX_SECONDS: '0.5',
  });

async function createWorkers({ world, direct, docker }: Sky): Promise<void> {
  const of = (runtime: string) => ({
    agent_type: 'TASK',
    command_line: undefined,
    runtime,
    restart_policy: 'always',
    concurrency: 4,
    handlers: ['storm.py', 'storm.mjs'],
    commands: true,
    stop_grace_seconds: 2,
  });
  for (const worker of direct) await world.create(worker, of('process'));
  for (const worker of docker) await world.create(worker, of('docker'));
  // The image of task workers may need a build first.
  for (const worker of [...direct, ...docker]) {
    const now = async () => (await world.cell.store.status(worker))?.status;
    await expect.poll(now, { timeout: 300_000, interval: 200 }).toMatchObject({ status: 'RUNNING' });
  }
}

/** Until it is accepted: the client tries again with the same id, and that is one task. */
async function submit(queue: TaskQueue, { submission, id, cancelAfterMs }: StormTask): Promise<void> {
  const insist = async (act: () => Promise<unknown>) => {
    for (let left = 600; left > 0; left -= 1) {
      if (await act().then(Boolean, () => false)) return;
      await delay(100);
    }
    throw new Error(`task ${id} was not accepted in a minute`);
  };
  await insist(() => queue.submit(submission as never));
  if (cancelAfterMs === undefined) return;
  await delay(cancelAfterMs);
  await insist(() => queue.cancel(id, 'the storm'));
}

function misfortunes(sky: Sky, managers: Manager[], chance: () => number): Misfortune[] {
  const { world, redis, direct, docker } = sky;
  const any = <T>(list: T[]): T | undefined => list[Math.floor(chance() * list.length)];
  const engine = dockerAt(inject('dockerHost'));
  const dockerAlive = async () =>
    (await world.bodies()).filter(
      ({ worker_id, state }) => docker.includes(worker_id) && state === 'running',
    );
  return [
    {
      name: 'a direct worker',
      everyMs: 900,
      strike: async () => {
        const worker = any(direct) ?? '';
        // The wrapper or its parent, whichever dies first.
        const pid = any(pidsWith(`direct-task-0-${worker}`));
        if (pid === undefined) return undefined;
        sendTo(pid, 'SIGKILL');
        return `lost process ${pid}`;
      },
    },
    {
      name: 'a Docker worker',
      everyMs: 2300,
      strike: async () => {
        const body = any(await dockerAlive());
        if (!body) return undefined;
        await engine
          .getContainer(body.id)
          .kill()
          .catch(() => undefined);
        return `lost container ${body.id.slice(0, 12)}`;
      },
    },
    {
      name: 'a direct worker',
      everyMs: 4000,
      // The others assume that it is dead and requeue its tasks; then it resumes, and its reports are too
      // late.
      strike: async () => {
        const stopped = pidsWith(`direct-task-0-${any(direct) ?? ''}`);
        for (const pid of stopped) sendTo(pid, 'SIGSTOP');
        await delay(17_000);
        for (const pid of stopped) if (pidsWith('direct-task-0-').includes(pid)) sendTo(pid, 'SIGCONT');
        return 'slept for 17 s';
      },
    },
    {
      name: 'Redis',
      everyMs: 8000,
      strike: async () => {
        await redis.kill();
        await delay(300);
        await redis.start();
        return 'was killed and started again';
      },
    },
    {
      name: 'the manager',
      everyMs: 6500,
      strike: async () => {
        const last = managers.at(-1);
        last?.kill('SIGKILL');
        await last?.exited;
        managers.push(await startManager(sky));
        return 'was killed and started again';
      },
    },
  ];
}

async function viewsOf(queue: TaskQueue, storm: StormTask[]): Promise<Map<string, TaskView | undefined>> {
  const limit = pLimit(64);
  const views = await Promise.all(storm.map(({ id }) => limit(() => queue.get(id))));
  return new Map(storm.map(({ id }, at) => [id, views[at]]));
}

/** What a person would look at where tasks do not end. */
async function stateOf({ world, queue, direct, docker }: Sky): Promise<string> {
  const workers = await Promise.all([...direct, ...docker].map((worker) => world.cell.store.load(worker)));
  const lines = workers.map((one) => JSON.stringify({ ...one?.record.status, heartbeat: one?.heartbeat }));
  return [JSON.stringify(await queue.counts()), ...lines].join('\n');
}

const isOver = (view: TaskView | undefined) => view?.status === 'completed' || view?.status === 'failed';

test(`of ${TASKS} tasks, each ends once and as it should, whichever process is killed meanwhile (SEED=${SEED})`, {
  timeout: STORM_MS + CALM_MS + 420_000,
}, async () => {
  const sky = await open();
  const managers = [await startManager(sky)];
  await createWorkers(sky);
  const storm = stormOf(TASKS, (n) => `storm-${n}`);

  const end = new AbortController();
  const blows = befall(misfortunes(sky, managers, chances(SEED)), end.signal);
  const began = performance.now();
  const limit = pLimit(32);
  const accepted = storm.map(async (task, n) => {
    await delay((STORM_MS * n) / TASKS);
    await limit(() => submit(sky.queue, task));
  });
  await Promise.all(accepted);
  end.abort();
  const story = await blows;
  console.log(
    [...story, `${TASKS} tasks accepted in ${Math.round(performance.now() - began)} ms`].join('\n'),
  );

  let waiting = storm;
  const left = async () => {
    const views = await viewsOf(sky.queue, waiting);
    waiting = waiting.filter(({ id }) => !isOver(views.get(id)));
    return waiting.map(({ id, kind }) => `${id} ${kind}`);
  };
  await expect
    .poll(left, { timeout: CALM_MS, interval: 500 })
    .toEqual([])
    .catch(async (error) => {
      console.log(await stateOf(sky), managers.at(-1)?.log().slice(-5000));
      throw error;
    });
  const ended = await viewsOf(sky.queue, storm);
  const wrong = storm.flatMap((task) => {
    const view = ended.get(task.id);
    const why = view ? task.wrong(view) : 'it is unknown';
    return why ? [`${task.id} ${task.kind}: ${why}`] : [];
  });
  expect(wrong).toEqual([]);

  // Ended tasks do not change, even after the paused processes report.
  await delay(1000);
  expect(await viewsOf(sky.queue, storm)).toEqual(ended);
  expect(await sky.queue.counts()).toMatchObject({ queued: 0, active: 0 });
  for (const worker of [...sky.direct, ...sky.docker])
    await sky.world.reach(worker, { status: 'RUNNING', phase: 'ready' });
});
