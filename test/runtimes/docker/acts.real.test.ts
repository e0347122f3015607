import { expect, inject, test, vi } from 'vitest';
import type { Body } from '../../../src/model/index.ts';
import { BodyConflict, BodyRefused } from '../../../src/runtimes/runtime.ts';
import { clean, engine, FOREVER, newCell, newRuntime, orderOf, SOON, sh } from './subject.ts';

type Runtime = ReturnType<typeof newRuntime>['runtime'];

async function run(runtime: Runtime, order: ReturnType<typeof orderOf>): Promise<Body> {
  const body = await runtime.create(order);
  await runtime.start(body.id);
  return body;
}

/** The body, once the engine reports that it ended out of memory: the two events arrive in no fixed order. */
const starved = (runtime: Runtime, workerId: string) =>
  vi.waitFor(async () => {
    const body = await ended(runtime, workerId);
    expect(body).toMatchObject({ oom_killed: true });
    return body;
  }, SOON);

/** The body, once it has ended. */
const ended = (runtime: Runtime, workerId: string) =>
  vi.waitFor(
    async () => {
      const [body] = await runtime.find(workerId, undefined);
      if (body?.state !== 'exited') throw new Error(`still ${body?.state}`);
      return body;
    },
    { timeout: 20_000, interval: 50 },
  );

test('repeated operations succeed: started, ended, gone', async () => {
  const { runtime } = newRuntime();
  const order = orderOf(FOREVER);
  const { id } = await run(runtime, order);
  await runtime.start(id);
  await runtime.kill(id);
  await ended(runtime, order.worker_id);
  await runtime.kill(id);
  await runtime.terminate(id);
  await runtime.remove(id);
  await runtime.remove(id);
  await runtime.kill(id);
  await runtime.terminate(id);
  expect(await runtime.usage(id)).toEqual({});
  expect(await runtime.find(order.worker_id, id)).toEqual([]);
  await expect(runtime.start(id)).rejects.toMatchObject({ code: 'not_found' });
});

test('three removals at once all end with the body gone', async () => {
  const { runtime } = newRuntime();
  const order = orderOf(FOREVER);
  const { id } = await run(runtime, order);
  await Promise.all([runtime.remove(id), runtime.remove(id), runtime.remove(id)]);
  expect(await runtime.find(order.worker_id, id)).toEqual([]);
});

test('one of three concurrent creates makes the body, and the others report that it is ours', async () => {
  const { runtime } = newRuntime();
  const order = orderOf(FOREVER);
  const results = await Promise.allSettled([1, 2, 3].map(() => runtime.create(order)));
  const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  expect(refused).toEqual([expect.any(BodyConflict), expect.any(BodyConflict)]);
  expect(refused.map(({ ours }) => ours)).toEqual([true, true]);
  expect(await runtime.list()).toHaveLength(1);
});

test('a foreign container with our name is neither listed nor touched', async () => {
  const { runtime, cell } = newRuntime();
  const order = orderOf(FOREVER);
  const name = `wm-${cell}-${order.worker_id}`;
  const image = inject('baseImage');
  const foreign = await engine().createContainer({ name, Image: image, Cmd: ['true'] });
  try {
    await expect(runtime.create(order)).rejects.toMatchObject({ name: 'BodyConflict', ours: false });
    expect(await runtime.find(order.worker_id, undefined)).toEqual([]);
    expect((await foreign.inspect()).Name).toBe(`/${name}`);
  } finally {
    await foreign.remove();
  }
});

test('a body that someone else renamed is found by its known ID', async () => {
  const { runtime } = newRuntime();
  const order = orderOf(FOREVER);
  const { id } = await run(runtime, order);
  await engine()
    .getContainer(id)
    .rename({ name: `renamed-${order.worker_id}` });
  expect(await runtime.find(order.worker_id, undefined)).toEqual([]);
  expect((await runtime.find(order.worker_id, id)).map((body) => body.id)).toEqual([id]);
});

test('a missing program ends the body, which reports it and frees its name', async () => {
  const { runtime } = newRuntime();
  const order = orderOf(['/no/such/program']);
  const { id } = await run(runtime, order);
  const body = await ended(runtime, order.worker_id);
  expect(body).toMatchObject({
    exit_code: 127,
    error: expect.stringContaining('exec /no/such/program failed'),
  });
  await runtime.remove(id);
  expect((await runtime.create({ ...order, argv: FOREVER })).state).toBe('created');
});

test('a body that has ended is not restarted by a late start', async () => {
  const { runtime } = newRuntime();
  const order = orderOf(['echo', 'run']);
  const { id } = await run(runtime, order);
  const first = await ended(runtime, order.worker_id);
  await runtime.start(id);
  expect(await runtime.find(order.worker_id, id)).toEqual([first]);
  expect(first.tail).toBe('run');
});

test('a body that the engine could not start is ended, not "created" for ever', async () => {
  const { runtime, cell } = newRuntime();
  const order = orderOf(FOREVER);
  const { Config, Name } = await engine()
    .getContainer((await runtime.create(order)).id)
    .inspect();
  await clean(cell);
  // With the engine's own init, the container would start before the program is missing; without it, the
  // start fails.
  const name = Name.slice(1);
  const { id } = await engine().createContainer({
    name,
    Image: Config.Image,
    Labels: Config.Labels,
    Cmd: ['/no/such'],
  });
  const refusal = await runtime.start(id).catch((error) => error);
  expect(refusal).toBeInstanceOf(BodyRefused);
  expect(refusal).toMatchObject({ reason: 'StartFailed', message: expect.stringContaining('/no/such') });
  const [body] = await runtime.find(order.worker_id, id);
  expect(body).toMatchObject({ state: 'exited', exit_code: 127, error: expect.stringContaining('/no/such') });
  await runtime.remove(id);
});

