import { describe, expect, test } from 'vitest';
import { type WorkerSpec, workerSpec } from '../../../src/model/index.ts';
import { changedLimits, findMismatch, toWarmSpec } from '../../../src/pools/warm/match.ts';

const ALL = new Set(['memory', 'cpus', 'pids'] as const);
const specOf = (more: Partial<WorkerSpec> = {}): WorkerSpec =>
  workerSpec.parse({ agent_type: 'CLAUDE', runtime: 'docker', ...more });
const template = specOf({
  modules: ['GIT', 'CURL'],
  allowed_commands: ['git', 'awk'],
  agent_version: '2.1.329',
  resources: { memory: '512m', pids: 256 },
  instructions: 'Be brief.',
  env: { A: '1' },
  pool: 'agents',
  pool_revision: 'r1',
  idle_timeout_seconds: 60,
  ttl_seconds: 600,
  secrets: ['KEY'],
});
const warm = toWarmSpec(template);
const { pool: _, pool_revision: __, ...plain } = template;

/** What a create changes against the pool's template, and the field that forbids it. */
const CASES: [title: string, change: Partial<WorkerSpec>, why: string | undefined][] = [
  ['the template itself', {}, undefined],
  ['another agent', { agent_type: 'FACTORY' }, 'agent_type'],
  ['another version', { agent_version: '2.1.330' }, 'agent_version'],
  ['an image', { image: 'mine:1' }, 'image'],
  ['another runtime', { runtime: 'process' }, 'runtime'],
  ['the default protocol by name', { protocol: 'lines' }, undefined],
  ['another protocol', { protocol: 'acp' }, 'protocol'],
  ['modules in another order', { modules: ['CURL', 'GIT'] }, undefined],
  ['one module more', { modules: ['CURL', 'GIT', 'COPIER'] }, 'modules'],
  ['no modules', { modules: [] }, 'modules'],
  ['commands in another order', { allowed_commands: ['awk', 'git'] }, undefined],
  ['another command', { allowed_commands: ['awk', 'curl'] }, 'allowed_commands'],
  ['no command at all', { allowed_commands: [] }, 'allowed_commands'],
  ['instructions, prompt and name', { instructions: 'Be long.', prompt: 'Go', name: 'x' }, undefined],
  ['variables', { env: { B: '2' } }, undefined],
  ['secrets', { secrets: ['OTHER'] }, undefined],
  ['clocks and policies', { ttl_seconds: 1, restart_policy: 'always', stop_grace_seconds: 1 }, undefined],
  ['the same memory in other words', { resources: { memory: '0.5g', pids: 256 } }, undefined],
  ['another memory', { resources: { memory: '1g', pids: 256 } }, undefined],
  ['one limit more', { resources: { memory: '512m', pids: 256, cpus: 2 } }, undefined],
  ['one limit less', { resources: { memory: '512m' } }, 'resources.pids'],
];

describe('a create against a warm worker', () => {
  test.each(CASES)('%s', (_title, change, why) => {
    expect(findMismatch(warm, { ...plain, ...change }, ALL)).toBe(why);
  });

  test('an unrestricted command does not match a restricted one', () => {
    const { allowed_commands: _none, ...open } = plain;
    expect(findMismatch(warm, open, ALL)).toBe('allowed_commands');
    expect(findMismatch(toWarmSpec(open), { ...open, allowed_commands: [] }, ALL)).toBe('allowed_commands');
  });

  test('a limit that the runtime cannot change later has to be equal', () => {
    const more = { ...plain, resources: { memory: '1g', pids: 256 } };
    expect(findMismatch(warm, more, new Set(['pids']))).toBe('resources.memory');
    expect(changedLimits(warm, more)).toEqual(['memory']);
    expect(changedLimits(warm, plain)).toEqual([]);
  });

  test('a warm worker keeps nothing that is set later, and is read as a spec', () => {
    for (const field of ['instructions', 'env', 'secrets', 'idle_timeout_seconds', 'ttl_seconds'] as const)
      expect(warm[field]).toBeUndefined();
    expect(workerSpec.parse(warm)).toEqual(warm);
    expect(warm).toMatchObject({ warm: true, pool: 'agents', pool_revision: 'r1' });
  });
});
