import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { OomWatch } from '../../../worker-base/sandbox/oom-kills.ts';

// A function that the kernel killed to free memory was not counted.
test.each([
  ['v2, in a group', '0::/cell/body\n', 'cell/body/memory.events', 'low 0\noom 3\noom_kill N\n'],
  ['v2, in a container', '0::/\n', 'memory.events', 'oom_kill N\n'],
  [
    'v1, in a group',
    '9:cpu,cpuacct:/x\n4:memory:/body\n0::/\n',
    'memory/body/memory.oom_control',
    'under_oom 0\noom_kill N\n',
  ],
  ['v1, in a container', '4:memory:/docker/a\n', 'memory/memory.oom_control', 'oom_kill N\n'],
])('out-of-memory kills are distinguished from others: %s', (_name, groups, file, content) => {
  const cgroup = mkdtempSync(join(tmpdir(), 'oom-'));
  onTestFinished(() => rmSync(cgroup, { recursive: true }));
  const self = join(cgroup, 'self');
  writeFileSync(self, groups);
  mkdirSync(dirname(join(cgroup, file)), { recursive: true });
  const kills = (count: number) => writeFileSync(join(cgroup, file), content.replace('N', String(count)));
  kills(2);
  const watch = new OomWatch({ cgroup, self });
  expect(watch.happened()).toBe(false);
  kills(3);
  expect(watch.happened()).toBe(true);
  expect(watch.happened()).toBe(false);
  expect(watch.count).toBe(1);
});

test('without the kernel’s file, the result is unknown', () => {
  expect(new OomWatch({ cgroup: '/none', self: '/none' }).happened()).toBeUndefined();
});
