import { encodeName } from '../check-values.ts';
import type { FileContent, FileTransport } from '../door-transports.ts';
import { toConnectionLoss } from '../errors.ts';
import type { RequestOptions } from '../request-options.ts';
import type { FileEvent, FileInfo, Page } from '../types.ts';
import { readEventStream } from './event-stream.ts';
import type { HttpRequest, HttpRequester } from './request.ts';

const toPath = (id: string, kind: 'files' | 'archive' | 'watch', path: string) =>
  `/v1/workers/${encodeName(id)}/${kind}/${path}`;
/** As long as the transfer takes. */
const untimed = ({ signal, timeoutMs = Number.POSITIVE_INFINITY }: RequestOptions) => ({ signal, timeoutMs });

export const createHttpFiles = (requester: HttpRequester): FileTransport => {
  const read = async (request: HttpRequest, { signal }: RequestOptions) => {
    const response = await requester.open(request, signal ?? new AbortController().signal);
    return cutAsError(response.body as ReadableStream<Uint8Array>, signal);
  };
  /**
   * Repeated unless the content is a stream, of which nothing is kept, or there are conditions, which the repetition of a write that
   * was done would not meet.
   */
  const write = async <T>(
    request: HttpRequest,
    content: FileContent,
    options: RequestOptions,
  ): Promise<T> => {
    const type = 'application/octet-stream';
    const body = toBody(content);
    const full = { ...request, body: { type, ...body } };
    const isConditional = Object.keys(request.headers ?? {}).length > 0;
    return 'stream' in body || isConditional
      ? requester.once<T>(full, untimed(options))
      : requester.json<T>(full, untimed(options));
  };
  return {
    readFile: (id, path, range, options) =>
      read(
        {
          method: 'GET',
          path: toPath(id, 'files', path),
          headers: {
            accept: 'application/octet-stream',
            ...(range && { range: `bytes=${range[0]}-${range[1] ?? ''}` }),
          },
        },
        options,
      ),
    writeFile: (id, path, content, { mode, ifMatch, ifNoneMatch, ...options }) => {
      const query = { mode: mode?.toString(8).padStart(3, '0') };
      const headers = {
        ...(ifMatch !== undefined && { 'if-match': ifMatch }),
        ...(ifNoneMatch !== undefined && { 'if-none-match': ifNoneMatch }),
      };
      const request: HttpRequest = { method: 'PUT', path: toPath(id, 'files', path), query, headers };
      return write<FileInfo>(request, content, options);
    },
    statFile: (id, path, options) =>
      requester.get<FileInfo>(toPath(id, 'files', path), options, { stat: 'true' }),
    listFiles: (id, path, { limit, cursor, ...options }) =>
      requester.get<Page<FileInfo>>(toPath(id, 'files', path), options, { list: 'true', limit, cursor }),
    async makeFolder(id, path, options) {
      const request: HttpRequest = {
        method: 'POST',
        path: toPath(id, 'files', path),
        query: { mkdir: 'true' },
      };
      return (await requester.onceWithStatus(request, options)).status === 201;
    },
    moveFile: (id, path, to, options) =>
      // The new path is encoded already, and a query would encode it again.
      requester.once<FileInfo>(
        { method: 'POST', path: `${toPath(id, 'files', path)}?move_to=${to}` },
        options,
      ),
    async removeFile(id, path, options) {
      const request: HttpRequest = {
        method: 'DELETE',
        path: toPath(id, 'files', path),
        query: { recursive: 'true' },
      };
      await requester.once(request, untimed(options));
    },
    readArchive: (id, path, options) =>
      read(
        { method: 'GET', path: toPath(id, 'archive', path), headers: { accept: 'application/x-tar' } },
        options,
      ),
    writeArchive: (id, path, tar, options) =>
      write({ method: 'PUT', path: toPath(id, 'archive', path) }, tar, options),
    async *watchFiles(id, path, recursive, signal) {
      const request: HttpRequest = {
        method: 'GET',
        path: toPath(id, 'watch', path),
        query: { recursive },
        headers: { accept: 'text/event-stream' },
      };
      const response = await requester.open(request, signal);
      for await (const { event, data } of readEventStream(response.body, signal)) {
        const { type: file_type, ...fields } = JSON.parse(data) as { path: string; type?: FileInfo['type'] };
        yield { ...fields, type: event as FileEvent['type'], ...(file_type && { file_type }) };
      }
    },
  };
};

function toBody(
  content: FileContent,
): { bytes: Uint8Array } | { blob: Blob } | { stream: ReadableStream<Uint8Array> } {
  if (typeof content === 'string') return { bytes: new TextEncoder().encode(content) };
  if (content instanceof Uint8Array) return { bytes: content };
  return content instanceof Blob ? { blob: content } : { stream: content };
}

/** A stream that was cut rejects with a ManagerError, as everything else here. */
function cutAsError(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          controller.error(signal?.aborted ? signal.reason : toConnectionLoss(error));
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
