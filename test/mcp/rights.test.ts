/** Whether an agent can get a worker that may do more than allowed. */
import { describe, expect, test } from 'vitest';
import { isVisibleTo, MCP_LABEL, type McpWorker, toChildLabels } from '../../src/mcp/caller.ts';
import type { McpLimits } from '../../src/mcp/limits.ts';
import { limitWorker, type WantedWorker } from '../../src/mcp/rights.ts';
import { Fault, type WorkerSpec, workerSpec } from '../../src/model/index.ts';

const NOW = Date.parse('2026-01-01T01:00:00Z');
const LIMITS: McpLimits = {
  maxWorkers: 5,
  maxSeconds: 7200,
  maxDepth: 2,
  images: ['team/agent:1'],
  secrets: ['ANTHROPIC_API_KEY'],
  url: 'http://manager:8080',
};
const CAT: WantedWorker = { agent_type: 'CUSTOM', command_line: ['cat'] };
const PARENT = '11111111-1111-4111-8111-111111111111';
const GRANDPARENT = '22222222-2222-4222-8222-222222222222';

function parentWith(fields: Partial<WorkerSpec>, more: Partial<McpWorker> = {}): McpWorker {
  const spec = workerSpec.parse({ ...CAT, runtime: 'docker', ...fields });
  return { kind: 'worker', id: PARENT, ancestors: [], spec, created_at: '2026-01-01T00:00:00Z', ...more };
}

/** The paths of the fields that are refused; empty if it is allowed. */
function refusals(caller: Parameters<typeof limitWorker>[0], wanted: Partial<WantedWorker>): string[] {
  try {
    limitWorker(caller, { ...CAT, ...wanted }, LIMITS, NOW);
    return [];
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    expect(error.code).toBe('unsupported');
    return error.issues?.map(({ path }) => path) ?? ['depth'];
  }
}

describe("the operator's agent", () => {
  const operator = { kind: 'operator' } as const;
  test.each<[Partial<WantedWorker>, string[]]>([
    [{ secrets: ['ANTHROPIC_API_KEY', 'WM_TOKEN'], image: 'team/agent:1', ttl_seconds: 7200 }, []],
    [{ secrets: ['ANTHROPIC_API_KEY', 'DEPLOY_KEY'] }, ['secrets']],
    [{ image: 'team/agent:2' }, ['image']],
    [{ ttl_seconds: 7201 }, ['ttl_seconds']],
    [{ modules: ['GIT', 'DOCKER'] }, ['modules']],
  ])('asks for %j: %j', (wanted, expected) => expect(refusals(operator, wanted)).toEqual(expected));

  test('gets a worker that ends, and is marked as one of the tools', () => {
    expect(limitWorker(operator, CAT, LIMITS, NOW)).toEqual({
      ...CAT,
      ttl_seconds: 7200,
      labels: { [MCP_LABEL]: '' },
    });
  });
});

test('a worker with a token gets the address of the manager', () => {
  const wanted = { ...CAT, secrets: ['WM_TOKEN'] };
  expect(limitWorker({ kind: 'operator' }, wanted, LIMITS, NOW).env).toEqual({
    WM_URL: 'http://manager:8080',
  });
});

describe('the agent of a worker', () => {
  const locked = parentWith({
    allowed_commands: ['git', 'cat'],
    modules: ['GIT'],
    secrets: ['WM_TOKEN', 'A'],
    env: { ANTHROPIC_BASE_URL: 'http://model' },
    resources: { memory: '512m', cpus: 1 },
    ttl_seconds: 5400,
  });

  test.each<[Partial<WantedWorker>, string[]]>([
    [{ allowed_commands: ['git'], modules: ['GIT'], secrets: ['A'], ttl_seconds: 1800 }, []],
    [{ resources: { memory: '512m', cpus: 0.5 } }, []],
    [{ allowed_commands: ['git', 'python3'] }, ['allowed_commands']],
    [{ command_line: ['python3', '-c', ''] }, ['command_line']],
    [{ command_line: ['/usr/bin/git'] }, ['command_line']],
    [{ modules: ['GIT', 'CURL'] }, ['modules']],
    // Not those that the operator allows his own agent.
    [{ secrets: ['ANTHROPIC_API_KEY'] }, ['secrets']],
    [{ resources: { memory: '513m' } }, ['resources.memory']],
    [
      { resources: { memory: '1g', cpus: 2, pids: 8 } },
      ['resources.memory', 'resources.cpus', 'resources.pids'],
    ],
    [{ image: 'alpine' }, ['image']],
    [{ ttl_seconds: 1801 }, ['ttl_seconds']],
    [{ agent_type: 'TASK' }, ['agent_type']],
  ])('asks for %j: %j', (wanted, expected) => expect(refusals(locked, wanted)).toEqual(expected));

  test('gets what its own worker has, and no more time', () => {
    expect(limitWorker(locked, CAT, LIMITS, NOW)).toMatchObject({
      runtime: 'docker',
      allowed_commands: ['git', 'cat'],
      env: { ANTHROPIC_BASE_URL: 'http://model' },
      resources: { memory: '512m', cpus: 1 },
      ttl_seconds: 1800,
      labels: { [MCP_LABEL]: PARENT },
    });
  });

  test('keeps the image of its worker, or takes one that the operator allows', () => {
    const imaged = parentWith({ image: 'own:1' });
    expect(limitWorker(imaged, CAT, LIMITS, NOW)).toMatchObject({ image: 'own:1' });
    expect(refusals(imaged, { image: 'team/agent:1' })).toEqual([]);
    expect(refusals(imaged, { image: 'own:2' })).toEqual(['image']);
  });

  test('cannot go deeper than the operator allows', () => {
    const deep = parentWith({}, { ancestors: [GRANDPARENT] });
    expect(limitWorker(deep, CAT, LIMITS, NOW).labels).toEqual({ [MCP_LABEL]: `${GRANDPARENT} ${PARENT}` });
    expect(refusals(parentWith({}, { ancestors: [GRANDPARENT, GRANDPARENT] }), {})).toEqual(['depth']);
  });

  test('sees its descendants only', () => {
    const caller = parentWith({});
    const own = toChildLabels(caller);
    const grandchild = toChildLabels({ ...caller, id: GRANDPARENT, ancestors: [PARENT] });
    const others = [{}, { [MCP_LABEL]: '' }, { [MCP_LABEL]: GRANDPARENT }, { other: PARENT }];
    expect([own, grandchild, ...others].map((labels) => isVisibleTo(caller, labels))).toEqual([
      ...[true, true, false, false, false, false],
    ]);
    expect([own, ...others].map((labels) => isVisibleTo({ kind: 'operator' }, labels))).toEqual([
      ...[true, false, true, true, false],
    ]);
  });
});
