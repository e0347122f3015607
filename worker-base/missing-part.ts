/**
 * Parts of the wrapper are loaded when they are first needed. An upgrade may have replaced the files of a direct worker by
 * then. That fails what needs the part, and never the worker.
 */
import { errorResponse } from '../src/http/route.ts';
import { Fault } from '../src/model/values/fault.ts';

export const isMissingPart = (error: unknown): boolean =>
  (error as { code?: unknown } | undefined)?.code === 'ERR_MODULE_NOT_FOUND';

/** The Fault of a missing part; any other error is returned as it is. */
export const toPartFault = (error: unknown): unknown =>
  isMissingPart(error)
    ? new Fault(
        'unsupported',
        'The files of worker-manager were replaced after this worker was started, and what this needs was not loaded yet. Restart the worker.',
        { cause: error },
      )
    : error;

/** The response for a part that cannot be loaded, as it is on the wire; Node's HTTP may not have been loaded either. */
export function formatPartError(error: unknown): string {
  const fault = toPartFault(error);
  const internal = new Fault('internal', 'The request failed in the body; see its log.');
  const { status, body } = errorResponse(fault instanceof Fault ? fault : internal);
  const length = Buffer.byteLength(body);
  const lines = [`HTTP/1.1 ${status} `, 'content-type: application/json', `content-length: ${length}`];
  return `${lines.join('\r\n')}\r\nconnection: close\r\n\r\n${body}`;
}
