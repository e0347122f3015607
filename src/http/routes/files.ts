/** Files in the workspaces of workers over HTTP. The body's door does it all; this checks parameters and documents them. */
import { z } from 'zod';
import { fileInfo, fileList } from '../../model/doors/file.ts';
import type { ApiPlugin } from '../api.ts';
import type { DoorService } from '../doors/door-service.ts';
import { createFileHandler } from '../doors/pass-file.ts';
import { withRawBodies } from '../doors/pass-to-door.ts';
import { doorQuery, waitSeconds } from '../schemas/doors.ts';
import { apiError, errorResponses } from '../schemas/errors.ts';
import {
  conditions,
  emptyResponse,
  FILE_BYTES,
  FILE_INFO,
  fileMode,
  fileParams,
  flag,
  uploadBody,
} from '../schemas/files.ts';

const tags = ['files'];
const refusals = [404, 409, 412, 422, 429] as const;
export const createFileRoutes =
  ({ doors }: { doors: DoorService }): ApiPlugin =>
  async (app) => {
    const pass = createFileHandler(doors, 'files');
    const files = '/v1/workers/:worker_id/files/*';
    await app.register(
      withRawBodies(async (raw) => {
        raw.get(
          files,
          {
            exposeHeadRoute: false,
            schema: {
              tags,
              operationId: 'readFile',
              summary: 'Read a file, or list a folder',
              description:
                'Without parameters, the content of a file; a header `Range` selects a part, `If-None-Match` skips a file that the client has, and `If-Match` requires that it is still the same. `list` gives a page of a folder, and `stat` what is known of one file. Symbolic links are followed if they stay in the workspace.',
              params: fileParams,
              querystring: z.strictObject({
                list: flag.describe('list the folder'),
                stat: flag.describe('describe the file, and do not send its content'),
                follow: z
                  .enum(['true', 'false'])
                  .optional()
                  .describe('with `stat`: whether a symbolic link is followed; `true` by default'),
                limit: z.coerce
                  .number()
                  .int()
                  .min(1)
                  .max(10_000)
                  .optional()
                  .describe('with `list`: files on a page, by default 1000'),
                cursor: z
                  .string()
                  .max(1024)
                  .optional()
                  .describe('with `list`: next_cursor of the previous page'),
                wait_seconds: waitSeconds,
              }),
              response: {
                200: {
                  description: 'The file, a page of the folder, or what is known of the file.',
                  content: {
                    'application/octet-stream': FILE_BYTES,
                    'application/json': { schema: z.union([fileList, fileInfo]) },
                  },
                },
                206: {
                  description: 'The selected part.',
                  content: { 'application/octet-stream': FILE_BYTES },
                },
                304: emptyResponse('The file still has the ETag of If-None-Match.'),
                416: {
                  description: 'The file has no such part.',
                  content: { 'application/json': { schema: apiError } },
                },
                ...errorResponses(...refusals),
              },
            },
          },
          pass,
        );
        raw.head(
          files,
          {
            config: { swagger: { exposeHeadRoute: true } },
            schema: {
              tags,
              operationId: 'headFile',
              summary: 'Get size, permissions and time of a file or folder as headers',
              description:
                'The headers are `Content-Length`, `ETag`, `Last-Modified` and `X-File-Type`, `-Mode`, `-Size`, `-Uid`, `-Gid` and `-Modified-At`.',
              params: fileParams,
              querystring: doorQuery,
              response: { 200: emptyResponse('It exists.'), ...errorResponses(...refusals) },
            },
          },
          pass,
        );
        raw.put(
          files,
          {
            schema: {
              tags,
              operationId: 'writeFile',
              summary: 'Write a file',
              description:
                'The body of the request becomes the content, of any size. The file appears when it is complete; an upload that is cut leaves nothing. Missing folders are created. With `If-Match`, only the version with this `ETag` is replaced; with `If-None-Match: *`, only a file that does not exist is written.',
              body: uploadBody('application/octet-stream', 'the bytes of the file'),
              params: fileParams,
              querystring: z.strictObject({ mode: fileMode, wait_seconds: waitSeconds }),
              headers: conditions,
              response: {
                200: { description: 'The file was replaced.', content: FILE_INFO },
                201: { description: 'The file was created.', content: FILE_INFO },
                ...errorResponses(...refusals),
              },
            },
          },
          pass,
        );
        raw.post(
          files,
          {
            schema: {
              tags,
              operationId: 'postFile',
              summary: 'Create a folder, or move a file or folder',
              description:
                'Either `mkdir` or `move_to` is required. Missing folders above are created. A move replaces a file at the new path; with `If-Match`, only the version with this `ETag` is moved.',
              params: fileParams,
              querystring: z
                .strictObject({
                  mkdir: flag.describe('create a folder; one that exists is a success'),
                  move_to: z
                    .string()
                    .min(1)
                    .max(16_384)
                    .optional()
                    .describe('the new path from the workspace, percent-encoded'),
                  mode: fileMode,
                  wait_seconds: waitSeconds,
                })
                .refine((query) => (query.mkdir === undefined) !== (query.move_to === undefined), {
                  path: ['mkdir'],
                  message: 'is required, or `move_to`, but not both',
                }),
              headers: conditions.pick({ 'if-match': true }),
              response: {
                200: { description: 'It existed already, or a file was replaced.', content: FILE_INFO },
                201: { description: 'It was created or moved.', content: FILE_INFO },
                ...errorResponses(...refusals),
              },
            },
          },
          pass,
        );
        raw.delete(
          files,
          {
            schema: {
              tags,
              operationId: 'deleteFile',
              summary: 'Remove a file or folder',
              description:
                'A symbolic link is removed, and not what it leads to. With `If-Match`, only the version with this `ETag` is removed.',
              params: fileParams,
              querystring: z.strictObject({
                recursive: z
                  .enum(['true', 'false'])
                  .default('false')
                  .describe('whether a folder may have content'),
                wait_seconds: waitSeconds,
              }),
              headers: conditions.pick({ 'if-match': true }),
              response: { 204: emptyResponse('It was removed.'), ...errorResponses(...refusals) },
            },
          },
          pass,
        );
      }),
    );
  };
