/** `wm exec`, and commands in the background over HTTP, in workers without an engine. */
import { createHash } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connect, type WorkerHandle } from '../../../src/client/index.ts';
import { cleanCell, type Manager, newCell, startManager } from '../../support/manager.ts';
import { wmOf } from '../wm.ts';

const LONG = 120_000;
const redisUrl = inject('redisUrl');
const cell = newCell();
const home = await mkdtemp(join(tmpdir(), 'wm-home-'));
let manager: Manager;
let worker: WorkerHandle;
let exec: (args: string[], input?: string) => ReturnType<typeof start>['done'];
const { start } = wmOf({ redisUrl, cell, home });

beforeAll(async () => {
  manager = await startManager({ redisUrl, cell, home });
  const { url, token } = manager;
  const client = connect({ url, token });
  worker = await client.workers.create(
    { agent_type: 'CUSTOM', name: 'echo', command_line: ['cat'] },
    { wait: 'ready' },
  );
  exec = (args, input) => start(['exec', ...args], input, { WM_URL: url, WM_TOKEN: token }).done;
}, LONG);
afterAll(async () => {
  await manager.stop();
  await cleanCell({ redisUrl, cell, home });
});

test('a command in a worker has its output and its exit code', { timeout: LONG }, async () => {
  expect(await exec(['echo', '--', 'sh', '-c', 'echo out; echo err >&2; exit 5'])).toEqual({
    code: 5,
    out: 'out\n',
    err: 'err\n',
  });
  expect(await exec([worker.id.slice(0, 8), 'no-such-program'])).toMatchObject({ code: 127 });
  expect(await exec(['--timeout', '0.5', 'echo', 'sleep', '60'])).toMatchObject({ code: 124 });
  const { code, err } = await exec(['missing', 'true']);
  expect([code, err]).toEqual([1, 'error: No worker has the name missing.\n']);
});

test('options may follow the worker, as with kubectl', { timeout: LONG }, async () => {
  const env = ['-e', 'A=1', 'echo', '-e', 'B=2', '-i', '--', 'sh', '-c', 'cat; echo $A $B -- "$0"', '-w'];
  expect(await exec(env, 'in ')).toEqual({ code: 0, out: 'in 1 2 -- -w\n', err: '' });
  expect(await exec(['echo', '--workdri', '/', '--', 'pwd'])).toMatchObject({
    code: 2,
    err: expect.stringContaining("unknown option '--workdri'"),
  });
  expect(await exec(['echo', '-it'])).toMatchObject({ code: 2, err: expect.stringContaining('a terminal') });
  expect(await exec(['echo', '-i', 'cat'], 'x')).toMatchObject({
    code: 2,
    err: 'error: Write -i before the worker, or -- before the command, as in `wm exec -i echo -- COMMAND`.\n',
  });
});

test('standard input of any size passes through a command unchanged', { timeout: LONG }, async () => {
  const text = 'äöü\n'.repeat(4_000_000);
  const hash = createHash('sha256').update(text).digest('hex');
  expect((await exec(['-i', 'echo', 'sha256sum'], text)).out).toBe(`${hash}  -\n`);
  expect((await exec(['-i', 'echo', 'head', '-c', '4'], text)).out).toBe('äö');
});

test('a worker that ends meanwhile never looks like a success', { timeout: LONG }, async () => {
  const running = exec(['echo', 'sleep', '300']);
  await expect.poll(async () => (await worker.commands.list()).length, { timeout: 20_000 }).toBe(1);
  await worker.stop();
  const { code } = await running;
  expect([1, 137]).toContain(code);
});
