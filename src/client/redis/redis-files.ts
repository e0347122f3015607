/** Files over Redis alone: a message on the input stream, answered on the output stream. Up to 8 MiB each. */
import { Fault, FILE_MESSAGE_BYTES, fileMessage } from '../../model/index.ts';
import type { FileContent, FileTransport } from '../door-transports.ts';
import type { RequestOptions } from '../request-options.ts';
import { askBody, needsHttp } from './ask-body.ts';
import type { RedisCell } from './redis-cell.ts';

const unsupported = needsHttp(
  'Over Redis, files can be read and written; everything else needs the HTTP API of a manager.',
);

export const createRedisFiles = (cell: RedisCell): FileTransport => ({
  readFile: (id, path, range, options) =>
    cell.run(options, async () => {
      const [offset, last] = range ?? [];
      const length = last === undefined || offset === undefined ? undefined : last - offset + 1;
      const part = { ...(offset !== undefined && { offset }), ...(length !== undefined && { length }) };
      const pieces = await askForFile(
        cell,
        id,
        { type: 'read_file', path: decodePath(path), ...part },
        options,
      );
      const bytes = pieces.map(({ content, base64 }) =>
        Buffer.from(base64 ?? content, base64 ? 'base64' : 'utf8'),
      );
      return new Blob(bytes).stream();
    }),
  writeFile: (id, path, content, { mode, ifMatch, ifNoneMatch, ...options }) =>
    cell.run(options, async () => {
      // A body repeats a request that was cut, and would find what it has written itself.
      if (ifMatch !== undefined || ifNoneMatch !== undefined)
        throw new Fault(
          'unsupported',
          'Over Redis, a write has no conditions. Use the HTTP API of a manager.',
        );
      const bytes = await toBytes(content);
      const message = {
        type: 'write_file',
        path: decodePath(path),
        content_base64: bytes.toString('base64'),
        ...(mode !== undefined && { mode: mode.toString(8).padStart(3, '0') }),
      };
      const [answer] = await askForFile(cell, id, message, options);
      const written = decodePath(path);
      return {
        name: written.split('/').at(-1) ?? '',
        path,
        type: 'file' as const,
        size: answer?.size ?? bytes.length,
        mode: answer?.mode ?? '',
        uid: answer?.uid ?? 0,
        gid: answer?.gid ?? 0,
        modified_at: answer?.modified_at ?? '',
        etag: answer?.etag ?? '',
      };
    }),
  statFile: unsupported,
  listFiles: unsupported,
  makeFolder: unsupported,
  moveFile: unsupported,
  removeFile: unsupported,
  readArchive: unsupported,
  writeArchive: unsupported,
  // biome-ignore lint/correctness/useYield: it throws instead
  async *watchFiles() {
    await unsupported();
  },
});

/** The entries that answer a message. */
interface FileEntry {
  type: string;
  request_id?: string;
  content: string;
  base64?: string;
  last?: boolean;
  size?: number;
  mode?: string;
  uid?: number;
  gid?: number;
  modified_at?: string;
  etag?: string;
  code?: Fault['code'];
  error?: string;
  reason?: string;
  issues?: { path: string; message: string }[];
}

async function askForFile(
  cell: RedisCell,
  worker_id: string,
  fields: object,
  { signal = new AbortController().signal }: RequestOptions,
): Promise<FileEntry[]> {
  const found: FileEntry[] = [];
  for await (const entry of askBody<FileEntry>(cell, worker_id, { schema: fileMessage, fields }, signal)) {
    if (entry.type !== 'file') continue;
    const { code, error, reason, issues } = entry;
    if (code !== undefined)
      throw new Fault(code, error ?? '', { ...(reason && { reason }), ...(issues && { issues }) });
    found.push(entry);
    if (entry.last) return found;
  }
  throw new Fault('unavailable', 'The body of the worker ended before it answered.', { reason: 'body_lost' });
}

async function toBytes(content: FileContent): Promise<Buffer> {
  const bytes =
    typeof content === 'string' || content instanceof Uint8Array
      ? Buffer.from(content as string)
      : Buffer.from(await new Response(content).arrayBuffer());
  if (bytes.length <= FILE_MESSAGE_BYTES) return bytes;
  const what = `Over Redis, a file of at most ${FILE_MESSAGE_BYTES} bytes can be written; this one has ${bytes.length}. Use the HTTP API.`;
  throw new Fault('invalid_command', what, { reason: 'too_large' });
}

/** Messages have names as text. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new Fault('unsupported', 'Over Redis, the names of files have to be UTF-8. Use the HTTP API.');
  }
}
