/** Several `wm serve` of one cell without REDIS_URL: one Redis, one leader, and no worker lost, whatever is killed. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { dismantle } from '../../scripts/demo/cleanup.ts';
import { contextPath, readContextFile } from '../../src/config/context-file.ts';
import { createProcessRuntime } from '../../src/runtimes/process/process.ts';
import { MAIN } from '../support/manager.ts';
import { signal } from '../support/processes.ts';

const ID = '5f0c6a52-0f4e-4b4e-9d6c-2f1a8e0d7b11';
const ROUNDS = 20;
const WAIT = { timeout: 30_000, interval: 20 };

interface Served {
  child: ChildProcess;
  output: () => string;
  ended: Promise<number | null>;
}

const environment = (home: string) => ({
  PATH: process.env.PATH ?? '',
  HOME: home,
  WORKER_MANAGER_HOME: home,
  HTTP_PORT: '0',
  RUNTIME: 'process',
  LEASE_SECONDS: '1',
  NODE_COMPILE_CACHE: join(import.meta.dirname, '../../node_modules/.cache/compiled'),
});

/** `wm serve`, as a user starts it. */
function serve(home: string, more: Record<string, string> = {}): Served {
  const env = { ...environment(home), ...more };
  const child = spawn(process.execPath, [MAIN, 'serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, output: () => said, ended: new Promise((resolve) => child.once('close', resolve)) };
}

/** Pids of the servers that have their data in that directory. */
function serversIn(directory: string): number[] {
  const isOne = (pid: string) => {
    try {
      const comm = readFileSync(`/proc/${pid}/comm`, 'utf8');
      return readlinkSync(`/proc/${pid}/cwd`) === directory && comm.includes('redis');
    } catch {
      return false;
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && isOne(name))
    .map(Number);
}

function newCellHome() {
  const home = mkdtempSync(join(tmpdir(), 'wm-one-cell-'));
  const directory = join(home, 'redis-default');
  const runtime = createProcessRuntime({ cell: 'default', root: home, wrapper: { argv: ['false'] } });
  onTestFinished(async () => {
    await dismantle(runtime);
    for (const pid of serversIn(directory)) signal(pid, 'SIGKILL');
    rmSync(home, { recursive: true, force: true });
  });
  return { home, directory, runtime };
}

test(`three managers of one cell, killed in turn ${ROUNDS} times: one Redis, one leader, no worker lost`, {
  timeout: 300_000,
}, async () => {
  const { home, directory, runtime } = newCellHome();
  const kept = (name: string) => readFileSync(join(directory, name), 'utf8');
  const isUp = ({ output }: Served) => output().includes('"manager started"');
  const up = (some: Served[]) => expect.poll(() => some.every(isUp), WAIT).toBe(true);

  let living = [serve(home), serve(home), serve(home)];
  await up(living);
  const port = kept('port');
  const redis = new Redis(`redis://default:${kept('password')}@127.0.0.1:${port}`);
  redis.on('error', () => {});
  onTestFinished(() => redis.disconnect());
  const leader = async () => {
    const owner = (await redis.get('worker:leader')) ?? '';
    return living.filter(({ child }) => owner.includes(`-${child.pid}-`)).length;
  };
  const create = {
    command: 'create',
    request_id: 'r',
    worker_id: ID,
    agent_type: 'CUSTOM',
    command_line: ['cat'],
  };
  await redis.xadd('worker:commands', '*', 'data', JSON.stringify(create));
  const status = () => redis.hget(`worker:${ID}:status`, 'status');
  await expect.poll(status, WAIT).toBe('RUNNING');
  const [body] = await runtime.list();
  const [server] = serversIn(directory);

  let killedRedis = 0;
  const began = performance.now();
  for (let round = 0; round < ROUNDS; round += 1) {
    // Every tenth round kills all of them at once, and starts three at once.
    const victims = round % 10 === 9 ? living.splice(0) : living.splice(0, 1);
    for (const { child } of victims) child.kill('SIGKILL');
    // Two rounds kill Redis as well: one with managers that live on, one with none.
    if (round === 7 || round === 19) {
      await redis.config('SET', 'appendfsync', 'always');
      await redis.set('last', String(round));
      for (const pid of serversIn(directory)) signal(pid, 'SIGKILL');
      killedRedis += 1;
    }
    living = [...living, ...victims.map(() => serve(home))];
    await up(living);
    await expect.poll(leader, WAIT).toBe(1);
    expect(serversIn(directory)).toHaveLength(1);
    if (killedRedis === 0) expect(serversIn(directory)).toEqual([server]);
    expect(kept('port')).toBe(port);
    expect(await runtime.list()).toMatchObject([{ id: body?.id, state: 'running' }]);
    expect(await status()).toBe('RUNNING');
  }
  console.log(`${ROUNDS} rounds took ${Math.round((performance.now() - began) / 1000)} s`);
  expect(await redis.get('last')).toBe('19');
  expect(await redis.hget(`worker:${ID}:status`, 'restarts')).toBe('0');

  // The context leads to a manager that lives.
  const answers = async () => {
    const url = readContextFile(contextPath({ home, cell: 'default' }))?.url ?? '';
    return (await fetch(`${url}/livez`)).status;
  };
  await expect.poll(() => answers().catch(() => 0), WAIT).toBe(200);

  for (const [at, { child }] of living.entries()) child.kill(at === 0 ? 'SIGINT' : 'SIGTERM');
  expect(await Promise.all(living.map(({ ended }) => ended))).toEqual([0, 0, 0]);
  const said = living.map(({ output }) => output()).join('\n');
  expect(said).toMatch(/1 worker keeps running, with the private Redis on 127\.0\.0\.1:\d+\./);
  expect(said).not.toContain(kept('password'));
  // As the note says, the worker is still shown, and goes with its Redis.
  const wm = async (...args: string[]) =>
    (await promisify(execFile)(process.execPath, [MAIN, ...args], { env: environment(home) })).stdout;
  expect(await wm('ps')).toMatch(/RUNNING/);
  expect(await wm('dismantle', '--force')).toContain('dismantled');
  expect(serversIn(directory)).toEqual([]);
});
