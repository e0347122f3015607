/** The shapes of requests and responses, from the OpenAPI document. Types only. */
import type { components, operations } from './api-types.ts';

export type { FaultCode, Issue } from '../model/values/fault.ts';

type Schemas = components['schemas'];
type JsonContent<T> = T extends { content: { 'application/json': infer Body } } ? Body : never;
type RequestBody<O> = O extends { requestBody?: infer Body } ? JsonContent<NonNullable<Body>> : never;
type ResponseBody<O, Status extends number> = O extends { responses: { [S in Status]: infer Body } }
  ? JsonContent<Body>
  : never;
type Query<O> = O extends { parameters: { query?: infer Parameters } } ? NonNullable<Parameters> : never;

/** The fields of a new worker, as in the command `create`. */
export type WorkerInput = RequestBody<operations['createWorker']>;
/** A worker: what was asked for, and what was observed. */
export type WorkerInfo = Schemas['Worker'];
/** The fields of a worker as they were accepted, with their defaults. */
export type WorkerSpecInfo = ResponseBody<operations['getWorkerSpec'], 200>;
/** What a manager observed of a worker, and what it would do next. */
export type ExplanationInfo = Schemas['Explanation'];
type ListQuery = Omit<Query<operations['listWorkers']>, 'limit' | 'cursor' | 'label'>;
/** Filters of a list of workers. All must match; several values of one filter are alternatives. */
export type WorkerFilter = {
  [F in keyof ListQuery]?: ListQuery[F] | NonNullable<ListQuery[F]>[number];
} & {
  /** Labels that a worker must have, with these values. */
  label?: Record<string, string>;
};
/** What can be waited for: `ready` accepts prompts, `ended` is STOPPED or FAILED. */
export type WaitCondition = 'running' | 'ready' | 'ended';

/** An entry of a worker's output, with the ID under which reading can resume. */
export type WorkerOutput = Schemas['OutputEntry'] & { id: string };

/** An entry of a worker's history, with the ID under which reading can resume. */
export interface WorkerEvent {
  id: string;
  /** In the history of all workers. */
  worker_id?: string;
  timestamp: string;
  type: string;
  status: WorkerInfo['status'];
  phase: string;
  reason: string;
  message: string;
  incarnation: number;
  /** The manager's actions, in words. */
  actions: string[];
}

/** A command as it is sent: program and arguments, or a command line of a shell. */
export type CommandRequest = Omit<RequestBody<operations['execInWorker']>, 'detach'>;
/** How a command ended. */
export type CommandEnd = Pick<Schemas['ExecResult'], 'exit_code' | 'signal' | 'oom' | 'timed_out' | 'error'>;
/** A process that a client has started in a worker. */
export type ProcessInfo = Schemas['Process'];
/** An event of the output of a process. Offsets count the bytes of both streams. */
export type CommandEvent =
  | ({ type: 'started' } & ProcessInfo)
  | { type: 'stdout' | 'stderr'; offset: number; bytes: Uint8Array }
  | { type: 'lost'; offset: number; bytes: number }
  | ({ type: 'exit'; process_id: string; output_bytes: number } & CommandEnd);

/** A terminal in a worker. */
export type TerminalInfo = Schemas['Terminal'];
/** What a terminal is opened with. */
export type TerminalRequest = RequestBody<operations['openTerminal']>;
/** How the program of a terminal ended. */
export interface TerminalEnd {
  /** As a shell reports it: 128 and the signal. */
  exit_code: number;
  /** The signal that ended it, such as `SIGKILL`. */
  signal: string | null;
}
/** A link to a port of a worker, for a browser. */
export type PortLinkInfo = Schemas['PortLink'];
/** The Dockerfile of the image that the manager builds for a worker. */
export type DockerfileInfo = Schemas['Dockerfile'];

/** A file, folder or link in a worker's workspace. */
export type FileInfo = Schemas['FileInfo'];
/** What an archive has added to a folder. */
export type UnpackedInfo = ResponseBody<operations['writeArchive'], 200>;
/** A change in a folder. After `overflow`, changes were missed: list the folder again. */
export interface FileEvent {
  type: 'watching' | 'create' | 'write' | 'remove' | 'overflow';
  /** From the workspace, percent-encoded. */
  path: string;
  name?: string;
  /** What it is; absent after it was removed. */
  file_type?: FileInfo['type'];
}

/** A saved copy of the workspace of a worker. */
export type CheckpointInfo = Schemas['Checkpoint'];
/** A checkpoint with the spec of its worker. */
export type CheckpointDetailsInfo = Schemas['CheckpointDetails'];
/** Since when changes are shown, and how; not as a bundle, which is binary. */
export type ChangesQuery = {
  since?: 'start' | 'head' | undefined;
  format?: 'patch' | 'stat' | 'names' | undefined;
};

/** A task for a pool: a function call, a command or a prompt. */
export type TaskInput = RequestBody<operations['createTask']>;
/** An accepted task. */
export type TaskReceipt = Schemas['TaskReceipt'];
/** A task, its state, and its result or error. */
export type TaskInfo = Schemas['Task'];
/** Filters of a list of tasks; all must match. */
export type TaskFilter = Omit<Query<operations['listTasks']>, 'limit' | 'cursor'>;

/** The fields of a pool, as in the command `apply`. */
export type PoolDefinition = RequestBody<operations['applyPool']>;
/** The result of an `apply`. */
export type PoolApplied = ResponseBody<operations['applyPool'], 200>;
/** The result of a change of a pool's number of workers. */
export type PoolScaled = ResponseBody<operations['scalePool'], 200>;
/** A pool with its spec and its status. */
export type PoolInfo = Schemas['Pool'];
/** How many ready workers of each type are busy and idle. */
export type WorkerStatsInfo = Schemas['WorkerStats'];
/** A consumer of tasks with a node API. */
export type NodeInfo = Schemas['Node'];
/** CPU and memory of a running worker, as of its last check. */
export type UsageInfo = Schemas['Usage'];
/** A worker image of the engine. */
export type ImageInfo = Schemas['Image'];
/** A message for the URL of one webhook. */
export type WebhookDeliveryInfo = Schemas['WebhookDelivery'];
/** The workers and queues of the cell in numbers. */
export type StatsInfo = Schemas['Stats'];

/** One page of a list. */
export interface Page<T> {
  items: T[];
  /** The start of the next page; null on the last one. */
  next_cursor: string | null;
}
