/**
 * The traces of tasks. Workers do not export spans: the leader finds the tasks that have ended in the queues, a moment later.
 * How far it is is stored, so that the next leader continues there; a task of that moment may be exported twice, with the same
 * IDs.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { deriveSpanId, deriveTrace, errorMessage, parseTraceparent, TRACEPARENT } from '../model/index.ts';
import type { Tasks } from '../tasks/index.ts';
import type { EndedTask } from '../tasks/list/ended-tasks.ts';
import type { Logger } from '../telemetry/log.ts';
import type { EndedSpan, SpanExport } from '../telemetry/spans.ts';

const POLL_MS = 1000;
/** Workers write the end of a task with their own clocks, a moment after it. */
const OVERLAP_MS = 5000;
/** Tasks of one pool that are exported in one poll; of more, the oldest are. */
const MOST = 1000;

export interface TaskTracesOptions {
  tasks: Pick<Tasks, 'pools' | 'queue'>;
  /** The time up to which ended tasks are exported. */
  position: { read(): Promise<number | undefined>; write(ms: number): Promise<void> };
  spans: SpanExport;
  log: Logger;
  now: () => number;
}

export class TaskTraces {
  readonly #options: TaskTracesOptions;
  /** Exported tasks of the overlap, with their ends. */
  readonly #exported = new Map<string, number>();

  constructor(options: TaskTracesOptions) {
    this.#options = options;
  }

  /** Exports until the signal fires. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    let since: number | undefined;
    while (!signal.aborted) {
      try {
        since ??= (await this.#options.position.read()) ?? this.#options.now();
        since = await this.#poll(since);
      } catch (error) {
        this.#options.log.debug({ why: errorMessage(error) }, 'failed to trace tasks; retrying');
      }
      await delay(POLL_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #poll(since: number): Promise<number> {
    const { tasks, now, position, spans } = this.#options;
    const until = now();
    let changed = false;
    for (const pool of await tasks.pools())
      for (const task of await tasks.queue(pool).ended(since - OVERLAP_MS, MOST)) {
        const key = `${pool} ${task.task_id} ${task.ended_at}`;
        if (this.#exported.has(key)) continue;
        this.#exported.set(key, task.ended_at);
        changed = true;
        for (const span of taskSpans(pool, task)) spans.add(span);
      }
    for (const [key, at] of this.#exported) if (at < until - 4 * OVERLAP_MS) this.#exported.delete(key);
    if (changed) await position.write(until);
    return until;
  }
}

/** A task as a span, with its wait and its last attempt. Pure. */
export function taskSpans(pool: string, task: EndedTask): EndedSpan[] {
  const { task_id, queued_at, started_at, ended_at, attempts, worker_id, traceparent, failed } = task;
  const trace = TRACEPARENT.test(traceparent ?? '')
    ? parseTraceparent(traceparent ?? '')
    : deriveTrace(`task ${pool} ${task_id} ${queued_at}`);
  if (!trace.sampled) return [];
  const { traceId } = trace;
  const spanId = deriveSpanId(traceId, pool, task_id, ended_at);
  const attributes = {
    'worker_manager.pool': pool,
    'worker_manager.task_id': task_id,
    'worker_manager.worker_id': worker_id,
    'worker_manager.attempts': attempts,
  };
  const error = failed ? 'The task failed.' : undefined;
  const root = { name: 'task', traceId, spanId, parentId: trace.spanId, attributes, error };
  const child = (name: string, start: number, end: number): EndedSpan => ({
    ...{ name, traceId, spanId: deriveSpanId(spanId, name), parentId: spanId, start, end },
    attributes,
    error: name === 'run' ? error : undefined,
  });
  return [
    { ...root, start: queued_at, end: ended_at },
    child('wait in queue', queued_at, started_at ?? ended_at),
    ...(started_at === undefined ? [] : [child('run', started_at, ended_at)]),
  ];
}
