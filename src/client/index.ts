/**
 * A typed client of the manager's HTTP API, for programs in TypeScript and JavaScript. It only needs `fetch`. Imports
 * types only, so that a program that uses it loads nothing else of the manager.
 */
import type { FaultCode, Issue } from '../model/fault.ts';
import type { PoolInput } from '../model/pool.ts';
import type { PoolView, WorkerStats } from '../model/pool-status.ts';
import { LONGEST_TIMER_MS } from '../queue/long-timer.ts';

export type { PoolInput } from '../model/pool.ts';
export type { PoolStatus, PoolView, WorkerStats } from '../model/pool-status.ts';

export interface ClientOptions {
  /** URL of the manager, such as `http://127.0.0.1:8080`. */
  url: string;
  /** Its token: API_TOKEN, or the output of `wm context --token`. */
  token?: string;
  /** Timeout of a response in milliseconds; 30,000 by default. */
  timeoutMs?: number;
  fetch?: typeof fetch;
}

/** A request that the manager refused, with its code; `unavailable` if the manager cannot be reached. */
export class ManagerError extends Error {
  readonly code: FaultCode;
  readonly status: number;
  readonly issues: Issue[] | undefined;
  /** Number of seconds after which a retry may succeed, if the manager reports it. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: FaultCode,
    message: string,
    more: {
      status?: number;
      issues?: Issue[] | undefined;
      retryAfterSeconds?: number | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'ManagerError';
    this.code = code;
    this.status = more.status ?? 0;
    this.issues = more.issues;
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

/** The result of an `apply`. */
export interface Applied {
  pool: string;
  change: 'created' | 'configured' | 'unchanged';
}

export class ManagerClient {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** All pools, with their specs and status. */
  async listPools(): Promise<PoolView[]> {
    return (await this.#ask<{ pools: PoolView[] }>('GET', '/v1/pools')).pools;
  }

  getPool(name: string): Promise<PoolView> {
    return this.#ask('GET', `/v1/pools/${encodeURIComponent(name)}`);
  }

  /** How many workers of each type are busy and idle. */
  async getWorkerStats(): Promise<WorkerStats> {
    return (await this.#ask<{ worker_stats: WorkerStats }>('GET', '/v1/pools')).worker_stats;
  }

  /** Creates or updates a pool. A repeated `idempotencyKey` is the same command. */
  applyPool(pool: PoolInput, options: { idempotencyKey?: string } = {}): Promise<Applied> {
    return this.#ask('PUT', `/v1/pools/${encodeURIComponent(pool.name)}`, pool, options.idempotencyKey);
  }

  scalePool(name: string, count: number): Promise<{ pool: string; count: number; before: number }> {
    return this.#ask('POST', `/v1/pools/${encodeURIComponent(name)}/scale`, { count });
  }

  /** Its workers finish their tasks, and then the pool is deleted. */
  deletePool(name: string): Promise<{ pool: string }> {
    return this.#ask('DELETE', `/v1/pools/${encodeURIComponent(name)}`);
  }

  async #ask<T>(method: string, path: string, body?: unknown, key?: string): Promise<T> {
    const { url, token, timeoutMs = 30_000, fetch: send = fetch } = this.#options;
    let response: Response;
    try {
      response = await send(new URL(path, url), {
        method,
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(key !== undefined && { 'idempotency-key': key }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(Math.min(timeoutMs, LONGEST_TIMER_MS)),
      });
    } catch (cause) {
      throw new ManagerError('unavailable', `The manager cannot be reached at ${url}.`, { cause });
    }
    const { status } = response;
    const answer = (await response.json().catch(() => undefined)) as
      | { error?: { code: FaultCode; message: string; issues?: Issue[] } }
      | undefined;
    if (response.ok && answer !== undefined) return answer as T;
    const {
      code = 'internal',
      message = `The manager responded with status ${status}.`,
      issues,
    } = answer?.error ?? {};
    const after = Number(response.headers.get('retry-after') ?? Number.NaN);
    throw new ManagerError(code, message, {
      status,
      issues,
      retryAfterSeconds: after >= 0 ? after : undefined,
    });
  }
}
