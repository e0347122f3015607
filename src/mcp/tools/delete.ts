import { z } from 'zod';
import { readAncestors } from '../caller.ts';
import { defineTool, findWorker, type McpServices, untilLateOr } from '../tool.ts';
import { waitField, workerRef } from './inputs.ts';

/** Number of workers that are read at once to find the descendants. */
const PAGE = 1000;

export const deleteTool = defineTool({
  name: 'delete',
  title: 'Delete a worker',
  description: 'Ends a worker, and the workers that it has created, and deletes their records and files.',
  input: z.strictObject({
    worker: workerRef,
    wait_seconds: waitField(30, 'how long to wait until it is gone'),
  }),
  annotations: { destructiveHint: true, idempotentHint: true },
  async run({ worker, wait_seconds }, call) {
    const { services, signal } = call;
    const { worker_id } = await findWorker(worker, call);
    const { workers } = services;
    // First, so that it creates no more.
    await requestDelete(services, worker_id, 'Deleted with the tools of MCP');
    const children = await listDescendants(services, worker_id);
    for (const id of children) await requestDelete(services, id, `Its creator ${worker_id} was deleted`);
    const late = untilLateOr(signal, wait_seconds);
    const ends = [worker_id, ...children].map((id) => workers.waitFor(id, 'deleted', late));
    const outcomes = await Promise.all(ends);
    return {
      worker_id,
      deleted: outcomes.every(({ outcome }) => outcome === 'reached'),
      ...(children.length > 0 && { children }),
    };
  },
});

function requestDelete({ workers }: McpServices, worker_id: string, reason: string): Promise<unknown> {
  const command = { command: 'delete', worker_id, reason };
  return workers.sendCommand(command);
}

async function listDescendants({ workers }: McpServices, id: string): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const { items, next } = await workers.page({
      limit: PAGE,
      cursor,
      keep: ({ labels, desired }) => desired !== 'deleted' && readAncestors(labels)?.includes(id) === true,
    });
    found.push(...items.map(({ worker_id }) => worker_id));
    cursor = next;
  } while (cursor !== undefined);
  return found;
}
