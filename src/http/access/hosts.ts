/**
 * The host names that a server accepts. After DNS rebinding (the name of a web page is changed to point at this machine
 * after the page was loaded), a browser treats requests to it as same-origin; only their Host header shows it. Pure
 * except for `hostname`. Must not import any other folder, because the wrapper bundles it.
 */
import { isIP } from 'node:net';
import { hostname } from 'node:os';

export interface HostPolicy {
  /** Names in lower case; a leading dot matches all subdomains. */
  names: readonly string[];
  /** Whether names without a dot are accepted, such as those in a compose file. Public DNS has no such names. */
  single: boolean;
}

/**
 * The policy of a server that listens on `host`: this machine's name, the host, and the operator's additions. Names
 * without a dot are accepted only beyond loopback, where anyone who can define one can connect to the server anyway.
 */
export function hostPolicy(host: string, allowed: readonly string[] = []): HostPolicy {
  const names = ['localhost', '.localhost', hostname(), host, ...allowed].map(plain);
  return { names: [...new Set(names)], single: !isLoopback(host) };
}

/** Whether a request with that Host header is accepted. Addresses always are, because rebinding needs a name. */
export function isOurHost(header: string | undefined, { names, single }: HostPolicy): boolean {
  // Only HTTP/1.0 allows requests without Host, and browsers do not use it.
  if (header === undefined || header === '') return true;
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(header)?.[1];
  if (bracketed !== undefined) return isIP(bracketed) === 6;
  const host = plain(header.replace(/:\d*$/, ''));
  if (isIP(host) !== 0) return true;
  if (!/^[a-z0-9_.-]+$/.test(host)) return false;
  if (names.some((name) => (name.startsWith('.') ? host.endsWith(name) : host === name))) return true;
  return single && !host.includes('.');
}

/** Whether only this machine itself can connect to a server that listens there; an address may be in brackets, as in a URL. */
export function isLoopback(host: string): boolean {
  const name = plain(host).replace(/^\[(.*)\]$/, '$1');
  if (name === 'localhost' || name === '::1') return true;
  const mapped = name.replace(/^::ffff:/, '');
  return isIP(mapped) === 4 && mapped.startsWith('127.');
}

/** Names are compared without case and without the trailing dot. */
const plain = (name: string) => name.toLowerCase().replace(/(?<=[^.])\.$/, '');
