/** Commands over Redis alone: a message on the input stream, answered on the output stream. */
import { execMessage, Fault } from '../../model/index.ts';
import type { CommandTransport } from '../door-transports.ts';
import type { CommandEvent, CommandRequest } from '../types.ts';
import { askBody, needsHttp } from './ask-body.ts';
import type { RedisCell } from './redis-cell.ts';
import { toError } from './run.ts';

const unsupported = needsHttp('Commands in the background, and their input, need the HTTP API of a manager.');

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
  cell: RedisCell,
  worker_id: string,
  request: CommandRequest,
  signal: AbortSignal,
): AsyncGenerator<CommandEvent> {
  const fields = { type: 'exec', ...request };
  for await (const entry of askBody<Answer>(cell, worker_id, { schema: execMessage, fields }, signal)) {
    if (entry.type === 'exec_output') {
      const { content, base64, offset } = entry;
      yield { type: entry.stream, offset, bytes: Buffer.from(base64 ?? content, base64 ? 'base64' : 'utf8') };
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
