/**
 * Conditions of a request on the entity tag of a file, as RFC 9110 has them: `If-Match` for a file that is still the same,
 * `If-None-Match: *` for one that does not exist.
 */
import type { BigIntStats } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Fault } from '../../../src/model/values/fault.ts';
import { etagOf } from './describe-file.ts';
import { showPath } from './file-fault.ts';

/** The file is not as the request requires; 412. */
export class FailedCondition extends Fault {
  readonly status = 412;
}

/** `*`, or tags with their quotes, and `W/` before a weak one. */
type Tags = '*' | readonly string[];

export interface FileConditions {
  /** Only a name that is not there may be written. */
  isNew: boolean;
  /** Only a file that is there may be replaced. */
  isOld: boolean;
  /** Throws `FailedCondition` if the file is not the one of `If-Match`. */
  checkMatch(stats: BigIntStats | undefined, path: string): void;
  /** The same for both headers; for changes. */
  check(stats: BigIntStats | undefined, path: string): void;
}

/** Throws a Fault if a condition cannot be read: a change must not ignore it. */
export function readConditions({ method = '', headers }: IncomingMessage): FileConditions {
  const match = readTags(headers, 'if-match');
  // To a reader it only says what need not be sent.
  const noneMatch = ['GET', 'HEAD'].includes(method) ? undefined : readTags(headers, 'if-none-match');
  const checkMatch: FileConditions['check'] = (stats, path) => {
    const tag = stats && etagOf(stats);
    if (!match || (match === '*' ? tag : tag && match.includes(tag))) return;
    if (!tag) throw noFile(path);
    throw new FailedCondition(
      'conflict',
      `${showPath(path)} was changed: it is not the file of If-Match. Read it again.`,
      { reason: 'changed' },
    );
  };
  return {
    isNew: noneMatch === '*',
    isOld: match !== undefined,
    checkMatch,
    check(stats, path) {
      checkMatch(stats, path);
      if (!stats || !noneMatch || (noneMatch !== '*' && !hasTag(noneMatch, etagOf(stats)))) return;
      throw new FailedCondition(
        'conflict',
        `${showPath(path)} exists already, which If-None-Match does not allow.`,
        { reason: 'exists' },
      );
    },
  };
}

/** There is nothing that `If-Match` could be about. */
export const noFile = (path: string): FailedCondition =>
  new FailedCondition('conflict', `${showPath(path)} does not exist, but If-Match requires it.`, {
    reason: 'no_file',
  });

/** Whether a client that sent `If-None-Match` has this content; it need not be sent again. */
export const isKnown = ({ headers }: Pick<IncomingMessage, 'headers'>, tag: string): boolean => {
  const tags = parseTags(headers['if-none-match']);
  return tags !== undefined && (tags === '*' || hasTag(tags, tag));
};

/** RFC 9110's weak comparison, which `If-None-Match` has. */
const hasTag = (tags: readonly string[], tag: string) => tags.some((one) => one.replace(/^W\//, '') === tag);

function readTags(headers: IncomingMessage['headers'], name: 'if-match' | 'if-none-match'): Tags | undefined {
  if (headers[name] === undefined) return undefined;
  const tags = parseTags(headers[name]);
  if (tags) return tags;
  const message = 'must be * or entity tags in quotes';
  throw new Fault('invalid_command', `The request was refused: the header ${name} ${message}.`, {
    issues: [{ path: name, message }],
  });
}

function parseTags(header: string | undefined): Tags | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === '*') return '*';
  const tags = header.split(',').map((tag) => tag.trim());
  return tags.every((tag) => TAG.test(tag)) ? tags : undefined;
}

const TAG = /^(?:W\/)?"[\x21\x23-\x2b\x2d-\x7e\x80-\xff]*"$/;
