import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { cleanCell, newCell, startManager } from '../../support/manager.ts';
import { wmOf } from '../wm.ts';

/** How long the world may take on a busy machine. */
const SOON = { timeout: 20_000, interval: 50 };

test('attach shows what comes, sends lines as prompts, and ends with the worker', async () => {
  const options = {
    redisUrl: inject('redisUrl'),
    cell: newCell(),
    home: await mkdtemp(join(tmpdir(), 'wm-attach-')),
  };
  const manager = await startManager(options);
  onTestFinished(async () => {
    await manager.stop();
    await cleanCell(options);
  });
  const { wm, start } = wmOf(options);
  const script = 'read -r first; echo "got $first"; read -r second; echo "got $second"; exit 3';
  const id = (await wm('create', '--wait', '--', 'sh', '-c', script)).out.trim();
  const attached = start(['attach', id], 'open');
  attached.child.stdin?.write('one\n');
  await expect.poll(attached.out, SOON).toContain('got one\n');
  expect(attached.child.exitCode).toBe(null);
  attached.child.stdin?.write('two\n');
  const { code, out, err } = await attached.done;
  expect({ code, err }).toEqual({ code: 1, err: '' });
  expect(out).toMatch(/got one\n.*got two\n.*\[exited\]/s);
  const late = await wm('attach', id);
  expect(late).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringContaining('FAILED. Start it with `wm start'),
  });
});
