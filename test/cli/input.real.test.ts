/** What wm reads from standard input, however slowly it comes. */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { MAIN, newCell } from '../support/manager.ts';
import { wmOf } from './wm.ts';

const redisUrl = inject('redisUrl');
const { start } = wmOf({ redisUrl, cell: newCell() });

/** Numbers of the system call futex on x64 and arm64: the main thread waits, and not in its event loop. */
const FUTEX = /^(202|98) /;

test.each([
  {
    args: ['apply', '-f', '-'],
    input: 'name: slow\ncuont: 1\n',
    says: 'input:2: cuont is not a known field',
  },
  {
    args: ['create', '-f', '-'],
    input: '{"agent_type": "CLAUDE", "nme": 1}',
    says: 'nme is not a known field',
  },
])('wm $args waits for input that comes later than its start', async ({ args, input, says }) => {
  const { child, err, done } = start(args, 'open');
  onTestFinished(() => void child.kill('SIGKILL'));
  const waits = () => FUTEX.test(readFileSync(`/proc/${child.pid}/syscall`, 'utf8'));
  await vi.waitFor(() => expect(waits()).toBe(true), { timeout: 20_000, interval: 20 });
  child.stdin?.end(input);
  expect(await done).toMatchObject({ code: 2 });
  expect(err()).toContain(says);
});

test('input that cannot be read is reported, also by verbs that read it late', () => {
  const folder = openSync(tmpdir(), 'r');
  onTestFinished(() => closeSync(folder));
  for (const args of [
    ['send', 'x', '-'],
    ['apply', '-f', '-'],
    ['tasks', 'submit', '--prompt', '-'],
  ]) {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
      stdio: [folder, 'ignore', 'pipe'],
      env: { ...process.env, REDIS_URL: redisUrl },
    });
    expect({ status, text: `${stderr}` }).toEqual({
      status: 2,
      text: expect.stringMatching(/^error: The file.* cannot be read: EISDIR: .*\.\n$/),
    });
  }
});
