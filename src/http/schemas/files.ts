/** Schemas of files over HTTP. */
import { z } from 'zod';
import { fileInfo } from '../../model/doors/file.ts';
import { workerParams } from './workers.ts';

export const fileParams = workerParams.extend({
  '*': z
    .string()
    .describe(
      'path from the workspace, percent-encoded; empty for the workspace itself. Names are bytes and need not be UTF-8.',
    ),
});
/** The conditions of a change. */
export const conditions = z.looseObject({
  'if-match': z
    .string()
    .max(4096)
    .optional()
    .describe('entity tags, in quotes: only one of these versions is changed; `*` is any'),
  'if-none-match': z
    .string()
    .max(4096)
    .optional()
    .describe('`*`: only a file that does not exist is written'),
});
export const flag = z.enum(['', 'true']).optional();
export const fileMode = z
  .string()
  .regex(/^0?[0-7]{3}$/, 'must be three octal digits such as 644')
  .optional()
  .describe('permissions, such as `644`');
export const FILE_BYTES = {
  schema: z.string().meta({ format: 'binary', description: 'the bytes of the file' }),
};
export const TAR_BYTES = { schema: z.string().meta({ format: 'binary', description: 'a tar archive' }) };
/** The body of a request, which is passed on unread. */
export const uploadBody = (type: string, description: string) => ({
  content: { [type]: { schema: z.any().meta({ type: 'string', format: 'binary', description }) } },
});
export const emptyResponse = (description: string) => z.null().describe(description);
export const FILE_INFO = { 'application/json': { schema: fileInfo } };
export const FILE_EVENTS = {
  schema: z
    .object({
      event: z.enum(['watching', 'create', 'write', 'remove', 'overflow']),
      data: z
        .string()
        .describe('JSON with `path`, `name` and `type`; `overflow` says that changes were missed'),
    })
    .meta({ id: 'FileEvent', description: 'A change in a folder. A move is a `remove` and a `create`.' }),
};
