/** Sends the headers of a response that is passed on. Must not import any other folder, because the wrapper bundles it. */
import type { ServerResponse } from 'node:http';

/**
 * Sends the headers with the first bytes of the body, if those have come with the headers of the answer, and otherwise at once
 * without them. Two writes instead of one cost as much as all other work for a short request, and so do the two reads of the next
 * server.
 */
export function flushSoon(response: ServerResponse): void {
  setImmediate(() => response.destroyed || response.writableEnded || response.flushHeaders());
}
