import { encodeName } from '../check-values.ts';
import { ManagerError } from '../errors.ts';
import type { TaskTransport } from '../transport.ts';
import type { TaskReceipt } from '../types.ts';
import { type HttpRequester, jsonBody } from './request.ts';

const NDJSON = 'application/x-ndjson';

/** The manager accepts bodies of up to 1 MiB. */
const BATCH_BYTES = 1_000_000;

const taskPath = (id: string, rest = '') => `/v1/tasks/${encodeName(id)}${rest}`;

export const createHttpTasks = (requester: HttpRequester): TaskTransport => ({
  submitTask: (task, options) => requester.change('POST', '/v1/tasks', options, { body: jsonBody(task) }),
  async submitTasks(tasks, options) {
    const results: (TaskReceipt | ManagerError)[] = [];
    for (const text of toBatches(tasks)) {
      const body = { type: NDJSON, text };
      const request = { method: 'POST', path: '/v1/tasks', body, headers: { accept: NDJSON } } as const;
      const answer = await requester.text(request, options);
      results.push(...answer.split('\n').filter(Boolean).map(toBulkResult));
    }
    return results;
  },
  getTask: (id, pool, options) => requester.get(taskPath(id), options, { pool }),
  listTasks: (query, { limit, cursor, ...options }) =>
    requester.get('/v1/tasks', options, { ...query, limit, cursor }),
  cancelTask: (id, { pool, reason }, options) =>
    requester.change('POST', taskPath(id, '/cancel'), options, { query: { pool, reason } }),
  retryTask: (id, pool, options) =>
    requester.change('POST', taskPath(id, '/retry'), options, { query: { pool } }),
});

/** JSON lines in texts of limited length. */
function toBatches(tasks: readonly object[]): string[] {
  const batches: string[][] = [];
  let bytes = 0;
  for (const task of tasks) {
    const line = `${JSON.stringify(task)}\n`;
    const length = new TextEncoder().encode(line).length;
    bytes += length;
    if (batches.length === 0 || bytes > BATCH_BYTES) {
      batches.push([]);
      bytes = length;
    }
    batches.at(-1)?.push(line);
  }
  return batches.map((lines) => lines.join(''));
}

function toBulkResult(line: string): TaskReceipt | ManagerError {
  const answer = JSON.parse(line) as TaskReceipt & { error?: ManagerError };
  if (!answer.error) return answer;
  const { code, message, issues } = answer.error;
  return new ManagerError(code, message, { issues });
}
