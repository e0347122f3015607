/** One thing that can be asked over HTTP, and how it is answered. Pure but for the handler. */
import type { Fault, FaultCode } from '../model/fault.ts';

export interface ApiRequest {
  method: string;
  /** Without query. */
  path: string;
  /** Of the route's path: `task_id` of `/task/:task_id`, decoded. */
  params: Record<string, string>;
  query: URLSearchParams;
  /** Header fields in lower case. */
  headers: Record<string, string | string[] | undefined>;
  /** The body as JSON; throws a Fault `invalid_command` where it is none, or too long. */
  json(): Promise<unknown>;
  /** The body as text, for what is not JSON. */
  text(): Promise<string>;
}

export interface ApiResponse {
  status: number;
  /** Content type; JSON without it. */
  type?: string;
  headers?: Record<string, string>;
  body: string;
}

export interface Route {
  /** GET answers HEAD, too. */
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Such as `/task/:task_id`. */
  path: string;
  /** Answered without the token, where one is asked for: health and metrics. */
  open?: boolean;
  /** A Fault that it throws is answered as such; anything else is a 500 without its reason. */
  handle(request: ApiRequest): ApiResponse | Promise<ApiResponse>;
}

export const jsonResponse = (status: number, value: unknown): ApiResponse => ({
  status,
  body: `${JSON.stringify(value)}\n`,
});

const STATUS: Record<FaultCode, number> = {
  invalid_command: 400,
  not_found: 404,
  conflict: 409,
  unsupported: 422,
  capacity: 429,
  unavailable: 503,
  internal: 500,
};
/** Seconds after which to try again, where the fault names none. */
const RETRY_AFTER = 1;

/** A Fault as an answer, with its message in `detail` as well, where clients of FastAPI look for it; `status` where the method or the rights are at fault, which are no codes. */
export function errorResponse(fault: Fault & { retry_after_seconds?: number }, status?: number): ApiResponse {
  const { code, message, issues } = fault;
  const later = code === 'capacity' || code === 'unavailable';
  return {
    ...jsonResponse(status ?? STATUS[code], {
      error: { code, message, ...(issues && { issues }) },
      detail: message,
    }),
    ...(later && { headers: { 'retry-after': String(Math.ceil(fault.retry_after_seconds ?? RETRY_AFTER)) } }),
  };
}

/** The routes of that path, by method, with what stands in its places; undefined where there is none. */
export function matchRoutes(
  routes: readonly Route[],
  path: string,
): { routes: Route[]; params: Record<string, string> } | undefined {
  const fitting = routes.filter((route) => matchParams(route.path, path) !== undefined);
  // `/task/submit` is no task named submit.
  const literal = fitting.filter((route) => route.path === path);
  const found = literal.length > 0 ? literal : fitting;
  const first = found[0];
  return first && { routes: found, params: matchParams(first.path, path) ?? {} };
}

function matchParams(pattern: string, path: string): Record<string, string> | undefined {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const here = given[at] ?? '';
    if (!part.startsWith(':')) {
      if (part !== here) return undefined;
      continue;
    }
    const value = decoded(here);
    if (value === undefined || value === '') return undefined;
    params[part.slice(1)] = value;
  }
  return params;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
