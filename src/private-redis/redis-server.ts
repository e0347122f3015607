/** A private Redis as a process: `redis-server` or `valkey-server` from the PATH. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { askRedis } from './ask-redis.ts';
import type { Launched } from './kept-redis.ts';
import { configOf, type PrivateRedis, urlAt } from './redis-config.ts';
import { redisResponds } from './redis-port.ts';

const PROGRAMS = ['redis-server', 'valkey-server'] as const;
/** Redis 6.2 introduced XAUTOCLAIM. */
const OLDEST = [6, 2] as const;
/** A server with little data takes 50 ms; one with much data loads it first. */
export const READY_MS = 60_000;
const STOP_MS = 5000;

/** The first program that is new enough; otherwise what there is, for an error. */
export function findRedisServer(): { program: string } | { error: string } {
  const old: string[] = [];
  for (const program of PROGRAMS) {
    const { stdout, error } = spawnSync(program, ['--version'], { encoding: 'utf8' });
    if (error) continue;
    const [, version = 'unknown', major, minor] = /v=((\d+)\.(\d+)\S*)/.exec(stdout) ?? [];
    const tooOld = Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1]);
    if (!tooOld) return { program };
    old.push(`${program} on the PATH has version ${version}, and ${OLDEST.join('.')} or newer is needed`);
  }
  return { error: old.join('; ') || `neither ${PROGRAMS.join(' nor ')} is on the PATH` };
}

/**
 * Starts a server with its data in a directory, and waits until it answers. It runs in a session of its own, so that
 * Ctrl-C does not end it before its users, and inherits the lock of its directory.
 */
export async function launchRedisServer(
  program: string,
  plan: PrivateRedis,
  directory: string,
  lockFd?: number,
): Promise<(Launched & { kill(): void }) | { error: string }> {
  const stdio = ['pipe', 'pipe', 'ignore', ...(lockFd === undefined ? [] : [lockFd])] as const;
  const restores = hasOnlySnapshot(directory);
  const args = restores ? ['-', '--appendonly', 'no'] : ['-'];
  const server = spawn(program, args, { cwd: directory, detached: true, stdio: [...stdio] });
  let output = '';
  server.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output = `${output}${text}`.slice(-2000);
  });
  server.on('error', (error) => {
    output = error.message;
  });
  server.stdin?.on('error', () => {});
  // Through stdin, because every user can read arguments.
  server.stdin?.end(configOf(plan, directory));
  const stop = () => endServer(server);
  const leave = () => {
    server.stdout?.destroy();
    server.unref();
  };
  const responds = await redisResponds(urlAt(plan), READY_MS, () => isOver(server));
  if (responds && (!restores || (await startAppending(plan))))
    return { stop, leave, kill: () => void server.kill('SIGKILL') };
  await stop();
  return { error: `${program} could not be started: ${output.trim().split('\n').at(-1)}` };
}

/**
 * Whether the folder has a snapshot and no append-only file, as after a restore. With `appendonly yes`, a server does
 * not read the snapshot: it starts empty.
 */
const hasOnlySnapshot = (directory: string): boolean =>
  existsSync(join(directory, 'dump.rdb')) &&
  !existsSync(join(directory, 'appendonlydir', 'appendonly.aof.manifest')) &&
  !existsSync(join(directory, 'appendonly.aof'));

/** Writes all data to the append-only file, and from then on every change. */
const startAppending = async (plan: PrivateRedis): Promise<boolean> =>
  (await askRedis(plan, (redis) => redis.config('SET', 'appendonly', 'yes'))) === 'OK';

const isOver = (child: ChildProcess) =>
  child.exitCode !== null || child.signalCode !== null || child.pid === undefined;

async function endServer(server: ChildProcess): Promise<void> {
  if (isOver(server)) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const late = setTimeout(() => server.kill('SIGKILL'), STOP_MS);
  server.kill('SIGTERM');
  await ended;
  clearTimeout(late);
}
