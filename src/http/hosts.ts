/**
 * The names under which a server of ours answers. A page whose name is made to point at this machine after it was loaded
 * (DNS rebinding) is of the same origin for its browser; only the Host of its requests gives it away. Pure but for
 * `hostname`. Must not import anything of ours, since the wrapper bundles it.
 */
import { isIP } from 'node:net';
import { hostname } from 'node:os';

export interface HostPolicy {
  /** Names in lower case; one that begins with a dot stands for all names below it. */
  names: readonly string[];
  /** Whether names without a dot are answered, such as those of a compose file. No public DNS has any. */
  single: boolean;
}

/**
 * The policy of a server that listens on `host`: this machine's name, the host, and what the operator adds. Names without a
 * dot are answered only beyond loopback, where who can make one up can reach the server anyway.
 */
export function hostPolicy(host: string, allowed: readonly string[] = []): HostPolicy {
  const names = ['localhost', '.localhost', hostname(), host, ...allowed].map(plain);
  return { names: [...new Set(names)], single: !isLoopback(host) };
}

/** Whether a request with that Host header is answered. Addresses always are: a name is what rebinding needs. */
export function isOurHost(header: string | undefined, { names, single }: HostPolicy): boolean {
  // HTTP/1.0 alone may leave it out, and no browser speaks that.
  if (header === undefined || header === '') return true;
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(header)?.[1];
  if (bracketed !== undefined) return isIP(bracketed) === 6;
  const host = plain(header.replace(/:\d*$/, ''));
  if (isIP(host) !== 0) return true;
  if (!/^[a-z0-9_.-]+$/.test(host)) return false;
  if (names.some((name) => (name.startsWith('.') ? host.endsWith(name) : host === name))) return true;
  return single && !host.includes('.');
}

/** Whether nothing but this machine itself reaches a server that listens there. */
export function isLoopback(host: string): boolean {
  const name = plain(host);
  if (name === 'localhost' || name === '::1') return true;
  const mapped = name.replace(/^::ffff:/, '');
  return isIP(mapped) === 4 && mapped.startsWith('127.');
}

/** Names are compared without case and without the dot of the root. */
const plain = (name: string) => name.toLowerCase().replace(/(?<=[^.])\.$/, '');
