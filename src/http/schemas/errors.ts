/** The error responses of the manager's API, for its document. */
import { z } from 'zod';
import { FAULT_CODES } from '../../model/index.ts';

/** Any error response. */
export const apiError = z
  .object({
    error: z.object({
      code: z.enum(FAULT_CODES),
      message: z.string(),
      reason: z.string().optional().describe('one word for some errors, such as `body_lost`'),
      issues: z
        .array(z.object({ path: z.string(), message: z.string() }))
        .optional()
        .describe('one for each wrong field'),
    }),
    detail: z.string().describe('the message again, for clients of FastAPI'),
    worker_id: z.string().optional().describe('the worker that was waited for'),
  })
  .meta({ id: 'Error', description: 'A request that was refused or failed.' });

const WHY = {
  400: 'The request is wrong; `issues` names the fields.',
  401: 'The token is missing or wrong.',
  403: 'The request comes from a page of another site.',
  404: 'The resource does not exist.',
  409: 'The state does not allow it, or the name is taken.',
  412: 'It has changed since: the condition of If-Match or If-None-Match is not met.',
  413: 'The body is too long.',
  421: 'The host name is not allowed.',
  422: 'This manager, runtime or machine cannot do it.',
  426: 'The path needs another protocol: send Upgrade.',
  429: 'The manager has no capacity now; retry after Retry-After seconds.',
  500: 'A bug in the manager; its log has the cause.',
  503: 'Redis or the leader does not answer; retry after Retry-After seconds.',
  504: 'The state was not reached in time.',
} as const;
type ErrorStatus = keyof typeof WHY;

/** The error responses of an operation: these, and those that every operation may have. */
export function errorResponses<S extends ErrorStatus>(
  ...statuses: S[]
): Record<S | 400 | 401 | 421 | 500 | 503, { description: string; content: object }> {
  const all = [...new Set<ErrorStatus>([400, 401, ...statuses, 421, 500, 503])].sort();
  return Object.fromEntries(
    all.map((status) => [
      status,
      { description: WHY[status], content: { 'application/json': { schema: apiError } } },
    ]),
  ) as ReturnType<typeof errorResponses<S>>;
}
