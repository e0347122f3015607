import { createCursor, parseCursor } from '../../http/list-cursor.ts';
import { waitForState } from '../../http/workers/waiting.ts';
import { toWorkerFilter } from '../../http/workers/worker-filter.ts';
import {
  endedWorker,
  Fault,
  fullInput,
  hasEnded,
  inputMessage,
  missingWorker,
  toIssues,
  workerId,
} from '../../model/index.ts';
import { ManagerError } from '../errors.ts';
import type { WorkerTransport } from '../transport.ts';
import type { Page, WorkerFilter, WorkerInfo, WorkerSpecInfo } from '../types.ts';
import type { RedisCell } from './redis-cell.ts';
import { toError } from './run.ts';
import { readRedisStream } from './streams.ts';

const PAGE = 100;
/** Creation time and ID of the last worker of a page. */
const POSITION = /^\d{1,15}-[0-9a-f-]{36}$/;

export function createRedisWorkers(cell: RedisCell): WorkerTransport {
  const { workers, url } = cell;
  const view = async (ref: string): Promise<WorkerInfo> => {
    const id = workerId.safeParse(ref).success ? ref : await workers.findId(ref);
    const found = id && (await workers.get(id));
    if (found) return found;
    throw missingWorker(ref);
  };
  const sendInput = async (id: string, key: string, fields: { type: string; [field: string]: unknown }) => {
    const read = inputMessage.safeParse({ ...fields, request_id: key });
    if (!read.success)
      throw new Fault('invalid_command', 'The message was refused.', { issues: toIssues(read.error) });
    const { agent_type, status, reason, generation, observed_generation } = await view(id);
    if (agent_type === 'TASK')
      throw new Fault('unsupported', `The worker ${id} runs tasks and accepts no prompts.`);
    if (hasEnded(status) && observed_generation >= generation) throw endedWorker(id, { status, reason });
    const { outcome } = await workers.sendInput(id, { message: read.data, key });
    if (outcome === 'gone') throw missingWorker(id);
    if (outcome === 'full') throw fullInput(id);
    if (outcome === 'differs')
      throw new Fault('conflict', `The key ${key} was used before, for another message: use a new key.`);
    return { request_id: key };
  };
  return {
    createWorker: (input, options) =>
      cell.run(options, async () => {
        const { worker_id } = await cell.command({ command: 'create', ...input }, options);
        return view(String(worker_id));
      }),
    getWorker: (id, options) => cell.run(options, () => view(id)),
    listWorkers: (filter, { limit = PAGE, cursor, ...options }) =>
      cell.run(options, () => listPage(cell, filter, limit, cursor)),
    async deleteWorker(worker_id, { reason, ...options }) {
      const fields = { command: 'delete', worker_id, ...(reason !== undefined && { reason }) };
      await cell.run(options, () => cell.command(fields, options));
    },
    actOnWorker: (worker_id, action, options) =>
      cell.run(options, async () => {
        await cell.command({ command: action, worker_id }, options);
        return view(worker_id);
      }),
    waitForWorker: (id, condition, seconds, options) =>
      cell.run(options, async () => {
        await view(id);
        const late = AbortSignal.timeout(Math.ceil(seconds * 1000));
        const stop = options.signal ? AbortSignal.any([options.signal, late]) : late;
        await waitForState(workers, id, condition, stop);
        return view(id);
      }),
    sendPrompt: (id, prompt, { idempotencyKey = crypto.randomUUID(), ...options }) =>
      cell.run(options, () => sendInput(id, idempotencyKey, { type: 'prompt', ...prompt })),
    async interruptWorker(id, { idempotencyKey = crypto.randomUUID(), ...options }) {
      await cell.run(options, () => sendInput(id, idempotencyKey, { type: 'interrupt' }));
    },
    async explainWorker() {
      const what = 'explain needs the runtimes of a manager: use its HTTP API, or `wm explain`.';
      throw new ManagerError('unsupported', what, { status: 422 });
    },
    async getWorkerDockerfile() {
      const what = 'The Dockerfile of a worker needs the images of a manager: use its HTTP API.';
      throw new ManagerError('unsupported', what, { status: 422 });
    },
    getWorkerSpec: (id, options) =>
      cell.run(options, async () => {
        const spec = await workers.spec(id);
        if (!spec) throw missingWorker(id);
        return spec as WorkerSpecInfo;
      }),
    async *openStream(source, start, signal, onOpen) {
      try {
        yield* readRedisStream(workers, source, start, signal, onOpen);
      } catch (error) {
        signal.throwIfAborted();
        throw toError(url, error);
      }
    },
  };
}

async function listPage(
  { workers }: RedisCell,
  { label = {}, ...filter }: WorkerFilter,
  limit: number,
  cursor: string | undefined,
): Promise<Page<WorkerInfo>> {
  const conditions = Object.entries(filter).filter(([, value]) => value !== undefined);
  const filters = {
    ...Object.fromEntries(conditions.map(([name, value]) => [name, [value].flat()])),
    label: Object.entries(label).map(([name, value]) => `${name}=${value}`),
  } as unknown as Parameters<typeof toWorkerFilter>[0];
  const { items, next } = await workers.page({
    limit,
    cursor: parseCursor('workers', filters, cursor, POSITION),
    keep: toWorkerFilter(filters),
  });
  return { items, next_cursor: next === undefined ? null : createCursor('workers', filters, next) };
}
