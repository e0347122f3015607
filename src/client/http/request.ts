/** Sends requests to a manager over HTTP: addresses, headers, timeouts, errors. Needs only `fetch`. */
import type { FaultCode, Issue } from '../../model/values/fault.ts';
import { checkNumber } from '../check-values.ts';
import { ManagerError } from '../errors.ts';
import { newKey } from '../new-key.ts';
import type { ChangeOptions, RequestOptions } from '../request-options.ts';
import { withRetries } from '../retry.ts';

export interface ManagerEndpoint {
  /** Such as `http://127.0.0.1:8080`. A path before `/v1` is kept. */
  url: string;
  token: string | undefined;
}

export interface RequesterOptions {
  /** Called for each attempt, because a manager that was restarted may have another address. */
  endpoint: () => ManagerEndpoint;
  fetch: typeof fetch;
  timeoutMs: number;
  retries: number;
}

export interface HttpRequest {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  query?: Record<string, string | number | boolean | readonly string[] | undefined>;
  body?:
    | { type: string; text: string }
    | { type: string; bytes: Uint8Array }
    | { type: string; blob: Blob }
    | { type: string; stream: ReadableStream<Uint8Array> }
    | undefined;
  headers?: Record<string, string | undefined>;
  /** Repeats are the same request for the manager. */
  idempotencyKey?: string | undefined;
}

/** setTimeout fires immediately for a longer time. */
const LONGEST_TIMER = 2 ** 31 - 1;

export const jsonBody = (value: unknown) => ({ type: 'application/json', text: JSON.stringify(value) });

export class HttpRequester {
  readonly #options: RequesterOptions;

  constructor(options: RequesterOptions) {
    this.#options = options;
  }

  get endpoint(): ManagerEndpoint {
    return this.#options.endpoint();
  }

  get<T>(path: string, options: RequestOptions, query: HttpRequest['query'] = {}): Promise<T> {
    return this.json<T>({ method: 'GET', path, query }, options);
  }

  /** Every change has a key, so that it can be repeated. */
  change<T>(
    method: HttpRequest['method'],
    path: string,
    { idempotencyKey = newKey(), traceparent, ...options }: ChangeOptions,
    more: Pick<HttpRequest, 'body' | 'query'> = {},
  ): Promise<T> {
    return this.json<T>({ method, path, idempotencyKey, headers: { traceparent }, ...more }, options);
  }

  /** The response as JSON. Repeats the request after passing failures. */
  async json<T>(request: HttpRequest, options: RequestOptions): Promise<T> {
    const text = await this.text(request, options);
    try {
      return JSON.parse(text || 'null') as T;
    } catch (cause) {
      const { url } = this.#options.endpoint();
      const what = `The response of ${url} is not JSON. Check that the URL is a manager's.`;
      throw new ManagerError('internal', what, { status: 200, cause });
    }
  }

