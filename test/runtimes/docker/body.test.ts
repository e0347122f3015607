import type { ContainerInfo, ContainerInspectInfo } from 'dockerode';
import { expect, test } from 'vitest';
import { bodyFromInspect, bodyFromList } from '../../../src/runtimes/docker/body.ts';

const ID = 'c0ffee00'.repeat(8);
const WORKER = '8af550c9-e6f6-4240-afb4-16f025f2838c';
const LABELS = {
  'worker-manager.managed': 'true',
  'worker-manager.cell': 'here',
  'worker-manager.worker-id': WORKER,
  'worker-manager.incarnation': '3',
  'worker-manager.spec-hash': 'abc',
  'worker-manager.spec': '{"agent_type":"CUSTOM"}',
};
const NEVER = '0001-01-01T00:00:00Z';

/** The relevant fields of Docker 20.10.24's answers. */
function inspected(state: object, labels: Record<string, string> = LABELS): ContainerInspectInfo {
  const State = {
    Status: 'running',
    Running: true,
    Paused: false,
    Restarting: false,
    OOMKilled: false,
    Dead: false,
    Pid: 42,
    ExitCode: 0,
    Error: '',
    StartedAt: '2026-11-21T10:32:49.627471923Z',
    FinishedAt: NEVER,
    ...state,
  };
  return {
    Id: ID,
    Created: '2026-11-21T10:32:49.085Z',
    State,
    Config: { Image: 'worker:123456789abc', Labels: labels },
    NetworkSettings: { Networks: { 'wm-here': { IPAddress: '172.18.0.2' } } },
  } as unknown as ContainerInspectInfo;
}

test('a running container with all fields of its labels', () => {
  expect(bodyFromInspect(inspected({}), 'here')).toEqual({
    id: ID,
    runtime: 'docker',
    worker_id: WORKER,
    incarnation: 3,
    spec_hash: 'abc',
    spec: '{"agent_type":"CUSTOM"}',
    state: 'running',
    created_at: Date.parse('2026-11-21T10:32:49Z'),
    started_at: Date.parse('2026-11-21T10:32:49.627Z'),
    ip_address: '172.18.0.2',
    image: 'worker:123456789abc',
  });
});

const ENDED = { FinishedAt: '2026-11-21T10:33:00Z' };
test.each([
  ['created', { Status: 'created', StartedAt: NEVER }, { state: 'created' }],
  [
    'could not be started',
    { Status: 'created', ExitCode: 127, Error: 'no such file', StartedAt: NEVER },
    { state: 'exited', exit_code: 127, error: 'no such file' },
  ],
  ['paused', { Status: 'paused', Paused: true }, { state: 'running', paused: true }],
  [
    'restarting with Running true',
    { Status: 'restarting', Restarting: true, ExitCode: 1 },
    { state: 'running' },
  ],
  [
    'exited',
    { Status: 'exited', ...ENDED, ExitCode: 3 },
    { state: 'exited', exit_code: 3, oom_killed: false },
  ],
  [
    'killed',
    { Status: 'exited', ...ENDED, ExitCode: 137 },
    { state: 'exited', exit_code: 137, oom_killed: false },
  ],
  [
    'out of memory',
    { Status: 'exited', ...ENDED, ExitCode: 137, OOMKilled: true },
    { state: 'exited', exit_code: 137, oom_killed: true },
  ],
  ['dead with Running true', { Status: 'dead', Running: true, Dead: true }, { state: 'exited' }],
  ['removing', { Status: 'removing', Running: false }, { state: 'exited' }],
  ['a word of a later engine', { Status: 'hibernating' }, { state: 'running' }],
])('a container that is %s', (_what, state, expected) => {
  const body = bodyFromInspect(inspected(state), 'here');
  expect(body).toMatchObject(expected);
  if (body?.state !== 'exited') expect(body).not.toHaveProperty('exit_code');
});

test('zero times are absent', () => {
  const body = bodyFromInspect(inspected({ Status: 'created', StartedAt: NEVER }), 'here');
  expect(body?.started_at).toBeUndefined();
  expect(body?.finished_at).toBeUndefined();
});

test.each([
  ['another cell', { ...LABELS, 'worker-manager.cell': 'there' }],
  ['no managed label', { ...LABELS, 'worker-manager.managed': 'no' }],
  ['an id that is not a UUID', { ...LABELS, 'worker-manager.worker-id': '__proto__' }],
  ['no labels', {}],
])('a container with %s is not a body of the cell', (_what, labels) => {
  expect(bodyFromInspect(inspected({}, labels), 'here')).toBeUndefined();
  const line = {
    Id: ID,
    Labels: labels,
    State: 'running',
    Created: 1,
    Image: 'x',
  } as unknown as ContainerInfo;
  expect(bodyFromList(line, 'here')).toBeUndefined();
});

test('labels that are unreadable do not hide the body', () => {
  const labels = { ...LABELS, 'worker-manager.incarnation': 'x', 'worker-manager.spec': '' };
  expect(bodyFromInspect(inspected({}, labels), 'here')).toMatchObject({ incarnation: 0, spec: '' });
});

test('a line of a list gives the state and the exit code', () => {
  const line = {
    Id: ID,
    Image: 'worker:123456789abc',
    Created: 1795257169,
    Labels: LABELS,
    State: 'exited',
    Status: 'Exited (3) 2 seconds ago',
    NetworkSettings: { Networks: { 'wm-here': { IPAddress: '' } } },
  } as unknown as ContainerInfo;
  const body = bodyFromList(line, 'here');
  expect(body).toMatchObject({ state: 'exited', created_at: 1795257169000, worker_id: WORKER });
  expect(body?.exit_code).toBe(3);
  expect(body?.ip_address).toBeUndefined();
});
