/** Folders of workers as tar archives, and their changes, over HTTP. */
import { z } from 'zod';
import { unpacked } from '../../model/doors/file.ts';
import type { ApiPlugin } from '../api.ts';
import type { DoorService } from '../doors/door-service.ts';
import { createFileHandler } from '../doors/pass-file.ts';
import { withRawBodies } from '../doors/pass-to-door.ts';
import { doorQuery, waitSeconds } from '../schemas/doors.ts';
import { errorResponses } from '../schemas/errors.ts';
import { FILE_EVENTS, fileParams, TAR_BYTES, uploadBody } from '../schemas/files.ts';

const tags = ['files'];
const refusals = [404, 409, 422, 429] as const;

export const createFileArchiveRoutes = ({ doors }: { doors: DoorService }): ApiPlugin =>
  withRawBodies(async (raw) => {
    raw.get(
      '/v1/workers/:worker_id/archive/*',
      {
        exposeHeadRoute: false,
        schema: {
          tags,
          operationId: 'readArchive',
          summary: 'Read a folder as a tar archive',
          description:
            'The names in the archive are relative to the folder. Symbolic links are in the archive as links. A response that was cut is not a complete archive.',
          params: fileParams,
          querystring: doorQuery,
          response: {
            200: { description: 'The archive.', content: { 'application/x-tar': TAR_BYTES } },
            ...errorResponses(...refusals),
          },
        },
      },
      createFileHandler(doors, 'archive'),
    );
    raw.put(
      '/v1/workers/:worker_id/archive/*',
      {
        schema: {
          tags,
          operationId: 'writeArchive',
          summary: 'Unpack a tar archive into a folder',
          description:
            'The folder is created if it is missing. Each file appears when it is complete. Entries that lead out of the folder, also through links, and devices are refused; owners, setuid and setgid are ignored. Entries before one that is refused stay.',
          body: uploadBody('application/x-tar', 'a tar archive'),
          params: fileParams,
          querystring: doorQuery,
          response: {
            200: {
              description: 'What was unpacked.',
              content: { 'application/json': { schema: unpacked } },
            },
            ...errorResponses(...refusals),
          },
        },
      },
      createFileHandler(doors, 'archive'),
    );
    raw.get(
      '/v1/workers/:worker_id/watch/*',
      {
        exposeHeadRoute: false,
        schema: {
          tags,
          operationId: 'watchFiles',
          summary: 'Follow the changes in a folder',
          description:
            'Events begin after `watching`. After `overflow`, changes were missed: list the folder again.',
          params: fileParams,
          querystring: z.strictObject({
            recursive: z
              .enum(['true', 'false'])
              .default('false')
              .describe('whether folders in it are watched too'),
            wait_seconds: waitSeconds,
          }),
          response: {
            200: { description: 'The changes.', content: { 'text/event-stream': FILE_EVENTS } },
            ...errorResponses(...refusals),
          },
        },
      },
      createFileHandler(doors, 'watch'),
    );
  });
