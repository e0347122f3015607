/**
 * How an attempt of a task failed, as `GET /task/{id}` tells it.
 *
 * Types of ours beside those of handlers (`ValueError`, `TypeError` …): `Timeout`, `Cancelled`, `WorkerLost`,
 * `HandlerDied`, `NotSerialisable`, `UnknownFunction`.
 */
export interface TaskFailure {
  /** The exception's class, as the handler's language names it. */
  type: string;
  message: string;
  /** As the handler's language prints it; absent where there is none. */
  traceback?: string;
}

/** Thrown by what runs a task: the attempt failed, and why. */
export class TaskError extends Error implements TaskFailure {
  override readonly name = 'TaskError';
  readonly type: string;
  readonly traceback?: string;
  /** False: another attempt would fail just so, and is not made however many are left. */
  readonly retry: boolean;

  constructor(failure: TaskFailure, { retry = true }: { retry?: boolean } = {}) {
    super(failure.message);
    this.type = failure.type;
    if (failure.traceback !== undefined) this.traceback = failure.traceback;
    this.retry = retry;
  }
}
