/** Images for the loop and for people: one build per name, states, failures, folders. */
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest';
import { builderOf } from '../../src/images/builder.ts';
import type { Layer } from '../../src/images/collect.ts';
import {
  createImages,
  ImageBuildFailed,
  type Images,
  type ImagesOptions,
  machineCa,
  SOURCES,
  type Sources,
  writeBuildContext,
} from '../../src/images/index.ts';
import { toLayers } from '../../src/images/inventory.ts';
import type { ImageState } from '../../src/model/index.ts';
import { dockerAt } from '../support/docker.ts';
import { runIn } from './container.ts';
import { specOf } from './recipes.ts';

/** A step that runs, on a busy machine; the long ones are in the daemon's cache since the set-up. */
const BUILD_MS = 120_000;
const CUSTOM = specOf();
const GIT = specOf({ modules: ['GIT'] });
const GIT_CURL = specOf({ modules: ['GIT', 'CURL'] });

/** Everything that the Dockerfile decides; Node's compile cache differs from build to build. */
const LIST_CONTENTS = [
  'dpkg-query -W',
  "find /worker /home /workspace -path /worker/cache -prune -o -printf '%M %u:%g %p\\n' | sort",
  'find /worker -path /worker/cache -prune -o -type f -exec sha256sum {} + | sort -k2',
  'find /worker/cache -maxdepth 1 -type d | wc -l',
].join(' && ');

const host = inject('dockerHost');
const docker = dockerAt(host);
let directory: string;
let all: Images[];
let made: string[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'images-'));
  all = [];
  made = [];
});
afterEach(async () => {
  for (const images of all) await images.close();
  for (const name of made) await docker.getImage(name).remove();
  await rm(directory, { recursive: true });
});

function open(options: Partial<ImagesOptions> = {}): Images {
  const images = createImages({ host, version: 'test', ca: machineCa(), ...options });
  all.push(images);
  return images;
}

/** Sources of this test alone: a build of them is not there yet. */
async function ownSources(): Promise<Sources> {
  const sources = { wrapper: join(directory, 'wrapper.mjs'), fixed: join(directory, 'fixed') };
  await cp(SOURCES.fixed, sources.fixed, { recursive: true });
  await writeFile(sources.wrapper, `/* ${directory} */ process.exit(78);`);
  // A bundle always contains the handler runners.
  await mkdir(join(directory, 'runner'), { recursive: true });
  await writeFile(join(directory, 'runner', 'runner.py'), '');
  await writeFile(join(directory, 'wrapper.json'), JSON.stringify(['runner/runner.py']));
  return sources;
}

test('one build for any number of callers, reported step by step, and found afterwards', {
  timeout: BUILD_MS,
}, async () => {
  const built: string[] = [];
  const changed: string[] = [];
  const images = open({
    sources: await ownSources(),
    built: (result) => built.push(result),
    onChange: (name) => changed.push(name),
  });
  expect(await images.state(CUSTOM)).toMatchObject({ kind: 'absent' });
  const steps: number[][] = [[], []];
  const states: Promise<ImageState>[] = [];
  const asked = steps.map((heard) =>
    images.buildNow(CUSTOM, ({ step }) => {
      heard.push(step);
      states.push(images.state(CUSTOM));
    }),
  );
  images.build(CUSTOM);
  const [name = '', other] = await Promise.all(asked);
  // Checked at each step, so that the state of a build that has just started is not missed, at any speed.
  expect(await Promise.all(states)).toContainEqual({
    kind: 'building',
    name,
    step: expect.stringMatching(/^Step \d+\/\d+ : /),
  });
  made.push(name);
  expect(other).toBe(name);
  expect(built).toEqual(['built']);
  expect(steps[0]).toEqual(steps[1]);
  expect(steps[0]?.length).toBeGreaterThan(5);
  expect(new Set(changed)).toEqual(new Set([name]));
  expect(await images.state(CUSTOM)).toEqual({ kind: 'ready', name });
  expect(await images.buildNow(CUSTOM)).toBe(name);
  expect(built).toEqual(['built']);
});

test('a failed build reports its step and last lines, once, until another is requested', {
  timeout: BUILD_MS,
}, async () => {
  const sources = await ownSources();
  await writeFile(join(sources.fixed, 'confine.c'), 'int main(void) { return no_such_name; }\n');
  const built: string[] = [];
  const images = open({ sources, built: (result) => built.push(result) });
  const error = await images.buildNow(CUSTOM).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ImageBuildFailed);
  const { step, tail, message } = error as ImageBuildFailed;
  expect(step).toMatch(/^Step \d+\/\d+ : RUN gcc /);
  expect(tail.join('\n')).toContain('no_such_name');
  expect(message).toMatch(/^worker:[0-9a-f]{12} could not be built: Step .* ended with exit code 1\.\n/);
  const failed = await images.state(CUSTOM);
  expect(failed).toMatchObject({ kind: 'failed', reason: 'ImageBuildFailed', message });
  expect(Math.abs(Date.now() - (failed as { at: number }).at)).toBeLessThan(60_000);
  expect(await images.state(CUSTOM)).toEqual(failed);
  expect(built).toEqual(['failed']);
  images.build(CUSTOM);
  await vi.waitFor(() => expect(built).toEqual(['failed', 'failed']), { timeout: BUILD_MS });
  // It does not block another image.
  expect(await images.state(GIT)).toMatchObject({ kind: 'absent' });
});

