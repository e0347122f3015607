/** A worker that is created while its creator is deleted. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { McpWorker } from '../../src/mcp/caller.ts';
import type { ToolCall } from '../../src/mcp/tool.ts';
import { createTool } from '../../src/mcp/tools/create.ts';
import { workerSpec } from '../../src/model/index.ts';

const CAT = { agent_type: 'CUSTOM', command_line: ['cat'] };

test.each([
  ['its creator', 1],
  ['the creator of its creator', 0],
])('a worker does not outlive %s, which is deleted at that moment', async (_name, which) => {
  const ancestors = [randomUUID()];
  const [id, child] = [randomUUID(), randomUUID()];
  const deleted = [...ancestors, id][which];
  const commands: object[] = [];
  const caller: McpWorker = {
    kind: 'worker',
    id,
    ancestors,
    spec: workerSpec.parse({ ...CAT, runtime: 'process' }),
    created_at: '2026-01-01T00:00:00Z',
  };
  const workers = {
    now: () => Date.parse('2026-01-01T01:00:00Z'),
    page: async () => ({ items: [] }),
    get: async (worker_id: string) => ({ desired: worker_id === deleted ? 'deleted' : 'running' }),
    sendCommand: async (command: object) => {
      commands.push(command);
      return { worker_id: child };
    },
  };
  const call = {
    caller,
    services: { workers },
    limits: { maxWorkers: 5, maxSeconds: 7200, maxDepth: 3, images: [], secrets: [], url: undefined },
    signal: new AbortController().signal,
    progress: () => {},
  } as unknown as ToolCall;
  await expect(createTool.run({ ...CAT, wait_seconds: 0 }, call)).rejects.toMatchObject({ code: 'conflict' });
  expect(commands).toMatchObject([
    { command: 'create' },
    { command: 'delete', worker_id: child, reason: `Its creator ${deleted} was deleted` },
  ]);
});
