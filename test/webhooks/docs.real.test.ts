/** Managers that report to the receivers of docs/webhooks.md, and one that is killed before it could. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { wmOf } from '../cli/wm.ts';
import { freePort } from '../support/free-port.ts';
import { cleanCell, newCell, startManager } from '../support/manager.ts';
import { startReceiver } from './receiver.ts';

const SOON = { timeout: 30_000, interval: 50 };
const SECRET = `whsec_${randomBytes(32).toString('base64')}`;
const PROGRAMS = { ts: process.execPath, py: 'python3' };

async function startExample(folder: string, extension: 'ts' | 'py') {
  const docs = await readFile(join(import.meta.dirname, '../../docs/webhooks.md'), 'utf8');
  const code = new RegExp(`<!-- receiver\\.${extension}:.*?-->\\n\`\`\`\\w+\\n(.*?)\`\`\``, 's').exec(
    docs,
  )?.[1];
  const file = join(folder, `receiver.${extension}`);
  await writeFile(file, code ?? '');
  const port = await freePort();
  const child = spawn(PROGRAMS[extension], [file], {
    env: { PATH: process.env.PATH, PORT: String(port), WEBHOOK_SECRET: SECRET },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      out += chunk;
    });
  onTestFinished(() => void child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}/`;
  const post = (headers: Record<string, string>) => fetch(url, { method: 'POST', body: '{}', headers });
  const forged = {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
    'webhook-signature': 'v1,AAAA v1,',
  };
  await vi.waitFor(async () => expect((await post({})).status, out).toBe(401), SOON);
  expect((await post(forged)).status).toBe(401);
  return { url, out: () => out };
}

test('the examples verify the messages of a manager, also one of a worker', {
  timeout: 120_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wm-webhooks-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'secrets'));
  await writeFile(join(folder, 'secrets', 'hook-key'), `${SECRET}\n`);
  const [ts, py] = await Promise.all([startExample(folder, 'ts'), startExample(folder, 'py')]);
  const own = await startReceiver();
  const env = {
    WEBHOOK_URLS: `${ts.url}?token=very-hidden ${py.url}`,
    WEBHOOK_SECRET: SECRET,
    SECRETS_DIR: join(folder, 'secrets'),
    LOG_LEVEL: 'debug',
  };
  const options = { redisUrl: inject('redisUrl'), cell: newCell(), home: join(folder, 'home'), env };
  const manager = await startManager(options);
  onTestFinished(async () => {
    await manager.stop();
    await cleanCell({ ...options, home: manager.home });
  });
  const { wm } = wmOf(options);
  const webhook = ['--webhook', `${own.url},hook-key`];
  const refused = await wm('create', ...webhook, '--', 'true');
  expect(refused.err).toContain('webhooks.0.url names 127.0.0.1');
  const missing = await wm('create', '--webhook', 'https://example.com/,other', '--', 'true');
  expect(missing.err).toContain('webhooks.0.secret the operator');

  const { out } = await wm('create', '--', 'sh', '-c', 'exit 3');
  const id = out.trim();
  for (const { out: lines } of [ts, py])
    await vi.waitFor(() => expect(lines()).toContain(`worker.failed ${id} Error`), SOON);
  const listed = async () =>
    JSON.parse((await wm('webhooks', '-o', 'json')).out) as Record<string, unknown>[];
  await vi.waitFor(async () => {
    const failed = (await listed()).filter(({ type }) => type === 'worker.failed');
    expect(failed.map(({ state, worker_id, reason }) => [state, worker_id, reason])).toEqual([
      ['delivered', id, 'Error'],
      ['delivered', id, 'Error'],
    ]);
  }, SOON);
  const { items } = (await (
    await fetch(`${manager.url}/v1/webhooks?limit=1`, { headers: manager.headers })
  ).json()) as { items: object[] };
  expect(items).toEqual([(await listed())[0]]);
  const said = [manager.log(), (await wm('webhooks')).out, (await wm('config')).out].join('\n');
  expect(said).toContain(new URL(ts.url).origin);
  expect(said).not.toMatch(/very-hidden|whsec_/);
});

test('a manager that is killed before the delivery loses nothing', { timeout: 120_000 }, async () => {
  const receiver = await startReceiver();
  const env = {
    WEBHOOK_URLS: receiver.url,
    WEBHOOK_SECRET: SECRET,
    WEBHOOK_TYPES: 'worker.failed,worker.deleted',
  };
  const options = { redisUrl: inject('redisUrl'), cell: newCell() };
  // A body that could not start its program is removed after its end was recorded.
  const crash = { ...env, WM_CRASH_AT: 'act:remove:before' };
  const first = await startManager({ ...options, env: crash });
  const { wm } = wmOf({ ...options, home: first.home });
  onTestFinished(() => cleanCell({ ...options, home: first.home }));
  const created = wm('create', '--', '/does/not/exist');
  expect(await first.exited, first.log()).toBe(-1);
  expect(receiver.received).toEqual([]);
  const waiting = JSON.parse((await wm('webhooks', '-o', 'json')).out) as object[];
  expect(waiting).toMatchObject([{ type: 'worker.failed', state: 'pending', attempts: 0 }]);
  const second = await startManager({ ...options, home: first.home, env });
  onTestFinished(async () => void (await second.stop()));
  const id = (await created).out.trim();
  await vi.waitFor(() => expect(receiver.types()).toEqual(['worker.failed']), SOON);
  await wm('delete', id);
  await vi.waitFor(() => expect(receiver.types()).toEqual(['worker.failed', 'worker.deleted']), SOON);
  expect(receiver.received.map(({ message }) => message.data.worker_id)).toEqual([id, id]);
});
