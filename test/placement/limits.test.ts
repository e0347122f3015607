import { expect, test } from 'vitest';
import type { CommandContext } from '../../src/commands/context.ts';
import { Fault, parseMemory, workerSpec } from '../../src/model/index.ts';
import { rejectUnenforcedLimits } from '../../src/placement/limits.ts';

const supported = { supported: true, how: 'cgroup v1' };
const GIB = 1024 ** 3;
const runtimes = [
  {
    name: 'process',
    info: {
      name: 'process',
      version: '1',
      limits: { memory: supported, cpus: supported, pids: supported },
      machine: { cores: 2, memory_bytes: 24 * GIB, local: true },
    },
  },
] as const;

function refused(resources: object): Fault | undefined {
  try {
    rejectUnenforcedLimits(resources, 'process', { runtimes } as unknown as CommandContext);
    return undefined;
  } catch (error) {
    return error as Fault;
  }
}

test.each([
  [{ memory: '25g' }, 'resources.memory', 'is 25g, but the machine has 25.8GB'],
  [{ memory: '8000000g' }, 'resources.memory', 'is 8000000g'],
  [{ cpus: 2.5 }, 'resources.cpus', 'is 2.5, but the machine has 2'],
])('more than the machine has is refused with capacity when it is asked for: %j', (asked, path, message) => {
  const fault = refused(asked);
  expect(fault).toBeInstanceOf(Fault);
  expect(fault?.code).toBe('capacity');
  expect(fault?.issues).toEqual([{ path, message: expect.stringContaining(message) }]);
});

test('everything that the machine has can be requested', () => {
  expect(refused({ memory: '24g', cpus: 2, pids: 4_194_304 })).toBeUndefined();
});

test('a size that no machine has, and that no number holds exactly, is refused', () => {
  expect(parseMemory('8388608g')).toBeUndefined();
  expect(parseMemory('999999999999999999999g')).toBeUndefined();
  expect(parseMemory('8388607g')).toBe(8_388_607 * GIB);
  const given = { agent_type: 'CUSTOM', command_line: ['x'], runtime: 'process' };
  const issues = workerSpec.safeParse({ ...given, resources: { memory: '99999999999g' } }).error?.issues;
  expect(issues?.[0]?.path).toEqual(['resources', 'memory']);
});
