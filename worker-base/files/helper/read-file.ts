/** Reads a file: whole, a range of it, or only what is known of it. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { sendJson } from '../../../src/http/send-json.ts';
import { Fault } from '../../../src/model/values/fault.ts';
import type { FileCall } from './call.ts';
import { withPlace } from './call.ts';
import { isKnown, readConditions } from './conditions.ts';
import { describeFile, etagOf, modeOf, timeOf, toFileType } from './describe-file.ts';
import { fileFault, showPath } from './file-fault.ts';
import { sendRange } from './send-range.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** GET and HEAD. HEAD also works for folders. */
export async function readFile(call: FileCall): Promise<void> {
  const { request, response } = call;
  const conditions = readConditions(request);
  await withPlace(call, { follow: true }, async (place) => {
    const found = place.stats();
    if (!found) throw fileFault('ENOENT', place.path);
    conditions.checkMatch(found, place.path);
    if (request.method === 'HEAD' && !found.isFile()) {
      response.writeHead(200, { 'x-file-type': toFileType(found), ...headersOf(found) });
      response.end();
      return;
    }
    if (found.isDirectory())
      throw new Fault(
        'conflict',
        `${showPath(place.path)} is a directory: add ?list, or get it as an archive.`,
        {
          reason: 'is_a_directory',
        },
      );
    // A pipe would wait for its other end, and a device may never end.
    if (!found.isFile()) throw notRegular(place.path);
    const fd = openSync(place.file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const stats = fstatSync(fd, { bigint: true });
      if (!stats.isFile()) throw notRegular(place.path);
      conditions.checkMatch(stats, place.path);
      const etag = etagOf(stats);
      const size = Number(stats.size);
      const about = { etag, 'x-file-type': 'file', ...headersOf(stats), 'accept-ranges': 'bytes' };
      if (isKnown(request, etag)) {
        response.writeHead(304, about).end();
        return;
      }
      const condition = request.headers['if-range'];
      const wanted =
        condition === undefined || condition === etag ? parseRange(request.headers.range, size) : undefined;
      if (wanted === 'none') {
        const fault = new Fault(
          'invalid_command',
          `${showPath(place.path)} has only ${size} bytes, so it has no such range.`,
          { reason: 'range' },
        );
        const { code, message, reason } = fault;
        sendJson(
          response,
          416,
          { error: { code, message, reason }, detail: message },
          {
            'content-range': `bytes */${size}`,
          },
        );
        return;
      }
      const { from, to } = wanted ?? { from: 0, to: size - 1 };
      response.writeHead(wanted ? 206 : 200, {
        ...about,
        'content-type': 'application/octet-stream',
        'content-length': to - from + 1,
        ...(wanted && { 'content-range': `bytes ${from}-${to}/${size}` }),
      });
      if (request.method === 'HEAD' || to < from) {
        response.end();
        return;
      }
      // A file that gets shorter meanwhile breaks the connection, because its length was promised.
      if (await sendRange(response, fd, { from, to })) response.end();
      else response.destroy();
    } finally {
      closeSync(fd);
    }
  });
}

/** What is known of a file, as JSON. */
export async function statFile(call: FileCall): Promise<void> {
  await withPlace(call, { follow: call.query.get('follow') !== 'false' }, (place) => {
    const stats = place.stats();
    if (!stats) throw fileFault('ENOENT', place.path);
    sendJson(call.response, 200, describeFile(place, stats), { etag: etagOf(stats) });
  });
}

const notRegular = (path: string) =>
  new Fault('conflict', `${showPath(path)} is a pipe, a socket or a device, and has no content.`, {
    reason: 'not_a_file',
  });

const headersOf = (stats: Parameters<typeof modeOf>[0]) => ({
  'last-modified': new Date(timeOf(stats)).toUTCString(),
  'x-file-mode': modeOf(stats),
  'x-file-size': String(stats.size),
  'x-file-uid': String(stats.uid),
  'x-file-gid': String(stats.gid),
  'x-file-modified-at': timeOf(stats),
});

/** One range in bytes; undefined if the whole file is to be sent, `none` if the file has no such range. */
export function parseRange(
  header: string | undefined,
  size: number,
): { from: number; to: number } | 'none' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header?.replaceAll(' ', '') ?? '') ?? [];
  // RFC 9110: a header that is not understood, such as one with several ranges, is ignored.
  if (first === '' && last === '') return undefined;
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === '' || last === '' ? size - 1 : Math.min(size - 1, Number(last));
  if (first !== '' && last !== '' && Number(last) < from) return undefined;
  return from >= size || (first === '' && Number(last) === 0) ? 'none' : { from, to };
}
