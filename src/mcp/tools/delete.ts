import { z } from 'zod';
import { defineTool, findWorker, untilLateOr } from '../tool.ts';
import { waitField, workerRef } from './inputs.ts';

export const deleteTool = defineTool({
  name: 'delete',
  title: 'Delete a worker',
  description:
    'Ends a worker and deletes its record and its files. What it has created continues until its own time is over.',
  input: z.strictObject({
    worker: workerRef,
    wait_seconds: waitField(30, 'how long to wait until it is gone'),
  }),
  annotations: { destructiveHint: true, idempotentHint: true },
  async run({ worker, wait_seconds }, call) {
    const { services, signal } = call;
    const { worker_id } = await findWorker(worker, call);
    const { workers } = services;
    const command = { command: 'delete', worker_id, reason: 'Deleted with the tools of MCP' };
    await workers.sendCommand(command);
    const { outcome } = await workers.waitFor(worker_id, 'deleted', untilLateOr(signal, wait_seconds));
    return { worker_id, deleted: outcome === 'reached' };
  },
});
