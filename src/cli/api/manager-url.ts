/** Where requests for the manager's HTTP API go. */
import type { Agent } from 'node:http';
import { isLoopback } from '../../http/access/hosts.ts';
import type { ManagerApi } from '../deps.ts';

/** The URL of a path of the API. The manager's own URL may have a path, which a proxy in front of it removes. */
export function toManagerUrl({ url }: Pick<ManagerApi, 'url'>, path: string): URL {
  const base = new URL(url);
  return new URL(`${base.pathname.replace(/\/+$/, '')}${path}`, base);
}

/** Node's own agent uses the proxy of the environment with NODE_USE_ENV_PROXY; a proxy does not reach this machine. */
export function directAgent(url: URL): { agent?: Agent } {
  if (!isLoopback(url.hostname)) return {};
  const { Agent } = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http');
  return { agent: new Agent() };
}
