/** The door's routes of the workspace as a whole: pack it, and fill an empty one. */
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { jsonResponse } from '../../../src/http/route.ts';
import { Fault } from '../../../src/model/values/fault.ts';
import {
  ARCHIVE_FORMAT_HEADER,
  ARCHIVE_FORMATS,
  ARCHIVE_PARTS_TYPE,
  ARCHIVE_TYPES,
  ARCHIVE_WARNINGS,
  CHANGES_FORMATS,
  CHANGES_TYPES,
  COMMIT_ID,
} from '../../../src/model/worker/archive-format.ts';
import { packWorkspace } from '../../archive/pack.ts';
import { toArchive, toFrames } from '../../archive/part-frames.ts';
import { getSentArchives } from '../../archive/sent-archives.ts';
import type { DoorRequest, DoorRoute } from '../route.ts';

/** How long an archive waits for the conversation of the last turn; Redis may be away. Milliseconds. */
const STORE_MS = 10_000;

export const workspaceRoutes: DoorRoute[] = [
  { method: 'GET', path: '/workspace', handle: send },
  { method: 'PUT', path: '/workspace', handle: receive },
  { method: 'GET', path: '/changes', handle: sendChanges },
];

/**
 * Sends the archive; what could not be read follows as a trailer. `final=true` is the one that a stop waits for. With `id`,
 * it is sent in parts, and remembered as the checkpoint of that ID; `base` is one whose chunks the manager has.
 */
async function send({ body, query, response }: DoorRequest): Promise<void> {
  const done = query.get('final') === 'true' ? body.lastCopy?.begin() : undefined;
  try {
    const environment = await body.environment();
    // The manager reads the conversation when the archive begins: it must not be older than the files.
    await Promise.race([body.turnsStored?.().catch(() => {}), delay(STORE_MS, undefined, { ref: false })]);
    if (response.destroyed) return;
    const { privileges } = environment;
    const id = query.get('id') ?? undefined;
    const sent = getSentArchives(environment);
    const known = id === undefined ? undefined : sent.find(query.get('base'));
    const packing = await packWorkspace({ privileges, settings: body.settings }, known);
    const { format, parts, warnings, index } = packing;
    // An archive that fails at once is an error, and not a broken connection.
    const first = await parts.next();
    const type = id === undefined ? ARCHIVE_TYPES[format] : ARCHIVE_PARTS_TYPE;
    response.writeHead(200, {
      'content-type': type,
      [ARCHIVE_FORMAT_HEADER]: format,
      trailer: ARCHIVE_WARNINGS,
    });
    await pipeline(id === undefined ? toArchive(first, parts) : toFrames(first, parts), response, {
      end: false,
    });
    if (id !== undefined) sent.remember(id, index());
    response.addTrailers({ [ARCHIVE_WARNINGS]: JSON.stringify(warnings()) });
    response.end();
    await once(response, 'close').catch(() => {});
  } finally {
    done?.();
  }
}

/** Sends what has changed since a commit, or the repository. */
async function sendChanges({ body, query, response }: DoorRequest): Promise<void> {
  const format = CHANGES_FORMATS.find((one) => one === query.get('format')) ?? 'patch';
  const base = query.get('base') ?? '';
  if (base !== '' && !COMMIT_ID.test(base))
    throw new Fault('invalid_command', 'The request was refused: base must be the ID of a commit.');
  const { readChanges } = await import('../../archive/changes.ts');
  const stream = await readChanges(await body.environment(), { base, format }, body.settings.bodyId);
  if (response.destroyed) {
    stream.destroy();
    return;
  }
  response.writeHead(200, { 'content-type': CHANGES_TYPES[format] });
  await pipeline(stream, response);
}

/** Takes the archive that the boot waits for; with `error`, the reason why there is none. */
async function receive({ body, query, request, response }: DoorRequest): Promise<void> {
  const { filler } = body;
  if (!filler)
    throw new Fault('conflict', 'This body does not wait for an archive.', { reason: 'not_waiting' });
  const error = query.get('error');
  if (error !== null) filler.fail(error);
  else {
    const format = ARCHIVE_FORMATS.find((one) => ARCHIVE_TYPES[one] === request.headers['content-type']);
    if (!format) throw new Fault('invalid_command', 'The type of the archive is not known.');
    await filler.fill(request, format);
  }
  const { body: text, headers } = jsonResponse(200, {});
  response.writeHead(200, headers);
  response.end(text);
}
