import type { InputMessage } from '../../src/model/messages/message.ts';
import type { Issue } from '../../src/model/values/fault.ts';
import { PROMPT_DEADLINE_SECONDS, REQUEST_ID_LIMIT, TEXT_LIMIT } from '../../src/model/values/limits.ts';

/** Maximum length of a readable entry: the longest prompt with every character escaped. */
const ENTRY_LIMIT = 6 * TEXT_LIMIT + 4096;

export type ReadResult =
  | { ok: true; message: InputMessage }
  | { ok: false; issues: Issue[]; requestId?: string };

const FIELDS: Record<InputMessage['type'], string[]> = {
  prompt: ['type', 'content', 'request_id', 'deadline_seconds', 'retry'],
  interrupt: ['type', 'request_id'],
  shutdown: ['type', 'request_id'],
};

/**
 * Reads an entry of the input stream, with the same rules as `inputMessage` of the model but without zod:
 * loading zod would add a third to every body's start time and double its memory. A test compares the two.
 */
export function readMessage(data: string | undefined): ReadResult {
  if (data === undefined) return reject('data', 'is missing: an entry has one field, `data`');
  if (data.length > ENTRY_LIMIT) return reject('data', `must have at most ${ENTRY_LIMIT} characters`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(data);
  } catch {
    return reject('data', 'is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    return reject('', 'must be an object');
  const message = parsed as Record<string, unknown>;
  const known = FIELDS[message.type as InputMessage['type']];
  const issues: Issue[] = [];
  const demand = (path: string, right: boolean, must: string) => {
    if (!right) issues.push({ path, message: must });
  };
  const { request_id: id, content, deadline_seconds: deadline, retry } = message;
  if (!known || !Object.hasOwn(FIELDS, String(message.type))) {
    demand('type', false, `must be one of ${Object.keys(FIELDS).join(', ')}`);
  } else {
    for (const name of Object.keys(message)) demand(name, known.includes(name), 'is not a known field');
    demand(
      'request_id',
      id === undefined || isText(id, REQUEST_ID_LIMIT),
      `must be a string of at most ${REQUEST_ID_LIMIT} characters`,
    );
  }
  if (message.type === 'prompt') {
    demand('content', isText(content, TEXT_LIMIT), `must be a string of at most ${TEXT_LIMIT} characters`);
    const inTime = typeof deadline === 'number' && deadline > 0 && deadline <= PROMPT_DEADLINE_SECONDS;
    demand(
      'deadline_seconds',
      deadline === undefined || inTime,
      `must be above 0 and at most ${PROMPT_DEADLINE_SECONDS}`,
    );
    demand('retry', retry === undefined || typeof retry === 'boolean', 'must be true or false');
  }
  if (issues.length === 0) return { ok: true, message: message as InputMessage };
  return { ok: false, issues, ...(isText(id, REQUEST_ID_LIMIT) ? { requestId: id } : {}) };
}

function isText(value: unknown, limit: number): value is string {
  return typeof value === 'string' && value.length <= limit;
}

function reject(path: string, message: string): ReadResult {
  return { ok: false, issues: [{ path, message }] };
}
