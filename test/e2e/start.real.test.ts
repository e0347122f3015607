import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { dismantle } from '../../scripts/demo/cleanup.ts';
import { createProcessRuntime } from '../../src/runtimes/process/process.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const START = join(import.meta.dirname, '..', '..', 'scripts', 'start.ts');
const ID = '5f0c6a52-0f4e-4b4e-9d6c-2f1a8e0d7b11';

interface Started {
  child: ChildProcess;
  said: () => string;
  ended: Promise<number | null>;
}

function start(home: string, more: Record<string, string> = {}): Started {
  const env = { PATH: process.env.PATH ?? '', HOME: home, TMPDIR: home };
  const child = spawn(process.execPath, [START], {
    env: {
      ...env,
      WORKER_MANAGER_HOME: home,
      HTTP_PORT: '0',
      RUNTIME: 'process',
      LEASE_SECONDS: '1',
      ...more,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, said: () => said, ended: new Promise((resolve) => child.once('close', resolve)) };
}

test('npm start starts a Redis, and the next npm start adopts its workers', {
  timeout: 120_000,
}, async () => {
  const home = mkdtempSync(join(tmpdir(), 'wm-start-test-'));
  const runtime = createProcessRuntime({ cell: 'default', root: home, wrapper: { argv: ['false'] } });
  onTestFinished(async () => {
    await dismantle(runtime);
    rmSync(home, { recursive: true, force: true });
  });
  const kept = (name: string) => readFileSync(join(home, 'redis-default', name), 'utf8');

  const first = start(home);
  await expect.poll(first.said, { timeout: 30_000 }).toContain('"leading"');
  const url = `redis://default:${kept('password')}@127.0.0.1:${kept('port')}`;
  expect(first.said()).not.toContain(kept('password'));
  const redis = new Redis(url);
  redis.on('error', () => {});
  onTestFinished(() => redis.disconnect());
  const create = {
    command: 'create',
    request_id: 'r',
    worker_id: ID,
    agent_type: 'CUSTOM',
    command_line: ['cat'],
  };
  await redis.xadd('worker:commands', '*', 'data', JSON.stringify(create));
  const status = () => redis.hget(`worker:${ID}:status`, 'status');
  await expect.poll(status, { timeout: 30_000 }).toBe('RUNNING');
  const [body] = await runtime.list();

  first.child.kill('SIGTERM');
  expect(await first.ended).toBe(0);
  // A worker reports to its Redis, which therefore keeps running.
  expect(first.said()).toMatch(
    /1 worker keeps running, with the private Redis on 127\.0\.0\.1:\d+\..*dismantle --force/s,
  );
  expect(await redis.ping()).toBe('PONG');
  expect(await runtime.list()).toMatchObject([{ id: body?.id, state: 'running' }]);

  const second = start(home);
  await expect.poll(second.said, { timeout: 30_000 }).toMatch(/"adopted":1\b/);
  expect(await status()).toBe('RUNNING');
  expect(await runtime.list()).toMatchObject([{ id: body?.id, state: 'running' }]);
  const wm = async (...args: string[]) => {
    const env = { PATH: process.env.PATH ?? '', HOME: home, WORKER_MANAGER_HOME: home, RUNTIME: 'process' };
    return promisify(execFile)(process.execPath, [MAIN, ...args], { env }).then(
      ({ stdout }) => stdout,
      ({ stderr }) => stderr as string,
    );
  };
  expect(await wm('dismantle')).toMatch(/The manager .* leads this cell\. Stop it first/);
  second.child.kill('SIGTERM');
  expect(await second.ended).toBe(0);

  expect(await wm('dismantle')).toContain('still has 1 body on process');
  expect(await runtime.list()).toHaveLength(1);
  expect(await wm('dismantle', '--force')).toBe('cell/default dismantled\n');
  expect(await runtime.list()).toEqual([]);
  await expect.poll(() => redis.status, { timeout: 10_000 }).not.toBe('ready');
});

test('a start whose HTTP port is taken ends before it starts anything', { timeout: 60_000 }, async () => {
  const home = mkdtempSync(join(tmpdir(), 'wm-start-test-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as AddressInfo;
  const { ended, said } = start(home, { HTTP_PORT: String(port) });
  expect(await ended).toBe(1);
  expect(said()).toContain(`port ${port} is used by another program. Set HTTP_PORT`);
  expect(readdirSync(home)).toEqual([]);
});
