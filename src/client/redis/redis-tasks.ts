import { openTaskService } from '../../manager/task-service.ts';
import type { BulkResult } from '../../tasks/bulk.ts';
import type { Tasks } from '../../tasks/index.ts';
import type { TaskLine } from '../../tasks/task-lines.ts';
import { ManagerError } from '../errors.ts';
import type { TaskTransport } from '../transport.ts';
import type { TaskReceipt } from '../types.ts';
import type { RedisCell } from './redis-cell.ts';

export function createRedisTasks(cell: RedisCell, tasks: Tasks): TaskTransport {
  const service = openTaskService({ redis: cell.redis, cell: cell.name, tasks });
  return {
    submitTask: (task, options) => cell.run(options, () => service.submit(task)),
    submitTasks: (list, options) =>
      cell.run(options, async () => {
        const results: (TaskReceipt | ManagerError)[] = [];
        for await (const result of service.submitLines(toTaskLines(list))) results.push(toReceipt(result));
        return results;
      }),
    getTask: (id, pool, options) => cell.run(options, () => service.get(id, pool)),
    listTasks: (query, { limit, cursor, ...options }) =>
      cell.run(options, () => service.list({ ...query, limit, cursor })),
    cancelTask: (id, { pool, reason }, options) => cell.run(options, () => service.cancel(id, reason, pool)),
    retryTask: (id, pool, { idempotencyKey: key = crypto.randomUUID(), ...options }) =>
      cell.run(options, () => service.retry(id, { pool, key })),
  };
}

async function* toTaskLines(tasks: object[]): AsyncGenerator<TaskLine> {
  for (const [at, task] of tasks.entries()) yield { line: at + 1, bytes: Buffer.from(JSON.stringify(task)) };
}

function toReceipt(result: BulkResult): TaskReceipt | ManagerError {
  if (!('error' in result)) return result;
  const { code, message, issues } = result.error;
  return new ManagerError(code, message, { issues });
}
