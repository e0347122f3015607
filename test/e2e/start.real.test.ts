import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { dismantle } from '../../scripts/demo/cleanup.ts';
import { createProcessRuntime } from '../../src/runtimes/process/process.ts';

const START = join(import.meta.dirname, '..', '..', 'scripts', 'start.ts');
const ID = '5f0c6a52-0f4e-4b4e-9d6c-2f1a8e0d7b11';

interface Started {
  child: ChildProcess;
  said: () => string;
  ended: Promise<number | null>;
}

function start(home: string): Started {
  const env = { PATH: process.env.PATH ?? '', HOME: home, TMPDIR: home };
  const child = spawn(process.execPath, [START], {
    env: { ...env, WORKER_MANAGER_HOME: home, HTTP_PORT: '0', RUNTIME: 'process', LEASE_SECONDS: '1' },
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

test('npm start brings a Redis along, and its workers are adopted by the next one', {
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
  await expect.poll(() => redis.status, { timeout: 10_000 }).not.toBe('ready');
  expect(await runtime.list()).toMatchObject([{ id: body?.id, state: 'running' }]);

  const second = start(home);
  await expect.poll(second.said, { timeout: 30_000 }).toMatch(/"adopted":1\b/);
  expect(await status()).toBe('RUNNING');
  expect(await runtime.list()).toMatchObject([{ id: body?.id, state: 'running' }]);
  second.child.kill('SIGTERM');
  expect(await second.ended).toBe(0);
});
