/**
 * The operations of a manager, as the rest of the SDK uses them. There are two implementations, HTTP (`http/`) and Redis
 * (`redis/`), and only they know how an operation is sent. Both throw `ManagerError` only, except for an aborted
 * signal, whose reason they throw.
 */

import type {
  CheckpointTransport,
  CommandTransport,
  FileTransport,
  TerminalTransport,
} from './door-transports.ts';
import type { ManagerError } from './errors.ts';
import type { ChangeOptions, PageOptions, RequestOptions } from './request-options.ts';
import type {
  DockerfileInfo,
  ExplanationInfo,
  ImageInfo,
  NodeInfo,
  Page,
  PoolApplied,
  PoolDefinition,
  PoolInfo,
  PoolScaled,
  StatsInfo,
  TaskFilter,
  TaskInfo,
  TaskInput,
  TaskReceipt,
  UsageInfo,
  WaitCondition,
  WebhookDeliveryInfo,
  WorkerFilter,
  WorkerInfo,
  WorkerInput,
  WorkerSpecInfo,
  WorkerStatsInfo,
} from './types.ts';

/** A stream of entries: the output or the history of one worker, or the history of all. */
export interface StreamSource {
  kind: 'output' | 'events';
  /** Absent: all workers; `events` only. */
  workerId?: string;
}

/** Where to begin. By default at the oldest entry. */
export interface StreamStart {
  /** Resumes after the entry with this ID. */
  after?: string | undefined;
  /** An entry ID, a time (RFC 3339) or a duration, such as `10m`. */
  since?: string | undefined;
  /** Begins with the last n entries. */
  tail?: number | undefined;
  /** Waits for new entries until the worker has ended; otherwise ends with the last entry that exists. */
  follow: boolean;
}

export interface StreamItem {
  id: string;
  data: Record<string, unknown>;
}

export type WorkerAction = 'stop' | 'start' | 'restart';

export interface WorkerTransport {
  createWorker(input: WorkerInput, options: ChangeOptions): Promise<WorkerInfo>;
  getWorker(ref: string, options: RequestOptions): Promise<WorkerInfo>;
  listWorkers(query: WorkerFilter, options: PageOptions): Promise<Page<WorkerInfo>>;
  deleteWorker(id: string, options: ChangeOptions & { reason?: string | undefined }): Promise<void>;
  actOnWorker(id: string, action: WorkerAction, options: ChangeOptions): Promise<WorkerInfo>;
  /** Waits up to `seconds`; throws `conflict` if the state cannot be reached any more, and status 504 if it is late. */
  waitForWorker(
    id: string,
    condition: WaitCondition,
    seconds: number,
    options: RequestOptions,
  ): Promise<WorkerInfo>;
  /** Sends a prompt once per idempotency key; returns its request ID. */
  sendPrompt(
    id: string,
    prompt: { content: string; deadline_seconds?: number | undefined; retry?: boolean | undefined },
    options: ChangeOptions,
  ): Promise<{ request_id: string }>;
  interruptWorker(id: string, options: ChangeOptions): Promise<void>;
  explainWorker(id: string, options: RequestOptions): Promise<ExplanationInfo>;
  getWorkerSpec(id: string, options: RequestOptions): Promise<WorkerSpecInfo>;
  getWorkerDockerfile(id: string, options: RequestOptions): Promise<DockerfileInfo>;

  /**
   * One connection; throws `unavailable` if it breaks. Returns at the end of the stream. `onOpen` is called when the
   * connection is established.
   */
  openStream(
    source: StreamSource,
    start: StreamStart,
    signal: AbortSignal,
    onOpen: () => void,
  ): AsyncGenerator<StreamItem>;
}

export interface TaskTransport {
  /** Needs `task_id`, which makes a repetition harmless. */
  submitTask(task: TaskInput & { task_id: string }, options: RequestOptions): Promise<TaskReceipt>;
  submitTasks(
    tasks: (TaskInput & { task_id: string })[],
    options: RequestOptions,
  ): Promise<(TaskReceipt | ManagerError)[]>;
  getTask(id: string, pool: string | undefined, options: RequestOptions): Promise<TaskInfo>;
  listTasks(query: TaskFilter, options: PageOptions): Promise<Page<TaskInfo>>;
  cancelTask(
    id: string,
    of: { pool?: string | undefined; reason?: string | undefined },
    options: RequestOptions,
  ): Promise<TaskInfo>;
  retryTask(id: string, pool: string | undefined, options: ChangeOptions): Promise<TaskInfo>;
}

export interface PoolTransport {
  listPools(options: RequestOptions): Promise<{ pools: PoolInfo[]; worker_stats: WorkerStatsInfo }>;
  getPool(name: string, options: RequestOptions): Promise<PoolInfo>;
  applyPool(pool: PoolDefinition, options: ChangeOptions): Promise<PoolApplied>;
  scalePool(name: string, count: number, options: ChangeOptions): Promise<PoolScaled>;
  deletePool(name: string, options: ChangeOptions): Promise<{ pool: string }>;
  listNodes(options: RequestOptions): Promise<NodeInfo[]>;
  getStats(options: RequestOptions): Promise<StatsInfo>;
  listUsage(options: RequestOptions): Promise<UsageInfo[]>;
  listImages(options: RequestOptions): Promise<ImageInfo[]>;
  listWebhooks(limit: number | undefined, options: RequestOptions): Promise<WebhookDeliveryInfo[]>;
}

export interface Transport
  extends WorkerTransport,
    TerminalTransport,
    CommandTransport,
    FileTransport,
    CheckpointTransport,
    TaskTransport,
    PoolTransport {
  close(): Promise<void>;
}
