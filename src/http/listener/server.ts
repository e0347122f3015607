/**
 * The HTTP server on the manager's port: health and metrics; it forwards all other requests.
 *
 * Invariants: a response for health or metrics never waits for Redis or a runtime, so that probes are answered while
 * they hang; health is what main has already collected. Must not import the store, the runtimes or the loop.
 */
import { redactText } from '../../telemetry/redact.ts';
import type { ApiResponse, Route } from '../route.ts';
import type { HealthReport } from './health.ts';
import { type HttpServer, listen, type RequestForwarder, type UpgradeForwarder } from './listen.ts';

export type { HttpServer } from './listen.ts';

export interface HttpOptions {
  host: string;
  /** 0 selects a free port. */
  port: number;
  /** Returns immediately, from data that is already known. */
  health: () => HealthReport;
  metrics: { text(): Promise<string>; contentType: string };
  log: { error(fields: object, message: string): void };
  /** HTTP_ALLOWED_HOSTS. */
  allowedHosts?: readonly string[];
  /** API_TOKEN: required by all routes that are not open. */
  token?: string | undefined;
  /** Handles all other requests. */
  forward?: RequestForwarder;
  /** Called when a request was refused and not forwarded. */
  onRefused?: () => void;
  /** Handles upgrades of the protocol. */
  forwardUpgrade?: UpgradeForwarder;
}

/** Listens, or throws a Fault `unavailable` that names the setting to change. */
export function createHttpServer(options: HttpOptions): Promise<HttpServer> {
  const { host, port, log, token, forward, forwardUpgrade, onRefused, allowedHosts = [] } = options;
  return listen({
    host,
    port,
    token,
    allowedHosts,
    forward,
    forwardUpgrade,
    onRefused,
    names: { host: 'HTTP_HOST', port: 'HTTP_PORT' },
    routes: probes(options),
    log: { error: (message, fields) => log.error(fields, message) },
  });
}

function probes({ health, metrics }: HttpOptions): Route[] {
  const get = (path: string, handle: Route['handle']): Route => ({ method: 'GET', path, open: true, handle });
  const ready = () => {
    const { ready, checks } = health();
    return status(ready, checks);
  };
  return [
    get('/livez', () => {
      const { live, checks } = health();
      return status(live, { loop: checks.loop });
    }),
    get('/readyz', ready),
    get('/healthz', ready),
    get('/metrics', async () => ({
      status: 200,
      type: metrics.contentType,
      body: await metrics.text(),
    })),
  ];
}

function status(ok: boolean, checks: object): ApiResponse {
  // The messages contain texts from Redis and the engines, and anyone who can connect to the port can read
  // them.
  const body = JSON.stringify({ status: ok ? 'ok' : 'failing', checks }, (_, value: unknown) =>
    typeof value === 'string' ? redactText(value) : value,
  );
  return { status: ok ? 200 : 503, body: `${body}\n` };
}
