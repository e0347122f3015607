import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pidsOfBody } from '../../../worker-base/sandbox/own-cgroup.ts';

const BODY = 'direct-custom-0-body';

function machine(files: Record<string, string>) {
  const root = mkdtempSync(join(tmpdir(), 'own-cgroup-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return { proc: join(root, 'proc'), mount: join(root, 'cgroup'), self: 42 };
}

describe('the processes of a direct body', () => {
  test('are those of its own cgroup and of the cgroups below it, in v1', () => {
    const at = machine({
      'proc/self/cgroup': `9:name=systemd:/\n8:pids:/worker-manager/cell/${BODY}\n0::/\n`,
      [`cgroup/pids/worker-manager/cell/${BODY}/cgroup.procs`]: '42\n43\n',
      [`cgroup/pids/worker-manager/cell/${BODY}/inner/cgroup.procs`]: '44\n',
    });
    expect(pidsOfBody(BODY, at)).toEqual([42, 43, 44]);
  });

  test('and in v2', () => {
    const at = machine({
      'proc/self/cgroup': `0::/system.slice/worker-manager/cell/${BODY}\n`,
      [`cgroup/system.slice/worker-manager/cell/${BODY}/cgroup.procs`]: '42\n45\n',
    });
    expect(pidsOfBody(BODY, at)).toEqual([42, 45]);
  });

  test('are unknown if the cgroup is not the body’s alone, is not mounted here, or does not hold the wrapper', () => {
    const shared = machine({
      'proc/self/cgroup': '0::/user.slice\n',
      'cgroup/user.slice/cgroup.procs': '42\n',
    });
    const unmounted = machine({ 'proc/self/cgroup': `0::/worker-manager/cell/${BODY}\n` });
    const foreign = machine({
      'proc/self/cgroup': `0::/worker-manager/cell/${BODY}\n`,
      [`cgroup/worker-manager/cell/${BODY}/cgroup.procs`]: '7\n',
    });
    for (const at of [shared, unmounted, foreign]) expect(pidsOfBody(BODY, at)).toBeUndefined();
    expect(pidsOfBody(undefined, shared)).toBeUndefined();
  });
});
