/** Both builders of an engine; even one that recommends the classic builder has BuildKit. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { buildImage } from '../../src/images/build.ts';
import { type Builder, builderOf } from '../../src/images/builder.ts';
import { type BuildProgress, ImageBuildFailed } from '../../src/images/index.ts';
import { dockerAt } from '../support/docker.ts';
import { runIn } from './container.ts';

const docker = dockerAt(inject('dockerHost'));
const BUILD_MS = 60_000;

/** Builds lines on top of the base image, with a file and a label; returns what the build reported. */
async function build(
  builder: Builder,
  lines: string[],
): Promise<{ name: string; steps: BuildProgress[]; error: unknown }> {
  const directory = await mkdtemp(join(tmpdir(), 'builders-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const dockerfile = [`FROM ${inject('baseImage')} AS tool`, 'RUN echo made >/tool', ...lines, ''];
  await writeFile(join(directory, 'Dockerfile'), dockerfile.join('\n'));
  await writeFile(join(directory, 'file'), randomUUID());
  const name = `worker-builders:${randomUUID().slice(0, 12)}`;
  const steps: BuildProgress[] = [];
  const error = await buildImage(docker, {
    builder,
    directory,
    name,
    labels: { built: 'by-test' },
    args: { WORD: 'given' },
    signal: AbortSignal.timeout(BUILD_MS),
    onStep: (step) => steps.push(step),
  }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error === undefined) onTestFinished(() => docker.getImage(name).remove());
  return { name, steps, error };
}

const FINAL = [
  `FROM ${inject('baseImage')}`,
  'ARG WORD',
  'COPY --from=tool /tool /tool',
  'COPY file /file',
  'RUN echo "$WORD" >/word',
];

test.for(['classic', 'buildkit'] as const)(
  '%s makes an image with its label, files and arguments',
  {
    timeout: BUILD_MS,
  },
  async (builder) => {
    const { name, steps, error } = await build(builder, FINAL);
    expect(error).toBeUndefined();
    const { Config } = await docker.getImage(name).inspect();
    expect(Config.Labels).toMatchObject({ built: 'by-test' });
    const { output } = await runIn(docker, { image: name, argv: ['cat', '/tool', '/word'] });
    expect(output).toBe('made\ngiven');
    const last = steps.at(-1);
    expect(last?.step).toBe(last?.of);
    // The classic builder has an additional step for the labels.
    expect(steps.map(({ line }) => line)).toContainEqual(
      expect.stringMatching(/^Step \d+\/\d+ : RUN echo "/),
    );
    expect(steps.map(({ step }) => step)).toEqual(steps.map((_, index) => index + 1));
  },
);

test.for(['classic', 'buildkit'] as const)(
  '%s reports the step that fails, its exit code and its output',
  {
    timeout: BUILD_MS,
  },
  async (builder) => {
    const { error } = await build(builder, [...FINAL, 'RUN echo "fatal: no luck" >&2; exit 7']);
    expect(error).toBeInstanceOf(ImageBuildFailed);
    const { step, tail, message } = error as ImageBuildFailed;
    expect(step).toMatch(/^Step \d+\/\d+ : RUN echo "fatal: no luck"/);
    expect(tail).toEqual(['fatal: no luck']);
    expect(message.split('\n')[0]).toMatch(/ ended with exit code 7\.$/);
  },
);

test('an engine from version 23 on recommends BuildKit', async () => {
  const { Version, Components } = await docker.version();
  const isDocker = Components?.some(({ Name }) => Name === 'Engine');
  const recommends = isDocker && Number(Version?.split('.')[0]) >= 23;
  expect(await builderOf(docker)).toBe(recommends ? 'buildkit' : 'classic');
});
