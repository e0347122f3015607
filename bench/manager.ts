import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProcessRuntime } from '../src/runtimes/process/process.ts';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');
/** Node, its modules and the first lease. */
const START_MS = 20_000;

export interface BenchManager {
  process: ChildProcess;
  /** Of its HTTP API, without a path. */
  url: string;
  /** WORKER_MANAGER_HOME. */
  home: string;
  /** Stops it and removes its folder; its bodies must have ended. */
  stop(): Promise<void>;
}

/** Starts a real manager; resolves when it leads. */
export async function startManager(env: Record<string, string>): Promise<BenchManager> {
  const home = await mkdtemp(join(tmpdir(), 'bench-manager-'));
  // Ctrl-C reaches it as well: it stops its direct workers.
  const manager = spawn(process.execPath, [MAIN, 'serve', '--cleanup'], {
    env: { PATH: process.env.PATH, HTTP_PORT: '0', LEASE_SECONDS: '5', WORKER_MANAGER_HOME: home, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => manager.once('exit', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('The manager did not lead in time.')), START_MS);
    let text = '';
    manager.stdout?.on('data', (chunk: Buffer) => {
      text = text.length > 100_000 ? '' : text + chunk.toString();
      if (!text.includes('"recovered"')) return;
      clearTimeout(timer);
      resolve(/"url":"([^"]+)"/.exec(text)?.[1] ?? '');
    });
    manager.once('exit', () => reject(new Error(`The manager ended: ${text}`)));
  });
  return {
    process: manager,
    url,
    home,
    async stop() {
      manager.kill('SIGTERM');
      await ended;
      const [cell, wrapper] = [env.CELL ?? 'default', { argv: [] }];
      // If bodies are left because something failed, report that failure.
      if (env.RUNTIME === 'process')
        await createProcessRuntime({ cell, root: home, wrapper })
          .dismantle()
          .catch(() => {});
      await rm(home, { recursive: true, force: true });
    },
  };
}
