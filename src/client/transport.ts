/**
 * The operations of a manager, as the rest of the SDK uses them. There are two implementations, HTTP (`http/`) and Redis
 * (`redis/`), and only they know how an operation is sent. Both throw `ManagerError` only, except for an aborted
 * signal, whose reason they throw.
 */

import type { ManagerError } from './errors.ts';
import type {
  ChangesQuery,
  CheckpointDetailsInfo,
  CheckpointInfo,
  CommandEvent,
  CommandRequest,
  DockerfileInfo,
  ExplanationInfo,
  FileEvent,
  FileInfo,
  ImageInfo,
  NodeInfo,
  Page,
  PoolApplied,
  PoolDefinition,
  PoolInfo,
  PoolScaled,
  PortLinkInfo,
  ProcessInfo,
  StatsInfo,
  TaskFilter,
  TaskInfo,
  TaskInput,
  TaskReceipt,
  TerminalEnd,
  TerminalInfo,
  TerminalRequest,
  UnpackedInfo,
  UsageInfo,
  WaitCondition,
  WebhookDeliveryInfo,
  WorkerFilter,
  WorkerInfo,
  WorkerInput,
  WorkerSpecInfo,
  WorkerStatsInfo,
} from './types.ts';

/** Options of every request. */
export interface RequestOptions {
  /** Ends the request; it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Timeout of one attempt in milliseconds, instead of the client's. */
  timeoutMs?: number | undefined;
}

/** Options of a request that changes something. */
export interface ChangeOptions extends RequestOptions {
  /** Repeating a request with the same key changes nothing and returns the same response. Default: generated. */
  idempotencyKey?: string | undefined;
  /** The caller's span (W3C Trace Context): the trace of a create, start or restart is part of its trace. */
  traceparent?: string | undefined;
}

export interface PageOptions extends RequestOptions {
  limit?: number | undefined;
  cursor?: string | undefined;
}

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

export interface CommandTransport {
  /** Runs a command while the caller reads; the last event is `exit`, and without it the connection was cut. */
  runProcess(id: string, request: CommandRequest, signal: AbortSignal): AsyncGenerator<CommandEvent>;
  startProcess(id: string, request: CommandRequest, options: RequestOptions): Promise<ProcessInfo>;
  /** The output of a process from an offset on, to its end. */
  readProcess(
    id: string,
    processId: string,
    offset: number,
    signal: AbortSignal,
  ): AsyncGenerator<CommandEvent>;
  listProcesses(id: string, options: RequestOptions): Promise<ProcessInfo[]>;
  killProcess(id: string, processId: string, options: RequestOptions): Promise<void>;
  writeToProcess(
    id: string,
    processId: string,
    bytes: Uint8Array,
    close: boolean,
    options: RequestOptions,
  ): Promise<void>;
}

/** What can be written to a file. */
export type FileContent = string | Uint8Array | Blob | ReadableStream<Uint8Array>;

/** How a file is written. */
export interface WriteFileOptions extends RequestOptions {
  /** Its permissions, such as `0o755`. */
  mode?: number | undefined;
  /** Replaces only the file with this `etag`; otherwise, it throws `conflict` (412) with the reason `changed`. */
  ifMatch?: string | undefined;
  /** `*` replaces nothing: if the file exists, it throws `conflict` (412) with the reason `exists`. */
  ifNoneMatch?: '*' | undefined;
}

/** Paths are percent-encoded, from the workspace. */
export interface FileTransport {
  /** Resolves when the content begins. `range` are the first and the last byte. */
  readFile(
    id: string,
    path: string,
    range: readonly [first: number, last: number | undefined] | undefined,
    options: RequestOptions,
  ): Promise<ReadableStream<Uint8Array>>;
  writeFile(id: string, path: string, content: FileContent, options: WriteFileOptions): Promise<FileInfo>;
  statFile(id: string, path: string, options: RequestOptions): Promise<FileInfo>;
  listFiles(id: string, path: string, options: PageOptions): Promise<Page<FileInfo>>;
  /** Returns whether it was created. */
  makeFolder(id: string, path: string, options: RequestOptions): Promise<boolean>;
  moveFile(id: string, path: string, to: string, options: RequestOptions): Promise<FileInfo>;
  removeFile(id: string, path: string, options: RequestOptions): Promise<void>;
  readArchive(id: string, path: string, options: RequestOptions): Promise<ReadableStream<Uint8Array>>;
  writeArchive(id: string, path: string, tar: FileContent, options: RequestOptions): Promise<UnpackedInfo>;
  /** One connection; the first event is `watching`. */
  watchFiles(id: string, path: string, recursive: boolean, signal: AbortSignal): AsyncGenerator<FileEvent>;
}

export interface CheckpointTransport {
  createCheckpoint(workerId: string, options: RequestOptions): Promise<CheckpointInfo>;
  /** Those of one worker, or all. */
  listCheckpoints(workerId: string | undefined, options: PageOptions): Promise<Page<CheckpointInfo>>;
  getCheckpoint(id: string, options: RequestOptions): Promise<CheckpointDetailsInfo>;
  deleteCheckpoint(id: string, options: RequestOptions): Promise<unknown>;
  downloadCheckpoint(id: string, signal: AbortSignal | undefined): Promise<ReadableStream>;
  getChanges(workerId: string, query: ChangesQuery, options: RequestOptions): Promise<string>;
}

/** One connection to a terminal. */
export interface TerminalConnection {
  /** Bytes are typed, and a text is a frame of its own. Dropped if the connection is broken. */
  send(data: Uint8Array | string): void;
  /** Calls back with all bytes, and each new size; resolves with the program's end, or nothing if the connection was cut. */
  read(
    onData: (bytes: Uint8Array) => void,
    onResize: (size: { cols: number; rows: number }) => void,
  ): Promise<TerminalEnd | undefined>;
  close(): void;
}

export interface TerminalTransport {
  openTerminal(id: string, request: TerminalRequest, options: RequestOptions): Promise<TerminalInfo>;
  listTerminals(id: string, options: RequestOptions): Promise<TerminalInfo[]>;
  closeTerminal(id: string, ptyId: string, options: RequestOptions): Promise<void>;
  /** Throws what the request for the terminal would throw if it cannot be viewed. */
  viewTerminal(
    id: string,
    ptyId: string,
    size: { cols: number; rows: number } | undefined,
  ): Promise<TerminalConnection>;
  /** The URL of a port, for requests with the token. */
  getPortUrl(id: string, port: number, path: string): string;
  createPortLink(id: string, port: number, options: RequestOptions): Promise<PortLinkInfo>;
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
