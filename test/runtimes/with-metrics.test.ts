import { expect, test } from 'vitest';
import { withMetrics } from '../../src/runtimes/with-metrics.ts';
import { FakeRuntime } from '../support/fake-runtime/fake.ts';

test('every call of an observed runtime is reported with its result, and works as before', async () => {
  const told: [string, string][] = [];
  const fake = new FakeRuntime();
  const runtime = withMetrics(fake, (call, result, seconds) => {
    expect(seconds).toBeGreaterThanOrEqual(0);
    told.push([call, result]);
  });
  expect(await runtime.list()).toEqual([]);
  await expect(runtime.start('nobody')).rejects.toThrow();
  expect(told).toEqual([
    ['list', 'ok'],
    ['start', 'error'],
  ]);
});
