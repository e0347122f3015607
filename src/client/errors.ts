import type { FaultCode, Issue } from '../model/values/fault.ts';
import type { TaskInfo, WorkerOutput } from './types.ts';

export interface ManagerErrorDetails {
  /** HTTP status; 0 if there was no response. */
  status?: number | undefined;
  issues?: Issue[] | undefined;
  retryAfterSeconds?: number | undefined;
  workerId?: string | undefined;
  traceId?: string | undefined;
  reason?: string | undefined;
  cause?: unknown;
}

/** A request that the manager refused, with its code; `unavailable` if the manager cannot be reached. */
export class ManagerError extends Error {
  readonly code: FaultCode;
  /** HTTP status; 0 if there was no response. 504 means that a wait timed out. */
  readonly status: number;
  /** The fields that are wrong, and what is allowed. */
  readonly issues: Issue[] | undefined;
  /** Number of seconds after which a retry may succeed, if the manager reports it. */
  readonly retryAfterSeconds: number | undefined;
  /** The worker, if the error is about one that exists; also after a `create` that waited in vain. */
  readonly workerId: string | undefined;
  /** `X-Request-Id` of the response, which the manager's log contains. */
  readonly traceId: string | undefined;
  /** One word for some errors, such as `body_lost` or `no_file`. */
  readonly reason: string | undefined;

  constructor(code: FaultCode, message: string, details: ManagerErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'ManagerError';
    this.code = code;
    this.status = details.status ?? 0;
    this.issues = details.issues;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.workerId = details.workerId;
    this.traceId = details.traceId;
    this.reason = details.reason;
  }
}

/** A turn that the agent did not complete. */
export class TurnFailed extends Error {
  /** Such as `interrupted`, `deadline`, `rate_limited`; docs/agents.md lists them. */
  readonly reason: string;
  /** The last entry of the turn. */
  readonly entry: WorkerOutput;

  constructor(entry: WorkerOutput) {
    const reason = typeof entry.reason === 'string' ? entry.reason : 'error';
    super(`The turn failed (${reason}): ${entry.content}`);
    this.name = 'TurnFailed';
    this.reason = reason;
    this.entry = entry;
  }
}

/** A task that ended without a result: it failed, timed out or was cancelled. */
export class TaskFailed extends Error {
  /** The type of the error, such as `ValueError` or `Cancelled`. */
  readonly type: string;
  readonly traceback: string | undefined;
  readonly task: TaskInfo;

  constructor(task: TaskInfo) {
    super(`The task ${task.task_id} failed: ${task.error_message ?? 'without an error'}`);
    this.name = 'TaskFailed';
    this.type = task.error?.type ?? 'Error';
    this.traceback = task.error?.traceback;
    this.task = task;
  }
}

/** The error of a response that was cut. */
export const toConnectionLoss = (cause: unknown): ManagerError =>
  new ManagerError(
    'unavailable',
    'The connection was cut before the end: the body of the worker, or the manager, has probably ended.',
    { cause },
  );
