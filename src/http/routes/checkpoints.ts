/** Checkpoints over HTTP: take, list, show, download and delete them. */
import type { Readable } from 'node:stream';
import { z } from 'zod';
import {
  ARCHIVE_TYPES,
  type CheckpointView,
  checkpointDetails,
  checkpointId,
  checkpointView,
} from '../../model/index.ts';
import type { ApiPlugin } from '../api.ts';
import type { CheckpointService } from '../doors/checkpoint-service.ts';
import { createCursor, parseCursor } from '../list-cursor.ts';
import { doorQuery } from '../schemas/doors.ts';
import { errorResponses } from '../schemas/errors.ts';
import { workerParams } from '../schemas/workers.ts';

const tags = ['checkpoints'];
const params = z.object({ checkpoint_id: checkpointId.describe('ID of the checkpoint') });
const listQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(256).optional().describe('next_cursor of the previous page'),
});
const page = z.object({ items: z.array(checkpointView), next_cursor: z.string().nullable() });
const binary = { schema: z.string().meta({ format: 'binary' }) };
/** When the last checkpoint of a page was created, and its ID. */
const POSITION = /^[\d:.TZ+-]{1,40} [0-9a-f-]{36}$/;

/** The routes of the checkpoints of one worker, which may be deleted by now. */
export const createWorkerCheckpointRoutes =
  (service: CheckpointService): ApiPlugin =>
  async (app) => {
    app.post(
      '/v1/workers/:worker_id/checkpoints',
      {
        schema: {
          tags,
          operationId: 'createCheckpoint',
          summary: 'Save the workspace of a running worker',
          description:
            'All files, untracked ones and those of git as well, without what `.workerignore` names; and the conversation of the agent after its last turn. The agent is not stopped: a file that it writes meanwhile is saved as it is read.',
          params: workerParams,
          querystring: doorQuery,
          response: { 201: checkpointView, ...errorResponses(404, 409, 422, 429) },
        },
      },
      async (request, reply) => {
        const gone = new AbortController();
        reply.raw.once('close', () => gone.abort());
        const { worker_id } = request.params;
        const options = { trigger: 'request', waitSeconds: request.query.wait_seconds } as const;
        const { spec: _, ...view } = await service.take(worker_id, { ...options, signal: gone.signal });
        return reply.status(201).header('location', `/v1/checkpoints/${view.checkpoint_id}`).send(view);
      },
    );

    app.get(
      '/v1/workers/:worker_id/checkpoints',
      {
        schema: {
          tags,
          operationId: 'listWorkerCheckpoints',
          summary: 'List the checkpoints of a worker, newest first',
          description: 'By its ID, also those of a deleted worker.',
          params: workerParams,
          querystring: listQuery,
          response: { 200: page, ...errorResponses(404) },
        },
      },
      async ({ params: { worker_id }, query }, reply) =>
        reply.send(paginate(await service.list(worker_id), { ...query, worker_id })),
    );
  };

/** The routes of all checkpoints. */
export const createCheckpointRoutes =
  (service: CheckpointService): ApiPlugin =>
  async (app) => {
    app.get(
      '/v1/checkpoints',
      {
        schema: {
          tags,
          operationId: 'listCheckpoints',
          summary: 'List all checkpoints, newest first',
          querystring: listQuery,
          response: { 200: page, ...errorResponses() },
        },
      },
      async ({ query }, reply) => reply.send(paginate(await service.list(), query)),
    );

    app.get(
      '/v1/checkpoints/:checkpoint_id',
      {
        schema: {
          tags,
          operationId: 'getCheckpoint',
          summary: 'Show a checkpoint, with the spec of its worker',
          params,
          response: { 200: checkpointDetails, ...errorResponses(404) },
        },
      },
      async (request, reply) => reply.send(await service.get(request.params.checkpoint_id)),
    );

    app.delete(
      '/v1/checkpoints/:checkpoint_id',
      {
        schema: {
          tags,
          operationId: 'deleteCheckpoint',
          summary: 'Delete a checkpoint, and return what it was',
          params,
          response: { 200: checkpointView, ...errorResponses(404) },
        },
      },
      async (request, reply) => {
        const { spec: _, ...view } = await service.remove(request.params.checkpoint_id);
        return reply.send(view);
      },
    );

    app.get(
      '/v1/checkpoints/:checkpoint_id/archive',
      {
        exposeHeadRoute: false,
        schema: {
          tags,
          operationId: 'downloadCheckpoint',
          summary: 'Download the archive of a checkpoint',
          description:
            'A tar, compressed as its `format` says. Its content is that of a worker, so unpack it only where that may be trusted.',
          params,
          response: {
            200: {
              description: 'The archive.',
              content: { 'application/zstd': binary, 'application/gzip': binary },
            },
            ...errorResponses(404),
          },
        },
      },
      async (request, reply) => {
        const { checkpoint, stream } = await service.open(request.params.checkpoint_id);
        const { raw } = reply;
        // What is damaged at its beginning still gets an error response.
        await begins(stream);
        if (raw.destroyed) {
          stream.destroy();
          return reply;
        }
        reply.hijack();
        raw.once('close', () => stream.destroy());
        stream.once('error', () => raw.destroy());
        raw.writeHead(200, {
          ...(reply.getHeaders() as Record<string, string>),
          'content-type': ARCHIVE_TYPES[checkpoint.format],
          'content-length': checkpoint.bytes,
          'content-disposition': `attachment; filename="${checkpoint.checkpoint_id}.${checkpoint.format}"`,
          etag: `"${checkpoint.sha256}"`,
        });
        stream.pipe(raw);
        return reply;
      },
    );
  };

/** Rejects if nothing of a stream can be read. */
const begins = (stream: Readable) =>
  new Promise<void>((resolve, reject) => {
    stream.once('readable', resolve).once('close', resolve).once('error', reject);
  });

function paginate(
  all: CheckpointView[],
  { limit, cursor, worker_id }: { limit: number; cursor?: string | undefined; worker_id?: string },
): z.infer<typeof page> {
  const filters = { worker_id };
  const after = parseCursor('checkpoints', filters, cursor, POSITION);
  // The checkpoint at the end of the last page may have been deleted.
  const rest = after === undefined ? all : all.filter((one) => toPosition(one) < after);
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  const more = last !== undefined && limit < rest.length;
  return {
    items: items.map((one) => checkpointView.parse(one)),
    next_cursor: more ? createCursor('checkpoints', filters, toPosition(last)) : null,
  };
}

const toPosition = ({ created_at, checkpoint_id }: CheckpointView) => `${created_at} ${checkpoint_id}`;
