/**
 * Commands from the input stream, for an orchestrator that has only Redis: each is answered by entries `exec_output` and one
 * `exec_completed`.
 *
 * Invariants: a command is acknowledged before it is started, so that no other body runs it again; each has exactly one
 * `exec_completed` unless the body is killed; output waits while Redis is slow, and is bounded.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Fault } from '../../src/model/values/fault.ts';
import { REQUEST_ID_LIMIT } from '../../src/model/values/limits.ts';
import { PIECE_BYTES } from '../streams/limits.ts';
import type { OutputQueue } from '../streams/output-queue.ts';
import type { OutputReader } from './exec-process.ts';
import { readExecRequest } from './exec-request.ts';
import { toContent } from './format.ts';
import type { ProcessEntry, ProcessTable } from './process-table.ts';

/** Commands at once; each further one is refused. */
const MOST = 16;
/** Bytes of output of one command on the stream, which keeps 64 MiB of all output of a worker. */
const OUTPUT_BYTES = 8 * 1024 ** 2;
/** Time in milliseconds between two looks whether Redis has taken the output. */
const POLL_MS = 20;

export class ExecInput {
  readonly #table: Pick<ProcessTable, 'start'>;
  readonly #output: Pick<OutputQueue, 'emit' | 'emitEvent' | 'full'>;
  readonly #acknowledge: (id: string) => Promise<void>;
  readonly #running = new Set<Promise<void>>();

  constructor(options: {
    table: Pick<ProcessTable, 'start'>;
    output: Pick<OutputQueue, 'emit' | 'emitEvent' | 'full'>;
    acknowledge: (id: string) => Promise<void>;
  }) {
    this.#table = options.table;
    this.#output = options.output;
    this.#acknowledge = options.acknowledge;
  }

  handle(entryId: string, message: Record<string, unknown>): void {
    const { type: _, request_id, ...request } = message;
    const run = this.#run(entryId, request_id, request);
    this.#running.add(run);
    void run.finally(() => this.#running.delete(run));
  }

  /** Resolves when all commands have their last entry. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #run(entryId: string, requestId: unknown, request: object): Promise<void> {
    const isText = typeof requestId === 'string' && requestId.length <= REQUEST_ID_LIMIT;
    const ids = { ...(isText && { request_id: requestId }), entry_id: entryId };
    try {
      if (requestId !== undefined && !isText)
        throw new Fault(
          'invalid_command',
          `The request was refused: request_id must be a string of at most ${REQUEST_ID_LIMIT} characters.`,
        );
      if ('detach' in request || 'open_stdin' in request)
        throw new Fault(
          'invalid_command',
          'The request was refused: detach and open_stdin exist over HTTP only.',
        );
      const wanted = readExecRequest(request);
      if (this.#running.size >= MOST)
        throw new Fault(
          'capacity',
          `${MOST} commands from the input stream are already running. Try again later.`,
        );
      await this.#acknowledge(entryId);
      const entry = await this.#table.start(wanted);
      const truncated = await this.#send(entry, ids);
      const end = await entry.ended;
      this.#output.emit('exec_completed', end.error ?? '', {
        ...ids,
        process_id: entry.id,
        ...end,
        output_bytes: entry.log.end,
        ...(truncated && { truncated }),
      });
    } catch (error) {
      const fault = error instanceof Fault ? error : new Fault('internal', 'The command failed in the body.');
      void this.#acknowledge(entryId);
      this.#output.emit('exec_completed', fault.message, {
        ...ids,
        exit_code: null,
        signal: null,
        reason: fault.code,
        error: fault.message,
        ...(fault.issues && { issues: fault.issues }),
      });
    }
  }

  /** Sends the output to its end; returns whether some of it was dropped. */
  async #send({ process, log, ended }: ProcessEntry, ids: object): Promise<boolean> {
    let woken = Promise.withResolvers<void>();
    const reader: OutputReader = { position: 0, wake: () => woken.resolve() };
    const leave = process?.join(reader);
    let truncated = false;
    try {
      for (;;) {
        woken = Promise.withResolvers<void>();
        const end = process ? process.end : await ended;
        while (this.#output.full) await delay(POLL_MS);
        const { lost, parts } = log.read(reader.position, PIECE_BYTES);
        truncated ||= lost > 0;
        for (const { stream, offset, bytes } of parts)
          for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
            const piece = bytes.subarray(at, at + PIECE_BYTES);
            if (offset + at >= OUTPUT_BYTES) truncated = true;
            else this.#emit(stream, offset + at, piece, ids);
          }
        const last = parts.at(-1);
        reader.position = last ? last.offset + last.bytes.length : reader.position + lost;
        process?.balance();
        if (reader.position < log.end) continue;
        if (end) return truncated;
        await woken.promise;
      }
    } finally {
      leave?.();
    }
  }

  #emit(stream: string, offset: number, bytes: Buffer, ids: object): void {
    const { content, ...rest } = toContent(bytes);
    this.#output.emitEvent('exec_output', content, { ...ids, stream, offset, ...rest });
  }
}
