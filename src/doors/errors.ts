/** How requests to doors fail, and which of them may be sent again. */
import type { DoorRefusal } from '../model/doors/door-token.ts';
import { errorMessage, Fault, toRedisFault } from '../model/index.ts';
import { RuntimeDown } from '../runtimes/runtime.ts';

/** The door has read nothing of the request. */
export class NotSent extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

/** The door did not accept the token. */
export class Refused extends Error {
  readonly why: DoorRefusal;
  constructor(why: DoorRefusal) {
    super(`the body refused the connection (${why})`);
    this.why = why;
  }
}

/** Whether the request may be sent again, to the body that the worker has by then. */
export function mayRepeat(error: unknown): boolean {
  if (error instanceof Refused) return true;
  if (!(error instanceof NotSent)) return false;
  const { cause } = error;
  // What a runtime or its engine cannot do now will not be different in a moment.
  return !(cause instanceof RuntimeDown) && (!(cause instanceof Fault) || cause.code !== 'unsupported');
}

/** The error for the caller. */
export function toDoorFault(error: unknown, workerId: string): Fault {
  const cause = error instanceof NotSent ? error.cause : error;
  if (cause instanceof Fault && cause.code !== 'not_found' && cause.code !== 'conflict') return cause;
  if (error instanceof Fault) return error;
  // It was looked up where the body is, and nothing was sent to it.
  const away = toRedisFault(error);
  if (away) return away;
  if (cause instanceof RuntimeDown)
    return new Fault('unavailable', `The worker ${workerId} can't be reached: ${cause.message}`, { cause });
  if (error instanceof NotSent || error instanceof Refused) {
    const why = errorMessage(cause).replace(/\.$/, '');
    return new Fault('unavailable', `The worker ${workerId} can't be reached: ${why}. Try again later.`, {
      cause,
    });
  }
  return bodyLost(workerId, cause);
}

/** The body ended, or the connection to it was cut, before the answer was complete. */
const bodyLost = (workerId: string, cause?: unknown): Fault =>
  new Fault(
    'unavailable',
    `The connection to worker ${workerId} was cut: its body has ended. What was asked may have been done in part.`,
    { cause, reason: 'body_lost' },
  );