  /** The response as JSON, of one attempt: for what must not be done twice. */
  async once<T = unknown>(request: HttpRequest, options: RequestOptions): Promise<T> {
    return JSON.parse((await this.#attempt(request, options)).text || 'null') as T;
  }

  /** The status with the response as JSON, of one attempt. */
  async onceWithStatus<T>(
    request: HttpRequest,
    options: RequestOptions,
  ): Promise<{ status: number; body: T }> {
    const { status, text } = await this.#attempt(request, options);
    return { status, body: JSON.parse(text || 'null') as T };
  }

  /** The response as text. Repeats the request after passing failures. */
  text(request: HttpRequest, options: RequestOptions): Promise<string> {
    const { retries } = this.#options;
    const attempt = async () => (await this.#attempt(request, options)).text;
    return withRetries(attempt, { retries, signal: options.signal });
  }

  async #attempt(
    request: HttpRequest,
    { signal, timeoutMs = this.#options.timeoutMs }: RequestOptions,
  ): Promise<{ status: number; text: string }> {
    checkNumber('timeoutMs', timeoutMs);
    // A timer of no time may fire after a fast response.
    const late =
      timeoutMs > 0
        ? AbortSignal.timeout(Math.min(Math.ceil(timeoutMs), LONGEST_TIMER))
        : AbortSignal.abort(new DOMException('The operation timed out.', 'TimeoutError'));
    const both = signal ? AbortSignal.any([signal, late]) : late;
    const endpoint = this.#options.endpoint();
    const response = await this.#fetch(endpoint, request, both, signal);
    try {
      return { status: response.status, text: await response.text() };
    } catch (cause) {
      throw toConnectionError(endpoint, signal, cause);
    }
  }

  /** One attempt; its body is read by the caller. The timeout ends with the response's headers. */
  async open(request: HttpRequest, signal: AbortSignal): Promise<Response & { body: ReadableStream }> {
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new DOMException('The operation timed out.', 'TimeoutError')),
      Math.min(this.#options.timeoutMs, LONGEST_TIMER),
    );
    try {
      const both = AbortSignal.any([signal, late.signal]);
      const endpoint = this.#options.endpoint();
      const response = await this.#fetch(endpoint, request, both, signal);
      if (response.body) return response as Response & { body: ReadableStream };
      throw new ManagerError('unavailable', `The manager at ${endpoint.url} sent a response without a body.`);
    } finally {
      clearTimeout(timer);
    }
  }

  async #fetch(
    endpoint: ManagerEndpoint,
    { method, path, query = {}, body, headers = {}, idempotencyKey }: HttpRequest,
    signal: AbortSignal,
    callers: AbortSignal | undefined,
  ): Promise<Response> {
    const fields = {
      ...headers,
      accept: headers.accept ?? 'application/json',
      authorization: endpoint.token === undefined ? undefined : `Bearer ${endpoint.token}`,
      'content-type': body?.type,
      'idempotency-key': idempotencyKey,
    };
    const present = Object.entries(fields).filter(
      (field): field is [string, string] => field[1] !== undefined,
    );
    let response: Response;
    try {
      response = await this.#options.fetch(toUrl(endpoint, path, query), {
        method,
        headers: present,
        ...(body && toFetchBody(body)),
        signal,
      });
    } catch (cause) {
      throw toConnectionError(endpoint, callers, cause);
    }
    if (!response.ok) throw await toManagerError(response);
    return response;
  }
}

/** A stream is sent as it comes, and the response is read after it. */
function toFetchBody(body: NonNullable<HttpRequest['body']>): RequestInit & { duplex?: 'half' } {
  if ('text' in body) return { body: body.text };
  if ('bytes' in body) return { body: body.bytes as Uint8Array<ArrayBuffer> };
  // A browser sends a blob over HTTP/1.1, and a stream over HTTP/2 only.
  if ('blob' in body) return { body: body.blob };
  return { body: body.stream, duplex: 'half' };
}

function toUrl({ url }: ManagerEndpoint, path: string, query: NonNullable<HttpRequest['query']>): URL {
  // A URL would drop them, and lead to something else.
  const dots = path.split(/[/?]/).find((part) => part === '.' || part === '..');
  if (dots !== undefined)
    throw new ManagerError('invalid_command', `${JSON.stringify(dots)} is not an ID or a name.`);
  const full = new URL(`${url.replace(/\/+$/, '')}${path}`);
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) full.searchParams.append(name, String(one));
  }
  return full;
}

/** An aborted request rejects with the caller's reason; any other failure means that the manager is away. */
function toConnectionError(
  { url }: ManagerEndpoint,
  callers: AbortSignal | undefined,
  cause: unknown,
): unknown {
  if (callers?.aborted) return callers.reason;
  if (cause instanceof ManagerError) return cause;
  const late = cause instanceof Error && cause.name === 'TimeoutError';
  const what = late
    ? `The manager at ${url} did not respond in time.`
    : `The manager cannot be reached at ${url}${getReason(cause)}. Check the URL, and that \`wm serve\` is running.`;
  return new ManagerError('unavailable', what, { cause });
}

/** What `fetch` says only in the cause of its error, such as the refused address, which is that of a proxy if there is one. */
function getReason(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  return cause instanceof Error && cause.message !== '' ? ` (${cause.message})` : '';
}

async function toManagerError(response: Response): Promise<ManagerError> {
  const { status, headers } = response;
  const answer = (await response.json().catch(() => undefined)) as
    | { error?: { code: FaultCode; message: string; issues?: Issue[]; reason?: string }; worker_id?: string }
    | undefined;
  const after = Number(headers.get('retry-after') ?? Number.NaN);
  // Responses without a code are those of a proxy.
  const code = answer?.error?.code ?? (status === 502 || status === 503 ? 'unavailable' : 'internal');
  const message = answer?.error?.message ?? `The manager responded with status ${status}.`;
  return new ManagerError(code, message, {
    status,
    issues: answer?.error?.issues,
    reason: answer?.error?.reason,
    retryAfterSeconds: after >= 0 ? after : undefined,
    workerId: answer?.worker_id,
    traceId: headers.get('x-request-id') ?? undefined,
  });
}
