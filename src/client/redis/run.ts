/** Runs operations on Redis so that they fail as those over HTTP do. */
import { ApiFault } from '../../http/api-fault.ts';
import { FAULT_STATUS } from '../../http/route.ts';
import { errorMessage, Fault } from '../../model/index.ts';
import { redactUrl } from '../../telemetry/redact.ts';
import { ManagerError } from '../errors.ts';
import type { RequestOptions } from '../request-options.ts';

/** Rejects with the signal's reason when it fires, and with a `ManagerError` otherwise. */
export async function runOnRedis<T>(
  url: string,
  { signal }: RequestOptions,
  operation: () => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  try {
    return await (signal ? orAborted(operation(), signal) : operation());
  } catch (error) {
    signal?.throwIfAborted();
    throw toError(url, error);
  }
}

export function toError(url: string, error: unknown): ManagerError {
  if (error instanceof ManagerError) return error;
  if (error instanceof Fault) {
    const { code, message, issues, reason } = error;
    const { retry_after_seconds: retryAfterSeconds } = error as { retry_after_seconds?: number };
    const { status, fields } = error instanceof ApiFault ? error : { status: FAULT_STATUS[code], fields: {} };
    const { worker_id: workerId } = fields as { worker_id?: string };
    return new ManagerError(code, message, {
      status,
      issues,
      reason,
      retryAfterSeconds,
      workerId,
      cause: error,
    });
  }
  const what = `Redis does not answer at ${redactUrl(url)} (${errorMessage(error)}).`;
  return new ManagerError('unavailable', what, { status: FAULT_STATUS.unavailable, cause: error });
}

function orAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
