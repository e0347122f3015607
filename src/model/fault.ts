/**
 * The codes of a refusal, the same on Redis, HTTP and the command line.
 *
 * - `invalid_command`: the input is wrong; `issues` says where. Do not retry.
 * - `not_found`: nothing of that name was ever here, or it is forgotten.
 * - `conflict`: the name is taken, or the state forbids it.
 * - `unsupported`: right, but this manager, runtime or machine cannot do it.
 * - `capacity`: right, but there is no room now. Retry later.
 * - `unavailable`: a part that is needed (Redis, Docker) does not answer. Retry later.
 * - `internal`: a defect of ours.
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

/** One thing that is wrong with an input: the field's path, such as `resources.memory`, and what is allowed. */
export interface Issue {
  path: string;
  message: string;
}

/** Issues that an error holds: an answer must not grow with what was wrong. */
export const ISSUES_TOLD = 50;

/** An error made for people: what failed, on what, why and what to do. Its code stands on the wire as it is. */
export class Fault extends Error {
  readonly code: FaultCode;
  /** The first of what is wrong. */
  readonly issues: Issue[] | undefined;

  constructor(code: FaultCode, message: string, options: { issues?: Issue[]; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Fault';
    this.code = code;
    this.issues = options.issues?.slice(0, ISSUES_TOLD);
  }
}

/** The message of whatever was thrown, for a log line or a reason; never throws itself. */
export function messageOf(thrown: unknown): string {
  try {
    if (thrown instanceof AggregateError && thrown.errors.length > 0) return messageOf(thrown.errors[0]);
    if (thrown instanceof Error) return String(thrown.message || thrown.name);
    return String(thrown);
  } catch {
    // An object without a prototype, or a message that throws.
    return 'something that has no text';
  }
}
