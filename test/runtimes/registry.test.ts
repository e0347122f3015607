import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { FakeEngine, FakeRuntime } from '../../src/runtimes/fake/fake.ts';
import { Runtimes } from '../../src/runtimes/registry.ts';
import { RuntimeDown } from '../../src/runtimes/runtime.ts';

// Workers whose look had succeeded meanwhile went on as if all were well when the engine went away in earnest.
test('an engine that answers again is told to be up, so that its next silence is told, too', async () => {
  const runtime = new FakeRuntime({ engine: new FakeEngine() });
  const told: (string | undefined)[] = [];
  const runtimes = new Runtimes([runtime], Date.now, (_name, error) => told.push(error));
  const look = () => runtimes.call(runtime.name, (engine) => engine.find(randomUUID(), undefined));
  await runtimes.probe();
  expect(told).toEqual([undefined]);

  runtime.fail('find', new RuntimeDown('no answer'));
  await expect(look()).rejects.toThrow('no answer');
  expect(runtimes.states).toMatchObject([{ error: 'no answer', info: undefined }]);
  await look();
  expect(runtimes.states).toMatchObject([{ error: undefined, info: expect.anything() }]);
  runtime.fail('find', new RuntimeDown('gone'));
  await expect(look()).rejects.toThrow('gone');
  expect(told).toEqual([undefined, 'no answer', undefined, 'gone']);
});

test('an engine that no probe has reached is not up, whatever it answers', async () => {
  const runtime = new FakeRuntime({ engine: new FakeEngine() });
  const runtimes = new Runtimes([runtime], Date.now, () => {});
  await runtimes.call(runtime.name, (engine) => engine.list());
  expect(runtimes.states).toMatchObject([{ error: 'not asked yet', info: undefined }]);
});
