/**
 * The cost of a second variant of an image that differs by one small package: its build time and its size compared with
 * the first. Both are built on a base of their own, so that all layers of the first are new, and that no other
 * build on the machine comes between the two.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
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
  const id = randomBytes(4).toString('hex');
  const names = ['second', 'first', 'base'].map((which) => `wm-bench-${id}:${which}`);
  const [second = '', first = '', base = ''] = names;
  try {
    const recipe = async (packages: string[]): Promise<Recipe> => {
      const spec = { agent_type: 'CLAUDE', runtime: 'docker', modules: ['GIT'], packages };
      const usual = await images.recipe(workerSpec.parse(spec));
      return { ...usual, base: { ...usual.base, name: base } };
    };
    const usual = await images.recipe(workerSpec.parse({ agent_type: 'CLAUDE', runtime: 'docker' }));
    const dockerfile = `FROM ${usual.base.name}\nLABEL bench=${id}\n`;
    await build(at.docker, base, (folder) => writeFile(join(folder, 'Dockerfile'), dockerfile));
    const time = async (name: string, packages: string[]) => {
      const made = await recipe(packages);
      return build(at.docker, name, (folder) => writeBuildContext(made, folder, { ca: machineCa() }));
    };
    const whole = await time(first, []);
    const more = await time(second, ['jq']);
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

/** Seconds of one build, like the manager's. */
async function build(
  docker: Docker,
  name: string,
  writeContext: (folder: string) => Promise<void>,
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'wm-bench-'));
  try {
    await writeContext(folder);
    const began = performance.now();
    const context = { context: folder, src: await readdir(folder) };
    const progress = await docker.buildImage(context, { t: name, rm: true, forcerm: true });
    const lines = await new Promise<{ error?: string }[]>((resolve, reject) =>
      docker.modem.followProgress(progress, (error, output) => (error ? reject(error) : resolve(output))),
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
