import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { createDockerRuntime } from '../../../src/runtimes/docker/docker.ts';
import { getKeys } from '../../../src/store/keys.ts';
import { cleanCell, type Manager, newCell, startManager } from '../../support/manager.ts';
import { pidsWith } from '../../support/processes.ts';
import { wmOf } from '../wm.ts';

const SOON = { timeout: 20_000, interval: 50 };
const LONG = 120_000;
const redisUrl = inject('redisUrl');
const host = inject('dockerHost');
const cell = newCell();
const home = await mkdtemp(join(tmpdir(), 'wm-home-'));
const env = {
  RUNTIME: 'auto',
  DOCKER_HOST: host.startsWith('/') ? `unix://${host}` : host,
  WORKER_IMAGE: inject('image'),
  WORKER_REDIS_URL: inject('bodyRedisUrl'),
};
let manager: Manager;
const { wm, start } = wmOf({ redisUrl, cell, home, env });

/** Waits for an answer during the other tests. */
const lonely = newCell();
const alone = wmOf({ redisUrl, cell: lonely }).start(['run', '--', 'true']);

beforeAll(async () => {
  manager = await startManager({ redisUrl, cell, home, env });
});
afterAll(async () => {
  await wm('prune', '--force');
  await manager.stop();
  const docker = createDockerRuntime({ cell, host, image: inject('image') });
  for (const { id } of await docker.list()) await docker.remove(id);
  await docker.dismantle();
  await docker.close();
  await cleanCell({ redisUrl, cell, home });
});

const direct = ['--runtime', 'process'];
const all = async () => (await wm('ps', '-a', '-q', '--no-trunc')).out;

test('run shows the output of a worker, exits like its program, and deletes it', {
  timeout: LONG,
}, async () => {
  const id = '0b0e7f3e-0000-4000-8000-000000000001';
  const script = 'printf "to stdout"; echo "to stderr" >&2; exit 3';
  const ran = await wm('run', ...direct, '--worker-id', id, '--', 'sh', '-c', script);
  expect(ran).toEqual({ code: 3, out: 'to stdout', err: 'to stderr\n' });
  expect(await all()).not.toContain(id);

  const kept = await wm('run', ...direct, '--keep', '-o', 'json', '--', 'true');
  expect(kept).toMatchObject({ code: 0, err: expect.stringContaining('was kept') });
  const entries = kept.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(entries.map(({ type }) => type)).toEqual(['ready', 'exited']);
  expect(await all()).toContain(entries[0].worker_id);
  expect((await wm('run', '--rm', 'sh', '-c', 'true')).code).toBe(2);

  // The refused create must not delete the worker that has the ID.
  const { worker_id } = entries[0];
  const taken = await wm('run', ...direct, '--worker-id', worker_id, '--', 'true');
  expect(taken).toMatchObject({ code: 1, out: '', err: expect.stringContaining('IDs are not reused') });
  expect(await all()).toContain(worker_id);
});

test('Ctrl-C stops what runs, and its last output and exit code arrive', { timeout: LONG }, async () => {
  const id = '0b0e7f3e-0000-4000-8000-000000000002';
  const script = 'trap "echo bye; exit 7" TERM; echo up; while :; do sleep 0.05; done';
  const running = start(['run', ...direct, '--worker-id', id, '--', 'sh', '-c', script]);
  await expect.poll(running.out, SOON).toBe('up\n');
  running.child.kill('SIGINT');
  const { code, out, err } = await running.done;
  expect({ code, out }).toEqual({ code: 7, out: 'up\nbye\n' });
  expect(err).toContain('Stopping the worker; press Ctrl-C again');
  expect(pidsWith(id)).toEqual([]);
  expect(await all()).not.toContain(id);
});

test('run without a manager leaves nothing that would run later', { timeout: LONG }, async () => {
  const { code, err } = await alone.done;
  expect({ code, err }).toEqual({ code: 124, err: expect.stringContaining('No manager leads') });
  const redis = new Redis(redisUrl);
  onTestFinished(async () => {
    await redis.del(getKeys(lonely).commands);
    redis.disconnect();
  });
  const entries = await redis.xrange(getKeys(lonely).commands, '-', '+');
  const commands = entries.map(([, [, data = '']]) => JSON.parse(data));
  const [{ worker_id }] = commands;
  expect(commands).toMatchObject([
    { command: 'create', worker_id },
    { command: 'delete', worker_id },
  ]);
});

// Such a worker is RUNNING as soon as its create is accepted.
test('create --wait fails for a program that is not started in the body of a warm worker', {
  timeout: LONG,
}, async () => {
  const template = { agent_type: 'CUSTOM', command_line: ['cat'] };
  const file = join(home, 'warm.json');
  await writeFile(file, JSON.stringify({ name: 'spare', warm: 1, execution_mode: 'direct', template }));
  expect(await wm('apply', '-f', file, '--wait')).toMatchObject({ code: 0 });
  const id = '0b0e7f3e-0000-4000-8000-000000000003';
  const { code, err } = await wm('create', '--wait', ...direct, '--worker-id', id, '--', '/no/such-program');
  expect({ code, err }).toEqual({
    code: 1,
    err: expect.stringContaining('"/no/such-program" was not found'),
  });
  expect((await wm('events', id)).out).toMatch(/RUNNING\/assigned .*FAILED/s);
  await wm('pools', 'delete', 'spare');
});

describe.each(['process', 'docker'] as const)('on the %s runtime', (runtime) => {
  test('create --wait and run fail if the program is not started, with the reason', {
    timeout: LONG,
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wm-programs-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await chmod(folder, 0o755);
    const script = async (name: string, text: string, mode: number) => {
      const path = join(folder, name);
      await writeFile(path, text);
      await chmod(path, mode);
      return path;
    };
    const programs: [string, RegExp][] = [
      ['/no/such-program', /was not found/],
      ['/etc/passwd', /could not be started: .*(?:EACCES|Permission denied)/],
      ['/etc', /could not be started: .*(?:EACCES|Permission denied)/],
    ];
    // Files of this machine are not in the image; the wrapper is the same.
    if (runtime === 'process')
      programs.push(
        [await script('crlf', '#!/usr/bin/env bash\r\necho hi\r\n', 0o755), /Windows line endings \(CRLF\)/],
        [
          await script('lost', '#!/no/such/interpreter\n', 0o755),
          /its interpreter \/no\/such\/interpreter does not/,
        ],
        [
          await script('nobody', '#!/usr/bin/env no-such-shell\n', 0o755),
          /needs no-such-shell, which is not in the PATH/,
        ],
      );
    await Promise.all(
      programs.map(async ([program, why], at) => {
        // Each verb waits in the same way.
        const verb = at % 2 === 0 ? ['create', '--wait'] : ['run'];
        const { code, err } = await wm(...verb, '--runtime', runtime, '--', program);
        expect({ program, code, err }).toMatchObject({ code: 1, err: expect.stringMatching(why) });
        expect(err, program).toMatch(/^error: The worker \S+ is FAILED: Error: /m);
      }),
    );
    const { code, out } = await wm('run', '--runtime', runtime, '--', 'echo', 'started');
    expect({ code, out }).toEqual({ code: 0, out: 'started\n' });
  });
});
