/** Validates requests with the zod schemas of their routes. */
import type { FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import { Fault, findPoison, type Issue, toIssues } from '../model/index.ts';

/** Number of issues that the message names; all of them are in `issues`. */
const NAMED_ISSUES = 5;
const documentedOnly = new WeakSet<z.ZodType>();

/** A schema of a body that its handler validates, in the same way for every transport; here it is only documented. */
export function documented<T extends z.ZodType>(schema: T): T {
  const copy = schema.clone();
  documentedOnly.add(copy);
  return copy;
}

/**
 * Rejects a request with a Fault `invalid_command` that names every invalid field. A body is passed on as it was sent, without
 * the defaults of its schema: the leader fills them in, which may be a newer version than this manager. So are headers.
 */
export const compileValidator: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  if (documentedOnly.has(schema)) return (value: unknown) => ({ value });
  return (value: unknown) => {
    const asSent = httpPart === 'body' || httpPart === 'headers';
    const poisoned = httpPart === 'body' ? findPoison(value) : [];
    const read = schema.safeParse(value ?? {});
    if (read.success && poisoned.length === 0) return { value: asSent ? value : read.data };
    return { error: toRequestFault([...(read.success ? [] : toIssues(read.error)), ...poisoned]) };
  };
};

/** The refusal of a request with these issues. */
export function toRequestFault(issues: Issue[]): Fault {
  const named = issues.slice(0, NAMED_ISSUES).map(({ path, message }) => `${path} ${message}`.trim());
  const more = issues.length > named.length ? ` (and ${issues.length - named.length} more)` : '';
  return new Fault('invalid_command', `The request was refused: ${named.join('; ')}${more}.`, { issues });
}
