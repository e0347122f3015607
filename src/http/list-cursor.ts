/** Cursors of lists: the position after a page, bound to the list and its filters. */
import { createHash } from 'node:crypto';
import { Fault } from '../model/index.ts';

/** An opaque cursor for the next page of this list. */
export function createCursor(list: string, filters: object, position: string): string {
  return Buffer.from(`${digest(list, filters)}${position}`).toString('base64url');
}

/** The position in a cursor; throws a Fault `invalid_command` if it is not a cursor of this list with these filters. */
export function parseCursor(
  list: string,
  filters: object,
  cursor: string | undefined,
  pattern: RegExp,
): string | undefined {
  if (cursor === undefined) return undefined;
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const position = text.slice(LENGTH);
  if (text.slice(0, LENGTH) === digest(list, filters) && pattern.test(position)) return position;
  const message = 'must be the next_cursor of the same list with the same filters';
  throw new Fault('invalid_command', `The request was refused: cursor ${message}.`, {
    issues: [{ path: 'cursor', message }],
  });
}

const LENGTH = 8;

function digest(list: string, filters: object): string {
  const sorted = Object.entries(filters)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([list, sorted]))
    .digest('hex')
    .slice(0, LENGTH);
}
