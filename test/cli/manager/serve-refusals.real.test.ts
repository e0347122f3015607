/** Bad luck of `wm serve`: it says what is wrong and what to do, and leaves nothing behind. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { choosePort } from '../../../src/private-redis/redis-port.ts';
import { launchRedisServer } from '../../../src/private-redis/redis-server.ts';
import { cleanCell, newCell, startManager } from '../../support/manager.ts';
import { wmOf } from '../wm.ts';

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'wm-refusals-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function serve(env: Record<string, string>, { under = [] as string[], exit = 1 } = {}) {
  const home = newFolder();
  const options = { redisUrl: '', cell: 'default', home, env: { LEASE_SECONDS: '1', ...env } };
  const { code, err } = await wmOf({ ...options, under }).wm('serve');
  expect(code).toBe(exit);
  expect(err).not.toMatch(/\n +at /);
  return { err, left: readdirSync(home) };
}

test('an HTTP port that is taken', async () => {
  const taken = createServer();
  const port = await choosePort();
  await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void taken.close());
  const { err, left } = await serve({ HTTP_PORT: String(port) });
  expect(err).toContain(`port ${port} is used by another program. Set HTTP_PORT`);
  expect(left).toEqual([]);
});

test('folders that do not exist, and names that are no settings, are reported at the start', async () => {
  const [home, redisUrl, cell] = [newFolder(), inject('redisUrl'), newCell()];
  const folders = { SECRETS_DIR: join(home, 'secretes'), HANDLERS_DIR: join(home, 'hanlders') };
  const env = { ...folders, RESYNC_SECOND: '5' };
  const manager = await startManager({ redisUrl, cell, home, env });
  onTestFinished(() => manager.kill('SIGKILL'));
  for (const [name, folder] of Object.entries(folders))
    await expect.poll(manager.log).toContain(`"setting":"${name}","why":"is ${folder}, which does not exist`);
  await expect.poll(manager.log).toContain('Did you mean RESYNC_SECONDS?');
  await manager.stop();
  await cleanCell({ redisUrl, cell, home });
});

test('an HTTP port that a manager of the same cell has', async () => {
  const home = newFolder();
  const redisUrl = inject('redisUrl');
  const cell = newCell();
  const manager = await startManager({ redisUrl, cell, home });
  onTestFinished(() => manager.kill('SIGKILL'));
  const env = { HTTP_PORT: new URL(manager.url).port, WORKER_MANAGER_HOME: home, CELL: cell };
  const { err } = await serve(env);
  expect(err).toContain(`already runs at ${manager.url}. For a second one, which stands by, set HTTP_PORT`);
  await manager.stop();
  await cleanCell({ redisUrl, cell, home });
});

test('a token file without a token', async () => {
  const file = join(newFolder(), 'token');
  writeFileSync(file, '\n');
  const { err, left } = await serve({ API_TOKEN_FILE: file }, { exit: 2 });
  expect(err).toContain(`API_TOKEN_FILE is ${file}, whose content is not`);
  expect(left).toEqual([]);
});

test('a Redis that wants a password, and one that wants another', async () => {
  const port = await choosePort();
  const plan = { port, addresses: ['127.0.0.1'], password: 'the-password' };
  const server = await launchRedisServer('redis-server', plan, newFolder());
  if ('error' in server) throw new Error(server.error);
  onTestFinished(() => server.stop());
  const without = await serve({ REDIS_URL: `redis://127.0.0.1:${port}` });
  expect(without.err).toMatch(/that Redis requires a password.*Set REDIS_URL=redis:\/\/USER:PASSWORD@/s);
  const wrong = await serve({ REDIS_URL: `redis://:wrong-one@127.0.0.1:${port}` });
  expect(wrong.err).toMatch(/that Redis refuses its user and password/);
  expect(wrong.err).not.toContain('wrong-one');
});

test('a machine without a Redis server or Docker', async () => {
  const { err, left } = await serve({ PATH: '/nowhere', DOCKER_HOST: 'unix:///nowhere/docker.sock' });
  expect(err).toMatch(/neither redis-server nor valkey-server is on the PATH; no Docker daemon answers/);
  expect(err).toContain('apt install redis-server');
  expect(left).toEqual([]);
});

test('a home that is read-only', async () => {
  const home = newFolder();
  const under = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs -o ro none "$0" && exec "$@"', home];
  try {
    execFileSync(under[0] ?? '', [...under.slice(1), 'true'], { stdio: 'pipe' });
  } catch {
    console.log('not tested: this user may not mount a read-only folder');
    return;
  }
  const { err } = await serve({ WORKER_MANAGER_HOME: home }, { under });
  expect(err).toMatch(/cannot keep its data in .*redis-default: EROFS.*Set WORKER_MANAGER_HOME/s);
});

test('a Redis that does not answer is waited for', async () => {
  const port = await choosePort();
  const options = { redisUrl: `redis://127.0.0.1:${port}`, cell: 'default', home: newFolder() };
  const manager = wmOf(options).start(['serve']);
  onTestFinished(() => void manager.child.kill('SIGKILL'));
  await expect.poll(manager.out, { timeout: 20_000 }).toContain('"manager started"');
  manager.child.kill('SIGTERM');
  expect((await manager.done).code).toBe(0);
});
