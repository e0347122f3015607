/**
 * The worker node API: the HTTP server of a task worker, for clients that submit tasks, read their results,
 * and look for the node with the lowest load.
 *
 * Invariant: health and metrics respond within a second, even while Redis is away. Only task workers load it.
 */

import { networkInterfaces } from 'node:os';
import { type HttpServer, listen } from '../../src/http/listener/listen.ts';
import { type ApiResponse, jsonResponse, type Route } from '../../src/http/route.ts';
import { createTaskRoutes, type TaskRouteHandlers } from '../../src/http/tasks.ts';
import { Fault } from '../../src/model/values/fault.ts';
import type { ConsumerTotals } from '../../src/tasks/consumer/consumer.ts';
import type { TaskQueue } from '../../src/tasks/tasks.ts';
import type { Log } from '../log.ts';
import type { Durations } from './task-runs.ts';

/** The state of the node. */
export interface NodeApiDeps {
  queue: Pick<TaskQueue, 'submit' | 'get' | 'cancel'>;
  durations: Durations;
  totals: () => ConsumerTotals;
  activeTasks: () => number;
  /** Counted on request; the last count while Redis is away. */
  queueSize: () => Promise<number>;
  /** `ok`; `paused` above its limits; `draining` when it has to end; `starting` before. */
  status: () => 'starting' | 'ok' | 'paused' | 'draining';
  vitals: () => { cpuPercent: number; memoryPercent: number };
  cores: number;
  memoryBytes: number;
}

/** Listens on a port; throws a Fault that names WORKER_PORT if it cannot. */
export function startNodeApi(
  place: { host: string; port: number; allowedHosts?: readonly string[]; log: Log },
  facts: NodeApiDeps,
): Promise<HttpServer> {
  return listen({
    ...(place.allowedHosts && { allowedHosts: place.allowedHosts }),
    host: place.host,
    port: place.port,
    names: { host: 'WORKER_HOST', port: 'WORKER_PORT' },
    routes: createNodeApiRoutes(facts),
    log: {
      error: (message, { err, ...fields }: { err?: unknown }) =>
        place.log.error(message, { ...fields, error: err instanceof Error ? err.message : String(err) }),
    },
  });
}

/** A reachable address for a server that listens on all addresses: the first of this machine or container. */
export function toReachableUrl(url: string): string {
  const all = new URL(url);
  if (all.hostname !== '0.0.0.0' && all.hostname !== '[::]') return url;
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const first = addresses.find(({ internal, family }) => !internal && family === 'IPv4');
  return `http://${first?.address ?? '127.0.0.1'}:${all.port}`;
}

/** The schemas are loaded at the first request, so that they do not delay a worker's start. */
const reading = () => import('../../src/tasks/submission.ts');
const describing = () => import('./node-docs.ts');

/** The routes; exported for table tests. */
export function createNodeApiRoutes(facts: NodeApiDeps): Route[] {
  const began = performance.now();
  const uptime = () => (performance.now() - began) / 1000;
  return [
    ...createTaskRoutes(taskHandlers(facts)),
    { method: 'GET', path: '/health', handle: () => health(facts) },
    {
      method: 'GET',
      path: '/metrics',
      async handle() {
        const { completed, failed } = facts.totals();
        const { count, sum } = facts.durations;
        return jsonResponse(200, {
          tasks_completed: completed,
          tasks_failed: failed,
          tasks_queued: await facts.queueSize(),
          average_execution_time: count === 0 ? 0 : sum / count,
          uptime_seconds: uptime(),
          cpu_cores: facts.cores,
          memory_total_gb: Math.round((facts.memoryBytes / 1024 ** 3) * 100) / 100,
        });
      },
    },
    {
      method: 'GET',
      path: '/openapi.json',
      handle: async () => jsonResponse(200, (await describing()).openApi()),
    },
    {
      method: 'GET',
      path: '/docs',
      handle: async () => ({
        status: 200,
        type: 'text/html; charset=utf-8',
        headers: { 'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'" },
        body: (await describing()).page(),
      }),
    },
    {
      method: 'GET',
      path: '/metrics/prometheus',
      handle: async () => ({
        status: 200,
        type: 'text/plain; version=0.0.4; charset=utf-8',
        body: prometheus(facts, await facts.queueSize()),
      }),
    },
  ];
}

/** Tasks of this node's queue, regardless of the pool in a request. */
function taskHandlers({ queue, status }: NodeApiDeps): TaskRouteHandlers {
  const notFound = (id: string) =>
    new Fault('not_found', `There is no task ${id} in the queue of this node.`);
  return {
    async submit(submission) {
      if (status() === 'draining')
        throw new Fault(
          'unavailable',
          'This worker is shutting down and accepts no tasks; submit to another one.',
        );
      const { readSubmission } = await reading();
      return queue.submit(readSubmission(submission));
    },
    async get(id) {
      const { isTaskId } = await reading();
      const task = isTaskId(id) ? await queue.get(id) : undefined;
      if (!task) throw notFound(id);
      return task;
    },
    async cancel(id, reason) {
      const { isTaskId } = await reading();
      if (!isTaskId(id)) throw notFound(id);
      return queue.cancel(id, reason);
    },
  };
}

async function health(facts: NodeApiDeps): Promise<ApiResponse> {
  const queueSize = await facts.queueSize();
  const { cpuPercent, memoryPercent } = facts.vitals();
  const status = facts.status();
  // A client that checks only the status code uses another node while this one starts or ends.
  return jsonResponse(status === 'starting' || status === 'draining' ? 503 : 200, {
    status: status === 'ok' ? 'healthy' : status,
    active_tasks: facts.activeTasks(),
    queue_size: queueSize,
    cpu_percent: cpuPercent,
    memory_percent: memoryPercent,
    timestamp: new Date().toISOString(),
  });
}

function prometheus(facts: NodeApiDeps, queueSize: number): string {
  const { completed, failed } = facts.totals();
  const { count, sum, buckets } = facts.durations;
  const metric = (name: string, type: string, help: string, lines: [string, number][]) =>
    [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...lines.map(([label, value]) => `${name}${label} ${value}`),
    ].join('\n');
  return `${[
    metric('tasks_completed_total', 'counter', 'Tasks that this worker has completed.', [['', completed]]),
    metric('tasks_failed_total', 'counter', 'Tasks that have failed on this worker for good.', [
      ['', failed],
    ]),
    metric('task_duration_seconds', 'histogram', 'Time that an attempt took on this worker.', [
      ...buckets.map(([end, below]): [string, number] => [`_bucket{le="${end}"}`, below]),
      ['_sum', sum],
      ['_count', count],
    ]),
    metric('active_tasks', 'gauge', 'Tasks that this worker runs now.', [['', facts.activeTasks()]]),
    metric('queue_size', 'gauge', "Tasks that wait in the queue of this worker's pool.", [['', queueSize]]),
  ].join('\n')}\n`;
}
