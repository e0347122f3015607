/** Parsing the engine's build log, however it arrives; the engine itself is tested in `images.real`. */
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { expect, test } from 'vitest';
import { buildImage } from '../../src/images/build.ts';
import { type BuildProgress, ImageBuildFailed } from '../../src/images/index.ts';

const NAME = 'worker:0123456789ab';
const BUILT = { aux: { ID: 'sha256:1' } };
const line = (stream: string) => ({ stream });

/** Replays a build log, cut into pieces of the given length. */
async function play(account: object[], signal = new AbortController().signal, length = 7) {
  const text = account.map((entry) => `${JSON.stringify(entry)}\r\n`).join('');
  const pieces = text.match(new RegExp(`[^]{1,${length}}`, 'g')) ?? [];
  const docker = { buildImage: async () => Readable.from(pieces, { signal }) } as unknown as Docker;
  const steps: BuildProgress[] = [];
  const order = {
    builder: 'classic' as const,
    directory: import.meta.dirname,
    name: NAME,
    labels: {},
    signal,
  };
  const ended = await buildImage(docker, { ...order, onStep: (step) => steps.push(step) }).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { steps, ended };
}

const failureOf = async (account: object[]) => {
  const { ended } = await play(account);
  expect(ended).toBeInstanceOf(ImageBuildFailed);
  return ended as ImageBuildFailed;
};

test('steps are reported when they start', async () => {
  const { steps, ended } = await play([
    line('Step 1/2 : FROM a'),
    line('\n'),
    line(' ---> 0123\n'),
    line('Step 2/2 : RUN b'),
    BUILT,
  ]);
  expect(ended).toBeUndefined();
  expect(steps).toEqual([
    { step: 1, of: 2, line: 'Step 1/2 : FROM a' },
    { step: 2, of: 2, line: 'Step 2/2 : RUN b' },
  ]);
});

test('the last lines of a failed step are kept, without earlier steps, colours and the builder’s own', async () => {
  const { step, tail, message } = await failureOf([
    line('Step 1/2 : RUN a\n'),
    line('fine\n'),
    line('Step 2/2 : RUN b\n'),
    line(' ---> Running in 0123\n'),
    ...Array.from({ length: 40 }, (_, index) => line(`\u001b[91mline ${index}\u001b[0m\n`)),
    line('Removing intermediate container 0123\n'),
    { error: "The command '/bin/sh -c b' returned a non-zero code: 7", errorDetail: { code: 7 } },
  ]);
  expect(step).toBe('Step 2/2 : RUN b');
  expect(tail.length).toBe(15);
  expect(tail.at(-1)).toBe('line 39');
  expect(message.split('\n')[0]).toBe(`${NAME} could not be built: Step 2/2 : RUN b ended with exit code 7.`);
});

test('chunks of a line are joined, so that its credentials are found and its error is complete', async () => {
  const { tail, message } = await failureOf([
    line('Step 1/1 : RUN apt-get\n'),
    line('\u001b[91mE: \u001b[0m'),
    line('\u001b[91mUnable to locate package x\u001b[0m\n'),
    line('Err:1 http://me:hun'),
    line('ter2@mirror.example/debian'),
    { error: 'returned a non-zero code: 100' },
  ]);
  expect(tail[0]).toBe('E: Unable to locate package x');
  expect(tail).toHaveLength(2);
  expect(message).not.toMatch(/hun|ter2/);
});

test('credentials of a registry or a proxy are not printed', async () => {
  const { message } = await failureOf([
    line('Step 1/1 : RUN npm\n'),
    line('npm error https://me:hunter2@registry.example/x failed\n'),
    { error: 'http://me:hunter2@proxy:3128 refused' },
  ]);
  expect(message).not.toContain('hunter2');
});

test('the message about an untrusted certificate says what to do', async () => {
  const { message } = await failureOf([
    line('Step 1/1 : RUN npm\n'),
    line('npm error code SELF_SIGNED_CERT_IN_CHAIN\n'),
    { error: 'returned a non-zero code: 1' },
  ]);
  expect(message).toMatch(/WORKER_BUILD_CA/);
});

test('a build log that ends too soon gives no image', async () => {
  expect((await failureOf([line('Step 1/2 : FROM a')])).message).toContain(
    'ended the build without an image',
  );
});

test('a timed-out build is reported with its step', async () => {
  const abort = new AbortController();
  abort.abort(new DOMException('late', 'TimeoutError'));
  const { ended } = await play([line('Step 1/2 : FROM a'), BUILT], abort.signal);
  expect((ended as Error).message).toContain('did not finish within IMAGE_BUILD_SECONDS');
});
