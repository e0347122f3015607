import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';
import { wmOf } from './wm.ts';

/** How long the world may take on a busy machine. */
const SOON = { timeout: 20_000, interval: 50 };
const redisUrl = inject('redisUrl');
const cell = newCell();
let manager: Manager;
const home = await mkdtemp(join(tmpdir(), 'wm-home-'));
const { wm, start } = wmOf({ redisUrl, cell, home });

beforeAll(async () => {
  // Figures of a check stand until the next one: no check falls into the life of a worker here.
  manager = await startManager({ redisUrl, cell, home, env: { HEALTH_CHECK_INTERVAL: '3600' } });
});
afterAll(async () => {
  await manager.stop();
  await cleanCell({ redisUrl, cell, home });
});

/** Creates a worker, waits until it is RUNNING and gives its id. */
async function running(...args: string[]): Promise<string> {
  const { code, out, err } = await wm('create', '--wait', ...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out.trim();
}

test('logs -f shows lines as they come and ends with the worker, also over its restarts', async () => {
  const script = 'echo "body $WORKER_INCARNATION"; echo sorry >&2; read -r line; exit 3';
  const id = await running('--restart', 'on-failure', '--max-restarts', '1', '--', 'sh', '-c', script);
  const follow = start(['logs', '-f', id]);
  await expect.poll(follow.out, SOON).toContain('body 1\n');
  await wm('send', id, 'continue');
  await expect.poll(follow.out, SOON).toContain('body 2\n');
  expect(follow.child.exitCode).toBe(null);
  await wm('send', id, 'continue');
  const { code, out, err } = await follow.done;
  expect(code).toBe(0);
  expect(err).toBe('sorry\nsorry\n');
  expect(out.match(/^\[exited\]/gm)).toHaveLength(2);
  expect((await wm('logs', '--tail', '1', id)).out).toMatch(/^\[exited\] .*\n$/);
  expect((await wm('ps', '-a', '--filter', 'status=failed', '-q', '--no-trunc')).out).toContain(id);
});

test('events of all workers are merged and shown as they occur', async () => {
  const follow = start(['events', '-f', '-o', 'json']);
  onTestFinished(() => void follow.child.kill('SIGKILL'));
  const id = await running('--', 'sleep', '60');
  const statuses = () =>
    follow
      .out()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
      .filter(({ worker_id }) => worker_id === id)
      .map(({ status }) => status);
  await expect.poll(statuses, SOON).toContain('RUNNING');
  // It is there by now, so that what comes next is news to it.
  await wm('delete', id);
  await expect.poll(statuses, SOON).toContain('STOPPED');
  follow.child.kill('SIGINT');
  expect((await follow.done).code).toBe(130);
});

test('control characters of a worker do not reach a table', async () => {
  const id = await running('--', 'sh', '-c', 'printf "\\033[31mred\\007\\n"; exec sleep 60');
  await expect.poll(async () => (await wm('logs', id)).out, SOON).toContain('\u001b[31mred\u0007\n');
  const failing = (await wm('create', '--', '/no-\u001b[31msuch-program\u0007')).out.trim();
  expect((await wm('wait', '--for=STOPPED', failing)).code).toBe(1);
  const told = [await wm('ps', '-a'), await wm('status', failing), await wm('describe', failing)];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
  expect(told.map(({ out }) => out).join('')).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  await wm('delete', id);
});

test('no stream that an answer came on is left behind', async () => {
  const redis = new Redis(redisUrl);
  onTestFinished(() => redis.disconnect());
  await wm('create', '--request-id', `left-${cell}`, '--', 'true');
  const left: string[] = [];
  for await (const keys of redis.scanStream({ match: 'worker:responses:cli-*', count: 1000 }))
    for (const key of keys as string[]) {
      const text = JSON.stringify(await redis.xrange(key, '-', '+'));
      if (text.includes(`left-${cell}`)) left.push(key);
    }
  expect(left).toEqual([]);
});

test('a headless worker: its fields from a file, the answer awaited, the end known by wait', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wm-fields-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'fields.json');
  const fields = {
    command_line: ['sh', '-c', 'read -r job; echo "did $job"'],
    name: 'from-file',
    labels: { a: '1' },
  };
  await writeFile(file, JSON.stringify(fields));
  await writeFile(join(folder, 'prompt'), 'the work\n');
  const options = [
    '-f',
    file,
    '--name',
    'from-line',
    '-l',
    'b=2',
    '--exit-after-prompt',
    '--request-id',
    `r-${cell}`,
  ];
  const created = await wm('create', ...options, '--prompt', `@${join(folder, 'prompt')}`, '-o', 'json');
  const answer = JSON.parse(created.out);
  expect(answer).toMatchObject({ command: 'create', success: true, request_id: `r-${cell}` });
  expect((await wm('wait', '--for=STOPPED', answer.worker_id)).code).toBe(0);
  expect((await wm('logs', '--raw', answer.worker_id)).out).toBe('did the work\n');
  const told = JSON.parse((await wm('describe', '-o', 'json', 'from-line')).out);
  expect(told.spec).toMatchObject({ agent_type: 'CUSTOM', name: 'from-line', labels: { a: '1', b: '2' } });
  const again = await wm('create', ...options, '--prompt', 'other', '-o', 'json');
  expect(JSON.parse(again.out)).toEqual({ ...answer, differs: true });
});

test('an answered prompt ends send --wait, and a failed one makes it fail', async () => {
  const once = (script: string) => running('--prompt', 'job', '--', 'sh', '-c', script);
  const id = await once('cat >/dev/null');
  const closed = await once('exec <&-; sleep 60');
  await expect
    .poll(async () => (await wm('send', closed, 'x', '--wait', '--timeout', '2')).code, SOON)
    .toBe(1);
  expect((await wm('send', id, 'x', '--wait', '--timeout', '0.3')).code).toBe(124);
  expect((await wm('delete', id, closed)).code).toBe(0);
});
