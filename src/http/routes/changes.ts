/** What has changed in the workspace of a worker, as git shows it. */
import { z } from 'zod';
import { CHANGES_FORMATS } from '../../model/index.ts';
import type { ApiPlugin } from '../api.ts';
import type { DoorService } from '../doors/door-service.ts';
import { passToDoor } from '../doors/pass-to-door.ts';
import { waitSeconds } from '../schemas/doors.ts';
import { errorResponses } from '../schemas/errors.ts';
import { workerParams } from '../schemas/workers.ts';

export interface ChangesDeps {
  doors: DoorService;
  /** The commit that a worker's workspace was filled with; undefined if it is not known. */
  startCommit: (workerId: string) => Promise<string | undefined>;
}

const text = { schema: z.string() };

export const createChangesRoutes =
  ({ doors, startCommit }: ChangesDeps): ApiPlugin =>
  async (app) => {
    app.get(
      '/v1/workers/:worker_id/changes',
      {
        exposeHeadRoute: false,
        schema: {
          tags: ['checkpoints'],
          operationId: 'getChanges',
          summary: 'Show what has changed in the workspace of a worker, with git',
          description:
            'With untracked files, and without those that git ignores. In a workspace that is not a repository, all files are new. The worker needs git.',
          params: workerParams,
          querystring: z.strictObject({
            since: z
              .enum(['start', 'head'])
              .default('start')
              .describe(
                'the commit that the workspace was filled with by `workspace.source` or `from_checkpoint`, or HEAD; without the former, HEAD as well',
              ),
            format: z
              .enum(CHANGES_FORMATS)
              .default('patch')
              .describe('a patch for `git apply`, statistics, names, or the repository as a bundle of git'),
            wait_seconds: waitSeconds,
          }),
          response: {
            200: {
              description: 'The changes.',
              content: {
                'text/x-diff': text,
                'text/plain': text,
                'application/x-git-bundle': { schema: z.string().meta({ format: 'binary' }) },
              },
            },
            ...errorResponses(404, 409, 422, 429),
          },
        },
      },
      async (request, reply) => {
        const { worker_id } = request.params;
        const { since, format, wait_seconds } = request.query;
        const base = since === 'start' ? ((await startCommit(worker_id)) ?? '') : '';
        return passToDoor(doors, request, reply, {
          worker_id,
          kind: 'checkpoint',
          path: `/changes?format=${format}&base=${base}`,
          waitSeconds: wait_seconds,
        });
      },
    );
  };
