/** Which worker, and which manager, a command line is about: never another one than its user means. */
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { contextPath } from '../../src/config/context-file.ts';
import { cleanCell, MAIN, type Manager, managerEnv, newCell, startManager } from '../support/manager.ts';
import { wmOf } from './wm.ts';

const LONG = 120_000;
const redisUrl = inject('redisUrl');
const cell = newCell();
const home = await mkdtemp(join(tmpdir(), 'wm-home-'));
const { wm, start } = wmOf({ redisUrl, cell, home });
let manager: Manager;

beforeAll(async () => {
  manager = await startManager({ redisUrl, cell, home });
}, LONG);
afterAll(async () => {
  await manager.stop();
  await cleanCell({ redisUrl, cell, home });
});

const create = async (...args: string[]) => {
  const { code, out, err } = await wm('create', '--wait', ...args, '--', 'cat');
  expect([code, err]).toEqual([0, '']);
  return out.trim();
};

test('a name wins over an ID that begins with it', { timeout: LONG }, async () => {
  const other = await create('--worker-id', 'bad00000-1111-4222-8333-444444444444');
  const named = await create('--name', 'bad');
  const api = { WM_URL: manager.url, WM_TOKEN: manager.token };
  expect((await start(['exec', 'bad', '--', 'printenv', 'WORKER_ID'], undefined, api).done).out.trim()).toBe(
    named,
  );
  expect(await wm('stop', 'bad')).toMatchObject({ code: 0, out: `${named}\n` });
  expect((await wm('wait', 'bad', '--for', 'ended')).code).toBe(0);
  // It keeps its name until another one gets it.
  expect((await wm('delete', 'bad')).out).toBe(`${named}\n`);
  await expect
    .poll(async () => (await wm('status', named, '-o', 'json')).out)
    .toContain('"phase": "deleted"');
  expect((await wm('delete', 'bad')).out).toBe(`${other}\n`);
});

test('with WM_URL of another manager, no verb uses the Redis of this one', { timeout: LONG }, async () => {
  const env = { WM_URL: 'http://127.0.0.1:9', WM_TOKEN: 'x', REDIS_URL: '' };
  const { code, out, err } = await start(['create', '--', 'true'], undefined, env).done;
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain('WM_URL names the manager at http://127.0.0.1:9, and this verb also needs its Redis');
  const own = { WM_URL: manager.url.replace('127.0.0.1', 'localhost'), REDIS_URL: '' };
  expect((await start(['events'], undefined, own).done).code).toBe(0);
  expect(await start(['ps'], undefined, { WM_URL: 'nowhere' }).done).toMatchObject({
    code: 2,
    err: 'error: WM_URL is "nowhere", but must be a URL such as http://127.0.0.1:8080.\n',
  });
});

test('refusals of the manager are shown as sentences', { timeout: LONG }, async () => {
  const { url, token } = manager;
  const wrong = { WM_URL: url, WM_TOKEN: 'wrong' };
  for (const args of [['ps'], ['exec', 'x', '--', 'true'], ['checkpoints']]) {
    const { code, err } = await start(args, undefined, wrong).done;
    expect([code, err]).toEqual([
      2,
      `error: The manager at ${url} refuses the token. Check WM_TOKEN: on its machine, \`wm context --token\` prints the right one.\n`,
    ]);
  }
  const right = { WM_URL: url, WM_TOKEN: token };
  expect((await start(['checkpoints', 'missing'], undefined, right).done).err).toBe(
    'error: No worker has the name missing.\n',
  );
  expect((await start(['url', 'x', 'http'], undefined, right).done).err).toContain(
    'It must be a whole number from 1 to 65535.',
  );
});

