/** The lock of a private Redis: two starts of one cell made two servers on the same append-only file. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { lockFile } from '../../src/private-redis/file-lock.ts';
import { openKeptRedis } from '../../src/private-redis/kept-redis.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'wm-lock-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

test('a lock is held by every process with the open file, and ends with the last of them', async () => {
  const path = join(folder(), 'server');
  const lock = lockFile(path, 'exclusive');
  expect(lockFile(path, 'exclusive')).toBe(undefined);
  expect(lockFile(path, 'shared')).toBe(undefined);
  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore', lock?.fd ?? 0] });
  onTestFinished(() => void child.kill('SIGKILL'));
  lock?.release();
  expect(lockFile(path, 'exclusive'), 'the child holds it').toBe(undefined);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const again = lockFile(path, 'exclusive');
  expect(again).toBeDefined();
  again?.release();
});

// Each of three that were stopped at once found the others still there, and the server was left behind.
test('if several users leave at the same time, exactly one ends the server', async () => {
  const directory = folder();
  const ended: string[] = [];
  const options = { directory, addresses: ['127.0.0.1'], log: () => {}, waitMs: 300 };
  const open = async (name: string) => {
    const launch = async () => ({ stop: async () => void ended.push(name), leave() {} });
    const opened = await openKeptRedis({ ...options, launch });
    if ('error' in opened) throw new Error(opened.error);
    return opened;
  };
  const all = [await open('first'), await open('second'), await open('third')];
  const last = await Promise.all(all.map(({ stop }) => stop()));
  expect(last.filter((end) => end === 'stopped')).toHaveLength(1);
  expect(ended).toHaveLength(1);
  const left = await open('fourth');
  const stays = await open('fifth');
  expect(await left.stop()).toBe('shared');
  expect(await stays.stop()).toBe('stopped');
});

test('no second server is launched while an unresponsive one runs, and the error names its place', async () => {
  const directory = folder();
  const server = lockFile(join(directory, 'server'), 'exclusive');
  onTestFinished(() => server?.release());
  writeFileSync(join(directory, 'redis.pid'), '4711\n');
  const launched: unknown[] = [];
  const opened = await openKeptRedis({
    directory,
    addresses: ['127.0.0.1'],
    log: () => {},
    waitMs: 300,
    launch: async (plan) => ({ error: String(launched.push(plan)) }),
  });
  expect(opened).toEqual({ error: expect.stringContaining(`${directory} (process 4711) does not answer.`) });
  expect(launched).toEqual([]);
  expect(readdirSync(directory)).not.toContain('port');
});

test('a launch that fails leaves the directory to the next start', async () => {
  const directory = folder();
  const options = { directory, addresses: ['127.0.0.1'], log: () => {}, waitMs: 300 };
  const fail = async () => ({ error: 'no server' });
  expect(await openKeptRedis({ ...options, launch: fail })).toEqual({ error: 'no server' });
  const opened = await openKeptRedis({
    ...options,
    launch: async () => ({ stop: async () => {}, leave() {} }),
  });
  expect(opened).toMatchObject({ joined: false });
  expect('error' in opened || (await opened.stop())).toBe('stopped');
});
