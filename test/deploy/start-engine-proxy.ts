/** The engine proxy as its container runs it: a process of its own in front of the run's daemon. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '../../deploy/engine-proxy/main.ts');

export interface RunningEngineProxy {
  socket: string;
  /** Its log: one line for each refused call. */
  log(): string;
  stop(): Promise<void>;
}

/** Resolves when it listens; rejects with its output if it ends before that. */
export async function startEngineProxy(
  engine: string,
  more: Record<string, string> = {},
): Promise<RunningEngineProxy> {
  const directory = await mkdtemp(join(tmpdir(), 'wm-engine-proxy-'));
  const socket = join(directory, 'docker.sock');
  const env = { PATH: process.env.PATH, ENGINE_SOCKET: engine, PROXY_SOCKET: socket, ...more };
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  await Promise.race([
    logged(child, () => said.includes('engine proxy started')),
    once(child, 'exit').then(() => Promise.reject(new Error(`The engine proxy ended: ${said}`))),
  ]);
  return {
    socket,
    log: () => said,
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function logged(child: ChildProcess, done: () => boolean): Promise<void> {
  while (!done()) await once(child.stdout as NodeJS.ReadableStream, 'data');
}
