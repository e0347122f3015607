/** What an agent cannot reach through the files of its workspace. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openFiles, tar } from './files-api.ts';

const PATIENCE = { timeout: 30_000, interval: 20 };

/** Swaps a folder for a link out of the workspace, and back, as fast as it can; both names always exist. */
const SWAPPER = `
import ctypes, os
os.makedirs('/tmp/OUTSIDE/d', exist_ok=True)
open('/tmp/OUTSIDE/d/secret', 'w').write('outside')
os.makedirs('race/d', exist_ok=True)
open('race/d/secret', 'w').write('inside')
os.symlink('/tmp/OUTSIDE', 'link')
swap = ctypes.CDLL(None, use_errno=True).renameat2
while True:
    if swap(-100, b'race', -100, b'link', 2):
        raise OSError(ctypes.get_errno(), 'swap')
`;

describe.each(['process', 'docker'] as const)(
  'an agent and the files that clients access (%s)',
  { timeout: 240_000 },
  (name) => {
    const open = (more?: object, env?: Record<string, string>) => openFiles(name, more, env);

    test('an agent that swaps folders for links gets nothing read or written outside', async () => {
      const outside = `files-${randomUUID().slice(0, 8)}`;
      const script = SWAPPER.replaceAll('OUTSIDE', outside);
      const { put, get, call, run } = await open({ command_line: ['python3', '-c', script] });
      if (name === 'process') onTestFinished(() => void execFileSync('rm', ['-rf', `/tmp/${outside}`]));
      await vi.waitFor(async () => expect((await run('ls link')).exit_code).toBe(0), PATIENCE);
      const seen = new Set<string>();
      const until = performance.now() + 8000;
      for (let n = 0; performance.now() < until; n += 1) {
        const [read, packed] = await Promise.all([get('files/race/d/secret'), get('archive/race/d')]);
        seen.add(`${read.statusCode} ${read.statusCode === 200 ? (await buffer(read)).toString() : ''}`);
        read.resume();
        const bytes = await buffer(packed).catch(() => Buffer.alloc(0));
        if (packed.statusCode === 200 && bytes.includes('outside')) seen.add('archived outside');
        await put(`files/race/d/up${n % 10}`, Buffer.from('x'));
        await put('archive/race/d', tar([[`packed${n % 10}`, 'x']]));
        await call('POST', `files/race/d/made${n % 10}?mkdir`);
        await call('POST', `files/race/d/up${n % 10}?move_to=race/d/moved`);
        await call.raw('DELETE', `files/race/d/packed${n % 10}`);
      }
      expect([...seen].filter((text) => text.includes('outside'))).toEqual([]);
      expect([...seen]).toContain('200 inside');
      // Both happened: it was reached, and it was swapped.
      expect([...seen].some((text) => text.startsWith('4'))).toBe(true);
      expect((await run(`find /tmp/${outside}`)).stdout.trim().split('\n')).toHaveLength(3);
    });

    test('a worker whose commands are locked has its files too', async () => {
      if (name !== 'docker') return;
      const { put, get, run } = await open({ allowed_commands: ['id'] }, { WORKER_IMAGE: '' });
      expect((await put('files/a/b', Buffer.from('x'))).status).toBe(201);
      expect((await buffer(await get('files/a/b'))).toString()).toBe('x');
      expect((await run('cat a/b')).stdout).toBe('x');
      expect((await run('node -e 0')).exit_code).toBe(126);
      expect((await run('echo more >>a/b; cat a/b')).stdout).toBe('xmore\n');
      // The agent cannot look into the program that serves it, which has all groups of commands.
      const look =
        'grep -q "[f]iles.mjs" $p/cmdline && echo found && (cat $p/environ || ls $p/fd/0) && echo OPEN';
      expect((await run(`for p in /proc/[0-9]*; do ${look}; done 2>/dev/null; true`)).stdout).toBe('found\n');
    });
  },
);
