import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { readTable } from '../../../src/runtimes/process/members.ts';

// When 545 bodies ended at once, each read the whole process table: the load rose to 450 and memory ran out.
test('the process table is read once for all concurrent callers, and is never older than a call', async () => {
  const first = readTable();
  await Promise.resolve();
  await Promise.resolve();
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const asked = Array.from({ length: 100 }, () => readTable());
  try {
    const tables = new Set(await Promise.all(asked));
    expect(tables.size).toBe(1);
    const [table] = tables;
    expect(table).not.toBe(await first);
    expect(table?.all.map(({ pid }) => pid)).toContain(child.pid);
  } finally {
    child.kill('SIGKILL');
  }
});
