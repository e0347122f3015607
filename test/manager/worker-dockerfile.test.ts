/** Which workers have a Dockerfile, and what is said of the others. */
import { expect, test } from 'vitest';
import { createRecipe, type Images, imageName } from '../../src/images/index.ts';
import { getWorkerDockerfile } from '../../src/manager/worker-dockerfile.ts';
import type { WorkerSpec } from '../../src/model/index.ts';
import { GROUND, specOf } from '../images/recipes.ts';

const images = { recipe: async (spec: WorkerSpec) => createRecipe(spec, GROUND) } as Images;

test('a worker of Docker has the Dockerfile that its image is named by', async () => {
  const spec = specOf({ agent_type: 'CLAUDE', modules: ['GIT'] });
  const found = await getWorkerDockerfile(spec, images);
  expect(found?.image).toBe(imageName(createRecipe(spec, GROUND)));
  expect(found?.dockerfile).toMatch(/^FROM /m);
  expect(await getWorkerDockerfile(undefined, images)).toBeUndefined();
});

test.each<[why: string, spec: WorkerSpec, of: Images | undefined, code: string]>([
  ['runtime process', specOf({ runtime: 'process' }), images, 'unsupported'],
  ['other:1', specOf({ image: 'other:1' }), images, 'unsupported'],
  ['WORKER_IMAGE', specOf(), undefined, 'unsupported'],
  [
    'base is away',
    specOf(),
    { recipe: () => Promise.reject(new Error('base is away')) } as never,
    'unavailable',
  ],
])('%s: there is none', async (why, spec, of, code) => {
  const failed = await getWorkerDockerfile(spec, of).catch((error: unknown) => error);
  expect(failed).toMatchObject({ code, message: expect.stringContaining(why) });
});