test('the URL of a manager may have a path, a slash at its end, and a proxy beside it', {
  timeout: LONG,
}, async () => {
  const { url, token } = manager;
  const missing = { code: 1, err: 'error: No worker has the name missing.\n' };
  const ask = (env: Record<string, string>) => start(['checkpoints', 'missing'], undefined, env).done;
  // Only requests below /wm get through.
  const proxy = createServer((request, response) => {
    const [, path] = /^\/wm(\/.*)$/.exec(request.url ?? '') ?? [];
    if (path === undefined) return response.writeHead(404).end();
    get(`${url}${path}`, { headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void proxy.close());
  const { port } = proxy.address() as AddressInfo;
  expect(await ask({ WM_URL: `http://127.0.0.1:${port}/wm/`, WM_TOKEN: token })).toMatchObject(missing);
  // The token of the context file is that of the same manager.
  expect(await ask({ WM_URL: `${url}/` })).toMatchObject(missing);
  const nowhere = 'http://127.0.0.1:9';
  expect(
    await ask({ NODE_USE_ENV_PROXY: '1', HTTP_PROXY: nowhere, http_proxy: nowhere, NO_PROXY: '' }),
  ).toMatchObject(missing);
  expect(await ask({ WM_URL: `${url}/v1`, WM_TOKEN: token })).toMatchObject({
    code: 1,
    err: expect.stringContaining("The manager's URL is what stands before /v1."),
  });
  expect(await ask({ WM_URL: url, WM_TOKEN: `${token}\n` })).toMatchObject({
    code: 2,
    err: expect.stringContaining('WM_TOKEN has a line break'),
  });
});

test('mcp ends with a standard input that is a file', { timeout: LONG }, async () => {
  const { status, stderr } = spawnSync(process.execPath, [MAIN, 'mcp'], {
    env: { ...managerEnv({ redisUrl, cell, home }), WM_URL: manager.url, WM_TOKEN: manager.token },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 20_000,
  });
  expect([status, stderr.toString()]).toEqual([0, '']);
});

test('a context file that is not used is named with the reason', async () => {
  const nowhere = await mkdtemp(join(tmpdir(), 'wm-home-'));
  const file = contextPath({ home: nowhere, cell: 'lost' });
  await mkdir(dirname(file));
  const ask = async () =>
    (await wmOf({ redisUrl, cell: 'lost', home: nowhere }).start(['ps'], undefined, { REDIS_URL: '' }).done)
      .err;
  await writeFile(file, '{"url": "http://127.0.0.1:1"}', { mode: 0o600 });
  await chmod(file, 0o666);
  expect(await ask()).toContain(`${file} is not used, because other users can write to it`);
  await chmod(file, 0o600);
  await writeFile(file, '{');
  expect(await ask()).toContain(`${file} is not used, because it is damaged`);
});

test('a manager that is away is reported with what to do', async () => {
  const nowhere = await mkdtemp(join(tmpdir(), 'wm-home-'));
  const run = wmOf({ redisUrl, cell: 'away', home: nowhere });
  const file = contextPath({ home: nowhere, cell: 'away' });
  await mkdir(dirname(file));
  await writeFile(file, JSON.stringify({ url: 'http://127.0.0.1:9', redis_url: redisUrl }), { mode: 0o600 });
  const line = ['exec', 'x', '--', 'true'];
  expect((await run.start(line, undefined, { REDIS_URL: '' }).done).err).toMatch(/Start it with `wm serve`/);
  expect((await run.start(line, undefined, { WM_URL: 'http://127.0.0.1:9' }).done).err).toMatch(
    /Check WM_URL\./,
  );
});

test('before the first manager, the advice is to start one', async () => {
  const nowhere = await mkdtemp(join(tmpdir(), 'wm-home-'));
  const run = wmOf({ redisUrl, cell: newCell(), home: nowhere });
  const { code, err } = await run.start(['ps'], undefined, { REDIS_URL: '' }).done;
  expect([code, err]).toEqual([
    1,
    expect.stringMatching(
      /^error: No manager of the cell .* has run on this machine yet.*Start a manager with `wm serve`/,
    ),
  ]);
});
