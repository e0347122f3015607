import { expect, test } from 'vitest';
import { diffPool } from '../../src/pools/diff.ts';
import { computeRevision, createMemberSpec, templateIssues, toTemplate } from '../../src/pools/template.ts';
import { poolOf } from './observation.ts';

const record = (spec = poolOf({ count: 3 }), desired: 'running' | 'deleted' = 'running') => ({
  spec,
  desired,
  generation: 1,
  created_at: '',
  request_id: 'r',
});

test('a difference names each field, and whether workers are replaced', () => {
  expect(diffPool(undefined, poolOf({ count: 3 }))).toMatchObject({ change: 'created', fields: [] });
  expect(diffPool(record(), poolOf({ count: 3 }))).toMatchObject({
    change: 'unchanged',
    replaces: false,
  });
  expect(diffPool(record(poolOf({ count: 3 }), 'deleted'), poolOf({ count: 3 }))).toMatchObject({
    change: 'created',
  });
  expect(diffPool(record(), poolOf({ count: 5 }))).toEqual({
    name: 'jobs',
    change: 'configured',
    replaces: false,
    fields: [{ path: 'count', before: 3, after: 5 }],
  });
  const other = poolOf({ count: 3, concurrency: 4, update: { max_surge: 2 } });
  expect(diffPool(record(), other)).toMatchObject({ change: 'configured', replaces: true });
  expect(diffPool(record(poolOf({ count: 0 })), poolOf({ count: 0, concurrency: 2 })).replaces).toBe(false);
});

test('workers are replaced only if their template changes', () => {
  const base = computeRevision(poolOf({ count: 3 }));
  for (const same of [
    { count: 5 },
    { execution_mode: 'docker' as const },
    { drain_seconds: 5 },
    { tasks: { queue_size: 9 } },
  ])
    expect(computeRevision(poolOf({ count: 3, ...same }))).toBe(base);
  for (const other of [
    { concurrency: 2 },
    { handlers: ['other.py'] },
    { max_job_time: 60 },
    { cpus: 1 },
    { env: { A: 'b' } },
  ])
    expect(computeRevision(poolOf({ count: 3, ...other }))).not.toBe(base);
});

test('a worker of a pool has its name, its grace and its place', () => {
  const id = '6f9c0a56-0000-4000-8000-000000000001';
  const spec = poolOf({ count: 1, worker_type: 'cruncher', max_job_time: '5m', memory_limit: '64m' });
  expect(createMemberSpec(spec, { id, index: 3, runtime: 'process', warm: false })).toMatchObject({
    name: `direct-cruncher-3-${id}`,
    agent_type: 'TASK',
    pool: 'jobs',
    worker_type: 'cruncher',
    stop_grace_seconds: 300,
    max_job_time_seconds: 300,
    restart_policy: 'always',
    runtime: 'process',
    resources: { memory: '64m' },
    pool_revision: computeRevision(spec),
  });
  const agents = poolOf({
    handlers: undefined,
    warm: 1,
    template: { agent_type: 'CLAUDE', instructions: 'Be brief.' },
  });
  expect(createMemberSpec(agents, { id, index: 1, runtime: 'docker', warm: true })).toMatchObject({
    name: `docker-jobs-1-${id}`,
    agent_type: 'CLAUDE',
    warm: true,
  });
  expect(templateIssues(agents)).toEqual([]);
});

test.each([
  ['task workers in Docker', {}, 'docker', 600, '1g'],
  ['direct task workers', {}, 'process', 600, undefined],
  ['a pool that names its own', { max_job_time: '5m', memory_limit: '64m' }, 'process', 300, '64m'],
  ['a pool that wants none', { max_job_time: 'none', memory_limit: 'none' }, 'docker', undefined, undefined],
  ['agents', { handlers: undefined, template: { agent_type: 'CLAUDE' } }, 'docker', undefined, undefined],
] as const)('the limits of %s', (_, fields, runtime, seconds, memory) => {
  const made = toTemplate(poolOf({ count: 1, ...fields }), runtime);
  expect([made.max_job_time_seconds, made.resources?.memory]).toEqual([seconds, memory]);
});

test('a leaving worker has the grace period of its pool, not the default', () => {
  const graceOf = (fields: object) =>
    toTemplate(poolOf({ count: 1, ...fields }), 'docker').stop_grace_seconds;
  expect([graceOf({}), graceOf({ max_job_time: 'none' }), graceOf({ max_job_time: 90 })]).toEqual([
    60, 60, 90,
  ]);
});

test('packages of a pool are part of its template in Docker', () => {
  const spec = poolOf({
    count: 1,
    requirements: 'six\n# none\n',
    packages: ['jq'],
    execution_mode: 'docker',
  });
  expect(toTemplate(spec, 'docker')).toMatchObject({ requirements: ['six'], packages: ['jq'] });
  expect(toTemplate(spec, 'process')).not.toHaveProperty('requirements');
  expect(templateIssues(spec)).toEqual([]);
});
