import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';

const run = promisify(execFile);
const DEMO = join(import.meta.dirname, '..', '..', 'scripts', 'demo.ts');
/** It takes seven seconds on an idle machine. */
const LONG_MS = 120_000;

/** A directory for temporary files, and the environment of a demo that uses it and nothing of ours. */
function stage(more: Record<string, string> = {}) {
  const tmp = mkdtempSync(join(tmpdir(), 'wm-demo-test-'));
  onTestFinished(() => rmSync(tmp, { recursive: true, force: true }));
  return { tmp, env: { PATH: process.env.PATH ?? '', HOME: tmp, TMPDIR: tmp, ...more } };
}

/** Processes whose environment or arguments name the directory. */
function processesOf(tmp: string): string[] {
  const readOrNot = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || pid === String(process.pid)) return false;
    try {
      return [`/proc/${pid}/environ`, `/proc/${pid}/cmdline`].some((file) => readOrNot(file).includes(tmp));
    } catch {
      return false;
    }
  });
}

test('the demo of the process runtime does what it prints, and leaves nothing', {
  timeout: LONG_MS,
}, async () => {
  const { tmp, env } = stage();
  const { stdout } = await run(process.execPath, [DEMO, '--runtime', 'process'], { env });
  const table = stdout.slice(stdout.indexOf('\nstep '));
  expect(table).toMatch(/^Kill the manager +[\d.]+ +\d+ and \d+ more lines while no manager was running$/m);
  expect(table).toMatch(/^Start it again +[\d.]+ +process \d+ adopted both bodies$/m);
  expect(table).toMatch(/^Count the lines +[\d.]+ +\d+ lines: none lost, none duplicated, all in order$/m);
  expect(table).toMatch(/^Clean up +[\d.]+ +nothing is left/m);
  expect(readdirSync(tmp)).toEqual([]);
  expect(processesOf(tmp)).toEqual([]);
});

test('a demo that is interrupted leaves nothing either', { timeout: LONG_MS }, async () => {
  const redisUrl = inject('redisUrl');
  const { tmp, env } = stage({ REDIS_URL: redisUrl });
  const demo = spawn(process.execPath, [DEMO, '--runtime', 'process'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void demo.kill('SIGKILL'));
  let said = '';
  demo.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = new Promise((resolve) => demo.once('close', resolve));
  await expect.poll(() => said, { timeout: LONG_MS / 2 }).toContain('no manager is running');
  demo.kill('SIGINT');
  expect(await ended).toBe(130);
  expect(readdirSync(tmp)).toEqual([]);
  expect(processesOf(tmp)).toEqual([]);
  const cell = /cell: (demo-\w+)/.exec(said)?.[1] ?? '';
  expect(cell).not.toBe('');
  const redis = new Redis(redisUrl);
  onTestFinished(() => redis.disconnect());
  expect(await redis.keys(`${cell}:*`)).toEqual([]);
});

test.each([
  [
    'a Redis that is not there',
    { REDIS_URL: 'redis://127.0.0.1:1' },
    ['--runtime', 'process'],
    1,
    /no Redis answers/,
  ],
  [
    'an unavailable Docker',
    { DOCKER_HOST: 'tcp://127.0.0.1:1' },
    ['--runtime', 'docker'],
    1,
    /no Docker daemon answers/,
  ],
  ['a runtime that does not exist', {}, ['--runtime', 'podman'], 2, /must be docker or process/],
])('the demo says why it cannot: %s', async (_, more, args, code, why) => {
  const { tmp, env } = stage(more);
  const failure = await run(process.execPath, [DEMO, ...args], { env }).catch((error) => error);
  expect(failure).toMatchObject({ code, stderr: expect.stringMatching(why) });
  expect(readdirSync(tmp)).toEqual([]);
});