test('a wrapper that does not load fails the build with its output', { timeout: BUILD_MS }, async () => {
  const sources = await ownSources();
  await writeFile(sources.wrapper, 'throw new Error("broken bundle");');
  await expect(open({ sources }).buildNow(CUSTOM)).rejects.toThrow(/wrapper\.mjs[\s\S]*broken bundle/);
});

test('without disk space nothing is built, and the state contains the reason', async () => {
  const built: string[] = [];
  const diskSpaceError = async () => 'Less than 1 GiB is free on /var/lib/docker.';
  const images = open({ sources: await ownSources(), diskSpaceError, built: (result) => built.push(result) });
  await expect(images.buildNow(CUSTOM)).rejects.toThrow('Less than 1 GiB');
  expect(await images.state(CUSTOM)).toMatchObject({ kind: 'failed', reason: 'Capacity' });
  expect(built).toEqual(['refused']);
});

test('a missing base fails the build with a message that says what to do', async () => {
  const images = open({ baseImage: 'localhost:1/no-base:1' });
  expect(await images.state(CUSTOM)).toEqual({ kind: 'absent', name: 'localhost:1/no-base:1' });
  await expect(images.buildNow(CUSTOM)).rejects.toThrow(
    /localhost:1\/no-base:1 does not exist here.*WORKER_BASE_IMAGE/s,
  );
  expect(await images.state(CUSTOM)).toMatchObject({ kind: 'failed', reason: 'ImageBuildFailed' });
});

test('with an unavailable engine, the state is unknown, never absent', async () => {
  const images = open({ host: join(directory, 'no.sock') });
  expect(await images.state(CUSTOM)).toMatchObject({
    kind: 'unknown',
    error: expect.stringContaining('no.sock'),
  });
});

test('a manual build from the folder makes the same image', { timeout: BUILD_MS }, async (context) => {
  const images = open();
  const name = await images.buildNow(GIT);
  await writeBuildContext(await images.recipe(GIT), join(directory, 'context'), { ca: machineCa() });
  const tag = `worker-by-hand:${process.pid}`;
  const env = {
    ...process.env,
    DOCKER_HOST: host.startsWith('/') ? `unix://${host}` : host,
    DOCKER_BUILDKIT: (await builderOf(docker)) === 'buildkit' ? '1' : '0',
  };
  const byHand = spawnSync('docker', ['build', '-q', '-t', tag, join(directory, 'context')], {
    env,
    encoding: 'utf8',
  });
  if (byHand.error) return context.skip(`There is no docker program here: ${byHand.error.message}`);
  if (/buildx component is missing/.test(byHand.stderr))
    return context.skip('The docker program here has no buildx, which builds with BuildKit.');
  expect(byHand.stderr).not.toMatch(/error/i);
  expect(byHand.status).toBe(0);
  made.push(tag);
  // Not the layers: old clients (20.10) write modes of files in another way, and then share none with this builder.
  const contents = (image: string) =>
    runIn(docker, { image, argv: ['sh', '-c', LIST_CONTENTS], user: '0:0' });
  const [ours, theirs] = await Promise.all([name, tag].map(contents));
  expect(ours?.output).toMatch(/^[0-9a-f]{64} {2}\/worker\/wrapper\.mjs$/m);
  expect(theirs).toEqual(ours);
  // Root's entry switches to the wrapper, which exits because it has no settings.
  const host_ = { CapAdd: ['SETUID', 'SETGID', 'KILL'], SecurityOpt: ['no-new-privileges'] };
  expect((await runIn(docker, { image: tag, argv: ['/worker/entry'], user: '0:0', host: host_ })).code).toBe(
    78,
  );
});

test('a second variant adds little to the first', { timeout: BUILD_MS }, async () => {
  const images = open();
  const [first, second] = [await images.buildNow(GIT), await images.buildNow(GIT_CURL)];
  const layers = async (name: string) => toLayers(await docker.getImage(name).history());
  const had = new Set((await layers(first)).map(({ id }) => id));
  const ofSecond = await layers(second);
  const sum = (some: Layer[]) => some.reduce((total, { bytes }) => total + bytes, 0);
  const added = sum(ofSecond.filter(({ id }) => !had.has(id)));
  expect(added).toBeLessThan(0.25 * sum(ofSecond));
});
