import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startRedis } from '../support/redis.ts';
import { openWorld, PATIENCE } from './world.ts';

const leads = (log: () => string) => vi.waitFor(() => expect(log()).toContain('"leading"'), PATIENCE);
/** For a manager that must keep its lease when the machine pauses; no other gets it before it is released. */
const LASTING = { LEASE_SECONDS: '60' };
const readyz = async (url: string) => (await fetch(`${url}/readyz`)).status;

async function worldOfItsOwn() {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  return { redis, ...(await openWorld('process', redis)) };
}

test('a second manager takes over from a frozen one, which no longer acts when it resumes', async () => {
  const world = await openWorld('process');
  const [worker, late] = [randomUUID(), randomUUID()];
  const first = await world.start();
  await leads(first.log);
  await world.create(worker);
  await world.reach(worker, { status: 'RUNNING' });
  const epoch = Number(await world.cell.redis.get(world.cell.store.keys.epoch));
  // A lease longer than any pause of the machine, so that it does not end because the second manager is slow.
  const second = await world.start(undefined, LASTING);

  first.kill('SIGSTOP');
  onTestFinished(() => first.kill('SIGCONT'));
  const created = await world.create(late);
  await world.reach(late, { status: 'RUNNING' });
  expect(await world.answer(created)).toMatchObject({ success: true });
  expect(Number(await world.cell.redis.get(world.cell.store.keys.epoch))).toBeGreaterThan(epoch);
  const bodies = await world.bodies();

  first.kill('SIGCONT');
  await vi.waitFor(() => expect(first.log()).toContain('"standby"'), PATIENCE);
  const stopped = await world.push({ command: 'stop', worker_id: late });
  await world.reach(late, { status: 'STOPPED', phase: 'finished' });
  expect(await world.answer(stopped)).toMatchObject({ success: true });
  // The end of a body is stored before the body is removed.
  const left = bodies.filter(({ worker_id }) => worker_id === worker);
  await vi.waitFor(async () => expect(await world.bodies()).toEqual(left), PATIENCE);
  expect(second.log()).not.toContain('"standby"');
});

test('a manager that is asked to stop hands over at once, and its bodies keep running', async () => {
  const world = await openWorld('process');
  const worker = randomUUID();
  // The standby does not wait for this lease to expire: it is released.
  const first = await world.start(undefined, LASTING);
  await leads(first.log);
  await world.create(worker);
  await world.reach(worker, { status: 'RUNNING' });
  const bodies = await world.bodies();
  const second = await world.start();
  expect(second.log()).not.toContain('"leading"');
  expect(await first.stop()).toBe(0);
  await leads(second.log);
  await vi.waitFor(() => expect(second.log()).toContain('"recovered"'), PATIENCE);
  expect(second.log()).toMatch(/"adopted":1,"restarted":0,"expired":0,"left_alone":0/);
  expect(await world.bodies()).toEqual(bodies);
});

test('an emptied store kills no worker: records are restored from the bodies, under a higher epoch', async () => {
  const { redis: _, ...world } = await worldOfItsOwn();
  const { store, redis } = world.cell;
  const workers = [randomUUID(), randomUUID(), randomUUID()];
  await world.start();
  for (const worker of workers) await world.create(worker);
  for (const worker of workers) await world.reach(worker, { status: 'RUNNING' });
  const bodies = (await world.bodies()).map(({ id }) => id).sort();
  const epoch = Number(await redis.get(store.keys.epoch));

  await redis.flushall();
  for (const worker of workers) await world.reach(worker, { status: 'RUNNING', incarnation: 1 });
  expect((await world.bodies()).map(({ id }) => id).sort()).toEqual(bodies);
  expect(Number(await redis.get(store.keys.epoch))).toBeGreaterThan(epoch);

  const [first = ''] = workers;
  const deleted = await world.push({ command: 'delete', worker_id: first });
  expect(await world.answer(deleted)).toMatchObject({ success: true });
  await vi.waitFor(async () => expect(await world.bodies()).toHaveLength(2), PATIENCE);
});

test('everything keeps running when Redis is killed and comes back', async () => {
  const { redis, ...world } = await worldOfItsOwn();
  const [worker, next] = [randomUUID(), randomUUID()];
  const manager = await world.start();
  await world.create(worker);
  await world.reach(worker, { status: 'RUNNING' });
  const bodies = await world.bodies();
  await redis.kill();
  await vi.waitFor(async () => expect(await readyz(manager.url)).toBe(503), PATIENCE);
  expect(await world.bodies()).toEqual(bodies);
  await redis.start();
  // The test's own connection may be between two attempts.
  await vi.waitFor(() => world.create(next), PATIENCE);
  await world.reach(next, { status: 'RUNNING' });
  await world.reach(worker, { status: 'RUNNING', incarnation: 1, restarts: 0 });
  await vi.waitFor(async () => expect(await readyz(manager.url)).toBe(200), PATIENCE);
});

test('a temporarily hanging Redis does not get any worker killed', async () => {
  const { redis, ...world } = await worldOfItsOwn();
  const [worker, next] = [randomUUID(), randomUUID()];
  const manager = await world.start();
  await world.create(worker);
  await world.reach(worker, { status: 'RUNNING' });
  const bodies = await world.bodies();
  await redis.pause();
  await vi.waitFor(async () => expect(await readyz(manager.url)).toBe(503), PATIENCE);
  await redis.unpause();
  await vi.waitFor(() => world.create(next), PATIENCE);
  await world.reach(next, { status: 'RUNNING' });
  expect(await world.bodies()).toEqual(expect.arrayContaining(bodies));
  await world.reach(worker, { status: 'RUNNING', incarnation: 1, restarts: 0 });
});
