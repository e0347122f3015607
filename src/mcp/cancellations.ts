import type { FastifyRequest } from 'fastify';

const HEADER = 'mcp-session-id';
const ID_LENGTH = 128;

/**
 * Calls that another request may cancel: `notifications/cancelled` of the same client with the ID of the call. Holds only
 * calls in progress, whose number the port limits.
 */
export class Cancellations {
  readonly #calls = new Map<string, AbortController>();

  /** Begins with a request: cancels the call that it names, or is a call itself until `end`. */
  follow(
    { headers, body }: Pick<FastifyRequest, 'headers' | 'body'>,
    workerId: string | undefined,
  ): { signal: AbortSignal; end: () => void } {
    const call = new AbortController();
    const session = headers[HEADER];
    const { method, id, params } = (typeof body === 'object' && body !== null ? body : {}) as {
      method?: unknown;
      id?: unknown;
      params?: { requestId?: unknown };
    };
    if (typeof session !== 'string' || session.length > ID_LENGTH)
      return { signal: call.signal, end: () => {} };
    const toKey = (requestId: unknown) => JSON.stringify([workerId ?? null, session, requestId]);
    if (method === 'notifications/cancelled') this.#calls.get(toKey(params?.requestId))?.abort();
    if (method !== 'tools/call') return { signal: call.signal, end: () => {} };
    const key = toKey(id);
    this.#calls.set(key, call);
    return {
      signal: call.signal,
      end: () => {
        if (this.#calls.get(key) === call) this.#calls.delete(key);
      },
    };
  }
}
