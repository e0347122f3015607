import { expect, test } from 'vitest';
import { createImageAvailability } from '../../src/images/index.ts';
import { type ImageState, workerSpec } from '../../src/model/index.ts';

const NOW = 1_900_000_000_000;
const name = 'worker:0123456789ab';
const spec = workerSpec.parse({ agent_type: 'CUSTOM', command_line: ['true'], runtime: 'docker' });
const failed = (at: number): ImageState => ({
  kind: 'failed',
  name,
  at,
  reason: 'ImageBuildFailed',
  message: 'Step 2/9 failed.',
});

const obstacle = (state: ImageState, registry: string | undefined = undefined) =>
  createImageAvailability({
    host: '/nowhere/docker.sock',
    foreignImage: undefined,
    now: () => NOW,
    images: { state: async () => state },
    askRegistry: async () => {
      if (registry) throw new Error(registry);
    },
  })(spec);

test.each<[string, ImageState, string | undefined, RegExp | undefined]>([
  ['is there', { kind: 'ready', name }, undefined, undefined],
  ['is being built', { kind: 'building', name, step: '' }, undefined, undefined],
  ['can be built', { kind: 'absent', name }, undefined, undefined],
  ['could not be built just now', failed(NOW - 60_000), undefined, /could not be built: Step 2\/9 failed/],
  ['could not be built long ago', failed(NOW - 3_600_000), undefined, undefined],
  [
    'cannot be thought of',
    { kind: 'unknown', error: 'no wrapper' },
    undefined,
    /cannot be built: no wrapper/,
  ],
  ['stands on a base that can be pulled', { kind: 'absent', name: 'node:24' }, undefined, undefined],
  [
    'has a base that is missing',
    { kind: 'absent', name: 'node:24' },
    'no such host',
    /node:24 .*no such host/,
  ],
])('an image that %s', async (_, state, registry, expected) => {
  const why = await obstacle(state, registry);
  if (expected) expect(why).toMatch(expected);
  else expect(why).toBeUndefined();
});

test('a registry’s answer is shared by many workers, and expires', async () => {
  let asked = 0;
  let now = NOW;
  const obstacles = createImageAvailability({
    host: '/nowhere/docker.sock',
    foreignImage: undefined,
    now: () => now,
    images: { state: async () => ({ kind: 'absent', name: 'node:24' }) },
    askRegistry: async () => {
      asked += 1;
      throw new Error('no such host');
    },
  });
  for (let left = 5; left > 0; left -= 1) expect(await obstacles(spec)).toBeDefined();
  expect(asked).toBe(1);
  now += 61_000;
  await obstacles(spec);
  expect(asked).toBe(2);
});
