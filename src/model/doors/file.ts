/** Files of workers, as they are reported. */
import { z } from 'zod';

export const FILE_TYPES = ['file', 'directory', 'symlink', 'other'] as const;

export const fileInfo = z
  .object({
    name: z.string().describe('the name; bytes that are not UTF-8 are replaced by U+FFFD'),
    path: z
      .string()
      .describe('from the workspace, percent-encoded as in URLs, so that every name can be written'),
    type: z.enum(FILE_TYPES).describe('`other` is a pipe, a socket or a device'),
    size: z.number().int().describe('bytes'),
    mode: z.string().describe('permissions, such as `0644`'),
    uid: z.number().int(),
    gid: z.number().int(),
    modified_at: z.string(),
    etag: z
      .string()
      .describe('the entity tag, which changes with the content: for `If-Match` and `If-None-Match`'),
    target: z.string().optional().describe('what a symbolic link contains'),
  })
  .meta({ id: 'FileInfo', description: 'A file, folder or link in the workspace of a worker.' });
export type FileReport = z.infer<typeof fileInfo>;

export const fileList = z.object({
  items: z.array(fileInfo),
  next_cursor: z.string().nullable().describe('for the next page'),
});

/** What an archive has added. */
export const unpacked = z.object({
  files: z.number().int().describe('number of files, links included'),
  directories: z.number().int(),
  bytes: z.number().int().describe('sum of the sizes of the files'),
});
export type Unpacked = z.infer<typeof unpacked>;
