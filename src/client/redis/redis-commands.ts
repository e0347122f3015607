/** Commands over Redis alone: a message on the input stream, answered on the output stream. */
import { readUntilGone } from '../../http/workers/read-until-gone.ts';
import {
  endedWorker,
  execMessage,
  Fault,
  fullInput,
  hasEnded,
  missingWorker,
  toIssues,
} from '../../model/index.ts';
import { ManagerError } from '../errors.ts';
import { parseEntryData } from '../stream-data.ts';
import type { CommandTransport } from '../transport.ts';
import type { CommandEvent, CommandRequest } from '../types.ts';
import type { RedisCell } from './redis-cell.ts';
import { toError } from './run.ts';

const unsupported = async (): Promise<never> => {
  const what = 'Commands in the background, and their input, need the HTTP API of a manager.';
  throw new ManagerError('unsupported', what, { status: 422 });
};

export const createRedisCommands = (cell: RedisCell): CommandTransport => ({
  async *runProcess(id, request, signal) {
    try {
      yield* runOverRedis(cell, id, request, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw toError(cell.url, error);
    }
  },
  startProcess: unsupported,
  // biome-ignore lint/correctness/useYield: it throws instead
  async *readProcess() {
    await unsupported();
  },
  listProcesses: unsupported,
  killProcess: unsupported,
  writeToProcess: unsupported,
});

async function* runOverRedis(
  { workers }: RedisCell,
  worker_id: string,
  request: CommandRequest,
  signal: AbortSignal,
): AsyncGenerator<CommandEvent> {
  const request_id = crypto.randomUUID();
  const read = execMessage.safeParse({ type: 'exec', ...request, request_id });
  if (!read.success)
    throw new Fault('invalid_command', 'The command was refused.', { issues: toIssues(read.error) });
  const view = await workers.get(worker_id);
  if (!view) throw missingWorker(worker_id);
  if (hasEnded(view.status) && view.observed_generation >= view.generation)
    throw endedWorker(worker_id, view);
  const stream = { worker_id, of: 'output' } as const;
  const from = await workers.before(stream, 0);
  const { outcome } = await workers.sendInput(worker_id, { message: read.data, key: request_id });
  if (outcome === 'gone') throw missingWorker(worker_id);
  if (outcome === 'full') throw fullInput(worker_id);
  for await (const entries of readUntilGone(workers, stream, from, signal))
    for (const { data } of entries) {
      const entry = parseEntryData(data) as unknown as Answer;
      if (entry.request_id !== request_id) continue;
      if (entry.type === 'exec_output') {
        const { content, base64, offset } = entry;
        yield {
          type: entry.stream,
          offset,
          bytes: Buffer.from(base64 ?? content, base64 ? 'base64' : 'utf8'),
        };
      }
      if (entry.type !== 'exec_completed') continue;
      const { exit_code, signal: killed, process_id = '', output_bytes = 0, ...rest } = entry;
      if (exit_code === null)
        throw new Fault(rest.reason ?? 'internal', rest.content, rest.issues ? { issues: rest.issues } : {});
      const { oom, timed_out, error } = rest;
      yield {
        type: 'exit',
        process_id,
        output_bytes,
        exit_code,
        signal: killed,
        ...(oom && { oom }),
        ...(timed_out && { timed_out }),
        ...(error !== undefined && { error }),
      };
      return;
    }
  signal.throwIfAborted();
}

/** The entries that answer a command. */
type Answer =
  | {
      type: 'exec_output';
      request_id?: string;
      stream: 'stdout' | 'stderr';
      offset: number;
      content: string;
      base64?: string;
    }
  | {
      type: 'exec_completed';
      request_id?: string;
      content: string;
      exit_code: number | null;
      signal: string | null;
      process_id?: string;
      output_bytes?: number;
      oom?: true;
      timed_out?: true;
      error?: string;
      reason?: ConstructorParameters<typeof Fault>[0];
      issues?: { path: string; message: string }[];
    };
