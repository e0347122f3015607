/** Builds by BuildKit, as Docker 26.1 reported two of them; the engine itself is in `images.real`. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { expect, test } from 'vitest';
import { buildImage } from '../../src/images/build.ts';
import { type BuildProgress, ImageBuildFailed } from '../../src/images/index.ts';

const NAME = 'worker:0123456789ab';
const TOOL_STEP = 'RUN sleep 3; echo a step that goes on';

/** Replays the engine's answer, up to a line that has this text. */
async function replay(file: string, until?: string) {
  const text = await readFile(join(import.meta.dirname, 'recorded', file), 'utf8');
  const lines = text.split(/^/m);
  const end = until === undefined ? lines.length : lines.findIndex((line) => line.includes(until));
  const asked: object[] = [];
  const docker = {
    buildImage: async (_context: object, options: object) => {
      asked.push(options);
      return Readable.from(lines.slice(0, end));
    },
  } as unknown as Docker;
  const steps: BuildProgress[] = [];
  const error = await buildImage(docker, {
    builder: 'buildkit',
    directory: import.meta.dirname,
    name: NAME,
    labels: {},
    signal: new AbortController().signal,
    onStep: (step) => steps.push(step),
  }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { steps, error, asked };
}

test('steps are numbered in the order of their start, like those of the classic builder', async () => {
  const { steps, error, asked } = await replay('buildkit-built.jsonl');
  expect(error).toBeUndefined();
  // A string would make dockerode open a session.
  expect(asked).toMatchObject([{ t: NAME, version: 2 }]);
  expect(steps.map(({ step, of }) => [step, of])).toEqual([1, 2, 3, 4, 5].map((step) => [step, 5]));
  const lines = steps.map(({ line }) => line);
  expect(lines[0]).toBe('Step 1/5 : FROM docker.io/library/worker-base:latest');
  expect(lines.map((line) => line.replace(/^Step \d\/5 : /, ''))).toContain(TOOL_STEP);
  expect(lines.at(-1)).toBe('Step 5/5 : COPY --from=tool /etc/hostname /hostname');
});

test('the failed one of concurrent steps is reported, with its own lines', async () => {
  const { error } = await replay('buildkit-failed.jsonl');
  expect(error).toBeInstanceOf(ImageBuildFailed);
  const { step, tail, message } = error as ImageBuildFailed;
  expect(step).toMatch(/^Step \d\/5 : RUN printf 'E: '; /);
  // One line per stream, although the first one arrived in pieces.
  expect(tail.toSorted()).toEqual([
    'E: Unable to locate package x',
    'Err:1 http://***@mirror.example/debian',
  ]);
  expect(message.split('\n')[0]).toMatch(/ ended with exit code 100\.$/);
  expect(message).not.toContain('hunter2');
});

test('an answer that ends too soon gives no image', async () => {
  const { error } = await replay('buildkit-built.jsonl', 'moby.image.id');
  expect((error as Error).message).toContain('ended the build without an image');
});
