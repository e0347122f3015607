/** Where a stream of events begins, by the query and the headers of its request. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { DURATION_ALLOWED, Fault, parseDuration } from '../../model/index.ts';
import { isEntryId, LAST_SEQUENCE } from '../../model/messages/entry-id.ts';

/** The query of a stream. */
export const streamQuery = z.strictObject({
  since: z
    .string()
    .max(64)
    .optional()
    .describe('begin after this entry ID, at this time (RFC 3339), or this long ago (`10m`)'),
  tail: z.coerce.number().int().min(0).max(100_000).optional().describe('begin with the last entries'),
  follow: z
    .enum(['true', 'false'])
    .default('true')
    .describe('`false`: end at the present end instead of waiting for more'),
});
export type StreamQuery = z.infer<typeof streamQuery>;

/** The headers of a request for a stream. */
export const streamHeaders = z.object({
  'last-event-id': z.string().optional().describe('continue after this event; before `since` and `tail`'),
});

/** Where a stream begins: after an entry ID, or with the last entries; `undefined` for all entries. */
export function getStart(
  request: Pick<FastifyRequest, 'headers'>,
  { since, tail }: Pick<StreamQuery, 'since' | 'tail'>,
  now: number,
): { after: string } | { tail: number } | undefined {
  const last = request.headers['last-event-id'];
  if (typeof last === 'string' && last !== '') {
    if (isEntryId(last)) return { after: last };
    throw refuse('Last-Event-ID', 'must be the ID of an event of this stream');
  }
  if (since !== undefined && tail !== undefined) throw refuse('tail', 'cannot be combined with since');
  if (tail !== undefined) return { tail };
  if (since === undefined) return undefined;
  if (isEntryId(since) && since.includes('-')) return { after: since };
  const seconds = parseDuration(since);
  const at = seconds === undefined ? toTime(since) : now - seconds * 1000;
  if (at === undefined)
    throw refuse('since', `must be an entry ID, a time in RFC 3339, or ${DURATION_ALLOWED}`);
  return { after: `${Math.max(0, Math.floor(at) - 1)}-${LAST_SEQUENCE}` };
}

function toTime(text: string): number | undefined {
  const at = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

const refuse = (path: string, message: string) =>
  new Fault('invalid_command', `The request was refused: ${path} ${message}.`, {
    issues: [{ path, message }],
  });
