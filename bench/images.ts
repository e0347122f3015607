/**
 * The cost of a second variant of an image that differs by one small package: its build time and its size compared with
 * the first. The first is built without the cache, so that all of its layers are new and the second can only reuse
 * common layers.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { totalBytes } from '../src/images/collect.ts';
import { createImages, machineCa, type Recipe, writeBuildContext } from '../src/images/index.ts';
import { type HistoryStep, toLayers } from '../src/images/inventory.ts';
import { workerSpec } from '../src/model/index.ts';
import type { Result } from './result.ts';

export async function benchImages(at: { docker: Docker; dockerHost: string }): Promise<Result[]> {
  const images = createImages({ host: at.dockerHost, version: 'bench' });
  const names = ['first', 'second'].map((which) => `wm-bench-${randomBytes(4).toString('hex')}:${which}`);
  const [first = '', second = ''] = names;
  try {
    const recipe = (packages: string[]) =>
      images.recipe(
        workerSpec.parse({ agent_type: 'CLAUDE', runtime: 'docker', modules: ['GIT'], packages }),
      );
    const whole = await build(at.docker, first, await recipe([]), true);
    const more = await build(at.docker, second, await recipe(['jq']), false);
    const [one, two] = await Promise.all([layers(at.docker, first), layers(at.docker, second)]);
    const added = totalBytes([one, two]) - totalBytes([one]);
    const size = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
    return [
      ratio('second image, time of the first', more / whole, `${more.toFixed(1)} s of ${whole.toFixed(1)} s`),
      ratio(
        'second image, bytes added',
        added / totalBytes([one]),
        `${size(added)} of ${size(totalBytes([one]))}`,
      ),
    ];
  } finally {
    for (const name of names)
      await at.docker
        .getImage(name)
        .remove({ force: true })
        .catch(() => undefined);
    await images.close();
  }
}

const ratio = (name: string, value: number, note: string): Result => ({
  name,
  value: value * 100,
  unit: '%',
  goal: '< 25 %',
  met: value < 0.25,
  note: `${note}; CLAUDE+GIT, +jq`,
});

/** Seconds of one build, like the manager's except for the cache. */
async function build(docker: Docker, name: string, recipe: Recipe, nocache: boolean): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'wm-bench-'));
  try {
    await writeBuildContext(recipe, folder, { ca: machineCa() });
    const began = performance.now();
    const context = { context: folder, src: await readdir(folder) };
    const told = await docker.buildImage(context, { t: name, nocache, rm: true, forcerm: true });
    const lines = await new Promise<{ error?: string }[]>((resolve, reject) =>
      docker.modem.followProgress(told, (error, output) => (error ? reject(error) : resolve(output))),
    );
    const failed = lines.find(({ error }) => error);
    if (failed?.error) throw new Error(failed.error);
    return (performance.now() - began) / 1000;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function layers(docker: Docker, name: string) {
  return { layers: toLayers((await docker.getImage(name).history()) as HistoryStep[]) };
}