test('a missing image is rejected at once, and nothing is left', async () => {
  const { runtime } = newRuntime({ image: 'worker:000000000000' });
  const refusal = await runtime.create(orderOf(FOREVER)).catch((error) => error);
  expect(refusal).toBeInstanceOf(BodyRefused);
  expect(refusal).toMatchObject({
    reason: 'ImageMissing',
    message: expect.stringContaining('worker:000000000000'),
  });
  expect(await runtime.list()).toEqual([]);
});

test.each(['kill', 'terminate'] as const)('%s also ends a paused body', async (act) => {
  const { runtime } = newRuntime();
  const order = orderOf(FOREVER);
  const { id } = await run(runtime, order);
  await engine().getContainer(id).pause();
  expect((await runtime.find(order.worker_id, id))[0]).toMatchObject({ state: 'running', paused: true });
  await runtime[act](id);
  const body = await ended(runtime, order.worker_id);
  expect(body.exit_code).toBe(act === 'kill' ? 137 : 143);
});

test('an out-of-memory kill of the main program is distinguished from that of a child', async () => {
  const { runtime } = newRuntime();
  const eat = 'node -e "const a=[];for(;;)a.push(Buffer.alloc(1e7,1))"';
  const main = orderOf(sh(`exec ${eat}`), { resources: { memory: '64m' } });
  const child = orderOf(sh(`${eat}; exit 4`), { resources: { memory: '64m' } });
  await Promise.all([run(runtime, main), run(runtime, child)]);
  expect(await starved(runtime, main.worker_id)).toMatchObject({ exit_code: 137 });
  expect(await starved(runtime, child.worker_id)).toMatchObject({ exit_code: 4 });
  const killed = orderOf(FOREVER);
  const { id } = await run(runtime, killed);
  await runtime.kill(id);
  expect(await ended(runtime, killed.worker_id)).toMatchObject({ exit_code: 137, oom_killed: false });
});

test('the last output of a dead body is kept, without terminal control sequences', async () => {
  const { runtime } = newRuntime();
  const order = orderOf(sh('seq 1 50; printf "\\033[31mred\\033[0m\\007 end\\n"; exit 9'));
  await run(runtime, order);
  const { tail = '', exit_code } = await ended(runtime, order.worker_id);
  const last = Array.from({ length: 19 }, (_, line) => String(line + 32));
  expect({ exit_code, lines: tail.split('\n') }).toEqual({ exit_code: 9, lines: [...last, 'red  end'] });
});

test('both streams of a dead body are kept, in any order', async () => {
  const { runtime } = newRuntime();
  const order = orderOf(sh('echo said; echo complained >&2'));
  await run(runtime, order);
  const { tail = '' } = await ended(runtime, order.worker_id);
  expect(tail.split('\n').sort()).toEqual(['complained', 'said']);
});

test('a list has all bodies of the cell, including dead and paused ones, and none of another cell', async () => {
  const { runtime } = newRuntime();
  const { runtime: other } = newRuntime({ cell: newCell() });
  const [dead, paused, fresh, foreign] = [
    orderOf(['true']),
    orderOf(FOREVER),
    orderOf(FOREVER),
    orderOf(FOREVER),
  ];
  await Promise.all([run(runtime, dead), other.create(foreign), runtime.create(fresh)]);
  const { id } = await run(runtime, paused);
  await engine().getContainer(id).pause();
  await ended(runtime, dead.worker_id);
  const states = new Map(
    (await runtime.list()).map((body) => [body.worker_id, [body.state, body.paused ?? false]]),
  );
  expect(states).toEqual(
    new Map([
      [dead.worker_id, ['exited', false]],
      [paused.worker_id, ['running', true]],
      [fresh.worker_id, ['created', false]],
    ]),
  );
});

test('a removal includes the anonymous volumes', async () => {
  const { runtime: maker } = newRuntime();
  const { id: source } = await maker.create(orderOf(FOREVER));
  const image: { Id: string } = await engine().getContainer(source).commit({ changes: 'VOLUME /data' });
  const { runtime } = newRuntime({ image: image.Id });
  const { id } = await run(runtime, orderOf(FOREVER));
  const { Mounts } = await engine().getContainer(id).inspect();
  const mount = Mounts.find(({ Destination }) => Destination === '/data');
  expect(mount?.Type).toBe('volume');
  await runtime.remove(id);
  await expect(
    engine()
      .getVolume(mount?.Name ?? '')
      .inspect(),
  ).rejects.toMatchObject({ statusCode: 404 });
  await maker.remove(source);
  await engine().getImage(image.Id).remove({ force: true });
});

test('usage counts processes, memory and CPU time', async () => {
  const { runtime } = newRuntime();
  const { id } = await run(runtime, orderOf(sh('for i in 1 2 3; do sleep 60 & done; while :; do :; done')));
  // The engine samples once a second, so a reading may take as long.
  await vi.waitFor(async () => expect((await runtime.usage(id)).pids).toBeGreaterThanOrEqual(4), SOON);
  const usage = await runtime.usage(id);
  expect(usage.cpu_seconds).toBeGreaterThan(0);
  expect(usage.memory_bytes).toBeGreaterThan(100_000);
  await runtime.kill(id);
});
