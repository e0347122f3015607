/** `runtime: auto` on real machines of three kinds: one with Docker and the image, one without the image, one without Docker. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { openWorld } from './world.ts';

const auto = { RUNTIME: 'auto' };
const plain = { runtime: 'auto' };

test('auto uses Docker if a daemon answers and has the image, and reports it in answer and history', async () => {
  const world = await openWorld('docker');
  await world.start(undefined, auto);
  const worker = randomUUID();
  const reason = 'Docker answers, and the image exists or can be built.';
  expect(await world.answer(await world.create(worker, plain))).toMatchObject({
    success: true,
    runtime: 'docker',
    runtime_reason: reason,
  });
  await world.reach(worker, { status: 'RUNNING', runtime: 'docker' });
  const events = await world.cell.read(world.cell.store.keys.events(worker));
  expect(events).toContainEqual(
    expect.objectContaining({
      type: 'accepted',
      reason: 'RuntimeChosen',
      message: `It was assigned to the docker runtime. ${reason}`,
    }),
  );
});

test.each([
  [
    'its image is not there',
    { WORKER_IMAGE: 'nobody.example/has:this' },
    /has no image nobody\.example\/has:this/,
  ],
  [
    'no daemon answers',
    { DOCKER_HOST: 'unix:///nowhere/docker.sock' },
    /Docker does not answer: .*\/nowhere\/docker\.sock/,
  ],
] as const)('auto goes direct where %s, and is refused what only Docker can do', async (_, env, why) => {
  const world = await openWorld('process');
  await world.start(undefined, { ...auto, ...env });
  const worker = randomUUID();
  expect(await world.answer(await world.create(worker, plain))).toMatchObject({
    success: true,
    runtime: 'process',
    runtime_reason: expect.stringMatching(new RegExp(`^Not in Docker: .*${why.source}`)),
  });
  await world.reach(worker, { status: 'RUNNING', runtime: 'process' });
  const refused = await world.answer(
    await world.create(randomUUID(), { ...plain, image: 'nobody.example/has:that' }),
  );
  expect(refused).toMatchObject({
    success: false,
    error: { code: 'unavailable', issues: [{ path: 'image', message: 'is supported only by Docker' }] },
  });
});
