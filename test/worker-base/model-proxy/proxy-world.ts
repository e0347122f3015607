/** A proxy between an agent and a model that the test controls; the logs of both must not contain the credential. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect } from 'vitest';
import {
  type ModelProxy,
  type ModelProxyOptions,
  startModelProxy,
} from '../../../worker-base/model-proxy/proxy.ts';

/** The real credential, which no log may contain. */
export const KEY = 'sk-real-and-secret';
const lines: string[] = [];
const write = (msg: string, fields?: object) => void lines.push(msg + JSON.stringify(fields ?? {}));
const log = { debug: write, info: write, warn: write, error: write };
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  expect(lines.splice(0).join('\n')).not.toContain(KEY);
});

type Handler = (request: IncomingMessage, answer: ServerResponse) => void;
export async function startModelWith(handler: Handler): Promise<{ url: string; server: Server }> {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

/** A proxy that ends with its test. */
export async function openProxy(
  upstream: string | undefined,
  change: Partial<ModelProxyOptions> = {},
): Promise<ModelProxy> {
  const credentials = [{ header: 'X-Api-Key', prefix: '', value: KEY }];
  const modelProxy = await startModelProxy({ upstream, credentials, stallMs: 10_000, log, ...change });
  closers.push(() => modelProxy.close());
  return modelProxy;
}
export const post = (url: string, init: RequestInit = {}) =>
  fetch(url, { method: 'POST', body: '{}', ...init });
/** Where the agent's hook asks the command policy. */
export const policyUrl = (modelProxy: ModelProxy) =>
  `${modelProxy.policyCommand[1]?.replace('WORKER_GATEWAY=', '')}/gate`;
