/** Options of every request. */
export interface RequestOptions {
  /** Ends the request; it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Timeout of one attempt in milliseconds, instead of the client's. */
  timeoutMs?: number | undefined;
}

/** Options of a request that changes something. */
export interface ChangeOptions extends RequestOptions {
  /** Repeating a request with the same key changes nothing and returns the same response. Default: generated. */
  idempotencyKey?: string | undefined;
  /** The caller's span (W3C Trace Context): the trace of a create, start or restart is part of its trace. */
  traceparent?: string | undefined;
}

export interface PageOptions extends RequestOptions {
  limit?: number | undefined;
  cursor?: string | undefined;
}
