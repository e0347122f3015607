import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DoorService } from './door-service.ts';
import { passToDoor } from './pass-to-door.ts';

/** What every route of files has, after validation. */
interface Validated {
  params: { worker_id: string; '*': string };
  query: { wait_seconds: number };
}

/** A handler that passes a request for a file on as it was sent. */
export const createFileHandler =
  (doors: DoorService, kind: 'files' | 'archive' | 'watch') =>
  (request: FastifyRequest, reply: FastifyReply) => {
    const { params, query } = request as Validated;
    const search = /\?[^#]*/.exec(request.url)?.[0] ?? '';
    return passToDoor(doors, request, reply, {
      worker_id: params.worker_id,
      kind: 'files',
      path: `/${kind}/${params['*']}${search}`,
      waitSeconds: query.wait_seconds,
    });
  };
