import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readMachineMemory } from '../../src/runtimes/machine-memory.ts';

const MEMINFO = 'MemTotal:       16000000 kB\nMemFree:          500000 kB\nMemAvailable:    8000000 kB\n';

/** A tree of files as the kernel shows them. */
function tree(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'wm-memory-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

test('the machine itself: what is available, which is more than what is free', () => {
  expect(readMachineMemory(tree({ 'proc/meminfo': MEMINFO }))).toEqual({
    total_bytes: 16_000_000 * 1024,
    available_bytes: 8_000_000 * 1024,
  });
  expect(readMachineMemory(tree({})), 'another kernel').toBeUndefined();
});

test.each([
  ['v2', '0::/app', 'sys/fs/cgroup/app', ['memory.max', 'memory.current'], 'inactive_file 300'],
  [
    'v2, a limit further up',
    '0::/app/manager',
    'sys/fs/cgroup/app',
    ['memory.max', 'memory.current'],
    'inactive_file 300',
  ],
  [
    'v1',
    '4:cpu,cpuacct:/other\n9:memory:/app\n0::/',
    'sys/fs/cgroup/memory/app',
    ['memory.limit_in_bytes', 'memory.usage_in_bytes'],
    'inactive_file 1\ntotal_inactive_file 300',
  ],
] as const)('a memory limit of the manager counts: cgroup %s', (_, own, dir, [limit, usage], stat) => {
  const root = tree({
    'proc/meminfo': MEMINFO,
    'proc/self/cgroup': `${own}\n`,
    [`${dir}/${limit}`]: '10000\n',
    [`${dir}/${usage}`]: '6000\n',
    [`${dir}/memory.stat`]: `anon 5000\n${stat}\n`,
  });
  // The cache of inactive files can be reclaimed immediately.
  expect(readMachineMemory(root)).toEqual({ total_bytes: 10_000, available_bytes: 4300 });
});

test('no limit is recognized: max, or a number near 2^63', () => {
  const none = (files: Record<string, string>) =>
    readMachineMemory(tree({ 'proc/meminfo': MEMINFO, ...files }));
  const machine = none({});
  expect(
    none({
      'proc/self/cgroup': '0::/\n',
      'sys/fs/cgroup/memory.max': 'max\n',
      'sys/fs/cgroup/memory.current': '6000\n',
    }),
  ).toEqual(machine);
  expect(
    none({
      'proc/self/cgroup': '9:memory:/\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      'sys/fs/cgroup/memory/memory.usage_in_bytes': '6000\n',
    }),
  ).toEqual(machine);
});
