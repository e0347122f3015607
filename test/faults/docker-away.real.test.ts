import { randomUUID } from 'node:crypto';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { startDockerProxy } from '../support/docker-proxy.ts';
import { openWorld, PATIENCE } from './world.ts';

interface Readiness {
  checks: Record<string, { ok: boolean; message: string }>;
}

/** A manager of both runtimes, whose connection to Docker is controlled by the test. */
async function worldBehindProxy() {
  const proxy = await startDockerProxy(inject('dockerHost'));
  onTestFinished(() => proxy.close());
  const world = await openWorld('docker');
  const env = { RUNTIME: 'auto', DOCKER_HOST: `unix://${proxy.socket}`, DOCKER_CALL_SECONDS: '3' };
  const manager = await world.start(undefined, env);
  const readyz = async () => (await (await fetch(`${manager.url}/readyz`)).json()) as Readiness;
  const docker = async (ok: boolean) =>
    vi.waitFor(async () => expect((await readyz()).checks.runtime_docker).toMatchObject({ ok }), PATIENCE);
  return { proxy, world, docker };
}

test.for(['hangs', 'refuses'] as const)(
  'while Docker %s, its workers stay as they are with the reason, and processes continue',
  { timeout: 120_000 },
  async (how) => {
    const { proxy, world, docker } = await worldBehindProxy();
    const [worker, late, direct] = [randomUUID(), randomUUID(), randomUUID()];
    await world.create(worker);
    await world.reach(worker, { status: 'RUNNING', reason: '' });
    const [body] = await world.bodies();
    // A slow call at the start has expired by now: the next log entry is about Docker going down.
    await docker(true);

    proxy.misbehave = () => (how === 'hangs' ? 'hang' : { status: 503, text: 'no room at the inn' });
    proxy.cutAll();
    await world.reach(worker, { status: 'RUNNING', reason: 'RuntimeUnavailable', body_id: body?.id });
    await docker(false);
    const created = await world.create(late);
    expect(await world.answer(created)).toMatchObject({ success: true });
    await world.reach(late, { status: 'STARTING', reason: 'RuntimeUnavailable' });
    await world.create(direct, { runtime: 'process' });
    await world.reach(direct, { status: 'RUNNING', runtime: 'process' });

    proxy.misbehave = () => undefined;
    proxy.cutAll();
    await world.reach(worker, { status: 'RUNNING', reason: '', body_id: body?.id, restarts: 0 });
    await world.reach(late, { status: 'RUNNING', reason: '' });
    await docker(true);
    for (const worker_id of [worker, late, direct]) await world.push({ command: 'delete', worker_id });
    for (const worker_id of [worker, late, direct]) await world.reach(worker_id, { phase: 'deleted' });
    expect(await world.bodies()).toEqual([]);
  },
);

test('a manager without its Docker starts anyway, and runs workers as processes', async () => {
  const world = await openWorld('docker');
  const manager = await world.start(undefined, {
    RUNTIME: 'auto',
    DOCKER_HOST: 'unix:///nonexistent/docker.sock',
  });
  const worker = randomUUID();
  await world.create(worker, { runtime: 'auto' });
  await world.reach(worker, { status: 'RUNNING', runtime: 'process' });
  // A single late answer of Redis is reported for a moment as well.
  const answer = await vi.waitFor(async () => {
    const told = await fetch(`${manager.url}/readyz`);
    expect(told.status).toBe(200);
    return told;
  }, PATIENCE);
  const { checks } = (await answer.json()) as Readiness;
  expect(checks.runtime_docker).toMatchObject({
    ok: false,
    message: expect.stringContaining('/nonexistent/docker.sock'),
  });
  expect(await (await fetch(`${manager.url}/metrics`)).text()).toContain(
    'worker_manager_runtime_up{runtime="docker"} 0',
  );
  await world.push({ command: 'delete', worker_id: worker });
  await world.reach(worker, { phase: 'deleted' });
});
