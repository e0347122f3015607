/** Pools over HTTP: changes are written to the command stream, and data is read from the store. */
import { z } from 'zod';
import { Fault, missingPool, type NodeView, POOL_LIMIT, type PoolView, poolSpec } from '../../model/index.ts';
import type { ApiPlugin } from '../api.ts';
import { commandFor, type SendCommand } from '../commands.ts';
import { errorResponses } from '../schemas/errors.ts';
import { poolApplied, poolScaled, poolView, workerStats } from '../schemas/pools.ts';
import { toWorkerStats } from '../workers/worker-stats.ts';

export interface PoolRoutesDeps {
  views: () => Promise<PoolView[]>;
  /** The manually started nodes. */
  nodes: () => Promise<NodeView[]>;
  sendCommand: SendCommand;
}

const tags = ['pools'];
const params = z.object({ name: z.string() });
const deleted = z.object({ pool: z.string() });
type Applied = z.infer<typeof poolApplied>;

export const createPoolRoutes =
  ({ views, nodes, sendCommand }: PoolRoutesDeps): ApiPlugin =>
  async (app) => {
    app.get(
      '/v1/pools',
      {
        schema: {
          tags,
          operationId: 'listPools',
          summary: 'List all pools and the load of their workers',
          response: {
            200: z.object({ pools: z.array(poolView), worker_stats: workerStats }),
            ...errorResponses(),
          },
        },
      },
      async (_request, reply) => {
        const [pools, external] = await Promise.all([views(), nodes()]);
        return reply.send({ pools, worker_stats: toWorkerStats(pools, external) });
      },
    );

    app.post(
      '/v1/pools',
      {
        schema: {
          tags,
          operationId: 'applyPool',
          summary: 'Create or update a pool',
          body: poolSpec,
          response: { 200: poolApplied, 201: poolApplied, ...errorResponses(409, 413, 422, 429) },
        },
      },
      async (request, reply) => {
        const applied = await commandFor<Applied>(request, sendCommand, {
          command: 'apply',
          pool: request.body,
        });
        return reply.code(applied.change === 'created' ? 201 : 200).send(applied);
      },
    );

    app.get(
      '/v1/pools/:name',
      {
        schema: {
          tags,
          operationId: 'getPool',
          summary: 'Show a pool',
          params,
          response: { 200: poolView, ...errorResponses(404) },
        },
      },
      async ({ params: { name } }, reply) => {
        const found = (await views()).find((pool) => pool.name === name);
        if (!found) throw missingPool(name);
        return reply.send(found);
      },
    );

    app.put(
      '/v1/pools/:name',
      {
        // The name may be omitted, because the path has it.
        preValidation: async (request) => {
          const { name } = request.params;
          const body = request.body as unknown;
          if (typeof body !== 'object' || body === null || Array.isArray(body)) return;
          request.body = { name, ...body } as never;
          if (request.body.name !== name)
            throw new Fault(
              'invalid_command',
              `The pool in the body does not have the name in the path, ${name}.`,
            );
        },
        schema: {
          tags,
          operationId: 'putPool',
          summary: 'Create or update the pool of that name',
          params,
          body: poolSpec,
          response: { 200: poolApplied, 201: poolApplied, ...errorResponses(409, 413, 422, 429) },
        },
      },
      async (request, reply) => {
        const applied = await commandFor<Applied>(request, sendCommand, {
          command: 'apply',
          pool: request.body,
        });
        return reply.code(applied.change === 'created' ? 201 : 200).send(applied);
      },
    );

    app.delete(
      '/v1/pools/:name',
      {
        schema: {
          tags,
          operationId: 'deletePool',
          summary: 'Delete a pool after its workers have finished their tasks',
          params,
          response: { 200: deleted, ...errorResponses(404) },
        },
      },
      async (request, reply) => {
        const { name } = request.params;
        const fields = { command: 'delete_pool', pool: name };
        return reply.send(await commandFor<z.infer<typeof deleted>>(request, sendCommand, fields));
      },
    );

    app.post(
      '/v1/pools/:name/scale',
      {
        schema: {
          tags,
          operationId: 'scalePool',
          summary: 'Set the number of workers of a pool',
          params,
          body: z.object({ count: z.number().int().min(0).max(POOL_LIMIT) }),
          response: {
            200: poolScaled,
            ...errorResponses(404, 409, 413, 422, 429),
          },
        },
      },
      async (request, reply) => {
        const { name } = request.params;
        const { count } = request.body;
        const fields = { command: 'scale', pool: name, count };
        return reply.send(await commandFor<z.infer<typeof poolScaled>>(request, sendCommand, fields));
      },
    );
  };
