import { TaskError } from '../../src/model/task/task-error.ts';
import { type RunningTask, TaskAbort } from '../../src/tasks/consumer/consumer.ts';
import type { Log } from '../log.ts';
import type { Piece } from '../streams/entry.ts';
import { LOG_CHARACTERS } from '../streams/limits.ts';

/**
 * A worker's log about its tasks. A node that was started manually shows its operator only this log; for any
 * other worker, the manager reads the task and the output stream, so the same lines need LOG_LEVEL=debug
 * there.
 */
export class TaskLog {
  readonly #log: Log;
  readonly #aloud: boolean;

  constructor(log: Log, aloud: boolean) {
    this.#log = log;
    this.#aloud = aloud;
  }

  /** Runs an attempt and logs its start and its end; errors are rethrown. */
  async around<T>(task: RunningTask, signal: AbortSignal, run: () => Promise<T>): Promise<T> {
    const about = {
      task_id: task.task_id,
      ...describe(task),
      ...(task.attempt > 1 && { attempt: task.attempt }),
    };
    this.#write('info', 'task started', about);
    const began = performance.now();
    const took = () => `${Number(((performance.now() - began) / 1000).toFixed(3))} s`;
    try {
      const result = await run();
      this.#write('info', `task completed in ${took()}`, about);
      return result;
    } catch (error) {
      const { level, how, fields } = describeEnd(error, signal);
      this.#write(level, `task ${how} after ${took()}`, { ...about, ...fields });
      throw error;
    }
  }

  /** Logs the output of handlers. */
  printed(stream: 'stdout' | 'stderr', { text }: Piece, taskId: string | undefined): void {
    if (!this.#aloud) return;
    for (const line of text.split('\n'))
      this.#log.info(line.slice(0, LOG_CHARACTERS), {
        ...(stream === 'stderr' && { stream }),
        task_id: taskId,
      });
  }

  #write(level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>): void {
    this.#log[this.#aloud ? level : 'debug'](message, fields);
  }
}

function describe({ payload }: RunningTask): Record<string, unknown> {
  if ('function' in payload) return { function: payload.function };
  // Arguments may be confidential.
  return 'command' in payload ? { command: payload.command[0] } : {};
}

/** An attempt that was aborted ended for the reason of its signal, whatever its runner threw. */
function describeEnd(error: unknown, signal: AbortSignal) {
  if (signal.reason instanceof TaskAbort) {
    const { kind, message } = signal.reason;
    if (kind === 'timeout') return { level: 'error' as const, how: 'timed out', fields: { error: message } };
    const how = { cancelled: 'cancelled', lost: 'lost to another worker', ending: 'returned to the queue' }[
      kind
    ];
    return { level: 'warn' as const, how, fields: { reason: message } };
  }
  const { type, message, traceback } = error as Partial<TaskError>;
  const name = error instanceof TaskError ? type : error instanceof Error ? error.name : 'Error';
  const text = `${name}: ${message ?? String(error)}`.slice(0, LOG_CHARACTERS);
  const fields = { error: text, ...(traceback && { traceback: traceback.slice(-LOG_CHARACTERS) }) };
  return { level: 'error' as const, how: 'failed', fields };
}
