/**
 * How an attempt of a task failed, as `GET /task/{id}` reports it.
 *
 * Types that the worker adds to those of handlers (`ValueError`, `TypeError` …): `Timeout`, `Cancelled`, `WorkerLost`,
 * `HandlerDied`, `NotSerialisable`, `UnknownFunction`.
 */
export interface TaskFailure {
  /** The exception's class, as named by the handler's language. */
  type: string;
  message: string;
  /** As printed by the handler's language; absent if there is none. */
  traceback?: string;
}

/** Thrown by code that runs a task: the attempt failed. */
export class TaskError extends Error implements TaskFailure {
  override readonly name = 'TaskError';
  readonly type: string;
  readonly traceback?: string;
  /** False if another attempt would fail in the same way and must not be made. */
  readonly retry: boolean;

  constructor(failure: TaskFailure, { retry = true }: { retry?: boolean } = {}) {
    super(failure.message);
    this.type = failure.type;
    if (failure.traceback !== undefined) this.traceback = failure.traceback;
    this.retry = retry;
  }
}
