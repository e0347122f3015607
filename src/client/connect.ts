import { checkNumber } from './check-values.ts';
import { findEndpoint } from './context.ts';
import { createHttpTransport } from './http/http-transport.ts';
import { HttpRequester } from './http/request.ts';
import { DEFAULT_RETRIES, ManagerConnection } from './manager.ts';

export interface ConnectOptions {
  /** URL of the manager, such as `http://127.0.0.1:8080`. Default: WM_URL, or the context file of `wm serve`. */
  url?: string | undefined;
  /** Its token: API_TOKEN, or the output of `wm context --token`. Default: WM_TOKEN, or the context file. */
  token?: string | undefined;
  /** Timeout of a response in milliseconds; 30,000 by default. Waits and streams are not limited by it. */
  timeoutMs?: number | undefined;
  /** Number of retries after a passing failure; 7 by default. */
  retries?: number | undefined;
  /** Time during which a broken stream is opened again; 300 by default. */
  reconnectSeconds?: number | undefined;
  fetch?: typeof fetch | undefined;
}

const TIMEOUT_MS = 30_000;

/** A client of the manager's HTTP API. Connects when something is requested. */
export function connect(options: ConnectOptions = {}): ManagerConnection {
  const { url, token, timeoutMs = TIMEOUT_MS, retries = DEFAULT_RETRIES, reconnectSeconds } = options;
  checkNumber('timeoutMs', timeoutMs);
  // Called without an object, as browsers require.
  const send = options.fetch ?? ((...args: Parameters<typeof fetch>) => fetch(...args));
  const endpoint = () => findEndpoint({ url, token });
  const requester = new HttpRequester({ endpoint, fetch: send, timeoutMs, retries });
  return new ManagerConnection(createHttpTransport(requester), {
    retries,
    ...(reconnectSeconds !== undefined && { reconnectSeconds }),
  });
}
