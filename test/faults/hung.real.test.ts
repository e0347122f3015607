/**
 * Hung bodies in both runtimes: detected by two signals, killed, and restarted by their policy. All at once,
 * because a manager waits at least 15 seconds for each.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import type { LifecycleEvent } from '../../src/model/index.ts';
import { openTasks } from '../../src/tasks/index.ts';
import { dockerAt } from '../support/docker.ts';
import { pidsWith, signal } from '../support/processes.ts';
import { openWorld, PATIENCE } from './world.ts';

const HUNG = { timeout: 90_000, interval: 100 };
const ENV = {
  RUNTIME: 'auto',
  HEALTH_CHECK_INTERVAL: '0.5',
  RESTART_BACKOFF_SECONDS: '0.05',
  HANDLERS_DIR: join(import.meta.dirname, '../e2e/task-storm'),
};

test('stopped bodies are killed with evidence and restarted; merely silent ones are not', {
  timeout: 180_000,
}, async () => {
  const world = await openWorld('docker');
  await world.start(undefined, ENV);
  const { store } = world.cell;
  const workers = { direct: randomUUID(), docker: randomUUID(), task: randomUUID() };
  const fine = { direct: randomUUID(), docker: randomUUID() };
  const restart = { restart_policy: 'on-failure' };
  await world.create(workers.docker, restart);
  await world.create(fine.docker, restart);
  await world.create(workers.direct, { ...restart, runtime: 'process' });
  await world.create(fine.direct, { ...restart, runtime: 'process' });
  await world.create(workers.task, {
    ...restart,
    runtime: 'process',
    agent_type: 'TASK',
    command_line: undefined,
    handlers: ['storm.py'],
    max_job_time_seconds: 1,
  });
  const all = [...Object.values(workers), ...Object.values(fine)];
  for (const worker of all) await world.reach(worker, { status: 'RUNNING' });
  await vi.waitFor(async () => {
    const usage = await store.usage();
    for (const worker of all) {
      expect(usage[worker]?.memory_bytes).toBeGreaterThan(100_000);
      expect(usage[worker]?.cpu_percent).toBeGreaterThanOrEqual(0);
    }
  }, PATIENCE);

  const tasks = openTasks({ redisUrl: inject('redisUrl'), cell: world.cell.name });
  onTestFinished(() => tasks.close());
  const queue = tasks.queue('default');
  await queue.submit({ payload: { function: 'forever', args: [1] }, priority: 'normal', task_id: 'spin' });
  await vi.waitFor(async () => {
    const beat = (await store.load(workers.task))?.heartbeat;
    expect(beat).toMatchObject({ active_tasks: 1, job_started_at: expect.any(String) });
  }, PATIENCE);

  // Two are frozen completely, as by a hanging disk. Of the third, only the wrapper is frozen: its handler
  // keeps running, so that the body looks busy and nothing can end it.
  const [body] = (await world.bodies()).filter(({ worker_id }) => worker_id === workers.docker);
  await dockerAt(inject('dockerHost'))
    .getContainer(body?.id ?? '')
    .pause();
  for (const pid of pidsWith(workers.direct)) signal(pid, 'SIGSTOP');
  const shims = pidsWith('shim.sh');
  const [wrapper] = pidsWith(`direct-task-0-${workers.task}`).filter((pid) => !shims.includes(pid));
  if (wrapper === undefined) expect.fail('The task worker has no wrapper.');
  signal(wrapper, 'SIGSTOP');

  for (const worker of Object.values(workers)) {
    const now = async () => (await store.status(worker))?.status;
    const again = { status: 'RUNNING', phase: 'ready', restarts: 1, incarnation: 2 };
    await expect.poll(now, HUNG).toMatchObject(again);
  }
  const killingOf = async (worker: string) =>
    ((await world.cell.read(store.keys.events(worker))) as LifecycleEvent[]).find(
      ({ phase }) => phase === 'killing',
    );
  for (const worker of [workers.direct, workers.docker])
    expect(await killingOf(worker)).toMatchObject({
      reason: 'HungBody',
      message: expect.stringMatching(/heartbeat has not changed for \d+ s, and for \d+ s it uses no CPU/),
      actions: [expect.stringMatching(/^send SIGKILL to body/)],
    });
  expect(await killingOf(workers.task)).toMatchObject({
    reason: 'HungTask',
    message: expect.stringMatching(/^Its task has run for \d+ s; max_job_time_seconds is 1, and its wrapper/),
  });
  // The next incarnation gets it, and its wrapper ends it in time.
  const view = () => queue.get('spin');
  await expect
    .poll(view, PATIENCE)
    .toMatchObject({ status: 'failed', attempts: 2, error: { type: 'Timeout' } });
  // A body whose heartbeats a busy machine delays is briefly silent, and is not restarted for that.
  for (const worker of Object.values(fine)) await world.reach(worker, { restarts: 0, phase: 'ready' });
});
