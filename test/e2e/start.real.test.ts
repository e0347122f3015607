import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
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
  // It exited without listing the worker, which continues without its Redis.
  expect(first.said()).toMatch(
    /1 worker keeps running without a manager\. The private Redis has stopped.*`npm start`/s,
  );
  await expect.poll(() => redis.status, { timeout: 10_000 }).not.toBe('ready');
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
});

/** Pids of the servers that have their data in that directory. */
function serversIn(directory: string): number[] {
  const isOne = (pid: string) => {
    try {
      return (
        readlinkSync(`/proc/${pid}/cwd`) === directory &&
        readFileSync(`/proc/${pid}/comm`, 'utf8').includes('redis')
      );
    } catch {
      return false;
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && isOne(name))
    .map(Number);
}

/** SIGKILL to a start and to its manager, so that neither can clean up. */
async function killWhole({ child, ended }: Started): Promise<void> {
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
  const managers = children
    .split(' ')
    .filter(Boolean)
    .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('main.ts'));
  expect(managers).toHaveLength(1);
  child.kill('SIGKILL');
  process.kill(Number(managers[0]), 'SIGKILL');
  await ended;
}

// A second start launched a second server on the same append-only file, and each manager led its own Redis.
// The same happened in the next start after a SIGKILL, which left the server behind.
test('starts of one cell share one Redis and one leader, whichever process is killed, and lose no worker', {
  timeout: 180_000,
}, async () => {
  const home = mkdtempSync(join(tmpdir(), 'wm-start-test-'));
  const directory = join(home, 'redis-default');
  const runtime = createProcessRuntime({ cell: 'default', root: home, wrapper: { argv: ['false'] } });
  onTestFinished(async () => {
    await dismantle(runtime);
    for (const pid of serversIn(directory)) process.kill(pid, 'SIGKILL');
    rmSync(home, { recursive: true, force: true });
  });
  const kept = (name: string) => readFileSync(join(directory, name), 'utf8');
  const up = (one: Started) => expect.poll(one.said, { timeout: 60_000 }).toContain('"manager started"');
  const leading = (some: Started[]) => () => some.filter(({ said }) => said().includes('"leading"')).length;

  const starts = [start(home), start(home), start(home)];
  for (const one of starts) await up(one);
  await expect.poll(leading(starts), { timeout: 20_000 }).toBe(1);
  const [server] = serversIn(directory);
  const port = kept('port');
  const redis = new Redis(`redis://default:${kept('password')}@127.0.0.1:${port}`);
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
  const same = async () => {
    expect(serversIn(directory)).toEqual([server]);
    expect(kept('port')).toBe(port);
    expect(await runtime.list()).toMatchObject([{ id: body?.id, state: 'running' }]);
  };

  // First the start that launched the server, then one that replaces it, and then all that are left.
  const launcher = starts.findIndex(({ said }) => said().includes('It stops with this manager'));
  for (const one of starts.splice(launcher, 1)) await killWhole(one);
  await same();
  starts.push(start(home));
  await Promise.all(starts.map(up));
  await same();
  for (const one of starts.splice(0)) await killWhole(one);
  await same();

  const last = start(home);
  await expect.poll(last.said, { timeout: 60_000 }).toMatch(/"adopted":1\b/);
  await same();
  expect(await status()).toBe('RUNNING');
  // Two starts that ended at once each found the other one running, and left the server behind.
  const other = start(home);
  await up(other);
  for (const { child } of [last, other]) child.kill('SIGTERM');
  expect([await last.ended, await other.ended]).toEqual([0, 0]);
  expect(serversIn(directory)).toEqual([]);
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
