import { z } from 'zod';
import { WORKER_STATUSES } from '../../model/index.ts';
import { isVisibleTo, readAncestors } from '../caller.ts';
import { defineTool, findWorker, toShortView } from '../tool.ts';
import { workerRef } from './inputs.ts';

const PAGE = 50;

export const statusTool = defineTool({
  name: 'status',
  title: 'Show a worker',
  description: 'Shows the state of a worker, and the reason for it.',
  input: z.strictObject({ worker: workerRef }),
  annotations: { readOnlyHint: true },
  async run({ worker }, call) {
    const view = await findWorker(worker, call);
    const { image, restarts, started_at, finished_at, labels } = view;
    const parents = readAncestors(labels) ?? [];
    return {
      ...toShortView(view),
      image,
      restarts,
      started_at,
      finished_at,
      depth: parents.length,
      parent: parents.at(-1) ?? null,
    };
  },
});

export const listTool = defineTool({
  name: 'list',
  title: 'List workers',
  description: 'Lists the workers that were created with these tools, in the order of their creation.',
  input: z.strictObject({
    status: z.enum(WORKER_STATUSES).optional().describe('only workers in this state'),
    cursor: z
      .string()
      .regex(/^\d{1,15}-[0-9a-f-]{36}$/, 'must be the next_cursor of an answer')
      .optional()
      .describe('next_cursor of the answer before'),
  }),
  annotations: { readOnlyHint: true },
  async run({ status, cursor }, { caller, services }) {
    const { items, next } = await services.workers.page({
      limit: PAGE,
      cursor,
      keep: (view) => isVisibleTo(caller, view.labels) && (status === undefined || view.status === status),
    });
    return {
      workers: items.map((view) => ({
        ...toShortView(view),
        parent: readAncestors(view.labels)?.at(-1) ?? null,
      })),
      next_cursor: next ?? null,
    };
  },
});
