import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { Runtimes } from '../../src/runtimes/registry.ts';
import { RuntimeDown } from '../../src/runtimes/runtime.ts';
import { FakeEngine, FakeRuntime } from '../support/fake-runtime/fake.ts';

// Workers with a successful observation in between continued as if all were well in the next real outage.
test('an engine that answers again is reported as up, so that its next outage is reported, too', async () => {
  const runtime = new FakeRuntime({ engine: new FakeEngine() });
  const told: (string | undefined)[] = [];
  let now = 0;
  const runtimes = new Runtimes(
    [runtime],
    () => now,
    (_name, error) => told.push(error),
  );
  const look = () => runtimes.call(runtime.name, (engine) => engine.find(randomUUID(), undefined));
  await runtimes.probe();
  expect(told).toEqual([undefined]);

  runtime.fail('find', new RuntimeDown('no answer'));
  await expect(look()).rejects.toThrow('no answer');
  expect(runtimes.states).toMatchObject([{ error: 'no answer', info: undefined }]);
  now += 1000;
  await look();
  expect(runtimes.states).toMatchObject([{ error: undefined, info: expect.anything() }]);
  runtime.fail('find', new RuntimeDown('gone'));
  await expect(look()).rejects.toThrow('gone');
  expect(told).toEqual([undefined, 'no answer', undefined, 'gone']);
});

// A create that met a full disk was followed by a successful observation: each changed the state and
// reconciled all.
test('an engine that answers every observation and fails every action changes its state rarely', async () => {
  const runtime = new FakeRuntime({ engine: new FakeEngine() });
  let turns = 0;
  let now = 0;
  const runtimes = new Runtimes(
    [runtime],
    () => now,
    () => (turns += 1),
  );
  await runtimes.probe();
  const until = now + 10_000;
  for (turns = 0; now < until; now += 10) {
    await runtimes.call(runtime.name, (engine) => engine.find(randomUUID(), undefined));
    const act = runtimes.call(runtime.name, () => Promise.reject(new RuntimeDown('not now')));
    await expect(act).rejects.toThrow('not now');
  }
  expect(turns).toBeGreaterThan(2);
  expect(turns).toBeLessThanOrEqual(20);
  await runtimes.probe();
  expect(runtimes.states).toMatchObject([{ error: undefined }]);
});

test('an engine without a successful probe is not up, whatever it answers', async () => {
  const runtime = new FakeRuntime({ engine: new FakeEngine() });
  const runtimes = new Runtimes([runtime], Date.now, () => {});
  await runtimes.call(runtime.name, (engine) => engine.list());
  expect(runtimes.states).toMatchObject([{ error: 'not checked yet', info: undefined }]);
});
