/**
 * Real manager processes for tests: `src/main.ts serve` in a process of its own, which can be killed like any other.
 *
 * A manager's bodies outlive it, as they must; `cleanCell` ends them and deletes the cell.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { contextPath, readContextFile } from '../../src/config/context-file.ts';
import { createProcessRuntime } from '../../src/runtimes/process/process.ts';

/** The entry of the product. */
export const MAIN = join(import.meta.dirname, '../../src/main.ts');
const COMPILED = join(import.meta.dirname, '../../node_modules/.cache/compiled');
/** A start takes half a second; a busy machine may need much more. */
const START_MS = 30_000;
/** Maximum wait for a manager to shut down before it is killed. */
const STOP_MS = 45_000;

export interface ManagerOptions {
  redisUrl: string;
  cell: string;
  /** Variables beside, or instead of, those of `managerEnv`. */
  env?: Record<string, string>;
  /** A program, with arguments, that starts it, such as `prlimit`. */
  under?: string[];
  /** Arguments of `serve`. */
  args?: string[];
  /** The entry of another version. */
  main?: string;
  /** The folder of the process runtime, to start again where another manager was; default: a new one. */
  home?: string;
}

export interface Manager {
  cell: string;
  /** Its HTTP address. */
  url: string;
  /** The token that its API asks for, and the header that holds it. */
  token: string;
  headers: { authorization: string };
  pid: number;
  home: string;
  kill(signal: NodeJS.Signals): void;
  /** Its output so far, on stdout and stderr. */
  log(): string;
  /** Its exit code; -1 if a signal ended it. */
  exited: Promise<number>;
  /** Shuts it down and waits for its exit; kills it if it does not exit. */
  stop(): Promise<number>;
}

/** A cell of its own. */
export const newCell = (): string => `t-${randomUUID().slice(0, 8)}`;

/** The environment of a manager of a test: nothing of the caller's settings comes through. */
export function managerEnv({ redisUrl, cell, home, env }: ManagerOptions): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? tmpdir(),
    REDIS_URL: redisUrl,
    CELL: cell,
    RUNTIME: 'process',
    LEASE_SECONDS: '1',
    HTTP_PORT: '0',
    // Compiled once for all processes of a test run: a start takes half the time.
    NODE_COMPILE_CACHE: COMPILED,
    // `npm run test:late`.
    ...(process.env.NODE_OPTIONS && { NODE_OPTIONS: process.env.NODE_OPTIONS }),
    ...(home === undefined ? {} : { WORKER_MANAGER_HOME: home }),
    ...env,
  };
}

/** Starts a manager; resolves when it answers on HTTP, which is before it leads. Rejects with its log where it ends. */
export async function startManager(options: ManagerOptions): Promise<Manager> {
  const home = options.home ?? (await mkdtemp(join(tmpdir(), 'wm-home-')));
  const [program = '', ...args] = [...(options.under ?? []), process.execPath, options.main ?? MAIN, 'serve'];
  const child = spawn(program, [...args, ...(options.args ?? [])], {
    env: managerEnv({ ...options, home }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  // At 'exit' its last output may still be on its way.
  const exited = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  const url = await listening(child, (text) => {
    said += text;
    return said;
  });
  // A test that continues with the next manager must notice that this one failed.
  void exited.then((code) => {
    if (code > 0) throw new Error(`A manager exited with ${code}; its output:\n${said.slice(-8000)}`);
  });
  const known = readContextFile(
    contextPath({ home: options.env?.WORKER_MANAGER_HOME ?? home, cell: options.cell }),
  );
  const token = options.env?.API_TOKEN ?? known?.token ?? '';
  return {
    cell: options.cell,
    url,
    token,
    headers: { authorization: `Bearer ${token}` },
    pid: child.pid ?? 0,
    home,
    kill: (signal) => void child.kill(signal),
    log: () => said,
    exited,
    stop: () => stop(child, exited),
  };
}

/** Ends the process bodies of a cell, and removes its folder and its keys. Its managers must be gone. */
export async function cleanCell(options: { redisUrl: string; cell: string; home: string }): Promise<void> {
  const { redisUrl, cell, home } = options;
  const runtime = createProcessRuntime({ cell, root: home, wrapper: { argv: ['false'] } });
  for (const { id } of await runtime.list()) await runtime.remove(id);
  await runtime.dismantle();
  await runtime.close();
  await rm(home, { recursive: true, force: true });
  const redis = new Redis(redisUrl);
  for await (const keys of redis.scanStream({ match: `${cell}:*`, count: 1000 }))
    if (keys.length > 0) await redis.del(keys);
  // Streams that were named by a `reply_to` of the command line stand outside of the cell; it removes them itself.
  redis.disconnect();
}

function listening(child: ChildProcess, hear: (text: string) => string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (why: string) => {
      child.kill('SIGKILL');
      reject(new Error(`The manager ${why}; it said:\n${said}`));
    };
    const late = setTimeout(() => fail(`did not start in ${START_MS} ms`), START_MS);
    const listen = (chunk: Buffer) => {
      said = hear(chunk.toString('utf8'));
      const url = /"url":"(http:[^"]+)"[^\n]*"manager started"/.exec(said)?.[1];
      if (!url) return;
      clearTimeout(late);
      resolve(url);
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
    child.once('close', (code, signal) => {
      clearTimeout(late);
      fail(`ended with ${signal ?? code}`);
    });
    child.once('error', (error) => fail(`could not be started: ${error.message}`));
  });
}

async function stop(child: ChildProcess, exited: Promise<number>): Promise<number> {
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  const code = await exited;
  clearTimeout(late);
  return code;
}
