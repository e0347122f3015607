import { expect, test } from 'vitest';
import { lastKnown } from '../../src/telemetry/last-known.ts';

test('values are those of now, and the last ones while reading hangs or fails', async () => {
  const reads: (PromiseWithResolvers<string> | string | Error)[] = [];
  let asked = 0;
  const values = lastKnown(async () => {
    asked += 1;
    const next = reads.shift();
    if (next instanceof Error) throw next;
    return typeof next === 'object' ? next.promise : next;
  });
  reads.push('one');
  expect(await values(undefined)).toBe('one');
  const hanging = Promise.withResolvers<string>();
  reads.push(hanging);
  const began = performance.now();
  expect(await values(undefined)).toBe('one');
  expect(await values(undefined)).toBe('one');
  expect(performance.now() - began).toBeLessThan(5000);
  // The read that hangs is not repeated.
  expect(asked).toBe(2);
  hanging.resolve('two');
  await hanging.promise;
  reads.push(new Error('Redis is away'));
  expect(await values(undefined)).toBe('two');
});
