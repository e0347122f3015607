/** The traces of a cell: those of its workers, and the commands that begin or continue them. */
import { randomBytes } from 'node:crypto';
import { parseTraceparent, toTraceparent } from '../model/index.ts';
import type { CommandSettlement } from '../store/index.ts';
import type { SpanExport } from '../telemetry/spans.ts';
import type { TaskTraces } from './task-traces.ts';
import { WorkerTraces, type WorkerTracesOptions } from './worker-traces.ts';

/** Traces whose command is not settled yet, and its caller. */
const PENDING = 1000;

export class Traces {
  readonly workers: WorkerTraces;
  readonly tasks: TaskTraces;
  readonly #spans: SpanExport;
  /** By the trace that was made for a command: the trace of its caller. */
  readonly #callers = new Map<string, string>();

  constructor(options: WorkerTracesOptions, tasks: TaskTraces) {
    this.tasks = tasks;
    this.workers = new WorkerTraces(options);
    this.#spans = options.spans;
  }

  /** The trace of a command as its worker gets it: a span in the trace of the caller, or in a new trace. */
  readonly newTrace = (caller: string | undefined): string => {
    const trace = caller ? parseTraceparent(caller) : { traceId: newId(16), sampled: true };
    const made = toTraceparent(trace, newId(8));
    if (caller) this.#callers.set(made, caller);
    // A command that is refused after it was planned leaves one behind.
    const [oldest] = this.#callers.keys();
    if (this.#callers.size > PENDING && oldest) this.#callers.delete(oldest);
    return made;
  };

  /** The span of a command, from its entry on the stream to its answer. */
  addCommand(
    command: string,
    result: string,
    { traceparent, workerId, requestId, entry }: Omit<CommandSettlement, 'answers' | 'operation'>,
  ): void {
    if (traceparent === undefined) return;
    const caller = this.#callers.get(traceparent);
    this.#callers.delete(traceparent);
    const { traceId, spanId = '', sampled } = parseTraceparent(traceparent);
    if (!sampled) return;
    this.#spans.add({
      name: `command ${command}`,
      traceId,
      spanId,
      parentId: caller && parseTraceparent(caller).spanId,
      start: Number(entry.id.split('-')[0]),
      end: Date.now(),
      attributes: {
        'worker_manager.worker_id': workerId,
        'worker_manager.request_id': requestId,
        'worker_manager.result': result,
      },
      error: result === 'ok' || result === 'duplicate' ? undefined : result,
    });
  }
}

const newId = (bytes: number) => randomBytes(bytes).toString('hex');
