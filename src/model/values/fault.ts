/**
 * Error codes, the same in Redis, HTTP and the command line.
 * - `invalid_command`: the input is wrong; `issues` says where. Do not retry.
 * - `not_found`: nothing of that name exists, or it has been deleted.
 * - `conflict`: the name is taken, or the state does not allow it.
 * - `unsupported`: valid, but this manager, runtime or machine cannot do it.
 * - `capacity`: valid, but there is no capacity now. Retry later.
 * - `unavailable`: a dependency (Redis, Docker) does not respond. Retry later.
 * - `internal`: a bug in this program.
 */
export const FAULT_CODES = [
  'invalid_command',
  'not_found',
  'conflict',
  'unsupported',
  'capacity',
  'unavailable',
  'internal',
] as const;
export type FaultCode = (typeof FAULT_CODES)[number];

/** One problem with an input: the field's path, such as `resources.memory`, and what is allowed. */
export interface Issue {
  path: string;
  message: string;
}

/** Maximum number of issues in an error, so that the response does not grow with the input. */
export const ISSUES_SHOWN = 50;

/** An error for people: what failed, on what, why and what to do. Its code is the same on the wire. */
export class Fault extends Error {
  readonly code: FaultCode;
  /** The first problems of the input. */
  readonly issues: Issue[] | undefined;
  /** One word for programs that need more than the code, such as `body_lost`. */
  readonly reason: string | undefined;

  constructor(
    code: FaultCode,
    message: string,
    options: { issues?: Issue[]; cause?: unknown; reason?: string } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Fault';
    this.code = code;
    this.reason = options.reason;
    this.issues = options.issues?.slice(0, ISSUES_SHOWN);
  }
}

/** The refusal of a request about a worker without a record. */
export const missingWorker = (id: string) => new Fault('not_found', `The worker ${id} does not exist.`);

/** The refusal of input for a worker that has ended, and would wait for a start that may never come. */
export const endedWorker = (id: string, { status, reason }: { status: string; reason: string }) =>
  new Fault('conflict', `The worker ${id} is ${status}${reason && ` (${reason})`}; start it first.`);

/** The refusal of input for a worker that has not read what it has. */
export const fullInput = (id: string) =>
  new Fault('capacity', `The input of worker ${id} is full; wait until it has read some.`);

/** The refusal of a request about a pool that was never declared, or has been deleted. */
export const missingPool = (name: string) => new Fault('not_found', `The pool ${name} does not exist.`);

/** The message of anything that was thrown, for a log line or a reason; never throws. */
export function errorMessage(thrown: unknown): string {
  try {
    if (thrown instanceof AggregateError && thrown.errors.length > 0) return errorMessage(thrown.errors[0]);
    if (thrown instanceof Error) return String(thrown.message || thrown.name);
    return String(thrown);
  } catch {
    // An object without a prototype, or with a message getter that throws.
    return 'an error without a message';
  }
}
