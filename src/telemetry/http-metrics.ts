import { STATUS_CODES } from 'node:http';
import type { Instruments } from './instruments.ts';

/** From an answer from memory to a create that waits for its worker, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30];
/** Clients can send any other. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']);

/** A request that the API has handled. */
export interface HandledRequest {
  /** Its route, such as `/v1/workers/:worker_id`; `undefined` if there is none. */
  route: string | undefined;
  method: string;
  status: number;
  seconds: number;
}

/** The metrics of the HTTP API. Their labels have the routes of this program and nothing that a client chooses. */
export function httpMetrics({ counter, histogram }: Instruments) {
  const requests = counter<{ route: string; method: string; status: string }>(
    'http_requests_total',
    'Number of requests that the API has answered, by route (`none`: no such path or method), method and status; without probes and metrics.',
    ['route', 'method', 'status'],
    ['route', 'method', 'status'],
  );
  const duration = histogram<{ route: string }>(
    'http_request_duration_seconds',
    'Time from a request to the end of its response, by route; for streams and WebSockets, to their beginning. A request may wait, stream or run as long as its client wants.',
    ['route'],
    BUCKETS,
    ['route'],
  );
  return {
    httpRequest({ route = 'none', method, status, seconds }: HandledRequest): void {
      requests.inc(1, {
        route,
        method: METHODS.has(method) ? method : 'other',
        // A program in a worker chooses the status of what its port answers.
        status: STATUS_CODES[status] ? String(status) : 'other',
      });
      duration.observe(seconds, { route });
    },
    httpRefused: counter(
      'http_refused_total',
      'Number of requests that were refused before they reached the API: without a token, too large, too many at once, or while the manager was busy.',
      [],
    ),
  };
}
