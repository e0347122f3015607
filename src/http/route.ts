/** An HTTP route and its handler. Pure except for the handler. */
import type { Fault, FaultCode } from '../model/values/fault.ts';

export interface ApiRequest {
  method: string;
  /** Without the query. */
  path: string;
  /** Parameters of the route's path: `task_id` of `/task/:task_id`, decoded. */
  params: Record<string, string>;
  query: URLSearchParams;
  /** Header names in lower case. */
  headers: Record<string, string | string[] | undefined>;
  /** The body as JSON; throws a Fault `invalid_command` if it is not JSON or too long. */
  json(): Promise<unknown>;
  /** The body as text, for other content types. */
  text(): Promise<string>;
}

export interface ApiResponse {
  status: number;
  /** Content type; JSON by default. */
  type?: string;
  headers?: Record<string, string>;
  body: string;
}

export interface Route {
  /** GET also handles HEAD. */
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** For example `/task/:task_id`. */
  path: string;
  /** Answered without a token: health and metrics. */
  open?: boolean;
  /** A Fault that it throws becomes an error response; any other exception a 500 without its message. */
  handle(request: ApiRequest): ApiResponse | Promise<ApiResponse>;
}

/** Is called with each request that was answered; `route` is its pattern, or `undefined` if there is none. */
export type OnHandled = (request: {
  route: string | undefined;
  method: string;
  status: number;
  seconds: number;
}) => void;

export const jsonResponse = (status: number, value: unknown): ApiResponse => ({
  status,
  body: `${JSON.stringify(value)}\n`,
});

/** The status of each code of an error. */
export const FAULT_STATUS: Record<FaultCode, number> = {
  invalid_command: 400,
  not_found: 404,
  conflict: 409,
  unsupported: 422,
  capacity: 429,
  unavailable: 503,
  internal: 500,
};
/** Number of seconds after which to retry, if the fault names none. */
const RETRY_AFTER = 1;

/**
 * Converts a Fault to a response. `detail` repeats the message, because clients of FastAPI expect it there. `status`
 * overrides the status for errors without a code, such as a wrong method.
 */
export function errorResponse(
  fault: Fault & { retry_after_seconds?: number },
  status?: number,
  more: object = {},
): ApiResponse {
  const { code, message, issues, reason } = fault;
  const later = code === 'capacity' || code === 'unavailable';
  return {
    ...jsonResponse(status ?? FAULT_STATUS[code], {
      error: { code, message, ...(reason && { reason }), ...(issues && { issues }) },
      detail: message,
      ...more,
    }),
    ...(later && { headers: { 'retry-after': String(Math.ceil(fault.retry_after_seconds ?? RETRY_AFTER)) } }),
  };
}

/** The routes of that path by method, with their parameters; undefined if there are none. */
export function matchRoutes<R extends Pick<Route, 'path'>>(
  routes: readonly R[],
  path: string,
): { routes: R[]; params: Record<string, string> } | undefined {
  const fitting = routes.filter((route) => matchParams(route.path, path) !== undefined);
  // `/task/submit` is not a task named submit.
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
