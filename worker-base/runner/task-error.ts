/** Why a task failed, as its error is kept and shown. */
export class TaskError extends Error {
  /**
   * The exception's class (`ValueError`, `mypackage.Refused`, `TypeError`), or one of ours: `UnknownFunction`,
   * `NotSerializable` (the result is no JSON), `HandlerDied` (its process ended during the call), `HandlerNotStarted`
   * (its files can't be loaded), `CommandFailed`, `CommandNotStarted`, `Aborted`.
   */
  readonly type: string;
  /** The stack of the function; of a process that died or a command that failed, the end of its stderr. */
  readonly traceback: string | undefined;

  constructor(type: string, message: string, traceback?: string | undefined) {
    super(message);
    this.name = 'TaskError';
    this.type = type;
    this.traceback = traceback || undefined;
  }
}

/** What whoever aborted a call is told. */
export function aborted({ reason }: AbortSignal): TaskError {
  if (reason instanceof TaskError) return reason;
  return new TaskError('Aborted', reason instanceof Error ? reason.message : String(reason));
}
