/** Bodies that stop without ending, in both runtimes: found by two signals, killed, and restarted by their policy. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { openTasks } from '../../src/tasks/index.ts';
import { dockerAt } from '../support/docker.ts';
import { pidsWith } from '../support/processes.ts';
import { openWorld, PATIENCE, type RuntimeUnderTest } from './world.ts';

/** Two signals of 15 seconds each, the least that a manager asks for, and a restart. */
const HUNG = { timeout: 60_000, interval: 100 };
const CHECKED = { HEALTH_CHECK_INTERVAL: '0.5', RESTART_BACKOFF_SECONDS: '0.05' };

const HANDLERS_DIR = join(import.meta.dirname, '../e2e/task-storm');

/** Stops everything of a body as a debugger, a frozen disk or a full machine would, so that nothing of it ends. */
async function stop(runtime: RuntimeUnderTest, worker: string, bodyId: string): Promise<void> {
  if (runtime === 'docker') return dockerAt(inject('dockerHost')).getContainer(bodyId).pause();
  for (const pid of pidsWith(worker)) process.kill(pid, 'SIGSTOP');
}

describe.each(['process', 'docker'] as const)('%s', (runtime) => {
  test('a stopped body is killed with its evidence and started again; a quiet one that works is not', {
    timeout: 120_000,
  }, async () => {
    const world = await openWorld(runtime);
    await world.start(undefined, CHECKED);
    const [stuck, fine] = [randomUUID(), randomUUID()];
    for (const worker of [stuck, fine]) await world.create(worker, { restart_policy: 'on-failure' });
    for (const worker of [stuck, fine]) await world.reach(worker, { status: 'RUNNING' });
    const [body] = (await world.bodies()).filter(({ worker_id }) => worker_id === stuck);
    await vi.waitFor(async () => {
      const { [fine]: figures } = await world.cell.store.figures();
      expect(figures?.memory_bytes).toBeGreaterThan(1_000_000);
      expect(figures?.cpu_percent).toBeGreaterThanOrEqual(0);
    }, PATIENCE);

    await stop(runtime, stuck, body?.id ?? '');
    await vi.waitFor(async () => {
      const { status } = (await world.cell.store.status(stuck)) ?? {};
      expect(status).toMatchObject({ status: 'RUNNING', phase: 'ready', restarts: 1, incarnation: 2 });
    }, HUNG);
    const events = (await world.cell.read(world.cell.store.keys.events(stuck))) as Record<string, unknown>[];
    const killed = events.find(({ phase }) => phase === 'killing');
    expect(killed).toMatchObject({
      reason: 'HungBody',
      message: expect.stringMatching(/heartbeat has not changed for \d+ s, and for \d+ s it uses no CPU/),
      actions: [expect.stringMatching(/^send SIGKILL to body/)],
    });
    expect(events.find(({ phase }) => phase === 'backoff')).toMatchObject({ reason: 'HungBody' });
    expect((await world.bodies()).filter(({ worker_id }) => worker_id === stuck)).toHaveLength(1);
    expect((await world.cell.store.status(fine))?.status).toMatchObject({ restarts: 0, phase: 'ready' });
  });
});

test('a task worker that does not end its task in time, for it has stopped, is killed, and the task goes on its terms', {
  timeout: 120_000,
}, async () => {
  const world = await openWorld('process');
  await world.start(undefined, { ...CHECKED, HANDLERS_DIR });
  const worker = randomUUID();
  await world.create(worker, {
    ...{ agent_type: 'TASK', command_line: undefined, handlers: ['storm.py'] },
    ...{ max_job_time_seconds: 1, restart_policy: 'on-failure' },
  });
  await world.reach(worker, { status: 'RUNNING' });
  const tasks = openTasks({ redisUrl: inject('redisUrl'), cell: world.cell.name });
  onTestFinished(() => tasks.close());
  const queue = tasks.queue('default');
  const payload = { function: 'forever', args: [1] };
  const { task_id = '' } = await queue.submit({ payload, priority: 'normal', task_id: 'spin' });
  await vi.waitFor(async () => expect((await queue.get(task_id))?.status).toBe('running'), PATIENCE);
  // The wrapper alone: its handler goes on, so that the body looks busy, and nobody is there to end it.
  const wrapper = pidsWith(`direct-task-0-${worker}`).find((pid) => pidsWith('shim.sh').indexOf(pid) < 0);
  process.kill(wrapper ?? 0, 'SIGSTOP');

  await vi.waitFor(async () => {
    const { status } = (await world.cell.store.status(worker)) ?? {};
    expect(status).toMatchObject({ status: 'RUNNING', phase: 'ready', restarts: 1 });
  }, HUNG);
  const events = (await world.cell.read(world.cell.store.keys.events(worker))) as Record<string, unknown>[];
  expect(events.find(({ phase }) => phase === 'killing')).toMatchObject({
    // Whichever is seen first: the task is over its bound, or the worker takes questions and answers none.
    reason: expect.stringMatching(/^Hung(Task|Body)$/),
    message: expect.stringMatching(/^Its task has run for|its health check fails\.$/),
  });
  // Given to the next incarnation, whose wrapper ends it in time.
  await vi.waitFor(async () => {
    const view = await queue.get(task_id);
    expect(view).toMatchObject({ status: 'failed', attempts: 2, error: { type: 'Timeout' } });
  }, PATIENCE);
});
